/* See layer.h. Two passes over the layer: what it takes away, then what it
 * adds. */
#include "disk/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/layer_walk.h"
#include "disk/layer_xattr.h"

/* A file with several names, of which one was written. */
struct link_seen {
        dev_t dev;
        ino_t ino;
        size_t target;
        char *path; /* relative to that file system's root */
};

struct apply {
        const struct layer_target *targets;
        size_t n;
        VEC(struct link_seen) links; /* a hash table: open addressing, a power of two */
        size_t links_used;
        struct ui *ui;
        uint64_t total, done;
        struct stat root;
};

/* ---- which file system a path belongs to ---- */

static const char *mountpoint(const struct layer_target *target)
{
        return target->mountpoint + strspn(target->mountpoint, "/");
}

/* Whether path is `folder` or below it; "" is above everything. */
static bool below(const char *path, const char *folder)
{
        size_t n = strlen(folder);

        while (n > 0 && folder[n - 1] == '/')
                n--;
        return n == 0 || (strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* `strict`: a mountpoint's folder as its parent has it. Returns n if there is none. */
static size_t owner(const struct apply *apply, const char *path, bool strict, const char **ret_relative)
{
        size_t best = apply->n, best_len = 0;

        for (size_t i = 0; i < apply->n; i++) {
                const char *at = mountpoint(&apply->targets[i]);
                size_t len = strlen(at);

                while (len > 0 && at[len - 1] == '/')
                        len--;
                if (!below(path, at) || (strict && len == strlen(path) && len > 0))
                        continue;
                if (best < apply->n && len < best_len)
                        continue;
                best = i;
                best_len = len;
        }
        *ret_relative = path + best_len;
        if (**ret_relative == '/')
                ++*ret_relative;
        return best;
}

static bool is_mountpoint(const struct apply *apply, const char *path)
{
        for (size_t i = 0; i < apply->n; i++)
                if (below(path, mountpoint(&apply->targets[i])) && below(mountpoint(&apply->targets[i]), path))
                        return true;
        return false;
}

static bool holds_mountpoint(const struct apply *apply, const char *path)
{
        for (size_t i = 0; i < apply->n; i++)
                if (below(mountpoint(&apply->targets[i]), path) && *mountpoint(&apply->targets[i]))
                        return true;
        return false;
}

static int send_to(const struct apply *apply, size_t target, const struct fs_change *change, const char *full_path,
                   struct error *err)
{
        int r;

        if (target >= apply->n)
                return error_set(err, ENOENT, "'/%s': no partition is mounted at /", full_path);
        r = apply->targets[target].type->write_change(apply->targets[target].writer, change, err);
        return r < 0 ? error_wrap(err, r, "'/%s'", full_path) : 0;
}

/* ---- the folders of mountpoints ---- */

static int keep_folder(const struct apply *apply, const char *path, struct error *err)
{
        const char *relative;
        size_t target = owner(apply, path, true, &relative);
        struct fs_change change = {.kind = FS_DIR, .path = relative, .fd = -1, .keep = true};

        change.st.st_mode = S_IFDIR | 0755;
        change.st.st_mtim = apply->root.st_mtim;
        return send_to(apply, target, &change, path, err);
}

/* The folders on the way to `path` from `above` on (which is one of them), and itself. */
static int keep_folders(const struct apply *apply, const char *above, const char *path, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(path);
        int r;

        for (char *p = copy; *p; p++) {
                if (*p != '/' || (size_t)(p - copy) < strlen(above))
                        continue;
                *p = '\0';
                r = keep_folder(apply, copy, err);
                if (r < 0)
                        return r;
                *p = '/';
        }
        return keep_folder(apply, copy, err);
}

/* ---- first pass: what is gone ---- */

/* `path` and all below it was hidden (kind FS_REMOVE), or all below it (FS_CLEAR). */
static int take_away(const struct apply *apply, enum fs_change_kind kind, const char *path, struct error *err)
{
        const char *relative;
        size_t target = owner(apply, path, false, &relative);
        struct fs_change change = {.kind = is_mountpoint(apply, path) ? FS_CLEAR : kind, .path = relative, .fd = -1};
        int r = send_to(apply, target, &change, path, err);

        for (size_t i = 0; i < apply->n && r == 0; i++) {
                const char *at = mountpoint(&apply->targets[i]);

                if (!*at || !below(at, path) || i == target)
                        continue;
                change = (struct fs_change){.kind = FS_CLEAR, .path = "", .fd = -1};
                r = send_to(apply, i, &change, at, err);
        }
        for (size_t i = 0; i < apply->n && r == 0; i++) {
                const char *at = mountpoint(&apply->targets[i]);

                if (*at && below(at, path))
                        r = keep_folders(apply, path, at, err);
        }
        return r;
}

static bool is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* A file that stands for a whiteout where no device can be made. */
static int is_xwhiteout(struct walk *walk, const char *name, const struct stat *st, bool *ret, struct error *err)
{
        CLEANUP(xattr_clear) struct xattr_list xattrs = {0};
        int r;

        *ret = false;
        if (!S_ISREG(st->st_mode) || st->st_size != 0 || !walk_top(walk)->marked)
                return 0;
        r = xattr_read(walk->fd, name, &xattrs, err);
        *ret = xattrs.whiteout;
        return r < 0 ? error_wrap(err, r, "'/%s'", str_get(&walk->path)) : 0;
}

static int visit_removed(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
                         struct error *err)
{
        CLEANUP(xattr_clear) struct xattr_list xattrs = {0};
        struct apply *apply = arg;
        const char *path = str_get(&walk->path);
        bool gone;
        int r;

        if (event == WALK_LEAVE)
                return 0;
        if (event == WALK_ENTRY) {
                r = is_xwhiteout(walk, name, st, &gone, err);
                if (r < 0)
                        return r;
                if (gone || is_whiteout(st))
                        return take_away(apply, FS_REMOVE, path, err);
                if (S_ISREG(st->st_mode))
                        apply->total += (uint64_t)st->st_size;
                return 0;
        }
        if (*path == '\0')
                apply->root = *st;
        r = xattr_read(walk->fd, name, &xattrs, err);
        if (r < 0)
                return error_wrap(err, r, "'/%s'", path);
        if (xattrs.redirect)
                return error_set(
                        err, EINVAL,
                        "'/%s': the overlay was mounted with redirect_dir or metacopy; only a part of the change "
                        "is in the layer",
                        path);
        walk->mark_next = xattrs.xwhiteout;
        return xattrs.opaque ? take_away(apply, FS_CLEAR, path, err) : 0;
}

/* ---- second pass: what is new ---- */

static size_t link_slot(const struct apply *apply, dev_t dev, ino_t ino, size_t target)
{
        uint64_t hash = ((uint64_t)ino * 31 + (uint64_t)dev) * 31 + target;
        size_t at = (size_t)(hash * 0x9e3779b97f4a7c15ULL >> 17) & (apply->links.n - 1);

        while (apply->links.v[at].path &&
               (apply->links.v[at].dev != dev || apply->links.v[at].ino != ino || apply->links.v[at].target != target))
                at = (at + 1) & (apply->links.n - 1);
        return at;
}

static void links_grow(struct apply *apply)
{
        struct link_seen *old = apply->links.v;
        size_t n = apply->links.n;

        apply->links.n = apply->links.cap = n ? 2 * n : 64;
        apply->links.v = xcalloc(apply->links.n, sizeof(*apply->links.v));
        for (size_t i = 0; i < n; i++)
                if (old[i].path)
                        apply->links.v[link_slot(apply, old[i].dev, old[i].ino, old[i].target)] = old[i];
        free(old);
}

/* The path under which this file was written before, or NULL, and it is noted. */
static const char *link_known(struct apply *apply, const struct stat *st, size_t target, const char *path)
{
        struct link_seen *seen;

        if (st->st_nlink < 2)
                return NULL;
        if (4 * (apply->links_used + 1) > 3 * apply->links.n)
                links_grow(apply);
        seen = &apply->links.v[link_slot(apply, st->st_dev, st->st_ino, target)];
        if (seen->path)
                return seen->path;
        *seen = (struct link_seen){st->st_dev, st->st_ino, target, xstrdup(path)};
        apply->links_used++;
        return NULL;
}

static int add_file(struct apply *apply, struct walk *walk, const char *name, size_t target, struct fs_change *change,
                    struct error *err)
{
        CLEANUP_CLOSE int fd = openat(walk->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open '/%s'", str_get(&walk->path));
        change->kind = FS_FILE;
        change->fd = fd;
        r = send_to(apply, target, change, str_get(&walk->path), err);
        change->fd = -1;
        apply->done += (uint64_t)change->st.st_size;
        progress_update(apply->ui, apply->done);
        return r;
}

static int add_entry(struct apply *apply, struct walk *walk, const char *name, size_t target, struct fs_change *change,
                     struct error *err)
{
        const char *path = str_get(&walk->path);
        char text[PATH_MAX];
        ssize_t n;

        change->target = link_known(apply, &change->st, target, change->path);
        if (change->target) {
                change->kind = FS_LINK;
                return send_to(apply, target, change, path, err);
        }
        if (S_ISREG(change->st.st_mode))
                return add_file(apply, walk, name, target, change, err);
        change->kind = FS_NODE;
        if (S_ISLNK(change->st.st_mode)) {
                n = readlinkat(walk->fd, name, text, sizeof(text) - 1);
                if (n < 0)
                        return error_errno(err, errno, "read symlink '/%s'", path);
                text[n] = '\0';
                change->kind = FS_SYMLINK;
                change->target = text;
        }
        n = send_to(apply, target, change, path, err);
        change->target = NULL;
        return (int)n;
}

static int add_folder(struct apply *apply, const char *path, size_t target, struct fs_change *change, bool again,
                      struct error *err)
{
        int r = 0;

        change->kind = FS_DIR;
        if (!again && *path && is_mountpoint(apply, path))
                r = keep_folder(apply, path, err);
        return r < 0 ? r : send_to(apply, target, change, path, err);
}

static int visit_added(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
                       struct error *err)
{
        CLEANUP(xattr_clear) struct xattr_list xattrs = {0};
        struct apply *apply = arg;
        const char *path = str_get(&walk->path), *relative;
        size_t target = owner(apply, path, false, &relative);
        struct fs_change change = {.path = relative, .st = *st, .fd = -1};
        int r;

        if (event == WALK_ENTRY && is_whiteout(st))
                return 0;
        if (event == WALK_LEAVE && !walk_top(walk)->touched)
                return 0;
        r = xattr_read(walk->fd, name, &xattrs, err);
        if (r < 0)
                return error_wrap(err, r, "'/%s'", path);
        if (event == WALK_ENTRY && xattrs.whiteout && walk_top(walk)->marked)
                return 0;
        if (event == WALK_ENTRY && holds_mountpoint(apply, path))
                return error_set(err, EINVAL,
                                 "'/%s' is, or holds, the folder where a partition is mounted, but was replaced by "
                                 "something that is no folder",
                                 path);
        if (event == WALK_ENTRY && xattrs.redirect)
                return error_set(err, EINVAL, "'/%s': only a part of the file is in the layer (metacopy)", path);
        change.xattrs = xattrs.v;
        change.n_xattrs = xattrs.n;
        if (event != WALK_LEAVE && walk->frames.n > 0)
                walk_top(walk)->touched = true;
        if (event == WALK_FOLDER)
                walk->mark_next = xattrs.xwhiteout;
        if (event == WALK_ENTRY)
                return add_entry(apply, walk, name, target, &change, err);
        return add_folder(apply, path, target, &change, event == WALK_LEAVE, err);
}

static void apply_clear(struct apply *apply)
{
        for (size_t i = 0; i < apply->links.n; i++)
                free(apply->links.v[i].path);
        vec_free(&apply->links);
}

int layer_apply(const char *dir, const struct layer_target *targets, size_t n, struct ui *ui, struct error *err)
{
        CLEANUP(apply_clear) struct apply apply = {.targets = targets, .n = n, .ui = ui};
        int r = walk_tree(dir, visit_removed, &apply, err);

        for (size_t i = 0; i < n && r == 0; i++)
                if (*mountpoint(&targets[i]))
                        r = keep_folders(&apply, "", mountpoint(&targets[i]), err);
        if (r < 0)
                return r;
        progress_start(ui, "Writing", apply.total);
        r = walk_tree(dir, visit_added, &apply, err);
        progress_end(ui);
        return r;
}
