/* Data of files for the ext writer. A window of the file is read, its blocks
 * that are not zero are found, and each run of them goes to the image in one
 * write, after the last one where there is room. Holes and blocks of zeros are
 * not stored, except in swap files, which may not have any. */
#include "disk/ext_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "disk/fs_tools.h"

struct file {
        struct ext_writer *w;
        int fd;
        uint64_t size;
        bool keep_zeros;
        struct ext_runs runs;
};

/* Store `n` blocks from the buffer as blocks lblk of the file. */
static int store_run(struct file *file, const char *data, uint64_t lblk, uint64_t n, struct error *err)
{
        struct ext_writer *w = file->w;
        uint64_t block_size = w->ext.fs->blocksize, left = (file->size + block_size - 1) / block_size - lblk;

        while (n > 0) {
                uint64_t block, len;
                int r = ext_alloc(w, n, left, w->goal, &block, &len, err);

                if (r < 0)
                        return r;
                w->goal = block + len;
                if (len > n) /* a cluster that is not all used */
                        len = n;
                r = ext_pwrite(&w->ext, data, len * block_size, block, err);
                if (r < 0)
                        return r;
                ext_runs_add(&file->runs, lblk, block, len);
                data += len * block_size;
                lblk += len;
                left -= len;
                n -= len;
        }
        return 0;
}

/* The window's runs of units (blocks, or clusters) that are not zero. */
static int store_window(struct file *file, char *data, uint64_t n, uint64_t lblk, struct error *err)
{
        uint64_t block_size = file->w->ext.fs->blocksize;
        uint64_t unit = block_size * (uint64_t)EXT2FS_CLUSTER_RATIO(file->w->ext.fs), start = 0, at;
        int r = 0;

        memset(data + n, 0, (block_size - n % block_size) % block_size);
        n = (n + block_size - 1) / block_size * block_size;
        for (at = 0; r == 0 && at < n; at += unit) {
                uint64_t len = n - at < unit ? n - at : unit;

                if (file->keep_zeros || !is_zero(data + at, len))
                        continue;
                if (at > start)
                        r = store_run(file, data + start, lblk + start / block_size, (at - start) / block_size, err);
                start = at + len;
        }
        if (r == 0 && n > start)
                r = store_run(file, data + start, lblk + start / block_size, (n - start) / block_size, err);
        return r;
}

/* Where data begins at or after `at`; the file's size if there is none. */
static uint64_t next_data(const struct file *file, uint64_t at)
{
        off_t data;

        if (file->keep_zeros)
                return at;
        data = lseek(file->fd, (off_t)at, SEEK_DATA);
        if (data < 0)
                return errno == ENXIO ? file->size : at;
        return (uint64_t)data;
}

static int write_windows(struct file *file, struct error *err)
{
        uint64_t block_size = file->w->ext.fs->blocksize;
        uint64_t unit = block_size * (uint64_t)EXT2FS_CLUSTER_RATIO(file->w->ext.fs);
        uint64_t window = EXT_WINDOW / unit * unit;

        if (window == 0)
                return error_set(err, EOPNOTSUPP, "clusters of %s are too large", size_show(unit));
        for (uint64_t at = 0; at < file->size;) {
                uint64_t n = file->size - at < window ? file->size - at : window;
                int r = fd_pread_all(file->fd, file->w->buffer, n, (off_t)at);

                if (r == -ENODATA)
                        return error_set(err, EIO, "the source became shorter while it was read");
                if (r < 0)
                        return error_errno(err, -r, "read the source");
                if (at == 0)
                        file->keep_zeros = swap_signature(file->w->buffer, n);
                r = store_window(file, file->w->buffer, n, at / block_size, err);
                if (r < 0)
                        return r;
                r = cancel_check(err);
                if (r < 0)
                        return r;
                at += n;
                if (at < file->size)
                        at = next_data(file, at) / unit * unit;
        }
        return 0;
}

static void set_size(struct ext_writer *w, union ext_inode *inode, uint64_t size)
{
        ext2fs_inode_size_set(w->ext.fs, &inode->base, (ext2_off64_t)size);
        if (size > INT32_MAX && !ext2fs_has_feature_large_file(w->ext.fs->super)) {
                ext2fs_set_feature_large_file(w->ext.fs->super);
                ext2fs_mark_super_dirty(w->ext.fs);
        }
}

/* Free blocks are too few for the whole file: say by how much, not at which block it stopped. */
static int explain(struct ext_writer *w, int r, uint64_t free_before, uint64_t size, struct error *err)
{
        uint64_t block_size = w->ext.fs->blocksize, needed = (size + block_size - 1) / block_size;

        if (r != -ENOSPC || needed <= free_before)
                return r;
        ext2fs_free_blocks_count_set(w->ext.fs->super, free_before); /* as the message should have it */
        return ext_no_space(w, needed * block_size, err);
}

int ext_file_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct fs_change *change,
                   struct error *err)
{
        struct file file = {.w = w, .fd = change->fd, .size = (uint64_t)change->st.st_size};
        uint64_t free_before = ext2fs_free_blocks_count(w->ext.fs->super);
        int r = 0;

        if (change->st.st_size < 0)
                return error_set(err, EINVAL, "its size is negative");
        set_size(w, inode, file.size);
        if (file.size > 0)
                r = write_windows(&file, err);
        if (r == 0)
                r = ext_map_write(w, ino, inode, &file.runs, err);
        ext_runs_clear(&file.runs);
        return explain(w, r, free_before, file.size, err);
}

int ext_text_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const char *text, size_t n,
                   struct error *err)
{
        struct ext_runs runs = {0};
        uint64_t block, len;
        int r = ext_alloc(w, 1, 1, w->goal, &block, &len, err);

        if (r < 0)
                return r;
        w->goal = block + len;
        memset(w->buffer, 0, w->ext.fs->blocksize);
        memcpy(w->buffer, text, n);
        r = ext_pwrite(&w->ext, w->buffer, w->ext.fs->blocksize, block, err);
        if (r < 0)
                return r;
        set_size(w, inode, n);
        ext_runs_add(&runs, 0, block, 1);
        r = ext_map_write(w, ino, inode, &runs, err);
        ext_runs_clear(&runs);
        return r;
}
