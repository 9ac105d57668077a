/* Changes to an ext file system in place (fs.h, struct fs_change). There is no
 * order to keep for the sake of a power cut: an image that was not closed is
 * thrown away. So what is replaced goes first, and its space is used again. */
#include "disk/ext_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/cancel.h"
#include "disk/ext_ops.h"

/* --- paths --- */

static int check_path(const char *path, struct error *err)
{
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n == 0 || n > EXT2_NAME_LEN || (n == 1 && path[0] == '.') ||
                    (n == 2 && strncmp(path, "..", 2) == 0))
                        return error_set(err, n > EXT2_NAME_LEN ? ENAMETOOLONG : EINVAL,
                                         n > EXT2_NAME_LEN ? "a name in it is longer than 255 bytes" : "bad path");
                path += n;
                if (*path == '/' && !*++path)
                        return error_set(err, EINVAL, "bad path");
        }
        return 0;
}

/* The inode of `name` in folder `dir`; *ret 0 if there is none. */
static int lookup(struct ext_writer *w, ext2_ino_t dir, const char *name, ext2_ino_t *ret, union ext_inode *inode,
                  struct error *err)
{
        struct ext_dir *folder;
        struct ext_name *found;
        int r = ext_dir_get(w, dir, &folder, err);

        if (r < 0)
                return r;
        found = ext_dir_find(folder, name);
        *ret = found ? found->ino : 0;
        inode->base.i_mode = 0;
        return found ? ext_inode_read(&w->ext, found->ino, inode, err) : 0;
}

static int walk(struct ext_writer *w, const char *path, ext2_ino_t *ret, struct error *err)
{
        CLEANUP_STRV char **names = *path ? str_split(path, "/") : NULL;
        ext2_ino_t at = EXT2_ROOT_INO;

        for (char **name = names; name && *name; name++) {
                union ext_inode inode;
                int r = lookup(w, at, *name, &at, &inode, err);

                if (r < 0)
                        return r;
                if (at == 0)
                        return error_set(err, ENOENT, "there is no folder '%s'", path);
                if (!S_ISDIR(inode.base.i_mode))
                        return error_set(err, ENOTDIR, "'%s' is no folder", *name);
        }
        *ret = at;
        return 0;
}

/* The folder that path is in, and the name there. Most changes are in the same one as the last. */
static int find_parent(struct ext_writer *w, const char *path, ext2_ino_t *ret, const char **ret_name,
                       struct error *err)
{
        const char *slash = strrchr(path, '/');
        CLEANUP_FREE char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);
        ext2_ino_t ino = 0;
        int r;

        *ret_name = slash ? slash + 1 : path;
        if (w->parent_path && str_eq(w->parent_path, parent)) {
                *ret = w->parent_ino;
                return 0;
        }
        r = walk(w, parent, &ino, err);
        if (r < 0)
                return r;
        free(w->parent_path);
        w->parent_path = steal(&parent);
        *ret = w->parent_ino = ino;
        return 0;
}

/* --- removing --- */

static int unlink_inode(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, struct error *err)
{
        if (!ext2fs_test_inode_bitmap2(w->ext.fs->inode_map, ino))
                return ext_damaged(err, "inode %u is deleted and has a name", ino);
        if (inode->base.i_links_count > 1) {
                inode->base.i_links_count--;
                return ext_inode_write(&w->ext, ino, inode, err);
        }
        return ext_inode_free(w, ino, inode, err);
}

struct removal {
        struct ext_writer *w;
        VEC(ext2_ino_t) folders; /* still to be removed */
};

/* One entry of a folder that goes: files at once, folders later. */
static int remove_entry(struct removal *removal, ext2_ino_t ino, struct error *err)
{
        union ext_inode inode;
        int r;

        if (ino == EXT2_ROOT_INO)
                return ext_damaged(err, "the root is in a folder");
        r = ext_inode_read(&removal->w->ext, ino, &inode, err);
        if (r < 0)
                return r;
        if (!S_ISDIR(inode.base.i_mode))
                return unlink_inode(removal->w, ino, &inode, err);
        vec_push(&removal->folders, ino);
        return 0;
}

static int remove_folder(struct removal *removal, ext2_ino_t ino, struct error *err)
{
        struct ext_writer *w = removal->w;
        union ext_inode inode;
        struct ext_dir *dir;
        int r = ext_dir_get(w, ino, &dir, err);

        for (size_t i = 0; r == 0 && i < dir->names.n; i++)
                if (dir->names.v[i].ino)
                        r = remove_entry(removal, dir->names.v[i].ino, err);
        if (r < 0)
                return r;
        ext_dir_forget(w, ino);
        r = ext_inode_read(&w->ext, ino, &inode, err);
        return r < 0 ? r : ext_inode_free(w, ino, &inode, err);
}

static int remove_tree(struct ext_writer *w, ext2_ino_t ino, struct error *err)
{
        struct removal removal = {.w = w};
        int r = 0;

        free(steal(&w->parent_path));
        vec_push(&removal.folders, ino);
        while (r == 0 && removal.folders.n > 0) {
                r = remove_folder(&removal, removal.folders.v[--removal.folders.n], err);
                if (r == 0)
                        r = cancel_check(err);
        }
        vec_free(&removal.folders);
        return r;
}

/* A folder fewer, or more, in `dir` (ext4: one link, "uncountable", past the limit). */
static int count_folder(struct ext_writer *w, ext2_ino_t dir, int change, struct error *err)
{
        union ext_inode inode;
        int r = ext_inode_read(&w->ext, dir, &inode, err), links;

        if (r < 0)
                return r;
        links = inode.base.i_links_count;
        if (links == 1)
                return 0;
        links += change;
        if (links < 2)
                return ext_damaged(err, "folder %u counts too few links", dir);
        if (links > EXT2_LINK_MAX) {
                if (!ext2fs_has_feature_dir_nlink(w->ext.fs->super))
                        return error_set(err, EMLINK, "there are too many folders in one folder");
                links = 1;
        }
        inode.base.i_links_count = (uint16_t)links;
        return ext_inode_write(&w->ext, dir, &inode, err);
}

/* What is there under this name, if anything, goes. */
static int remove_name(struct ext_writer *w, ext2_ino_t parent, const char *name, struct error *err)
{
        struct ext_dir *dir;
        struct ext_name *found;
        union ext_inode inode;
        ext2_ino_t ino;
        int r = ext_dir_get(w, parent, &dir, err);

        if (r < 0)
                return r;
        found = ext_dir_find(dir, name);
        if (!found)
                return 0;
        ino = found->ino;
        r = ext_inode_read(&w->ext, ino, &inode, err);
        if (r < 0)
                return r;
        ext_dir_remove(dir, found);
        if (!S_ISDIR(inode.base.i_mode))
                return unlink_inode(w, ino, &inode, err);
        r = count_folder(w, parent, -1, err);
        return r < 0 ? r : remove_tree(w, ino, err);
}

static int clear_folder(struct ext_writer *w, ext2_ino_t ino, struct error *err)
{
        struct ext_dir *dir;
        int r = ext_dir_get(w, ino, &dir, err);

        for (size_t i = 0; r == 0 && i < dir->names.n; i++) {
                struct ext_name name = dir->names.v[i];
                CLEANUP_FREE char *text = NULL;

                if (!name.ino)
                        continue;
                text = xstrndup(dir->text.s + name.at, name.len);
                if (ino == EXT2_ROOT_INO && str_eq(text, "lost+found")) /* not a part of the tree that people see */
                        continue;
                r = remove_name(w, ino, text, err);
                if (r == 0) /* in a damaged file system the folder may have been below itself */
                        r = ext_dir_get(w, ino, &dir, err);
        }
        return r;
}

/* --- making --- */

static int put_name(struct ext_writer *w, ext2_ino_t parent, const char *name, ext2_ino_t ino, mode_t mode,
                    struct error *err)
{
        struct ext_dir *dir;
        int r = ext_dir_get(w, parent, &dir, err);

        if (r < 0)
                return r;
        ext_dir_add(w, dir, name, ino, mode);
        return 0;
}

static int make_folder(struct ext_writer *w, ext2_ino_t parent, const char *name, const struct fs_change *change,
                       ext2_ino_t *ret, struct error *err)
{
        union ext_inode inode;
        ext2_ino_t ino = 0;
        struct stat st = change->st;
        int r;

        st.st_mode = (st.st_mode & 07777) | S_IFDIR;
        r = count_folder(w, parent, 1, err);
        if (r < 0)
                return r;
        r = ext_inode_new(w, parent, &st, &ino, &inode, err);
        if (r < 0)
                return r;
        inode.base.i_links_count = 2;
        r = ext_map_write(w, ino, &inode, &(struct ext_runs){0}, err); /* its block comes when it is written */
        if (r == 0)
                r = ext_inode_write(&w->ext, ino, &inode, err);
        if (r == 0)
                r = put_name(w, parent, name, ino, S_IFDIR, err);
        if (r < 0)
                return r;
        ext_dir_new(w, ino, parent);
        *ret = ino;
        return 0;
}

static int change_folder(struct ext_writer *w, const struct fs_change *change, struct error *err)
{
        ext2_ino_t parent, ino = EXT2_ROOT_INO;
        const char *name;
        union ext_inode inode;
        int r = 0;

        if (*change->path) {
                r = find_parent(w, change->path, &parent, &name, err);
                if (r == 0)
                        r = lookup(w, parent, name, &ino, &inode, err);
                if (r == 0 && ino != 0 && change->keep)
                        return 0;
                if (r == 0 && ino != 0 && !S_ISDIR(inode.base.i_mode)) {
                        r = remove_name(w, parent, name, err);
                        ino = 0;
                }
                if (r == 0 && ino == 0)
                        r = make_folder(w, parent, name, change, &ino, err);
        }
        if (r == 0)
                r = ext_inode_read(&w->ext, ino, &inode, err);
        if (r < 0)
                return r;
        ext_inode_set(w, &inode, &change->st);
        r = ext_inode_write(&w->ext, ino, &inode, err);
        return r < 0 ? r : ext_xattr_set(w, ino, change, err);
}

/* Device numbers as linux/kdev_t.h has them: 16 bits where they are enough. */
static void put_rdev(union ext_inode *inode, dev_t rdev)
{
        uint32_t high = (uint32_t)(rdev >> 8 & 0xfff), low = (uint32_t)((rdev & 0xff) | (rdev >> 12 & 0xfff00));

        if (high < 256 && low < 256)
                inode->base.i_block[0] = high << 8 | low;
        else
                inode->base.i_block[1] = (low & 0xff) | high << 8 | (low & ~0xffU) << 12;
}

static int fill_symlink(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const char *text,
                        struct error *err)
{
        size_t n = strlen(text);

        if (n == 0 || n >= w->ext.fs->blocksize || n >= PATH_MAX)
                return error_set(err, ENAMETOOLONG, "a symlink of %zu bytes is not possible", n);
        if (n >= sizeof(inode->base.i_block))
                return ext_text_write(w, ino, inode, text, n, err);
        inode->base.i_flags &= ~(uint32_t)EXT4_EXTENTS_FL;
        memcpy(inode->base.i_block, text, n);
        ext2fs_inode_size_set(w->ext.fs, &inode->base, (ext2_off64_t)n);
        return 0;
}

static int fill_inode(struct ext_writer *w, ext2_ino_t ino, union ext_inode *inode, const struct fs_change *change,
                      struct error *err)
{
        switch (inode->base.i_mode & S_IFMT) {
        case S_IFREG:
                return ext_file_write(w, ino, inode, change, err);
        case S_IFLNK:
                return fill_symlink(w, ino, inode, change->target, err);
        case S_IFCHR:
        case S_IFBLK:
                put_rdev(inode, change->st.st_rdev);
                return 0;
        default:
                return 0;
        }
}

static int make_inode(struct ext_writer *w, const struct fs_change *change, mode_t kind, struct error *err)
{
        struct stat st = change->st;
        union ext_inode inode;
        ext2_ino_t parent = 0, ino = 0;
        const char *name;
        int r = find_parent(w, change->path, &parent, &name, err);

        if (r == 0)
                r = remove_name(w, parent, name, err);
        if (r < 0)
                return r;
        st.st_mode = (st.st_mode & 07777) | kind;
        r = ext_inode_new(w, parent, &st, &ino, &inode, err);
        if (r == 0)
                r = fill_inode(w, ino, &inode, change, err);
        if (r == 0)
                r = ext_inode_write(&w->ext, ino, &inode, err);
        if (r == 0 && change->n_xattrs > 0)
                r = ext_xattr_set(w, ino, change, err);
        return r < 0 ? r : put_name(w, parent, name, ino, kind, err);
}

static int make_link(struct ext_writer *w, const struct fs_change *change, struct error *err)
{
        union ext_inode inode;
        ext2_ino_t from = 0, ino = 0, parent = 0, there = 0;
        union ext_inode old;
        const char *name = "";
        int r = check_path(change->target, err);

        if (r == 0)
                r = find_parent(w, change->target, &from, &name, err);
        if (r < 0)
                return r;
        r = lookup(w, from, name, &ino, &inode, err);
        if (r < 0)
                return r;
        if (ino == 0 || S_ISDIR(inode.base.i_mode))
                return error_set(err, ENOENT, "there is no file '%s' to link to", change->target);
        r = find_parent(w, change->path, &parent, &name, err);
        if (r == 0)
                r = lookup(w, parent, name, &there, &old, err);
        if (r < 0 || there == ino)
                return r;
        r = remove_name(w, parent, name, err);
        if (r == 0)
                r = ext_inode_read(&w->ext, ino, &inode, err);
        if (r < 0)
                return r;
        if (inode.base.i_links_count == 0)
                return error_set(err, ENOENT, "'%s' was in what the link replaces", change->target);
        if (inode.base.i_links_count >= EXT2_LINK_MAX)
                return error_set(err, EMLINK, "'%s' has too many names", change->target);
        inode.base.i_links_count++;
        r = ext_inode_write(&w->ext, ino, &inode, err);
        return r < 0 ? r : put_name(w, parent, name, ino, inode.base.i_mode, err);
}

/* --- the contract --- */

static bool nothing_there(int r)
{
        return r == -ENOENT || r == -ENOTDIR;
}

static int remove_change(struct ext_writer *w, const struct fs_change *change, struct error *err)
{
        ext2_ino_t parent, ino = EXT2_ROOT_INO;
        union ext_inode inode;
        const char *name;
        int r;

        if (!*change->path && change->kind == FS_CLEAR)
                return clear_folder(w, ino, err);
        r = find_parent(w, change->path, &parent, &name, err);
        if (nothing_there(r)) {
                if (err)
                        error_clear(err);
                return 0;
        }
        if (r == 0 && change->kind == FS_REMOVE)
                return remove_name(w, parent, name, err);
        if (r < 0)
                return r;
        r = lookup(w, parent, name, &ino, &inode, err);
        return r < 0 || ino == 0 || !S_ISDIR(inode.base.i_mode) ? r : clear_folder(w, ino, err);
}

static int apply(struct ext_writer *w, const struct fs_change *change, struct error *err)
{
        int r = check_path(change->path, err);

        if (r < 0)
                return r;
        if (!*change->path && change->kind != FS_DIR && change->kind != FS_CLEAR)
                return error_set(err, EINVAL, "the root can only be a folder");
        switch (change->kind) {
        case FS_REMOVE:
        case FS_CLEAR:
                return remove_change(w, change, err);
        case FS_DIR:
                return change_folder(w, change, err);
        case FS_FILE:
                return make_inode(w, change, S_IFREG, err);
        case FS_SYMLINK:
                return make_inode(w, change, S_IFLNK, err);
        case FS_LINK:
                return make_link(w, change, err);
        case FS_NODE:
                if (!S_ISCHR(change->st.st_mode) && !S_ISBLK(change->st.st_mode) && !S_ISFIFO(change->st.st_mode) &&
                    !S_ISSOCK(change->st.st_mode))
                        return error_set(err, EINVAL, "mode %o is that of no device, fifo or socket",
                                         change->st.st_mode);
                return make_inode(w, change, change->st.st_mode & S_IFMT, err);
        default:
                return error_set(err, EINVAL, "unknown kind of change");
        }
}

static int writer_free(struct ext_writer *w, int r)
{
        ext_dir_free_all(w);
        ext_free(&w->ext);
        free(w->parent_path);
        free(w->buffer);
        free(w->name);
        free(w);
        return r;
}

int ext_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err)
{
        struct ext_writer *w = xcalloc(1, sizeof(*w));
        errcode_t code;
        int r = ext_open(volume, EXT_WRITE, &w->ext, err);

        w->name = xstrdup(volume->name);
        if (r < 0)
                return writer_free(w, error_wrap(err, r, "%s", volume->name));
        code = ext2fs_read_bitmaps(w->ext.fs);
        if (code)
                return writer_free(w, ext_error(err, code, "%s: read the bitmaps", volume->name));
        w->epoch = epoch;
        w->ext.fs->now = epoch > 0 ? epoch : epoch == 0 ? 1 : time(NULL);
        w->goal = ext_alloc_start(&w->ext);
        w->buffer = xmalloc(EXT_WINDOW + 65536);
        *ret_writer = w;
        return 0;
}

int ext_write_change(void *writer, const struct fs_change *change, struct error *err)
{
        struct ext_writer *w = writer;
        int r;

        if (w->failed)
                return error_set(err, EINVAL, "%s: an earlier change failed", w->name);
        r = ext_dir_trim(w, false, err);
        if (r == 0)
                r = apply(w, change, err);
        if (r < 0) {
                w->failed = true;
                return error_wrap(err, r, "%s", w->name); /* the path is the caller's to name */
        }
        return 0;
}

int ext_write_close(void *writer, struct error *err)
{
        struct ext_writer *w = writer;
        errcode_t code;
        int r;

        if (w->failed)
                return writer_free(w, error_set(err, EINVAL, "an earlier change failed"));
        r = ext_dir_trim(w, true, err);
        if (r < 0)
                return writer_free(w, error_wrap(err, r, "%s", w->name));
        code = ext2fs_flush(w->ext.fs);
        if (code)
                return writer_free(w, ext_error(err, code, "%s: write the bitmaps and the superblock", w->name));
        return writer_free(w, 0);
}

void ext_write_abort(void *writer)
{
        writer_free(writer, 0);
}
