/* What the files of the ext writer share: ext_write.c (changes), ext_file.c
 * (data), ext_alloc.c (blocks), ext_dir.c and ext_htree.c (folders),
 * ext_attr.c (owners, times, attributes).
 *
 * Inodes are written at once. Folders are kept in memory with all their
 * entries and written whole, when the cache is full or at the end: that makes
 * ten thousand additions to one folder as cheap as one. Block and inode bitmaps,
 * group descriptors and the superblock are written at the end, by libext2fs. */
#pragma once

#include "disk/ext_internal.h"

#include "base/str.h"

/* --- ext_dir.c --- */

struct ext_name {
        ext2_ino_t ino; /* 0: removed */
        uint32_t at;    /* in the folder's text */
        uint8_t len, type;
};

struct ext_dir {
        ext2_ino_t ino, parent;
        bool dirty;
        struct {
                struct ext_name *v;
                size_t n, cap;
        } names;
        size_t n_live;
        struct str text;
        uint32_t *index; /* open table: 1 + number of a name, 0 empty */
        size_t index_cap;
        struct ext_dir *next; /* in its bucket */
};

enum { EXT_BUCKETS = 1024, EXT_WINDOW = 4 << 20 };

struct ext_writer {
        struct ext ext;
        char *name; /* of the volume */
        int64_t epoch;
        uint64_t goal; /* where the next data goes */
        char *buffer;  /* EXT_WINDOW bytes */
        struct ext_dir *dirs[EXT_BUCKETS];
        size_t n_dirs, n_names;
        char *parent_path; /* last folder that a path led to, or NULL */
        ext2_ino_t parent_ino;
        bool failed;
};

/* The folder with its entries; it stays valid until it is forgotten or trimmed. */
int ext_dir_get(struct ext_writer *w, ext2_ino_t ino, struct ext_dir **ret, struct error *err);
/* A folder that was just made: empty, in memory only. */
struct ext_dir *ext_dir_new(struct ext_writer *w, ext2_ino_t ino, ext2_ino_t parent);
struct ext_name *ext_dir_find(const struct ext_dir *dir, const char *name);
void ext_dir_add(struct ext_writer *w, struct ext_dir *dir, const char *name, ext2_ino_t ino, mode_t mode);
void ext_dir_remove(struct ext_dir *dir, struct ext_name *name);
/* The folder is gone from the image: drop what is in memory. */
void ext_dir_forget(struct ext_writer *w, ext2_ino_t ino);
/* Write what has changed and, where memory is short or `all`, forget everything. */
int ext_dir_trim(struct ext_writer *w, bool all, struct error *err);
void ext_dir_free_all(struct ext_writer *w);

/* --- ext_htree.c: folders as blocks --- */

/* The blocks of a folder, ready but for their checksums; the caller frees *ret. */
int ext_dir_layout(struct ext_writer *w, const struct ext_dir *dir, char **ret, size_t *ret_blocks, bool *ret_indexed,
                   struct error *err);

/* --- ext_alloc.c --- */

/* At most `want` free blocks in one piece, near `goal` and in a piece of at
 * least `ideal` if there is one; marked as used. Both count in blocks, and are
 * rounded up to clusters. */
int ext_alloc(struct ext_writer *w, uint64_t want, uint64_t ideal, uint64_t goal, uint64_t *ret_block,
              uint64_t *ret_len, struct error *err);
/* Where the most free blocks are. */
uint64_t ext_alloc_start(const struct ext *ext);
int ext_no_space(const struct ext_writer *w, uint64_t bytes, struct error *err);
/* Map of an inode that has none; counts its blocks. The inode's slot may be written. */
int ext_map_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct ext_runs *runs,
                  struct error *err);

/* --- ext_attr.c --- */

/* A new inode of this mode, marked as used, near the folder; *inode is set up but not written. */
int ext_inode_new(struct ext_writer *w, ext2_ino_t dir, const struct stat *st, ext2_ino_t *ret, union ext_inode *inode,
                  struct error *err);
/* Owner, permissions and times from st. */
void ext_inode_set(struct ext_writer *w, union ext_inode *inode, const struct stat *st);
/* Attributes of an inode that is written: afterwards it has those of the
 * change, and of others only those that no extracted tree can carry. */
int ext_xattr_set(struct ext_writer *w, ext2_ino_t ino, const struct fs_change *change, struct error *err);
int ext_xattr_drop_inline(struct ext_writer *w, ext2_ino_t ino, struct error *err);
/* Give back an inode with all that belongs to it. */
int ext_inode_free(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, struct error *err);

/* --- ext_file.c --- */

/* The data of a regular file, or `n` bytes of text (a symlink), into a new inode. */
int ext_file_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct fs_change *change,
                   struct error *err);
int ext_text_write(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const char *text, size_t n,
                   struct error *err);
