/* See node.h. The kernel's Documentation/filesystems/overlayfs.rst has
 * whiteouts and overlay's attributes, which with the option userxattr are user.overlay.*. */
#include "guest/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

enum { BUFFER = 64 << 10, XATTR_MAX = 64 << 10 };

/* Attributes that we may not set (security.*, in a user namespace) are left out. */
static int copy_xattr(int from, int to, const char *name, struct error *err)
{
        CLEANUP_FREE char *value = xmalloc(XATTR_MAX);
        ssize_t n = fgetxattr(from, name, value, XATTR_MAX);

        if (n < 0)
                return 0;
        if (fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != EPERM && errno != ENOTSUP)
                return error_errno(err, errno, "set attribute '%s'", name);
        return 0;
}

static int copy_xattrs(int from, int to, struct error *err)
{
        CLEANUP_FREE char *names = xmalloc(XATTR_MAX);
        ssize_t n = flistxattr(from, names, XATTR_MAX);
        int r = 0;

        for (ssize_t at = 0; r == 0 && at < n; at += (ssize_t)strlen(names + at) + 1)
                if (!str_starts(names + at, "user.overlay.") && !str_starts(names + at, "trusted.overlay."))
                        r = copy_xattr(from, to, names + at, err);
        return r;
}

int node_copy_times(int from, int to)
{
        struct stat st;

        if (fstat(from, &st) < 0 || futimens(to, (struct timespec[]){st.st_atim, st.st_mtim}) < 0)
                return -errno;
        return 0;
}

int node_copy_attributes(int from, int to, struct error *err)
{
        struct stat st;
        int r;

        if (fstat(from, &st) < 0)
                return error_errno(err, errno, "read attributes");
        if (fchown(to, st.st_uid, st.st_gid) < 0)
                return error_errno(err, errno, "set the owner %u:%u", st.st_uid, st.st_gid);
        r = copy_xattrs(from, to, err);
        if (r < 0)
                return r;
        if (fchmod(to, st.st_mode & 07777) < 0)
                return error_errno(err, errno, "set the mode %04o", st.st_mode & 07777);
        r = node_copy_times(from, to);
        return r < 0 ? error_errno(err, -r, "set the times") : 0;
}

int node_copy_data(int from, int to, struct error *err)
{
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        ssize_t n;
        int r;

        while ((n = read(from, buffer, BUFFER)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_errno(err, errno, "read");
                r = fd_write_all(to, buffer, (size_t)n);
                if (r < 0)
                        return error_errno(err, -r, "write");
        }
        return 0;
}

static int copy_symlink(int from_dir, const char *from, const struct stat *st, int to_dir, const char *to,
                        struct error *err)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(from_dir, from, target, sizeof(target) - 1);

        if (n < 0)
                return error_errno(err, errno, "read symlink '%s'", from);
        target[n] = '\0';
        if (symlinkat(target, to_dir, to) < 0)
                return error_errno(err, errno, "make symlink '%s'", to);
        if (fchownat(to_dir, to, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "set the owner of '%s'", to);
        utimensat(to_dir, to, (struct timespec[]){st->st_atim, st->st_mtim}, AT_SYMLINK_NOFOLLOW);
        return 0;
}

int node_copy(int from_dir, const char *from, int to_dir, const char *to, struct error *err)
{
        CLEANUP_CLOSE int in = -1, out = -1;
        struct stat st;
        int r;

        if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "look at '%s'", from);
        if (S_ISLNK(st.st_mode))
                return copy_symlink(from_dir, from, &st, to_dir, to, err);
        if (!S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "'%s' is neither a file nor a symlink", from);
        in = openat(from_dir, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (in < 0)
                return error_errno(err, errno, "open '%s'", from);
        out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (out < 0)
                return error_errno(err, errno, "create '%s'", to);
        r = node_copy_data(in, out, err);
        if (r == 0)
                r = node_copy_attributes(in, out, err);
        return r < 0 ? error_wrap(err, r, "copy '%s'", from) : 0;
}

int node_remove(int dir, const char *name, int flags, struct error *err)
{
        struct stat st;

        if (fstat(dir, &st) < 0 || unlinkat(dir, name, flags) < 0)
                return error_errno(err, errno, "remove '%s'", name);
        futimens(dir, (struct timespec[]){st.st_atim, st.st_mtim});
        return 0;
}

bool node_same(int a_dir, const char *a, int b_dir, const char *b)
{
        CLEANUP_CLOSE int fa = openat(a_dir, a, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        CLEANUP_CLOSE int fb = openat(b_dir, b, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        CLEANUP_FREE char *buffer = xmalloc(2 * BUFFER);
        struct stat sa, sb;
        off_t at = 0;

        if (fa < 0 || fb < 0 || fstat(fa, &sa) < 0 || fstat(fb, &sb) < 0)
                return false;
        if (!S_ISREG(sa.st_mode) || !S_ISREG(sb.st_mode) || sa.st_size != sb.st_size)
                return false;
        while (at < sa.st_size) {
                size_t n = sa.st_size - at < BUFFER ? (size_t)(sa.st_size - at) : BUFFER;

                if (fd_pread_all(fa, buffer, n, at) < 0 || fd_pread_all(fb, buffer + BUFFER, n, at) < 0)
                        return false;
                if (memcmp(buffer, buffer + BUFFER, n) != 0)
                        return false;
                at += (off_t)n;
        }
        return true;
}

bool node_is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool node_is_opaque(int dir)
{
        char value;

        return fgetxattr(dir, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}
