/* How full a file system is, from the few fields of its superblock that say
 * so. Offsets: Linux's Documentation/filesystems/ext4/super.rst,
 * btrfs' struct btrfs_super_block, xfs' struct xfs_dsb. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/fat.h"
#include "disk/view.h"

enum { EXT_SUPER = 1024, BTRFS_SUPER = 65536, EXT_64BIT = 0x80 };

static int usage_ext(const uint8_t *super, uint64_t *total, uint64_t *used)
{
        uint64_t blocks = get_le32(super + 4), free_blocks = get_le32(super + 12);
        uint32_t log_size = get_le32(super + 24);

        if (get_le16(super + 56) != 0xef53 || log_size > 6)
                return -EINVAL;
        if (get_le32(super + 96) & EXT_64BIT) {
                blocks |= (uint64_t)get_le32(super + 336) << 32;
                free_blocks |= (uint64_t)get_le32(super + 344) << 32;
        }
        *total = blocks << (10 + log_size);
        *used = (blocks - free_blocks) << (10 + log_size);
        return 0;
}

static int usage_btrfs(const uint8_t *super, uint64_t *total, uint64_t *used)
{
        if (memcmp(super + 64, "_BHRfS_M", 8) != 0)
                return -EINVAL;
        *total = get_le64(super + 112);
        *used = get_le64(super + 120);
        return 0;
}

static uint64_t get_be64(const uint8_t *p)
{
        return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static int usage_xfs(const uint8_t *super, uint64_t *total, uint64_t *used)
{
        uint64_t block = get_be32(super + 4);

        if (memcmp(super, "XFSB", 4) != 0)
                return -EINVAL;
        *total = get_be64(super + 8) * block;
        *used = (get_be64(super + 8) - get_be64(super + 144)) * block;
        return 0;
}

static int usage_fat(const char *image, const struct disk_partition *partition, uint64_t *total, uint64_t *used)
{
        struct fs_volume volume = {image, partition->start_bytes, partition->size_bytes, "partition"};
        CLEANUP(fat_freep) struct fat *fat = NULL;
        int r = fat_open(&volume, false, &fat, NULL);

        if (r < 0)
                return r;
        *total = (uint64_t)fat->clusters * fat->cluster_bytes;
        *used = (uint64_t)(fat->clusters - fat->free) * fat->cluster_bytes;
        return 0;
}

int disk_usage(const char *image, const struct disk_partition *partition, uint64_t *ret_total, uint64_t *ret_used)
{
        static const struct {
                const char *fs;
                off_t offset;
                int (*usage)(const uint8_t *super, uint64_t *total, uint64_t *used);
        } kinds[] = {
                {"ext2", EXT_SUPER, usage_ext},      {"ext3", EXT_SUPER, usage_ext}, {"ext4", EXT_SUPER, usage_ext},
                {"btrfs", BTRFS_SUPER, usage_btrfs}, {"xfs", 0, usage_xfs},
        };
        CLEANUP_CLOSE int fd = -1;
        uint8_t super[512];

        if (str_eq(partition->fs, "vfat"))
                return usage_fat(image, partition, ret_total, ret_used);
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (!str_eq(partition->fs, kinds[i].fs))
                        continue;
                fd = open(image, O_RDONLY | O_CLOEXEC);
                if (fd < 0 ||
                    fd_pread_all(fd, super, sizeof(super), (off_t)partition->start_bytes + kinds[i].offset) < 0)
                        return -EIO;
                return kinds[i].usage(super, ret_total, ret_used);
        }
        return -ENOTSUP;
}
