/* Texts out of what servers answer. */
#include "helper.h"

#include "release/release_internal.h"

static const char json[] =
        "[{\"version\": \"go1.2\", \"files\": [{\"name\": \"a=b\", \"sha\": \"11\"}, {\"name\": \"c\", "
        "\"sha\": \"22\"}]}, {\"version\": \"go1.1\", \"files\": []}, 7]";

static void assert_picked(const char *text, const char *path, const char *pattern, const char *expected)
{
        CLEANUP_STRV char **steps = path ? str_split(path, "/") : NULL, **found = NULL;
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *joined = NULL;

        if (release_pick(text, STRV(steps), pattern, &found, &err) < 0)
                fail_msg("%s", error_message(&err));
        joined = found ? strv_join(STRV(found), " ") : xstrdup("");
        assert_string_equal(joined, expected);
}

static void test_paths(void **state)
{
        (void)state;
        assert_picked(json, "*/version", NULL, "go1.2 go1.1");
        assert_picked(json, "*/version", "^go(.*)$", "1.2 1.1");
        assert_picked(json, "*/version", "^go1[.]2$", "go1.2");
        assert_picked(json, "*/files/*/name=c/sha", NULL, "22");
        assert_picked(json, "*/files/*/name=a=b/sha", NULL, "11");
        assert_picked(json, "*/files/*/name=none/sha", NULL, "");
        assert_picked("{\"x\": {\"1.0\": {}, \"2.0\": {}}}", "x/@", NULL, "1.0 2.0");
        assert_picked("{\"a\": {\"v\": \"1\"}, \"b\": {\"v\": \"2\"}}", "*/v", NULL, "1 2");
        assert_picked("{\"a\": 1}", "a/b/c", NULL, "");
        assert_picked("\"x\"", "@", NULL, "");
}

static void test_patterns(void **state)
{
        (void)state;
        assert_picked("x v1.0 y\nz v2.0\n", NULL, "v([0-9.]+)", "1.0 2.0");
        assert_picked("aaa", NULL, "x*", "   "); /* nothing, four times, is no endless loop */
        assert_picked("text", NULL, NULL, "text");
        assert_picked("b1", NULL, "(a)?b1", "b1");
}

static void test_errors(void **state)
{
        static const char *const deep[] = {"*", "*", "*", "*", "*", "*", "*", "*", "*",
                                           "*", "*", "*", "*", "*", "*", "*", "*", NULL};
        static const char *const any[] = {"*", NULL};
        CLEANUP_STRV char **found = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(release_pick("<html>", any, NULL, &found, &err), -EBADMSG);
        assert_contains(error_message(&err), "not JSON: line 1");
        assert_int_equal(release_pick("x", NULL, "(", &found, &err), -EINVAL);
        assert_contains(error_message(&err), "pattern '('");
        assert_int_equal(release_pick("[]", deep, NULL, &found, &err), -EINVAL);
        assert_null(found);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
