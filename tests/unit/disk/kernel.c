/* File systems that a kernel fills: their own tools, and a kernel, look back at them. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "become_root.h"
#include "disk/disk.h"
#include "disk/fs.h"
#include "disk/kernel.h"
#include "disk/layer.h"

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
        CLEANUP_FREE char *sub = NULL, *first = NULL, *second = NULL, *symbolic = NULL, *old = NULL, *named = NULL;

        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "disk.img");
        tree = path_join(dir, "tree");
        sub = path_join(tree, "sub/deeper");
        first = path_join(tree, "sub/first");
        second = path_join(tree, "second");
        symbolic = path_join(tree, "symbolic");
        old = path_join(tree, "old");
        named = path_join(tree, "a name");
        if (dir_make(sub, 0755, NULL) < 0)
                return -1;
        add_file("sub/first", "content\n");
        add_file("sub/deeper/empty", "");
        add_file("a name", "");
        add_file("old", "old\n");
        if (chmod(first, 04755) < 0 || link(first, second) < 0 || symlink("sub/first", symbolic) < 0)
                return -1;
        if (chmod(named, 0600) < 0 ||
            utimensat(AT_FDCWD, old, (struct timespec[]){{1000000000, 0}, {1000000000, 0}}, 0) < 0)
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

/* Run a tool; NULL if it is not installed. */
static char *judge(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        ok(spawn_capture(argv, &out, &err), &err);
        return out;
}

/* The part alone, for the tools. */
static char *part_alone(void)
{
        char *part = path_join(dir, "part.img");
        CLEANUP_FREE char *from = xasprintf("if=%s", image), *to = xasprintf("of=%s", part);

        free(judge((const char *const[]){"dd", from, to, "bs=1M", "skip=1", "conv=sparse", "status=none", NULL}));
        return part;
}

/* Make, and fill from the tree. */
static char *populate(const char *name, uint64_t size)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const struct fs_type *type = fs_type_find(name);
        struct fs_make make = {.label = "LABEL", .id_seed = "seed", .epoch = 1600000000};
        struct layer_target target = {"/", type, NULL};

        assert_int_equal(ftruncate(fd, (off_t)(MIB + size + MIB)), 0);
        volume.path = image;
        volume.size_bytes = size;
        ok(type->make(&volume, &make, &err), &err);
        ok(type->write_open(&volume, make.epoch, &target.writer, &err), &err);
        ok(layer_apply(tree, &target, 1, NULL, &err), &err);
        ok(type->write_close(target.writer, &err), &err);
        ok(type->check(&volume, false, &err), &err);
        return part_alone();
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

/* A kernel's own view of the file system: see tests/kernel-list. */
static void seen_by_kernel(const char *part, const char *fs)
{
        CLEANUP_FREE char *out = judge((const char *const[]){KERNEL_LIST, part, fs, NULL});

        expect(out, "./sub/first f 4755 0:0 2 8 2020-09-13T12:26:40.0000000000 \n");
        expect(out, "./second f 4755 0:0 2 8 ");
        expect(out, "./symbolic l 777 0:0 1 9 2020-09-13T12:26:40.0000000000 sub/first\n");
        expect(out, "./sub/deeper d 755 0:0 2020-09-13");
        expect(out, "./a name f 600 0:0 1 0 ");
        expect(out, "./old f 644 0:0 1 4 2001-09-09T01:46:40.0000000000 \n");
        expect(out, "user.colour=0x626c7565\n");
}

static void need_kernel(const char *mkfs)
{
        need(mkfs);
        need("linux.uml");
}

static void test_btrfs(void **state)
{
        CLEANUP_FREE char *part = NULL, *out = NULL;

        (void)state;
        need_kernel("mkfs.btrfs");
        part = populate("btrfs", 160 * MIB);
        probed(part, "btrfs");
        out = judge((const char *const[]){"btrfs", "inspect-internal", "dump-tree", "-t", "5", part, NULL});
        expect(out, "mode 104755 links 2");
        expect(out, "name: user.colour");
        seen_by_kernel(part, "btrfs");
}

static void test_f2fs(void **state)
{
        CLEANUP_FREE char *part = NULL;

        (void)state;
        need_kernel("mkfs.f2fs");
        part = populate("f2fs", 64 * MIB);
        probed(part, "f2fs");
        /* The host's kernel is not in it. */
        free(judge((const char *const[]){"sh", "-c", "! grep -qa 'Linux version' \"$1\"", "sh", part, NULL}));
        seen_by_kernel(part, "f2fs");
}

static void test_xfs(void **state)
{
        CLEANUP_FREE char *part = NULL, *out = NULL;

        (void)state;
        need_kernel("mkfs.xfs");
        part = populate("xfs", 320 * MIB);
        probed(part, "xfs");
        out = judge((const char *const[]){"xfs_db", "-r", "-c", "path /sub/first", "-c", "print", part, NULL});
        expect(out, "core.mode = 0104755");
        expect(out, "core.size = 8");
        seen_by_kernel(part, "xfs");
}

/* With a seed and an epoch, whatever the clock says. */
static void test_same(void **state)
{
        static const struct {
                const char *fs, *mkfs;
                uint64_t size;
        } rows[] = {
                {"btrfs", "mkfs.btrfs", 160 * MIB}, {"f2fs", "mkfs.f2fs", 64 * MIB}, {"xfs", "mkfs.xfs", 320 * MIB}};
        CLEANUP_FREE char *first = path_join(dir, "first.img");

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                CLEANUP_FREE char *part = NULL, *again = NULL;
                time_t before = time(NULL);

                need_kernel(rows[i].mkfs);
                part = populate(rows[i].fs, rows[i].size);
                assert_int_equal(rename(part, first), 0);
                while (time(NULL) == before)
                        usleep(10000);
                again = populate(rows[i].fs, rows[i].size);
                free(judge((const char *const[]){"cmp", first, again, NULL}));
        }
}

static void change(const struct fs_type *type, void *writer, struct fs_change change)
{
        CLEANUP_ERROR struct error err = {0};

        ok(type->write_change(writer, &change, &err), &err);
}

/* Changes on top of changes, as the layers of a build are. */
static void test_changes(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *part = NULL, *out = NULL;
        const struct fs_type *type = fs_type_find("xfs");
        struct stat null = {.st_mode = S_IFCHR | 0666, .st_rdev = makedev(1, 3)};
        void *writer;

        (void)state;
        need_kernel("mkfs.xfs");
        free(populate("xfs", 320 * MIB));
        ok(type->write_open(&volume, -1, &writer, &err), &err);
        change(type, writer, (struct fs_change){.kind = FS_REMOVE, .path = "second", .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_REMOVE, .path = "nothing", .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_CLEAR, .path = "sub/deeper", .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_NODE, .path = "sub/null", .st = null, .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_SYMLINK, .path = "symbolic", .target = "else", .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_DIR, .path = "old", .st.st_mode = S_IFDIR | 0711, .fd = -1});
        change(type, writer, (struct fs_change){.kind = FS_DIR, .path = "a name", .keep = true, .fd = -1});
        ok(type->write_close(writer, &err), &err);
        part = part_alone();
        out = judge((const char *const[]){KERNEL_LIST, part, "xfs", NULL});
        expect(out, "./sub/first f 4755 0:0 1 8 2020-09-13");
        expect(out, "./sub/null c 666 0:0 1 1:3\n");
        expect(out, "./symbolic l 777 0:0 1 4 1970-01-01T00:00:00.0000000000 else\n");
        expect(out, "./old d 711 0:0 1970-01-01");
        expect(out, "./a name f 600 ");
        expect(out, "./sub d 755 0:0 2020-09-13"); /* as it was, though things came into it */
        assert_null(strstr(out, "./second"));
        assert_null(strstr(out, "./sub/deeper/empty"));
}

/* What the kernel meets comes back as an error that names the path; the volume stays as it was. */
static void test_no_room(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = -1;
        const struct fs_type *type = fs_type_find("f2fs");
        struct stat st = {.st_mode = S_IFREG | 0644, .st_size = 80 * MIB};
        CLEANUP_FREE char *part = NULL, *block = xmalloc(MIB);
        void *writer;

        (void)state;
        need_kernel("mkfs.f2fs");
        free(populate("f2fs", 64 * MIB));
        ok(file_nameless(dir, 0600, &fd, &err), &err);
        memset(block, 'x', MIB);
        for (off_t at = 0; at < st.st_size; at += (off_t)MIB)
                assert_int_equal(fd_pwrite_all(fd, block, MIB, at), 0);
        ok(type->write_open(&volume, -1, &writer, &err), &err);
        change(type, writer, (struct fs_change){.kind = FS_FILE, .path = "big", .st = st, .fd = fd});
        assert_int_equal(type->write_close(writer, &err), -ENOSPC);
        if (!strstr(error_message(&err), "partition 1 (root): '/big': write the file: No space left on device ("))
                fail_msg("%s", error_message(&err));
        ok(type->check(&volume, false, NULL), &err);
        part = part_alone();
        seen_by_kernel(part, "f2fs");
}

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif
static const volatile bool sanitized = SANITIZED; /* volatile: the tests are no dead code to a compiler */

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_btrfs), cmocka_unit_test(test_f2fs),    cmocka_unit_test(test_xfs),
                cmocka_unit_test(test_same),  cmocka_unit_test(test_changes), cmocka_unit_test(test_no_room),
        };

        if (argc > 1 && strcmp(argv[1], KERNEL_INIT) == 0)
                kernel_init(argc - 1, argv + 1);
        if (sanitized) {
                puts("a program with AddressSanitizer cannot be pid 1 of User-Mode Linux");
                return 77;
        }
        if (!become_root()) {
                puts("this host has no user namespaces");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
