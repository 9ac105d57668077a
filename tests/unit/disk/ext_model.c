/* Random changes, applied to an image and in the same way to a plain folder:
 * what is extracted afterwards must be that folder, and e2fsck must be content.
 * Seeds are fixed. */
#include "ext_trees.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

struct model {
        struct image image;
        char *folder;
        void *writer;
        uint64_t seed;
        unsigned int max_bytes;
};

static uint32_t draw(struct model *m, uint32_t below)
{
        m->seed ^= m->seed << 13;
        m->seed ^= m->seed >> 7;
        m->seed ^= m->seed << 17;
        return (uint32_t)(m->seed >> 20) % below;
}

static void draw_name(struct model *m, struct str *path)
{
        uint32_t n = draw(m, 24);

        str_addf(path, "%c", 'a' + (int)n % 12);
        if (n >= 20)
                for (uint32_t i = draw(m, 200); i > 0; i--)
                        str_addc(path, 'x');
}

/* A path whose parent is a folder; "" if none was found. */
static char *draw_path(struct model *m)
{
        struct str path = {0};

        for (uint32_t depth = draw(m, 4); depth > 0; depth--) {
                CLEANUP_FREE char *full = NULL;
                size_t before = path.len;
                struct stat st;

                if (path.len > 0)
                        str_addc(&path, '/');
                draw_name(m, &path);
                full = path_join(m->folder, path.s);
                if (lstat(full, &st) < 0 || !S_ISDIR(st.st_mode)) {
                        path.len = before;
                        path.s[before] = '\0';
                }
        }
        if (path.len > 0)
                str_addc(&path, '/');
        draw_name(m, &path);
        return str_steal(&path);
}

static struct stat draw_stat(struct model *m, mode_t kind)
{
        struct stat st = stat_of(kind | (draw(m, 4) ? 0755 : 04711), 1 + draw(m, 2000000000));

        st.st_mtim.tv_nsec = m->image.volume.size_bytes ? (long)draw(m, 1000000) * 1000 : 0;
        if (getuid() == 0) {
                st.st_uid = draw(m, 3) ? 0 : 70000 + draw(m, 10);
                st.st_gid = draw(m, 3) ? 0 : draw(m, 100000);
        }
        return st;
}

/* Data with holes and zeros, the same for both. */
static int draw_file(struct model *m, struct stat *st)
{
        CLEANUP_FREE char *buffer = NULL;
        char name[] = "/tmp/slipway-ext.XXXXXX";
        int fd = mkostemp(name, O_CLOEXEC);
        uint32_t size = draw(m, 8) ? draw(m, 9000) : draw(m, m->max_bytes);

        assert_true(fd >= 0);
        unlink(name);
        buffer = xcalloc(1, size + 1);
        for (uint32_t at = 0; at < size;) {
                uint32_t n = 1 + draw(m, 30000);

                n = n < size - at ? n : size - at;
                if (draw(m, 3))
                        for (uint32_t i = 0; i < n; i++)
                                buffer[at + i] = (char)draw(m, 256);
                at += n;
        }
        assert_int_equal(fd_pwrite_sparse(fd, buffer, size, 0), 0);
        assert_int_equal(ftruncate(fd, size), 0);
        st->st_size = size;
        return fd;
}

static size_t draw_xattrs(struct model *m, struct fs_xattr xattrs[2], char *value)
{
        size_t n = draw(m, 6) ? 0 : 1 + draw(m, 2);

        memset(value, 'v', 700);
        for (size_t i = 0; i < n; i++)
                xattrs[i] = (struct fs_xattr){.name = i ? "user.second" : "user.first",
                                              .value = value,
                                              .len = draw(m, 4) ? draw(m, 20) : draw(m, 300)};
        return n;
}

/* --- the plain folder --- */

static void set_xattrs(const char *path, const struct fs_change *change)
{
        lremovexattr(path, "user.first");
        lremovexattr(path, "user.second");
        for (size_t i = 0; i < change->n_xattrs; i++)
                assert_int_equal(
                        lsetxattr(path, change->xattrs[i].name, change->xattrs[i].value, change->xattrs[i].len, 0), 0);
}

static void set_attributes(const char *path, const struct fs_change *change)
{
        struct timespec times[2] = {change->st.st_mtim, change->st.st_mtim};

        assert_int_equal(lchown(path, change->st.st_uid, change->st.st_gid), 0);
        if (change->kind != FS_SYMLINK)
                assert_int_equal(chmod(path, change->st.st_mode & 07777), 0);
        set_xattrs(path, change);
        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void copy_fd(int fd, const char *path, off_t size)
{
        int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(out >= 0);
        assert_int_equal(ftruncate(out, size), 0);
        assert_int_equal(fd_copy_sparse(fd, out, 0, (uint64_t)size, NULL), 0);
        close(out);
}

static void plain_clear(const char *path)
{
        CLEANUP_CLOSEDIR DIR *d = opendir(path);
        struct dirent *entry;

        while (d && (entry = readdir(d))) {
                CLEANUP_FREE char *full = path_join(path, entry->d_name);

                if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
                        assert_int_equal(tree_remove(full, NULL), 0);
        }
}

static void plain_change(const char *path, const char *target, const struct fs_change *change)
{
        struct stat st;
        bool is_dir = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);

        if (change->kind == FS_CLEAR) {
                struct timespec times[2] = {st.st_mtim, st.st_mtim};

                if (is_dir) {
                        plain_clear(path);
                        utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
                }
                return;
        }
        if (!(change->kind == FS_DIR && is_dir))
                tree_remove(path, NULL);
        if (change->kind == FS_REMOVE)
                return;
        if (change->kind == FS_DIR && !is_dir)
                assert_int_equal(mkdir(path, 0700), 0);
        else if (change->kind == FS_FILE)
                copy_fd(change->fd, path, change->st.st_size);
        else if (change->kind == FS_SYMLINK)
                assert_int_equal(symlink(change->target, path), 0);
        else if (change->kind == FS_NODE)
                assert_int_equal(mkfifo(path, 0600), 0);
        else if (change->kind == FS_LINK)
                assert_int_equal(link(target, path), 0);
        if (change->kind != FS_LINK)
                set_attributes(path, change);
}

/* Folders keep the times that they were given, as in an image. */
static void plain(struct model *m, const struct fs_change *change)
{
        CLEANUP_FREE char *path = path_join(m->folder, change->path), *parent = path_dir(path);
        CLEANUP_FREE char *target = change->target ? path_join(m->folder, change->target) : NULL;
        struct timespec times[2];
        struct stat st;

        assert_int_equal(lstat(parent, &st), 0);
        plain_change(path, target, change);
        times[0] = times[1] = st.st_mtim;
        if (*change->path)
                utimensat(AT_FDCWD, parent, times, 0);
}

/* --- one random change --- */

static bool is_file(struct model *m, const char *path)
{
        CLEANUP_FREE char *full = path_join(m->folder, path);
        struct stat st;

        return lstat(full, &st) == 0 && !S_ISDIR(st.st_mode);
}

static enum fs_change_kind draw_kind(struct model *m)
{
        static const enum fs_change_kind kinds[] = {
                FS_REMOVE, FS_REMOVE, FS_CLEAR, FS_DIR,  FS_DIR,     FS_DIR,     FS_DIR,  FS_DIR,  FS_FILE, FS_FILE,
                FS_FILE,   FS_FILE,   FS_FILE,  FS_FILE, FS_SYMLINK, FS_SYMLINK, FS_LINK, FS_LINK, FS_NODE};

        return kinds[draw(m, sizeof(kinds) / sizeof(*kinds))];
}

static void change_once(struct model *m)
{
        CLEANUP_FREE char *path = draw_path(m), *other = NULL, *text = NULL;
        struct fs_change change = {.kind = draw_kind(m), .path = path, .fd = -1};
        struct fs_xattr xattrs[2];
        char value[700];

        change.st = draw_stat(m, change.kind == FS_NODE ? S_IFIFO : 0);
        if (change.kind == FS_LINK) {
                other = draw_path(m);
                if (!is_file(m, other) || str_eq(other, path) || str_starts(other, path))
                        return;
                change.target = other;
        }
        if (change.kind == FS_SYMLINK) {
                struct str s = {0};

                for (uint32_t n = 1 + draw(m, draw(m, 2) ? 100 : 900); n > 0; n--)
                        str_addc(&s, 'a' + (char)draw(m, 26));
                text = str_steal(&s);
                change.target = text;
        }
        if (change.kind == FS_FILE)
                change.fd = draw_file(m, &change.st);
        if (change.kind == FS_FILE || change.kind == FS_DIR) {
                change.n_xattrs = draw_xattrs(m, xattrs, value);
                change.xattrs = xattrs;
        }
        write_one(m->writer, &change);
        plain(m, &change);
        if (change.fd >= 0)
                close(change.fd);
}

static void round_of(struct model *m, unsigned int n_changes, unsigned int number)
{
        CLEANUP_FREE char *name = xasprintf("out%u", number), *out = NULL;

        m->writer = write_begin(&m->image);
        for (unsigned int i = 0; i < n_changes; i++)
                change_once(m);
        write_end(m->writer);
        image_check(&m->image);
        out = image_extract(&m->image, name);
        trees_equal(m->folder, out);
        tree_remove(out, NULL);
}

static void run(const char *type, unsigned int kib, unsigned int max_bytes, const char *const *options)
{
        struct model m = {.seed = 88172645463325252ULL + kib, .max_bytes = max_bytes};
        struct fs_change root = {.kind = FS_DIR, .path = "", .st = stat_of(S_IFDIR | 0755, 1234), .fd = -1};

        image_make(&m.image, type, kib, options);
        m.folder = path_join(m.image.dir, "model");
        assert_int_equal(mkdir(m.folder, 0755), 0);
        m.writer = write_begin(&m.image);
        write_one(m.writer, &root);
        plain(&m, &root);
        write_end(m.writer);
        for (unsigned int i = 0; i < 6; i++)
                round_of(&m, 60, i);
        free(m.folder);
        image_clear(&m.image);
}

#define OPTIONS(...) ((const char *[]){__VA_ARGS__, NULL})

static void test_ext4(void **state)
{
        (void)state;
        run("ext4", 65536, 500000, NULL);
}

static void test_ext4_small_blocks(void **state)
{
        (void)state;
        run("ext4", 40000, 500000, OPTIONS("-b", "1024"));
}

static void test_ext4_no_csum(void **state)
{
        (void)state;
        run("ext4", 65537, 500000, OPTIONS("-O", "^metadata_csum,uninit_bg", "-b", "4096"));
}

static void test_ext4_bigalloc(void **state)
{
        (void)state;
        run("ext4", 131072, 500000, OPTIONS("-O", "bigalloc", "-C", "16384", "-b", "4096"));
}

static void test_ext4_inline(void **state)
{
        (void)state;
        run("ext4", 65538, 500000, OPTIONS("-O", "inline_data"));
}

static void test_ext4_no_index(void **state)
{
        (void)state;
        run("ext4", 65539, 500000, OPTIONS("-O", "^dir_index,^64bit"));
}

static void test_ext4_block_maps(void **state)
{
        (void)state;
        run("ext4", 40001, 900000, OPTIONS("-O", "^extents,^64bit", "-b", "1024"));
}

static void test_ext3(void **state)
{
        (void)state;
        run("ext3", 65540, 500000, OPTIONS("-I", "256"));
}

static void test_ext2(void **state)
{
        (void)state;
        run("ext2", 65541, 900000, OPTIONS("-b", "1024", "-I", "256"));
}

static void test_ea_inode(void **state)
{
        (void)state;
        run("ext4", 65542, 300000, OPTIONS("-O", "ea_inode"));
}

static void test_tiny(void **state)
{
        (void)state;
        run("ext4", 12000, 40000, OPTIONS("-O", "^has_journal", "-b", "1024", "-N", "600"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ext4),
                cmocka_unit_test(test_ext4_small_blocks),
                cmocka_unit_test(test_ext4_no_csum),
                cmocka_unit_test(test_ext4_bigalloc),
                cmocka_unit_test(test_ext4_inline),
                cmocka_unit_test(test_ext4_no_index),
                cmocka_unit_test(test_ext4_block_maps),
                cmocka_unit_test(test_ext3),
                cmocka_unit_test(test_ext2),
                cmocka_unit_test(test_ea_inode),
                cmocka_unit_test(test_tiny),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
