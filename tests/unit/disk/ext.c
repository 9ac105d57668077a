/* The ext rows, one behaviour after the other. e2fsck and debugfs are the judges. */
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

/* The root belongs to us, so that an ordinary user can extract it. */
static void own_root(const struct image *image)
{
        void *writer = write_begin(image);

        write_dir(writer, "");
        write_end(writer);
}

static void make(struct image *image, const char *type, unsigned int kib, const char *const *options)
{
        image_make(image, type, kib, options);
        own_root(image);
}

/* The change must fail with this code, and a message that has all the words. */
static void must_fail(const struct image *image, const struct fs_change *change, int code, const char *const *words)
{
        CLEANUP_ERROR struct error err = {0};
        void *writer = write_begin(image);

        assert_int_equal(fs_ext4.write_change(writer, change, &err), -code);
        for (; words && *words; words++)
                if (!strstr(error_message(&err), *words))
                        fail_msg("'%s' is not in: %s", *words, error_message(&err));
        fs_ext4.write_abort(writer);
}

static int file_of(uint64_t size)
{
        char name[] = "/tmp/slipway-ext.XXXXXX";
        int fd = mkostemp(name, O_CLOEXEC);

        assert_true(fd >= 0);
        unlink(name);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        return fd;
}

static struct fs_change file_change(const char *path, int fd, uint64_t size)
{
        struct fs_change change = {.kind = FS_FILE, .path = path, .st = stat_of(S_IFREG | 0644, 2000), .fd = fd};

        change.st.st_size = (off_t)size;
        return change;
}

static void remove_path(void *writer, const char *path)
{
        write_one(writer, &(struct fs_change){.kind = FS_REMOVE, .path = path, .fd = -1});
}

static void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("'%s' is not in: %s", part, text);
}

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
        must_fail(&image, &change, ENOSPC, OPTIONS("user.big", "5000", "'/f'", "partition 1"));
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
        must_fail(&image, &change, ENOSPC,
                  OPTIONS("40.0 MiB are needed", "missing", "image_size", "'/big'", "partition 1"));
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_make_same_bytes), cmocka_unit_test(test_make_kinds),
                cmocka_unit_test(test_make_errors),     cmocka_unit_test(test_grow),
                cmocka_unit_test(test_not_clean),       cmocka_unit_test(test_no_ext_there),
                cmocka_unit_test(test_odd_names),       cmocka_unit_test(test_write_same_bytes),
                cmocka_unit_test(test_nodes),           cmocka_unit_test(test_xattrs),
                cmocka_unit_test(test_xattr_too_big),   cmocka_unit_test(test_times),
                cmocka_unit_test(test_no_space),        cmocka_unit_test(test_replace_when_full),
                cmocka_unit_test(test_no_inodes),       cmocka_unit_test(test_large_folder),
                cmocka_unit_test(test_sparse_and_swap), cmocka_unit_test(test_clear_and_replace),
                cmocka_unit_test(test_wrong_changes),   cmocka_unit_test(test_refused_features),
                cmocka_unit_test(test_inline_data),     cmocka_unit_test(test_list_and_cat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
