/* Changes to ext file systems, one behaviour after the other. e2fsck and debugfs are the judges. */
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

static struct fs_change file_change(const char *path, int fd, uint64_t size)
{
        struct fs_change change = {.kind = FS_FILE, .path = path, .st = stat_of(S_IFREG | 0644, 2000), .fd = fd};

        change.st.st_size = (off_t)size;
        return change;
}

/* --- the writer --- */

static void write_tree(const struct image *image)
{
        void *writer = write_begin(image);
        char path[64];

        write_dir(writer, "etc");
        for (int i = 0; i < 700; i++) {
                snprintf(path, sizeof(path), "etc/a-file-with-a-long-name-%d", i);
                write_text(writer, path, path);
        }
        remove_path(writer, "etc/a-file-with-a-long-name-7");
        write_end(writer);
}

static void test_write_same_bytes(void **state)
{
        struct image images[2];
        char hex[2][DIGEST_HEX_MAX];

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                image_make(&images[i], "ext4", 30000, NULL);
                images[i].epoch = 1500;
                write_tree(&images[i]);
                image_check(&images[i]);
                assert_int_equal(digest_file("sha256", images[i].path, hex[i], NULL), 0);
                if (i == 0)
                        usleep(1100000); /* so that a clock would show */
        }
        assert_string_equal(hex[0], hex[1]);
        image_clear(&images[0]);
        image_clear(&images[1]);
}

static void test_nodes(void **state)
{
        CLEANUP_FREE char *old = NULL, *new = NULL, *out = NULL, *fifo = NULL, *disk = NULL;
        struct fs_change node = {.kind = FS_NODE, .path = "null", .st = stat_of(S_IFCHR | 0666, 5), .fd = -1};
        struct image image;
        struct stat st;
        void *writer;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        writer = write_begin(&image);
        node.st.st_rdev = makedev(1, 3);
        write_one(writer, &node);
        node.path = "disk";
        node.st.st_mode = S_IFBLK | 0660;
        node.st.st_rdev = makedev(259, 70000);
        write_one(writer, &node);
        node.path = "fifo";
        node.st.st_mode = S_IFIFO | 0600;
        write_one(writer, &node);
        node.path = "socket";
        node.st.st_mode = S_IFSOCK | 0755;
        write_one(writer, &node);
        write_end(writer);
        image_check(&image);
        old = image_debugfs(&image, "stat null");
        assert_has(old, "Type: character special    Mode:  0666");
        assert_has(old, "Device major/minor number: 01:03");
        new = image_debugfs(&image, "stat disk");
        assert_has(new, "Device major/minor number: 259:70000");
        out = image_extract(&image, "out");
        fifo = path_join(out, "fifo");
        disk = path_join(out, "disk");
        assert_int_equal(lstat(fifo, &st), 0);
        assert_true(S_ISFIFO(st.st_mode));
        assert_false(path_exists(disk));
        node.st.st_mode = S_IFREG | 0644;
        must_fail(&image, &node, EINVAL, OPTIONS("no device"));
        image_clear(&image);
}

/* u::rw-, u:5:r--, g::r--, m::r--, o::---, as setxattr(2) takes it. */
static size_t acl(uint8_t *out)
{
        static const struct {
                uint16_t tag, perm;
                uint32_t id;
        } entries[] = {{1, 6, UINT32_MAX}, {2, 4, 5}, {4, 4, UINT32_MAX}, {0x10, 4, UINT32_MAX}, {0x20, 0, UINT32_MAX}};
        size_t at = 4;

        put_le32(out, 2);
        for (size_t i = 0; i < 5; i++, at += 8) {
                put_le16(out + at, entries[i].tag);
                put_le16(out + at + 2, entries[i].perm);
                put_le32(out + at + 4, entries[i].id);
        }
        return at;
}

static void test_xattrs(void **state)
{
        uint8_t list[64], capability[20] = {1, 0, 0, 2, 0, 0x20};
        char big[700], value[1024];
        struct fs_xattr xattrs[] = {{"system.posix_acl_access", list, acl(list)},
                                    {"user.empty", "", 0},
                                    {"user.big", big, sizeof(big)},
                                    {"security.capability", capability, sizeof(capability)}};
        CLEANUP_FREE char *out = NULL, *path = NULL, *dir = NULL;
        struct fs_change change = {.kind = FS_FILE, .path = "f", .st = stat_of(S_IFREG | 0640, 9)};
        struct image image;
        void *writer;

        (void)state;
        memset(big, 'b', sizeof(big));
        make(&image, "ext4", 16384, NULL);
        change.fd = file_of(0);
        change.xattrs = xattrs;
        change.n_xattrs = getuid() == 0 ? 4 : 3;
        writer = write_begin(&image);
        write_one(writer, &change);
        change.kind = FS_DIR;
        change.path = "d";
        change.n_xattrs = 3;
        write_one(writer, &change);
        change.n_xattrs = 1;
        write_one(writer, &change);
        write_end(writer);
        image_check(&image);
        out = image_extract(&image, "out");
        path = path_join(out, "f");
        dir = path_join(out, "d");
        for (size_t i = 0; i < (getuid() == 0 ? 4 : 3); i++) {
                assert_int_equal(getxattr(path, xattrs[i].name, value, sizeof(value)), xattrs[i].len);
                assert_memory_equal(value, xattrs[i].value, xattrs[i].len);
        }
        assert_int_equal(getxattr(dir, "system.posix_acl_access", value, sizeof(value)), xattrs[0].len);
        assert_int_equal(getxattr(dir, "user.big", value, sizeof(value)), -1);
        close(change.fd);
        image_clear(&image);
}

static void test_xattr_too_big(void **state)
{
        static char big[5000];
        struct fs_change change = {.kind = FS_FILE, .path = "f", .st = stat_of(S_IFREG | 0640, 9)};
        struct image image;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        change.fd = file_of(0);
        change.xattrs = &(struct fs_xattr){"user.big", big, sizeof(big)};
        change.n_xattrs = 1;
        must_fail(&image, &change, ENOSPC, OPTIONS("user.big", "5000", "partition 1"));
        close(change.fd);
        image_clear(&image);
}

static void expect_time(const char *dir, const char *name, int64_t sec, long nsec)
{
        CLEANUP_FREE char *path = path_join(dir, name);
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mtim.tv_sec, sec);
        assert_int_equal(st.st_mtim.tv_nsec, nsec);
}

static void write_time(void *writer, const char *path, int64_t sec, long nsec)
{
        struct fs_change change = {.kind = FS_DIR, .path = path, .st = stat_of(S_IFDIR | 0755, sec), .fd = -1};

        change.st.st_mtim.tv_nsec = nsec;
        write_one(writer, &change);
}

static void test_times(void **state)
{
        CLEANUP_FREE char *out = NULL, *again = NULL, *stat = NULL;
        struct image image;
        void *writer;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        writer = write_begin(&image);
        write_time(writer, "past", -1000, 5);
        write_time(writer, "far", INT64_C(5000000000), 123456789);
        write_end(writer);
        image.epoch = 3000;
        writer = write_begin(&image);
        write_time(writer, "later", 3000, 7);
        write_time(writer, "before", 2999, 7);
        write_end(writer);
        image_check(&image);
        out = image_extract(&image, "out");
        expect_time(out, "past", -1000, 5);
        expect_time(out, "far", INT64_C(5000000000), 123456789);
        expect_time(out, "later", 3000, 0);
        expect_time(out, "before", 2999, 7);
        stat = image_debugfs(&image, "stat before");
        assert_has(stat, "ctime: 0x00000bb7:0000001c");
        assert_has(stat, "crtime: 0x00000bb7:0000001c");
        image_clear(&image);

        make(&image, "ext2", 16384, OPTIONS("-I", "128"));
        writer = write_begin(&image);
        write_time(writer, "far", INT64_C(5000000000), 123456789);
        write_end(writer);
        image_check(&image);
        again = image_extract(&image, "out");
        expect_time(again, "far", INT32_MAX, 0);
        image_clear(&image);
}

static void test_no_space(void **state)
{
        CLEANUP_CLOSE int fd = file_of(40 << 20);
        struct fs_change change = file_change("big", fd, 40 << 20);
        struct image image;
        char byte = 1;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        for (off_t at = 0; at < 40 << 20; at += 512)
                assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        must_fail(&image, &change, ENOSPC, OPTIONS("40.0 MiB are needed", "missing", "image_size", "partition 1"));
        image_clear(&image);
}

/* What is replaced makes room for what replaces it. */
static void test_replace_when_full(void **state)
{
        CLEANUP_CLOSE int fd = file_of(9 << 20);
        struct fs_change change = file_change("big", fd, 9 << 20);
        struct image image;
        char byte = 1;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        for (off_t at = 0; at < 9 << 20; at += 512)
                assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        for (int i = 0; i < 3; i++) {
                void *writer = write_begin(&image);

                write_one(writer, &change);
                write_end(writer);
                image_check(&image);
        }
        image_clear(&image);
}

static void test_no_inodes(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct image image;
        void *writer;
        char path[32];
        int r = 0;

        (void)state;
        make(&image, "ext4", 8192, OPTIONS("-N", "64"));
        writer = write_begin(&image);
        for (int i = 0; r == 0 && i < 100; i++) {
                struct fs_change change = {.kind = FS_DIR, .path = path, .st = stat_of(S_IFDIR | 0755, 9), .fd = -1};

                snprintf(path, sizeof(path), "d%d", i);
                r = fs_ext4.write_change(writer, &change, &err);
        }
        assert_int_equal(r, -ENOSPC);
        assert_has(error_message(&err), "no inodes left");
        assert_has(error_message(&err), "all 64 are in use");
        error_clear(&err);
        assert_true(fs_ext4.write_close(writer, &err) < 0); /* nothing more can be done */
        image_clear(&image);
}

static void test_sparse_and_swap(void **state)
{
        CLEANUP_CLOSE int fd = file_of(UINT64_C(5) << 30), swap = file_of(300 << 10);
        struct fs_change sparse = file_change("sparse", fd, UINT64_C(5) << 30),
                         file = file_change("swap", swap, 300 << 10);
        CLEANUP_FREE char *out = NULL, *path = NULL, *stat = NULL, *blocks = NULL;
        struct image image;
        struct stat st;
        void *writer;
        char byte = 'x';

        (void)state;
        for (off_t at = 12345; at < INT64_C(5) << 30; at += 1 << 29)
                assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(pwrite(swap, "SWAPSPACE2", 10, 4086), 10);
        make(&image, "ext4", 16384, OPTIONS("-b", "1024"));
        writer = write_begin(&image);
        write_one(writer, &sparse);
        write_one(writer, &file);
        write_end(writer);
        image_check(&image);
        stat = image_debugfs(&image, "stat sparse");
        assert_has(stat, "Size: 5368709120");
        assert_has(stat, "Blockcount: 22"); /* 10 blocks and one of the extent tree */
        blocks = image_debugfs(&image, "stat swap");
        assert_has(blocks, "Blockcount: 600");
        out = image_extract(&image, "out");
        path = path_join(out, "sparse");
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_size, INT64_C(5) << 30);
        assert_true(st.st_blocks < 1000);
        assert_int_equal(truncate(path, 1 << 30), 0);
        image_clear(&image);
}

static void test_clear_and_replace(void **state)
{
        CLEANUP_FREE char *root = NULL, *out = NULL, *sub = NULL, *lost = NULL;
        struct image image;
        struct stat st;
        void *writer;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        writer = write_begin(&image);
        write_dir(writer, "a");
        write_dir(writer, "a/b");
        write_text(writer, "a/b/c", "text");
        write_text(writer, "a/d", "text");
        write_one(writer, &(struct fs_change){.kind = FS_LINK, .path = "link", .target = "a/d", .fd = -1});
        write_one(writer, &(struct fs_change){.kind = FS_CLEAR, .path = "a", .fd = -1});
        write_one(writer, &(struct fs_change){.kind = FS_CLEAR, .path = "nothing/there", .fd = -1});
        remove_path(writer, "nothing");
        remove_path(writer, "nothing/there");
        remove_path(writer, "link/there");
        write_text(writer, "a/b", "was a folder");
        write_dir(writer, "link");
        write_dir(writer, "link/sub");
        write_end(writer);
        image_check(&image);
        out = image_extract(&image, "out");
        sub = path_join(out, "a/b");
        assert_int_equal(lstat(sub, &st), 0);
        assert_int_equal(st.st_size, strlen("was a folder"));
        lost = path_join(out, "lost+found");
        assert_false(path_exists(lost));
        writer = write_begin(&image);
        write_one(writer, &(struct fs_change){.kind = FS_CLEAR, .path = "", .fd = -1});
        write_end(writer);
        image_check(&image);
        root = image_debugfs(&image, "ls -p /");
        assert_has(root, "/lost+found/");
        assert_null(strstr(root, "/link/"));
        image_clear(&image);
}

static void test_wrong_changes(void **state)
{
        static const char *const paths[] = {"../x", "a/../x", "a//x", "/a", "a/", ".", "a/./x"};
        char name[300];
        struct fs_change change = {.kind = FS_DIR, .st = stat_of(S_IFDIR | 0755, 9), .fd = -1};
        struct image image;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
                change.path = paths[i];
                must_fail(&image, &change, EINVAL, NULL);
        }
        change.path = "missing/x";
        must_fail(&image, &change, ENOENT, OPTIONS("no folder 'missing'"));
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        change.path = name;
        must_fail(&image, &change, ENAMETOOLONG, OPTIONS("255"));
        change = (struct fs_change){.kind = FS_LINK, .path = "x", .target = "missing", .fd = -1};
        must_fail(&image, &change, ENOENT, OPTIONS("no file 'missing'"));
        change.target = "lost+found";
        must_fail(&image, &change, ENOENT, NULL);
        change = (struct fs_change){.kind = FS_REMOVE, .path = "", .fd = -1};
        must_fail(&image, &change, EINVAL, NULL);
        image_clear(&image);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_write_same_bytes),
                cmocka_unit_test(test_nodes),
                cmocka_unit_test(test_xattrs),
                cmocka_unit_test(test_xattr_too_big),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_no_space),
                cmocka_unit_test(test_replace_when_full),
                cmocka_unit_test(test_no_inodes),
                cmocka_unit_test(test_sparse_and_swap),
                cmocka_unit_test(test_clear_and_replace),
                cmocka_unit_test(test_wrong_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
