/* A log of changes is written, and made in a folder, by a process for which that folder is all there is. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "become_root.h"
#include "disk/change_log.h"

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

static void log_change(FILE *log, struct fs_change change)
{
        CLEANUP_ERROR struct error err = {0};

        if (change_log_write(log, &change, &err) < 0)
                fail_msg("%s", error_message(&err));
}

/* In a process of its own, with dir as its root; the error's text, or "". The caller frees. */
static char *replay(FILE *log)
{
        int pipes[2], status;
        char text[1024] = "";
        pid_t pid;

        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        fflush(log);
        rewind(log);
        pid = fork();
        if (pid == 0) {
                struct error err = {0};

                if (chroot(dir) < 0 || chdir("/") < 0)
                        _exit(1);
                if (change_log_replay(log, 2000000000, &err) < 0)
                        dprintf(pipes[1], "%s", error_message(&err));
                error_clear(&err);
                _exit(0);
        }
        close(pipes[1]);
        assert_true(read(pipes[0], text, sizeof(text) - 1) >= 0);
        close(pipes[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        return xstrdup(text);
}

static struct stat look(const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name);
        struct stat st;

        if (lstat(path, &st) < 0)
                fail_msg("%s is missing", name);
        return st;
}

static const struct stat folder = {.st_mode = S_IFDIR | 0750, .st_mtim = {1500000000, 5}};

static void test_all_kinds(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FCLOSE FILE *log = tmpfile();
        CLEANUP_CLOSE int data = -1;
        CLEANUP_FREE char *said = NULL, *file = path_join(dir, "d/file");
        struct fs_xattr blue = {"user.colour", "blue", 4};
        struct stat st = {.st_mode = S_IFREG | 04755, .st_size = 1 << 20, .st_mtim = {2100000000, 0}};
        char colour[8], content[4];

        (void)state;
        assert_int_equal(file_nameless(dir, 0600, &data, &err), 0);
        assert_int_equal(ftruncate(data, st.st_size), 0);
        assert_int_equal(fd_pwrite_all(data, "end!", 4, st.st_size - 4), 0);
        log_change(log, (struct fs_change){.kind = FS_DIR, .path = "", .st = folder, .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_DIR, .path = "d", .st = folder, .fd = -1});
        log_change(log,
                   (struct fs_change){
                           .kind = FS_FILE, .path = "d/file", .st = st, .fd = data, .xattrs = &blue, .n_xattrs = 1});
        log_change(log, (struct fs_change){.kind = FS_LINK, .path = "d/again", .target = "d/file", .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_SYMLINK, .path = "d/to", .target = "file", .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_NODE, .path = "d/pipe", .st.st_mode = S_IFIFO | 0640, .fd = -1});
        assert_int_equal(change_log_end(log, &err), 0);
        said = replay(log);
        assert_string_equal(said, "");
        assert_int_equal(look("d").st_mtim.tv_sec, 1500000000);
        assert_int_equal(look("d").st_mode, S_IFDIR | 0750);
        assert_int_equal(look("d/file").st_mode, S_IFREG | 04755);
        assert_int_equal(look("d/file").st_nlink, 2);
        assert_int_equal(look("d/file").st_size, 1 << 20);
        assert_in_range(look("d/file").st_blocks, 1, 512);
        assert_int_equal(look("d/file").st_mtim.tv_sec, 2000000000);
        assert_int_equal(look("d/pipe").st_mode, S_IFIFO | 0640);
        assert_int_equal(look("d/to").st_size, 4);
        assert_int_equal(getxattr(file, "user.colour", colour, sizeof(colour)), 4);
        close(data);
        data = open(file, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_pread_all(data, content, 4, st.st_size - 4), 0);
        assert_memory_equal(content, "end!", 4);
}

/* Zeros are holes, whether they were written or not; a swap file has none. */
static void test_zeros(void **state)
{
        enum { SIZE = 300000, ALL = (SIZE + 4095) / 4096 * 4096 };
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FCLOSE FILE *log = tmpfile();
        CLEANUP_CLOSE int zeros = -1, swap = -1, copy = -1;
        CLEANUP_FREE char *said = NULL, *path = path_join(dir, "zeros");
        CLEANUP_FREE char *content = xcalloc(1, SIZE), *back = xcalloc(1, SIZE);
        struct stat st = {.st_mode = S_IFREG | 0644, .st_size = SIZE};

        (void)state;
        assert_int_equal(file_nameless(dir, 0600, &zeros, &err), 0);
        assert_int_equal(file_nameless(dir, 0600, &swap, &err), 0);
        content[70000] = content[SIZE - 1] = 'x';
        assert_int_equal(fd_pwrite_all(zeros, content, SIZE, 0), 0);
        assert_int_equal(ftruncate(swap, SIZE), 0);
        assert_int_equal(fd_pwrite_all(swap, "SWAPSPACE2", 10, 4086), 0);
        log_change(log, (struct fs_change){.kind = FS_FILE, .path = "zeros", .st = st, .fd = zeros});
        log_change(log, (struct fs_change){.kind = FS_FILE, .path = "swap", .st = st, .fd = swap});
        assert_int_equal(change_log_end(log, &err), 0);
        said = replay(log);
        assert_string_equal(said, "");
        assert_in_range(look("zeros").st_blocks, 1, 64);
        assert_in_range(look("swap").st_blocks, ALL / 512, ALL / 512 + 64);
        copy = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_pread_all(copy, back, SIZE, 0), 0);
        assert_memory_equal(back, content, SIZE);
}

/* What is there gives way; a folder keeps what is in it, and loses attributes that it no longer has. */
static void test_in_place_of(void **state)
{
        CLEANUP_FCLOSE FILE *log = tmpfile();
        CLEANUP_FREE char *said = NULL, *d = path_join(dir, "d");

        (void)state;
        assert_int_equal(setxattr(d, "user.colour", "red", 3, 0), 0);
        log_change(log, (struct fs_change){.kind = FS_DIR, .path = "d", .st = folder, .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_DIR, .path = "d/file", .st = folder, .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_DIR, .path = "d/again", .keep = true, .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_REMOVE, .path = "d/pipe", .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_REMOVE, .path = "d/never", .fd = -1});
        assert_int_equal(change_log_end(log, NULL), 0);
        said = replay(log);
        assert_string_equal(said, "");
        assert_int_equal(look("d/file").st_mode, S_IFDIR | 0750);
        assert_int_equal(look("d/again").st_mode, S_IFREG | 04755);
        assert_int_equal(look("d/to").st_size, 4);
        assert_int_equal(getxattr(d, "user.colour", NULL, 0), -1);
}

static void test_clear(void **state)
{
        CLEANUP_FCLOSE FILE *log = tmpfile();
        CLEANUP_FREE char *said = NULL, *again = path_join(dir, "d/again");

        (void)state;
        log_change(log, (struct fs_change){.kind = FS_CLEAR, .path = "d", .fd = -1});
        log_change(log, (struct fs_change){.kind = FS_CLEAR, .path = "never", .fd = -1});
        assert_int_equal(change_log_end(log, NULL), 0);
        said = replay(log);
        assert_string_equal(said, "");
        assert_int_equal(look("d").st_mode, S_IFDIR | 0750);
        assert_false(path_exists(again));
}

static void test_errors(void **state)
{
        CLEANUP_FCLOSE FILE *log = tmpfile(), *cut = tmpfile(), *noise = tmpfile();
        CLEANUP_FREE char *said = NULL, *early = NULL, *damaged = NULL;

        (void)state;
        log_change(log, (struct fs_change){.kind = FS_SYMLINK, .path = "no/folder", .target = "x", .fd = -1});
        assert_int_equal(change_log_end(log, NULL), 0);
        said = replay(log);
        assert_string_equal(said, "'/no/folder': create the symlink: No such file or directory");
        log_change(cut, (struct fs_change){.kind = FS_DIR, .path = "d", .st = folder, .fd = -1});
        early = replay(cut);
        assert_string_equal(early, "the log of changes ends too early");
        fprintf(noise, "%0200d", 7);
        damaged = replay(noise);
        assert_string_equal(damaged, "the log of changes is damaged");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_kinds), cmocka_unit_test(test_zeros),  cmocka_unit_test(test_in_place_of),
                cmocka_unit_test(test_clear),     cmocka_unit_test(test_errors),
        };

        if (!become_root()) {
                puts("this host has no user namespaces");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
