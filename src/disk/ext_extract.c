/* extract(): a whole ext file system into an empty folder. Folder after folder
 * from a list (no recursion, however deep); within one, inodes in the order of
 * their numbers, which is nearly that of their blocks. Names are only ever used
 * beneath a folder's descriptor, never through a symlink. What a folder itself
 * is (owner, mode, times) is set at the very end, from the deepest up.
 *
 * Hostile images: a folder met twice is a loop; all data together cannot be
 * more than the file system has blocks. */
#include "disk/ext_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/ext_ops.h"

enum { BUFFER = 1 << 20 };

struct folder {
        ext2_ino_t ino;
        char *path; /* relative; "" the root */
};

struct entry {
        ext2_ino_t ino;
        char *name;
};

struct link {
        ext2_ino_t ino;
        char *path;
};

struct extract {
        struct ext ext;
        int root;
        struct ui *ui;
        char *buffer;
        VEC(struct folder) folders; /* in the order in which they were made */
        VEC(struct entry) entries;  /* of the folder at hand */
        VEC(struct link) links;     /* first names of inodes that have several, by hash */
        size_t n_links;
        unsigned char *seen;  /* bit for each inode: folder already met */
        uint64_t blocks_left; /* of data */
        uint64_t done;        /* bytes */
};

static void extract_clear(struct extract *x)
{
        for (size_t i = 0; i < x->folders.n; i++)
                free(x->folders.v[i].path);
        for (size_t i = 0; i < x->entries.n; i++)
                free(x->entries.v[i].name);
        for (size_t i = 0; i < x->links.cap; i++)
                free(x->links.v[i].path);
        vec_free(&x->folders);
        vec_free(&x->entries);
        free(x->links.v);
        free(x->seen);
        free(x->buffer);
        close_p(&x->root);
        ext_free(&x->ext);
}

/* --- hard links: an open table by inode number; 0 is an empty slot --- */

static struct link *link_slot(struct extract *x, ext2_ino_t ino)
{
        size_t i = (size_t)ino * 2654435761U & (x->links.cap - 1);

        while (x->links.v[i].ino != 0 && x->links.v[i].ino != ino)
                i = (i + 1) & (x->links.cap - 1);
        return &x->links.v[i];
}

static struct link *link_find(struct extract *x, ext2_ino_t ino)
{
        if (2 * x->n_links >= x->links.cap) {
                struct link *old = x->links.v;
                size_t n = x->links.cap;

                x->links.cap = n ? 2 * n : 256;
                x->links.v = xcalloc(x->links.cap, sizeof(*old));
                for (size_t i = 0; i < n; i++)
                        if (old[i].ino != 0)
                                *link_slot(x, old[i].ino) = old[i];
                free(old);
        }
        return link_slot(x, ino);
}

/* --- attributes --- */

struct target {
        int fd;           /* of the file itself, or of its folder */
        const char *name; /* in the folder; NULL: fd is the file */
};

/* Attributes that only the host's administrator may set: they stay in the image. */
static bool attribute_may_fail(const char *name, int code)
{
        if (code != EPERM && code != EOPNOTSUPP && code != EACCES)
                return false;
        return str_starts(name, "trusted.") || (str_starts(name, "security.") && !str_eq(name, "security.capability"));
}

static int on_xattr(void *arg, const char *name, const void *value, size_t len, struct error *err)
{
        const struct target *target = arg;
        CLEANUP_FREE char *path = NULL;
        int r;

        if (!str_starts(name, "user.") && !str_starts(name, "security.") && !str_starts(name, "trusted.") &&
            !str_starts(name, "system.posix_acl_"))
                return 0;
        if (target->name) {
                path = xasprintf("/proc/self/fd/%d/%s", target->fd, target->name);
                r = lsetxattr(path, name, value, len, 0);
        } else {
                r = fsetxattr(target->fd, name, value, len, 0);
        }
        if (r < 0 && !attribute_may_fail(name, errno))
                return error_errno(err, errno, "set attribute '%s'", name);
        return 0;
}

/* Owner before mode (chown clears setuid), both before attributes (a
 * capability would be cleared too), times last. */
static int set_attributes(struct extract *x, ext2_ino_t ino, union ext_inode *inode, const struct target *target,
                          struct error *err)
{
        const char *name = target->name ? target->name : "";
        int flags = target->name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH, r;
        struct stat st;
        struct timespec times[2];

        ext_inode_stat(&x->ext, ino, inode, &st);
        if (fchownat(target->fd, name, st.st_uid, st.st_gid, flags) < 0)
                return error_errno(err, errno, "set the owner %u:%u", st.st_uid, st.st_gid);
        if (!S_ISLNK(st.st_mode)) {
                r = target->name ? fchmodat(target->fd, name, st.st_mode & 07777, 0)
                                 : fchmod(target->fd, st.st_mode & 07777);
                if (r < 0)
                        return error_errno(err, errno, "set the mode %04o", st.st_mode & 07777);
        }
        if (ext_xattr_any(&x->ext, inode)) {
                r = ext_xattr_each(&x->ext, ino, on_xattr, (void *)target, err);
                if (r < 0)
                        return r;
        }
        times[0] = times[1] = st.st_mtim;
        r = target->name ? utimensat(target->fd, name, times, AT_SYMLINK_NOFOLLOW) : futimens(target->fd, times);
        return r < 0 ? error_errno(err, errno, "set the time") : 0;
}

/* --- files --- */

static int copy_run(struct extract *x, const struct ext_run *run, int fd, uint64_t size, struct error *err)
{
        uint64_t block_size = x->ext.fs->blocksize, blocks = BUFFER / block_size ? BUFFER / block_size : 1;

        for (uint64_t at = 0; at < run->len; at += blocks) {
                uint64_t n = run->len - at < blocks ? run->len - at : blocks;
                uint64_t offset = (run->lblk + at) * block_size, bytes = n * block_size;
                int r;

                if (offset >= size)
                        break;
                if (bytes > size - offset)
                        bytes = size - offset;
                r = ext_pread(&x->ext, x->buffer, bytes, run->pblk + at, err);
                if (r < 0)
                        return r;
                r = fd_pwrite_all(fd, x->buffer, bytes, (off_t)offset);
                if (r < 0)
                        return error_errno(err, -r, "write");
                x->done += bytes;
                progress_update(x->ui, x->done);
                r = cancel_check(err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int copy_blocks(struct extract *x, ext2_ino_t ino, union ext_inode *inode, int fd, uint64_t size,
                       struct error *err)
{
        struct ext_runs runs = {0};
        uint64_t end = 0;
        int r = ext_map_read(&x->ext, ino, inode, &runs, err);

        for (size_t i = 0; r == 0 && i < runs.n; i++) {
                if (runs.v[i].len > x->blocks_left)
                        r = ext_damaged(err, "its files have more blocks than there are");
                else
                        r = copy_run(x, &runs.v[i], fd, size, err);
                x->blocks_left -= r == 0 ? runs.v[i].len : 0;
                end = (runs.v[i].lblk + runs.v[i].len) * x->ext.fs->blocksize;
        }
        ext_runs_clear(&runs);
        if (r == 0 && end < size && ftruncate(fd, (off_t)size) < 0)
                r = error_errno(err, errno, "set the size");
        return r;
}

static int copy_data(struct extract *x, ext2_ino_t ino, union ext_inode *inode, int fd, struct error *err)
{
        uint64_t size = EXT2_I_SIZE(&inode->base);
        CLEANUP_FREE char *data = NULL;
        int r;

        if (size > INT64_MAX)
                return ext_damaged(err, "inode %u has the size %" PRIu64, ino, size);
        if (inode->base.i_flags & EXT4_ENCRYPT_FL)
                return error_set(err, EOPNOTSUPP, "it is encrypted");
        if (!(inode->base.i_flags & EXT4_INLINE_DATA_FL))
                return copy_blocks(x, ino, inode, fd, size, err);
        r = ext_inline_read(&x->ext, ino, size, &data, err);
        if (r < 0)
                return r;
        r = fd_pwrite_all(fd, data, size, 0);
        return r < 0 ? error_errno(err, -r, "write") : 0;
}

static int extract_file(struct extract *x, ext2_ino_t ino, union ext_inode *inode, int dirfd, const char *name,
                        struct error *err)
{
        CLEANUP_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "create it");
        r = copy_data(x, ino, inode, fd, err);
        if (r < 0)
                return r;
        return set_attributes(x, ino, inode, &(struct target){.fd = fd}, err);
}

static int extract_symlink(struct extract *x, ext2_ino_t ino, union ext_inode *inode, int dirfd, const char *name,
                           struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        int r = ext_symlink_read(&x->ext, ino, inode, &text, err);

        if (r < 0)
                return r;
        if (symlinkat(text, dirfd, name) < 0)
                return error_errno(err, errno, "create the symlink");
        return set_attributes(x, ino, inode, &(struct target){.fd = dirfd, .name = name}, err);
}

static int extract_folder(struct extract *x, ext2_ino_t ino, const struct folder *parent, int dirfd, const char *name,
                          struct error *err)
{
        if (x->seen[ino / 8] & 1U << ino % 8)
                return ext_damaged(err, "folder %u is in two places", ino);
        x->seen[ino / 8] |= (unsigned char)(1U << ino % 8);
        if (mkdirat(dirfd, name, 0700) < 0)
                return error_errno(err, errno, "create the folder");
        vec_push(&x->folders,
                 (struct folder){.ino = ino, .path = *parent->path ? path_join(parent->path, name) : xstrdup(name)});
        return 0;
}

static int extract_special(struct extract *x, ext2_ino_t ino, union ext_inode *inode, int dirfd, const char *name,
                           struct error *err)
{
        if (mknodat(dirfd, name, (inode->base.i_mode & S_IFMT) | 0600, 0) < 0)
                return error_errno(err, errno, "create it");
        return set_attributes(x, ino, inode, &(struct target){.fd = dirfd, .name = name}, err);
}

static int extract_inode(struct extract *x, ext2_ino_t ino, union ext_inode *inode, const struct folder *parent,
                         int dirfd, const char *name, struct error *err)
{
        if (inode->base.i_links_count == 0 && !S_ISDIR(inode->base.i_mode))
                return ext_damaged(err, "inode %u is deleted and has a name", ino);
        switch (inode->base.i_mode & S_IFMT) {
        case S_IFREG:
                return extract_file(x, ino, inode, dirfd, name, err);
        case S_IFLNK:
                return extract_symlink(x, ino, inode, dirfd, name, err);
        case S_IFDIR:
                return extract_folder(x, ino, parent, dirfd, name, err);
        case S_IFIFO:
        case S_IFSOCK:
                return extract_special(x, ino, inode, dirfd, name, err);
        case S_IFCHR:
        case S_IFBLK:
                return 0;
        default:
                return ext_damaged(err, "inode %u is of no known kind", ino);
        }
}

static int extract_entry(struct extract *x, const struct entry *entry, const struct folder *parent, int dirfd,
                         struct error *err)
{
        union ext_inode inode;
        struct link *link = NULL;
        mode_t kind;
        int r = ext_inode_read(&x->ext, entry->ino, &inode, err);

        if (r < 0)
                return r;
        kind = inode.base.i_mode & S_IFMT;
        if (inode.base.i_links_count > 1 && kind != S_IFDIR && kind != S_IFCHR && kind != S_IFBLK) {
                link = link_find(x, entry->ino);
                if (link->ino != 0)
                        return linkat(x->root, link->path, dirfd, entry->name, 0) < 0
                                       ? error_errno(err, errno, "link it to '%s'", link->path)
                                       : 0;
        }
        r = extract_inode(x, entry->ino, &inode, parent, dirfd, entry->name, err);
        if (r == 0 && link) {
                *link = (struct link){.ino = entry->ino,
                                      .path = *parent->path ? path_join(parent->path, entry->name)
                                                            : xstrdup(entry->name)};
                x->n_links++;
        }
        return r;
}

/* --- folders --- */

static int open_folder(const struct extract *x, const char *path, int *ret, struct error *err)
{
        struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
        int fd = (int)syscall(SYS_openat2, x->root, *path ? path : ".", &how, sizeof(how));

        if (fd < 0)
                return error_errno(err, errno, "open folder '/%s' of the extracted tree", path);
        *ret = fd;
        return 0;
}

static int on_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct extract *x = arg;

        (void)type, (void)err;
        vec_push(&x->entries, (struct entry){.ino = ino, .name = xstrndup(name, len)});
        return 0;
}

static int by_number(const void *a, const void *b)
{
        const struct entry *left = a, *right = b;

        if (left->ino != right->ino)
                return left->ino < right->ino ? -1 : 1;
        return strcmp(left->name, right->name);
}

static int fill_folder(struct extract *x, const struct folder *folder, struct error *err)
{
        CLEANUP_CLOSE int dirfd = -1;
        int r = open_folder(x, folder->path, &dirfd, err);

        if (r == 0)
                r = ext_dir_each(&x->ext, folder->ino, on_entry, x, err);
        if (r < 0)
                return r;
        if (x->entries.n > 0)
                qsort(x->entries.v, x->entries.n, sizeof(*x->entries.v), by_number);
        for (size_t i = 0; r == 0 && i < x->entries.n; i++) {
                const struct entry *entry = &x->entries.v[i];

                if (!*folder->path && str_eq(entry->name, "lost+found"))
                        continue;
                r = extract_entry(x, entry, folder, dirfd, err);
                if (r < 0)
                        return error_wrap(err, r, "extract '%s%s%s'", folder->path, *folder->path ? "/" : "",
                                          entry->name);
                r = cancel_check(err);
        }
        for (size_t i = 0; i < x->entries.n; i++)
                free(x->entries.v[i].name);
        x->entries.n = 0;
        return r;
}

static int finish_folders(struct extract *x, struct error *err)
{
        for (size_t i = x->folders.n; i-- > 0;) {
                const struct folder *folder = &x->folders.v[i];
                CLEANUP_CLOSE int fd = -1;
                union ext_inode inode;
                int r = open_folder(x, folder->path, &fd, err);

                if (r == 0)
                        r = ext_inode_read(&x->ext, folder->ino, &inode, err);
                if (r == 0)
                        r = set_attributes(x, folder->ino, &inode, &(struct target){.fd = fd}, err);
                if (r < 0)
                        return error_wrap(err, r, "extract '/%s'", folder->path);
        }
        return 0;
}

static int extract_all(struct extract *x, struct error *err)
{
        x->seen[EXT2_ROOT_INO / 8] |= 1U << EXT2_ROOT_INO % 8;
        vec_push(&x->folders, (struct folder){.ino = EXT2_ROOT_INO, .path = xstrdup("")});
        for (size_t i = 0; i < x->folders.n; i++) {
                struct folder folder = x->folders.v[i]; /* the list may move while it grows */
                int r = fill_folder(x, &folder, err);

                if (r < 0)
                        return r;
        }
        return finish_folders(x, err);
}

int ext_extract(const struct fs_volume *volume, const char *dir, struct ui *ui, struct error *err)
{
        CLEANUP(extract_clear) struct extract x = {.root = -1, .ui = ui};
        struct ext2_super_block *super;
        int r = ext_open(volume, EXT_READ, &x.ext, err);

        if (r < 0)
                return error_wrap(err, r, "%s", volume->name);
        super = x.ext.fs->super;
        x.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (x.root < 0)
                return error_errno(err, errno, "open folder '%s'", dir);
        x.seen = xcalloc(super->s_inodes_count / 8 + 1, 1);
        x.blocks_left = ext2fs_blocks_count(super);
        x.buffer = xmalloc(BUFFER);
        progress_start(ui, "extract",
                       (ext2fs_blocks_count(super) - ext2fs_free_blocks_count(super)) * x.ext.fs->blocksize);
        r = extract_all(&x, err);
        progress_end(ui);
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : 0;
}
