/* Layers applied to ext4 and FAT together; debugfs, e2fsck and mtools judge. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/layer.h"

#define MIB (1024 * 1024ULL)

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *layer;
static struct fs_volume volumes[2];
static struct layer_target targets[2];

static void ok(int r, struct error *err)
{
        if (r < 0)
                fail_msg("%s", error_message(err));
}

static char *judge(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        ok(spawn_capture(argv, &out, &err), &err);
        return out;
}

static char *debugfs(const char *format, const char *path)
{
        CLEANUP_FREE char *request = xasprintf("%s %s", format, path);

        return judge((const char *const[]){"debugfs", "-R", request, volumes[0].path, NULL});
}

static char *in_layer(const char *name)
{
        return path_join(layer, name);
}

static void add_dir(const char *name)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = in_layer(name);

        ok(dir_make(path, 0755, &err), &err);
}

static void add_file(const char *name, const char *content)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = in_layer(name);

        ok(file_write(path, content, strlen(content), 0640, &err), &err);
}

static void add_link(const char *from, const char *to)
{
        CLEANUP_FREE char *a = in_layer(from), *b = in_layer(to);

        assert_int_equal(link(a, b), 0);
}

static void whiteout(const char *name)
{
        CLEANUP_FREE char *path = in_layer(name);

        assert_int_equal(mknod(path, S_IFCHR, makedev(0, 0)), 0);
}

static void mark(const char *name, const char *attribute, const char *value)
{
        CLEANUP_FREE char *path = in_layer(name);

        assert_int_equal(setxattr(path, attribute, value, strlen(value), 0), 0);
}

static void set_time(const char *name, time_t t)
{
        CLEANUP_FREE char *path = in_layer(name);
        struct timespec times[2] = {{.tv_sec = t}, {.tv_sec = t}};

        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void new_image(struct fs_volume *volume, const char *name, const char *type, uint64_t size, const char *label)
{
        CLEANUP_ERROR struct error err = {0};
        struct fs_make make = {.id_seed = "seed", .epoch = 1600000000};
        char *path = path_join(dir, name);
        CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        free((char *)volume->path);
        *volume = (struct fs_volume){path, 0, size, label};
        ok(fs_type_find(type)->make(volume, &make, &err), &err);
}

static int apply(struct error *err)
{
        int r = 0, close_result;

        for (size_t i = 0; i < 2; i++)
                ok(targets[i].type->write_open(&volumes[i], -1, &targets[i].writer, err), err);
        r = layer_apply(layer, targets, 2, NULL, err);
        for (size_t i = 0; i < 2; i++) {
                if (r < 0) {
                        targets[i].type->write_abort(targets[i].writer);
                        continue;
                }
                close_result = targets[i].type->write_close(targets[i].writer, err);
                r = close_result < 0 ? close_result : r;
        }
        for (size_t i = 0; r == 0 && i < 2; i++)
                r = targets[i].type->check(&volumes[i], false, err);
        return r;
}

static void apply_ok(void)
{
        CLEANUP_ERROR struct error err = {0};

        ok(apply(&err), &err);
}

static void empty_layer(void)
{
        CLEANUP_ERROR struct error err = {0};

        ok(tree_remove(layer, &err), &err);
        ok(dir_make(layer, 0755, &err), &err);
}

static int fresh(void **state)
{
        (void)state;
        empty_layer();
        new_image(&volumes[0], "root.img", "ext4", 32 * MIB, "partition 2 (root)");
        new_image(&volumes[1], "boot.img", "vfat", 8 * MIB, "partition 1 (boot)");
        targets[0] = (struct layer_target){"/", fs_type_find("ext4"), NULL};
        targets[1] = (struct layer_target){"/boot/firmware", fs_type_find("vfat"), NULL};
        return 0;
}

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        layer = path_join(dir, "layer");
        setenv("MTOOLSRC", "/dev/null", 1);
        setenv("DEBUGFS_PAGER", "cat", 1);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        free(layer);
        free((char *)volumes[0].path);
        free((char *)volumes[1].path);
        return tree_remove(dir, NULL);
}

static void expect(const char *format, const char *path, const char *words)
{
        CLEANUP_FREE char *out = debugfs(format, path);

        if (!strstr(out, words))
                fail_msg("'%s' is not in what debugfs says of %s:\n%s", words, path, out);
}

static void expect_gone(const char *path)
{
        CLEANUP_FREE char *out = debugfs("stat", path);

        assert_string_equal(out, "");
}

static char *on_fat(const char *path)
{
        CLEANUP_FREE char *full = xasprintf("::%s", path);

        return judge((const char *const[]){"mdir", "-b", "-i", volumes[1].path, full, NULL});
}

static void base_tree(void)
{
        add_dir("etc/old");
        add_dir("boot/firmware/overlays");
        add_file("etc/keep", "keep");
        add_file("etc/gone", "gone");
        add_file("etc/old/inside", "x");
        add_file("boot/firmware/config.txt", "a=1\n");
        add_file("boot/firmware/overlays/x.dtbo", "x");
        add_file("etc/twice", "two names");
        add_link("etc/twice", "etc/again");
        add_link("etc/twice", "boot/firmware/copy");
        set_time("etc", 1500000000);
        set_time(".", 1400000000);
        apply_ok();
}

static void test_tree(void **state)
{
        CLEANUP_FREE char *boot = NULL;

        (void)state;
        base_tree();
        expect("cat", "/etc/keep", "keep");
        expect("stat", "/etc/keep", "0640");
        expect("stat", "/etc/twice", "Links: 2");
        expect("stat", "/etc", "Fri Jul 14 02:40:00 2017");
        expect("stat", "/", "Tue May 13 16:53:20 2014");
        expect("stat", "/boot/firmware", "Type: directory");
        boot = on_fat("/");
        assert_non_null(strstr(boot, "::/config.txt"));
        assert_non_null(strstr(boot, "::/copy"));
}

static void test_whiteouts(void **state)
{
        CLEANUP_FREE char *boot = NULL;

        (void)state;
        base_tree();
        empty_layer();
        add_dir("etc/old");
        add_dir("boot/firmware");
        whiteout("etc/gone");
        mark("etc/old", "user.overlay.opaque", "y");
        add_file("etc/old/new", "new");
        mark("etc/old/new", "user.overlay.origin", "secret");
        mark("etc/old/new", "user.colour", "blue");
        whiteout("boot/firmware/overlays");
        set_time("etc", 1550000000);
        apply_ok();
        expect_gone("/etc/gone");
        expect_gone("/etc/old/inside");
        expect("cat", "/etc/old/new", "new");
        expect("ea_list", "/etc/old/new", "user.colour");
        boot = debugfs("ea_list", "/etc/old/new");
        assert_null(strstr(boot, "overlay"));
        expect("cat", "/etc/keep", "keep");
        expect("stat", "/etc", "Tue Feb 12 19:33:20 2019");
        free(boot);
        boot = on_fat("/");
        assert_null(strstr(boot, "overlays"));
        assert_non_null(strstr(boot, "config.txt"));
}

static void test_whiteout_over_mountpoint(void **state)
{
        (void)state;
        base_tree();
        empty_layer();
        whiteout("boot");
        apply_ok();
        expect("stat", "/boot/firmware", "Type: directory");
        empty_layer();
        base_tree();
        empty_layer();
        add_dir("boot");
        mark("boot", "user.overlay.opaque", "y");
        add_file("boot/vmlinuz", "kernel");
        apply_ok();
        expect("stat", "/boot/firmware", "Type: directory");
        expect("cat", "/boot/vmlinuz", "kernel");
}

static void test_replaced_mountpoint(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        add_file("boot", "no folder");
        assert_int_equal(apply(&err), -EINVAL);
        assert_non_null(strstr(error_message(&err), "'/boot' is, or holds, the folder where a partition is mounted"));
}

static void test_symlink_on_fat(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = in_layer("boot/firmware/link");

        (void)state;
        add_dir("boot/firmware");
        assert_int_equal(symlink("target", path), 0);
        assert_int_equal(apply(&err), -EPERM);
        assert_non_null(strstr(error_message(&err), "/boot/firmware/link"));
        assert_non_null(strstr(error_message(&err), "partition 1 (boot)"));
}

static void test_deep(void **state)
{
        int fd = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void)state;
        for (int i = 0; i < 3000; i++) {
                int next;

                assert_int_equal(mkdirat(fd, "d", 0755), 0);
                next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = next;
        }
        close(fd);
        apply_ok();
}

static void test_xwhiteouts(void **state)
{
        (void)state;
        base_tree();
        empty_layer();
        add_dir("etc");
        mark("etc", "user.overlay.opaque", "x");
        add_file("etc/gone", "");
        mark("etc/gone", "user.overlay.whiteout", "");
        add_file("etc/keep", "");
        apply_ok();
        expect_gone("/etc/gone");
        expect("stat", "/etc/keep", "Size: 0");
        expect("stat", "/etc/twice", "Links: 2");
}

static bool can_whiteout(void)
{
        const char *path = "/tmp/slipway-test-whiteout";
        bool can;

        unlink(path);
        can = mknod(path, S_IFCHR, makedev(0, 0)) == 0;
        unlink(path);
        return can;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_tree, fresh),
                cmocka_unit_test_setup(test_whiteouts, fresh),
                cmocka_unit_test_setup(test_whiteout_over_mountpoint, fresh),
                cmocka_unit_test_setup(test_replaced_mountpoint, fresh),
                cmocka_unit_test_setup(test_symlink_on_fat, fresh),
                cmocka_unit_test_setup(test_deep, fresh),
                cmocka_unit_test_setup(test_xwhiteouts, fresh),
        };

        setenv("TZ", "UTC", 1);
        if (!can_whiteout()) {
                puts("skipped: this kernel lets no ordinary user make whiteouts (Linux 5.8 does)");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
