/* See inject.h. Beside the layer itself, scratch has `injected`, the list of
 * the paths that undo looks at, and originals/N, the image's own file or symlink
 * that line N of the list hides, if there is one. */
#include "guest/inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/inroot.h"
#include "guest/node.h"
#include "guest/resolv.h"

static int mkdir_open(int dir, const char *name, struct error *err)
{
        int fd;

        if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
                return error_errno(err, errno, "make folder '%s'", name);
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_errno(err, errno, "open folder '%s'", name) : fd;
}

int inject_begin(struct inject *in, int scratch, int below, struct error *err)
{
        CLEANUP_CLOSE int originals = -1, list = -1;
        int r;

        *in = (struct inject){.below = below, .scratch = scratch, .layer = mkdir_open(scratch, "inject", err)};
        if (in->layer < 0)
                return in->layer;
        originals = mkdir_open(scratch, "originals", err);
        if (originals < 0)
                return originals;
        list = openat(scratch, "injected", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (list < 0)
                return error_errno(err, errno, "create 'injected'");
        r = node_copy_attributes(below, in->layer, err);
        return r < 0 ? error_wrap(err, r, "root folder") : 0;
}

/* The real path (symlinks resolved inside the image) of a folder beneath `below`. */
static int real_folder(const struct inject *in, const char *path, char **ret)
{
        CLEANUP_CLOSE int fd = inroot_open(in->below, path, O_PATH | O_DIRECTORY, 0);
        char root[PATH_MAX], full[PATH_MAX], link[64];
        ssize_t n, root_n;

        if (fd < 0)
                return fd;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, full, sizeof(full) - 1);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", in->below);
        root_n = readlink(link, root, sizeof(root) - 1);
        if (n < root_n || root_n < 0)
                return -EIO;
        full[n] = '\0';
        root[root_n] = '\0';
        if (strncmp(full, root, (size_t)root_n) != 0)
                return -EIO;
        *ret = xstrdup(full + root_n);
        return 0;
}

/* Make the layer's folder for a real path of the image, each part like the image's own. */
static int clone_folders(const struct inject *in, const char *real, struct error *err)
{
        CLEANUP_STRV char **parts = str_split(real, "/");
        CLEANUP_STR struct str path = {0};
        int r = 0;

        for (size_t i = 0; r == 0 && parts && parts[i]; i++) {
                CLEANUP_CLOSE int from = -1, to = -1;

                if (!*parts[i])
                        continue;
                str_addf(&path, "/%s", parts[i]);
                if (mkdirat(in->layer, str_get(&path) + 1, 0755) < 0) {
                        if (errno == EEXIST)
                                continue;
                        return error_errno(err, errno, "make folder '%s'", str_get(&path));
                }
                from = inroot_open(in->below, str_get(&path), O_RDONLY | O_DIRECTORY, 0);
                to = inroot_open(in->layer, str_get(&path), O_RDONLY | O_DIRECTORY, 0);
                if (from < 0 || to < 0)
                        return error_errno(err, from < 0 ? -from : -to, "open folder '%s'", str_get(&path));
                r = node_copy_attributes(from, to, err);
        }
        return r;
}

/* Have the layer hold the folder of `path`, symlinks of the image resolved;
 * *ret is the resolved path. 1: `path` exists in the image. */
static int prepare(const struct inject *in, const char *path, char **ret, struct error *err)
{
        CLEANUP_FREE char *whole = NULL, *folder = xstrdup(path), *real = NULL;
        const char *rest;
        int there = inroot_open(in->below, path, O_PATH, 0), r;

        if (there >= 0) {
                close(there);
                return 1;
        }
        /* The longest part of the path that is a folder of the image. */
        for (;;) {
                char *slash = strrchr(folder, '/');

                if (!slash)
                        return error_set(err, EINVAL, "'%s' is no absolute path", path);
                *slash = '\0';
                r = real_folder(in, *folder ? folder : "/", &real);
                if (r == 0)
                        break;
                if (r != -ENOENT)
                        return error_errno(err, -r, "path '%s' in the image", path);
        }
        r = clone_folders(in, real, err);
        if (r < 0)
                return r;
        rest = path + strlen(folder);
        whole = xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real, rest);
        r = inroot_mkdirs(in->layer, whole, 0755);
        if (r == 0) {
                CLEANUP_FREE char *last = xstrdup(whole + 1);

                if (unlinkat(in->layer, last, AT_REMOVEDIR) < 0)
                        r = -errno;
        }
        if (r < 0)
                return error_errno(err, -r, "prepare '%s'", path);
        *ret = steal(&whole);
        return 0;
}

/* Remember a path for undo, with the original that it hides, if there is one. */
static int remember(const struct inject *in, const char *path, struct error *err)
{
        CLEANUP_FREE char *text = NULL, *line = xasprintf("%s\n", path), *name = NULL;
        CLEANUP_FREE char *list_path = xasprintf("/proc/self/fd/%d/injected", in->scratch);
        CLEANUP_CLOSE int list = openat(in->scratch, "injected", O_WRONLY | O_APPEND | O_CLOEXEC);
        CLEANUP_CLOSE int originals = openat(in->scratch, "originals", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        size_t n = 0;
        int r;

        if (list < 0 || originals < 0)
                return error_errno(err, errno, "open the list of injected files");
        r = file_read(list_path, 0, &text, NULL, err);
        if (r < 0)
                return r;
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n++;
        r = fd_write_all(list, line, strlen(line));
        if (r < 0)
                return error_errno(err, -r, "write the list of injected files");
        if (fstatat(in->below, path + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        name = xasprintf("%zu", n);
        return node_copy(in->below, path + 1, originals, name, err);
}

int inject_resolv(struct inject *in, struct error *err)
{
        CLEANUP_CLOSE int out = -1;
        CLEANUP_FREE char *content = NULL;
        struct stat st;
        int r;

        if (fstatat(in->below, "etc", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return 0;
        if (fstatat(in->below, RESOLV_PATH, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) &&
            !S_ISLNK(st.st_mode))
                return 0; /* a folder or a device: somebody wants it so */
        r = clone_folders(in, "/etc", err);
        if (r == 0)
                r = remember(in, "/" RESOLV_PATH, err);
        if (r < 0)
                return r;
        content = resolv_content();
        out = openat(in->layer, RESOLV_PATH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (out < 0)
                return error_errno(err, errno, "create 'etc/resolv.conf'");
        r = fd_write_all(out, content, strlen(content));
        if (r == 0 && fchmod(out, 0644) < 0)
                r = -errno;
        return r < 0 ? error_errno(err, -r, "write 'etc/resolv.conf'") : 0;
}

int inject_mountpoint(struct inject *in, const char *path, bool folder, struct error *err)
{
        CLEANUP_FREE char *real = NULL;
        CLEANUP_CLOSE int fd = -1;
        int r = prepare(in, path, &real, err);

        if (r != 0)
                return r < 0 ? r : 0;
        if (folder) {
                r = inroot_mkdirs(in->layer, real, 0755);
        } else {
                fd = inroot_open(in->layer, real, O_WRONLY | O_CREAT | O_EXCL, 0644);
                r = fd < 0 ? fd : 0;
        }
        return r < 0 ? error_errno(err, -r, "make '%s' to mount on", path) : remember(in, real, err);
}

int inject_file(struct inject *in, const char *path, const char *from, struct error *err)
{
        CLEANUP_FREE char *real = NULL;
        CLEANUP_CLOSE int source = -1, to = -1;
        int r = prepare(in, path, &real, err);

        if (r != 0)
                return r < 0 ? r : 0;
        source = open(from, O_RDONLY | O_CLOEXEC);
        if (source < 0)
                return error_errno(err, errno, "open '%s'", from);
        to = inroot_open(in->layer, real, O_WRONLY | O_CREAT | O_EXCL, 0755);
        if (to < 0)
                return error_errno(err, -to, "create '%s'", path);
        r = node_copy_data(source, to, err);
        if (r < 0)
                return error_wrap(err, r, "copy '%s' to '%s'", from, path);
        if (fchmod(to, 0755) < 0)
                return error_errno(err, errno, "set the mode of '%s'", path);
        return remember(in, real, err);
}

/* Making something in a folder changed its times: set them again, of every folder above each path. */
static void restore_times(const struct inject *in, const char *path)
{
        CLEANUP_FREE char *folder = xstrdup(path);
        char *slash;

        while ((slash = strrchr(folder, '/'))) {
                CLEANUP_CLOSE int from = -1, to = -1;

                *slash = '\0';
                from = inroot_open(in->below, *folder ? folder : "/", O_RDONLY | O_DIRECTORY, 0);
                to = inroot_open(in->layer, *folder ? folder : "/", O_RDONLY | O_DIRECTORY, 0);
                if (from >= 0 && to >= 0)
                        node_copy_times(from, to);
        }
}

static int link_files(int from, const char *suffix, int below, int to, struct error *err)
{
        int copy = fcntl(from, F_DUPFD_CLOEXEC, 0);
        CLEANUP_CLOSEDIR DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        const struct dirent *entry;

        if (dir)
                rewinddir(dir); /* the offset is that of `from`, which has been read before */
        while (dir && (entry = readdir(dir))) {
                const char *name = entry->d_name;

                if (name[0] == '.' || !str_ends(name, suffix) || faccessat(below, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        continue;
                if (linkat(from, name, to, name, 0) < 0 && errno != ENOENT)
                        return error_errno(err, errno, "link '%s'", name);
        }
        return 0;
}

int inject_links(struct inject *in, const char *folder, int from, const char *suffix, struct error *err)
{
        CLEANUP_FREE char *real = NULL, *last = NULL;
        CLEANUP_CLOSE int below = -1, to = -1;
        int r = real_folder(in, folder, &real);

        if (r < 0)
                return r == -ENOENT ? 0 : error_errno(err, -r, "path '%s' in the image", folder);
        r = clone_folders(in, real, err);
        if (r < 0)
                return r;
        below = inroot_open(in->below, real, O_RDONLY | O_DIRECTORY, 0);
        to = inroot_open(in->layer, real, O_RDONLY | O_DIRECTORY, 0);
        if (below < 0 || to < 0)
                return error_errno(err, below < 0 ? -below : -to, "open folder '%s'", real);
        r = link_files(from, suffix, below, to, err);
        last = path_join(real, "x");
        restore_times(in, last);
        return r;
}

int inject_end(struct inject *in, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d/injected", in->scratch), *text = NULL;
        CLEANUP_STRV char **lines = NULL;
        int r = file_read(path, 0, &text, NULL, err);

        if (r < 0)
                return r;
        lines = str_split(text, "\n");
        for (size_t i = 0; lines && lines[i]; i++)
                if (*lines[i])
                        restore_times(in, lines[i]);
        close_p(&in->layer);
        return 0;
}
