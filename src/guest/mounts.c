/* See mounts.h. What is mounted where follows packer-builder-arm's chroot
 * mounts, with these differences, which a user namespace makes necessary and
 * which also keep the host safe: `bind /dev` is a /dev of the guest's own with the usual
 * devices and no disks; sysfs is the host's, read-only; /proc/sys is read-only. */
#include "guest/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/binfmt.h"
#include "guest/inroot.h"

static const struct guest_mount default_mounts[] = {
        {"proc", "proc", "/proc"},
        {"sysfs", "sysfs", "/sys"},
        {"bind", "/dev", "/dev"},
        {"devpts", "devpts", "/dev/pts"},
        {"binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"},
};

static int by_destination(const void *a, const void *b)
{
        const struct guest_mount *x = a, *y = b;

        return strcmp(x->destination, y->destination);
}

size_t mounts_list(const struct guest_config *config, struct guest_mount **ret)
{
        VEC(struct guest_mount) list = {0};
        size_t n_defaults = sizeof(default_mounts) / sizeof(*default_mounts);

        for (size_t i = 0; i < (config->mounts ? config->n_mounts : n_defaults); i++)
                vec_push(&list, config->mounts ? config->mounts[i] : default_mounts[i]);
        for (size_t i = 0; i < config->n_more_mounts; i++)
                vec_push(&list, config->more_mounts[i]);
        if (list.n > 0)
                qsort(list.v, list.n, sizeof(*list.v), by_destination);
        *ret = list.v;
        return list.n;
}

static bool is_bind(const struct guest_mount *mount)
{
        return str_eq(mount->type, "bind") || str_eq(mount->type, "rbind");
}

bool mounts_needs_point(const struct guest_mount *list, size_t n, size_t i, bool *ret_folder)
{
        const char *path = list[i].destination;
        struct stat st;

        for (size_t k = 0; k < n; k++) {
                size_t length = strlen(list[k].destination);

                if (k != i && length < strlen(path) && str_starts(path, list[k].destination) && path[length] == '/')
                        return false;
        }
        *ret_folder = !is_bind(&list[i]) || stat(list[i].source, &st) < 0 || S_ISDIR(st.st_mode);
        return true;
}

int mounts_bind(const char *path, int target_fd, bool recursive, bool read_only)
{
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
        CLEANUP_CLOSE int tree = open_tree(
                AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? (unsigned int)AT_RECURSIVE : 0));

        /* What came with our namespace is locked together: all of it, or nothing. */
        if (tree < 0 && errno == EINVAL && !recursive)
                return mounts_bind(path, target_fd, true, read_only);
        if (tree < 0)
                return -errno;
        if (read_only && mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
                return -errno;
        if (move_mount(tree, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

/* mount(2) on an open folder. */
static int mount_on(int target_fd, const char *type, const char *source, unsigned long flags, const char *options)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", target_fd);
        return mount(source, path, type, flags, options) < 0 ? -errno : 0;
}

/* Bind a path beneath the root to itself, read-only; nothing if it is not there. */
static void make_read_only(int root_fd, const char *folder, const char *name)
{
        CLEANUP_FREE char *path = xasprintf("%s/%s", folder, name);
        CLEANUP_CLOSE int fd = inroot_open(root_fd, path, O_PATH, 0);
        char self[64];

        snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
        if (fd >= 0)
                mounts_bind(self, fd, true, true);
}

static int mount_proc(int root_fd, int target_fd, const struct guest_mount *mount)
{
        static const char *const protected[] = {"sys", "sysrq-trigger", "irq", "bus", NULL};
        int r = mount_on(target_fd, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);

        /* In a container that hides parts of its /proc, no new one can be had. */
        if (r < 0)
                r = mounts_bind("/proc", target_fd, true, false);
        for (size_t i = 0; r == 0 && protected[i]; i++)
                make_read_only(root_fd, mount->destination, protected[i]);
        return r;
}

static int mount_sys(int root_fd, int target_fd, const struct guest_mount *mount)
{
        (void)root_fd;
        (void)mount;
        return mounts_bind("/sys", target_fd, true, true);
}

static int mount_pts(int root_fd, int target_fd, const struct guest_mount *mount)
{
        int r = mount_on(target_fd, "devpts", "devpts", MS_NOSUID | MS_NOEXEC,
                         "newinstance,ptmxmode=0666,mode=0620,gid=5");

        (void)root_fd;
        (void)mount;
        return r < 0 ? mount_on(target_fd, "devpts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666") : r;
}

/* The host's device on a new empty file of the guest's /dev. */
static int bind_device(int dev_fd, const char *name, const char *from)
{
        CLEANUP_FREE char *host = xasprintf("/dev/%s", from);
        CLEANUP_CLOSE int fd = -1;

        if (access(host, F_OK) < 0)
                return 0;
        fd = openat(dev_fd, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
        return fd < 0 ? -errno : mounts_bind(host, fd, false, false);
}

static int fill_dev(int dev_fd)
{
        static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty", NULL};
        static const char *const links[][2] = {
                {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
                {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
        };
        int r = 0;

        for (size_t i = 0; r == 0 && devices[i]; i++)
                r = bind_device(dev_fd, devices[i], devices[i]);
        /* Scripts write to the console; there is none that they should reach. */
        if (r == 0)
                r = bind_device(dev_fd, "console", "null");
        for (size_t i = 0; r == 0 && i < sizeof(links) / sizeof(links[0]); i++)
                if (symlinkat(links[i][1], dev_fd, links[i][0]) < 0)
                        r = -errno;
        if (r == 0 && (mkdirat(dev_fd, "pts", 0755) < 0 || mkdirat(dev_fd, "shm", 01777) < 0))
                r = -errno;
        return r;
}

static int mount_dev(int root_fd, int target_fd, const struct guest_mount *mount)
{
        int r = mount_on(target_fd, "tmpfs", "dev", MS_NOSUID | MS_NOEXEC, "mode=0755");
        CLEANUP_CLOSE int dev = -1, pts = -1, shm = -1;

        if (r < 0)
                return r;
        dev = inroot_open(root_fd, mount->destination, O_RDONLY | O_DIRECTORY, 0);
        r = dev < 0 ? dev : fill_dev(dev);
        if (r < 0)
                return r;
        pts = openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
        shm = openat(dev, "shm", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (pts < 0 || shm < 0)
                return -errno;
        r = mount_pts(root_fd, pts, mount);
        return r < 0 ? r : mount_on(shm, "tmpfs", "shm", MS_NOSUID | MS_NODEV, "mode=01777");
}

static int mount_binfmt(int root_fd, int target_fd, const struct guest_mount *mount)
{
        int r = binfmt_mount(target_fd);

        (void)root_fd;
        if (r < 0)
                log_debug("no binfmt_misc on '%s' of the guest: %s", mount->destination, strerror(-r));
        return 0;
}

static int mount_bind(int root_fd, int target_fd, const struct guest_mount *mount)
{
        if (str_eq(mount->source, "/dev"))
                return mount_dev(root_fd, target_fd, mount);
        if (str_eq(mount->source, "/sys"))
                return mount_sys(root_fd, target_fd, mount);
        if (str_eq(mount->source, "/proc"))
                return mount_proc(root_fd, target_fd, mount);
        if (str_eq(mount->source, "/dev/pts"))
                return mount_pts(root_fd, target_fd, mount);
        return mounts_bind(mount->source, target_fd, str_eq(mount->type, "rbind"), false);
}

static int mount_other(int root_fd, int target_fd, const struct guest_mount *mount)
{
        (void)root_fd;
        return mount_on(target_fd, mount->type, mount->source, MS_NOSUID | MS_NODEV, NULL);
}

static const struct {
        const char *type;
        int (*mount)(int root_fd, int target_fd, const struct guest_mount *mount);
} mount_types[] = {
        {"proc", mount_proc},          {"sysfs", mount_sys}, {"devtmpfs", mount_dev}, {"devpts", mount_pts},
        {"binfmt_misc", mount_binfmt}, {"bind", mount_bind}, {"rbind", mount_bind},
};

static int apply_one(int root_fd, const struct guest_mount *mount, struct error *err)
{
        CLEANUP_CLOSE int target = inroot_open(root_fd, mount->destination, O_PATH, 0);
        int (*fn)(int, int, const struct guest_mount *) = mount_other;
        int r;

        /* Below /dev, which is ours, folders may be made. */
        if (target == -ENOENT && str_starts(mount->destination, "/dev/") &&
            inroot_mkdirs(root_fd, mount->destination, 0755) == 0)
                target = inroot_open(root_fd, mount->destination, O_PATH, 0);
        if (target == -ENOENT && str_eq(mount->type, "binfmt_misc"))
                return 0;
        if (target < 0)
                return error_errno(err, -target, "chroot mount on '%s'", mount->destination);
        for (size_t i = 0; i < sizeof(mount_types) / sizeof(mount_types[0]); i++)
                if (str_eq(mount_types[i].type, mount->type))
                        fn = mount_types[i].mount;
        r = fn(root_fd, target, mount);
        if (r == -EPERM && fn == mount_other)
                return error_set(err, EPERM,
                                 "chroot mount of type '%s' on '%s': the kernel lets only the host's root mount that "
                                 "kind of file system; proc, sysfs, tmpfs, devpts, bind and overlay work here",
                                 mount->type, mount->destination);
        if (r == -ENODEV && fn == mount_other)
                return error_set(err, ENODEV, "chroot mount on '%s': this kernel knows no file system type '%s'",
                                 mount->destination, mount->type);
        if (r < 0)
                return error_errno(err, -r, "chroot mount of '%s' (%s) on '%s'", mount->source ? mount->source : "",
                                   mount->type, mount->destination);
        return 0;
}

int mounts_apply(int root_fd, const struct guest_mount *list, size_t n, struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                bool done = false;

                /* The guest's own /dev comes with its pts. */
                for (size_t k = 0; str_eq(list[i].type, "devpts") && k < i; k++)
                        done |= str_eq(list[k].source, "/dev") && str_eq(list[k].destination, "/dev") &&
                                str_eq(list[i].destination, "/dev/pts");
                r = done ? 0 : apply_one(root_fd, &list[i], err);
        }
        return r;
}
