/* template/glob.c: patterns of names. */
#include "template/glob.h"

#include <string.h>

#include "test.h"

static const struct {
        const char *pattern, *text;
        bool matches;
} cases[] = {
        {"arm.pi", "arm.pi", true},
        {"arm.pi", "arm.pine", false},
        {"arm.*", "arm.pi", true},
        {"*", "", true},
        {"*", "all.arm.pi", true},
        {"**.pi", "all.arm.pi", true},
        {"*.pi", "all.arm.pi", true},
        {"a*m*i", "arm.pi", true},
        {"a*m*x", "arm.pi", false},
        {"arm.p?", "arm.pi", true},
        {"arm.p?", "arm.p", false},
        {"?", "é", true},
        {"??", "é", false},
        {"arm.[pq]i", "arm.pi", true},
        {"arm.[!pq]i", "arm.pi", false},
        {"arm.[a-z]i", "arm.pi", true},
        {"arm.[!a-z]i", "arm.pi", false},
        {"arm.[!a-o]i", "arm.pi", true},
        {"arm.[0-9a-f]", "arm.c", true},
        {"[à-ï]", "é", true},
        {"[à-ï]", "z", false},
        {"[\\]]", "]", true},
        {"{arm,null}.pi", "arm.pi", true},
        {"{arm,null}.pi", "null.pi", true},
        {"{arm,null}.pi", "file.pi", false},
        {"{arm.*,null.x}", "arm.pi", true},
        {"{arm.*,null.x}", "null.y", false},
        {"{a,{b,c}*}d", "cxxd", true},
        {"{a,{b,c}*}d", "ad", true},
        {"{,all.}arm.pi", "arm.pi", true},
        {"{,all.}arm.pi", "all.arm.pi", true},
        {"a,b}", "a,b}", true},
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"\\{a\\}", "{a}", true},
        /* not sound: only themselves */
        {"{a,b", "a", false},
        {"{a,b", "{a,b", true},
        {"[ab", "a", false},
        {"[ab", "[ab", true},
        {"a\\", "a\\", true},
};

static void test_match(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
                        fail_msg("%s, %s: not %d", cases[i].pattern, cases[i].text, cases[i].matches);
}

static void test_valid(void **state)
{
        (void)state;
        assert_true(glob_is_valid("a{b,[c-d]{e,*}}?"));
        assert_true(glob_is_valid(""));
        assert_false(glob_is_valid("{a"));
        assert_false(glob_is_valid("[a"));
        assert_false(glob_is_valid("a\\"));
        assert_false(glob_is_valid("{{{{{{{{{{{{{{{{{{{{a}}}}}}}}}}}}}}}}}}}}"));
}

/* What takes other programs exponential time. */
static void test_time(void **state)
{
        char text[2001], pattern[2001];

        (void)state;
        memset(text, 'a', 2000);
        text[2000] = '\0';
        for (size_t i = 0; i < 2000; i += 2)
                memcpy(pattern + i, "*a", 2);
        memcpy(pattern + 1999, "b", 2);
        assert_false(glob_match(pattern, text));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_match), cmocka_unit_test(test_valid),
                                           cmocka_unit_test(test_time)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
