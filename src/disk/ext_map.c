/* Reading what an ext inode holds: the blocks of its data by extent tree or
 * block map, inline data, symlinks, and folders (kernel documentation, ext4:
 * "The Contents of inode.i_block", "Directory Entries"). Nothing read from the
 * image is believed: numbers must lie inside the file system, and loops end. */
#include "disk/ext_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void ext_runs_add(struct ext_runs *runs, uint64_t lblk, uint64_t pblk, uint64_t len)
{
        if (runs->n > 0) {
                struct ext_run *last = &runs->v[runs->n - 1];

                if (last->lblk + last->len == lblk && last->pblk + last->len == pblk) {
                        last->len += len;
                        return;
                }
        }
        vec_push(runs, (struct ext_run){.lblk = lblk, .pblk = pblk, .len = len});
}

/* A mapping as it comes from the image. */
static int add_checked(struct ext *ext, ext2_ino_t ino, struct ext_runs *runs, uint64_t lblk, uint64_t pblk,
                       uint64_t len, struct error *err)
{
        uint64_t first = ext->fs->super->s_first_data_block, end = ext2fs_blocks_count(ext->fs->super);

        if (pblk < first || pblk >= end || len > end - pblk)
                return ext_damaged(err, "inode %u has blocks %" PRIu64 " to %" PRIu64 ", outside of it", ino, pblk,
                                   pblk + len);
        if (runs->n > 0 && lblk < runs->v[runs->n - 1].lblk + runs->v[runs->n - 1].len)
                return ext_damaged(err, "inode %u maps block %" PRIu64 " twice", ino, lblk);
        ext_runs_add(runs, lblk, pblk, len);
        return 0;
}

static bool extents_end(errcode_t code)
{
        return code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_NO_CURRENT_NODE || code == EXT2_ET_EXTENT_NOT_FOUND;
}

static int walk_extents(struct ext *ext, ext2_ino_t ino, ext2_extent_handle_t handle, struct ext_runs *runs,
                        struct error *err)
{
        uint64_t steps = 16 + 2 * (uint64_t)ext2fs_blocks_count(ext->fs->super);
        struct ext2fs_extent extent;
        errcode_t code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);

        for (; code == 0; code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &extent)) {
                int r;

                if (steps-- == 0)
                        return ext_damaged(err, "the extent tree of inode %u has a loop", ino);
                if (!(extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) || (extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT) ||
                    extent.e_len == 0)
                        continue;
                r = add_checked(ext, ino, runs, extent.e_lblk, extent.e_pblk, extent.e_len, err);
                if (r < 0)
                        return r;
        }
        if (!extents_end(code))
                return ext_error(err, code, "read the extent tree of inode %u", ino);
        return 0;
}

static int read_extents(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct ext_runs *runs,
                        struct error *err)
{
        ext2_extent_handle_t handle;
        errcode_t code = ext2fs_extent_open2(ext->fs, ino, &inode->base, &handle);
        int r;

        if (code)
                return ext_error(err, code, "read the extent tree of inode %u", ino);
        r = walk_extents(ext, ino, handle, runs, err);
        ext2fs_extent_free(handle);
        return r;
}

struct blocks {
        struct ext *ext;
        ext2_ino_t ino;
        struct ext_runs *runs;
        uint64_t left; /* no more blocks than the file system has */
        struct error *err;
        int r;
};

static int on_mapped_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t lblk, blk64_t ref_block, int ref_offset,
                           void *arg)
{
        struct blocks *blocks = arg;

        (void)fs, (void)ref_block, (void)ref_offset;
        if (blocks->left-- == 0)
                blocks->r = ext_damaged(blocks->err, "inode %u has more blocks than there are", blocks->ino);
        else
                blocks->r = add_checked(blocks->ext, blocks->ino, blocks->runs, (uint64_t)lblk, *block, 1, blocks->err);
        return blocks->r < 0 ? BLOCK_ABORT : 0;
}

static int iterate(struct blocks *blocks, int flags,
                   int (*on_block)(ext2_filsys, blk64_t *, e2_blkcnt_t, blk64_t, int, void *))
{
        errcode_t code;

        blocks->left = ext2fs_blocks_count(blocks->ext->fs->super);
        code = ext2fs_block_iterate3(blocks->ext->fs, blocks->ino, flags | BLOCK_FLAG_READ_ONLY, NULL, on_block,
                                     blocks);
        if (blocks->r < 0)
                return blocks->r;
        if (code)
                return ext_error(blocks->err, code, "read the block map of inode %u", blocks->ino);
        return 0;
}

static bool has_blocks(struct ext *ext, union ext_inode *inode)
{
        return !(inode->base.i_flags & EXT4_INLINE_DATA_FL) && ext2fs_inode_has_valid_blocks2(ext->fs, &inode->base);
}

int ext_map_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct ext_runs *ret, struct error *err)
{
        struct ext_runs runs = {0};
        struct blocks blocks = {.ext = ext, .ino = ino, .runs = &runs, .err = err};
        uint64_t total = 0;
        int r = 0;

        if (!has_blocks(ext, inode))
                r = 0;
        else if (inode->base.i_flags & EXT4_EXTENTS_FL)
                r = read_extents(ext, ino, inode, &runs, err);
        else
                r = iterate(&blocks, BLOCK_FLAG_DATA_ONLY, on_mapped_block);
        for (size_t i = 0; r == 0 && i < runs.n; i++)
                total += runs.v[i].len;
        if (r == 0 && total > ext2fs_blocks_count(ext->fs->super))
                r = ext_damaged(err, "inode %u has more blocks than there are", ino);
        if (r < 0) {
                ext_runs_clear(&runs);
                return r;
        }
        *ret = runs;
        return 0;
}

/* Blocks of the data and of the map, cluster by cluster, in whatever order they come. */
static int on_used_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t lblk, blk64_t ref_block, int ref_offset, void *arg)
{
        struct blocks *blocks = arg;
        uint64_t ratio = (uint64_t)EXT2FS_CLUSTER_RATIO(fs), cluster = *block & ~(ratio - 1);
        struct ext_run last = {0};

        (void)lblk, (void)ref_block, (void)ref_offset;
        if (blocks->left-- == 0 || *block < fs->super->s_first_data_block || *block >= ext2fs_blocks_count(fs->super)) {
                blocks->r = ext_damaged(blocks->err, "inode %u has wrong block numbers", blocks->ino);
                return BLOCK_ABORT;
        }
        if (blocks->runs->n > 0)
                last = blocks->runs->v[blocks->runs->n - 1];
        if (last.len > 0 && last.pblk + last.len - ratio == cluster)
                return 0;
        /* lblk counts what was seen, so that neighbours on the disk become one run */
        ext_runs_add(blocks->runs, last.lblk + last.len, cluster, ratio);
        return 0;
}

/* The last cluster of a file system may be cut short. */
static uint64_t run_len(const struct ext *ext, const struct ext_run *run)
{
        uint64_t end = ext2fs_blocks_count(ext->fs->super);

        return run->len > end - run->pblk ? end - run->pblk : run->len;
}

static int free_runs(struct ext *ext, ext2_ino_t ino, const struct ext_runs *runs, struct error *err)
{
        for (size_t i = 0; i < runs->n; i++) {
                const struct ext_run *run = &runs->v[i];
                uint64_t len = run_len(ext, run), ratio = (uint64_t)EXT2FS_CLUSTER_RATIO(ext->fs);

                for (uint64_t at = 0; at < len; at += ratio)
                        if (!ext2fs_test_block_bitmap2(ext->fs->block_map, run->pblk + at))
                                return ext_damaged(err, "block %" PRIu64 " of inode %u counts as free", run->pblk + at,
                                                   ino);
                ext2fs_block_alloc_stats_range(ext->fs, run->pblk, (blk_t)len, -1);
        }
        return 0;
}

static void empty_map(struct ext *ext, union ext_inode *inode)
{
        struct ext3_extent_header *header = (struct ext3_extent_header *)inode->base.i_block;

        memset(inode->base.i_block, 0, sizeof(inode->base.i_block));
        if (inode->base.i_flags & EXT4_EXTENTS_FL) {
                header->eh_magic = ext2fs_cpu_to_le16(EXT3_EXT_MAGIC);
                header->eh_max = ext2fs_cpu_to_le16((sizeof(inode->base.i_block) - sizeof(*header)) /
                                                    sizeof(struct ext3_extent));
        }
        ext2fs_iblk_set(ext->fs, &inode->base, ext2fs_file_acl_block(ext->fs, &inode->base) ? 1 : 0);
}

int ext_map_free(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err)
{
        struct ext_runs runs = {0};
        struct blocks blocks = {.ext = ext, .ino = ino, .runs = &runs, .err = err};
        int r = 0;

        if (has_blocks(ext, inode)) {
                r = iterate(&blocks, 0, on_used_block);
                if (r == 0)
                        r = free_runs(ext, ino, &runs, err);
        }
        ext_runs_clear(&runs);
        if (r == 0)
                empty_map(ext, inode);
        return r;
}

int ext_inline_read(struct ext *ext, ext2_ino_t ino, uint64_t size, char **ret, struct error *err)
{
        size_t n = 0;
        CLEANUP_FREE char *data = NULL;
        errcode_t code = ext2fs_inline_data_size(ext->fs, ino, &n);

        if (code)
                return ext_error(err, code, "read the inline data of inode %u", ino);
        if (n < size || n > EXT_INODE_MAX)
                return ext_damaged(err, "inode %u has %zu bytes of inline data and a size of %" PRIu64, ino, n, size);
        data = xcalloc(1, n + 1);
        code = ext2fs_inline_data_get(ext->fs, ino, NULL, data, &n);
        if (code)
                return ext_error(err, code, "read the inline data of inode %u", ino);
        *ret = steal(&data);
        return 0;
}

static int read_slow_symlink(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, char **ret, struct error *err)
{
        struct ext_runs runs = {0};
        CLEANUP_FREE char *block = NULL;
        blk64_t at = 0;
        int r = ext_map_read(ext, ino, inode, &runs, err);

        if (r < 0)
                return r;
        if (runs.n > 0 && runs.v[0].lblk == 0)
                at = runs.v[0].pblk;
        ext_runs_clear(&runs);
        if (at == 0)
                return ext_damaged(err, "symlink %u has no block", ino);
        block = xcalloc(1, ext->fs->blocksize + 1);
        r = ext_pread(ext, block, ext->fs->blocksize, at, err);
        if (r == 0)
                *ret = steal(&block);
        return r;
}

int ext_symlink_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, char **ret, struct error *err)
{
        uint64_t size = EXT2_I_SIZE(&inode->base);
        CLEANUP_FREE char *text = NULL;
        int r = 0;

        if (size == 0 || size >= ext->fs->blocksize)
                return ext_damaged(err, "symlink %u is %" PRIu64 " bytes long", ino, size);
        if (inode->base.i_flags & EXT4_ENCRYPT_FL)
                return error_set(err, EOPNOTSUPP, "symlink %u is encrypted", ino);
        if (inode->base.i_flags & EXT4_INLINE_DATA_FL)
                r = ext_inline_read(ext, ino, size, &text, err);
        else if (ext2fs_is_fast_symlink(&inode->base))
                text = xstrndup((const char *)inode->base.i_block, sizeof(inode->base.i_block));
        else
                r = read_slow_symlink(ext, ino, inode, &text, err);
        if (r < 0)
                return r;
        if (strlen(text) < size)
                return ext_damaged(err, "the text of symlink %u ends too early", ino);
        text[size] = '\0';
        *ret = steal(&text);
        return 0;
}

struct each {
        struct ext *ext;
        ext2_ino_t dir;
        ext_entry_fn *on_entry;
        void *arg;
        unsigned int n; /* entries so far */
        struct error *err;
        int r;
};

/* 0: "." or "..", which come first; 1: an entry. (Of folders in inline data
 * libext2fs makes the two up, and calls the second one an ordinary entry.) */
static int check_name(struct each *each, const char *name, size_t len)
{
        bool dot = len == 1 && name[0] == '.', dots = len == 2 && name[0] == '.' && name[1] == '.';
        unsigned int number = each->n++;

        if (number < 2) {
                if (number == 0 ? dot : dots)
                        return 0;
                return ext_damaged(each->err, "folder %u lacks its entry '%s'", each->dir, number == 0 ? "." : "..");
        }
        if (len == 0 || dot || dots || memchr(name, '/', len) || memchr(name, '\0', len))
                return ext_damaged(each->err, "folder %u has an entry with an impossible name", each->dir);
        return 1;
}

static int on_dirent(ext2_ino_t dir, int position, struct ext2_dir_entry *dirent, int offset, int blocksize, char *buf,
                     void *arg)
{
        struct each *each = arg;
        size_t len = (size_t)ext2fs_dirent_name_len(dirent);

        (void)dir, (void)position, (void)offset, (void)blocksize, (void)buf;
        each->r = check_name(each, dirent->name, len);
        if (each->r > 0 && !ext_inode_number_valid(each->ext, dirent->inode))
                each->r = ext_damaged(each->err, "'%.*s' in folder %u has the inode number %u", (int)len, dirent->name,
                                      each->dir, dirent->inode);
        if (each->r > 0)
                each->r = each->on_entry(each->arg, dirent->name, len, dirent->inode,
                                         (unsigned int)ext2fs_dirent_file_type(dirent), each->err);
        return each->r < 0 ? DIRENT_ABORT : 0;
}

int ext_dir_each(struct ext *ext, ext2_ino_t dir, ext_entry_fn *on_entry, void *arg, struct error *err)
{
        struct each each = {.ext = ext, .dir = dir, .on_entry = on_entry, .arg = arg, .err = err};
        struct ext_runs runs = {0};
        union ext_inode inode;
        errcode_t code;
        int r = ext_inode_read(ext, dir, &inode, err);

        if (r < 0)
                return r;
        if (!S_ISDIR(inode.base.i_mode))
                return ext_damaged(err, "inode %u is no folder", dir);
        if (inode.base.i_flags & EXT4_ENCRYPT_FL)
                return error_set(err, EOPNOTSUPP, "folder %u is encrypted", dir);
        r = ext_map_read(ext, dir, &inode, &runs, err); /* for its checks only */
        ext_runs_clear(&runs);
        if (r < 0)
                return r;
        code = ext2fs_dir_iterate2(ext->fs, dir, 0, NULL, on_dirent, &each);
        if (each.r < 0)
                return each.r;
        if (code)
                return ext_error(err, code, "read folder %u", dir);
        return 0;
}
