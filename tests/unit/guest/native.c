/* Native acceleration: recognising packages, qemu with a door before it, and the search for what got into a
 * layer. That accelerated builds come out the same is in tests/cli/accelerate.bats. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>

#include "base/spawn.h"
#include "guest/door/door.h"
#include "guest/native.h"
#include "guest/native_match.h"
#include "guest/packages.h"
#include "guesttest.h"

static void put(const char *dir, const char *path, const char *text)
{
        CLEANUP_FREE char *at = path_join(dir, path), *folder = path_dir(at);

        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(at, text, strlen(text), 0755, NULL), 0);
}

static void upstream_is(const struct packages *packages, const char *name, const char *want)
{
        CLEANUP_FREE char *version = packages_upstream(packages, name);

        if (!want)
                assert_null(version);
        else
                assert_string_equal(version, want);
}

static void test_versions(void **state)
{
        static const char status[] =
                "Package: dash\nStatus: install ok installed\nVersion: 0.5.12-2\n\n"
                "Package: gone\nStatus: deinstall ok config-files\nVersion: 1-1\n\n"
                "Package: half\nStatus: install ok half-installed\nVersion: 1-1\n\n"
                "Package: dpkg\nVersion: 1.21.22\nStatus: hold ok installed\n\n"
                "Package: twice\nStatus: deinstall ok config-files\nVersion: 1-1\n\n"
                "Package: twice\nStatus: install ok installed\nVersion: 2-1\n\n"
                "Package: words\nDescription: as in\n Package: hidden\nStatus: install ok installed\n"
                "Version: 1-1\n\n"
                "Package: diffutils\nStatus: install ok installed\nVersion: 1:3.8-rc1-4+b1";
        char *dir = scratch_new();
        CLEANUP(packages_close) struct packages packages = {0};
        CLEANUP_CLOSE int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

        (void)state;
        assert_int_equal(packages_open(&packages, root), -ENOENT);
        put(dir, "var/lib/dpkg/status", status);
        assert_int_equal(packages_open(&packages, root), 0);
        upstream_is(&packages, "dash", "0.5.12");
        upstream_is(&packages, "dpkg", "1.21.22");
        upstream_is(&packages, "twice", "2");
        upstream_is(&packages, "diffutils", "1:3.8-rc1");
        upstream_is(&packages, "gone", NULL);
        upstream_is(&packages, "half", NULL);
        upstream_is(&packages, "hidden", NULL);
        upstream_is(&packages, "das", NULL);
        scratch_free(NULL, dir);
}

static bool owns(const struct packages *packages, const char *sums, const char *path)
{
        CLEANUP_CLOSE int fd = -1;

        return packages_owns(packages, sums, path, &fd);
}

/* Only what the package installed, and what nobody changed, is the package's. */
static void test_owners(void **state)
{
        static const char md5[] = "b1946ac92492d2347c6235b4d2611184  bin/hello\n" /* "hello\n" */
                                  "b1946ac92492d2347c6235b4d2611184  bin/link\n"
                                  "591785b794601e212b260e25925636fd  bin/changed\n";
        char *dir = scratch_new();
        CLEANUP_FREE char *link = path_join(dir, "usr/bin/link"), *bin = path_join(dir, "bin");
        CLEANUP_CLOSE int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP(packages_close) struct packages packages = {.root = root};
        const char *sums;

        (void)state;
        put(dir, "var/lib/dpkg/info/hello.md5sums", md5);
        put(dir, "usr/bin/hello", "hello\n");
        put(dir, "usr/bin/changed", "hello\n");
        assert_int_equal(symlink("hello", link), 0);
        assert_int_equal(symlink("usr/bin", bin), 0);
        sums = packages_sums(&packages, "hello");
        assert_non_null(sums);
        assert_null(packages_sums(&packages, "other"));
        assert_ptr_equal(packages_sums(&packages, "hello"), sums); /* read once */
        assert_true(owns(&packages, sums, "/bin/hello"));
        assert_false(owns(&packages, sums, "/bin/changed"));
        assert_false(owns(&packages, sums, "/bin/link"));
        assert_false(owns(&packages, sums, "/bin/missing"));
        assert_false(owns(&packages, sums, "/ello"));
        scratch_free(NULL, dir);
}

/* What was found to be a package's is not read again, until it is another file or was written to. */
static void test_seen(void **state)
{
        static const char md5[] = "b1946ac92492d2347c6235b4d2611184  hello\n"; /* "hello\n" */
        char *dir = scratch_new();
        CLEANUP_FREE char *file = path_join(dir, "hello");
        CLEANUP_CLOSE int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_STR struct str seen = {0};
        const struct packages guest = {.root = root, .seen = &seen, .name = "guest"};
        const struct packages host = {.root = root, .seen = &seen, .name = "host"};
        size_t once;

        (void)state;
        put(dir, "hello", "hello\n");
        assert_true(owns(&guest, md5, "/hello"));
        once = seen.len;
        assert_true(once > 0);
        assert_true(owns(&guest, md5, "/hello"));
        assert_int_equal(seen.len, once);
        assert_true(owns(&host, md5, "/hello"));
        assert_true(seen.len > once);
        assert_int_equal(file_write(file, "other\n", 6, 0644, NULL), 0);
        assert_false(owns(&guest, md5, "/hello"));
        str_clear(&seen);
        assert_int_equal(file_write(file, "hello\n", 6, 0644, NULL), 0);
        assert_true(owns(&guest, md5, "/hello"));
        once = seen.len;
        assert_int_equal(truncate(file, 3), 0);
        assert_false(owns(&guest, md5, "/hello"));
        assert_int_equal(seen.len, once);
        scratch_free(NULL, dir);
}

/* Each row can be written to the door's table, and no program is in two. */
static void test_table(void **state)
{
        CLEANUP_STRV char **names = NULL;

        (void)state;
        for (size_t i = 0; i < native_tools_n; i++) {
                CLEANUP_STRV char **paths = str_split(native_tools[i].programs, " ");
                const char *with = native_tools[i].emulated_with;

                assert_non_null(native_tools[i].why);
                assert_true(!with || strlen(with) < sizeof(((struct door_tool *)0)->emulated_with));
                for (size_t k = 0; paths[k]; k++) {
                        assert_true(paths[k][0] == '/' &&
                                    strlen("/proc/1/map_files/bin/") + strlen(paths[k]) <= DOOR_PATH_MAX);
                        assert_false(strv_has(STRV(names), paths[k]));
                        strv_add(&names, paths[k]);
                }
        }
        assert_false(strv_has(STRV(names), "/bin/uname"));
        assert_false(strv_has(STRV(names), "/bin/bash"));
}

static char *version_of(const char *qemu)
{
        const char *argv[] = {qemu, "--version", NULL};
        char *text = NULL;

        assert_int_equal(spawn_capture(argv, &text, NULL), 0);
        return text;
}

/* A door that opens to nothing but qemu: `jmp` to the code that was first before. In a layer such a qemu is found. */
static void test_segment(void **state)
{
        /* lea head(%rip),%rax; mov %rax,%rcx; sub 8(%rax),%rcx; add (%rax),%rcx; jmp *%rcx; padding */
        static const uint8_t code[32] = {0x48, 0x8d, 0x05, 0x19, 0,    0,    0,    0x48, 0x89, 0xc1,
                                         0x48, 0x2b, 0x48, 0x08, 0x48, 0x03, 0x08, 0xff, 0xe1};
        struct {
                uint8_t code[sizeof(code)];
                struct door_head head;
        } data = {0};
        char *dir = scratch_new();
        CLEANUP_FREE char *to = path_join(dir, "qemu"), *want = NULL, *got = NULL;
        CLEANUP_FREE char *qemu = arch_qemu(arch_by_name("aarch64"), NULL);

        (void)state;
        memcpy(data.code, code, sizeof(code));
        assert_int_equal(native_door_write(qemu, to, &data, sizeof(data), &data.head, NULL), 0);
        want = version_of(qemu);
        got = version_of(to);
        assert_string_equal(got, want);
        assert_int_equal(native_check(dir, NULL), -EUCLEAN);
        assert_int_equal(unlink(to), 0);
        assert_int_equal(native_door_write("/bin/sh", to, &data, sizeof(data), &data.head, NULL), -ENOTSUP);
        scratch_free(NULL, dir);
}

/* The copies run as their originals do, by a loader that does not know of /etc/ld.so.preload; one in a layer is found.
 */
static void test_copies(void **state)
{
        char *dir = scratch_new();
        CLEANUP_FREE char *folder = path_join(dir, "native"), *upper = path_join(dir, "upper"), *text = NULL;
        CLEANUP_FREE char *loader = path_join(folder, "ld.so"), *libraries = path_join(folder, "lib");
        CLEANUP_FREE char *program = path_join(folder, "bin/ls"), *taken = path_join(upper, "usr/bin/taken");
        CLEANUP(native_files_clear) struct native_files files = {0};
        CLEANUP_CLOSE int ls = open("/bin/ls", O_RDONLY | O_CLOEXEC), self = open(__FILE__, O_RDONLY | O_CLOEXEC);
        CLEANUP_ERROR struct error err = {0};
        const char *argv[] = {loader, "--inhibit-cache", "--library-path", libraries, program, dir, NULL};

        (void)state;
        assert_int_equal(native_files_begin(&files, folder, NULL), 0);
        assert_int_equal(native_files_end(&files, &err), -ENOTSUP);
        assert_int_equal(native_files_add(&files, ls, "ls", NATIVE_SAME, NULL), 0);
        if (self >= 0)
                assert_int_equal(native_files_add(&files, self, "text", NATIVE_SAME, NULL), -ENOTSUP);
        assert_int_equal(native_files_end(&files, NULL), 0);
        assert_int_equal(spawn_capture(argv, &text, NULL), 0);
        assert_string_equal(text, "native\n");
        put(upper, "usr/bin/own", "#!/bin/sh\n");
        assert_int_equal(native_check(upper, &err), 0);
        put(upper, "usr/bin/short",
            "\x7f"
            "ELF");
        assert_int_equal(native_check(upper, &err), 0);
        assert_int_equal(link(program, taken), 0);
        assert_int_equal(native_check(upper, &err), -EUCLEAN);
        assert_non_null(strstr(error_message(&err), "'/usr/bin/taken'"));
        scratch_free(NULL, dir);
}

int main(void)
{
        CLEANUP_FREE char *qemu = arch_qemu(arch_by_name("aarch64"), NULL);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_versions), cmocka_unit_test(test_owners),  cmocka_unit_test(test_seen),
                cmocka_unit_test(test_table),    cmocka_unit_test(test_segment), cmocka_unit_test(test_copies),
        };

        /* The last two need a host that accelerates. */
        if (native_obstacle(arch_by_name("aarch64")) || !qemu)
                return _cmocka_run_group_tests("without acceleration", tests, 4, NULL, NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
