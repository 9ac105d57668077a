/* FAT: the row, and what dosfstools do: mkfs.fat and fsck.fat,
 * on a file of the partition's size, since neither is at home at an offset. */
#include "disk/fat.h"

#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "disk/fs_tools.h"

enum { SECTOR_BYTES = 512 };

/* In a file of the partition's own size: given an offset, mkfs.fat goes by the
 * size of the whole image when it chooses between FAT12, 16 and 32. */
static int fat_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_STRV char **argv = NULL;
        uint64_t hidden = volume->offset_bytes / SECTOR_BYTES;
        struct fs_tool tool = {.options = make->options, .epoch = make->epoch, .package = "dosfstools"};
        uint8_t id[4];
        int r = fs_scratch(volume, false, &fd, err);

        if (r < 0)
                return r;
        seed_bytes(make->id_seed, volume->name ?: "", id, sizeof(id));
        strv_add(&argv, "mkfs.fat");
        if (make->id_seed || make->epoch >= 0)
                strv_add(&argv, "--invariant"); /* no time of day; the id below replaces its constant one */
        strv_add(&argv, "-h");
        strv_addf(&argv, "%llu", (unsigned long long)(hidden <= UINT32_MAX ? hidden : 0));
        strv_add(&argv, "-i");
        strv_addf(&argv, "%08x", get_le32(id));
        if (!str_empty(make->label)) {
                strv_add(&argv, "-n");
                strv_add(&argv, make->label);
        }
        tool.fd = fd;
        tool.argv = STRV(argv);
        tool.operands = (const char *const[]){FS_TOOL_FILE, NULL};
        r = fs_tool_run(&tool, NULL, err);
        return r < 0 ? r : fs_scratch_store(volume, fd, volume->size_bytes, err);
}

static int fat_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct fs_tool tool = {.epoch = -1, .ok_max = repair ? 1 : 0, .package = "dosfstools"};
        int status = 0;
        int r = fs_scratch(volume, true, &fd, err);

        if (r < 0)
                return r;
        tool.fd = fd;
        tool.argv = (const char *const[]){"fsck.fat", repair ? "-a" : "-n", FS_TOOL_FILE, NULL};
        r = fs_tool_run(&tool, &status, err);
        if (r == 0 && status == 1) { /* mended: is it good now? */
                tool.argv = (const char *const[]){"fsck.fat", "-n", FS_TOOL_FILE, NULL};
                tool.ok_max = 0;
                r = fs_tool_run(&tool, NULL, err);
                if (r == 0)
                        r = fs_scratch_store(volume, fd, volume->size_bytes, err);
        }
        return r < 0 ? error_wrap(err, r, "the FAT file system in %s", volume->name) : 0;
}

const struct fs_type fs_fat = {
        .name = "vfat",
        .aliases = (const char *const[]){"fat", "msdos", "fat12", "fat16", "fat32", NULL},
        .make = fat_make,
        .extract = fat_extract,
        .write_open = fat_write_open,
        .write_change = fat_write_change,
        .write_close = fat_write_close,
        .write_abort = fat_write_abort,
        .check = fat_check,
        .list = fat_list,
        .cat = fat_cat,
        .locate = fat_locate,
        .no_owners = true,
};
