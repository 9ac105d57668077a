/* See tree.h. */
#include "sbom/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

enum { FILE_MAX = 512 << 20 };

static int open_in_root(int root_fd, const char *path, uint64_t flags)
{
        struct open_how how = {.flags = flags | O_CLOEXEC | O_NONBLOCK,
                               .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
        long fd;

        do
                fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        while (fd < 0 && errno == EAGAIN);
        return fd < 0 ? -errno : (int)fd;
}

static bool is_missing(int r)
{
        return r == -ENOENT || r == -ENOTDIR;
}

static int read_all(int fd, const char *path, char **ret, size_t *ret_n, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return error_errno(err, errno, "read '%s'", path);
        if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return error_set(err, EFBIG, "'%s' is no file, or larger than is believable", path);
        text = xmalloc((size_t)st.st_size + 1);
        r = fd_pread_all(fd, text, (size_t)st.st_size, 0);
        if (r < 0)
                return error_errno(err, -r, "read '%s'", path);
        text[st.st_size] = '\0';
        *ret = steal(&text);
        if (ret_n)
                *ret_n = (size_t)st.st_size;
        return 0;
}

/* Is it there? The error for what is not would list what is nearest. */
static int look(const struct disk_view *view, const char *path)
{
        CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
        bool folder;
        int r = disk_view_list(view, path, &entries, &folder, NULL);

        return r;
}

int sbom_tree_read(const struct sbom_tree *tree, const char *path, char **ret, size_t *ret_n, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        int r;

        if (!tree->view) {
                fd = open_in_root(tree->root_fd, path, O_RDONLY);
                if (is_missing(fd))
                        return -ENOENT;
                return fd < 0 ? error_errno(err, -fd, "open '%s'", path) : read_all(fd, path, ret, ret_n, err);
        }
        if (is_missing(look(tree->view, path)))
                return -ENOENT;
        fd = memfd_create("slipway-sbom", MFD_CLOEXEC);
        r = fd < 0 ? error_errno(err, errno, "memory for '%s'", path) : disk_view_cat(tree->view, path, fd, err);
        return r < 0 ? r : read_all(fd, path, ret, ret_n, err);
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(int fd, const char *path, char ***ret, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                close(fd);
                return error_errno(err, errno, "read '%s'", path);
        }
        while ((entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        strv_add(ret, entry->d_name);
        return 0;
}

int sbom_tree_list(const struct sbom_tree *tree, const char *path, char ***ret, struct error *err)
{
        CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
        bool folder = false;
        int fd, r;

        *ret = NULL;
        if (!tree->view) {
                fd = open_in_root(tree->root_fd, path, O_RDONLY | O_DIRECTORY);
                if (is_missing(fd))
                        return 0;
                r = fd < 0 ? error_errno(err, -fd, "open '%s'", path) : list_folder(fd, path, ret, err);
        } else {
                if (is_missing(look(tree->view, path)))
                        return 0;
                r = disk_view_list(tree->view, path, &entries, &folder, err);
                for (size_t i = 0; r == 0 && folder && i < entries.n; i++)
                        strv_add(ret, entries.v[i].name);
        }
        if (*ret)
                qsort(*ret, strv_len(STRV(*ret)), sizeof(**ret), by_text);
        return r;
}
