/* Opening an ext2/3/4 file system that lies in an image, what libext2fs' errors
 * mean to a person, and inodes as struct stat. Format: the kernel's
 * Documentation/filesystems/ext4 ("ext4" below). */
#include "disk/ext_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/size.h"

static int code_errno(errcode_t code)
{
        if (code > 0 && code < 256)
                return (int)code;
        switch (code) {
        case EXT2_ET_NO_MEMORY:
                return ENOMEM;
        case EXT2_ET_BLOCK_ALLOC_FAIL:
        case EXT2_ET_INODE_ALLOC_FAIL:
        case EXT2_ET_DIR_NO_SPACE:
        case EXT2_ET_EA_NO_SPACE:
                return ENOSPC;
        case EXT2_ET_BAD_MAGIC:
                return EINVAL;
        case EXT2_ET_UNSUPP_FEATURE:
        case EXT2_ET_RO_UNSUPP_FEATURE:
                return EOPNOTSUPP;
        default:
                return EUCLEAN;
        }
}

int ext_error(struct error *err, errcode_t code, const char *format, ...)
{
        CLEANUP_FREE char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = xvasprintf(format, ap);
        va_end(ap);
        initialize_ext2_error_table();
        return error_set(err, code_errno(code), "%s: %s", what, error_message(code));
}

int ext_damaged(struct error *err, const char *format, ...)
{
        CLEANUP_FREE char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = xvasprintf(format, ap);
        va_end(ap);
        return error_set(err, EUCLEAN, "the file system is damaged: %s (e2fsck can tell more)", what);
}

static int check_features(const struct ext *ext, enum ext_access access, struct error *err)
{
        struct ext2_super_block *super = ext->fs->super;
        const char *refused = NULL;

        if (EXT2_INODE_SIZE(super) > EXT_INODE_MAX)
                return ext_damaged(err, "inodes of %u bytes", EXT2_INODE_SIZE(super));
        if (access != EXT_WRITE)
                return 0;
        if (ext2fs_has_feature_quota(super))
                refused = "quota"; /* its usage files would be wrong */
        else if (ext2fs_has_feature_shared_blocks(super))
                refused = "shared_blocks"; /* freeing one file's blocks takes them from another */
        else if (ext2fs_has_feature_journal_dev(super))
                refused = "journal_dev";
        if (refused)
                return error_set(err, EOPNOTSUPP,
                                 "the file system has the feature '%s', with which it cannot be changed in an image; "
                                 "'tune2fs -O ^%s' on a copy of the image removes it, where that is possible",
                                 refused, refused);
        return 0;
}

static int check_state(const struct ext *ext, struct error *err)
{
        struct ext2_super_block *super = ext->fs->super;

        if (ext2fs_has_feature_journal_needs_recovery(super))
                return error_set(
                        err, EUCLEAN,
                        "the file system was not cleanly unmounted: its journal must be replayed first (e2fsck -fp)");
        if ((super->s_state & EXT2_ERROR_FS) || !(super->s_state & EXT2_VALID_FS))
                return error_set(err, EUCLEAN, "the file system is marked as %s and must be checked first (e2fsck -fp)",
                                 super->s_state & EXT2_ERROR_FS ? "damaged" : "not cleanly unmounted");
        return 0;
}

static int check_size(const struct ext *ext, struct error *err)
{
        uint64_t bytes;

        if (__builtin_mul_overflow((uint64_t)ext2fs_blocks_count(ext->fs->super), (uint64_t)ext->fs->blocksize,
                                   &bytes) ||
            bytes > ext->size_bytes)
                return ext_damaged(err, "it has %" PRIu64 " blocks of %u bytes, and the partition only %s",
                                   (uint64_t)ext2fs_blocks_count(ext->fs->super), ext->fs->blocksize,
                                   size_show(ext->size_bytes));
        return 0;
}

int ext_open(const struct fs_volume *volume, enum ext_access access, struct ext *ext, struct error *err)
{
        CLEANUP_FREE char *options =
                xasprintf("offset=%" PRIu64 "&size=%" PRIu64, volume->offset_bytes, volume->size_bytes);
        int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | (access == EXT_WRITE ? EXT2_FLAG_RW : 0);
        struct ext opened = {.offset_bytes = volume->offset_bytes, .size_bytes = volume->size_bytes};
        errcode_t code;
        int r;

        code = ext2fs_open2(volume->path, options, flags, 0, 0, &ext_io_manager, &opened.fs);
        if (code)
                return ext_error(err, code, "open the ext file system at byte %" PRIu64 " of '%s'",
                                 volume->offset_bytes, volume->path);
        opened.fd = ext_io_fd(opened.fs->io);
        r = check_size(&opened, err);
        if (r == 0)
                r = check_features(&opened, access, err);
        if (r == 0 && access != EXT_LOOK)
                r = check_state(&opened, err);
        if (r == 0 && (code = ext2fs_check_desc(opened.fs)))
                r = ext_error(err, code, "the file system is damaged: group descriptors");
        if (r < 0) {
                ext_free(&opened);
                return r;
        }
        *ext = opened;
        return 0;
}

void ext_free(struct ext *ext)
{
        if (ext->fs)
                ext2fs_free(ext->fs);
        ext->fs = NULL;
}

bool ext_inode_number_valid(const struct ext *ext, ext2_ino_t ino)
{
        return ino <= ext->fs->super->s_inodes_count && (ino == EXT2_ROOT_INO || ino >= EXT2_FIRST_INO(ext->fs->super));
}

int ext_inode_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err)
{
        errcode_t code;

        /* Slots of 128 bytes leave what lies behind them untouched. */
        memset(inode, 0, sizeof(inode->large));
        code = ext2fs_read_inode_full(ext->fs, ino, &inode->base, (int)EXT2_INODE_SIZE(ext->fs->super));
        if (code)
                return ext_error(err, code, "read inode %u", ino);
        return 0;
}

int ext_inode_write(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err)
{
        errcode_t code = ext2fs_write_inode_full(ext->fs, ino, &inode->base, (int)EXT2_INODE_SIZE(ext->fs->super));

        if (code)
                return ext_error(err, code, "write inode %u", ino);
        return 0;
}

/* Seconds with the two further bits that i_mtime_extra holds (ext4, "Inode Timestamps"). */
static struct timespec inode_mtime(const struct ext *ext, const union ext_inode *inode)
{
        struct timespec ts = {.tv_sec = (int32_t)inode->base.i_mtime};
        size_t end = offsetof(struct ext2_inode_large, i_mtime_extra) + sizeof(inode->large.i_mtime_extra);

        if (EXT2_INODE_SIZE(ext->fs->super) > EXT2_GOOD_OLD_INODE_SIZE &&
            EXT2_GOOD_OLD_INODE_SIZE + (size_t)inode->large.i_extra_isize >= end) {
                ts.tv_sec += (time_t)(inode->large.i_mtime_extra & 3) << 32;
                ts.tv_nsec = inode->large.i_mtime_extra >> 2;
                if (ts.tv_nsec > 999999999)
                        ts.tv_nsec = 0;
        }
        return ts;
}

/* Device numbers: old 16-bit in i_block[0], else new 32-bit in i_block[1] (linux/kdev_t.h). */
static dev_t inode_rdev(const union ext_inode *inode)
{
        uint32_t old = inode->base.i_block[0], new = inode->base.i_block[1];

        if (old)
                return makedev(old >> 8 & 0xff, old & 0xff);
        return makedev(new >> 8 & 0xfff, (new & 0xff) | (new >> 12 & 0xfff00));
}

void ext_inode_stat(const struct ext *ext, ext2_ino_t ino, const union ext_inode *inode, struct stat *st)
{
        const struct ext2_inode *base = &inode->base;

        *st = (struct stat){
                .st_ino = ino,
                .st_mode = base->i_mode,
                .st_nlink = base->i_links_count,
                .st_uid = inode_uid(*base),
                .st_gid = inode_gid(*base),
                .st_blksize = ext->fs->blocksize,
                .st_mtim = inode_mtime(ext, inode),
        };
        st->st_atim = st->st_ctim = st->st_mtim;
        st->st_size = (off_t)EXT2_I_SIZE(base);
        st->st_blocks = (blkcnt_t)ext2fs_get_stat_i_blocks(ext->fs, (struct ext2_inode *)base);
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
                st->st_rdev = inode_rdev(inode);
}

static int place(const struct ext *ext, size_t n, blk64_t block, off_t *ret, struct error *err)
{
        uint64_t at;

        if (__builtin_mul_overflow((uint64_t)block, (uint64_t)ext->fs->blocksize, &at) || at > ext->size_bytes ||
            n > ext->size_bytes - at)
                return ext_damaged(err, "block %" PRIu64 " is outside of it", (uint64_t)block);
        *ret = (off_t)(ext->offset_bytes + at);
        return 0;
}

int ext_pread(struct ext *ext, void *data, size_t n, blk64_t block, struct error *err)
{
        off_t at = 0;
        int r = place(ext, n, block, &at, err);

        if (r < 0)
                return r;
        r = fd_pread_all(ext->fd, data, n, at);
        if (r == -ENODATA)
                return error_set(err, EIO, "the image ends at block %" PRIu64 " of the file system", (uint64_t)block);
        return r < 0 ? error_errno(err, -r, "read block %" PRIu64, (uint64_t)block) : 0;
}

int ext_pwrite(struct ext *ext, const void *data, size_t n, blk64_t block, struct error *err)
{
        off_t at = 0;
        int r = place(ext, n, block, &at, err);

        if (r < 0)
                return r;
        r = fd_pwrite_all(ext->fd, data, n, at);
        return r < 0 ? error_errno(err, -r, "write block %" PRIu64 " of the image", (uint64_t)block) : 0;
}
