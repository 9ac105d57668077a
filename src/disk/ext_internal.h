/* What the files of the ext rows share. Nothing outside ext*.c includes this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/vec.h"
#include "disk/fs.h"

/* libcom_err declares a function of this name; see base/error.h. */
#undef error_message
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

/* --- ext_common.c: an opened file system, and its errors --- */

struct ext {
        ext2_filsys fs;
        int fd; /* the image; data goes through it directly. Owned by fs->io. */
        uint64_t offset_bytes, size_bytes;
};

/* An inode with everything that is in its slot: 128 to EXT_INODE_MAX bytes. */
enum { EXT_INODE_MAX = 4096 };
union ext_inode {
        struct ext2_inode_large large;
        struct ext2_inode base;
        char bytes[EXT_INODE_MAX];
};

enum ext_access {
        EXT_LOOK, /* as EXT_READ, of a file system in whatever state */
        EXT_READ,
        EXT_WRITE,
};

/* Open the file system in volume. An error if it needs recovery, is marked as
 * damaged, is larger than the volume, or has features that this access cannot do justice to. */
int ext_open(const struct fs_volume *volume, enum ext_access access, struct ext *ext, struct error *err);
/* Forget everything that was not written. */
void ext_free(struct ext *ext);

/* A message of ours, with libext2fs' own after it; the errno that fits. */
int ext_error(struct error *err, errcode_t code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* -EUCLEAN: what no sound file system holds. */
int ext_damaged(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

int ext_inode_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err);
int ext_inode_write(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err);
bool ext_inode_number_valid(const struct ext *ext, ext2_ino_t ino);
void ext_inode_stat(const struct ext *ext, ext2_ino_t ino, const union ext_inode *inode, struct stat *st);

/* Blocks of the file system, straight from and to the image. */
int ext_pread(struct ext *ext, void *data, size_t n, blk64_t block, struct error *err);
int ext_pwrite(struct ext *ext, const void *data, size_t n, blk64_t block, struct error *err);

/* --- ext_io.c: the io_manager beneath, which never leaves the volume --- */
extern struct struct_io_manager ext_io_manager;
int ext_io_fd(io_channel channel);

/* --- ext_map.c: which blocks a file has --- */

/* Blocks lblk..lblk+len of a file lie at pblk. Ranges that read as zero are not listed. */
struct ext_run {
        uint64_t lblk, pblk, len;
};
struct ext_runs {
        struct ext_run *v;
        size_t n, cap;
};
void ext_runs_add(struct ext_runs *runs, uint64_t lblk, uint64_t pblk, uint64_t len);
static inline void ext_runs_clear(struct ext_runs *runs)
{
        vec_free(runs);
}
/* Written data only, in order, inside the file system, and not more blocks than it has. */
int ext_map_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct ext_runs *ret, struct error *err);
/* Give back all blocks of the inode (data and map; not those of attributes)
 * and empty its map, in memory. */
int ext_map_free(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, struct error *err);
/* The text of a symlink; the caller frees. */
int ext_symlink_read(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, char **ret, struct error *err);
/* Content of an inode with inline data; the caller frees. */
int ext_inline_read(struct ext *ext, ext2_ino_t ino, uint64_t size, char **ret, struct error *err);

/* Calls on_entry for each entry but "." and "..": names are checked (no slash, not empty), numbers are valid. */
typedef int ext_entry_fn(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err);
int ext_dir_each(struct ext *ext, ext2_ino_t dir, ext_entry_fn *on_entry, void *arg, struct error *err);

/* --- ext_xattr.c --- */
bool ext_xattr_any(const struct ext *ext, const union ext_inode *inode);
/* Each attribute as getxattr(2) would give it. */
typedef int ext_xattr_fn(void *arg, const char *name, const void *value, size_t len, struct error *err);
int ext_xattr_each(struct ext *ext, ext2_ino_t ino, ext_xattr_fn *on_xattr, void *arg, struct error *err);
