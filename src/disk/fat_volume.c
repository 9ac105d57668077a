/* FAT: the boot sector's geometry, the allocation table, chains of clusters.
 * The table is in memory whole (two bytes for each 2 KiB or so of a boot
 * partition) and goes back to all its copies in fat_flush(). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/size.h"
#include "disk/fat.h"
#include "disk/fs_tools.h"

enum { BOOT = 512 };

int fat_damaged(const struct fat *fat, struct error *err, const char *format, ...)
{
        CLEANUP_FREE char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = xvasprintf(format, ap);
        va_end(ap);
        return error_set(err, EUCLEAN, "the FAT file system in %s is damaged: %s", fat->name, what);
}

/* ---- the table ---- */

static uint32_t table_get(const struct fat *fat, uint32_t cluster)
{
        uint16_t pair;

        switch (fat->bits) {
        case 12:
                pair = get_le16(fat->table + cluster + cluster / 2);
                return cluster & 1 ? pair >> 4 : pair & 0xfff;
        case 16:
                return get_le16(fat->table + 2 * (size_t)cluster);
        default:
                return get_le32(fat->table + 4 * (size_t)cluster) & 0x0fffffff;
        }
}

static void table_set(struct fat *fat, uint32_t cluster, uint32_t value)
{
        size_t at, n = 2;
        uint16_t pair;
        uint32_t old;

        if (fat->bits == 12) {
                at = cluster + cluster / 2;
                pair = get_le16(fat->table + at);
                pair = (uint16_t)(cluster & 1 ? (pair & 0x000f) | value << 4 : (pair & 0xf000) | (value & 0xfff));
                put_le16(fat->table + at, pair);
        } else if (fat->bits == 16) {
                at = 2 * (size_t)cluster;
                put_le16(fat->table + at, (uint16_t)value);
        } else {
                at = 4 * (size_t)cluster;
                n = 4;
                old = get_le32(fat->table + at);
                put_le32(fat->table + at, (old & 0xf0000000) | (value & 0x0fffffff));
        }
        if (fat->dirty_from == fat->dirty_to) {
                fat->dirty_from = at;
                fat->dirty_to = at + n;
        }
        if (at < fat->dirty_from)
                fat->dirty_from = at;
        if (at + n > fat->dirty_to)
                fat->dirty_to = at + n;
}

static bool valid(const struct fat *fat, uint32_t cluster)
{
        return cluster >= 2 && cluster - 2 < fat->clusters;
}

int64_t fat_next(const struct fat *fat, uint32_t cluster)
{
        uint32_t end = fat->bits == 12 ? 0xff8 : fat->bits == 16 ? 0xfff8 : 0x0ffffff8;
        uint32_t next;

        if (!valid(fat, cluster))
                return -EUCLEAN;
        next = table_get(fat, cluster);
        if (next >= end)
                return 0;
        return valid(fat, next) ? (int64_t)next : -EUCLEAN;
}

void fat_set_next(struct fat *fat, uint32_t cluster, uint32_t next)
{
        table_set(fat, cluster, next ? next : 0x0fffffff);
}

int fat_alloc(struct fat *fat, uint32_t n, uint32_t *ret_first)
{
        uint32_t first = 0, last = 0;

        if (n > fat->free)
                return -ENOSPC;
        for (uint32_t cluster = fat->next_free; n > 0 && valid(fat, cluster); cluster++) {
                if (table_get(fat, cluster) != 0)
                        continue;
                fat_set_next(fat, cluster, 0);
                if (last)
                        fat_set_next(fat, last, cluster);
                else
                        first = cluster;
                last = cluster;
                fat->next_free = cluster + 1;
                fat->free--;
                n--;
        }
        *ret_first = first;
        return 0;
}

int fat_release(struct fat *fat, uint32_t first, struct error *err)
{
        uint32_t cluster = first;

        while (cluster != 0) {
                int64_t next = fat_next(fat, cluster);

                if (next < 0)
                        return fat_damaged(fat, err, "the chain of clusters from %u is broken at %u", first, cluster);
                table_set(fat, cluster, 0);
                fat->free++;
                if (cluster < fat->next_free)
                        fat->next_free = cluster;
                cluster = (uint32_t)next;
        }
        return 0;
}

uint64_t fat_cluster_offset(const struct fat *fat, uint32_t cluster)
{
        return fat->data_offset + (uint64_t)(cluster - 2) * fat->cluster_bytes;
}

int64_t fat_run(const struct fat *fat, uint32_t *cluster, uint32_t max, uint32_t *ret_first)
{
        uint32_t n = 0;

        *ret_first = *cluster;
        while (n < max) {
                int64_t next = fat_next(fat, *cluster);

                if (next < 0)
                        return next;
                n++;
                if (next != (int64_t)*cluster + 1) {
                        *cluster = (uint32_t)next;
                        break;
                }
                *cluster = (uint32_t)next;
        }
        return n;
}

uint32_t fat_clusters_for(const struct fat *fat, uint64_t bytes)
{
        return (uint32_t)(bytes / fat->cluster_bytes + (bytes % fat->cluster_bytes != 0));
}

/* ---- opening ---- */

/* The geometry, from the BIOS parameter block. All is checked against the volume's size. */
static int read_geometry(struct fat *fat, const uint8_t *boot, struct error *err)
{
        uint64_t base = fat->volume->offset_bytes;
        uint32_t sector = get_le16(boot + 11), per_cluster = boot[13], reserved = get_le16(boot + 14);
        uint32_t root_entries = get_le16(boot + 17), total = get_le16(boot + 19), fat_sectors = get_le16(boot + 22);
        uint64_t meta;

        if (get_le16(boot + 510) != 0xaa55 || sector < 512 || sector > 4096 || (sector & (sector - 1)) ||
            per_cluster == 0 || (per_cluster & (per_cluster - 1)) || reserved == 0 || boot[16] == 0)
                return error_set(err, EINVAL, "%s holds no FAT file system", fat->name);
        total = total ?: get_le32(boot + 32);
        fat_sectors = fat_sectors ?: get_le32(boot + 36);
        fat->n_fats = fat->active = boot[16];
        fat->sector_bytes = sector;
        fat->cluster_bytes = sector * per_cluster;
        fat->root_bytes = (root_entries * FAT_SLOT + sector - 1) / sector * sector;
        fat->fat_bytes = (uint64_t)fat_sectors * sector;
        meta = (uint64_t)reserved * sector + fat->n_fats * fat->fat_bytes + fat->root_bytes;
        if ((uint64_t)total * sector > fat->volume->size_bytes)
                return fat_damaged(fat, err, "it claims %s, but the partition has %s",
                                   size_show((uint64_t)total * sector), size_show(fat->volume->size_bytes));
        if (meta >= (uint64_t)total * sector)
                return fat_damaged(fat, err, "its tables are larger than itself");
        fat->fat_offset = base + (uint64_t)reserved * sector;
        fat->root_offset = fat->fat_offset + fat->n_fats * fat->fat_bytes;
        fat->data_offset = base + meta;
        fat->clusters = (uint32_t)(((uint64_t)total * sector - meta) / fat->cluster_bytes);
        fat->bits = fat->clusters < 4085 ? 12 : fat->clusters < 65525 ? 16 : 32;
        if (fat->root_bytes == 0)
                fat->bits = 32; /* mkfs.fat -F 32 on a small volume: what Linux and mtools go by */
        if (fat->bits != 32)
                return 0;
        fat->root_cluster = get_le32(boot + 44);
        if (get_le16(boot + 48) != 0 && get_le16(boot + 48) != 0xffff)
                fat->info_offset = base + (uint64_t)get_le16(boot + 48) * sector;
        if (get_le16(boot + 40) & 0x80)
                fat->active = get_le16(boot + 40) & 0x0f;
        return 0;
}

static int read_table(struct fat *fat, struct error *err)
{
        uint64_t need = ((uint64_t)fat->clusters + 2) * fat->bits / 8 + 1;
        uint32_t which = fat->active < fat->n_fats ? fat->active : 0;
        int r;

        if (need > fat->fat_bytes + 1)
                return fat_damaged(fat, err, "its table is too short for %u clusters", fat->clusters);
        fat->table = xcalloc(1, fat->fat_bytes + 4);
        r = fd_pread_all(fat->fd, fat->table, fat->fat_bytes, (off_t)(fat->fat_offset + which * fat->fat_bytes));
        if (r < 0)
                return error_errno(err, -r, "read the FAT of %s", fat->name);
        for (uint32_t cluster = 2; cluster - 2 < fat->clusters; cluster++) {
                if (table_get(fat, cluster) != 0)
                        continue;
                if (fat->free++ == 0)
                        fat->next_free = cluster;
        }
        return 0;
}

int fat_open(const struct fs_volume *volume, bool write, struct fat **ret, struct error *err)
{
        CLEANUP(fat_freep) struct fat *fat = xcalloc(1, sizeof(*fat));
        uint8_t boot[BOOT];
        int r;

        fat->fd = -1;
        fat->name = xstrdup(volume->name ?: "the partition");
        fat->path = xstrdup(volume->path);
        fat->volume_copy = (struct fs_volume){fat->path, volume->offset_bytes, volume->size_bytes, fat->name};
        fat->volume = &fat->volume_copy;
        fat->next_free = 2;
        fat->fd = fs_open(volume, write, err);
        if (fat->fd < 0)
                return fat->fd;
        r = fd_pread_all(fat->fd, boot, sizeof(boot), (off_t)volume->offset_bytes);
        if (r < 0)
                return error_errno(err, -r, "read %s", fat->name);
        r = read_geometry(fat, boot, err);
        if (r == 0)
                r = read_table(fat, err);
        if (r < 0)
                return r;
        *ret = steal(&fat);
        return 0;
}

/* ---- closing ---- */

/* FSInfo (FAT32): the count of free clusters and where to look for them. */
static int write_info(struct fat *fat)
{
        uint8_t info[BOOT];
        int r;

        if (!fat->info_offset)
                return 0;
        r = fd_pread_all(fat->fd, info, sizeof(info), (off_t)fat->info_offset);
        if (r < 0 || get_le32(info) != 0x41615252 || get_le32(info + 484) != 0x61417272)
                return r;
        put_le32(info + 488, fat->free);
        put_le32(info + 492, valid(fat, fat->next_free) ? fat->next_free : 0xffffffff);
        return fd_pwrite_all(fat->fd, info, sizeof(info), (off_t)fat->info_offset);
}

int fat_flush(struct fat *fat, struct error *err)
{
        int r = fat_dirs_flush(fat, err);

        if (r < 0)
                return r;
        if (fat->dirty_from == fat->dirty_to)
                return 0;
        for (uint32_t i = 0; i < fat->n_fats && r == 0; i++)
                if (fat->active >= fat->n_fats || i == fat->active)
                        r = fd_pwrite_all(fat->fd, fat->table + fat->dirty_from, fat->dirty_to - fat->dirty_from,
                                          (off_t)(fat->fat_offset + i * fat->fat_bytes + fat->dirty_from));
        if (r == 0)
                r = write_info(fat);
        fat->dirty_from = fat->dirty_to = 0;
        return r < 0 ? error_errno(err, -r, "write the FAT of %s", fat->name) : 0;
}

struct fat *fat_free(struct fat *fat)
{
        if (!fat)
                return NULL;
        fat_dirs_clear(fat);
        if (fat->fd >= 0)
                close(fat->fd);
        free(fat->table);
        free(fat->name);
        free(fat->path);
        free(fat);
        return NULL;
}
