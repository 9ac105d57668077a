/* Looking into an ext file system for `slipway image`: folders and files by
 * path, with symlinks followed inside the file system only. */
#include "disk/ext_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/ext_ops.h"

enum { SYMLINKS_MAX = 40, BUFFER = 1 << 20 };

struct entry {
        char *name;
        ext2_ino_t ino;
};

struct listing {
        struct ext *ext;
        VEC(struct entry) entries;
};

/* --- path to inode --- */

/* The inode of `name` in folder `dir`. */
static int lookup(struct ext *ext, ext2_ino_t dir, const char *name, const char *path, ext2_ino_t *ret,
                  struct error *err)
{
        errcode_t code = ext2fs_lookup(ext->fs, dir, name, (int)strlen(name), NULL, ret);

        if (code == EXT2_ET_FILE_NOT_FOUND)
                return error_set(err, ENOENT, "there is no '%s'", path);
        if (code == EXT2_ET_NO_DIRECTORY)
                return error_set(err, ENOTDIR, "'%s': what is before '%s' is no folder", path, name);
        if (code)
                return ext_error(err, code, "look up '%s'", path);
        if (!ext_inode_number_valid(ext, *ret))
                return ext_damaged(err, "'%s' has the inode number %u", path, *ret);
        return 0;
}

/* Follow the symlink `ino` in folder *dir: its text goes before what is left of the path. */
static int follow(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, ext2_ino_t *dir, char **rest,
                  struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        char *joined;
        int r = ext_symlink_read(ext, ino, inode, &text, err);

        if (r < 0)
                return r;
        if (text[0] == '/')
                *dir = EXT2_ROOT_INO;
        joined = xasprintf("%s/%s", text, *rest);
        free(*rest);
        *rest = joined;
        return 0;
}

/* Cut the first component off *rest; NULL at the end. The caller frees. */
static char *next_component(char **rest)
{
        char *start = *rest + strspn(*rest, "/"), *name, *left;
        size_t n = strcspn(start, "/");

        if (n == 0)
                return NULL;
        name = xstrndup(start, n);
        left = xstrdup(start + n);
        free(*rest);
        *rest = left;
        return name;
}

static int resolve(struct ext *ext, const char *path, bool follow_last, ext2_ino_t *ret, union ext_inode *ret_inode,
                   struct error *err)
{
        CLEANUP_FREE char *rest = xstrdup(path);
        ext2_ino_t dir = EXT2_ROOT_INO, at = EXT2_ROOT_INO;
        unsigned int symlinks = 0;
        int r = ext_inode_read(ext, at, ret_inode, err);

        while (r == 0) {
                CLEANUP_FREE char *name = next_component(&rest);

                if (!name)
                        break;
                dir = at;
                r = lookup(ext, dir, name, path, &at, err);
                if (r == 0)
                        r = ext_inode_read(ext, at, ret_inode, err);
                if (r == 0 && S_ISLNK(ret_inode->base.i_mode) && (follow_last || rest[strspn(rest, "/")])) {
                        if (++symlinks > SYMLINKS_MAX)
                                return error_set(err, ELOOP, "'%s' goes through too many symlinks", path);
                        r = follow(ext, at, ret_inode, &dir, &rest, err);
                        at = dir;
                        if (r == 0)
                                r = ext_inode_read(ext, at, ret_inode, err);
                }
        }
        *ret = at;
        return r;
}

/* --- list --- */

static int on_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct listing *listing = arg;

        (void)type, (void)err;
        vec_push(&listing->entries, (struct entry){.name = xstrndup(name, len), .ino = ino});
        return 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int show(struct ext *ext, const struct entry *entry, int (*show_entry)(void *, const struct fs_entry *),
                void *arg, struct error *err)
{
        CLEANUP_FREE char *target = NULL;
        union ext_inode inode;
        struct fs_entry shown = {.name = entry->name};
        int r = ext_inode_read(ext, entry->ino, &inode, err);

        if (r < 0)
                return r;
        ext_inode_stat(ext, entry->ino, &inode, &shown.st);
        if (S_ISLNK(shown.st.st_mode)) {
                r = ext_symlink_read(ext, entry->ino, &inode, &target, err);
                if (r < 0)
                        return r;
                shown.target = target;
        }
        return show_entry(arg, &shown);
}

static int list_path(struct ext *ext, const char *path, int (*show_entry)(void *, const struct fs_entry *), void *arg,
                     struct error *err)
{
        struct listing listing = {.ext = ext};
        union ext_inode inode;
        ext2_ino_t ino;
        bool slash = str_ends(path, "/");
        int r = resolve(ext, path, slash, &ino, &inode, err);

        if (r < 0)
                return r;
        if (!S_ISDIR(inode.base.i_mode))
                return show(ext, &(struct entry){.name = (char *)path_name(path), .ino = ino}, show_entry, arg, err);
        r = ext_dir_each(ext, ino, on_entry, &listing, err);
        if (r == 0 && listing.entries.n > 0)
                qsort(listing.entries.v, listing.entries.n, sizeof(*listing.entries.v), by_name);
        for (size_t i = 0; i < listing.entries.n; i++) {
                if (r == 0)
                        r = show(ext, &listing.entries.v[i], show_entry, arg, err);
                free(listing.entries.v[i].name);
        }
        vec_free(&listing.entries);
        return r;
}

int ext_list(const struct fs_volume *volume, const char *path,
             int (*show_entry)(void *arg, const struct fs_entry *entry), void *arg, struct error *err)
{
        struct ext ext;
        int r = ext_open(volume, EXT_LOOK, &ext, err);

        if (r == 0) {
                r = list_path(&ext, path, show_entry, arg, err);
                ext_free(&ext);
        }
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : r;
}

/* --- cat --- */

static int write_zeros(int fd, uint64_t n, struct error *err)
{
        static const char zeros[65536];

        while (n > 0) {
                size_t part = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
                int r = fd_write_all(fd, zeros, part);

                if (r < 0)
                        return error_errno(err, -r, "write");
                r = cancel_check(err);
                if (r < 0)
                        return r;
                n -= part;
        }
        return 0;
}

/* It stays one where nothing is written yet at this place of a file: one that says it is a thousand times larger than
 * its image does not fill the disk. */
static int write_hole(int fd, uint64_t n, struct error *err)
{
        struct stat st;
        off_t at = lseek(fd, 0, SEEK_CUR), end;

        if (n == 0)
                return 0;
        if (at < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || at < st.st_size || fcntl(fd, F_GETFL) & O_APPEND)
                return write_zeros(fd, n, err);
        if (__builtin_add_overflow(at, n, &end))
                return error_errno(err, EFBIG, "write");
        return ftruncate(fd, end) < 0 || lseek(fd, end, SEEK_SET) < 0 ? error_errno(err, errno, "write") : 0;
}

/* What of the run is below `size`, in pieces. *at: how much of the file is written. */
static int cat_run(struct ext *ext, const struct ext_run *run, char *buffer, uint64_t size, int fd, uint64_t *at,
                   struct error *err)
{
        uint64_t block_size = ext->fs->blocksize, start = run->lblk * block_size;
        uint64_t left = run->len * block_size, block = run->pblk;
        int r;

        if (start >= size)
                return 0;
        left = left < size - start ? left : size - start;
        r = write_hole(fd, start - *at, err);
        for (*at = start; r == 0 && left > 0;) {
                size_t n = left < BUFFER ? (size_t)left : BUFFER;

                r = ext_pread(ext, buffer, n, block, err);
                if (r < 0)
                        return r;
                r = fd_write_all(fd, buffer, n);
                if (r < 0)
                        return error_errno(err, -r, "write");
                r = cancel_check(err);
                block += n / block_size;
                left -= n;
                *at += n;
        }
        return r;
}

static int cat_blocks(struct ext *ext, ext2_ino_t ino, union ext_inode *inode, uint64_t size, int fd, struct error *err)
{
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        struct ext_runs runs = {0};
        uint64_t at = 0;
        int r = ext_map_read(ext, ino, inode, &runs, err);

        for (size_t i = 0; r == 0 && i < runs.n; i++)
                r = cat_run(ext, &runs.v[i], buffer, size, fd, &at, err);
        if (r == 0)
                r = write_hole(fd, size - at, err);
        ext_runs_clear(&runs);
        return r;
}

/* The regular file at a path. */
static int find_file(struct ext *ext, const char *path, ext2_ino_t *ino, union ext_inode *inode, struct error *err)
{
        int r = resolve(ext, path, true, ino, inode, err);

        if (r < 0)
                return r;
        if (!S_ISREG(inode->base.i_mode))
                return error_set(err, S_ISDIR(inode->base.i_mode) ? EISDIR : EINVAL, "'%s' is no regular file", path);
        if (inode->base.i_flags & EXT4_ENCRYPT_FL)
                return error_set(err, EOPNOTSUPP, "'%s' is encrypted", path);
        return 0;
}

static int cat_path(struct ext *ext, const char *path, int fd, struct error *err)
{
        CLEANUP_FREE char *data = NULL;
        union ext_inode inode;
        ext2_ino_t ino;
        uint64_t size;
        int r = find_file(ext, path, &ino, &inode, err);

        if (r < 0)
                return r;
        size = EXT2_I_SIZE(&inode.base);
        if (!(inode.base.i_flags & EXT4_INLINE_DATA_FL))
                return cat_blocks(ext, ino, &inode, size, fd, err);
        r = ext_inline_read(ext, ino, size, &data, err);
        if (r < 0)
                return r;
        r = fd_write_all(fd, data, size);
        return r < 0 ? error_errno(err, -r, "write") : 0;
}

int ext_cat(const struct fs_volume *volume, const char *path, int out_fd, struct error *err)
{
        struct ext ext;
        int r = ext_open(volume, EXT_LOOK, &ext, err);

        if (r == 0) {
                r = cat_path(&ext, path, out_fd, err);
                ext_free(&ext);
        }
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : 0;
}

/* --- locate --- */

static int locate_path(struct ext *ext, const char *path, struct fs_extents *ret, struct error *err)
{
        uint64_t block_size = ext->fs->blocksize;
        struct ext_runs runs = {0};
        union ext_inode inode;
        struct stat st;
        ext2_ino_t ino;
        int r = find_file(ext, path, &ino, &inode, err);

        if (r < 0)
                return r;
        if (inode.base.i_flags & EXT4_INLINE_DATA_FL)
                return error_set(err, ENOTSUP, "'%s' lies in its inode", path);
        ext_inode_stat(ext, ino, &inode, &st);
        ret->mtime_sec = st.st_mtim.tv_sec;
        ret->size_bytes = EXT2_I_SIZE(&inode.base);
        r = ext_map_read(ext, ino, &inode, &runs, err);
        for (size_t i = 0; r == 0 && i < runs.n; i++) {
                uint64_t at = runs.v[i].lblk * block_size, len = runs.v[i].len * block_size;

                if (at >= ret->size_bytes)
                        break;
                len = len < ret->size_bytes - at ? len : ret->size_bytes - at;
                r = fs_extents_add(ret, (struct fs_extent){at, len, ext->offset_bytes + runs.v[i].pblk * block_size},
                                   err);
        }
        ext_runs_clear(&runs);
        return r;
}

int ext_locate(const struct fs_volume *volume, const char *path, struct fs_extents *ret, struct error *err)
{
        struct fs_extents extents = {0};
        struct ext ext;
        int r = ext_open(volume, EXT_LOOK, &ext, err);

        if (r == 0) {
                r = locate_path(&ext, path, &extents, err);
                ext_free(&ext);
        }
        if (r == 0)
                *ret = steal(&extents);
        fs_extents_clear(&extents);
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : 0;
}
