/* source_unpack_tree(): a root file system out of an archive. Each member's
 * folder is opened beneath the root with openat2(RESOLVE_BENEATH), so that
 * neither ".." nor a symlink made by an earlier member leads out of it,
 * whatever the order; the last part of the name is never followed. */
#include "source/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "source/members.h"
#include "source/source.h"
#include "source/stream.h"

enum { NODES_MAX = 1 << 16 };

struct folder_times {
        char *path;
        struct timespec times[2];
};

struct tree {
        int root;
        struct stream *stream;
        struct members members; /* of the stream */
        struct ui *ui;
        bool plain; /* all is the user's own: see source_unpack_plain() */
        struct tree_warned warned;
        char *parent_path; /* of parent_fd: most members are beside the one before */
        int parent_fd;
        VEC(struct folder_times) folders; /* their times change as members are made in them: set at the end */
        void *nodes;                      /* tsearch(3): struct source_node by path */
        size_t n_nodes;
};

static void node_free(void *arg)
{
        struct source_node *node = arg;

        free(node->path);
        free(node);
}

static void parent_forget(struct tree *tree)
{
        close_p(&tree->parent_fd);
        free(steal(&tree->parent_path));
}

static void tree_done(struct tree *tree)
{
        parent_forget(tree);
        members_close(&tree->members);
        stream_free(tree->stream);
        for (size_t i = 0; i < tree->folders.n; i++)
                free(tree->folders.v[i].path);
        vec_free(&tree->folders);
        tdestroy(tree->nodes, node_free);
        close_p(&tree->root);
}

void source_nodes_clear(struct source_nodes *nodes)
{
        for (size_t i = 0; i < nodes->n; i++)
                free(nodes->v[i].path);
        free(nodes->v);
        *nodes = (struct source_nodes){0};
}

static int open_beneath(int root, const char *path, uint64_t flags)
{
        struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
        long fd;

        do
                fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
        while (fd < 0 && errno == EAGAIN); /* a rename elsewhere raced with the look-up of ".." */
        return fd < 0 ? -errno : (int)fd;
}

/* The name as it is used: no "./", no double slashes. Names that are absolute or have ".." are refused. */
static int clean_name(const char *name, char **ret, struct error *err)
{
        CLEANUP_STRV char **parts = str_split(name, "/");
        CLEANUP_STR struct str clean = {0};

        if (*name == '\0')
                return error_set(err, EINVAL, "a member has no name");
        if (*name == '/')
                return error_set(err, EPERM, "its name is absolute");
        for (char **part = parts; *part; part++) {
                if (strcmp(*part, "..") == 0)
                        return error_set(err, EPERM, "its name leads out of the folder ('..')");
                if (**part && strcmp(*part, ".") != 0)
                        str_addf(&clean, "%s%s", clean.len ? "/" : "", *part);
        }
        *ret = str_steal(&clean);
        return 0;
}

/* ---- device nodes: only recorded, and an archive may have many ---- */

static int by_path(const void *a, const void *b)
{
        return strcmp(((const struct source_node *)a)->path, ((const struct source_node *)b)->path);
}

/* The one at this path, or NULL. Valid until it is forgotten. */
static const struct source_node *find_node(const struct tree *tree, const char *path)
{
        struct source_node *const *found = tfind(&(struct source_node){.path = (char *)path}, &tree->nodes, by_path);

        return found ? *found : NULL;
}

static void forget_node(struct tree *tree, const char *path)
{
        struct source_node *node = (struct source_node *)find_node(tree, path);

        if (!node)
                return;
        tdelete(node, &tree->nodes, by_path);
        node_free(node);
        tree->n_nodes--;
}

/* As above, but all that lie in a folder (its path ends in '/') are equal to it. */
static int by_folder(const void *folder, const void *b)
{
        const char *path = ((const struct source_node *)folder)->path;

        return strncmp(path, ((const struct source_node *)b)->path, strlen(path));
}

/* A folder that is gone takes along what was only recorded in it. */
static void forget_nodes_in(struct tree *tree, const char *folder)
{
        CLEANUP_FREE char *path = xasprintf("%s/", folder);
        struct source_node *const *found;

        while ((found = tfind(&(struct source_node){.path = path}, &tree->nodes, by_folder)))
                forget_node(tree, (*found)->path);
}

static int add_node(struct tree *tree, const struct source_node *node, const char *path, struct error *err)
{
        struct source_node *copy;

        if (tree->n_nodes == NODES_MAX)
                return error_set(err, E2BIG, "more than %d device nodes", NODES_MAX);
        copy = xmalloc(sizeof(*copy));
        *copy = *node;
        copy->path = xstrdup(path);
        if (!tsearch(copy, &tree->nodes, by_path)) {
                node_free(copy);
                return error_set(err, ENOMEM, "no memory for device nodes");
        }
        tree->n_nodes++;
        return 0;
}

static void give_node(const void *at, VISIT visit, void *arg)
{
        struct source_nodes *nodes = arg;
        struct source_node *node = *(struct source_node *const *)at;

        if (visit != postorder && visit != leaf)
                return;
        nodes->v[nodes->n] = *node;
        nodes->v[nodes->n++].path = xstrdup(node->path);
}

/* All, in the order of their paths. */
static struct source_nodes give_nodes(const struct tree *tree)
{
        struct source_nodes nodes = {.v = xcalloc(tree->n_nodes + 1, sizeof(*nodes.v))};

        twalk_r(tree->nodes, give_node, &nodes);
        return nodes;
}

/* ---- members ---- */

/* mkdir -p beneath the root, for members whose folders are not in the archive. */
static int make_parents(struct tree *tree, const char *path, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(path);
        CLEANUP_CLOSE int at = open_beneath(tree->root, "", O_PATH | O_DIRECTORY);
        char *slash = copy, *end = copy + strlen(copy);

        while (at >= 0 && slash < end) {
                int next;
                char *name, *before;

                slash = strchrnul(slash, '/');
                *slash = '\0';
                next = open_beneath(tree->root, copy, O_PATH | O_DIRECTORY);
                if (next == -ENOENT) {
                        before = strrchr(copy, '/');
                        name = before ? before + 1 : copy;
                        if (mkdirat(at, name, 0755) < 0)
                                return error_errno(err, errno, "create folder '%s'", copy);
                        forget_node(tree, copy);
                        next = open_beneath(tree->root, copy, O_PATH | O_DIRECTORY);
                }
                close(at);
                at = next;
                if (slash < end)
                        *slash++ = '/';
        }
        return at < 0 ? error_errno(err, -at, "open folder '%s'", copy) : 0;
}

/* The folder that a name lies in, as an fd that stays the tree's, and the last part. */
static int open_parent(struct tree *tree, const char *path, int *ret_fd, const char **ret_name, struct error *err)
{
        const char *slash = strrchr(path, '/');
        CLEANUP_FREE char *folder = xstrndup(path, slash ? (size_t)(slash - path) : 0);
        int fd, r;

        *ret_name = slash ? slash + 1 : path;
        if (tree->parent_path && strcmp(tree->parent_path, folder) == 0) {
                *ret_fd = tree->parent_fd;
                return 0;
        }
        fd = open_beneath(tree->root, folder, O_PATH | O_DIRECTORY);
        if (fd == -ENOENT) {
                r = make_parents(tree, folder, err);
                if (r < 0)
                        return r;
                fd = open_beneath(tree->root, folder, O_PATH | O_DIRECTORY);
        }
        if (fd == -EXDEV || fd == -ELOOP)
                return error_set(err, EPERM, "'%s' passes through a symlink that points out of the folder", folder);
        if (fd < 0)
                return error_errno(err, -fd, "open folder '%s'", folder);
        parent_forget(tree);
        tree->parent_fd = *ret_fd = fd;
        tree->parent_path = steal(&folder);
        return 0;
}

/* Make room: a later member of the same name replaces the earlier, folders stay if the new one is a folder. */
static int make_room(struct tree *tree, int parent, const char *name, const char *path, bool folder, bool *ret_there,
                     struct error *err)
{
        struct stat st;

        *ret_there = false;
        forget_node(tree, path);
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_errno(err, errno, "look for an earlier one");
        if (S_ISDIR(st.st_mode) && folder) {
                *ret_there = true;
                return 0;
        }
        if (unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
                return error_errno(err, errno, "replace the earlier member of that name");
        if (S_ISDIR(st.st_mode))
                forget_nodes_in(tree, path);
        return 0;
}

static int apply(struct tree *tree, int fd, struct archive_entry *entry, struct error *err)
{
        return tree->plain ? meta_apply_plain(fd, entry, err) : meta_apply(fd, entry, &tree->warned, tree->ui, err);
}

static int write_failed(int code, struct error *err)
{
        if (code == ENOSPC || code == EDQUOT)
                return error_errno(err, code, "the unpacked tree does not fit");
        return error_errno(err, code, "write");
}

static int write_data(struct tree *tree, struct archive_entry *entry, int fd, struct error *err)
{
        la_int64_t offset = 0, end = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
        const void *data;
        size_t n;
        int r;

        while ((r = archive_read_data_block(tree->members.archive, &data, &n, &offset)) == ARCHIVE_OK) {
                if (offset < 0 || (uint64_t)offset > INT64_MAX - n)
                        return error_set(err, EFBIG, "it has data at an impossible place");
                r = fd_pwrite_sparse(fd, data, n, offset);
                if (r < 0)
                        return write_failed(-r, err);
                if (offset + (la_int64_t)n > end)
                        end = offset + (la_int64_t)n;
                r = cancel_check(err);
                if (r < 0)
                        return r;
        }
        if (r != ARCHIVE_EOF)
                return members_failed(&tree->members, "unpack", err);
        return ftruncate(fd, end) < 0 ? write_failed(errno, err) : 0;
}

static int make_file(struct tree *tree, struct archive_entry *entry, int parent, const char *name, struct error *err)
{
        CLEANUP_CLOSE int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return write_failed(errno, err);
        r = write_data(tree, entry, fd, err);
        return r < 0 ? r : apply(tree, fd, entry, err);
}

static int make_folder(struct tree *tree, struct archive_entry *entry, int parent, const char *name, const char *path,
                       bool there, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct folder_times *times;
        int r;

        if (!there && mkdirat(parent, name, 0700) < 0)
                return write_failed(errno, err);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "open the folder");
        r = apply(tree, fd, entry, err);
        if (r < 0)
                return r;
        vec_push(&tree->folders, (struct folder_times){.path = xstrdup(path)});
        times = &tree->folders.v[tree->folders.n - 1];
        meta_times(entry, times->times);
        return 0;
}

static int make_node(struct tree *tree, struct archive_entry *entry, const char *path, struct error *err)
{
        struct source_node node = {
                .mode = (uint32_t)(archive_entry_filetype(entry) | (archive_entry_perm(entry) & 07777)),
                .uid = (uint32_t)archive_entry_uid(entry),
                .gid = (uint32_t)archive_entry_gid(entry),
                .major = (uint32_t)archive_entry_rdevmajor(entry),
                .minor = (uint32_t)archive_entry_rdevminor(entry),
                .mtime_sec = archive_entry_mtime(entry),
        };

        return add_node(tree, &node, path, err);
}

/* cpio gives the contents with the last of the links. */
static int link_data(struct tree *tree, struct archive_entry *entry, int parent, const char *name, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct stat st;
        int r;

        if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) == 0)
                return 0;
        /* it may be one more name of a FIFO, which would have us wait for a reader */
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "a hard link with data, to what is no file");
        fd = openat(parent, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "open the link");
        r = write_data(tree, entry, fd, err);
        return r < 0 ? r : apply(tree, fd, entry, err);
}

static int make_link(struct tree *tree, struct archive_entry *entry, const char *path, struct error *err)
{
        const char *target = archive_entry_hardlink(entry), *target_name = NULL, *name = NULL;
        CLEANUP_FREE char *clean = NULL;
        const struct source_node *node;
        CLEANUP_CLOSE int target_fd = -1;
        int parent = -1, r = clean_name(target, &clean, err);
        bool there = false;

        if (r < 0)
                return error_wrap(err, r, "hard link to '%s'", target);
        if (strcmp(clean, path) == 0)
                return 0;
        r = open_parent(tree, clean, &parent, &target_name, err);
        if (r < 0)
                return error_wrap(err, r, "hard link to '%s'", target);
        target_fd = fcntl(parent, F_DUPFD_CLOEXEC, 0);
        r = open_parent(tree, path, &parent, &name, err);
        if (r == 0)
                r = make_room(tree, parent, name, path, false, &there, err);
        if (r < 0)
                return r;
        node = find_node(tree, clean);
        if (node)
                return add_node(tree, node, path, err);
        if (linkat(target_fd, target_name, parent, name, 0) < 0)
                return error_errno(err, errno, "hard link to '%s'", target);
        return link_data(tree, entry, parent, name, err);
}

static int make_other(struct tree *tree, struct archive_entry *entry, int parent, const char *name, struct error *err)
{
        mode_t type = archive_entry_filetype(entry);
        const char *target = archive_entry_symlink(entry);
        int r;

        if (type == AE_IFLNK && str_empty(target))
                return error_set(err, EINVAL, "a symlink that points nowhere");
        if (type == AE_IFLNK)
                r = symlinkat(target, parent, name);
        else if (!tree->plain && (type == AE_IFIFO || type == AE_IFSOCK))
                r = mknodat(parent, name, type | 0600, 0);
        else
                return error_set(err, ENOTSUP, "a kind of file that we do not know (%o)", (unsigned int)type);
        if (r < 0)
                return write_failed(errno, err);
        return tree->plain ? 0 : meta_apply_at(parent, name, entry, err);
}

static int make_root(struct tree *tree, struct archive_entry *entry, struct error *err)
{
        return archive_entry_filetype(entry) == AE_IFDIR ? make_folder(tree, entry, tree->root, ".", "", true, err)
                                                         : error_set(err, EINVAL, "the root is not a folder");
}

static int make_member(struct tree *tree, struct archive_entry *entry, struct error *err)
{
        mode_t type = archive_entry_filetype(entry);
        CLEANUP_FREE char *path = NULL;
        const char *name = NULL;
        bool there = false;
        int parent = -1, r = clean_name(member_name(entry), &path, err);

        if (r < 0 || !path)
                return r;
        if (*path == '\0')
                return make_root(tree, entry, err);
        if (archive_entry_hardlink(entry))
                return make_link(tree, entry, path, err);
        r = open_parent(tree, path, &parent, &name, err);
        if (r == 0)
                r = make_room(tree, parent, name, path, type == AE_IFDIR, &there, err);
        if (r < 0)
                return r;
        if (type == AE_IFREG)
                return make_file(tree, entry, parent, name, err);
        if (type == AE_IFDIR)
                return make_folder(tree, entry, parent, name, path, there, err);
        if (!tree->plain && (type == AE_IFCHR || type == AE_IFBLK))
                return make_node(tree, entry, path, err);
        return make_other(tree, entry, parent, name, err);
}

/* Innermost first, since the order does not matter to folders that still are there. */
static void set_folder_times(struct tree *tree)
{
        for (size_t i = tree->folders.n; i-- > 0;) {
                CLEANUP_CLOSE int fd = open_beneath(tree->root, tree->folders.v[i].path, O_RDONLY | O_DIRECTORY);

                if (fd >= 0)
                        futimens(fd, tree->folders.v[i].times);
        }
}

static int unpack_members(struct tree *tree, struct error *err)
{
        struct archive_entry *entry;
        int r;

        while ((r = members_next(&tree->members, &entry, err)) > 0) {
                CLEANUP_FREE char *name = str_printable(member_name(entry));

                r = make_member(tree, entry, err);
                if (r < 0)
                        return error_wrap(err, r, "member '%s'", name);
        }
        if (r == 0)
                set_folder_times(tree);
        return r;
}

static int no_tree(const struct tree *tree, enum content content, const char *kind, struct error *err)
{
        if (content == CONTENT_EMPTY)
                return error_set(err, ENODATA, "it is empty");
        if (tree->plain)
                return error_set(err, EINVAL, "an archive is expected, tar, zip, 7z or cpio, and this is none of them");
        return error_set(err, EINVAL, "a root file system is unpacked from tar, cpio, zip or 7z, and this is %s",
                         content_is_image(content)    ? "a disk image (use image_build_method reuse or resize)"
                         : content == CONTENT_FOREIGN ? kind
                                                      : "none of them");
}

static int unpack(int fd, const char *dir, struct tree *tree, struct error *err)
{
        enum content content = CONTENT_UNKNOWN;
        const char *kind = NULL;
        int r = stream_file(fd, tree->ui, &tree->stream, err);

        if (r == 0)
                r = stream_peel(&tree->stream, &content, &kind, err);
        if (r < 0)
                return r;
        if (!content_is_archive(content))
                return no_tree(tree, content, kind, err);
        r = members_open(&tree->members, tree->stream, fd, content, err);
        if (r < 0)
                return r;
        tree->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (tree->root < 0)
                return error_errno(err, errno, "open folder '%s'", dir);
        return unpack_members(tree, err);
}

int source_unpack_tree(const char *path, const char *dir, struct source_nodes *ret_nodes, struct ui *ui,
                       struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        CLEANUP(tree_done) struct tree tree = {.root = -1, .parent_fd = -1, .ui = ui};
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, errno, "open '%s'", path);
        progress_start(ui, "unpack", (uint64_t)st.st_size);
        r = unpack(fd, dir, &tree, err);
        progress_end(ui);
        if (r < 0)
                return error_wrap(err, r, "'%s'", path);
        *ret_nodes = give_nodes(&tree);
        return 0;
}

int source_unpack_plain(int fd, const char *name, const char *dir, struct ui *ui, struct error *err)
{
        CLEANUP(tree_done) struct tree tree = {.root = -1, .parent_fd = -1, .ui = ui, .plain = true};
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return error_errno(err, errno, "'%s'", name);
        progress_start(ui, "unpack", (uint64_t)st.st_size);
        r = unpack(fd, dir, &tree, err);
        progress_end(ui);
        return r < 0 ? error_wrap(err, r, "'%s'", name) : 0;
}

int source_unpack_file(int fd, const char *name, int to_fd, struct ui *ui, struct error *err)
{
        CLEANUP(stream_freep) struct stream *stream = NULL;
        enum content content = CONTENT_UNKNOWN;
        const void *data = NULL;
        ssize_t n = 0;
        int r = stream_file(fd, ui, &stream, err);

        if (r == 0)
                r = stream_peel(&stream, &content, NULL, err);
        while (r == 0 && (n = stream_read(stream, &data, err)) > 0) {
                r = fd_write_all(to_fd, data, (size_t)n);
                r = r < 0 ? write_failed(-r, err) : cancel_check(err);
        }
        if (r == 0 && n < 0)
                r = (int)n;
        return r < 0 ? error_wrap(err, r, "'%s'", name) : 0;
}
