/* Which partition of an image its system mounts where, read from the image
 * itself: the root is the one that holds a system, the others stand in its
 * /etc/fstab (fstab(5)). */
#pragma once

#include "disk/disk.h"

struct disk_mount {
        char *mountpoint;                       /* "/", "/boot/firmware" */
        const struct disk_partition *partition; /* of the table given */
};

/* The root first. Lines of fstab that name no partition of this image (tmpfs,
 * another disk, swap) are left out. No root: an error that says what each
 * partition holds. The caller frees with disk_mounts_free(). */
int disk_mounts_find(const char *image, const struct disk_table *table, struct disk_mount **ret, size_t *ret_n,
                     struct error *err);
void disk_mounts_free(struct disk_mount *mounts, size_t n);
