/* ext file systems made, grown, checked and read, of every kind. e2fsck and debugfs are the judges. */
#include "ext_trees.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"

#define OPTIONS(...) ((const char *[]){__VA_ARGS__, NULL})

/* --- make, grow, check --- */

static void test_make_same_bytes(void **state)
{
        struct image a, b;
        char x[DIGEST_HEX_MAX], y[DIGEST_HEX_MAX];

        (void)state;
        image_make(&a, "ext4", 30000, OPTIONS("-E", "root_owner=5:6", "-m", "1"));
        image_make(&b, "ext4", 30000, OPTIONS("-Eroot_owner=5:6", "-m", "1"));
        assert_int_equal(digest_file("sha256", a.path, x, NULL), 0);
        assert_int_equal(digest_file("sha256", b.path, y, NULL), 0);
        assert_string_equal(x, y);
        {
                CLEANUP_FREE char *root = image_debugfs(&a, "stat /"), *super = image_debugfs(&a, "stats -h");

                assert_has(root, "User:     5   Group:     6");
                assert_has(super, "Filesystem volume name:   test");
                assert_has(super, "Reserved block count:     3"); /* 1% of 30000 blocks of 1 KiB */
        }
        image_clear(&a);
        image_clear(&b);
}

static void test_make_kinds(void **state)
{
        static const char *const types[] = {"ext2", "ext3", "ext4"};

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                CLEANUP_FREE char *features = NULL;
                struct image image;

                image_make(&image, types[i], 16384, NULL);
                features = image_debugfs(&image, "features");
                assert_int_equal(strstr(features, "has_journal") != NULL, i >= 1);
                assert_int_equal(strstr(features, "extent") != NULL, i >= 2);
                image_check(&image);
                image_clear(&image);
        }
}

static void test_make_errors(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct fs_make wrong = {.options = OPTIONS("-O", "nonsense"), .epoch = -1};
        struct fs_make label = {.label = "a label that is too long", .epoch = -1};
        struct image image;

        (void)state;
        image_make(&image, "ext4", 16384, NULL);
        assert_true(fs_ext4.make(&image.volume, &wrong, &err) < 0);
        assert_has(error_message(&err), "nonsense");
        assert_int_equal(fs_ext4.make(&image.volume, &label, &err), -EINVAL);
        assert_has(error_message(&err), "16 bytes");
        image.volume.size_bytes *= 2;
        assert_int_equal(fs_ext4.make(&image.volume, &label, &err), -EINVAL);
        image_clear(&image);
}

static void test_grow(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *before = NULL, *after = NULL, *stats = NULL;
        struct image image;
        void *writer;

        (void)state;
        make(&image, "ext4", 20000, NULL);
        writer = write_begin(&image);
        write_text(writer, "file", "text");
        write_end(writer);
        before = image_extract(&image, "before");
        assert_int_equal(truncate(image.path, 100 << 20), 0);
        image.volume.size_bytes = 60 << 20;
        assert_int_equal(fs_ext4.grow(&image.volume, &err), 0);
        image_check(&image);
        stats = image_debugfs(&image, "stats -h");
        assert_has(stats, "Block count:              61440");
        after = image_extract(&image, "after");
        trees_equal(before, after);
        image_clear(&image);
}

/* Files stay, what was deleted is no longer in the image file, and so much room is left. */
static void test_shrink(void **state)
{
        enum { SLACK = 4 << 20 };
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *before = NULL, *after = NULL, *big = xmalloc((10 << 20) + 1);
        struct image image;
        struct stat st;
        uint64_t bytes = 0, again = 0;
        void *writer;

        (void)state;
        memset(big, 'x', 10 << 20);
        big[10 << 20] = '\0';
        make(&image, "ext4", 60 << 10, NULL);
        writer = write_begin(&image);
        write_text(writer, "big", big);
        write_text(writer, "small", "text");
        write_end(writer);
        writer = write_begin(&image);
        remove_path(writer, "big");
        write_end(writer);
        before = image_extract(&image, "before");
        if (fs_ext4.shrink(&image.volume, SLACK, &bytes, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_in_range(bytes, SLACK, 20 << 20);
        assert_int_equal(stat(image.path, &st), 0);
        assert_in_range(st.st_blocks * 512, 0, 9 << 20);
        image.volume.size_bytes = bytes;
        image_check(&image);
        after = image_extract(&image, "after");
        trees_equal(before, after);
        assert_int_equal(fs_ext4.shrink(&image.volume, 1ULL << 40, &again, &err), 0);
        assert_int_equal(again, bytes);
        image_check(&image);
        image_clear(&image);
}

static void debugfs_write(const struct image *image, const char *command)
{
        CLEANUP_FREE char *device = xasprintf("%s?offset=%d", image->path, IMAGE_OFFSET);
        CLEANUP_FREE char *out = NULL;

        assert_int_equal(spawn_capture((const char *[]){"debugfs", "-w", "-R", command, device, NULL}, &out, NULL), 0);
}

static void test_not_clean(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *dir = NULL, *out = NULL;
        struct image image;
        void *writer = NULL;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        debugfs_write(&image, "feature needs_recovery");
        dir = path_join(image.dir, "x");
        assert_int_equal(mkdir(dir, 0700), 0);
        assert_int_equal(fs_ext4.extract(&image.volume, dir, NULL, &err), -EUCLEAN);
        assert_has(error_message(&err), "journal must be replayed");
        assert_int_equal(fs_ext4.write_open(&image.volume, -1, &writer, &err), -EUCLEAN);
        if (fs_ext4.check(&image.volume, true, &err) < 0)
                fail_msg("%s", error_message(&err));
        out = image_extract(&image, "y");
        debugfs_write(&image, "set_super_value state 2");
        assert_int_equal(fs_ext4.extract(&image.volume, dir, NULL, &err), -EUCLEAN);
        assert_has(error_message(&err), "damaged");
        image_clear(&image);
}

static void test_no_ext_there(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct image image;

        (void)state;
        image_make(&image, "ext4", 16384, NULL);
        image.volume.offset_bytes += 4096;
        assert_true(fs_ext4.check(&image.volume, false, &err) < 0);
        assert_has(error_message(&err), "no ext file system");
        assert_true(fs_ext4.extract(&image.volume, image.dir, NULL, &err) < 0);
        image.volume.offset_bytes -= 4096;
        image.volume.size_bytes /= 2; /* the neighbour begins earlier */
        assert_int_equal(fs_ext4.extract(&image.volume, image.dir, NULL, &err), -EUCLEAN);
        assert_has(error_message(&err), "and the partition only");
        image_clear(&image);
}

/* A question mark in the name is nobody's option; a descriptor's name works too. */
static void test_odd_names(void **state)
{
        CLEANUP_FREE char *path = NULL, *fd_path = NULL;
        struct image image;
        int fd;

        (void)state;
        image_make(&image, "ext4", 16384, NULL);
        path = path_join(image.dir, "what? now");
        assert_int_equal(rename(image.path, path), 0);
        image.volume.path = path;
        image_check(&image);
        fd = open(path, O_RDWR | O_CLOEXEC);
        fd_path = xasprintf("/proc/self/fd/%d", fd);
        image.volume.path = fd_path;
        image_check(&image);
        own_root(&image);
        image_check(&image);
        close(fd);
        image_clear(&image);
}

static int count(void *arg, const struct fs_entry *entry)
{
        (void)entry;
        ++*(unsigned int *)arg;
        return 0;
}

static void expect_count(const struct image *image, const char *path, unsigned int expected)
{
        CLEANUP_ERROR struct error err = {0};
        unsigned int n = 0;

        assert_int_equal(fs_ext4.list(&image->volume, path, count, &n, &err), 0);
        assert_int_equal(n, expected);
}

static const char *long_name(int i)
{
        static char name[300];

        snprintf(name, sizeof(name), "d/%0*d", 20 + i % 200, i);
        return name;
}

static void test_large_folder(void **state)
{
        CLEANUP_FREE char *tree = NULL;
        struct fs_change change = {.kind = FS_SYMLINK, .target = "x", .st = stat_of(S_IFLNK | 0777, 100), .fd = -1};
        struct image image;
        void *writer;

        (void)state;
        make(&image, "ext4", 65536, OPTIONS("-b", "1024", "-N", "12000"));
        writer = write_begin(&image);
        write_dir(writer, "d");
        for (int i = 0; i < 10000; i++) {
                change.path = long_name(i);
                write_one(writer, &change);
        }
        write_end(writer);
        image_check(&image);
        tree = image_debugfs(&image, "htree_dump d");
        assert_has(tree, "Indirect levels: 1"); /* root, inner nodes, leaves */
        expect_count(&image, "d", 10000);
        writer = write_begin(&image);
        for (int i = 0; i < 10000; i++)
                if (i % 40)
                        remove_path(writer, long_name(i));
        write_end(writer);
        image_check(&image);
        expect_count(&image, "d", 250);
        image_clear(&image);
}

static void test_refused_features(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct fs_change change = {.kind = FS_DIR, .path = "d/x", .st = stat_of(S_IFDIR | 0755, 9), .fd = -1};
        struct image image;
        void *writer;

        (void)state;
        image_make(&image, "ext4", 16384, OPTIONS("-O", "quota"));
        assert_int_equal(fs_ext4.write_open(&image.volume, -1, &writer, &err), -EOPNOTSUPP);
        assert_has(error_message(&err), "'quota'");
        image_clear(&image);
        make(&image, "ext4", 16384, OPTIONS("-O", "casefold"));
        writer = write_begin(&image);
        write_dir(writer, "d");
        write_end(writer);
        debugfs_write(&image, "set_inode_field d flags 0x40080000");
        must_fail(&image, &change, EOPNOTSUPP, OPTIONS("casefold"));
        debugfs_write(&image, "set_inode_field d flags 0x80800");
        must_fail(&image, &change, EOPNOTSUPP, OPTIONS("encrypted"));
        image_clear(&image);
}

/* A tree that mke2fs itself has put into inodes and folders with inline data. */
static void test_inline_data(void **state)
{
        CLEANUP_FREE char *out = NULL, *again = NULL, *path = NULL, *stat = NULL;
        char source[] = "/tmp/slipway-ext.XXXXXX";
        struct image image;
        void *writer;

        (void)state;
        assert_non_null(mkdtemp(source));
        path = xasprintf(
                "cd %s && mkdir -p a/b && echo small > a/f && printf '%%0150d' 1 > a/g && : > a/empty && ln -s f a/l "
                "&& ln -s %0100d a/long && touch -h -d @1000 a/* a . && chmod 755 .",
                source, 7);
        assert_int_equal(spawn_check(&(struct spawn){.argv = (const char *[]){"sh", "-c", path, NULL}}, NULL), 0);
        image_make(&image, "ext4", 16384, OPTIONS("-O", "inline_data", "-I", "256", "-d", source));
        own_root(&image);
        stat = image_debugfs(&image, "stat a/f");
        assert_has(stat, "Flags: 0x10000000"); /* that it is what we want to test */
        writer = write_begin(&image);
        write_one(writer,
                  &(struct fs_change){.kind = FS_DIR, .path = "", .st = stat_of(S_IFDIR | 0755, 1000), .fd = -1});
        write_end(writer);
        image_check(&image);
        out = image_extract(&image, "out");
        trees_equal(source, out);
        writer = write_begin(&image);
        write_text(writer, "a/f", "other");
        remove_path(writer, "a/g");
        write_dir(writer, "a/b/c");
        write_end(writer);
        image_check(&image);
        again = image_extract(&image, "again");
        remove_path(writer = write_begin(&image), "a");
        write_end(writer);
        image_check(&image);
        tree_remove(source, NULL);
        image_clear(&image);
}

/* --- looking into it --- */

static int collect(void *arg, const struct fs_entry *entry)
{
        str_addf(arg, "%s%s%s ", entry->name,
                 entry->target                ? ">"
                 : S_ISDIR(entry->st.st_mode) ? "/"
                                              : "",
                 entry->target ? entry->target : "");
        return 0;
}

static void expect_list(const struct image *image, const char *path, const char *expected)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_STR struct str names = {0};

        if (fs_ext4.list(&image->volume, path, collect, &names, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_string_equal(str_get(&names), expected);
}

static void expect_cat(const struct image *image, const char *path, const char *expected)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = file_of(0);
        char text[100] = "";

        if (fs_ext4.cat(&image->volume, path, fd, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
        assert_string_equal(text, expected);
}

static void write_symlink(void *writer, const char *path, const char *target)
{
        write_one(writer, &(struct fs_change){.kind = FS_SYMLINK,
                                              .path = path,
                                              .target = target,
                                              .st = stat_of(S_IFLNK | 0777, 1),
                                              .fd = -1});
}

static void test_list_and_cat(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct image image;
        void *writer;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        writer = write_begin(&image);
        write_dir(writer, "usr");
        write_dir(writer, "usr/lib");
        write_text(writer, "usr/lib/os-release", "NAME=x\n");
        write_symlink(writer, "lib", "usr/lib");
        write_symlink(writer, "usr/os", "/lib/../lib/os-release");
        write_symlink(writer, "loop", "loop");
        write_symlink(writer, "out", "../../../../../../etc/passwd");
        write_end(writer);
        expect_list(&image, "", "lib>usr/lib loop>loop lost+found/ out>../../../../../../etc/passwd usr/ ");
        expect_list(&image, "/usr/", "lib/ os>/lib/../lib/os-release ");
        expect_list(&image, "lib", "lib>usr/lib ");
        expect_list(&image, "lib/", "os-release ");
        expect_list(&image, "lib/os-release", "os-release ");
        expect_cat(&image, "/usr/os", "NAME=x\n");
        expect_cat(&image, "lib/os-release", "NAME=x\n");
        assert_int_equal(fs_ext4.cat(&image.volume, "loop", 1, &err), -ELOOP);
        assert_int_equal(fs_ext4.cat(&image.volume, "out", 1, &err), -ENOENT);
        assert_int_equal(fs_ext4.cat(&image.volume, "usr", 1, &err), -EISDIR);
        assert_int_equal(fs_ext4.cat(&image.volume, "usr/os/x", 1, &err), -ENOTDIR);
        assert_int_equal(fs_ext4.list(&image.volume, "missing", collect, NULL, &err), -ENOENT);
        assert_has(error_message(&err), "no 'missing'");
        image_clear(&image);
}

static void add_name(void *arg, const char *path)
{
        str_addf(arg, "%s ", path);
}

/* Names of linked files, in any order of folders; with and without kinds in the folders. */
static void test_links(void **state)
{
        static const char *const kinds[][3] = {{"-O", "^has_journal", NULL}, {"-O", "^filetype,^has_journal", NULL}};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                CLEANUP_STR struct str names = {0};
                struct image image = {0};
                void *writer;

                make(&image, "ext4", 16384, kinds[i]);
                assert_int_equal(fs_ext4.links(&image.volume, add_name, &names, NULL), 0);
                assert_string_equal(str_get(&names), "");
                writer = write_begin(&image);
                write_dir(writer, "a");
                write_dir(writer, "a/b");
                write_text(writer, "a/one", "text");
                write_text(writer, "alone", "text");
                write_symlink(writer, "symlink", "alone");
                write_one(writer, &(struct fs_change){.kind = FS_LINK, .path = "a/b/c", .target = "a/one", .fd = -1});
                write_one(writer, &(struct fs_change){.kind = FS_LINK, .path = "s", .target = "symlink", .fd = -1});
                write_end(writer);
                assert_int_equal(fs_ext4.links(&image.volume, add_name, &names, NULL), 0);
                assert_string_equal(str_get(&names), "a/one a/b/c ");
                image_clear(&image);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_make_same_bytes), cmocka_unit_test(test_make_kinds),
                cmocka_unit_test(test_make_errors),     cmocka_unit_test(test_grow),
                cmocka_unit_test(test_shrink),          cmocka_unit_test(test_not_clean),
                cmocka_unit_test(test_no_ext_there),    cmocka_unit_test(test_odd_names),
                cmocka_unit_test(test_inline_data),     cmocka_unit_test(test_list_and_cat),
                cmocka_unit_test(test_large_folder),    cmocka_unit_test(test_refused_features),
                cmocka_unit_test(test_links),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
