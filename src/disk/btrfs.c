/* btrfs: made by mkfs.btrfs, filled by a kernel. */
#include "base/str.h"
#include "disk/fs_tools.h"
#include "disk/kernel.h"

static int btrfs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .id_seed = make->id_seed,
                               .package = "btrfs-progs"};
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_extend(&argv, (const char *const[]){"mkfs.btrfs", "-q", "-f", "-U", uuid, NULL});
        if (!str_empty(make->label))
                strv_extend(&argv, (const char *const[]){"-L", make->label, NULL});
        tool.argv = STRV(argv);
        return fs_tool_make(volume, &tool, err);
}

static int btrfs_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err)
{
        return kernel_write_open(volume, &fs_btrfs, epoch, ret_writer, err);
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
        .write_open = btrfs_write_open,
        .write_change = kernel_write_change,
        .write_close = kernel_write_close,
        .write_abort = kernel_write_abort,
        .check = btrfs_check,
};
