/* serve(): an ext file system through FUSE, read in place: what extract() would
 * make, without making it (libfuse's low level; the kernel's
 * Documentation/filesystems/fuse). Node ids are inode numbers, but for the root,
 * which FUSE calls 1; so nothing is to be remembered for the kernel. Nothing ever changes:
 * what the kernel once knows it may keep.
 *
 * One thread: an ext2_filsys is for one, and most answers are in memory. */
#define FUSE_USE_VERSION 312

#include "disk/ext_serve.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/str.h"
#include "disk/ext_ops.h"

#define FOREVER 1e9 /* seconds */

enum { MAPS = 32, MAP_RUNS = 8192, READ_MAX = 1 << 20, REPLY_MAX = 64 << 10 };

/* Where a file's data lie. */
struct map {
        ext2_ino_t ino; /* 0: an empty slot */
        uint64_t used;
        struct ext_runs runs;
};

struct serve {
        struct ext ext;
        struct ext_folders folders;
        struct map maps[MAPS];
        uint64_t clock;
        char *buffer; /* READ_MAX */
        bool no_open, no_opendir;
        void (*on_error)(void *arg, const struct error *err);
        void *arg;
};

static void serve_clear(struct serve *serve)
{
        ext_folders_clear(&serve->folders);
        for (size_t i = 0; i < MAPS; i++)
                ext_runs_clear(&serve->maps[i].runs);
        free(serve->buffer);
        ext_free(&serve->ext);
}

static struct serve *serve_of(fuse_req_t req)
{
        return fuse_req_userdata(req);
}

static ext2_ino_t number_of(fuse_ino_t node)
{
        return node == FUSE_ROOT_ID ? EXT2_ROOT_INO : (ext2_ino_t)node;
}

/* What is wrong with the image is told to the build, and to the guest as EIO. */
static void reply_failed(fuse_req_t req, struct error *err)
{
        struct serve *serve = serve_of(req);

        serve->on_error(serve->arg, err);
        error_clear(err);
        fuse_reply_err(req, EIO);
}

/* Device nodes cannot be used, nor copied up; they stay in the image, as do lost+found and its like. */
static bool is_hidden(const union ext_inode *inode)
{
        return S_ISCHR(inode->base.i_mode) || S_ISBLK(inode->base.i_mode);
}

static bool is_lost_found(ext2_ino_t dir, const char *name)
{
        return dir == EXT2_ROOT_INO && str_eq(name, "lost+found");
}

static void entry_of(struct serve *serve, ext2_ino_t ino, const union ext_inode *inode, struct fuse_entry_param *ret)
{
        *ret = (struct fuse_entry_param){.ino = ino, .attr_timeout = FOREVER, .entry_timeout = FOREVER};
        ext_inode_stat(&serve->ext, ino, inode, &ret->attr);
}

/* ---- names ---- */

static void serve_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
        struct serve *serve = serve_of(req);
        struct fuse_entry_param entry = {.entry_timeout = FOREVER}; /* no such name, for good */
        struct error err = {0};
        union ext_inode inode;
        ext2_ino_t dir = number_of(parent), ino = 0;
        int r = ext_folder_find(&serve->folders, dir, name, &ino, &err);

        if (r == 0 && ino != 0 && !is_lost_found(dir, name)) {
                r = ext_inode_read(&serve->ext, ino, &inode, &err);
                if (r == 0 && inode.base.i_links_count == 0 && !S_ISDIR(inode.base.i_mode))
                        r = ext_damaged(&err, "inode %u is deleted and has a name", ino);
                if (r == 0 && !is_hidden(&inode))
                        entry_of(serve, ino, &inode, &entry);
        }
        if (r < 0)
                reply_failed(req, &err);
        else
                fuse_reply_entry(req, &entry);
}

static void serve_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
        struct serve *serve = serve_of(req);
        struct error err = {0};
        union ext_inode inode;
        struct stat st;

        (void)file;
        if (ext_inode_read(&serve->ext, number_of(node), &inode, &err) < 0) {
                reply_failed(req, &err);
                return;
        }
        ext_inode_stat(&serve->ext, number_of(node), &inode, &st);
        fuse_reply_attr(req, &st, FOREVER);
}

static void serve_readlink(fuse_req_t req, fuse_ino_t node)
{
        struct serve *serve = serve_of(req);
        CLEANUP_FREE char *text = NULL;
        struct error err = {0};
        union ext_inode inode;
        int r = ext_inode_read(&serve->ext, number_of(node), &inode, &err);

        if (r == 0)
                r = ext_symlink_read(&serve->ext, number_of(node), &inode, &text, &err);
        if (r < 0)
                reply_failed(req, &err);
        else
                fuse_reply_readlink(req, text);
}

/* ---- folders ---- */

struct listing {
        fuse_req_t req;
        ext2_ino_t dir;
        bool plus; /* with attributes */
        char *buffer;
        size_t size, used;
        struct error err;
        int r;
};

/* False: it does not fit any more. `next` is where the following entry begins. */
static bool put(struct listing *listing, const char *name, const struct fuse_entry_param *entry, off_t next)
{
        size_t left = listing->size - listing->used;
        char *at = listing->buffer + listing->used;
        size_t n = listing->plus ? fuse_add_direntry_plus(listing->req, at, left, name, entry, next)
                                 : fuse_add_direntry(listing->req, at, left, name, &entry->attr, next);

        if (n > left)
                return false;
        listing->used += n;
        return true;
}

/* Entries begin at 2, after "." and "..". */
static bool list_entry(void *arg, uint64_t number, const char *name, ext2_ino_t ino, unsigned int type)
{
        struct listing *listing = arg;
        struct serve *serve = serve_of(listing->req);
        struct fuse_entry_param entry;
        union ext_inode inode;

        if (is_lost_found(listing->dir, name) || type == EXT2_FT_CHRDEV || type == EXT2_FT_BLKDEV)
                return false;
        listing->r = ext_inode_read(&serve->ext, ino, &inode, &listing->err);
        if (listing->r < 0)
                return true;
        if (is_hidden(&inode))
                return false;
        entry_of(serve, ino, &inode, &entry);
        return !put(listing, name, &entry, (off_t)number + 3);
}

static bool list_dots(struct listing *listing, off_t from)
{
        static const char *const names[] = {".", ".."};

        for (off_t i = from; i < 2; i++) {
                struct fuse_entry_param entry = {.attr = {.st_ino = listing->dir, .st_mode = S_IFDIR}};

                if (!put(listing, names[i], &entry, i + 1))
                        return false;
        }
        return true;
}

static void list(fuse_req_t req, fuse_ino_t node, size_t size, off_t from, bool plus)
{
        struct serve *serve = serve_of(req);
        struct listing listing = {.req = req,
                                  .dir = number_of(node),
                                  .plus = plus,
                                  .buffer = serve->buffer,
                                  .size = size < REPLY_MAX ? size : REPLY_MAX};

        if (list_dots(&listing, from)) {
                int r = ext_folder_each(&serve->folders, listing.dir, from > 2 ? (uint64_t)from - 2 : 0, list_entry,
                                        &listing, &listing.err);

                if (r < 0)
                        listing.r = r;
        }
        if (listing.r < 0)
                reply_failed(req, &listing.err);
        else
                fuse_reply_buf(req, listing.buffer, listing.used);
}

static void serve_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t from, struct fuse_file_info *file)
{
        (void)file;
        list(req, node, size, from, false);
}

static void serve_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t from, struct fuse_file_info *file)
{
        (void)file;
        list(req, node, size, from, true);
}

/* Kernels that can do without asking are told to (5.1). */
static void reply_opened(fuse_req_t req, bool unneeded, struct fuse_file_info *file)
{
        file->keep_cache = 1;
        if (unneeded)
                fuse_reply_err(req, ENOSYS);
        else
                fuse_reply_open(req, file);
}

static void serve_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
        (void)node;
        file->cache_readdir = 1;
        reply_opened(req, serve_of(req)->no_opendir, file);
}

static void serve_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
        (void)node;
        reply_opened(req, serve_of(req)->no_open, file);
}

/* ---- data ---- */

/* Of files in very many pieces, one map at a time is kept. */
static void forget_large(struct serve *serve, const struct map *but)
{
        for (size_t i = 0; i < MAPS; i++) {
                if (serve->maps[i].runs.n <= MAP_RUNS || &serve->maps[i] == but)
                        continue;
                ext_runs_clear(&serve->maps[i].runs);
                serve->maps[i].ino = 0;
        }
}

static int find_map(struct serve *serve, ext2_ino_t ino, union ext_inode *inode, const struct ext_runs **ret,
                    struct error *err)
{
        struct map *map = &serve->maps[0];
        int r = 0;

        for (size_t i = 0; i < MAPS && map->ino != ino; i++)
                if (serve->maps[i].ino == ino || serve->maps[i].used < map->used)
                        map = &serve->maps[i];
        if (map->ino != ino) {
                ext_runs_clear(&map->runs);
                map->ino = 0;
                r = ext_map_read(&serve->ext, ino, inode, &map->runs, err);
                if (r < 0)
                        return r;
                if (map->runs.n > MAP_RUNS)
                        forget_large(serve, map);
        }
        map->ino = ino;
        map->used = ++serve->clock;
        *ret = &map->runs;
        return 0;
}

/* The runs are inside the file system, as ext_map_read() gives no other. */
static int read_run(struct serve *serve, const struct ext_run *run, uint64_t from, size_t n, struct error *err)
{
        uint64_t block_size = serve->ext.fs->blocksize, start = run->lblk * block_size;
        uint64_t end = start + run->len * block_size, at = from > start ? from : start;
        uint64_t stop = from + n < end ? from + n : end;
        int r;

        if (at >= stop)
                return 0;
        r = fd_pread_all(serve->ext.fd, serve->buffer + (at - from), stop - at,
                         (off_t)(serve->ext.offset_bytes + run->pblk * block_size + (at - start)));
        return r < 0 ? error_errno(err, -r, "read block %llu of the image", (unsigned long long)run->pblk) : 0;
}

static int read_blocks(struct serve *serve, ext2_ino_t ino, union ext_inode *inode, uint64_t from, size_t n,
                       struct error *err)
{
        const struct ext_runs *runs = NULL;
        uint64_t block_size = serve->ext.fs->blocksize;
        size_t low = 0, high;
        int r = find_map(serve, ino, inode, &runs, err);

        if (r < 0)
                return r;
        memset(serve->buffer, 0, n);
        for (high = runs->n; low < high;) { /* the first that ends behind `from` */
                size_t middle = low + (high - low) / 2;

                if ((runs->v[middle].lblk + runs->v[middle].len) * block_size <= from)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; r == 0 && low < runs->n && runs->v[low].lblk * block_size < from + n; low++)
                r = read_run(serve, &runs->v[low], from, n, err);
        return r;
}

static int read_inline(struct serve *serve, ext2_ino_t ino, uint64_t size, uint64_t from, size_t n, struct error *err)
{
        CLEANUP_FREE char *data = NULL;
        int r = ext_inline_read(&serve->ext, ino, size, &data, err);

        if (r == 0)
                memcpy(serve->buffer, data + from, n);
        return r;
}

static void serve_read(fuse_req_t req, fuse_ino_t node, size_t n, off_t from, struct fuse_file_info *file)
{
        struct serve *serve = serve_of(req);
        ext2_ino_t ino = number_of(node);
        struct error err = {0};
        union ext_inode inode;
        uint64_t size;
        int r = ext_inode_read(&serve->ext, ino, &inode, &err);

        (void)file;
        if (r < 0) {
                reply_failed(req, &err);
                return;
        }
        size = EXT2_I_SIZE(&inode.base);
        if (n > READ_MAX)
                n = READ_MAX;
        if (from < 0 || (uint64_t)from >= size)
                n = 0;
        else if (n > size - (uint64_t)from)
                n = (size_t)(size - (uint64_t)from);
        if (inode.base.i_flags & EXT4_ENCRYPT_FL)
                r = error_set(&err, EOPNOTSUPP, "inode %u is encrypted", ino);
        else if (n > 0 && (inode.base.i_flags & EXT4_INLINE_DATA_FL))
                r = read_inline(serve, ino, size, (uint64_t)from, n, &err);
        else if (n > 0)
                r = read_blocks(serve, ino, &inode, (uint64_t)from, n, &err);
        if (r < 0)
                reply_failed(req, &err);
        else
                fuse_reply_buf(req, serve->buffer, n);
}

/* ---- attributes ---- */

/* A user namespace can hold no others: a file with one could not be copied up. */
static bool is_shown(const char *name)
{
        return str_starts(name, "user.") || str_starts(name, "system.posix_acl_") ||
               str_eq(name, "security.capability");
}

struct wanted {
        const char *name; /* NULL: all their names */
        struct str out;
        bool found;
};

static int on_xattr(void *arg, const char *name, const void *value, size_t len, struct error *err)
{
        struct wanted *wanted = arg;

        (void)err;
        if (!is_shown(name))
                return 0;
        if (!wanted->name) {
                str_addn(&wanted->out, name, strlen(name) + 1);
        } else if (str_eq(name, wanted->name)) {
                wanted->found = true;
                str_addn(&wanted->out, value, len);
        }
        return 0;
}

static void reply_xattrs(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
        struct serve *serve = serve_of(req);
        struct wanted wanted = {.name = name};
        struct error err = {0};
        union ext_inode inode;
        int r = ext_inode_read(&serve->ext, number_of(node), &inode, &err);

        if (r == 0 && ext_xattr_any(&serve->ext, &inode))
                r = ext_xattr_each(&serve->ext, number_of(node), on_xattr, &wanted, &err);
        if (r < 0)
                reply_failed(req, &err);
        else if (name && !wanted.found)
                fuse_reply_err(req, ENODATA);
        else if (size == 0)
                fuse_reply_xattr(req, wanted.out.len);
        else if (wanted.out.len > size)
                fuse_reply_err(req, ERANGE);
        else
                fuse_reply_buf(req, str_get(&wanted.out), wanted.out.len);
        str_clear(&wanted.out);
}

static void serve_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
        reply_xattrs(req, node, name, size);
}

static void serve_listxattr(fuse_req_t req, fuse_ino_t node, size_t size)
{
        reply_xattrs(req, node, NULL, size);
}

/* ---- the whole ---- */

static void serve_statfs(fuse_req_t req, fuse_ino_t node)
{
        ext2_filsys fs = serve_of(req)->ext.fs;
        struct statvfs st = {
                .f_bsize = fs->blocksize,
                .f_frsize = fs->blocksize,
                .f_blocks = ext2fs_blocks_count(fs->super),
                .f_bfree = ext2fs_free_blocks_count(fs->super),
                .f_bavail = ext2fs_free_blocks_count(fs->super),
                .f_files = fs->super->s_inodes_count,
                .f_ffree = fs->super->s_free_inodes_count,
                .f_namemax = EXT2_NAME_LEN,
        };

        (void)node;
        fuse_reply_statfs(req, &st);
}

static void serve_init(void *userdata, struct fuse_conn_info *conn)
{
        struct serve *serve = userdata;

        conn->want |= conn->capable & (FUSE_CAP_POSIX_ACL | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS);
        conn->want &= ~(unsigned int)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE);
        conn->max_write = 128 << 10; /* the largest answer, too */
        conn->time_gran = 1;
        serve->no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
        serve->no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

static const struct fuse_lowlevel_ops operations = {
        .init = serve_init,
        .lookup = serve_lookup,
        .getattr = serve_getattr,
        .readlink = serve_readlink,
        .open = serve_open,
        .read = serve_read,
        .opendir = serve_opendir,
        .readdir = serve_readdir,
        .readdirplus = serve_readdirplus,
        .getxattr = serve_getxattr,
        .listxattr = serve_listxattr,
        .statfs = serve_statfs,
};

static void be_silent(enum fuse_log_level level, const char *format, va_list ap)
{
        (void)level, (void)format, (void)ap;
}

static int run(struct serve *serve, int fuse_fd, struct error *err)
{
        CLEANUP_FREE char *place = xasprintf("/dev/fd/%d", fuse_fd);
        char *argv[] = {(char[]){"slipway"}, NULL};
        struct fuse_args args = {.argc = 1, .argv = argv};
        struct fuse_session *session = fuse_session_new(&args, &operations, sizeof(operations), serve);
        int r;

        if (!session)
                return error_set(err, EIO, "start a FUSE session");
        r = fuse_session_mount(session, place);
        if (r == 0)
                r = fuse_session_loop(session);
        fuse_session_destroy(session);
        return r < 0 ? error_errno(err, -r, "answer the kernel's FUSE requests") : 0;
}

int ext_serve(const struct fs_volume *volume, int fuse_fd, void (*on_error)(void *arg, const struct error *err),
              void *arg, struct error *err)
{
        CLEANUP(serve_clear) struct serve serve = {.on_error = on_error, .arg = arg};
        int r = ext_open(volume, EXT_READ, &serve.ext, err);

        if (r == 0) {
                fuse_set_log_func(be_silent);
                serve.folders.ext = &serve.ext;
                serve.buffer = xmalloc(READ_MAX);
                r = run(&serve, fuse_fd, err);
        }
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : 0;
}
