/* See target.h. What is known of disks comes from /sys/dev/block (the kernel's
 * Documentation/ABI), /proc/self/mountinfo and /proc/swaps (proc(5)). */
#include "package/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "base/vec.h"
#include "package/post.h"

/* The disk and its partitions. */
struct disk {
        char *sys; /* /sys/dev/block/M:m */
        char *name;
        VEC(dev_t) devices;
};

static void disk_done(struct disk *disk)
{
        free(disk->sys);
        free(disk->name);
        vec_free(&disk->devices);
}

/* A one-line file under the disk's folder, or NULL. */
static char *sys_read(const char *dir, const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name), *text = NULL;

        if (file_read(path, 65536, &text, NULL, NULL) < 0)
                return NULL;
        return xstrdup(str_trim(text));
}

static bool sys_has(const char *dir, const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name);

        return path_exists(path);
}

static bool parse_device(const char *text, dev_t *ret)
{
        char *end;
        unsigned long high, low;

        if (!text)
                return false;
        high = strtoul(text, &end, 10);
        if (end == text || *end != ':')
                return false;
        text = end + 1;
        low = strtoul(text, &end, 10);
        if (end == text || *end)
                return false;
        *ret = makedev((unsigned int)high, (unsigned int)low);
        return true;
}

/* Something is built on this disk or partition: a volume group, a RAID, an open LUKS. */
static int refuse_holders(const struct disk *disk, const char *dir, const char *what, struct error *err)
{
        CLEANUP_FREE char *path = path_join(dir, "holders");
        CLEANUP_CLOSEDIR DIR *holders = opendir(path);
        struct dirent *entry;

        while (holders && (entry = readdir(holders)))
                if (entry->d_name[0] != '.')
                        return error_set(err, EBUSY,
                                         "refusing to write to '%s': '%s' is in use by the device '%s' (%s/%s)",
                                         disk->name, what, entry->d_name, path, entry->d_name);
        return 0;
}

static int add_partitions(struct disk *disk, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(disk->sys);
        struct dirent *entry;

        if (!dir)
                return error_errno(err, errno, "look at '%s'", disk->sys);
        while ((entry = readdir(dir))) {
                CLEANUP_FREE char *sub = path_join(disk->sys, entry->d_name), *device = NULL;
                dev_t number;
                int r;

                if (entry->d_name[0] == '.' || !sys_has(sub, "partition"))
                        continue;
                device = sys_read(sub, "dev");
                if (parse_device(device, &number))
                        vec_push(&disk->devices, number);
                r = refuse_holders(disk, sub, entry->d_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int disk_read(const char *path, dev_t number, struct disk *disk, struct error *err)
{
        CLEANUP_FREE char *real = NULL;
        int r;

        disk->sys = xasprintf("/sys/dev/block/%u:%u", major(number), minor(number));
        disk->name = xstrdup(path);
        vec_push(&disk->devices, number);
        if (!path_exists(disk->sys))
                return error_set(err, ENODEV, "'%s' is a device without a driver ('%s' does not exist)", path,
                                 disk->sys);
        real = realpath(disk->sys, NULL);
        if (sys_has(disk->sys, "partition")) {
                CLEANUP_FREE char *parent = real ? path_dir(real) : xstrdup("?");

                return error_set(
                        err, EINVAL,
                        "refusing to write to '%s': it is a partition; a disk image needs the whole disk '/dev/%s'",
                        path, path_name(parent));
        }
        if (sys_has(disk->sys, "dm") || sys_has(disk->sys, "md"))
                return error_set(err, EINVAL,
                                 "refusing to write to '%s': it is not a disk but a volume on other devices (%s)", path,
                                 real ?: disk->sys);
        r = refuse_holders(disk, disk->sys, path, err);
        return r < 0 ? r : add_partitions(disk, err);
}

static bool is_of_disk(const struct disk *disk, dev_t number)
{
        for (size_t i = 0; i < disk->devices.n; i++)
                if (disk->devices.v[i] == number)
                        return true;
        return false;
}

/* A name in /dev that belongs to the disk. */
static bool is_node_of_disk(const struct disk *disk, const char *path)
{
        struct stat st;

        return *path == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) && is_of_disk(disk, st.st_rdev);
}

/* A line of mountinfo: id, parent, major:minor, root, mount point, options ... - type, source, options. The number of
 * the device is not enough: btrfs has one of its own. */
static int refuse_mount(const struct disk *disk, const char *line, struct error *err)
{
        CLEANUP_STRV char **words = str_split(line, " ");
        const char *source = "";
        dev_t number = 0;

        if (strv_len(STRV(words)) < 5)
                return 0;
        for (char **word = words; *word; word++)
                if (str_eq(*word, "-") && word[1] && word[2])
                        source = word[2];
        if (!(parse_device(words[2], &number) && is_of_disk(disk, number)) && !is_node_of_disk(disk, source))
                return 0;
        if (str_eq(words[4], "/"))
                return error_set(err, EBUSY,
                                 "refusing to write to '%s': it holds the root file system of this machine ('%s')",
                                 disk->name, source);
        return error_set(err, EBUSY,
                         "refusing to write to '%s': '%s' is mounted on '%s' (/proc/self/mountinfo); unmount it first",
                         disk->name, source, words[4]);
}

static int refuse_swap(const struct disk *disk, const char *line, struct error *err)
{
        CLEANUP_STRV char **words = str_split(line, " \t");

        if (!words[0] || !is_node_of_disk(disk, words[0]))
                return 0;
        return error_set(err, EBUSY, "refusing to write to '%s': '%s' is swap space (/proc/swaps); swapoff it first",
                         disk->name, words[0]);
}

static int each_line(const char *path, const struct disk *disk,
                     int (*line)(const struct disk *disk, const char *line, struct error *err), struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_STRV char **lines = NULL;
        int r = file_read(path, 0, &text, NULL, err);

        if (r == -ENOENT) { /* a kernel without swap */
                if (err)
                        error_clear(err);
                return 0;
        }
        if (r < 0)
                return r;
        lines = str_split(text, "\n");
        for (char **l = lines; *l && r == 0; l++)
                r = line(disk, *l, err);
        return r;
}

/* The root file system's device, or a volume that is built on this disk, at most 8 layers deep. */
static bool built_on(const struct disk *disk, dev_t number, int depth)
{
        CLEANUP_FREE char *path = xasprintf("/sys/dev/block/%u:%u/slaves", major(number), minor(number));
        CLEANUP_CLOSEDIR DIR *dir = NULL;
        struct dirent *entry;

        if (is_of_disk(disk, number))
                return true;
        dir = depth < 8 ? opendir(path) : NULL;
        while (dir && (entry = readdir(dir))) {
                CLEANUP_FREE char *sub = path_join(path, entry->d_name), *device = NULL;
                dev_t below;

                device = entry->d_name[0] == '.' ? NULL : sys_read(sub, "dev");
                if (parse_device(device, &below) && built_on(disk, below, depth + 1))
                        return true;
        }
        return false;
}

static int refuse_use(const struct disk *disk, struct error *err)
{
        struct stat root;
        int r;

        if (stat("/", &root) == 0 && built_on(disk, root.st_dev, 0))
                return error_set(err, EBUSY, "refusing to write to '%s': it holds the root file system of this machine",
                                 disk->name);
        r = each_line("/proc/self/mountinfo", disk, refuse_mount, err);
        return r < 0 ? r : each_line("/proc/swaps", disk, refuse_swap, err);
}

static char *describe(const struct disk *disk, uint64_t size)
{
        CLEANUP_FREE char *vendor = sys_read(disk->sys, "device/vendor"), *model = sys_read(disk->sys, "device/model"),
                          *name = sys_read(disk->sys, "device/name"), *removable = sys_read(disk->sys, "removable");

        return xasprintf("%s%s%s%s%s%s", str_empty(vendor) ? "" : vendor, str_empty(vendor) ? "" : " ",
                         !str_empty(model)  ? model
                         : !str_empty(name) ? name
                                            : "disk",
                         ", ", size_show(size), str_eq(removable, "1") ? ", removable" : "");
}

static int open_disk(const char *path, dev_t number, uint64_t image_size, struct target *target, struct error *err)
{
        CLEANUP(disk_done) struct disk disk = {0};
        int r = disk_read(path, number, &disk, err), read_only = 0;

        if (r == 0)
                r = refuse_use(&disk, err);
        if (r < 0)
                return r;
        target->is_disk = true;
        target->fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
        if (target->fd < 0 && errno == EBUSY)
                return error_set(err, EBUSY, "refusing to write to '%s': the kernel says that it is in use", path);
        if (target->fd < 0)
                return error_errno(err, errno, "open '%s' for writing", path);
        if (ioctl(target->fd, BLKROGET, &read_only) == 0 && read_only)
                return error_set(err, EROFS, "'%s' is read-only (a lock switch on the card?)", path);
        if (ioctl(target->fd, BLKGETSIZE64, &target->size) < 0)
                return error_errno(err, errno, "size of '%s'", path);
        if (target->size < image_size)
                return error_set(err, ENOSPC, "'%s' is too small: it has %llu bytes (%s), the image %llu (%s)", path,
                                 (unsigned long long)target->size, size_show(target->size),
                                 (unsigned long long)image_size, size_show(image_size));
        target->description = describe(&disk, target->size);
        return 0;
}

static int open_file(const char *path, uint64_t image_size, struct target *target, struct error *err)
{
        int r;

        if (str_starts(path, "/dev/") || str_starts(path, "/proc/") || str_starts(path, "/sys/"))
                return error_set(err, ENODEV, "there is no disk '%s'", path);
        r = output_create(path, &target->fd, err);
        if (r == 0 && ftruncate(target->fd, (off_t)image_size) < 0)
                r = error_errno(err, errno, "make '%s' %s large", path, size_show(image_size));
        target->description = xstrdup("plain file");
        return r;
}

int target_open(const char *path, uint64_t image_size, struct target *ret, struct error *err)
{
        CLEANUP(target_close) struct target target = {.fd = -1, .path = xstrdup(path)};
        struct stat st;
        int r;

        if (stat(path, &st) < 0) {
                if (errno != ENOENT)
                        return error_errno(err, errno, "'%s'", path);
                r = open_file(path, image_size, &target, err);
        } else if (S_ISBLK(st.st_mode)) {
                r = open_disk(path, st.st_rdev, image_size, &target, err);
        } else if (S_ISREG(st.st_mode)) {
                r = open_file(path, image_size, &target, err);
        } else {
                r = error_set(err, EINVAL, "refusing to write to '%s': it is neither a disk nor a plain file", path);
        }
        if (r < 0)
                return r;
        *ret = target;
        target = (struct target){.fd = -1};
        return 0;
}

int target_publish(struct target *target, struct error *err)
{
        return target->is_disk ? 0 : output_publish(target->fd, target->path, err);
}

void target_close(struct target *target)
{
        free(target->path);
        free(target->description);
        file_drop(&target->fd);
        *target = (struct target){.fd = -1};
}
