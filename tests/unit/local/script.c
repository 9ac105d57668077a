/* What scripts have in common: variables, formats, inline text, exit codes. */
#include "test.h"

#include <errno.h>

#include "base/str.h"
#include "local/format.h"
#include "local/script.h"

static char *format(const char *text, const char *want_error)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;
        int r = format_variable(text, "KEY", "value", &out, &err);

        if (want_error) {
                assert_int_equal(r, -EINVAL);
                if (!strstr(error_message(&err), want_error))
                        fail_msg("no '%s' in: %s", want_error, error_message(&err));
        } else if (r < 0) {
                fail_msg("%s", error_message(&err));
        }
        return out;
}

static void test_format(void **state)
{
        static const char *const cases[][2] = {
                {"%s='%s' ", "KEY='value' "},
                {"export %s='%s'\n", "export KEY='value'\n"},
                {"%[2]s is %[1]v's, 100%%", "value is KEY's, 100%"},
                {"%s=%[2]s %[1]s", "KEY=value KEY"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CLEANUP_FREE char *out = format(cases[i][0], NULL);

                assert_string_equal(out, cases[i][1]);
        }
        assert_null(format("%s=%d", "neither %s nor %v"));
        assert_null(format("%s=%s %s", "more than two"));
        assert_null(format("%s", "no place"));
        assert_null(format("%[3]s%s", "can be chosen"));
        assert_null(format("%s=%", "neither"));
        assert_null(format("plain", "no place"));
}

static void test_flatten(void **state)
{
        char *vars[] = {(char *)"B=it's", (char *)"A=1", (char *)"PACKER_BUILD_NAME=mine", (char *)"A2=x=y", NULL};
        char *env[] = {(char *)"A=2", NULL};
        const struct script_vars all = {.environment_vars = vars, .env = env, .format = (char *)"%s='%s' "};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        assert_int_equal(script_flatten(&all, &(struct script_context){.builder_type = "arm"}, &out, NULL), 0);
        assert_string_equal(out, "A='2' A2='x=y' B='it'\"'\"'s' PACKER_BUILDER_TYPE='arm' PACKER_BUILD_NAME='mine' "
                                 "PACKER_HTTP_ADDR='' PACKER_HTTP_IP='' PACKER_HTTP_PORT='0' ");
}

static char *inline_text(char **lines, const struct interp *interp)
{
        const struct script_sources sources = {.inline_lines = lines};
        char *out = NULL;

        assert_int_equal(script_inline(&sources, "/bin/sh -e", interp, &out, NULL), 0);
        return out;
}

static void test_inline(void **state)
{
        char *two[] = {(char *)"cd /", (char *)"pwd", NULL}, *own[] = {(char *)"#!/bin/awk -f", NULL};
        char *later[] = {(char *)"echo {{ build `ID` }} {{upper `x`}}", NULL};
        char *braces[] = {(char *)"docker inspect -f '{{.Id}}'", NULL};
        const struct interp_pair none = {0}, build[] = {{"ID", "one"}, {0}};
        const struct interp interp = {.user = &none, .build = build};
        CLEANUP_FREE char *a = inline_text(two, NULL), *b = inline_text(own, NULL), *c = inline_text(later, &interp),
                          *d = inline_text(later, NULL), *e = inline_text(braces, &interp), *none_at_all = NULL;

        (void)state;
        assert_string_equal(a, "#!/bin/sh -e\ncd /\npwd\n");
        assert_string_equal(b, "#!/bin/awk -f\n");
        assert_string_equal(c, "#!/bin/sh -e\necho one X\n");
        assert_string_equal(d, "#!/bin/sh -e\necho {{ build `ID` }} {{upper `x`}}\n");
        assert_string_equal(e, "#!/bin/sh -e\ndocker inspect -f '{{.Id}}'\n");
        none_at_all = inline_text(NULL, NULL);
        assert_null(none_at_all);
}

static void test_status(void **state)
{
        int64_t some[] = {0, 3};
        const struct schema_ints none = {0}, codes = {.v = some, .n = 2};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_TAIL struct tail tail = {0};

        (void)state;
        assert_true(script_status_good(&none, 0));
        assert_false(script_status_good(&none, 3));
        assert_true(script_status_good(&codes, 3));
        assert_false(script_status_good(&codes, 1));
        tail_add(&tail, "the last words");
        assert_int_equal(script_status_error("shell script 'x.sh'", 4, &codes, &tail, &err), -EIO);
        assert_string_equal(error_message(&err), "shell script 'x.sh': ended with exit code 4; expected 0, 3. Its last "
                                                 "lines:\n    the last words");
        tail_clear(&tail);
        assert_int_equal(script_status_error("it", 137, &none, &tail, &err), -EIO);
        assert_string_equal(error_message(&err), "it: ended with exit code 137 (signal 9: Killed); expected 0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_flatten),
                cmocka_unit_test(test_inline),
                cmocka_unit_test(test_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
