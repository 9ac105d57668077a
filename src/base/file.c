/* See file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/size.h"
#include "base/str.h"

enum { BLOCK = 4096, COPY_BUFFER = 1 << 20 };

int file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        CLEANUP_STR struct str out = {0};
        char buffer[16384];
        ssize_t n;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", path);
        if (max == 0)
                max = 64UL << 20;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
                str_addn(&out, buffer, (size_t)n);
                if (out.len > max)
                        return error_set(err, EFBIG, "'%s' is larger than %zu bytes", path, max);
        }
        if (n < 0)
                return error_errno(err, errno, "read '%s'", path);
        if (ret_len)
                *ret_len = out.len;
        *ret = str_steal(&out);
        return 0;
}

int fd_write_all(int fd, const void *data, size_t n)
{
        const char *p = data;

        while (n > 0) {
                ssize_t done = write(fd, p, n);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                p += done;
                n -= (size_t)done;
        }
        return 0;
}

int fd_pwrite_all(int fd, const void *data, size_t n, off_t offset)
{
        const char *p = data;

        while (n > 0) {
                ssize_t done = pwrite(fd, p, n, offset);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                p += done;
                n -= (size_t)done;
                offset += done;
        }
        return 0;
}

int fd_pread_all(int fd, void *data, size_t n, off_t offset)
{
        char *p = data;

        while (n > 0) {
                ssize_t done = pread(fd, p, n, offset);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                if (done == 0)
                        return -ENODATA;
                p += done;
                n -= (size_t)done;
                offset += done;
        }
        return 0;
}

bool is_zero(const void *data, size_t n)
{
        const char *p = data;

        if (n == 0)
                return true;
        return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

int fd_pwrite_sparse(int fd, const void *data, size_t n, off_t offset)
{
        const char *p = data;
        size_t start = 0, at = 0;
        int r;

        while (at < n) {
                size_t step = BLOCK - (size_t)((offset + (off_t)at) % BLOCK);

                if (step > n - at)
                        step = n - at;
                if (is_zero(p + at, step)) {
                        r = fd_pwrite_all(fd, p + start, at - start, offset + (off_t)start);
                        if (r < 0)
                                return r;
                        start = at + step;
                }
                at += step;
        }
        return fd_pwrite_all(fd, p + start, n - start, offset + (off_t)start);
}

/* What is not whole yet lies beside its target. Its name has nothing of the target's, which may be as long as names can
 * be. */
#define HIDDEN_NAME ".slipway."

/* A device or a pipe, which is written to: something else of its name would not be what was asked for. */
static bool is_special(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int write_special(const char *path, const void *data, size_t n, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
        int r = fd < 0 ? -errno : fd_write_all(fd, data, n);

        return r < 0 ? error_errno(err, -r, "write '%s'", path) : 0;
}

int file_write(const char *path, const void *data, size_t n, mode_t mode, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(path), *temporary = path_join(dir, HIDDEN_NAME "XXXXXX");
        CLEANUP_CLOSE int fd = -1;
        int r;

        if (is_special(path))
                return write_special(path, data, n, err);
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "create '%s'", path);
        r = fd_write_all(fd, data, n);
        if (r == 0 && (fchmod(fd, mode) < 0 || rename(temporary, path) < 0))
                r = -errno;
        if (r < 0) {
                unlink(temporary);
                return error_errno(err, -r, "write '%s'", path);
        }
        return 0;
}

/* The slow way, for file systems and kernels where the quick ones fail. */
static int copy_bytes(int from, int to, off_t offset, off_t end)
{
        CLEANUP_FREE char *buffer = xmalloc(COPY_BUFFER);

        while (offset < end) {
                size_t want = end - offset > COPY_BUFFER ? COPY_BUFFER : (size_t)(end - offset);
                int r = fd_pread_all(from, buffer, want, offset);

                if (r == 0)
                        r = fd_pwrite_sparse(to, buffer, want, offset);
                if (r < 0)
                        return r;
                if (cancel_requested())
                        return -ECANCELED;
                offset += (off_t)want;
        }
        return 0;
}

static int copy_extent(int from, int to, off_t offset, off_t end)
{
        while (offset < end) {
                off_t in = offset, out = offset;
                size_t want = end - offset > 64 * COPY_BUFFER ? 64 * COPY_BUFFER : (size_t)(end - offset);
                ssize_t n = copy_file_range(from, &in, to, &out, want, 0);

                if (n < 0 && errno == EINTR && !cancel_requested())
                        continue;
                if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
                        return copy_bytes(from, to, offset, end);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -ENODATA;
                if (cancel_requested())
                        return -ECANCELED;
                offset += n;
        }
        return 0;
}

int fd_copy_sparse(int from, int to, off_t offset, uint64_t len, struct error *err)
{
        struct file_clone_range clone = {
                .src_fd = from, .src_offset = (uint64_t)offset, .src_length = len, .dest_offset = (uint64_t)offset};
        off_t end, data, hole;
        int r;

        if (__builtin_add_overflow(offset, len, &end))
                return error_set(err, EFBIG, "copy of %s is too long", size_show(len));
        if (len == 0 || ioctl(to, FICLONERANGE, &clone) == 0)
                return 0;
        while (offset < end) {
                data = lseek(from, offset, SEEK_DATA);
                if (data < 0 && errno == ENXIO)
                        return 0;
                if (data < 0)
                        data = offset;
                hole = lseek(from, data, SEEK_HOLE);
                if (hole < 0 || hole > end)
                        hole = end;
                if (data >= end)
                        return 0;
                r = copy_extent(from, to, data, hole);
                if (r == -ECANCELED && cancel_requested())
                        return cancel_check(err);
                if (r < 0)
                        return error_errno(err, -r, "copy image data");
                offset = hole;
        }
        return 0;
}

static bool is_folder(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int dir_make(const char *path, mode_t mode, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(path);

        for (char *p = copy + 1; *copy && *p; p++) {
                if (*p != '/')
                        continue;
                *p = '\0';
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return error_errno(err, errno, "create folder '%s'", copy);
                *p = '/';
        }
        if (mkdir(copy, mode) < 0 && (errno != EEXIST || !is_folder(copy)))
                return error_errno(err, errno == EEXIST ? ENOTDIR : errno, "create folder '%s'", path);
        return 0;
}

/* Removing a tree of any depth with few open folders: what lies deeper than
 * that is moved up to its top, and removed from there. */
enum { REMOVE_DEPTH = 32 };

struct removal {
        int top; /* the tree's own folder */
        unsigned long moved, names;
        unsigned int depth;
};

static int remove_at(struct removal *removal, int dirfd, const char *name);

static int move_up(struct removal *removal, int dirfd, const char *name)
{
        char to[64];

        for (;;) {
                snprintf(to, sizeof(to), ".slipway-%lu", removal->names++);
                if (renameat2(dirfd, name, removal->top, to, RENAME_NOREPLACE) == 0) {
                        removal->moved++;
                        return 0;
                }
                if (errno != EEXIST)
                        return -errno;
        }
}

static int remove_children(struct removal *removal, int fd)
{
        CLEANUP_CLOSEDIR DIR *dir = fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = -errno;
                close(fd);
                return r;
        }
        while ((entry = readdir(dir))) {
                int failed;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                failed = remove_at(removal, dirfd(dir), entry->d_name);
                if (failed < 0)
                        r = failed;
        }
        return r;
}

/* The tree's own folder, again as long as something was moved up to it. */
static int remove_top(struct removal *removal, int fd)
{
        unsigned long before;
        int r;

        removal->top = fd;
        do {
                int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                before = removal->moved;
                r = again < 0 ? -errno : remove_children(removal, again);
        } while (removal->moved != before);
        close(fd);
        return r;
}

static int remove_at(struct removal *removal, int dirfd, const char *name)
{
        int fd, r;

        if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        if (removal->depth == REMOVE_DEPTH && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
                return move_up(removal, dirfd, name);
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
                fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        removal->depth++;
        r = removal->depth == 1 ? remove_top(removal, fd) : remove_children(removal, fd);
        removal->depth--;
        if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        return r < 0 ? r : -errno;
}

int tree_remove(const char *path, struct error *err)
{
        struct removal removal = {.top = -1};
        int r = remove_at(&removal, AT_FDCWD, path);

        return r < 0 ? error_errno(err, -r, "remove '%s'", path) : 0;
}

static int is_visible(const struct dirent *entry)
{
        const char *name = entry->d_name;

        return *name != '.' && !str_ends(name, "~") && !(*name == '#' && str_ends(name, "#"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

int dir_names(const char *path, char ***ret, struct error *err)
{
        struct dirent **entries;
        int n = scandir(path, &entries, is_visible, by_bytes);

        if (n < 0)
                return error_errno(err, errno, "read folder '%s'", path);
        for (int i = 0; i < n; i++) {
                strv_add(ret, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

char *path_join(const char *dir, const char *name)
{
        if (*name == '/' || str_empty(dir))
                return xstrdup(name);
        return xasprintf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

const char *path_name(const char *path)
{
        size_t n = strlen(path);

        while (n > 0 && path[n - 1] == '/')
                n--;
        while (n > 0 && path[n - 1] != '/')
                n--;
        return path + n;
}

char *path_dir(const char *path)
{
        size_t n = (size_t)(path_name(path) - path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        return n > 0 ? xstrndup(path, n) : xstrdup(".");
}

bool path_exists(const char *path)
{
        struct stat st;

        return lstat(path, &st) == 0;
}

char *program_find(const char *name)
{
        const char *path = getenv("PATH");
        CLEANUP_FREE char *all = xasprintf("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
        CLEANUP_STRV char **dirs = str_split(all, ":");

        if (strchr(name, '/'))
                return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
        for (char **dir = dirs; *dir; dir++) {
                char *candidate = path_join(**dir ? *dir : ".", name);

                if (access(candidate, X_OK) == 0)
                        return candidate;
                free(candidate);
        }
        return NULL;
}

int file_lock(const char *path, void (*on_wait)(void *arg), void *arg, int *ret_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        if (fd < 0)
                return error_errno(err, errno, "open lock '%s'", path);
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
                *ret_fd = steal_fd(&fd);
                return 0;
        }
        if (errno != EWOULDBLOCK)
                return error_errno(err, errno, "lock '%s'", path);
        if (on_wait)
                on_wait(arg);
        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return error_errno(err, errno, "lock '%s'", path);
                usleep(50 * 1000);
        }
        *ret_fd = steal_fd(&fd);
        return 0;
}

int file_nameless(const char *dir, mode_t mode, int *ret_fd, struct error *err)
{
        CLEANUP_FREE char *template = path_join(dir, HIDDEN_NAME "XXXXXX");
        int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);

        if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
                fd = mkostemp(template, O_CLOEXEC);
                if (fd >= 0)
                        fchmod(fd, mode);
        }
        if (fd < 0)
                return error_errno(err, errno, "create a file in '%s'", dir);
        *ret_fd = fd;
        return 0;
}

/* Where it is now; false: nowhere, or that cannot be told. */
static bool name_of(int fd, char path[PATH_MAX])
{
        char proc[64];
        struct stat st;
        ssize_t n;

        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        if (fstat(fd, &st) < 0 || st.st_nlink == 0)
                return false;
        n = readlink(proc, path, PATH_MAX - 1);
        path[n < 0 ? 0 : n] = '\0';
        return n > 0;
}

void file_drop(int *fd)
{
        char path[PATH_MAX];

        if (*fd >= 0 && name_of(*fd, path) && str_starts(path_name(path), HIDDEN_NAME) &&
            strlen(path_name(path)) == strlen(HIDDEN_NAME "XXXXXX"))
                unlink(path);
        close_p(fd);
}

int file_scratch(const char *dir, mode_t mode, int *ret_fd, struct error *err)
{
        int r = file_nameless(dir, mode, ret_fd, err);
        char path[PATH_MAX];

        if (r == 0 && name_of(*ret_fd, path))
                unlink(path);
        return r;
}

int file_publish(int fd, const char *path, struct error *err)
{
        static atomic_uint names;
        char proc[64], now[PATH_MAX];
        CLEANUP_FREE char *dir = path_dir(path);
        CLEANUP_FREE char *temporary = NULL;

        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        if (name_of(fd, now))
                return rename(now, path) < 0 ? error_errno(err, errno, "create '%s'", path) : 0;
        if (linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
                return 0;
        if (errno != EEXIST)
                return error_errno(err, errno, "create '%s'", path);
        temporary = xasprintf("%s/" HIDDEN_NAME "%d.%u", dir, getpid(), atomic_fetch_add(&names, 1));
        unlink(temporary);
        if (linkat(AT_FDCWD, proc, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) < 0)
                return error_errno(err, errno, "create '%s'", temporary);
        if (rename(temporary, path) < 0) {
                int code = errno;

                unlink(temporary);
                return error_errno(err, code, "replace '%s'", path);
        }
        return 0;
}

int cache_dir(char **ret, struct error *err)
{
        const char *dir = getenv("SLIPWAY_CACHE_DIR");
        const char *home = getenv("HOME");
        CLEANUP_FREE char *path = NULL;
        struct passwd *pw;
        int r;

        if (str_empty(dir))
                dir = getenv("PACKER_CACHE_DIR");
        if (str_empty(home) && (pw = getpwuid(getuid())))
                home = pw->pw_dir;
        if (!str_empty(dir))
                path = realpath(dir, NULL) ?: xstrdup(dir);
        else if (!str_empty(getenv("XDG_CACHE_HOME")))
                path = xasprintf("%s/slipway", getenv("XDG_CACHE_HOME"));
        else
                path = xasprintf("%s/.cache/slipway", str_empty(home) ? "/var/tmp" : home);
        r = dir_make(path, 0755, err);
        if (r < 0)
                return error_wrap(err, r, "cache folder (set SLIPWAY_CACHE_DIR to move it)");
        *ret = realpath(path, NULL);
        return *ret ? 0 : error_errno(err, errno, "cache folder '%s'", path);
}
