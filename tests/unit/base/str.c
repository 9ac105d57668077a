#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static void test_distance(void **state)
{
        (void)state;
        assert_int_equal(str_distance("", "abc"), 3);
        assert_int_equal(str_distance("kitten", "sitting"), 3);
        assert_int_equal(str_distance("iamge", "image"), 1);
}

static void test_nearest(void **state)
{
        static const char *const words[] = {"image_path", "image_size", "image_type", NULL};

        (void)state;
        assert_string_equal(str_nearest("image_sizes", words), "image_size");
        assert_null(str_nearest("qemu", words));
}

static void test_printable(void **state)
{
        static const struct {
                const char *s, *shown;
        } rows[] = {
                {"", ""},
                {"vmlinuz", "vmlinuz"},
                {"a\n\t\x7f", "a\\x0a\\x09\\x7f"},
                {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2",
                 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2"},
                {"gr\xfc\xdf", "gr\\xfc\\xdf"}, /* Latin-1 */
                {"\xc2\x9b"
                 "31m",
                 "\\xc2\\x9b31m"},                   /* a terminal's CSI */
                {"\xe2\x82", "\\xe2\\x82"},          /* cut off */
                {"\xc0\xaf", "\\xc0\\xaf"},          /* longer than need be */
                {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* half a pair of UTF-16 */
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_FREE char *shown = str_printable(rows[i].s);

                assert_string_equal(shown, rows[i].shown);
        }
}

static void test_replace_and_quote(void **state)
{
        CLEANUP_FREE char *replaced = str_replace("a$X b$X", "$X", "yy");
        CLEANUP_FREE char *quoted = str_shell_quote("it's");

        (void)state;
        assert_string_equal(replaced, "ayy byy");
        assert_string_equal(quoted, "'it'\"'\"'s'");
}

static void test_strv(void **state)
{
        CLEANUP_STRV char **list = str_split("a,,b", ",");
        CLEANUP_STRV char **env = NULL;
        CLEANUP_FREE char *joined = NULL;

        (void)state;
        assert_int_equal(strv_len(STRV(list)), 3);
        joined = strv_join(STRV(list), "-");
        assert_string_equal(joined, "a--b");
        strv_setenv(&env, "A", "1");
        strv_setenv(&env, "AB", "2");
        strv_setenv(&env, "A", "3");
        assert_int_equal(strv_len(STRV(env)), 2);
        assert_string_equal(env[0], "A=3");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_nearest),
                cmocka_unit_test(test_replace_and_quote),
                cmocka_unit_test(test_printable),
                cmocka_unit_test(test_strv),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
