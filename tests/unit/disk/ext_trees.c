/* See ext_trees.h. */
#include "ext_trees.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/vec.h"

static void ok(int r, struct error *err)
{
        if (r < 0)
                fail_msg("%s", error_message(err));
}

void image_make(struct image *image, const char *type, unsigned int kib, const char *const *options)
{
        CLEANUP_ERROR struct error err = {0};
        char name[] = "/tmp/slipway-ext.XXXXXX";
        int fd;

        assert_non_null(mkdtemp(name));
        *image = (struct image){.dir = xstrdup(name), .path = path_join(name, "image"), .epoch = -1};
        image->type = str_eq(type, "ext2") ? &fs_ext2 : str_eq(type, "ext3") ? &fs_ext3 : &fs_ext4;
        fd = open(image->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, IMAGE_OFFSET + (off_t)kib * 1024 + IMAGE_OFFSET), 0);
        close(fd);
        image->volume = (struct fs_volume){.path = image->path,
                                           .offset_bytes = IMAGE_OFFSET,
                                           .size_bytes = (uint64_t)kib * 1024,
                                           .name = "partition 1"};
        ok(image->type->make(
                   &image->volume,
                   &(struct fs_make){.label = "test", .options = options, .id_seed = "seed", .epoch = 1000000}, &err),
           &err);
}

void image_clear(struct image *image)
{
        tree_remove(image->dir, NULL);
        free(image->dir);
        free(image->path);
}

void image_check(const struct image *image)
{
        CLEANUP_ERROR struct error err = {0};

        ok(image->type->check(&image->volume, false, &err), &err);
}

char *image_extract(const struct image *image, const char *name)
{
        CLEANUP_ERROR struct error err = {0};
        char *dir = path_join(image->dir, name);

        assert_int_equal(mkdir(dir, 0700), 0);
        ok(image->type->extract(&image->volume, dir, NULL, &err), &err);
        return dir;
}

char *image_debugfs(const struct image *image, const char *command)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *device = xasprintf("%s?offset=%d", image->path, IMAGE_OFFSET);
        char *out = NULL;

        ok(spawn_capture((const char *[]){"debugfs", "-R", command, device, NULL}, &out, &err), &err);
        return out;
}

void *write_begin(const struct image *image)
{
        CLEANUP_ERROR struct error err = {0};
        void *writer = NULL;

        ok(image->type->write_open(&image->volume, image->epoch, &writer, &err), &err);
        return writer;
}

void write_one(void *writer, const struct fs_change *change)
{
        CLEANUP_ERROR struct error err = {0};

        ok(fs_ext4.write_change(writer, change, &err), &err);
}

void write_end(void *writer)
{
        CLEANUP_ERROR struct error err = {0};

        ok(fs_ext4.write_close(writer, &err), &err);
}

struct stat stat_of(mode_t mode, int64_t mtime)
{
        return (struct stat){.st_mode = mode, .st_uid = getuid(), .st_gid = getgid(), .st_mtim = {.tv_sec = mtime}};
}

void write_dir(void *writer, const char *path)
{
        write_one(writer,
                  &(struct fs_change){.kind = FS_DIR, .path = path, .st = stat_of(S_IFDIR | 0755, 1000), .fd = -1});
}

void write_text(void *writer, const char *path, const char *text)
{
        struct fs_change change = {.kind = FS_FILE, .path = path, .st = stat_of(S_IFREG | 0644, 2000)};
        char name[] = "/tmp/slipway-ext.XXXXXX";

        change.fd = mkostemp(name, O_CLOEXEC);
        assert_true(change.fd >= 0);
        unlink(name);
        change.st.st_size = (off_t)strlen(text);
        assert_int_equal(fd_write_all(change.fd, text, strlen(text)), 0);
        write_one(writer, &change);
        close(change.fd);
}

/* --- comparison --- */

struct pair {
        ino_t left, right;
};

struct comparison {
        VEC(struct pair) links; /* inodes with several names, on either side */
};

static char **sorted_names(const char *dir)
{
        DIR *d = opendir(dir);
        struct dirent *entry;
        char **names = NULL;

        if (!d)
                fail_msg("open '%s': %s", dir, strerror(errno));
        while ((entry = readdir(d)))
                if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
                        strv_add(&names, entry->d_name);
        closedir(d);
        for (char **a = names; a && *a; a++)
                for (char **b = a + 1; *b; b++)
                        if (strcmp(*a, *b) > 0) {
                                char *t = *a;

                                *a = *b;
                                *b = t;
                        }
        return names;
}

static void compare_content(const char *left, const char *right)
{
        int a = open(left, O_RDONLY | O_CLOEXEC), b = open(right, O_RDONLY | O_CLOEXEC);
        static char x[1 << 16], y[1 << 16];
        off_t at = 0;

        assert_true(a >= 0 && b >= 0);
        for (;;) {
                ssize_t n = read(a, x, sizeof(x));

                assert_int_equal(n, read(b, y, sizeof(y)));
                if (n <= 0)
                        break;
                if (memcmp(x, y, (size_t)n) != 0)
                        fail_msg("'%s' and '%s' differ after byte %jd", left, right, (intmax_t)at);
                at += n;
        }
        close(a);
        close(b);
}

static void compare_xattrs(const char *left, const char *right)
{
        char names[4096], more[4096], value[65536], other[65536];
        ssize_t n = llistxattr(left, names, sizeof(names)), m = llistxattr(right, more, sizeof(more));

        if (n != m)
                fail_msg("'%s' and '%s' have different attributes (%zd and %zd bytes of names)", left, right, n, m);
        for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
                ssize_t len = lgetxattr(left, name, value, sizeof(value));

                if (len != lgetxattr(right, name, other, sizeof(other)) ||
                    (len > 0 && memcmp(value, other, (size_t)len)))
                        fail_msg("'%s' and '%s' differ in attribute '%s'", left, right, name);
        }
}

static void compare_links(struct comparison *c, const struct stat *a, const struct stat *b, const char *path)
{
        for (size_t i = 0; i < c->links.n; i++) {
                if ((c->links.v[i].left == a->st_ino) != (c->links.v[i].right == b->st_ino))
                        fail_msg("'%s' is linked to something else", path);
                if (c->links.v[i].left == a->st_ino)
                        return;
        }
        vec_push(&c->links, (struct pair){a->st_ino, b->st_ino});
}

static void compare(struct comparison *c, const char *left, const char *right);

static void compare_folders(struct comparison *c, const char *left, const char *right)
{
        CLEANUP_STRV char **a = sorted_names(left), **b = sorted_names(right);
        CLEANUP_FREE char *x = strv_join(STRV(a), " "), *y = strv_join(STRV(b), " ");

        if (!str_eq(x, y))
                fail_msg("'%s' has %s, but '%s' has %s", left, x, right, y);
        for (size_t i = 0; i < strv_len(STRV(a)); i++) {
                CLEANUP_FREE char *l = path_join(left, a[i]), *r = path_join(right, b[i]);

                compare(c, l, r);
        }
}

static void compare(struct comparison *c, const char *left, const char *right)
{
        struct stat a, b;

        assert_int_equal(lstat(left, &a), 0);
        assert_int_equal(lstat(right, &b), 0);
        if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid || a.st_rdev != b.st_rdev)
                fail_msg("'%s' has mode %o, owner %u:%u, and '%s' mode %o, owner %u:%u", left, a.st_mode, a.st_uid,
                         a.st_gid, right, b.st_mode, b.st_uid, b.st_gid);
        if (a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
                fail_msg("'%s' has the time %jd.%09ld, and '%s' %jd.%09ld", left, (intmax_t)a.st_mtim.tv_sec,
                         a.st_mtim.tv_nsec, right, (intmax_t)b.st_mtim.tv_sec, b.st_mtim.tv_nsec);
        compare_xattrs(left, right);
        if (S_ISDIR(a.st_mode)) {
                compare_folders(c, left, right);
                return;
        }
        if (a.st_nlink != b.st_nlink || a.st_size != b.st_size)
                fail_msg("'%s' has %ju names and %jd bytes, and '%s' %ju and %jd", left, (uintmax_t)a.st_nlink,
                         (intmax_t)a.st_size, right, (uintmax_t)b.st_nlink, (intmax_t)b.st_size);
        if (a.st_nlink > 1)
                compare_links(c, &a, &b, left);
        if (S_ISREG(a.st_mode))
                compare_content(left, right);
        if (S_ISLNK(a.st_mode)) {
                char x[4096] = "", y[4096] = "";

                assert_int_equal(readlink(left, x, sizeof(x) - 1), readlink(right, y, sizeof(y) - 1));
                assert_string_equal(x, y);
        }
}

void trees_equal(const char *left, const char *right)
{
        struct comparison c = {0};

        compare(&c, left, right);
        vec_free(&c.links);
}

/* The root belongs to us, so that an ordinary user can extract it. */
void own_root(const struct image *image)
{
        void *writer = write_begin(image);

        write_dir(writer, "");
        write_end(writer);
}

void make(struct image *image, const char *type, unsigned int kib, const char *const *options)
{
        image_make(image, type, kib, options);
        own_root(image);
}

/* The change must fail with this code, and a message that has all the words. */
void must_fail(const struct image *image, const struct fs_change *change, int code, const char *const *words)
{
        CLEANUP_ERROR struct error err = {0};
        void *writer = write_begin(image);

        assert_int_equal(fs_ext4.write_change(writer, change, &err), -code);
        for (; words && *words; words++)
                if (!strstr(error_message(&err), *words))
                        fail_msg("'%s' is not in: %s", *words, error_message(&err));
        fs_ext4.write_abort(writer);
}

int file_of(uint64_t size)
{
        char name[] = "/tmp/slipway-ext.XXXXXX";
        int fd = mkostemp(name, O_CLOEXEC);

        assert_true(fd >= 0);
        unlink(name);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        return fd;
}

void remove_path(void *writer, const char *path)
{
        write_one(writer, &(struct fs_change){.kind = FS_REMOVE, .path = path, .fd = -1});
}

void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("'%s' is not in: %s", part, text);
}
