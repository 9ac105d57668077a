/* Seals: every kind of change is found, and what is no change is not. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "build/seal.h"

static void put(const char *path, const char *text)
{
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static int set_up(void **state)
{
        char *dir = xstrdup("/tmp/slipway-seal.XXXXXX");

        assert_non_null(mkdtemp(dir));
        assert_int_equal(chdir(dir), 0);
        assert_int_equal(mkdir("thing", 0755), 0);
        assert_int_equal(mkdir("thing/diff", 0755), 0);
        put("thing/diff/file", "some bytes");
        put("thing/diff/other", "more bytes");
        assert_int_equal(link("thing/diff/other", "thing/diff/second"), 0);
        assert_int_equal(symlink("file", "thing/diff/link"), 0);
        assert_int_equal(seal_make("thing", NULL), 0);
        usleep(20000); /* the kernel's clock of files ticks every 1 to 10 ms */
        *state = dir;
        return 0;
}

static int tear_down(void **state)
{
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(tree_remove(*state, NULL), 0);
        free(*state);
        return 0;
}

static int check(bool read)
{
        CLEANUP_ERROR struct error err = {0};
        int r = seal_check("thing", read, &err);

        assert_true(r == 0 || strlen(error_message(&err)) > 0);
        return r;
}

static void assert_damaged(void)
{
        assert_false(seal_is_fresh("thing"));
        assert_int_equal(check(false), -EBADMSG);
        assert_int_equal(check(true), -EBADMSG);
}

static void test_sound(void **state)
{
        (void)state;
        assert_true(seal_is_fresh("thing"));
        assert_int_equal(check(false), 0);
        assert_int_equal(check(true), 0);
        assert_true(seal_made_sec("thing") > 0);
}

/* Its folder may go to another place. */
static void test_moved(void **state)
{
        (void)state;
        assert_int_equal(rename("thing", "elsewhere"), 0);
        assert_true(seal_is_fresh("elsewhere"));
        assert_int_equal(rename("elsewhere", "thing"), 0);
}

/* The ctime is another one, and nothing else: it is read, and the new state noted. */
static void test_touched(void **state)
{
        int64_t made = seal_made_sec("thing");

        (void)state;
        assert_int_equal(chmod("thing/diff/file", 0600), 0);
        assert_int_equal(chmod("thing/diff/file", 0644), 0);
        assert_false(seal_is_fresh("thing"));
        assert_int_equal(check(false), 0);
        assert_true(seal_is_fresh("thing"));
        assert_int_equal(seal_made_sec("thing"), made);
}

/* One byte, and the time of the file set back. */
static void test_byte(void **state)
{
        struct stat st;
        CLEANUP_CLOSE int fd = open("thing/diff/file", O_WRONLY | O_CLOEXEC);

        (void)state;
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(pwrite(fd, "X", 1, 3), 1);
        assert_int_equal(futimens(fd, (struct timespec[]){st.st_atim, st.st_mtim}), 0);
        assert_damaged();
}

static void test_mode(void **state)
{
        (void)state;
        assert_int_equal(chmod("thing/diff/file", 0755), 0);
        assert_damaged();
}

static void test_time(void **state)
{
        (void)state;
        assert_int_equal(utimensat(AT_FDCWD, "thing/diff", (struct timespec[]){{1, 0}, {1, 0}}, 0), 0);
        assert_damaged();
}

static void test_xattr(void **state)
{
        (void)state;
        if (setxattr("thing/diff/file", "user.test", "1", 1, 0) < 0)
                skip(); /* the file system has none */
        assert_damaged();
}

static void test_more_and_less(void **state)
{
        (void)state;
        put("thing/diff/new", "");
        assert_damaged();
        assert_int_equal(unlink("thing/diff/new"), 0);
        assert_int_equal(unlink("thing/diff/file"), 0);
        assert_damaged();
}

static void test_links(void **state)
{
        (void)state;
        assert_int_equal(unlink("thing/diff/link"), 0);
        assert_int_equal(symlink("elif", "thing/diff/link"), 0);
        assert_damaged();
}

/* A file with two names has become two files. */
static void test_split(void **state)
{
        (void)state;
        assert_int_equal(unlink("thing/diff/second"), 0);
        put("thing/diff/second", "more bytes");
        assert_damaged();
}

static void test_no_seal(void **state)
{
        (void)state;
        put("thing/seal", "{\"content\": 5}");
        assert_int_equal(check(false), -ENOENT);
        assert_int_equal(unlink("thing/seal"), 0);
        assert_int_equal(check(false), -ENOENT);
        assert_int_equal(seal_made_sec("thing"), -1);
        assert_false(seal_is_fresh("thing"));
}

/* A sparse file: it does not matter whether zeros are holes. */
static void test_file(void **state)
{
        enum { MIB = 1 << 20 };
        CLEANUP_FREE char *zeros = xcalloc(1, MIB);
        CLEANUP_CLOSE int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        (void)state;
        assert_int_equal(ftruncate(fd, 9 * MIB), 0);
        assert_int_equal(pwrite(fd, "data", 4, 5 * MIB + 17), 4);
        assert_int_equal(seal_make("image", NULL), 0);
        assert_int_equal(seal_check("image", true, NULL), 0);
        assert_int_equal(pwrite(fd, zeros, MIB, 2 * MIB), MIB);
        assert_int_equal(seal_check("image", false, NULL), 0);
        assert_int_equal(pwrite(fd, "data", 4, 5 * MIB + 18), 4);
        assert_int_equal(seal_check("image", false, NULL), -EBADMSG);
        assert_int_equal(seal_make("image", NULL), 0);
        assert_int_equal(ftruncate(fd, 10 * MIB), 0);
        assert_int_equal(seal_check("image", false, NULL), -EBADMSG);
        seal_remove("image");
        assert_int_equal(seal_check("image", false, NULL), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_sound), TEST(test_moved), TEST(test_touched), TEST(test_byte),
                TEST(test_mode),  TEST(test_time),  TEST(test_xattr),   TEST(test_more_and_less),
                TEST(test_links), TEST(test_split), TEST(test_no_seal), TEST(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
