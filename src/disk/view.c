/* See view.h. */
#include "disk/view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/packed.h"
#include "base/str.h"
#include "base/vec.h"

/* ---- opening ---- */

int disk_view_open(const char *image, struct disk_view **ret, struct error *err)
{
        CLEANUP(disk_view_freep) struct disk_view *view = xcalloc(1, sizeof(*view));
        int r = packed_refuse(image, err);

        view->image = xstrdup(image);
        if (r == 0)
                r = disk_table_read(image, &view->table, err);
        if (r < 0)
                return r;
        if (view->table->n == 0)
                return error_set(err, EINVAL,
                                 "'%s' is no disk image: it has neither a partition table nor a known file system",
                                 image);
        disk_mounts_find(image, view->table, &view->mounts, &view->n_mounts, &view->no_root);
        *ret = steal(&view);
        return 0;
}

struct disk_view *disk_view_free(struct disk_view *view)
{
        if (!view)
                return NULL;
        disk_mounts_free(view->mounts, view->n_mounts);
        disk_table_free(view->table);
        error_clear(&view->no_root);
        free(view->image);
        free(view);
        return NULL;
}

const char *disk_view_mountpoint(const struct disk_view *view, const struct disk_partition *partition)
{
        for (size_t i = 0; i < view->n_mounts; i++)
                if (view->mounts[i].partition == partition)
                        return view->mounts[i].mountpoint;
        return NULL;
}

void disk_entries_clear(struct disk_entries *entries)
{
        for (size_t i = 0; i < entries->n; i++) {
                free(entries->v[i].name);
                free(entries->v[i].target);
        }
        free(entries->v);
        *entries = (struct disk_entries){0};
}

/* ---- where a path leads ---- */

struct spot {
        const struct disk_partition *partition;
        const struct fs_type *type;
        struct fs_volume volume;
        const char *path; /* in the file system; a pointer into the path given */
        char name[64];
};

/* "2:/etc" */
static const struct disk_partition *explicit_partition(const struct disk_view *view, const char *path,
                                                       const char **ret_rest, unsigned int *ret_number)
{
        size_t n = strspn(path, "0123456789");

        *ret_number = 0;
        if (n == 0 || n > 4 || path[n] != ':')
                return NULL;
        *ret_number = (unsigned int)strtoul(path, NULL, 10);
        *ret_rest = path + n + 1;
        return disk_table_find(view->table, *ret_number);
}

static const struct disk_partition *mounted_partition(const struct disk_view *view, const char *path,
                                                      const char **ret_rest)
{
        const struct disk_partition *best = NULL;
        size_t best_len = 0;

        for (size_t i = 0; i < view->n_mounts; i++) {
                const char *at = view->mounts[i].mountpoint;
                size_t n = strcmp(at, "/") == 0 ? 0 : strlen(at);

                if (strncmp(path, at, n) != 0 || (path[n] != '/' && path[n] != '\0') || (best && n < best_len))
                        continue;
                best = view->mounts[i].partition;
                best_len = n;
                *ret_rest = path + n;
        }
        return best;
}

static int find_spot(const struct disk_view *view, const char *path, struct spot *ret, struct error *err)
{
        unsigned int number;

        ret->path = path;
        ret->partition = explicit_partition(view, path, &ret->path, &number);
        if (number > 0 && !ret->partition)
                return error_set(err, ENOENT, "'%s' has no partition %u; 'slipway image info' lists them", view->image,
                                 number);
        if (!ret->partition && view->n_mounts == 0)
                return error_append(err, error_set(err, ENOENT, "'%s': %s", view->image, error_message(&view->no_root)),
                                    "\nName the partition: 1:%s%s", *path == '/' ? "" : "/", path);
        if (!ret->partition && *path != '/')
                return error_set(err, EINVAL, "'%s': a path in an image begins with '/', or with a partition ('2:/%s')",
                                 path, path);
        if (!ret->partition)
                ret->partition = mounted_partition(view, path, &ret->path);
        snprintf(ret->name, sizeof(ret->name), "partition %u", ret->partition->number);
        if (!ret->partition->fs)
                return error_set(err, EINVAL, "%s holds no known file system", ret->name);
        ret->type = fs_type_find(ret->partition->fs);
        if (!ret->type || !ret->type->list || !ret->type->cat)
                return error_set(err, ENOTSUP,
                                 "%s holds %s, which cannot be read without mounting it; ext2, ext3, ext4 and FAT can",
                                 ret->name, ret->partition->fs);
        ret->volume =
                (struct fs_volume){view->image, ret->partition->start_bytes, ret->partition->size_bytes, ret->name};
        return 0;
}

/* ---- listing ---- */

typedef VEC(struct disk_entry) entry_list;

static int add_entry(void *arg, const struct fs_entry *entry)
{
        entry_list *list = arg;

        /* A name that would leave its folder is not passed on: damaged, or made to harm. */
        if (!*entry->name || strchr(entry->name, '/') || strcmp(entry->name, ".") == 0 ||
            strcmp(entry->name, "..") == 0)
                return 0;
        vec_push(list, (struct disk_entry){.name = xstrdup(entry->name),
                                           .target = entry->target ? xstrdup(entry->target) : NULL,
                                           .st = entry->st});
        return 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct disk_entry *)a)->name, ((const struct disk_entry *)b)->name);
}

static int list_folder(const struct spot *spot, const char *path, struct disk_entries *ret, struct error *err)
{
        CLEANUP_FREE char *folder = xasprintf("%s/.", path); /* not a file; a symlink to a folder is followed */
        entry_list list = {0};
        int r = spot->type->list(&spot->volume, folder, add_entry, &list, err);

        if (r == 0 && list.n > 1)
                qsort(list.v, list.n, sizeof(*list.v), by_name);
        ret->v = list.v;
        ret->n = list.n;
        if (r < 0)
                disk_entries_clear(ret);
        return r;
}

/* Which part of the path is missing, and what is there instead. */
static int say_missing(const struct spot *spot, const char *full, struct error *err)
{
        CLEANUP_FREE char *path = xstrdup(spot->path);
        char *name = path + strspn(path, "/"), *end;

        for (; *name; name = end + strspn(end, "/")) {
                CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
                CLEANUP_STRV char **names = NULL;
                CLEANUP_FREE char *folder = xstrndup(path, (size_t)(name - path)), *word = NULL;
                const char *nearest;

                end = name + strcspn(name, "/");
                word = xstrndup(name, (size_t)(end - name));
                if (list_folder(spot, folder, &entries, NULL) < 0)
                        break;
                for (size_t i = 0; i < entries.n; i++)
                        strv_add(&names, entries.v[i].name);
                if (strv_has(STRV(names), word))
                        continue;
                if (strlen(folder) > 1)
                        folder[strlen(folder) - 1] = '\0';
                nearest = names ? str_nearest(word, STRV(names)) : NULL;
                return error_set(err, ENOENT, "'%s' is not in the image: there is no '%s' in '%s' of %s%s%s%s", full,
                                 word, *folder ? folder : "/", spot->name, nearest ? "; did you mean '" : "",
                                 nearest ? nearest : "", nearest ? "'?" : "");
        }
        return error_set(err, ENOENT, "'%s' is not in the image", full);
}

/* The entry at a path, out of the list of its folder. */
static int find_entry(const struct spot *spot, const char *full, struct disk_entries *ret, struct error *err)
{
        CLEANUP(disk_entries_clear) struct disk_entries all = {0};
        CLEANUP_FREE char *trimmed = xstrdup(spot->path), *folder = NULL;
        int r;

        while (str_ends(trimmed, "/"))
                trimmed[strlen(trimmed) - 1] = '\0';
        folder = path_dir(trimmed);
        r = list_folder(spot, strcmp(folder, ".") == 0 ? "/" : folder, &all, err);
        for (size_t i = 0; r == 0 && i < all.n; i++) {
                if (strcmp(all.v[i].name, path_name(trimmed)) != 0)
                        continue;
                ret->v = xcalloc(1, sizeof(*ret->v));
                ret->v[0] = steal(&all.v[i]);
                ret->n = 1;
                return 0;
        }
        return r < 0 && r != -ENOENT && r != -ENOTDIR ? r : say_missing(spot, full, err);
}

int disk_view_list(const struct disk_view *view, const char *path, struct disk_entries *ret, bool *ret_folder,
                   struct error *err)
{
        struct spot spot = {0};
        int r = find_spot(view, path, &spot, err);

        if (r < 0 || !spot.type)
                return r;
        r = list_folder(&spot, spot.path, ret, err);
        if (r == -ENOTDIR || r == -ENOENT) { /* or a symlink that leads nowhere */
                r = find_entry(&spot, path, ret, err);
                *ret_folder = false;
                return r;
        }
        *ret_folder = true;
        return r;
}

int disk_view_cat(const struct disk_view *view, const char *path, int out_fd, struct error *err)
{
        struct spot spot = {0};
        int r = find_spot(view, path, &spot, err);

        if (r < 0 || !spot.type)
                return r;
        r = spot.type->cat(&spot.volume, *spot.path ? spot.path : "/", out_fd, err);
        return r == -ENOENT ? say_missing(&spot, path, err) : r;
}

int disk_view_locate(const struct disk_view *view, const char *path, struct fs_extents *ret, struct error *err)
{
        struct spot spot = {0};
        int r = find_spot(view, path, &spot, err);

        if (r < 0 || !spot.type)
                return r;
        if (!spot.type->locate)
                return error_set(err, ENOTSUP, "%s of %s cannot be read in place", path, spot.name);
        r = spot.type->locate(&spot.volume, *spot.path ? spot.path : "/", ret, err);
        return r == -ENOENT ? say_missing(&spot, path, err) : r;
}

/* ---- extracting ---- */

/* One thing to extract, and for folders what happens at their end. */
struct task {
        char *from, *to;
        struct stat st;
        char *target;
        bool finish; /* a folder whose contents are there: set its time */
};

struct extraction {
        const struct disk_view *view;
        VEC(struct task) tasks; /* a stack */
        size_t left_out;
};

static void task_clear(struct task *task)
{
        free(task->from);
        free(task->to);
        free(task->target);
}

static void extraction_clear(struct extraction *x)
{
        for (size_t i = 0; i < x->tasks.n; i++)
                task_clear(&x->tasks.v[i]);
        vec_free(&x->tasks);
}

static int extract_folder(struct extraction *x, const struct task *task, struct error *err)
{
        CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
        bool folder = false;
        int r = disk_view_list(x->view, task->from, &entries, &folder, err);

        if (r < 0)
                return r;
        if (mkdir(task->to, 0700) < 0)
                return error_errno(err, errno, "create folder '%s'", task->to);
        vec_push(&x->tasks, (struct task){xstrdup(task->from), xstrdup(task->to), task->st, NULL, true});
        for (size_t i = entries.n; i-- > 0;)
                vec_push(&x->tasks,
                         (struct task){path_join(task->from, entries.v[i].name), path_join(task->to, entries.v[i].name),
                                       entries.v[i].st, steal(&entries.v[i].target), false});
        return 0;
}

static int set_attributes(int fd, const char *to, const struct stat *st, struct error *err)
{
        struct timespec times[2] = {st->st_mtim, st->st_mtim};
        mode_t own = S_ISDIR(st->st_mode) ? 0700 : 0600; /* the caller can always read and remove it */

        if (fchmod(fd, (st->st_mode & 0777) | own) < 0 || futimens(fd, times) < 0)
                return error_errno(err, errno, "set mode and time of '%s'", to);
        return 0;
}

static int extract_file(struct extraction *x, const struct task *task, struct error *err)
{
        CLEANUP_CLOSE int fd = open(task->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "create '%s'", task->to);
        r = disk_view_cat(x->view, task->from, fd, err);
        if (r < 0)
                return error_wrap(err, r, "'%s'", task->to);
        if (ftruncate(fd, task->st.st_size) < 0) /* a hole at its end */
                return error_errno(err, errno, "write '%s'", task->to);
        return set_attributes(fd, task->to, &task->st, err);
}

static int finish_folder(const struct task *task, struct error *err)
{
        CLEANUP_CLOSE int fd = open(task->to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", task->to);
        return set_attributes(fd, task->to, &task->st, err);
}

static int extract_one(struct extraction *x, const struct task *task, struct error *err)
{
        if (task->finish)
                return finish_folder(task, err);
        if (S_ISDIR(task->st.st_mode))
                return extract_folder(x, task, err);
        if (S_ISREG(task->st.st_mode))
                return extract_file(x, task, err);
        if (!S_ISLNK(task->st.st_mode) || !task->target) {
                x->left_out++;
                return 0;
        }
        if (symlink(task->target, task->to) < 0)
                return error_errno(err, errno, "create symlink '%s'", task->to);
        return 0;
}

/* What the path is: folders need no entry of their own. */
static int first_task(const struct disk_view *view, const char *path, const char *to, struct extraction *x,
                      struct error *err)
{
        CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
        struct task task = {.st = {.st_mode = S_IFDIR | 0755}};
        bool folder = false;
        int r = disk_view_list(view, path, &entries, &folder, err);

        if (r < 0)
                return r;
        clock_gettime(CLOCK_REALTIME, &task.st.st_mtim);
        if (!folder && entries.n > 0) {
                task.st = entries.v[0].st;
                task.target = steal(&entries.v[0].target);
        }
        task.from = xstrdup(path);
        task.to = xstrdup(to);
        vec_push(&x->tasks, task);
        return 0;
}

int disk_view_extract(const struct disk_view *view, const char *path, const char *to, size_t *ret_left_out,
                      struct error *err)
{
        CLEANUP(extraction_clear) struct extraction x = {.view = view};
        int r = 0;

        if (path_exists(to))
                return error_set(err, EEXIST, "'%s' exists already; name another destination", to);
        r = first_task(view, path, to, &x, err);
        while (r == 0 && x.tasks.n > 0) {
                CLEANUP(task_clear) struct task task = x.tasks.v[--x.tasks.n];

                r = cancel_check(err);
                if (r == 0)
                        r = extract_one(&x, &task, err);
        }
        *ret_left_out = x.left_out;
        return r;
}
