/* ext2, ext3 and ext4: the block bitmaps, by libext2fs. */
#include <ext2fs/ext2fs.h>
#include <stdio.h>

#include "package/inuse_fs.h"

static bool ext_used(const void *state, uint64_t offset, uint64_t n)
{
        ext2_filsys fs = (ext2_filsys)state;
        uint64_t first = offset / fs->blocksize, end = (offset + n + fs->blocksize - 1) / fs->blocksize;

        if (first < fs->super->s_first_data_block)
                return true;
        if (end > ext2fs_blocks_count(fs->super))
                end = ext2fs_blocks_count(fs->super);
        for (uint64_t block = first; block < end; block++)
                if (ext2fs_test_block_bitmap2(fs->block_map, block))
                        return true;
        return false;
}

static void ext_free(void *state)
{
        ext2_filsys fs = state;

        ext2fs_close_free(&fs);
}

bool inuse_ext(int fd, uint64_t start, uint64_t size, struct inuse_fs *ret)
{
        char path[64], options[64];
        ext2_filsys fs = NULL;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        snprintf(options, sizeof(options), "offset=%llu", (unsigned long long)start);
        if (ext2fs_open2(path, options, EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES, 0, 0, unix_io_manager, &fs))
                return false;
        if (ext2fs_has_feature_journal_needs_recovery(fs->super) ||
            ext2fs_blocks_count(fs->super) > size / fs->blocksize || ext2fs_read_block_bitmap(fs)) {
                ext2fs_close_free(&fs);
                return false;
        }
        *ret = (struct inuse_fs){.state = fs, .used = ext_used, .free = ext_free};
        return true;
}
