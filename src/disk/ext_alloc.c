/* Blocks for the ext writer: free runs from the bitmap, and the maps that say
 * where a file's data lies, as extent trees or as block maps (kernel
 * documentation, ext4: "The Contents of inode.i_block"). With bigalloc the unit
 * is the cluster, and a run begins at the same place within its cluster in the
 * file as on the disk. */
#include "disk/ext_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/size.h"

enum { TRIES = 64, EXTENT_MAX = 32768 };

int ext_no_space(const struct ext_writer *w, uint64_t bytes, struct error *err)
{
        uint64_t available = ext2fs_free_blocks_count(w->ext.fs->super) * w->ext.fs->blocksize;

        return error_set(err, ENOSPC,
                         "no space left in the file system: %s are needed and %s are free, so that at least %s are "
                         "missing; give it more room with 'image_size' (image_build_method 'resize' or 'new') or a "
                         "larger 'size' of the partition",
                         size_show(bytes), size_show(available),
                         size_show(bytes > available ? bytes - available : w->ext.fs->blocksize));
}

uint64_t ext_alloc_start(const struct ext *ext)
{
        dgrp_t best = 0;

        for (dgrp_t i = 1; i < ext->fs->group_desc_count; i++)
                if (ext2fs_bg_free_blocks_count(ext->fs, i) > ext2fs_bg_free_blocks_count(ext->fs, best))
                        best = i;
        return ext2fs_group_first_block2(ext->fs, best);
}

static uint64_t round_up(uint64_t n, uint64_t unit)
{
        return (n + unit - 1) / unit * unit;
}

/* The next free run at or after `at`; false at the end. */
static bool next_free(const struct ext *ext, uint64_t at, struct ext_run *ret)
{
        uint64_t end = ext2fs_blocks_count(ext->fs->super) & ~((uint64_t)EXT2FS_CLUSTER_RATIO(ext->fs) - 1);
        blk64_t start, stop;

        if (at >= end || ext2fs_find_first_zero_block_bitmap2(ext->fs->block_map, at, end - 1, &start) != 0)
                return false;
        if (ext2fs_find_first_set_block_bitmap2(ext->fs->block_map, start, end - 1, &stop) != 0)
                stop = end;
        *ret = (struct ext_run){.pblk = start, .len = stop - start};
        return true;
}

/* The first run of `ideal` blocks among the nearest, else the longest of them. */
static struct ext_run find_run(const struct ext *ext, uint64_t ideal, uint64_t goal)
{
        struct ext_run best = {0}, run;
        bool wrapped = false;
        uint64_t at = goal;

        for (unsigned int i = 0; i < TRIES; i++) {
                if (!next_free(ext, at, &run)) {
                        if (wrapped)
                                break;
                        wrapped = true;
                        at = ext->fs->super->s_first_data_block;
                        continue;
                }
                if (run.len > best.len)
                        best = run;
                if (run.len >= ideal)
                        break;
                at = run.pblk + run.len;
        }
        return best;
}

int ext_alloc(struct ext_writer *w, uint64_t want, uint64_t ideal, uint64_t goal, uint64_t *ret_block,
              uint64_t *ret_len, struct error *err)
{
        uint64_t ratio = (uint64_t)EXT2FS_CLUSTER_RATIO(w->ext.fs);
        struct ext_run run = find_run(&w->ext, round_up(ideal, ratio), goal & ~(ratio - 1));

        want = round_up(want, ratio);
        if (run.len > want)
                run.len = want;
        if (run.len > INT32_MAX / 2)
                run.len = (INT32_MAX / 2) & ~(ratio - 1);
        if (run.len == 0)
                return ext_no_space(w, ideal * w->ext.fs->blocksize, err);
        ext2fs_block_alloc_stats_range(w->ext.fs, run.pblk, (blk_t)run.len, 1);
        *ret_block = run.pblk;
        *ret_len = run.len;
        return 0;
}

/* --- extents --- */

/* As extents, none longer than one can say. */
static void split_runs(const struct ext_runs *runs, struct ext_runs *ret)
{
        for (size_t i = 0; i < runs->n; i++) {
                struct ext_run run = runs->v[i];

                while (run.len > 0) {
                        uint64_t n = run.len < EXTENT_MAX ? run.len : EXTENT_MAX;

                        vec_push(ret, (struct ext_run){.lblk = run.lblk, .pblk = run.pblk, .len = n});
                        run.lblk += n;
                        run.pblk += n;
                        run.len -= n;
                }
        }
}

static void extents_in_inode(union ext_inode *inode, const struct ext_runs *extents)
{
        uint8_t *root = (uint8_t *)inode->base.i_block, *extent = root + sizeof(struct ext3_extent_header);

        put_le16(root, EXT3_EXT_MAGIC);
        put_le16(root + 2, (uint16_t)extents->n);
        put_le16(root + 4,
                 (sizeof(inode->base.i_block) - sizeof(struct ext3_extent_header)) / sizeof(struct ext3_extent));
        for (size_t i = 0; i < extents->n; i++, extent += sizeof(struct ext3_extent)) {
                put_le32(extent, (uint32_t)extents->v[i].lblk);
                put_le16(extent + 4, (uint16_t)extents->v[i].len);
                put_le16(extent + 6, (uint16_t)(extents->v[i].pblk >> 32));
                put_le32(extent + 8, (uint32_t)extents->v[i].pblk);
        }
}

static int extents_in_tree(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct ext_runs *extents,
                           struct error *err)
{
        ext2_extent_handle_t handle;
        errcode_t code;
        int r;

        extents_in_inode(inode, &(struct ext_runs){0});
        r = ext_inode_write(&w->ext, ino, inode, err); /* the tree's code writes the first half of it */
        if (r < 0)
                return r;
        code = ext2fs_extent_open2(w->ext.fs, ino, &inode->base, &handle);
        if (code)
                return ext_error(err, code, "open the extent tree of inode %u", ino);
        for (size_t i = 0; code == 0 && i < extents->n; i++) {
                struct ext2fs_extent extent = {.e_lblk = extents->v[i].lblk,
                                               .e_pblk = extents->v[i].pblk,
                                               .e_len = (uint32_t)extents->v[i].len};

                code = ext2fs_extent_insert(handle, EXT2_EXTENT_INSERT_AFTER, &extent);
        }
        if (code == 0)
                code = ext2fs_extent_fix_parents(handle);
        ext2fs_extent_free(handle);
        if (code == EXT2_ET_BLOCK_ALLOC_FAIL)
                return ext_no_space(w, w->ext.fs->blocksize, err);
        return code ? ext_error(err, code, "write the extent tree of inode %u", ino) : 0;
}

static int write_extents(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct ext_runs *runs,
                         struct error *err)
{
        struct ext_runs extents = {0};
        int r = 0;

        if (runs->n > 0 && runs->v[runs->n - 1].lblk + runs->v[runs->n - 1].len > UINT32_MAX)
                return error_set(err, EFBIG, "the file is too long for this file system");
        split_runs(runs, &extents);
        if (extents.n <= 4)
                extents_in_inode(inode, &extents);
        else
                r = extents_in_tree(w, ino, inode, &extents, err);
        ext_runs_clear(&extents);
        return r;
}

/* --- block maps --- */

struct map_build {
        struct ext_writer *w;
        const struct ext_run *runs, *at; /* at: the run at hand; blocks are asked for in order */
        size_t n_runs;
        uint64_t goal, n_blocks;
        struct error *err;
};

/* The run that has block lblk or, failing that, the next one; NULL if there is none. */
static const struct ext_run *run_from(struct map_build *build, uint64_t lblk)
{
        const struct ext_run *end = build->runs + build->n_runs;

        while (build->at < end && build->at->lblk + build->at->len <= lblk)
                build->at++;
        return build->at < end ? build->at : NULL;
}

/* The map entry for what begins at lblk: of level 0 the data block itself, above
 * it an indirect block with its subtree. At most three levels deep. */
static int map_entry(struct map_build *build, unsigned int level, uint64_t lblk, uint32_t *ret)
{
        uint32_t per_block = build->w->ext.fs->blocksize / 4;
        const struct ext_run *run = run_from(build, lblk);
        CLEANUP_FREE uint32_t *entries = NULL;
        uint64_t span = 1, block, len;
        int r;

        *ret = 0;
        for (unsigned int i = 0; i < level; i++)
                span *= per_block;
        if (!run || run->lblk >= lblk + span)
                return 0;
        if (level == 0) {
                *ret = (uint32_t)(run->pblk + (lblk - run->lblk));
                return 0;
        }
        r = ext_alloc(build->w, 1, 1, build->goal, &block, &len, build->err);
        if (r < 0)
                return r;
        build->goal = block + len;
        build->n_blocks++;
        entries = xcalloc(per_block, sizeof(*entries));
        for (uint32_t i = 0; i < per_block; i++) {
                uint32_t entry;

                r = map_entry(build, level - 1, lblk + i * (span / per_block), &entry);
                if (r < 0)
                        return r;
                put_le32(&entries[i], entry);
        }
        *ret = (uint32_t)block;
        return ext_pwrite(&build->w->ext, entries, build->w->ext.fs->blocksize, block, build->err);
}

static int write_map(struct ext_writer *w, union ext_inode *inode, const struct ext_runs *runs, uint64_t *ret_blocks,
                     struct error *err)
{
        struct map_build build = {
                .w = w, .runs = runs->v, .at = runs->v, .n_runs = runs->n, .goal = w->goal, .err = err};
        uint64_t per_block = w->ext.fs->blocksize / 4, span = 1, lblk = 0;
        const struct ext_run *last = runs->n > 0 ? &runs->v[runs->n - 1] : NULL;
        uint64_t max = EXT2_NDIR_BLOCKS + per_block + per_block * per_block + per_block * per_block * per_block;
        int r;

        if (last && (last->lblk + last->len > max || last->lblk + last->len > UINT32_MAX))
                return error_set(err, EFBIG, "the file is too long for this file system");
        if (ext2fs_blocks_count(w->ext.fs->super) > UINT32_MAX)
                return error_set(err, EOPNOTSUPP, "the file system is too large for block maps");
        for (unsigned int i = 0; i < EXT2_N_BLOCKS; i++) {
                unsigned int level = i < EXT2_NDIR_BLOCKS ? 0 : i - EXT2_NDIR_BLOCKS + 1;

                span = level == 0 ? 1 : span * per_block;
                r = map_entry(&build, level, lblk, &inode->base.i_block[i]);
                if (r < 0)
                        return r;
                lblk += span;
        }
        *ret_blocks = build.n_blocks;
        return 0;
}

/* Clusters of all runs; two runs never share one. */
static uint64_t count_clusters(const struct ext *ext, const struct ext_runs *runs)
{
        uint64_t n = 0, ratio = (uint64_t)EXT2FS_CLUSTER_RATIO(ext->fs);

        for (size_t i = 0; i < runs->n; i++)
                n += round_up(runs->v[i].pblk + runs->v[i].len, ratio) / ratio - runs->v[i].pblk / ratio;
        return n;
}

int ext_map_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct ext_runs *runs,
                  struct error *err)
{
        uint64_t clusters = count_clusters(&w->ext, runs), map_blocks = 0;
        int r;

        if (ext2fs_file_acl_block(w->ext.fs, &inode->base))
                clusters++;
        ext2fs_iblk_set(w->ext.fs, &inode->base, clusters);
        if (inode->base.i_flags & EXT4_EXTENTS_FL)
                return write_extents(w, ino, inode, runs, err); /* the tree's own blocks are counted there */
        r = write_map(w, inode, runs, &map_blocks, err);
        if (r == 0)
                ext2fs_iblk_set(w->ext.fs, &inode->base, clusters + map_blocks);
        return r;
}
