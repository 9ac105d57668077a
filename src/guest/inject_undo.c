/* Taking the traces of injected files out of the folder that a guest wrote
 * (see inject.h). For etc/resolv.conf, what a provisioner may have done:
 *
 *   nothing, chmod, chown    a copy with our content: removed, the image's own shows again
 *   echo x >> it             our block is replaced by the image's own text
 *   mv it elsewhere, cp it   the other name becomes what the image's own is
 *   rm it                    the mark of that stays if the image has one
 *   rm it; echo x > it       the provisioner's own file, which is left alone */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/inject.h"
#include "guest/inroot.h"
#include "guest/node.h"
#include "guest/resolv.h"

struct undo {
        int upper, layer, originals;
        char **paths; /* as injected, absolute */
};

/* Has the image a file at the i-th path? *ret_name names it in originals. */
static bool has_original(const struct undo *undo, size_t i, char name[32])
{
        struct stat st;

        snprintf(name, 32, "%zu", i);
        return fstatat(undo->originals, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Put the original (if there is one) where our content was copied to. */
static int put_original(const struct undo *undo, size_t i, int dir, const char *name, struct error *err)
{
        char original[32];
        struct stat st;
        int r;

        if (fstat(dir, &st) < 0)
                return error_errno(err, errno, "look at a folder");
        r = node_remove(dir, name, 0, err);
        if (r == 0 && has_original(undo, i, original))
                r = node_copy(undo->originals, original, dir, name, err);
        futimens(dir, (struct timespec[]){st.st_atim, st.st_mtim});
        return r;
}

/* A text that still has our block in it: written anew without, in place, so that owner and mode stay. */
static int strip_block(const struct undo *undo, size_t i, int dir, const char *name, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d/%s", dir, name), *text = NULL;
        CLEANUP_FREE char *original_path = NULL, *original = NULL, *clean = NULL;
        CLEANUP_CLOSE int fd = -1;
        char number[32];
        struct stat st;
        int r;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_size > 1 << 20)
                return 0;
        r = file_read(path, 0, &text, NULL, err);
        if (r < 0)
                return r;
        original_path = xasprintf("/proc/self/fd/%d/%zu", undo->originals, i);
        if (has_original(undo, i, number) && fstatat(undo->originals, number, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
                file_read(original_path, 0, &original, NULL, NULL);
        clean = resolv_without_block(text, original);
        if (!clean)
                return 0;
        fd = openat(dir, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : fd_write_all(fd, clean, strlen(clean));
        return r < 0 ? error_errno(err, -r, "write '%s'", name) : 0;
}

/* One injected path as it is in the upper folder now. */
static int undo_path(const struct undo *undo, size_t i, struct error *err)
{
        const char *path = undo->paths[i], *name;
        CLEANUP_CLOSE int dir = inroot_parent(undo->upper, path, &name);
        CLEANUP_CLOSE int real = -1;
        char original[32];
        struct stat st;

        if (dir < 0)
                return 0;
        real = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (real < 0 || fstatat(real, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        if (node_is_whiteout(&st))
                return has_original(undo, i, original) ? 0 : node_remove(real, name, 0, err);
        if (node_same(real, name, undo->layer, path + 1)) {
                /* In a folder that hides what is below, the original must be put back by hand. */
                return node_is_opaque(real) ? put_original(undo, i, real, name, err) : node_remove(real, name, 0, err);
        }
        return strcmp(path, "/" RESOLV_PATH) == 0 ? strip_block(undo, i, real, name, err) : 0;
}

typedef VEC(char *) folders_t;

/* One folder of the upper: files elsewhere that have our content. */
static int scan_folder(const struct undo *undo, size_t resolv, const char *folder, off_t size, folders_t *pending,
                       struct error *err)
{
        int fd = inroot_open(undo->upper, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        bool etc = strcmp(folder, "/etc") == 0;
        int r = 0;

        if (!dir)
                return error_errno(err, fd < 0 ? -fd : errno, "open folder '%s' of the layer", folder);
        while (r == 0 && (entry = readdir(dir))) {
                const char *name = entry->d_name;
                struct stat st;

                if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
                    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISDIR(st.st_mode))
                        vec_push(pending, path_join(folder, name));
                else if (S_ISREG(st.st_mode) && st.st_size == size && node_same(fd, name, undo->layer, RESOLV_PATH))
                        r = put_original(undo, resolv, fd, name, err);
                else if (S_ISREG(st.st_mode) && etc && str_starts(name, "resolv.conf"))
                        r = strip_block(undo, resolv, fd, name, err);
        }
        return r;
}

static int scan(const struct undo *undo, size_t resolv, struct error *err)
{
        folders_t pending = {0};
        struct stat st;
        int r = 0;

        if (fstatat(undo->layer, RESOLV_PATH, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        vec_push(&pending, xstrdup("/"));
        while (pending.n > 0) {
                CLEANUP_FREE char *folder = pending.v[--pending.n];

                if (r == 0)
                        r = scan_folder(undo, resolv, folder, st.st_size, &pending, err);
        }
        vec_free(&pending);
        return r;
}

/* A folder /etc that is in the upper only because something in it was looked at: out again. */
static void drop_empty_etc(const struct undo *undo)
{
        CLEANUP_CLOSE int up = openat(undo->upper, "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat mine, theirs, root;

        if (up < 0 || node_is_opaque(up) || fstat(up, &mine) < 0 || fstat(undo->upper, &root) < 0)
                return;
        if (fstatat(undo->layer, "etc", &theirs, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        if (mine.st_mode != theirs.st_mode || mine.st_uid != theirs.st_uid || mine.st_gid != theirs.st_gid ||
            mine.st_mtim.tv_sec != theirs.st_mtim.tv_sec || mine.st_mtim.tv_nsec != theirs.st_mtim.tv_nsec)
                return;
        if (unlinkat(undo->upper, "etc", AT_REMOVEDIR) == 0) /* fails where there is something in it */
                futimens(undo->upper, (struct timespec[]){root.st_atim, root.st_mtim});
}

static int open_all(struct undo *undo, const char *scratch, const char *upper, struct error *err)
{
        CLEANUP_FREE char *layer = path_join(scratch, "inject"), *originals = path_join(scratch, "originals");

        undo->upper = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        undo->layer = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        undo->originals = open(originals, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (undo->upper < 0 || undo->layer < 0 || undo->originals < 0)
                return error_errno(err, errno, "open the folders of the guest in '%s'", scratch);
        return 0;
}

static void undo_done(struct undo *undo)
{
        close_p(&undo->upper);
        close_p(&undo->layer);
        close_p(&undo->originals);
        strv_free(undo->paths);
}

int inject_undo(const char *scratch, const char *upper, struct error *err)
{
        CLEANUP(undo_done) struct undo undo = {.upper = -1, .layer = -1, .originals = -1};
        CLEANUP_FREE char *list = path_join(scratch, "injected"), *text = NULL;
        int r = file_read(list, 0, &text, NULL, err);

        if (r == 0)
                r = open_all(&undo, scratch, upper, err);
        if (r < 0)
                return r;
        undo.paths = str_split(text, "\n");
        for (size_t i = 0; r == 0 && undo.paths && undo.paths[i]; i++)
                if (*undo.paths[i])
                        r = undo_path(&undo, i, err);
        for (size_t i = 0; r == 0 && undo.paths && undo.paths[i]; i++)
                if (strcmp(undo.paths[i], "/" RESOLV_PATH) == 0)
                        r = scan(&undo, i, err);
        drop_empty_etc(&undo);
        return r < 0 ? error_wrap(err, r, "take what slipway put into the guest out of its layer") : 0;
}
