/* struct files over a site: see site_files.h. */
#include "serve/site_files.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "serve/folder_root.h"

struct site_files {
        struct site_files_source source;
        struct files files;
};

static int open_plain(struct site_file *what, struct file **ret, struct error *err)
{
        switch (what->kind) {
        case SITE_FILE_TEXT:
                *ret = file_of_text(steal(&what->text), what->len);
                return 0;
        case SITE_FILE_DISK:
                return folder_file_open(what->root, what->path, ret, err);
        case SITE_FILE_IMAGE:
                return image_file_open(what->root, what->path, ret, err);
        case SITE_FILE_VOLUME:
                break;
        }
        return error_set(err, EINVAL, "a file of an unknown kind");
}

static int open_volume(struct site_file *what, struct file **ret, struct error *err)
{
        CLEANUP_FREE const char **names = xcalloc(what->n_parts + 1, sizeof(*names));
        struct file **parts = xcalloc(what->n_parts + 1, sizeof(struct file *));
        size_t n;
        int r = 0;

        for (n = 0; n < what->n_parts; n++) {
                names[n] = what->parts[n].name;
                r = open_plain(&what->parts[n].file, &parts[n], err);
                if (r < 0)
                        break;
        }
        if (r == 0)
                return volume_file_open(names, parts, n, ret, err);
        while (n-- > 0)
                files_close(parts[n]);
        free(parts);
        return r;
}

static int open_what(struct site_file *what, struct file **ret, struct error *err)
{
        return what->kind == SITE_FILE_VOLUME ? open_volume(what, ret, err) : open_plain(what, ret, err);
}

static int site_files_open(void *arg, const struct file_request *request, struct file **ret, struct error *err)
{
        const struct site_files_source *source = &((struct site_files *)arg)->source;
        struct site_peer peer = {.address = request->peer, .server = request->server};
        CLEANUP(site_file_clear) struct site_file what = {0};
        const struct site *site = source->acquire(source->arg);
        int r;

        if (source->identify)
                source->identify(source->arg, &peer);
        r = site_file(site, request->path, &peer, &what, err);
        source->release(source->arg, site);
        return r < 0 ? r : open_what(&what, ret, err);
}

struct site_files *site_files_new(const struct site_files_source *source)
{
        struct site_files *files = xcalloc(1, sizeof(*files));

        files->source = *source;
        files->files = (struct files){site_files_open, files};
        return files;
}

struct site_files *site_files_free(struct site_files *files)
{
        if (files)
                image_files_forget();
        folder_roots_forget();
        free(files);
        return NULL;
}

const struct files *site_files_interface(const struct site_files *files)
{
        return &files->files;
}
