/* Mounting overlays with any number of layers: mount(2) takes one page of
 * options, so layers are opened and named by their numbers in /proc/self/fd. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/mounts.h"

typedef VEC(int) fds_t;

static void close_all(fds_t *fds)
{
        for (size_t i = 0; i < fds->n; i++)
                close(fds->v[i]);
        vec_free(fds);
}

static int open_layer(fds_t *fds, const char *path, struct error *err)
{
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_errno(err, errno, "open layer '%s'", path);
        vec_push(fds, fd);
        return fd;
}

static int explain(int code, const char *upper, struct error *err)
{
        if (code == EINVAL && upper)
                return error_set(err, code,
                                 "mount the layers as an overlay: the file system of '%s' cannot be written by an "
                                 "overlay (itself an overlay, as in a container, or NFS), or the kernel is older than "
                                 "5.11. Put the cache on another file system: set SLIPWAY_CACHE_DIR",
                                 upper);
        if (code == ENODEV)
                return error_set(err, code,
                                 "this kernel has no overlay file system. Mend it with:\n"
                                 "    sudo modprobe overlay");
        return error_errno(err, code, "mount the layers as an overlay");
}

/* `volatile` (5.10): what the guest syncs to disk need not be, as an unfinished layer is thrown away. */
static int mount_at(const char *layers, const char *target, bool writable)
{
        CLEANUP_FREE char *fast = xasprintf("%s,userxattr,volatile", layers);
        CLEANUP_FREE char *plain = xasprintf("%s,userxattr", layers);

        if (writable && mount("slipway", target, "overlay", 0, fast) == 0)
                return 0;
        return mount("slipway", target, "overlay", writable ? 0 : MS_RDONLY, plain) < 0 ? -errno : 0;
}

int mounts_overlay(const char *const *lowers, size_t n, const char *upper, const char *work, const char *target,
                   bool xino, struct error *err)
{
        CLEANUP(close_all) fds_t fds = {0};
        CLEANUP_STR struct str options = {0};
        CLEANUP_CLOSE int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = 0;

        str_add(&options, "lowerdir=");
        for (size_t i = n; r >= 0 && i-- > 0;) {
                r = open_layer(&fds, lowers[i], err);
                str_addf(&options, "%s%d", i == n - 1 ? "" : ":", r);
        }
        if (r >= 0 && upper) {
                r = open_layer(&fds, upper, err);
                str_addf(&options, ",upperdir=%d", r);
        }
        if (r >= 0 && upper) {
                r = open_layer(&fds, work, err);
                str_addf(&options, ",workdir=%d", r);
        }
        if (r < 0)
                return r;
        if (xino)
                str_add(&options, ",xino=on");
        if (cwd < 0 || chdir("/proc/self/fd") < 0)
                return error_errno(err, errno, "change to /proc/self/fd");
        r = mount_at(str_get(&options), target, upper != NULL);
        if (fchdir(cwd) < 0 && r == 0)
                r = -errno;
        return r < 0 ? explain(-r, upper, err) : 0;
}
