/* Inodes for the ext writer: new ones, what a struct stat says about them,
 * their extended attributes, and their end (kernel documentation, ext4: "Index
 * Nodes", "Inode Timestamps", "Extended Attributes"). */
#include "disk/ext_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

/* --- new --- */

static int no_inodes(const struct ext_writer *w, struct error *err)
{
        return error_set(
                err, ENOSPC,
                "no inodes left in the file system: all %u are in use; a larger file system has more of them "
                "('image_size' with image_build_method 'resize', or '-N' in 'filesystem_make_options' with 'new')",
                w->ext.fs->super->s_inodes_count);
}

static uint16_t extra_isize(const struct ext *ext)
{
        size_t slot = EXT2_INODE_SIZE(ext->fs->super), own = sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
        size_t want = ext->fs->super->s_want_extra_isize;

        if (slot < sizeof(struct ext2_inode_large))
                return 0;
        if (want < 4 || want % 4 != 0 || want > slot - EXT2_GOOD_OLD_INODE_SIZE)
                want = own;
        return (uint16_t)want;
}

int ext_inode_new(struct ext_writer *w, ext2_ino_t dir, const struct stat *st, ext2_ino_t *ret, union ext_inode *inode,
                  struct error *err)
{
        ext2_filsys fs = w->ext.fs;
        ext2_ino_t ino;
        errcode_t code = ext2fs_new_inode(fs, dir, (int)st->st_mode, NULL, &ino);

        if (code == EXT2_ET_INODE_ALLOC_FAIL)
                return no_inodes(w, err);
        if (code)
                return ext_error(err, code, "find a free inode");
        memset(inode, 0, sizeof(*inode));
        inode->base.i_mode = st->st_mode & S_IFMT;
        inode->base.i_links_count = 1;
        if (EXT2_INODE_SIZE(fs->super) > EXT2_GOOD_OLD_INODE_SIZE)
                inode->large.i_extra_isize = extra_isize(&w->ext);
        ext_inode_set(w, inode, st);
        if (inode->large.i_extra_isize >= 24) { /* the time of its birth too */
                inode->large.i_crtime = inode->base.i_mtime;
                inode->large.i_crtime_extra = inode->large.i_mtime_extra;
        }
        if (ext2fs_has_feature_extents(fs->super) &&
            (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode)))
                inode->base.i_flags |= EXT4_EXTENTS_FL;
        ext2fs_inode_alloc_stats2(fs, ino, 1, S_ISDIR(st->st_mode));
        *ret = ino;
        return 0;
}

static struct timespec clamp(const struct ext_writer *w, struct timespec ts, bool wide)
{
        int64_t max = wide ? (INT64_C(1) << 34) + INT32_MIN - 1 : INT32_MAX;

        if (w->epoch >= 0 && ts.tv_sec >= w->epoch)
                ts = (struct timespec){.tv_sec = w->epoch};
        if (ts.tv_sec > max)
                ts = (struct timespec){.tv_sec = max};
        if (ts.tv_sec < INT32_MIN)
                ts = (struct timespec){.tv_sec = INT32_MIN};
        return ts;
}

void ext_inode_set(struct ext_writer *w, union ext_inode *inode, const struct stat *st)
{
        struct ext2_inode *base = &inode->base;
        bool wide = EXT2_INODE_SIZE(w->ext.fs->super) > EXT2_GOOD_OLD_INODE_SIZE && inode->large.i_extra_isize >= 16;
        struct timespec ts = clamp(w, st->st_mtim, wide);

        base->i_mode = (uint16_t)((base->i_mode & S_IFMT) | (st->st_mode & 07777));
        base->i_uid = (uint16_t)st->st_uid;
        base->i_gid = (uint16_t)st->st_gid;
        base->osd2.linux2.l_i_uid_high = (uint16_t)(st->st_uid >> 16);
        base->osd2.linux2.l_i_gid_high = (uint16_t)(st->st_gid >> 16);
        base->i_atime = base->i_ctime = base->i_mtime = (uint32_t)ts.tv_sec;
        if (wide) {
                uint32_t epoch = (uint32_t)(((int64_t)ts.tv_sec - (int32_t)ts.tv_sec) >> 32) & 3;

                inode->large.i_mtime_extra = epoch | (uint32_t)ts.tv_nsec << 2;
                inode->large.i_atime_extra = inode->large.i_ctime_extra = inode->large.i_mtime_extra;
        }
}

/* --- extended attributes --- */

struct doomed {
        const struct fs_change *change;
        char **names;
};

static int on_present(char *name, char *value, size_t len, void *arg)
{
        struct doomed *doomed = arg;

        (void)value, (void)len;
        for (size_t i = 0; doomed->change && i < doomed->change->n_xattrs; i++)
                if (str_eq(doomed->change->xattrs[i].name, name))
                        return 0;
        if (!doomed->change || fs_xattr_travels(name))
                strv_add(&doomed->names, name);
        return 0;
}

static int set_one(struct ext2_xattr_handle *handle, const struct fs_xattr *xattr, struct error *err)
{
        errcode_t code = ext2fs_xattr_set(handle, xattr->name, xattr->value, xattr->len);

        if (code == EXT2_ET_EA_NO_SPACE)
                return error_set(err, ENOSPC,
                                 "the attribute '%s' (%zu bytes) is more than the file system can keep with one file",
                                 xattr->name, xattr->len);
        if (code == EXT2_ET_BLOCK_ALLOC_FAIL)
                return error_set(err, ENOSPC, "no space left in the file system for the attribute '%s'", xattr->name);
        return code ? ext_error(err, code, "set the attribute '%s'", xattr->name) : 0;
}

/* Remove what is not in `change` (NULL: everything), set what is. */
static int replace_all(struct ext2_xattr_handle *handle, const struct fs_change *change, struct error *err)
{
        struct doomed doomed = {.change = change};
        errcode_t code = ext2fs_xattrs_read(handle);
        int r = 0;

        if (code == 0)
                code = ext2fs_xattrs_iterate(handle, on_present, &doomed);
        for (char **name = doomed.names; code == 0 && name && *name; name++)
                code = ext2fs_xattr_remove(handle, *name);
        strv_free(doomed.names);
        if (code)
                return ext_error(err, code, "change the attributes");
        for (size_t i = 0; r == 0 && change && i < change->n_xattrs; i++)
                r = set_one(handle, &change->xattrs[i], err);
        return r;
}

static int change_xattrs(struct ext_writer *w, ext2_ino_t ino, const struct fs_change *change, struct error *err)
{
        struct ext2_xattr_handle *handle;
        errcode_t code = ext2fs_xattrs_open(w->ext.fs, ino, &handle);
        int r;

        if (code)
                return ext_error(err, code, "open the attributes");
        r = replace_all(handle, change, err);
        ext2fs_xattrs_close(&handle);
        return r;
}

int ext_xattr_set(struct ext_writer *w, ext2_ino_t ino, const struct fs_change *change, struct error *err)
{
        union ext_inode inode;
        int r;

        if (change->n_xattrs == 0) {
                r = ext_inode_read(&w->ext, ino, &inode, err);
                if (r < 0 || !ext_xattr_any(&w->ext, &inode))
                        return r;
        }
        return change_xattrs(w, ino, change, err);
}

int ext_xattr_drop_inline(struct ext_writer *w, ext2_ino_t ino, struct error *err)
{
        struct ext2_xattr_handle *handle;
        errcode_t code = ext2fs_xattrs_open(w->ext.fs, ino, &handle);

        if (code == 0) {
                code = ext2fs_xattrs_read(handle);
                if (code == 0)
                        code = ext2fs_xattr_remove(handle, "system.data");
                ext2fs_xattrs_close(&handle);
        }
        return code ? ext_error(err, code, "turn inline data of inode %u into blocks", ino) : 0;
}

/* --- the end --- */

int ext_inode_free(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, struct error *err)
{
        ext2_filsys fs = w->ext.fs;
        errcode_t code;
        int r;

        /* Values in inodes of their own are counted; only the attribute code knows how. */
        if (ext2fs_has_feature_ea_inode(fs->super) && ext_xattr_any(&w->ext, inode) &&
            !(inode->base.i_flags & EXT4_INLINE_DATA_FL)) {
                r = change_xattrs(w, ino, NULL, err);
                if (r == 0)
                        r = ext_inode_read(&w->ext, ino, inode, err);
                if (r < 0)
                        return r;
        }
        code = ext2fs_free_ext_attr(fs, ino, &inode->large);
        if (code)
                return ext_error(err, code, "free the attributes of inode %u", ino);
        r = ext_map_free(&w->ext, ino, inode, err);
        if (r < 0)
                return r;
        ext2fs_inode_alloc_stats2(fs, ino, -1, S_ISDIR(inode->base.i_mode));
        inode->base.i_links_count = 0;
        inode->base.i_dtime = fs->now > 0 ? (uint32_t)fs->now : 1;
        ext2fs_inode_size_set(fs, &inode->base, 0);
        return ext_inode_write(&w->ext, ino, inode, err);
}
