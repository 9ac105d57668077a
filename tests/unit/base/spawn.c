#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/spawn.h"
#include "base/str.h"

static void collect(void *arg, bool is_stderr, const char *line)
{
        str_addf(arg, "%s%s;", is_stderr ? "E:" : "", line);
}

static int run(const char *script, unsigned int timeout_ms, struct str *out, int *status, struct error *err)
{
        const char *argv[] = {"sh", "-c", script, NULL};

        return spawn_run(&(struct spawn){.argv = argv, .timeout_ms = timeout_ms, .on_line = collect, .arg = out},
                         status, err);
}

static void test_output_and_status(void **state)
{
        CLEANUP_STR struct str out = {0};
        int status = -1;

        (void)state;
        assert_int_equal(run("echo one; printf two; exit 3", 0, &out, &status, NULL), 0);
        assert_int_equal(status, 3);
        assert_string_equal(str_get(&out), "one;two;");
        assert_int_equal(run("kill -TERM $$", 0, &out, &status, NULL), 0);
        assert_int_equal(status, 128 + 15);
}

static void test_timeout_kills_group(void **state)
{
        CLEANUP_STR struct str out = {0};
        CLEANUP_ERROR struct error err = {0};
        int status;

        (void)state;
        assert_int_equal(run("sleep 100 & sleep 100", 100, &out, &status, &err), -ETIMEDOUT);
}

/* A grandchild may keep the output open, and even go on writing. */
static void test_background_keeps_nobody(void **state)
{
        CLEANUP_STR struct str out = {0};
        int status = -1;

        (void)state;
        assert_int_equal(run("sleep 3 & printf part", 0, &out, &status, NULL), 0);
        assert_string_equal(str_get(&out), "part;");
        assert_int_equal(run("(timeout 3 yes & ) ; exit 2", 0, &out, &status, NULL), 0);
        assert_int_equal(status, 2);
}

static void test_carriage_returns(void **state)
{
        CLEANUP_STR struct str out = {0};
        int status;

        (void)state;
        assert_int_equal(run("printf '10%%\\r20%%\\rdone\\nplain\\r\\n\\r\\n'", 0, &out, &status, NULL), 0);
        assert_string_equal(str_get(&out), "done;plain;;");
}

static void test_missing_program(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        const char *argv[] = {"no-such-program-here", NULL};
        int status;

        (void)state;
        assert_int_equal(spawn_run(&(struct spawn){.argv = argv}, &status, &err), -ENOENT);
        assert_non_null(strstr(err.message, "not installed"));
}

static void test_check_says_why(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        const char *argv[] = {"sh", "-c", "echo the reason >&2; exit 4", NULL};

        (void)state;
        assert_int_equal(spawn_check(&(struct spawn){.argv = argv}, &err), -EIO);
        assert_non_null(strstr(err.message, "exit code 4"));
        assert_non_null(strstr(err.message, "the reason"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output_and_status),       cmocka_unit_test(test_timeout_kills_group),
                cmocka_unit_test(test_background_keeps_nobody), cmocka_unit_test(test_carriage_returns),
                cmocka_unit_test(test_missing_program),         cmocka_unit_test(test_check_says_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
