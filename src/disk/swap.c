/* Swap areas, and partitions whose contents are nobody's business (raw). */
#include <string.h>

#include "base/str.h"
#include "disk/fs_tools.h"

/* mkswap writes one page, at the start of a file as large as the partition. */
static int swap_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_STRV char **argv = NULL;
        char uuid[UUID_TEXT];
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .package = "util-linux"};
        int r = fs_scratch(volume, false, &fd, err);

        if (r < 0)
                return r;
        fs_uuid(volume, make, uuid);
        strv_add(&argv, "mkswap");
        strv_add(&argv, "-U");
        strv_add(&argv, uuid);
        if (!str_empty(make->label)) {
                strv_add(&argv, "-L");
                strv_add(&argv, make->label);
        }
        tool.argv = STRV(argv);
        tool.fd = fd;
        r = fs_tool_run(&tool, NULL, err);
        return r < 0 ? r : fs_scratch_store(volume, fd, volume->size_bytes, err);
}

static int raw_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        (void)volume;
        (void)make;
        (void)err;
        return 0;
}

static int nothing_to_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        (void)volume;
        (void)repair;
        (void)err;
        return 0;
}

/* The signature of mkswap(8) ends the first page, of 4 KiB or more. */
bool swap_signature(const char *data, uint64_t n)
{
        for (uint64_t page = 4096; page <= 65536 && page <= n; page *= 2)
                if (memcmp(data + page - 10, "SWAPSPACE2", 10) == 0)
                        return true;
        return false;
}

const struct fs_type fs_swap = {
        .name = "swap",
        .aliases = (const char *const[]){"linux-swap", NULL},
        .make = swap_make,
        .check = nothing_to_check,
};

const struct fs_type fs_raw = {
        .name = "raw",
        .aliases = (const char *const[]){"", "none", NULL},
        .make = raw_make,
        .check = nothing_to_check,
};
