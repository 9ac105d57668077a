/* FAT12, 16 and 32: the first file allocation table, as in Microsoft's "FAT
 * File System Specification" 1.03 (fatgen103), sections 3 to 4; but that one without a root
 * folder in a place of its own is FAT32 however few clusters it has, as Linux has it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "package/inuse_fs.h"

enum { BOOT_BYTES = 64, MAX_FAT_BYTES = 16 << 20, FIRST_CLUSTER = 2 };

struct fat {
        uint64_t data_start, cluster_bytes; /* in bytes */
        uint32_t n_clusters;
        unsigned int entry_bits;
        uint8_t *table;
};

static uint32_t fat_entry(const struct fat *fat, uint32_t cluster)
{
        const uint8_t *table = fat->table;

        if (fat->entry_bits == 32)
                return get_le32(table + 4 * (size_t)cluster) & 0x0fffffff;
        if (fat->entry_bits == 16)
                return get_le16(table + 2 * (size_t)cluster);
        return get_le16(table + cluster + cluster / 2) >> (cluster % 2 ? 4 : 0) & 0xfff;
}

static bool fat_used(const void *state, uint64_t offset, uint64_t n)
{
        const struct fat *fat = state;
        uint64_t first, last;

        if (offset < fat->data_start)
                return true;
        first = (offset - fat->data_start) / fat->cluster_bytes;
        last = (offset + n - 1 - fat->data_start) / fat->cluster_bytes;
        for (; first <= last && first < fat->n_clusters; first++)
                if (fat_entry(fat, (uint32_t)first + FIRST_CLUSTER))
                        return true;
        return false;
}

static void fat_free(void *state)
{
        struct fat *fat = state;

        free(fat->table);
        free(fat);
}

static void fat_freep(struct fat **fat)
{
        if (*fat)
                fat_free(*fat);
}

/* Geometry from the boot sector. *ret_table is where the first table begins, in bytes; its size is returned, 0 if bad.
 */
static uint64_t read_geometry(const uint8_t *boot, uint64_t size, struct fat *fat, uint64_t *ret_table)
{
        uint32_t sector = get_le16(boot + 11), per_cluster = boot[13], reserved = get_le16(boot + 14);
        uint32_t n_fats = boot[16], root_entries = get_le16(boot + 17);
        uint64_t sectors = get_le16(boot + 19), fat_sectors = get_le16(boot + 22), data;

        if (sectors == 0)
                sectors = get_le32(boot + 32);
        if (fat_sectors == 0)
                fat_sectors = get_le32(boot + 36);
        if (sector < 512 || sector > 4096 || (sector & (sector - 1)) || per_cluster == 0 || n_fats == 0)
                return 0;
        data = reserved + n_fats * fat_sectors + ((uint64_t)root_entries * 32 + sector - 1) / sector;
        if (sectors <= data || sectors > size / sector)
                return 0;
        fat->data_start = data * sector;
        fat->cluster_bytes = (uint64_t)per_cluster * sector;
        fat->n_clusters = (uint32_t)((sectors - data) / per_cluster);
        fat->entry_bits = root_entries == 0 ? 32 : fat->n_clusters < 4085 ? 12 : fat->n_clusters < 65525 ? 16 : 32;
        *ret_table = (uint64_t)reserved * sector;
        return fat_sectors * sector;
}

bool inuse_fat(int fd, uint64_t start, uint64_t size, struct inuse_fs *ret)
{
        CLEANUP(fat_freep) struct fat *fat = xcalloc(1, sizeof(*fat));
        uint8_t boot[BOOT_BYTES];
        uint64_t table = 0, n;

        if (size < BOOT_BYTES || fd_pread_all(fd, boot, sizeof(boot), (off_t)start) < 0)
                return false;
        n = read_geometry(boot, size, fat, &table);
        if (n == 0 || n > MAX_FAT_BYTES || ((uint64_t)fat->n_clusters + FIRST_CLUSTER) * fat->entry_bits / 8 + 1 > n)
                return false;
        fat->table = xmalloc((size_t)n);
        if (fd_pread_all(fd, fat->table, (size_t)n, (off_t)(start + table)) < 0)
                return false;
        *ret = (struct inuse_fs){.state = steal(&fat), .used = fat_used, .free = fat_free};
        return true;
}
