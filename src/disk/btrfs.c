/* btrfs, as far as mkfs.btrfs 6.2 goes: an empty file system, or one made from
 * a tree. `--rootdir` keeps owners, modes, times (whole seconds), symlinks, hard
 * links, extended attributes, devices and fifos. It does not keep holes:
 * they take up room. UUIDs inside (device, chunk tree) are random and inode numbers
 * are the tree's own, so two makes differ; the file system's UUID does not. */
#include "disk/fs_tools.h"

#include "base/str.h"

static int make_from(const struct fs_volume *volume, const struct fs_make *make, const char *dir, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .package = "btrfs-progs"};
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_add(&argv, "mkfs.btrfs");
        strv_add(&argv, "-q");
        strv_add(&argv, "-f");
        strv_add(&argv, "-U");
        strv_add(&argv, uuid);
        if (!str_empty(make->label)) {
                strv_add(&argv, "-L");
                strv_add(&argv, make->label);
        }
        if (dir) {
                strv_add(&argv, "--rootdir");
                strv_add(&argv, dir);
        }
        tool.argv = STRV(argv);
        return fs_tools_make(volume, &tool, 1, err);
}

static int btrfs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_from(volume, make, NULL, err);
}

static int btrfs_populate(const struct fs_volume *volume, const struct fs_make *make, const char *dir,
                          struct error *err)
{
        return make_from(volume, make, dir, err);
}

static int btrfs_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        struct fs_tool tool = {.argv = (const char *const[]){"btrfs", "check", "--readonly", FS_TOOL_FILE, NULL},
                               .epoch = -1,
                               .package = "btrfs-progs"};

        (void)repair; /* its authors advise against --repair */
        return fs_tool_check(volume, &tool, err);
}

const struct fs_type fs_btrfs = {
        .name = "btrfs",
        .make = btrfs_make,
        .populate = btrfs_populate,
        .check = btrfs_check,
};
