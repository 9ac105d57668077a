/* Folders in memory, for the ext writer: entries in the order in which they lie
 * on the disk, found by a hash of their names. A changed folder is written
 * whole, in new blocks; see ext_htree.c for what they look like. */
#include "disk/ext_writer.h"

#include <errno.h>
#include <string.h>

enum { DIRS_MAX = 4000, NAMES_MAX = 150000 };

/* --- names --- */

static uint32_t name_hash(const char *s, size_t n)
{
        uint32_t hash = 2166136261U; /* FNV-1a */

        for (size_t i = 0; i < n; i++)
                hash = (hash ^ (unsigned char)s[i]) * 16777619U;
        return hash;
}

static const char *name_text(const struct ext_dir *dir, const struct ext_name *name)
{
        return dir->text.s + name->at;
}

/* The slot that has the name, or the empty one where it would be. */
static uint32_t *slot(const struct ext_dir *dir, const char *s, size_t n)
{
        size_t i = name_hash(s, n) & (dir->index_cap - 1);

        for (; dir->index[i]; i = (i + 1) & (dir->index_cap - 1)) {
                const struct ext_name *name = &dir->names.v[dir->index[i] - 1];

                if (name->ino && name->len == n && memcmp(name_text(dir, name), s, n) == 0)
                        break;
        }
        return &dir->index[i];
}

/* Removed names keep their slot until the table is made anew. */
static void reindex(struct ext_dir *dir, size_t cap)
{
        free(dir->index);
        dir->index = xcalloc(cap, sizeof(*dir->index));
        dir->index_cap = cap;
        for (size_t i = 0; i < dir->names.n; i++)
                if (dir->names.v[i].ino)
                        *slot(dir, name_text(dir, &dir->names.v[i]), dir->names.v[i].len) = (uint32_t)i + 1;
}

static unsigned int file_type(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFREG:
                return EXT2_FT_REG_FILE;
        case S_IFDIR:
                return EXT2_FT_DIR;
        case S_IFLNK:
                return EXT2_FT_SYMLINK;
        case S_IFCHR:
                return EXT2_FT_CHRDEV;
        case S_IFBLK:
                return EXT2_FT_BLKDEV;
        case S_IFIFO:
                return EXT2_FT_FIFO;
        case S_IFSOCK:
                return EXT2_FT_SOCK;
        default:
                return EXT2_FT_UNKNOWN;
        }
}

static void add(struct ext_dir *dir, const char *s, size_t n, ext2_ino_t ino, unsigned int type)
{
        if (2 * (dir->names.n + 1) > dir->index_cap)
                reindex(dir, dir->index_cap ? 2 * dir->index_cap : 16);
        vec_push(
                &dir->names,
                (struct ext_name){.ino = ino, .at = (uint32_t)dir->text.len, .len = (uint8_t)n, .type = (uint8_t)type});
        str_addn(&dir->text, s, n);
        *slot(dir, s, n) = (uint32_t)dir->names.n;
        dir->n_live++;
}

void ext_dir_add(struct ext_writer *w, struct ext_dir *dir, const char *name, ext2_ino_t ino, mode_t mode)
{
        bool typed = ext2fs_has_feature_filetype(w->ext.fs->super);

        add(dir, name, strlen(name), ino, typed ? file_type(mode) : 0);
        w->n_names++;
        dir->dirty = true;
}

struct ext_name *ext_dir_find(const struct ext_dir *dir, const char *name)
{
        uint32_t number = dir->index_cap ? *slot(dir, name, strlen(name)) : 0;

        return number ? &dir->names.v[number - 1] : NULL;
}

void ext_dir_remove(struct ext_dir *dir, struct ext_name *name)
{
        name->ino = 0;
        dir->n_live--;
        dir->dirty = true;
}

/* --- the cache --- */

static struct ext_dir *dir_free(struct ext_dir *dir)
{
        vec_free(&dir->names);
        str_clear(&dir->text);
        free(dir->index);
        free(dir);
        return NULL;
}

struct ext_dir *ext_dir_new(struct ext_writer *w, ext2_ino_t ino, ext2_ino_t parent)
{
        struct ext_dir *dir = xcalloc(1, sizeof(*dir));

        dir->ino = ino;
        dir->parent = parent;
        dir->dirty = true;
        dir->next = w->dirs[ino % EXT_BUCKETS];
        w->dirs[ino % EXT_BUCKETS] = dir;
        w->n_dirs++;
        return dir;
}

void ext_dir_forget(struct ext_writer *w, ext2_ino_t ino)
{
        for (struct ext_dir **at = &w->dirs[ino % EXT_BUCKETS]; *at; at = &(*at)->next) {
                struct ext_dir *dir = *at;

                if (dir->ino != ino)
                        continue;
                *at = dir->next;
                w->n_dirs--;
                w->n_names -= w->n_names < dir->names.n ? w->n_names : dir->names.n;
                dir_free(dir);
                return;
        }
}

void ext_dir_free_all(struct ext_writer *w)
{
        for (size_t i = 0; i < EXT_BUCKETS; i++) {
                while (w->dirs[i]) {
                        struct ext_dir *dir = w->dirs[i];

                        w->dirs[i] = dir->next;
                        dir_free(dir);
                }
        }
        w->n_dirs = w->n_names = 0;
}

static int on_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct ext_dir *dir = arg;

        if (dir->text.len > UINT32_MAX / 2)
                return error_set(err, EFBIG, "folder %u is too large", dir->ino);
        add(dir, name, len, ino, type);
        return 0;
}

static int load(struct ext_writer *w, struct ext_dir *dir, struct error *err)
{
        union ext_inode inode;
        errcode_t code;
        int r = ext_inode_read(&w->ext, dir->ino, &inode, err);

        if (r < 0)
                return r;
        if (!ext2fs_test_inode_bitmap2(w->ext.fs->inode_map, dir->ino))
                return ext_damaged(err, "folder %u is deleted and in use", dir->ino);
        if (inode.base.i_flags & EXT4_CASEFOLD_FL)
                return error_set(err, EOPNOTSUPP,
                                 "the folder ignores case (casefold), and cannot be changed in an image");
        code = ext2fs_lookup(w->ext.fs, dir->ino, "..", 2, NULL, &dir->parent);
        if (code)
                return ext_error(err, code, "find the folder above folder %u", dir->ino);
        return ext_dir_each(&w->ext, dir->ino, on_entry, dir, err);
}

int ext_dir_get(struct ext_writer *w, ext2_ino_t ino, struct ext_dir **ret, struct error *err)
{
        struct ext_dir *dir = w->dirs[ino % EXT_BUCKETS];
        int r;

        while (dir && dir->ino != ino)
                dir = dir->next;
        if (!dir) {
                dir = ext_dir_new(w, ino, 0);
                r = load(w, dir, err);
                if (r < 0) {
                        ext_dir_forget(w, ino);
                        return r;
                }
                dir->dirty = false;
                w->n_names += dir->names.n;
        }
        *ret = dir;
        return 0;
}

/* --- writing --- */

static int store_blocks(struct ext_writer *w, struct ext_dir *dir, char *data, size_t n, uint64_t goal,
                        struct ext_runs *runs, struct error *err)
{
        uint64_t size = w->ext.fs->blocksize;

        for (uint64_t lblk = 0; lblk < n;) {
                uint64_t block, len;
                int r = ext_alloc(w, n - lblk, n - lblk, goal, &block, &len, err);

                if (r < 0)
                        return r;
                len = len < n - lblk ? len : n - lblk;
                for (uint64_t i = 0; i < len; i++) {
                        errcode_t code =
                                ext2fs_write_dir_block4(w->ext.fs, block + i, data + (lblk + i) * size, 0, dir->ino);

                        if (code)
                                return ext_error(err, code, "write folder %u", dir->ino);
                }
                ext_runs_add(runs, lblk, block, len);
                lblk += len;
                goal = block + len;
        }
        return 0;
}

/* The old blocks go first, so that a folder can always be written back. */
static int replace_blocks(struct ext_writer *w, struct ext_dir *dir, union ext_inode *inode, char *data, size_t n,
                          struct error *err)
{
        struct ext_runs runs = {0};
        uint64_t goal = w->goal;
        int r;

        r = ext_map_read(&w->ext, dir->ino, inode, &runs, err);
        if (r == 0 && runs.n > 0)
                goal = runs.v[0].pblk;
        ext_runs_clear(&runs);
        if (r == 0)
                r = ext_map_free(&w->ext, dir->ino, inode, err);
        if (r == 0)
                r = store_blocks(w, dir, data, n, goal, &runs, err);
        if (r == 0) {
                ext2fs_inode_size_set(w->ext.fs, &inode->base, (ext2_off64_t)n * w->ext.fs->blocksize);
                r = ext_map_write(w, dir->ino, inode, &runs, err);
        }
        ext_runs_clear(&runs);
        return r;
}

/* A folder whose entries lay in the inode moves to blocks. */
static int leave_inline(struct ext_writer *w, struct ext_dir *dir, union ext_inode *inode, struct error *err)
{
        int r = ext_xattr_drop_inline(w, dir->ino, err);

        if (r == 0)
                r = ext_inode_read(&w->ext, dir->ino, inode, err);
        if (r < 0)
                return r;
        inode->base.i_flags &= ~(uint32_t)EXT4_INLINE_DATA_FL;
        memset(inode->base.i_block, 0, sizeof(inode->base.i_block));
        if (ext2fs_has_feature_extents(w->ext.fs->super))
                inode->base.i_flags |= EXT4_EXTENTS_FL;
        return ext_inode_write(&w->ext, dir->ino, inode, err); /* its blocks are looked for there */
}

static int flush(struct ext_writer *w, struct ext_dir *dir, struct error *err)
{
        CLEANUP_FREE char *data = NULL;
        union ext_inode inode;
        bool indexed;
        size_t n;
        int r = ext_dir_layout(w, dir, &data, &n, &indexed, err);

        if (r < 0)
                return r;
        r = ext_inode_read(&w->ext, dir->ino, &inode, err);
        if (r < 0)
                return r;
        if (inode.base.i_flags & EXT4_INLINE_DATA_FL) {
                r = leave_inline(w, dir, &inode, err);
                if (r < 0)
                        return r;
        }
        inode.base.i_flags &= ~(uint32_t)EXT2_INDEX_FL;
        if (indexed)
                inode.base.i_flags |= EXT2_INDEX_FL;
        r = replace_blocks(w, dir, &inode, data, n, err);
        if (r == 0)
                r = ext_inode_write(&w->ext, dir->ino, &inode, err);
        if (r < 0)
                return error_wrap(err, r, "write a folder of %zu entries", dir->n_live);
        dir->dirty = false;
        return 0;
}

int ext_dir_trim(struct ext_writer *w, bool all, struct error *err)
{
        if (!all && w->n_dirs < DIRS_MAX && w->n_names < NAMES_MAX)
                return 0;
        for (size_t i = 0; i < EXT_BUCKETS; i++) {
                for (struct ext_dir *dir = w->dirs[i]; dir; dir = dir->next) {
                        int r = dir->dirty ? flush(w, dir, err) : 0;

                        if (r < 0)
                                return r;
                }
        }
        ext_dir_free_all(w);
        return 0;
}
