/* Disk images as sparse files: partition tables (libfdisk) and what lies in
 * the partitions. No root, no mounts, no loop devices. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ui.h"

enum disk_label { DISK_NONE, DISK_DOS, DISK_GPT };

struct disk_partition {
        unsigned int number; /* from 1 */
        uint64_t start_bytes, size_bytes;
        char *type; /* dos: hex code ("c", "83"); gpt: GUID */
        char *name; /* gpt partition name, or NULL */
        char *uuid; /* gpt partition GUID or dos "DISKID-NN", or NULL */
        bool extended, bootable;
        /* from libblkid, each NULL if none: */
        char *fs, *fs_label, *fs_uuid;
};

struct disk_table {
        enum disk_label label;
        uint64_t disk_bytes;
        char *id;                 /* dos: "0x1234abcd"; gpt: GUID */
        struct disk_partition *v; /* by start; DISK_NONE: one that spans the file, if it is a file system */
        size_t n;
};

/* Read the table of an image, and probe each partition. */
int disk_table_read(const char *path, struct disk_table **ret, struct error *err);
struct disk_table *disk_table_free(struct disk_table *table); /* returns NULL */
static inline void disk_table_freep(struct disk_table **table)
{
        *table = disk_table_free(*table);
}
/* NULL if there is no such partition. */
const struct disk_partition *disk_table_find(const struct disk_table *table, unsigned int number);

/* What to write for method new. */
struct disk_layout_partition {
        const char *name, *type; /* type: dos hex code; gpt: sgdisk code ("8300", "ef00"), dos code or GUID */
        uint64_t start_bytes;    /* 0: after the one before, aligned to 1 MiB */
        uint64_t size_bytes;     /* 0: the rest */
};
/* A table on the (sparse, empty) image, which has its final size. Overlaps and a partition
 * past the end are errors that name both partitions. `id_seed` (NULL: random)
 * makes disk id and GUIDs a function of it. Numbers go up from 1 in the order
 * of the list; on dos, those inside an extended partition (given before them)
 * are logical and go up from 5. ret_numbers (may be NULL) gets n of them. */
int disk_table_create(const char *path, enum disk_label label, const struct disk_layout_partition *v, size_t n,
                      const char *id_seed, unsigned int *ret_numbers, struct error *err);

/* Grow the image to disk_bytes (gpt: backup header moved), then the partition
 * `number` (0: the last one) to the end of the free space after it; the
 * extended partition around a logical one grows with it. An image that is that
 * large already keeps its size; one that is larger is an error. */
int disk_grow(const char *path, uint64_t disk_bytes, unsigned int number, struct error *err);

/* Make the last partition `size_bytes` large, rounded up to a full MiB but never larger than it is, and the image end
 * behind it (gpt: behind the backup header, which moves there). Whatever lies past that is gone. *ret_bytes: the
 * image's size. */
int disk_shrink(const char *path, uint64_t size_bytes, uint64_t *ret_bytes, struct error *err);
/* The one that lies last, which disk_grow() and disk_shrink() mean; NULL: there is none. */
const struct disk_partition *disk_table_last(const struct disk_table *table);

/* sfdisk --verify's judgement: an error with its words if the table is bad. */
int disk_verify(const char *path, struct error *err);
