/* f2fs, as far as mkfs.f2fs and sload.f2fs 1.15 go: an empty file system, or
 * one filled from a tree. sload keeps owners, modes, symlinks and hard links;
 * times, but with SOURCE_DATE_EPOCH all are that. It knows no
 * extended attributes (file capabilities and ACLs are lost) and leaves out
 * devices, fifos and sockets without a word. */
#include "disk/fs_tools.h"

#include "base/str.h"

static int make_from(const struct fs_volume *volume, const struct fs_make *make, const char *dir, struct error *err)
{
        CLEANUP_STRV char **mkfs = NULL, **sload = NULL;
        const char *const file[] = {FS_TOOL_FILE, NULL};
        struct fs_tool tools[] = {
                {.options = make->options, .operands = file, .epoch = make->epoch, .package = "f2fs-tools"},
                {.operands = file, .epoch = make->epoch, .package = "f2fs-tools"},
        };
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_extend(&mkfs, (const char *const[]){"mkfs.f2fs", "-q", "-f", "-r", "-U", uuid, NULL});
        if (!str_empty(make->label))
                strv_extend(&mkfs, (const char *const[]){"-l", make->label, NULL});
        if (dir)
                strv_extend(&sload, (const char *const[]){"sload.f2fs", "-P", "-f", dir, "-t", "/", NULL});
        if (make->epoch >= 0) {
                strv_add(&mkfs, "-T");
                strv_addf(&mkfs, "%lld", (long long)make->epoch);
        }
        if (make->epoch >= 0 && dir) {
                strv_add(&sload, "-T");
                strv_addf(&sload, "%lld", (long long)make->epoch);
        }
        tools[0].argv = STRV(mkfs);
        tools[1].argv = STRV(sload);
        return fs_tools_make(volume, tools, dir ? 2 : 1, err);
}

static int f2fs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_from(volume, make, NULL, err);
}

static int f2fs_populate(const struct fs_volume *volume, const struct fs_make *make, const char *dir, struct error *err)
{
        return make_from(volume, make, dir, err);
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
        .populate = f2fs_populate,
        .check = f2fs_check,
};
