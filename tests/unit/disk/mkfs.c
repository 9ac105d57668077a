/* File systems that their own tools fill from a tree, and swap: the tools look back at it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/disk.h"
#include "disk/fs.h"

#define MIB (1024 * 1024ULL)

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image, *tree;
static struct fs_volume volume = {.offset_bytes = MIB, .name = "partition 1 (root)"};

static void ok(int r, struct error *err)
{
        if (r < 0)
                fail_msg("%s", error_message(err));
}

static void add_file(const char *name, const char *content)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = path_join(tree, name);

        ok(file_write(path, content, strlen(content), 0644, &err), &err);
}

static int setup(void **state)
{
        CLEANUP_FREE char *sub = NULL, *first = NULL, *second = NULL, *symbolic = NULL;

        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "disk.img");
        tree = path_join(dir, "tree");
        sub = path_join(tree, "sub/deeper");
        first = path_join(tree, "sub/first");
        second = path_join(tree, "second");
        symbolic = path_join(tree, "symbolic");
        if (dir_make(sub, 0755, NULL) < 0)
                return -1;
        add_file("sub/first", "content\n");
        add_file("sub/deeper/empty", "");
        if (chmod(first, 04755) < 0 || link(first, second) < 0 || symlink("sub/first", symbolic) < 0)
                return -1;
        return setxattr(first, "user.colour", "blue", 4, 0);
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        free(tree);
        return tree_remove(dir, NULL);
}

/* Populate; the part alone, for the tools, is at the path returned. */
static char *populate(const char *name, uint64_t size)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const struct fs_type *type = fs_type_find(name);
        struct fs_make make = {.label = "LABEL", .id_seed = "seed", .epoch = 1600000000};
        char *part = path_join(dir, "part.img"), *out = NULL;
        CLEANUP_FREE char *from = xasprintf("if=%s", image), *to = xasprintf("of=%s", part);

        assert_int_equal(ftruncate(fd, (off_t)(MIB + size + MIB)), 0);
        volume.path = image;
        volume.size_bytes = size;
        if (type->populate)
                ok(type->populate(&volume, &make, tree, &err), &err);
        else
                ok(type->make(&volume, &make, &err), &err);
        ok(type->check(&volume, false, &err), &err);
        ok(spawn_capture((const char *const[]){"dd", from, to, "bs=1M", "skip=1", "conv=sparse", "status=none", NULL},
                         &out, &err),
           &err);
        free(out);
        return part;
}

/* Run a tool; NULL if it is not installed. */
static char *judge(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        ok(spawn_capture(argv, &out, &err), &err);
        return out;
}

static void expect(const char *out, const char *words)
{
        if (!strstr(out, words))
                fail_msg("'%s' is not in:\n%s", words, out);
}

static void need(const char *program)
{
        CLEANUP_FREE char *path = program_find(program);

        if (!path) {
                printf("%s is not installed\n", program);
                skip();
        }
}

static void probed(const char *part, const char *fs)
{
        CLEANUP_FREE char *out = judge((const char *const[]){"blkid", "-p", part, NULL});

        expect(out, fs);
        expect(out, "LABEL=\"LABEL\"");
}

static void test_btrfs(void **state)
{
        CLEANUP_FREE char *part = NULL, *out = NULL;

        (void)state;
        need("mkfs.btrfs");
        part = populate("btrfs", 160 * MIB);
        probed(part, "btrfs");
        out = judge((const char *const[]){"btrfs", "inspect-internal", "dump-tree", "-t", "5", part, NULL});
        expect(out, "mode 104755 links 2");
        expect(out, "name: user.colour");
        expect(out, "type SYMLINK");
}

static void test_f2fs(void **state)
{
        CLEANUP_FREE char *part = NULL, *again = NULL, *first = NULL, *second = NULL;

        (void)state;
        need("sload.f2fs");
        part = populate("f2fs", 64 * MIB);
        probed(part, "f2fs");
        first = judge((const char *const[]){"sha256sum", part, NULL});
        again = populate("f2fs", 64 * MIB);
        second = judge((const char *const[]){"sha256sum", again, NULL});
        assert_string_equal(first, second);
}

static void test_xfs(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *part = NULL, *out = NULL, *blank = path_join(tree, "a name");
        struct fs_make make = {.epoch = -1};

        (void)state;
        need("mkfs.xfs");
        part = populate("xfs", 320 * MIB);
        probed(part, "xfs");
        out = judge((const char *const[]){"xfs_db", "-r", "-c", "path /sub/first", "-c", "print", part, NULL});
        expect(out, "core.mode = 0104755");
        expect(out, "core.size = 8");
        add_file("a name", "");
        assert_int_equal(fs_type_find("xfs")->populate(&volume, &make, tree, &err), -EINVAL);
        assert_non_null(strstr(error_message(&err), "'/a name': mkfs.xfs cannot write a name with a blank"));
        unlink(blank);
}

static void test_swap(void **state)
{
        CLEANUP_FREE char *part = populate("swap", 16 * MIB), *again = NULL, *first = NULL, *second = NULL;

        (void)state;
        probed(part, "TYPE=\"swap\"");
        first = judge((const char *const[]){"sha256sum", part, NULL});
        again = populate("swap", 16 * MIB);
        second = judge((const char *const[]){"sha256sum", again, NULL});
        assert_string_equal(first, second);
}

static void test_names(void **state)
{
        (void)state;
        assert_string_equal(fs_type_find("fat")->name, "vfat");
        assert_string_equal(fs_type_find("")->name, "raw");
        assert_null(fs_type_find("zfs"));
        assert_true(strv_has(fs_type_names(), "ext4"));
        assert_true(strv_has(fs_type_names(), "fat"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_btrfs), cmocka_unit_test(test_f2fs),  cmocka_unit_test(test_xfs),
                cmocka_unit_test(test_swap),  cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
