/* See links.h. Whether a file or folder was left alone is told by its ctime,
 * which nobody can set. */
#include "guest/links.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/node.h"

/* Larger files are not copied for each step, and split as overlay has it. */
static const off_t size_max = 256 << 20;

/* A name of a file that has more than one. */
struct name {
        dev_t dev;
        ino_t ino;
        char *path; /* relative to the root, no leading slash */
};

struct names {
        VEC(struct name) list;
};

static void names_clear(struct names *names)
{
        for (size_t i = 0; i < names->list.n; i++)
                free(names->list.v[i].path);
        vec_free(&names->list);
}

static int compare(const void *a, const void *b)
{
        const struct name *x = a, *y = b;

        if (x->dev != y->dev)
                return x->dev < y->dev ? -1 : 1;
        if (x->ino != y->ino)
                return x->ino < y->ino ? -1 : 1;
        return strcmp(x->path, y->path);
}

/* By file, then by path; each once, as many layers may have a path. */
static void names_sort(struct names *names)
{
        struct name *v = names->list.v;
        size_t n = names->list.n, kept = 0;

        if (n > 1)
                qsort(v, n, sizeof(*v), compare);
        for (size_t i = 0; i < n; i++) {
                if (kept > 0 && compare(&v[kept - 1], &v[i]) == 0)
                        free(v[i].path);
                else
                        v[kept++] = v[i];
        }
        names->list.n = kept;
}

/* How many of the names from the i-th on are of one file. */
static size_t group(const struct names *names, size_t i)
{
        const struct name *v = names->list.v;
        size_t n = 1;

        while (i + n < names->list.n && v[i + n].dev == v[i].dev && v[i + n].ino == v[i].ino)
                n++;
        return n;
}

/* ---- which there are ---- */

static int collect(const char *tree, struct names *names, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(tree);
        FTS *walk = fts_open((char *const[]){copy, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        FTSENT *entry;
        int r = 0;

        if (!walk)
                return error_errno(err, errno, "read the tree '%s'", tree);
        while (errno = 0, (entry = fts_read(walk))) {
                if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
                        r = error_errno(err, entry->fts_errno, "read '%s'", entry->fts_path);
                if (entry->fts_info == FTS_F && S_ISREG(entry->fts_statp->st_mode) && entry->fts_statp->st_nlink > 1)
                        vec_push(&names->list, (struct name){entry->fts_statp->st_dev, entry->fts_statp->st_ino,
                                                             xstrdup(entry->fts_path + strlen(tree) + 1)});
                if (r < 0)
                        break;
        }
        if (r == 0 && errno)
                r = error_errno(err, errno, "read the tree '%s'", tree);
        fts_close(walk);
        return r;
}

int guest_links_save(const char *tree, const char *file, struct error *err)
{
        CLEANUP(names_clear) struct names names = {0};
        CLEANUP_STR struct str text = {0};
        int r = collect(tree, &names, err);

        names_sort(&names);
        for (size_t i = 0; i < names.list.n; i++)
                str_addn(&text, names.list.v[i].path, strlen(names.list.v[i].path) + 1);
        return r < 0 ? r : file_write(file, str_get(&text), text.len, 0644, err);
}

/* Those of the base as they were saved; there need not be such a file. */
static int read_saved(const char *file, struct names *names, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;
        int r = path_exists(file) ? file_read(file, 0, &text, &len, err) : 0;

        for (size_t at = 0; r == 0 && at < len; at += strlen(text + at) + 1)
                vec_push(&names->list, (struct name){.path = xstrdup(text + at)});
        return r;
}

/* Are all folders on the way real ones, in the merged layers? */
static bool is_reachable(int below, const char *path)
{
        CLEANUP_FREE char *copy = xstrdup(path);
        struct stat st;

        for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (fstatat(below, copy, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                        return false;
                *slash = '/';
        }
        return true;
}

/* Of the names of all layers, what the merged ones show. */
static void look_at(int below, struct names *candidates, struct names *ret)
{
        struct stat st;

        for (size_t i = 0; i < candidates->list.n; i++) {
                struct name *name = &candidates->list.v[i];

                if (is_reachable(below, name->path) && fstatat(below, name->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISREG(st.st_mode) && st.st_nlink > 1 && st.st_size <= size_max)
                        vec_push(&ret->list, (struct name){st.st_dev, st.st_ino, steal(&name->path)});
        }
        names_sort(ret);
}

static int find(const struct guest_config *config, int below, struct names *ret, struct error *err)
{
        CLEANUP(names_clear) struct names candidates = {0};
        int r = config->links ? read_saved(config->links, &candidates, err) : 0;

        for (size_t i = 1; r == 0 && config->lowers[i]; i++)
                r = collect(config->lowers[i], &candidates, err);
        if (r == 0)
                look_at(below, &candidates, ret);
        return r;
}

/* ---- into the upper folder ---- */

struct prepare {
        int below, upper;
        VEC(char *) folders; /* made, from the top down */
};

static void prepare_clear(struct prepare *prepare)
{
        for (size_t i = 0; i < prepare->folders.n; i++)
                free(prepare->folders.v[i]);
        vec_free(&prepare->folders);
        close_p(&prepare->upper);
}

/* A folder as below, or (with `all` false) only its times. Overlay would mark it when it is
 * looked up, and so change its ctime, had it no mark. */
static int like_below(const struct prepare *prepare, const char *path, bool all, struct error *err)
{
        CLEANUP_CLOSE int from = openat(prepare->below, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        CLEANUP_CLOSE int to = openat(prepare->upper, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (from < 0 || to < 0)
                return error_errno(err, errno, "open folder '/%s'", path);
        if (all && fsetxattr(to, "user.overlay.origin", "", 0, 0) < 0)
                return error_errno(err, errno, "mark folder '/%s'", path);
        if (all)
                return node_copy_attributes(from, to, err);
        r = node_copy_times(from, to);
        return r < 0 ? error_errno(err, -r, "set the times of '/%s'", path) : 0;
}

static int make_folders(struct prepare *prepare, const char *path, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(path);
        int r = 0;

        for (char *slash = strchr(copy, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdirat(prepare->upper, copy, 0700) == 0) {
                        vec_push(&prepare->folders, xstrdup(copy));
                        r = like_below(prepare, copy, true, err);
                } else if (errno != EEXIST) {
                        r = error_errno(err, errno, "create folder '/%s' in the layer", copy);
                }
                *slash = '/';
        }
        return r;
}

static int put(struct prepare *prepare, const struct name *names, size_t n, struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = make_folders(prepare, names[i].path, err);
                if (r == 0 && i == 0)
                        r = node_copy(prepare->below, names[0].path, prepare->upper, names[0].path, err);
                else if (r == 0 && linkat(prepare->upper, names[0].path, prepare->upper, names[i].path, 0) < 0)
                        r = error_errno(err, errno, "link '/%s' in the layer", names[i].path);
        }
        return r;
}

/* A record for parse(): how many names the file has left there (0: a folder), inode, ctime, path. */
static void record(struct str *text, int upper, size_t left, const char *path)
{
        struct stat st = {0};

        fstatat(upper, path, &st, AT_SYMLINK_NOFOLLOW);
        str_addf(text, "%zu %ju %jd %ld %s", left, (uintmax_t)st.st_ino, (intmax_t)st.st_ctim.tv_sec,
                 st.st_ctim.tv_nsec, path);
        str_addn(text, "", 1);
}

static int put_all(struct prepare *prepare, const struct names *names, struct str *text, struct error *err)
{
        const struct name *v = names->list.v;
        int r = 0;

        for (size_t i = 0, n; r == 0 && i < names->list.n; i += n) {
                n = group(names, i);
                if (n > 1)
                        r = put(prepare, &v[i], n, err);
        }
        for (size_t i = prepare->folders.n; r == 0 && i-- > 0;)
                r = like_below(prepare, prepare->folders.v[i], false, err);
        for (size_t i = 0, n; r == 0 && i < names->list.n; i += n) {
                n = group(names, i);
                for (size_t k = 0; n > 1 && k < n; k++)
                        record(text, prepare->upper, n - k, v[i + k].path);
        }
        for (size_t i = prepare->folders.n; r == 0 && i-- > 0;)
                record(text, prepare->upper, 0, prepare->folders.v[i]);
        return r;
}

int links_prepare(const struct guest_config *config, int below, struct error *err)
{
        CLEANUP(prepare_clear) struct prepare prepare = {.below = below, .upper = -1};
        CLEANUP(names_clear) struct names names = {0};
        CLEANUP_FREE char *file = path_join(config->scratch, "links");
        CLEANUP_STR struct str text = {0};
        int r = find(config, below, &names, err);

        prepare.upper = open(config->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r == 0 && prepare.upper < 0)
                r = error_errno(err, errno, "open '%s'", config->upper);
        if (r == 0)
                r = put_all(&prepare, &names, &text, err);
        if (r == 0)
                r = file_write(file, str_get(&text), text.len, 0600, err);
        return r < 0 ? error_wrap(err, r, "files with several names") : 0;
}

/* ---- and out of it ---- */

struct entry {
        size_t left;
        uintmax_t ino;
        intmax_t sec;
        long nsec;
        const char *path;
        bool changed;
};

struct entries {
        VEC(struct entry) list;
};

static void entries_clear(struct entries *entries)
{
        vec_free(&entries->list);
}

static void look(int upper, struct entry *entry)
{
        struct stat st;

        entry->changed = fstatat(upper, entry->path, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != entry->ino ||
                         st.st_ctim.tv_sec != entry->sec || st.st_ctim.tv_nsec != entry->nsec;
}

static void parse(char *text, size_t len, struct entries *ret)
{
        for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
                struct entry entry = {0};
                char *end;

                entry.left = strtoul(text + at, &end, 10);
                entry.ino = strtoumax(end, &end, 10);
                entry.sec = strtoimax(end, &end, 10);
                entry.nsec = strtol(end, &end, 10);
                entry.path = end + 1;
                vec_push(&ret->list, entry);
        }
}

/* Remove a name, and give its folder back the times it had. */
static int take_out(int upper, const char *path, int flags, struct error *err)
{
        CLEANUP_FREE char *folder = path_dir(path);
        CLEANUP_CLOSE int dir = openat(upper, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir < 0)
                return error_errno(err, errno, "open folder '/%s' of the layer", folder);
        return node_remove(dir, path_name(path), flags, err);
}

static int take_all(int upper, struct entries *entries, struct error *err)
{
        struct entry *v = entries->list.v;
        int r = 0;

        for (size_t i = 0; i < entries->list.n; i++)
                look(upper, &v[i]);
        /* Any other name of a changed file is needed with it. */
        for (size_t i = 0; r == 0 && i < entries->list.n && v[i].left > 0; i += v[i].left) {
                bool changed = false;

                for (size_t k = 0; k < v[i].left; k++)
                        changed = changed || v[i + k].changed;
                for (size_t k = 0; r == 0 && !changed && k < v[i].left; k++)
                        r = take_out(upper, v[i + k].path, 0, err);
        }
        for (size_t i = 0; r == 0 && i < entries->list.n; i++) {
                CLEANUP_ERROR struct error why = {0};

                if (v[i].left > 0 || v[i].changed)
                        continue;
                r = take_out(upper, v[i].path, AT_REMOVEDIR, &why);
                if (r == -ENOTEMPTY) /* of what was changed in it */
                        r = 0;
                else if (r < 0)
                        r = error_errno(err, -r, "remove folder '/%s' of the layer", v[i].path);
        }
        return r;
}

int links_undo(const char *scratch, const char *upper, struct error *err)
{
        CLEANUP(entries_clear) struct entries entries = {0};
        CLEANUP_FREE char *file = path_join(scratch, "links"), *text = NULL;
        CLEANUP_CLOSE int fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        size_t len = 0;
        int r = fd < 0 ? error_errno(err, errno, "open '%s'", upper) : 0;

        if (r == 0 && path_exists(file)) /* not for an upper folder that was there before */
                r = file_read(file, 0, &text, &len, err);

        if (text)
                parse(text, len, &entries);
        if (r == 0)
                r = take_all(fd, &entries, err);
        return r < 0 ? error_wrap(err, r, "take files with several names out of the layer") : 0;
}
