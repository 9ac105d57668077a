/* Looking into an image, for `slipway image`: no root, no mounts. A path is
 * either of the image's system ("/boot/firmware/config.txt": over the root and
 * what its fstab mounts) or of one partition ("1:/config.txt"). */
#pragma once

#include "disk/disk.h"
#include "disk/fs.h"
#include "disk/mounts.h"

struct disk_view {
        char *image;
        struct disk_table *table;
        struct disk_mount *mounts; /* none: no root was found */
        size_t n_mounts;
        struct error no_root; /* why */
};

/* A compressed file, or no image at all: an error that says what to do. */
int disk_view_open(const char *image, struct disk_view **ret, struct error *err);
struct disk_view *disk_view_free(struct disk_view *view); /* returns NULL */
static inline void disk_view_freep(struct disk_view **view)
{
        *view = disk_view_free(*view);
}
/* Where the system mounts a partition, or NULL. */
const char *disk_view_mountpoint(const struct disk_view *view, const struct disk_partition *partition);

/* An entry on its own. */
struct disk_entry {
        char *name, *target;
        struct stat st;
};
struct disk_entries {
        struct disk_entry *v; /* by name */
        size_t n;
};
void disk_entries_clear(struct disk_entries *entries);

/* A folder's entries (a symlink to one is followed); of anything else itself (*ret_folder false). A path that
 * is not there: the error names the nearest that is. */
int disk_view_list(const struct disk_view *view, const char *path, struct disk_entries *ret, bool *ret_folder,
                   struct error *err);
int disk_view_cat(const struct disk_view *view, const char *path, int out_fd, struct error *err);
/* Where a file's bytes lie in the image (disk/fs.h), for reading it in place. -ENOTSUP: cat it. */
int disk_view_locate(const struct disk_view *view, const char *path, struct fs_extents *ret, struct error *err);
/* A file, or a folder with all in it, to `to`, which must not exist. All is
 * the caller's own; devices are left out and counted. */
int disk_view_extract(const struct disk_view *view, const char *path, const char *to, size_t *ret_left_out,
                      struct error *err);

/* Size and use of a partition's file system from its own records; -ENOTSUP (no
 * message) where we cannot tell. */
int disk_usage(const char *image, const struct disk_partition *partition, uint64_t *ret_total, uint64_t *ret_used);
