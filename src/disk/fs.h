/* File systems in a part of an image file, in user space: one row of fs_types
 * for each kind. A row leaves NULL what that kind cannot do; the callers say
 * so to the user by the row's name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/ui.h"

/* Where a file system lies. The image stays as large as it is. */
struct fs_volume {
        const char *path; /* image file; /proc/self/fd/N works too */
        uint64_t offset_bytes, size_bytes;
        const char *name; /* "partition 2 (root)": for messages */
};

struct fs_make {
        const char *label;          /* or NULL */
        const char *const *options; /* filesystem_make_options: argv for mkfs */
        const char *id_seed;        /* UUID and hash seed are made from it; NULL: random */
        int64_t epoch;              /* SOURCE_DATE_EPOCH: time stamps; -1: now */
};

struct fs_xattr {
        const char *name; /* "security.capability", "user.x", "system.posix_acl_access" */
        const void *value;
        size_t len;
};

/* Whether a change decides about the attribute: it is one that extract() hands out, and is gone if the change lacks it.
 */
bool fs_xattr_travels(const char *name);

/* One change to a file system. Paths have no leading slash and are relative
 * to the file system's root; "" is the root itself. */
enum fs_change_kind {
        FS_REMOVE, /* whatever is there, with all below it; nothing there: no error */
        FS_CLEAR,  /* a folder that is there loses all its entries (overlay's opaque); nothing there: no error */
        FS_DIR,    /* make it, or set its attributes; replaces what is no folder. It comes before what
                    * is in it, and once more after that, so that its times are right in the end */
        FS_FILE,   /* data from fd; replaces what is there */
        FS_SYMLINK,
        FS_LINK, /* another name for `target`, a path given earlier */
        FS_NODE, /* device, fifo or socket */
};
struct fs_change {
        enum fs_change_kind kind;
        const char *path;
        struct stat st;     /* mode, uid, gid, mtime, size, rdev */
        const char *target; /* FS_SYMLINK: its text; FS_LINK: the first path */
        int fd;             /* FS_FILE: open for reading; else -1 */
        const struct fs_xattr *xattrs;
        size_t n_xattrs;
        bool keep; /* FS_DIR: where there is something already (whatever it is), nothing is changed */
};

/* An entry of a folder, as `image ls` shows it. */
struct fs_entry {
        const char *name;
        struct stat st;
        const char *target; /* symlinks; else NULL */
};

/* Where the bytes of a file lie in the image: [at, at + len) of the file at `offset` of the image file, in the
 * file's order. What is between and behind them, up to its size, reads as zero. */
struct fs_extent {
        uint64_t at, len, offset;
};
struct fs_extents {
        struct fs_extent *v;
        size_t n, cap;
        uint64_t size_bytes; /* of the file */
        int64_t mtime_sec;
};
static inline void fs_extents_clear(struct fs_extents *extents)
{
        free(extents->v);
        *extents = (struct fs_extents){0};
}

/* One more, behind the others. -EFBIG where there are so many already that only a made-up file would have more: all
 * are kept in memory. */
int fs_extents_add(struct fs_extents *extents, struct fs_extent extent, struct error *err);

/* Told of a path, relative to the root of a file system, no leading slash. */
typedef void fs_name_fn(void *arg, const char *path);

struct fs_type {
        const char *name;           /* as templates and libblkid write it */
        const char *const *aliases; /* NULL-terminated, or NULL */
        /* An empty file system. */
        int (*make)(const struct fs_volume *volume, const struct fs_make *make, struct error *err);
        /* All of it into the empty folder dir: owners, modes, xattrs, hard
         * links, holes; no device nodes. In the user namespace. */
        int (*extract)(const struct fs_volume *volume, const char *dir, struct ui *ui, struct error *err);
        /* The tree that extract() would make, read-only, without making it:
         * answer the kernel on fuse_fd (/dev/fuse, mounted) until it is unmounted.
         * The volume must not change meanwhile. Damage that is met while serving is told to
         * on_error; whoever asked gets EIO. */
        int (*serve)(const struct fs_volume *volume, int fuse_fd, void (*on_error)(void *arg, const struct error *err),
                     void *arg, struct error *err);
        /* The names of all regular files that have more than one. */
        int (*links)(const struct fs_volume *volume, fs_name_fn *on_name, void *arg, struct error *err);
        /* A writer for changes in place. In the user namespace, since layers
         * belong to mapped users. Errors name the volume; the path of a change is for the caller
         * to name. `epoch`: times later than it are set to it (-1: not). */
        int (*write_open)(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err);
        int (*write_change)(void *writer, const struct fs_change *change, struct error *err);
        /* Flush and close; on error nothing more can be done with it. */
        int (*write_close)(void *writer, struct error *err);
        void (*write_abort)(void *writer);
        /* Grow to volume->size_bytes. */
        int (*grow)(const struct fs_volume *volume, struct error *err);
        /* As small as its contents allow with `slack_bytes` of room, and never larger than it was; what it does not
         * use is no longer in the image file. *ret_bytes: its size then. */
        int (*shrink)(const struct fs_volume *volume, uint64_t slack_bytes, uint64_t *ret_bytes, struct error *err);
        /* Mend what a journal holds or a power cut left (false: only look); an error if it is damaged. */
        int (*check)(const struct fs_volume *volume, bool repair, struct error *err);
        /* For slipway image. Of what is no folder, list() shows itself or says
         * -ENOTDIR; "path/." insists on a folder. */
        int (*list)(const struct fs_volume *volume, const char *path,
                    int (*on_entry)(void *arg, const struct fs_entry *entry), void *arg, struct error *err);
        int (*cat)(const struct fs_volume *volume, const char *path, int out_fd, struct error *err);
        /* Of a regular file, for reading it in place. -ENOTSUP: its bytes do not lie there as they are; cat() it. */
        int (*locate)(const struct fs_volume *volume, const char *path, struct fs_extents *ret, struct error *err);
        bool no_owners; /* FAT: owners, modes, links are not kept */
};

/* NULL for an unknown name. */
const struct fs_type *fs_type_find(const char *name);
/* All names, NULL-terminated, for messages. */
const char *const *fs_type_names(void);
