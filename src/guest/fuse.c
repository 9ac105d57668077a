/* A FUSE mount inside the namespaces; see userns.h. Since Linux 4.18 the root
 * of a user namespace may do so, if it can open /dev/fuse, and must open it there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/str.h"
#include "guest/userns.h"

struct request {
        struct userns *ns;
        const char *place;
};

static int open_device(int *ret, struct error *err)
{
        *ret = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        if (*ret >= 0)
                return 0;
        if (errno == EACCES)
                return error_set(
                        err, EACCES,
                        "/dev/fuse cannot be opened; with it, base images are read in place, and need not be extracted "
                        "first. Mend it with:\n"
                        "    sudo chmod 666 /dev/fuse");
        if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
                return error_set(err, errno,
                                 "this kernel has no FUSE, by which base images are read in place. Mend it with:\n    "
                                 "sudo modprobe fuse");
        return error_errno(err, errno, "open /dev/fuse");
}

static int mount_inside(void *arg, int sock, struct error *err)
{
        const struct request *request = arg;
        CLEANUP_FREE char *options = NULL;
        CLEANUP_CLOSE int fd = -1;
        int r = userns_enter(request->ns, err);

        if (r == 0)
                r = open_device(&fd, err);
        if (r < 0)
                return r;
        options = xasprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", fd);
        if (mount("slipway", request->place, "fuse", MS_RDONLY | MS_NODEV | MS_NOATIME, options) < 0)
                return error_errno(err, errno, "mount a FUSE file system on '%s'", request->place);
        r = child_report(sock, 0, NULL, &fd, 1);
        return r < 0 ? error_errno(err, -r, "hand over the FUSE file system") : 1;
}

int userns_mount_fuse(struct userns *ns, const char *place, int *ret_fd, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        struct request request = {.ns = ns, .place = place};
        int r = child_start(&child, mount_inside, &request, err);

        return r < 0 ? r : child_receive(&child, ret_fd, 1, NULL, err);
}

static int unmount_inside(void *arg, struct error *err)
{
        const char *place = arg;

        if (umount2(place, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
                return error_errno(err, errno, "unmount '%s'", place);
        return 0;
}

int userns_unmount(struct userns *ns, const char *place, struct error *err)
{
        return userns_call(ns, unmount_inside, (void *)(uintptr_t)place, err);
}
