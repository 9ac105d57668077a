/* FAT12, FAT16 and FAT32 in a part of an image file, after Microsoft's "FAT:
 * General Overview of On-Disk Format" 1.03 and its long names. We do this ourselves, since
 * what the usual tools write depends on the clock, the locale and the user's
 * configuration, and a process for each batch of files costs more than the
 * writing. mkfs.fat makes the file system and fsck.fat judges it.
 *
 * Times on FAT have no zone: they are UTC here, whatever TZ is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/str.h"
#include "base/vec.h"
#include "disk/fs.h"

enum {
        FAT_SLOT = 32, /* bytes of a directory entry */
        FAT_ATTR_VOLUME = 0x08,
        FAT_ATTR_FOLDER = 0x10,
        FAT_ATTR_ARCHIVE = 0x20,
        FAT_ATTR_LONG = 0x0f,
        FAT_CACHED = 8, /* folders that are kept in memory */
        FAT_DEPTH = 128,
};

struct fat_entry {
        char *name;              /* UTF-8, as users see it */
        char *key;               /* the same without case */
        size_t first_slot, slot; /* of its long name, and of itself */
        uint8_t raw[FAT_SLOT];
};

struct fat_dir {
        bool used, dirty;
        uint32_t cluster; /* its first; 0: the root of FAT12 and FAT16 */
        uint64_t age;
        uint8_t *data;
        size_t size;
        VEC(struct fat_entry) entries;
};

struct fat {
        int fd;
        const struct fs_volume *volume; /* a copy */
        struct fs_volume volume_copy;
        char *name, *path;
        unsigned int bits; /* 12, 16, 32 */
        uint32_t clusters; /* the valid ones are 2 to clusters + 1 */
        uint32_t cluster_bytes, sector_bytes;
        uint64_t fat_offset, fat_bytes, root_offset, data_offset, info_offset; /* in the file; info 0: none */
        uint32_t n_fats, active; /* active: the one FAT in use, or n_fats: all */
        size_t root_bytes;       /* FAT12, FAT16 */
        uint32_t root_cluster;   /* FAT32 */
        uint8_t *table;
        size_t dirty_from, dirty_to; /* bytes of the table */
        uint32_t free, next_free;    /* next_free: none below it is free */
        struct fat_dir dirs[FAT_CACHED];
        uint64_t clock;
};

/* ---- fat_volume.c: geometry, the table, clusters ---- */
int fat_open(const struct fs_volume *volume, bool write, struct fat **ret, struct error *err);
int fat_flush(struct fat *fat, struct error *err);
struct fat *fat_free(struct fat *fat); /* nothing is written; returns NULL */
static inline void fat_freep(struct fat **fat)
{
        *fat = fat_free(*fat);
}
int fat_damaged(const struct fat *fat, struct error *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The cluster after this one; 0: the last. Negative: the chain is damaged. */
int64_t fat_next(const struct fat *fat, uint32_t cluster);
void fat_set_next(struct fat *fat, uint32_t cluster, uint32_t next); /* next 0: the last */
/* n clusters in a chain, the lowest that are free; -ENOSPC without a message. */
int fat_alloc(struct fat *fat, uint32_t n, uint32_t *ret_first);
int fat_release(struct fat *fat, uint32_t first, struct error *err);
uint64_t fat_cluster_offset(const struct fat *fat, uint32_t cluster);
/* A run of neighbours in a chain from *cluster on, which moves past them (0: the
 * end); how many, at most max. Negative: damaged. */
int64_t fat_run(const struct fat *fat, uint32_t *cluster, uint32_t max, uint32_t *ret_first);
uint32_t fat_clusters_for(const struct fat *fat, uint64_t bytes);

/* ---- fat_name.c: names and times ---- */
/* What the long slots before a short entry say: UTF-16 to UTF-8. NULL: not a text. */
char *fat_name_decode(const uint16_t *units, size_t n);
char *fat_short_name(const uint8_t raw[FAT_SLOT]); /* with the case bits heeded */
uint8_t fat_short_sum(const uint8_t raw[11]);
char *fat_name_key(const char *name);
/* How a name is stored: units for long slots, and a first try for the short
 * name with case bits, which may say it all. */
struct fat_stored_name {
        uint16_t units[255];
        size_t n;
        uint8_t base[11], case_bits;
        bool exact;      /* base is the name but for its case: no ~1 is needed */
        bool short_only; /* base and case_bits are the name: no long slots are needed */
};
int fat_name_encode(const char *name, struct fat_stored_name *ret, struct error *err);
/* The try after `attempt` others were taken. */
void fat_short_try(const struct fat_stored_name *stored, const char *name, unsigned int attempt, uint8_t out[11]);
/* How many slots an entry of this name takes; and they as they lie in a folder: `raw` with its short name filled in,
 * the slots of the long one before it. */
size_t fat_slots(const struct fat_stored_name *stored);
void fat_put_slots(const struct fat_stored_name *stored, const uint8_t raw[FAT_SLOT], uint8_t *out);
void fat_put_times(uint8_t raw[FAT_SLOT], int64_t unix_time);
int64_t fat_get_time(const uint8_t raw[FAT_SLOT]);

/* ---- fat_dir.c: folders ---- */
uint32_t fat_entry_cluster(const struct fat *fat, const uint8_t raw[FAT_SLOT]);
void fat_entry_set_cluster(uint8_t raw[FAT_SLOT], uint32_t cluster);
/* The folder whose first cluster this is. It stays valid until FAT_CACHED others were loaded. */
int fat_dir_load(struct fat *fat, uint32_t cluster, struct fat_dir **ret, struct error *err);
static inline uint32_t fat_root(const struct fat *fat)
{
        return fat->bits == 32 ? fat->root_cluster : 0;
}
struct fat_entry *fat_dir_find(const struct fat_dir *dir, const char *name);
/* -ENOSPC without a message where the folder cannot grow. */
int fat_dir_add(struct fat *fat, struct fat_dir *dir, const char *name, const uint8_t raw[FAT_SLOT], struct error *err);
void fat_dir_remove(struct fat_dir *dir, struct fat_entry *entry);
/* After a change of entry->raw that is no change of name. */
void fat_dir_update(struct fat_dir *dir, const struct fat_entry *entry);
int fat_dirs_flush(struct fat *fat, struct error *err);
void fat_dirs_clear(struct fat *fat);
static inline bool fat_is_folder(const struct fat_entry *entry)
{
        return entry->raw[11] & FAT_ATTR_FOLDER;
}
/* The folder at a path ("" or "/": the root). -ENOENT, -ENOTDIR with messages. */
int fat_walk(struct fat *fat, const char *path, uint32_t *ret_cluster, struct error *err);

/* ---- fat_read.c, fat_write.c: rows of fs_fat ---- */
int fat_extract(const struct fs_volume *volume, const char *dir, struct ui *ui, struct error *err);
int fat_list(const struct fs_volume *volume, const char *path, int (*on_entry)(void *arg, const struct fs_entry *entry),
             void *arg, struct error *err);
int fat_cat(const struct fs_volume *volume, const char *path, int out_fd, struct error *err);
int fat_locate(const struct fs_volume *volume, const char *path, struct fs_extents *ret, struct error *err);
int fat_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err);
int fat_write_change(void *writer, const struct fs_change *change, struct error *err);
int fat_write_close(void *writer, struct error *err);
void fat_write_abort(void *writer);
