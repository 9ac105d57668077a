/* The table of file systems. To add one: a file with its row, and the row here. */
#include "disk/fs.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "disk/ext.h"
#include "disk/fs_tools.h"

static const struct fs_type *const fs_types[] = {
        &fs_ext4, &fs_ext3, &fs_ext2, &fs_fat, &fs_btrfs, &fs_f2fs, &fs_xfs, &fs_swap, &fs_raw,
};

enum { N_TYPES = sizeof(fs_types) / sizeof(fs_types[0]) };

const struct fs_type *fs_type_find(const char *name)
{
        for (size_t i = 0; i < N_TYPES; i++)
                if (str_eq(fs_types[i]->name, name) || (fs_types[i]->aliases && strv_has(fs_types[i]->aliases, name)))
                        return fs_types[i];
        return NULL;
}

enum { EXTENTS_MAX = 1 << 18 };

int fs_extents_add(struct fs_extents *extents, struct fs_extent extent, struct error *err)
{
        if (extents->n == EXTENTS_MAX)
                return error_set(err, EFBIG, "the file lies in more than %d pieces, too many to read it in place",
                                 EXTENTS_MAX);
        vec_push(extents, extent);
        return 0;
}

bool fs_xattr_travels(const char *name)
{
        return str_starts(name, "user.") || str_starts(name, "system.posix_acl_") ||
               str_eq(name, "security.capability");
}

const char *const *fs_type_names(void)
{
        static const char *names[4 * N_TYPES + 1];
        size_t n = 0;

        if (names[0])
                return names;
        for (size_t i = 0; i < N_TYPES; i++) {
                names[n++] = fs_types[i]->name;
                for (const char *const *alias = fs_types[i]->aliases; alias && *alias && n < 4 * N_TYPES; alias++)
                        if (**alias)
                                names[n++] = *alias;
        }
        return names;
}
