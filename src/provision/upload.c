/* See upload.h. */
#include "provision/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"

enum { NUMBERS = 10000 }; /* Packer's scripts are script_0.sh to script_9998.sh */

static unsigned int number_of(const void *data, size_t n)
{
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        char hex[DIGEST_HEX_MAX], head[8] = "";

        digest_update(digest, data, n);
        digest_final(digest, hex);
        for (size_t i = 0; i < 7; i++)
                head[i] = hex[i];
        return (unsigned int)strtoul(head, NULL, 16) % NUMBERS;
}

static int choose_path(struct upload *upload, const char *folder, const char *kind, const void *data, size_t n,
                       struct error *err)
{
        unsigned int first = number_of(data, n);
        struct stat st;

        for (unsigned int i = 0; i < NUMBERS; i++) {
                CLEANUP_FREE char *name = xasprintf("%s_%u.sh", kind, (first + i) % NUMBERS);
                CLEANUP_FREE char *path = path_join(folder, name);
                int r = guest_stat(upload->guest, path, &st, err);

                if (r == -ENOENT) {
                        upload->path = steal(&path);
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        return error_set(err, EEXIST, "all names from %s/%s_0.sh to %s_%d.sh are taken in the guest", folder, kind,
                         kind, NUMBERS - 1);
}

/* Which folders of the path will be made? */
static int look_at_folders(struct upload *upload, struct error *err)
{
        CLEANUP_FREE char *folder = path_dir(upload->path);
        struct stat st;
        int r;

        upload->folder = xstrdup(folder);
        while ((r = guest_stat(upload->guest, folder, &st, err)) == -ENOENT && strcmp(folder, "/") != 0) {
                char *above = path_dir(folder);

                strv_take(&upload->made, folder);
                folder = above;
        }
        if (r == 0 && !upload->made)
                upload->before = st;
        return r;
}

int upload_put(struct upload *upload, const char *folder, const char *kind, const void *data, size_t n, mode_t mode,
               struct error *err)
{
        int r = 0;

        if (!upload->path)
                r = choose_path(upload, folder, kind, data, n, err);
        if (r == 0)
                r = look_at_folders(upload, err);
        if (r == 0)
                r = guest_put_data(upload->guest, data, n, upload->path, mode, err);
        if (r < 0)
                return error_wrap(err, r, "upload");
        upload->there = true;
        return 0;
}

/* Those that are empty: a script may have put something there. */
static int remove_made(const struct upload *upload, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        int status;

        strv_add(&argv, "/bin/sh");
        strv_add(&argv, "-c");
        strv_add(&argv, "for folder; do rmdir \"$folder\" || exit 0; done");
        strv_add(&argv, "sh");
        strv_extend(&argv, STRV(upload->made));
        return guest_run(upload->guest, &(struct guest_command){.argv = STRV(argv)}, &status, err);
}

int upload_remove(struct upload *upload, struct error *err)
{
        struct stat st;
        int r;

        if (!upload->there)
                return 0;
        upload->there = false;
        r = guest_stat(upload->guest, upload->path, &st, err);
        if (r == 0)
                r = guest_remove(upload->guest, upload->path, err);
        if (r < 0 && r != -ENOENT) /* a script may remove itself */
                return r;
        if (upload->made)
                return remove_made(upload, err);
        return guest_set_mtime(upload->guest, upload->folder, &upload->before.st_mtim, err);
}

void upload_clear(struct upload *upload)
{
        free(upload->path);
        free(upload->folder);
        strv_free(upload->made);
        *upload = (struct upload){.guest = upload->guest};
}
