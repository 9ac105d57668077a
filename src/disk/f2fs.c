/* f2fs: made by mkfs.f2fs, filled by a kernel. */
#include "base/str.h"
#include "disk/fs_tools.h"
#include "disk/kernel.h"

static int f2fs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .id_seed = make->id_seed,
                               .package = "f2fs-tools"};
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_extend(&argv, (const char *const[]){"mkfs.f2fs", "-f", "-r", "-U", uuid, NULL});
        if (!str_empty(make->label))
                strv_extend(&argv, (const char *const[]){"-l", make->label, NULL});
        if (make->epoch >= 0) {
                strv_add(&argv, "-T");
                strv_addf(&argv, "%lld", (long long)make->epoch);
        }
        tool.argv = STRV(argv);
        return fs_tool_make(volume, &tool, err);
}

static int f2fs_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err)
{
        return kernel_write_open(volume, &fs_f2fs, epoch, ret_writer, err);
}

static int f2fs_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        struct fs_tool tool = {.argv = (const char *const[]){"fsck.f2fs", "--dry-run", FS_TOOL_FILE, NULL},
                               .epoch = -1,
                               .package = "f2fs-tools"};

        (void)repair;
        return fs_tool_check(volume, &tool, err);
}

const struct fs_type fs_f2fs = {
        .name = "f2fs",
        .make = f2fs_make,
        .write_open = f2fs_write_open,
        .write_change = kernel_write_change,
        .write_close = kernel_write_close,
        .write_abort = kernel_write_abort,
        .check = f2fs_check,
};
