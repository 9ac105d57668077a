/* Files to and from a guest, by processes that are root of the user namespace
 * and resolve every path beneath the guest's root (inroot.h). They keep our
 * supplementary groups, so as to read on the host whatever we may. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/inroot.h"
#include "guest/inside.h"
#include "guest/node.h"
#include "guest/ns.h"

/* A call into the user namespace. */
struct operation {
        struct guest *guest;
        int (*fn)(const struct operation *op, int root_fd, struct error *err);
        const char *from, *to;
        const void *data;
        size_t n;
        mode_t mode;
        struct stat *st; /* in shared memory */
        int (*work)(void *arg, struct error *err);
        void *arg;
        pid_t parent;
};

static int operate(void *arg, int sock, struct error *err)
{
        const struct operation *op = arg;
        int r = userns_enter_user(op->guest->ns, false, err);

        (void)sock;
        if (r < 0)
                return r;
        child_bind_to_parent(op->parent);
        umask(0);
        return op->fn(op, op->guest->fds[GUEST_FD_ROOT], err);
}

static int call(struct operation *op, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        int r;

        if (op->guest->init == 0)
                return error_set(err, ESRCH, "the guest has ended");
        op->parent = getpid();
        r = child_start(&child, operate, op, err);
        return r < 0 ? r : child_receive(&child, NULL, 0, NULL, err);
}

static int make_parent(int root_fd, const char *path)
{
        CLEANUP_FREE char *folder = path_dir(path);

        return inroot_mkdirs(root_fd, strcmp(folder, ".") == 0 ? "/" : folder, 0755);
}

/* Open for writing, new or emptied. */
static int create(int root_fd, const char *path)
{
        return inroot_open(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK, 0600);
}

/* Root's, with its mode; after the data, as writing clears the setuid bit. */
static int finish(int fd, mode_t mode)
{
        return fchown(fd, 0, 0) < 0 || fchmod(fd, mode & 07777) < 0 ? -errno : 0;
}

static int put_data(const struct operation *op, int root_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        int r = make_parent(root_fd, op->to);

        if (r < 0)
                return error_errno(err, -r, "make the folder of '%s' in the guest", op->to);
        fd = create(root_fd, op->to);
        r = fd < 0 ? fd : fd_write_all(fd, op->data, op->n);
        if (r == 0)
                r = finish(fd, op->mode);
        return r < 0 ? error_errno(err, -r, "write '%s' in the guest", op->to) : 0;
}

struct pair {
        char *from, *to;
};

/* Copying a tree from beneath one root to beneath another. */
struct copying {
        int from_root, to_root;
        const char *from_place, *to_place; /* "" or " in the guest", for messages */
        VEC(struct pair) pending;
};

static void copying_done(struct copying *copy)
{
        for (size_t i = 0; i < copy->pending.n; i++) {
                free(copy->pending.v[i].from);
                free(copy->pending.v[i].to);
        }
        vec_free(&copy->pending);
}

static int copy_file(struct copying *copy, const struct pair *pair, int in, mode_t mode, struct error *err)
{
        CLEANUP_CLOSE int out = create(copy->to_root, pair->to);
        int r;

        if (out < 0)
                return error_errno(err, -out, "write '%s'%s", pair->to, copy->to_place);
        r = node_copy_data(in, out, err);
        if (r == 0 && finish(out, mode) < 0)
                r = error_errno(err, errno, "set the mode");
        return r < 0 ? error_wrap(err, r, "copy '%s'%s to '%s'%s", pair->from, copy->from_place, pair->to,
                                  copy->to_place)
                     : 0;
}

static int copy_link(struct copying *copy, const struct pair *pair, int dir, const char *name, struct error *err)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
        const char *last;
        CLEANUP_CLOSE int parent = inroot_parent(copy->to_root, pair->to, &last);

        if (n < 0)
                return error_errno(err, errno, "read symlink '%s'%s", pair->from, copy->from_place);
        if (parent < 0)
                return error_errno(err, -parent, "open the folder of '%s'%s", pair->to, copy->to_place);
        target[n] = '\0';
        unlinkat(parent, last, 0);
        if (symlinkat(target, parent, last) < 0)
                return error_errno(err, errno, "make symlink '%s'%s", pair->to, copy->to_place);
        return 0;
}

/* A folder: made unless it is there, which stays as it is, and what is in it put on the list; symlinks are made at
 * once. */
static int copy_folder(struct copying *copy, const struct pair *pair, int fd, mode_t mode, struct error *err)
{
        CLEANUP_CLOSE int own = -1;
        CLEANUP_CLOSEDIR DIR *dir = NULL;
        const struct dirent *entry;
        CLEANUP_CLOSE int before = inroot_open(copy->to_root, pair->to, O_PATH | O_DIRECTORY, 0), made = -1;
        int r = inroot_mkdirs(copy->to_root, pair->to, 0755);

        made = r < 0 ? r : inroot_open(copy->to_root, pair->to, O_RDONLY | O_DIRECTORY, 0);
        if (made < 0)
                return error_errno(err, -made, "make folder '%s'%s", pair->to, copy->to_place);
        if (before < 0 && (fchown(made, 0, 0) < 0 || fchmod(made, mode & 07777) < 0))
                return error_errno(err, errno, "set the mode of '%s'%s", pair->to, copy->to_place);
        own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        dir = own < 0 ? NULL : fdopendir(own);
        if (!dir)
                return error_errno(err, errno, "read folder '%s'%s", pair->from, copy->from_place);
        (void)steal_fd(&own); /* it is dir's */
        while (r == 0 && (errno = 0, entry = readdir(dir))) {
                struct pair next;
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                next = (struct pair){path_join(pair->from, entry->d_name), path_join(pair->to, entry->d_name)};
                if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
                        r = copy_link(copy, &next, fd, entry->d_name, err);
                        free(next.from);
                        free(next.to);
                } else {
                        vec_push(&copy->pending, next);
                }
        }
        if (r == 0 && errno)
                r = error_errno(err, errno, "read folder '%s'%s", pair->from, copy->from_place);
        return r;
}

static int copy_one(struct copying *copy, const struct pair *pair, struct error *err)
{
        CLEANUP_CLOSE int in = inroot_open(copy->from_root, pair->from, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;

        if (in < 0)
                return error_errno(err, -in, "open '%s'%s", pair->from, copy->from_place);
        if (fstat(in, &st) < 0)
                return error_errno(err, errno, "look at '%s'%s", pair->from, copy->from_place);
        if (S_ISREG(st.st_mode))
                return copy_file(copy, pair, in, st.st_mode, err);
        if (S_ISDIR(st.st_mode))
                return copy_folder(copy, pair, in, st.st_mode, err);
        return error_set(err, EINVAL, "'%s'%s is neither a file nor a folder", pair->from, copy->from_place);
}

static int copy_tree(struct copying *copy, const char *from, const char *to, struct error *err)
{
        int r = make_parent(copy->to_root, to);

        if (r < 0)
                return error_errno(err, -r, "make the folder of '%s'%s", to, copy->to_place);
        vec_push(&copy->pending, (struct pair){xstrdup(from), xstrdup(to)});
        while (r == 0 && copy->pending.n > 0) {
                struct pair pair = copy->pending.v[--copy->pending.n];

                r = copy_one(copy, &pair, err);
                free(pair.from);
                free(pair.to);
        }
        return r;
}

static int copy_across(const struct operation *op, int root_fd, bool out, struct error *err)
{
        CLEANUP_CLOSE int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_FREE char *cwd = getcwd(NULL, 0);
        CLEANUP_FREE char *from = path_join(out || !cwd ? "/" : cwd, op->from);
        CLEANUP_FREE char *to = path_join(out && cwd ? cwd : "/", op->to);
        CLEANUP(copying_done)
        struct copying copy = {
                .from_root = out ? root_fd : host,
                .to_root = out ? host : root_fd,
                .from_place = out ? " in the guest" : "",
                .to_place = out ? "" : " in the guest",
        };

        if (host < 0)
                return error_errno(err, errno, "open '/'");
        return copy_tree(&copy, from, to, err);
}

static int put(const struct operation *op, int root_fd, struct error *err)
{
        return copy_across(op, root_fd, false, err);
}

static int get(const struct operation *op, int root_fd, struct error *err)
{
        return copy_across(op, root_fd, true, err);
}

static int remove_path(const struct operation *op, int root_fd, struct error *err)
{
        const char *name;
        CLEANUP_CLOSE int parent = inroot_parent(root_fd, op->to, &name);
        CLEANUP_FREE char *path = NULL;
        int r;

        if (parent == -ENOENT)
                return 0;
        if (parent < 0)
                return error_errno(err, -parent, "remove '%s' in the guest", op->to);
        path = xasprintf("/proc/self/fd/%d/%s", parent, name);
        r = tree_remove(path, NULL);
        return r < 0 ? error_errno(err, -r, "remove '%s' in the guest", op->to) : 0;
}

static int look(const struct operation *op, int root_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = inroot_open(root_fd, op->to, O_PATH, 0);

        if (fd >= 0 && fstat(fd, op->st) == 0)
                return 0;
        return error_errno(err, fd < 0 ? -fd : errno, "look at '%s' in the guest", op->to);
}

static int set_mtime(const struct operation *op, int root_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = inroot_open(root_fd, op->to, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        const struct timespec *mtime = op->data, times[2] = {{.tv_nsec = UTIME_OMIT}, *mtime};

        if (fd >= 0 && futimens(fd, times) == 0)
                return 0;
        return error_errno(err, fd < 0 ? -fd : errno, "set the time of '%s' in the guest", op->to);
}

int guest_put_data(struct guest *guest, const void *data, size_t n, const char *path, mode_t mode, struct error *err)
{
        return call(&(struct operation){.guest = guest, .fn = put_data, .to = path, .data = data, .n = n, .mode = mode},
                    err);
}

int guest_put(struct guest *guest, const char *from, const char *to, struct error *err)
{
        return call(&(struct operation){.guest = guest, .fn = put, .from = from, .to = to}, err);
}

int guest_get(struct guest *guest, const char *from, const char *to, struct error *err)
{
        return call(&(struct operation){.guest = guest, .fn = get, .from = from, .to = to}, err);
}

int guest_remove(struct guest *guest, const char *path, struct error *err)
{
        return call(&(struct operation){.guest = guest, .fn = remove_path, .to = path}, err);
}

int guest_set_mtime(struct guest *guest, const char *path, const struct timespec *mtime, struct error *err)
{
        return call(
                &(struct operation){.guest = guest, .fn = set_mtime, .to = path, .data = mtime, .n = sizeof(*mtime)},
                err);
}

int guest_stat(struct guest *guest, const char *path, struct stat *ret, struct error *err)
{
        struct stat *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int r;

        if (shared == MAP_FAILED)
                return error_errno(err, errno, "share memory");
        r = call(&(struct operation){.guest = guest, .fn = look, .to = path, .st = shared}, err);
        if (r == 0)
                *ret = *shared;
        munmap(shared, sizeof(*shared));
        if (r == -ENOENT && err)
                error_clear(err);
        return r;
}

static int work_inside(const struct operation *op, int root_fd, struct error *err)
{
        if (fchdir(root_fd) < 0 || chroot(".") < 0)
                return error_errno(err, errno, "enter the guest's root");
        umask(022);
        return op->work(op->arg, err);
}

int guest_call(struct guest *guest, int (*fn)(void *arg, struct error *err), void *arg, struct error *err)
{
        return call(&(struct operation){.guest = guest, .fn = work_inside, .work = fn, .arg = arg}, err);
}
