/* xfs: made by mkfs.xfs, filled by a kernel. */
#include "base/str.h"
#include "disk/fs_tools.h"
#include "disk/kernel.h"

static int xfs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .id_seed = make->id_seed,
                               .package = "xfsprogs"};
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_extend(&argv, (const char *const[]){"mkfs.xfs", "-q", "-f", "-m", NULL});
        strv_addf(&argv, "uuid=%s", uuid);
        if (!str_empty(make->label))
                strv_extend(&argv, (const char *const[]){"-L", make->label, NULL});
        tool.argv = STRV(argv);
        return fs_tool_make(volume, &tool, err);
}

static int xfs_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err)
{
        return kernel_write_open(volume, &fs_xfs, epoch, ret_writer, err);
}

static int xfs_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        struct fs_tool tool = {.argv = (const char *const[]){"xfs_repair", "-n", "-f", FS_TOOL_FILE, NULL},
                               .epoch = -1,
                               .package = "xfsprogs"};

        (void)repair;
        return fs_tool_check(volume, &tool, err);
}

const struct fs_type fs_xfs = {
        .name = "xfs",
        .make = xfs_make,
        .write_open = xfs_write_open,
        .write_change = kernel_write_change,
        .write_close = kernel_write_close,
        .write_abort = kernel_write_abort,
        .check = xfs_check,
};
