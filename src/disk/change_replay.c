/* Making the changes of a log, by system calls. See change_log.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/change_log.h"
#include "disk/change_record.h"
#include "disk/fs_tools.h"

enum { BUFFER = 1 << 16, NAME_ROOM = 1 << 20, XATTRS_MAX = 65536 };

struct replay {
        FILE *stream;
        int64_t epoch;
        char buffer[BUFFER];
};

/* One change as read; what it points to is owned here. */
struct read_change {
        struct fs_change change;
        char *path, *target;
        struct fs_xattr *xattrs;
        char **owned;
};

static void read_clear(struct read_change *read)
{
        free(read->path);
        free(read->target);
        free(read->xattrs);
        strv_free(read->owned);
}

static int get(struct replay *replay, void *data, size_t n, struct error *err)
{
        if (fread(data, 1, n, replay->stream) == n)
                return 0;
        return error_set(err, ferror(replay->stream) ? EIO : ENODATA, "the log of changes ends too early");
}

static int get_text(struct replay *replay, size_t len, char **ret, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        int r;

        if (len > NAME_ROOM)
                return error_set(err, EINVAL, "the log of changes holds a name of %zu bytes", len);
        text = xmalloc(len + 1);
        r = get(replay, text, len, err);
        if (r < 0)
                return r;
        text[len] = '\0';
        *ret = steal(&text);
        return 0;
}

static int get_xattrs(struct replay *replay, size_t n, struct read_change *read, struct error *err)
{
        int r = n > XATTRS_MAX ? error_set(err, EINVAL, "the log of changes holds %zu attributes", n) : 0;

        read->xattrs = xcalloc(r == 0 && n > 0 ? n : 1, sizeof(*read->xattrs));
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct change_xattr head;
                char *name = NULL, *value = NULL;

                r = get(replay, &head, sizeof(head), err);
                if (r == 0)
                        r = get_text(replay, head.name_len, &name, err);
                if (r == 0)
                        strv_take(&read->owned, name);
                if (r == 0)
                        r = get_text(replay, head.value_len, &value, err);
                if (r == 0)
                        strv_take(&read->owned, value);
                read->xattrs[i] = (struct fs_xattr){name, value, head.value_len};
        }
        read->change.xattrs = read->xattrs;
        read->change.n_xattrs = n;
        return r;
}

/* Returns 0 at the end of the log, 1 with a change. */
static int get_change(struct replay *replay, struct read_change *read, struct error *err)
{
        struct change_record record;
        int r = get(replay, &record, sizeof(record), err);

        if (r == 0 && record.magic != CHANGE_MAGIC)
                r = error_set(err, EINVAL, "the log of changes is damaged");
        if (r < 0 || record.kind == CHANGE_END)
                return r;
        r = get_text(replay, record.path_len, &read->path, err);
        if (r == 0)
                r = get_text(replay, record.target_len, &read->target, err);
        read->change = (struct fs_change){.kind = (enum fs_change_kind)record.kind,
                                          .path = record.path_len > 0 ? read->path : ".",
                                          .target = read->target,
                                          .fd = -1,
                                          .keep = record.keep};
        read->change.st.st_mode = record.mode;
        read->change.st.st_uid = record.uid;
        read->change.st.st_gid = record.gid;
        read->change.st.st_rdev = record.rdev;
        read->change.st.st_size = (off_t)record.size;
        read->change.st.st_mtim = (struct timespec){record.mtime_sec, record.mtime_nsec};
        if (r == 0)
                r = get_xattrs(replay, record.n_xattrs, read, err);
        return r < 0 ? r : 1;
}

/* ---- one change ---- */

static int get_data(struct replay *replay, int fd, struct error *err)
{
        struct change_extent extent;
        int r = 0;

        for (;;) {
                r = get(replay, &extent, sizeof(extent), err);
                if (r < 0 || extent.len == 0)
                        return r;
                while (extent.len > 0) {
                        size_t n = extent.len < BUFFER ? (size_t)extent.len : BUFFER;

                        r = get(replay, replay->buffer, n, err);
                        if (r < 0)
                                return r;
                        r = fd_pwrite_all(fd, replay->buffer, n, (off_t)extent.at);
                        if (r < 0)
                                return error_errno(err, -r, "write the file");
                        extent.at += n;
                        extent.len -= n;
                }
        }
}

static int make_file(struct replay *replay, const struct fs_change *change, struct error *err)
{
        CLEANUP_CLOSE int fd = open(change->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "create it");
        r = get_data(replay, fd, err);
        if (r == 0 && ftruncate(fd, change->st.st_size) < 0)
                r = error_errno(err, errno, "make it %lld bytes long", (long long)change->st.st_size);
        return r;
}

static int drop_xattrs(const char *path, struct error *err)
{
        CLEANUP_FREE char *names = xcalloc(1, XATTR_LIST_MAX + 1);
        ssize_t n = llistxattr(path, names, XATTR_LIST_MAX);

        for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1)
                if (fs_xattr_travels(names + at) && lremovexattr(path, names + at) < 0)
                        return error_errno(err, errno, "remove its attribute '%s'", names + at);
        return n < 0 && errno != ENOTSUP ? error_errno(err, errno, "list its attributes") : 0;
}

/* In this order: a change of owner drops set-uid bits and capabilities, and everything touches the times. */
static int set_attributes(const struct replay *replay, const struct fs_change *change, struct error *err)
{
        struct timespec mtime = change->st.st_mtim;
        int r = change->kind == FS_DIR ? drop_xattrs(change->path, err) : 0;

        if (r < 0)
                return r;
        if (replay->epoch >= 0 && mtime.tv_sec >= replay->epoch)
                mtime = (struct timespec){replay->epoch, 0};
        if (lchown(change->path, change->st.st_uid, change->st.st_gid) < 0)
                return error_errno(err, errno, "set its owner %u:%u", change->st.st_uid, change->st.st_gid);
        if (change->kind != FS_SYMLINK && chmod(change->path, change->st.st_mode & 07777) < 0)
                return error_errno(err, errno, "set its mode");
        for (size_t i = 0; i < change->n_xattrs; i++)
                if (lsetxattr(change->path, change->xattrs[i].name, change->xattrs[i].value, change->xattrs[i].len, 0) <
                    0)
                        return error_errno(err, errno, "set its attribute '%s'", change->xattrs[i].name);
        if (utimensat(AT_FDCWD, change->path, (struct timespec[]){mtime, mtime}, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "set its times");
        return 0;
}

static int empty_folder(const char *path, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(path);
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, errno, "read it");
        while (r == 0 && (entry = readdir(dir))) {
                CLEANUP_FREE char *name = path_join(path, entry->d_name);

                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = tree_remove(name, err);
        }
        return r;
}

/* The folder is there and nothing is to be changed, or nothing is in its place any more. */
static int make_room(const struct fs_change *change, bool *ret_there, struct error *err)
{
        struct stat st;

        *ret_there = false;
        if (lstat(change->path, &st) < 0)
                return errno == ENOENT ? 0 : error_errno(err, errno, "look at it");
        if (change->kind == FS_DIR && (change->keep || S_ISDIR(st.st_mode))) {
                *ret_there = true;
                return 0;
        }
        return tree_remove(change->path, err);
}

static int make_one(struct replay *replay, const struct fs_change *change, struct error *err)
{
        switch (change->kind) {
        case FS_DIR:
                return mkdir(change->path, 0700) < 0 ? error_errno(err, errno, "create the folder") : 0;
        case FS_FILE:
                return make_file(replay, change, err);
        case FS_SYMLINK:
                return symlink(change->target, change->path) < 0 ? error_errno(err, errno, "create the symlink") : 0;
        case FS_LINK:
                return link(change->target, change->path) < 0
                               ? error_errno(err, errno, "make it a link of '/%s'", change->target)
                               : 0;
        case FS_NODE:
                return mknod(change->path, change->st.st_mode, change->st.st_rdev) < 0
                               ? error_errno(err, errno, "create the device, fifo or socket")
                               : 0;
        case FS_REMOVE:
        case FS_CLEAR:
        default:
                return error_set(err, EINVAL, "unknown change %d", (int)change->kind);
        }
}

static int apply(struct replay *replay, const struct fs_change *change, struct error *err)
{
        bool there;
        int r;

        if (change->kind == FS_REMOVE)
                return tree_remove(change->path, err);
        if (change->kind == FS_CLEAR)
                return empty_folder(change->path, err);
        r = make_room(change, &there, err);
        if (r < 0 || (there && change->keep))
                return r;
        if (!there)
                r = make_one(replay, change, err);
        return r < 0 || change->kind == FS_LINK ? r : set_attributes(replay, change, err);
}

/* A folder's times come from its own change alone, not from what is put into it. */
static int apply_in_folder(struct replay *replay, const struct fs_change *change, struct error *err)
{
        CLEANUP_FREE char *folder = path_dir(change->path);
        struct stat st;
        int r;

        if (str_eq(change->path, ".") || lstat(folder, &st) < 0)
                return apply(replay, change, err);
        r = apply(replay, change, err);
        if (r == 0 && utimensat(AT_FDCWD, folder, (struct timespec[]){st.st_atim, st.st_mtim}, 0) < 0 &&
            errno != ENOENT)
                r = error_errno(err, errno, "set the times of its folder");
        return r;
}

int change_log_replay(FILE *stream, int64_t epoch, struct error *err)
{
        CLEANUP_FREE struct replay *replay = xcalloc(1, sizeof(*replay));
        int r;

        replay->stream = stream;
        replay->epoch = epoch;
        do {
                CLEANUP(read_clear) struct read_change read = {0};

                r = get_change(replay, &read, err);
                if (r > 0 && apply_in_folder(replay, &read.change, err) < 0)
                        r = error_wrap(err, -err->code, "'/%s'", str_eq(read.change.path, ".") ? "" : read.path);
        } while (r > 0);
        return r;
}
