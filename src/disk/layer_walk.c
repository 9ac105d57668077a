/* See layer_walk.h. On the way up the parent is opened as ".." and must be
 * the folder that was left: a tree that moves while it is read is an error. */
#include "disk/layer_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"

static const char *show(const struct walk *walk)
{
        return str_get(&walk->path);
}

struct walk_frame *walk_top(struct walk *walk)
{
        return &walk->frames.v[walk->frames.n - 1];
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int fd, char ***ret)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_CLOSEDIR DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
        VEC(char *) list = {0};
        struct dirent *entry;

        if (!dir)
                return -errno;
        errno = 0;
        while ((entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        vec_push(&list, xstrdup(entry->d_name));
        if (list.n > 1)
                qsort(list.v, list.n, sizeof(*list.v), by_name);
        vec_push(&list, NULL);
        *ret = list.v;
        return -errno;
}

/* Make fd the current folder, whose path is walk->path. */
static int push(struct walk *walk, int fd, const struct stat *st, struct error *err)
{
        struct walk_frame frame = {.st = *st, .path_len = walk->path.len, .marked = steal(&walk->mark_next)};
        int r;

        if (walk->fd >= 0)
                close(walk->fd);
        walk->fd = fd;
        r = read_names(fd, &frame.names);
        vec_push(&walk->frames, frame);
        return r < 0 ? error_errno(err, -r, "read folder '/%s'", show(walk)) : 0;
}

/* Back to the folder above. */
static int pop(struct walk *walk, struct error *err)
{
        struct walk_frame *frame = walk_top(walk);
        struct stat st;
        int fd;

        strv_free(frame->names);
        walk->frames.n--;
        if (walk->frames.n == 0)
                return 0;
        frame = walk_top(walk);
        fd = openat(walk->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "go back from folder '/%s'", show(walk));
        close(walk->fd);
        walk->fd = fd;
        if (fstat(fd, &st) < 0 || st.st_dev != frame->st.st_dev || st.st_ino != frame->st.st_ino)
                return error_set(err, EBUSY, "the folder above '/%s' was moved while it was read", show(walk));
        walk->path.len = frame->path_len;
        if (walk->path.s)
                walk->path.s[walk->path.len] = '\0';
        return 0;
}

static int enter(struct walk *walk, const char *name, walk_visitor *visit, void *arg, const struct stat *st,
                 struct error *err)
{
        int r = visit(arg, walk, WALK_FOLDER, name, st, err);
        int fd;

        if (r < 0)
                return r;
        fd = openat(walk->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "open folder '/%s'", show(walk));
        return push(walk, fd, st, err);
}

static int step(struct walk *walk, walk_visitor *visit, void *arg, struct error *err)
{
        struct walk_frame *frame = walk_top(walk);
        const char *name = frame->names[frame->next];
        struct stat st;
        int r = cancel_check(err);

        if (r < 0)
                return r;
        walk->path.len = frame->path_len;
        if (walk->path.s)
                walk->path.s[walk->path.len] = '\0';
        if (!name) {
                r = visit(arg, walk, WALK_LEAVE, ".", &frame->st, err);
                return r < 0 ? r : pop(walk, err);
        }
        frame->next++;
        str_addf(&walk->path, "%s%s", walk->path.len ? "/" : "", name);
        if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "stat '/%s'", show(walk));
        if (S_ISDIR(st.st_mode))
                return enter(walk, name, visit, arg, &st, err);
        return visit(arg, walk, WALK_ENTRY, name, &st, err);
}

static void walk_clear(struct walk *walk)
{
        for (size_t i = 0; i < walk->frames.n; i++)
                strv_free(walk->frames.v[i].names);
        vec_free(&walk->frames);
        str_clear(&walk->path);
        if (walk->fd >= 0)
                close(walk->fd);
}

int walk_tree(const char *dir, walk_visitor *visit, void *arg, struct error *err)
{
        CLEANUP(walk_clear) struct walk walk = {.fd = -1};
        struct stat st;
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open folder '%s'", dir);
        if (fstat(fd, &st) < 0) {
                close(fd);
                return error_errno(err, errno, "stat '%s'", dir);
        }
        walk.fd = fd;
        r = visit(arg, &walk, WALK_FOLDER, ".", &st, err);
        walk.fd = -1;
        if (r < 0) {
                close(fd);
                return r;
        }
        r = push(&walk, fd, &st, err);
        while (r == 0 && walk.frames.n > 0)
                r = step(&walk, visit, arg, err);
        return r;
}
