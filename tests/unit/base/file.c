#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";

static int setup(void **state)
{
        (void)state;
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        return tree_remove(dir, NULL);
}

static void test_paths(void **state)
{
        CLEANUP_FREE char *joined = path_join("a", "b"), *absolute = path_join("a", "/b"), *parent = path_dir("/x/y/"),
                          *none = path_dir("y");

        (void)state;
        assert_string_equal(joined, "a/b");
        assert_string_equal(absolute, "/b");
        assert_string_equal(parent, "/x");
        assert_string_equal(none, ".");
        assert_string_equal(path_name("/x/y/"), "y/");
}

static void test_write_is_whole(void **state)
{
        CLEANUP_FREE char *path = path_join(dir, "file"), *text = NULL;
        size_t n;

        (void)state;
        assert_int_equal(file_write(path, "old", 3, 0644, NULL), 0);
        assert_int_equal(file_write(path, "newer", 5, 0600, NULL), 0);
        assert_int_equal(file_read(path, 0, &text, &n, NULL), 0);
        assert_string_equal(text, "newer");
        assert_int_equal(n, 5);
}

static void test_nameless_is_published_over(void **state)
{
        CLEANUP_FREE char *path = path_join(dir, "image"), *text = NULL;

        (void)state;
        for (int i = 0; i < 2; i++) {
                CLEANUP_CLOSE int fd = -1;

                assert_int_equal(file_nameless(dir, 0644, &fd, NULL), 0);
                assert_int_equal(fd_write_all(fd, i ? "two" : "one", 3), 0);
                assert_int_equal(file_publish(fd, path, NULL), 0);
        }
        assert_int_equal(file_read(path, 0, &text, NULL, NULL), 0);
        assert_string_equal(text, "two");
}

/* A name as long as names can be: what is beside it meanwhile has one too. */
static void test_longest_name(void **state)
{
        char name[256];
        CLEANUP_FREE char *path = NULL;

        (void)state;
        memset(name, 'n', 255);
        name[255] = '\0';
        path = path_join(dir, name);
        for (int i = 0; i < 2; i++) {
                CLEANUP_FREE char *text = NULL;
                CLEANUP_CLOSE int fd = -1;

                assert_int_equal(file_nameless(dir, 0644, &fd, NULL), 0);
                assert_int_equal(fd_write_all(fd, "published", 9), 0);
                assert_int_equal(file_publish(fd, path, NULL), 0);
                assert_int_equal(file_write(path, "written", 7, 0644, NULL), 0);
                assert_int_equal(file_read(path, 0, &text, NULL, NULL), 0);
                assert_string_equal(text, "written");
        }
}

/* /dev/stdout is no name for a file to take. */
static void test_device_stays_one(void **state)
{
        CLEANUP_FREE char *sink = path_join(dir, "sink");
        struct stat st;

        (void)state;
        assert_int_equal(symlink("/dev/full", sink), 0);
        assert_int_equal(file_write(sink, "x", 1, 0644, NULL), -ENOSPC);
        assert_int_equal(unlink(sink), 0);
        assert_int_equal(symlink("/dev/null", sink), 0);
        assert_int_equal(file_write(sink, "x", 1, 0644, NULL), 0);
        assert_int_equal(lstat(sink, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
}

/* What is there already has to be a folder, or lead to one. */
static void test_folder_or_file(void **state)
{
        CLEANUP_FREE char *file = path_join(dir, "a-file"), *folder = path_join(dir, "a-folder"),
                          *link = path_join(dir, "a-link");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(file_write(file, "x", 1, 0644, NULL), 0);
        assert_int_equal(dir_make(file, 0755, &err), -ENOTDIR);
        assert_non_null(strstr(error_message(&err), file));
        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(symlink(folder, link), 0);
        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(dir_make(link, 0755, NULL), 0);
}

/* As on FAT or NFS, for this process and for good. */
static bool forbid_tmpfile(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool done = filter &&
                    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(openat), 1,
                                     SCMP_A2(SCMP_CMP_MASKED_EQ, __O_TMPFILE, __O_TMPFILE)) == 0 &&
                    seccomp_load(filter) == 0;

        seccomp_release(filter);
        return done;
}

/* 0: none of what was dropped is left, and all that was published is there. */
static int without_tmpfile(const char *folder)
{
        CLEANUP_FREE char *path = path_join(folder, "published");
        CLEANUP_CLOSEDIR DIR *stream = NULL;
        int dropped = -1, published = -1, scratch = -1;
        size_t n = 0;

        if (!forbid_tmpfile() || mkdir(folder, 0755) < 0 || file_nameless(folder, 0644, &dropped, NULL) < 0 ||
            file_nameless(folder, 0644, &published, NULL) < 0 || file_scratch(folder, 0600, &scratch, NULL) < 0)
                return 1;
        if (file_publish(published, path, NULL) < 0)
                return 2;
        file_drop(&dropped);
        file_drop(&published);
        stream = opendir(folder);
        while (stream && readdir(stream))
                n++;
        return n == 3 && path_exists(path) && dropped == -1 && fd_write_all(scratch, "x", 1) == 0 ? 0 : 3;
}

static void test_nameless_is_dropped(void **state)
{
        CLEANUP_FREE char *folder = path_join(dir, "nameless");
        int status;
        pid_t pid;

        (void)state;
        pid = fork();
        if (pid == 0)
                _exit(without_tmpfile(folder));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void test_copy_keeps_holes(void **state)
{
        CLEANUP_FREE char *a = path_join(dir, "a"), *b = path_join(dir, "b");
        CLEANUP_CLOSE int from = open(a, O_RDWR | O_CREAT, 0600), to = open(b, O_RDWR | O_CREAT, 0600);
        char back[4];
        struct stat st;

        (void)state;
        assert_int_equal(ftruncate(from, 64 << 20), 0);
        assert_int_equal(fd_pwrite_all(from, "data", 4, 32 << 20), 0);
        assert_int_equal(ftruncate(to, 64 << 20), 0);
        assert_int_equal(fd_copy_sparse(from, to, 0, 64 << 20, NULL), 0);
        assert_int_equal(fd_pread_all(to, back, 4, 32 << 20), 0);
        assert_memory_equal(back, "data", 4);
        assert_int_equal(fstat(to, &st), 0);
        assert_true(st.st_blocks * 512 < 1 << 20);
}

static void test_remove_does_not_follow(void **state)
{
        CLEANUP_FREE char *tree = path_join(dir, "tree"), *sub = path_join(tree, "sub/deep"),
                          *link = path_join(tree, "link"), *kept = path_join(dir, "kept");

        (void)state;
        assert_int_equal(dir_make(sub, 0755, NULL), 0);
        assert_int_equal(file_write(kept, "x", 1, 0644, NULL), 0);
        assert_int_equal(symlink(dir, link), 0);
        assert_int_equal(tree_remove(tree, NULL), 0);
        assert_false(path_exists(tree));
        assert_true(path_exists(kept));
        assert_int_equal(tree_remove(tree, NULL), 0);
}

static void test_remove_deep(void **state)
{
        CLEANUP_FREE char *tree = path_join(dir, "deep");
        int fd;

        (void)state;
        assert_int_equal(mkdir(tree, 0755), 0);
        fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 3000; i++) {
                int next;

                assert_int_equal(mkdirat(fd, "d", 0755), 0);
                next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = next;
        }
        close(fd);
        assert_int_equal(tree_remove(tree, NULL), 0);
        assert_false(path_exists(tree));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_write_is_whole),
                cmocka_unit_test(test_nameless_is_published_over),
                cmocka_unit_test(test_longest_name),
                cmocka_unit_test(test_device_stays_one),
                cmocka_unit_test(test_folder_or_file),
                cmocka_unit_test(test_nameless_is_dropped),
                cmocka_unit_test(test_copy_keeps_holes),
                cmocka_unit_test(test_remove_does_not_follow),
                cmocka_unit_test(test_remove_deep),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
