/* {{ }}: expected results are those of Go's text/template and of Packer's functions. */
#include "test.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "lang/interp.h"

static const struct interp_pair user[] = {{"name", "board"}, {"list", "a,b,c"}, {"empty", ""}, {NULL, NULL}};
static const struct interp_pair fields[] = {{"Path", "/tmp/x.sh"}, {"Vars", "A='1'"}, {NULL, NULL}};
static const struct interp_pair build[] = {{"ID", "42"}, {"Host", "h"}, {NULL, NULL}};

static const struct interp plain = {
        .user = user,
        .build_name = "rpi",
        .build_type = "arm",
        .template_dir = "/t",
        .start = 1136214245, /* Mon Jan 2 22:04:05 2006 -0700, which is 15:04:05 UTC + 7 h */
        .fields = fields,
};

struct example {
        const char *text, *result;
};

static void check(const struct interp *interp, const struct example *examples, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *out = NULL;

                if (interp_render(interp, examples[i].text, &out, &err) < 0)
                        fail_msg("%s: %s", examples[i].text, error_message(&err));
                assert_string_equal(out, examples[i].result);
        }
}

static void check_errors(const struct interp *interp, const struct example *examples, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                CLEANUP_ERROR struct error err = {0};
                char *out = NULL;

                if (interp_render(interp, examples[i].text, &out, &err) == 0)
                        fail_msg("%s gave %s", examples[i].text, out);
                assert_null(out);
                assert_string_equal(error_message(&err), examples[i].result);
        }
}

#define CHECK(interp, examples)        check(interp, examples, sizeof(examples) / sizeof((examples)[0]))
#define CHECK_ERRORS(interp, examples) check_errors(interp, examples, sizeof(examples) / sizeof((examples)[0]))

static void test_packer(void **state)
{
        static const struct example examples[] = {
                {"", ""},
                {"plain } text { }}", "plain } text { }}"},
                {"{{user `name`}}", "board"},
                {"{{ user \"name\" }}-{{build_name}}/{{build_type}}", "board-rpi/arm"},
                {"{{template_dir}} {{packer_version}}", "/t 1.16.0"},
                {"{{timestamp}}", "1136214245"},
                {"{{isotime}}", "2006-01-02T15:04:05Z"},
                {"{{isotime \"2006-01-02\"}}", "2006-01-02"},
                {"{{isotime \"Mon Jan _2 3:04PM 06 002 .000\"}}", "Mon Jan  2 3:04PM 06 002 .000"},
                {"{{isotime \"January Monday Z07:00 -0700 MST 15h 1/2 4 5 pm __2 .999\"}}",
                 "January Monday Z +0000 UTC 15h 1/2 4 5 pm   2 "},
                {"{{isotime \"Januaryx Janx 2006_2006 Jan\"}}", "Januaryx Janx 2006_2006 Jan"},
                {"{{strftime \"%Y-%m-%d %H:%M:%S %Z %% %j\"}}", "2006-01-02 15:04:05 UTC % 002"},
                {"{{split (user `list`) \",\" 1}}", "b"},
                {"{{split \"a-b\" \"-\" 0}}", "a"},
                {"{{split \"\xc3\xa4\xc3\xb6x\" \"\" 1}}", "\xc3\xb6"},
                {"{{split \"\xc3\xa4\xc3\xb6x\" \"\" 2}}", "x"},
                {"{{replace \"a\" \"x\" 2 \"aaaa\"}}", "xxaa"},
                {"{{replace \"a\" \"x\" -1 \"aaaa\"}}", "xxxx"},
                {"{{replace_all \"-\" \"/\" \"a-b-c\"}}", "a/b/c"},
                {"{{replace_all \"\" \"-\" \"ab\"}}", "-a-b-"},
                {"{{user `name` | upper}}", "BOARD"},
                {"{{\"ABC\" | lower | printf \"%s-%s\" \"x\"}}", "x-abc"},
                {"chmod +x {{.Path}}; {{ .Vars }} {{.Path}}", "chmod +x /tmp/x.sh; A='1' /tmp/x.sh"},
                {"{{$.Path}}", "/tmp/x.sh"},
                {"{{build `ID`}} {{user `name`}}", "{{build `ID`}} board"},
                {"{{if build `ID`}}x{{else}}y{{end}}.", "{{if build `ID`}}x{{else}}y{{end}}."},
                {"{{if true}}[{{ build \"ID\" | upper }}]{{end}}", "[{{ build \"ID\" | upper }}]"},
        };

        (void)state;
        CHECK(&plain, examples);
}

static void test_go(void **state)
{
        static const struct example examples[] = {
                {"a {{- /* no */ -}} b", "ab"},
                {"a {{/* a comment */}} b", "a  b"},
                {"x \n {{- \" y \" -}} \n z", "x y z"},
                {"{{if user `name`}}yes{{else}}no{{end}}", "yes"},
                {"{{if user `empty`}}yes{{else}}no{{end}}", "no"},
                {"{{if eq (user `name`) \"a\" \"board\"}}1{{end}}", "1"},
                {"{{if eq 1 2}}a{{else if eq 1 1}}b{{else}}c{{end}}", "b"},
                {"{{if true}}{{if false}}a{{else}}b{{end}}c{{end}}d", "bcd"},
                {"{{if and true (not false)}}1{{end}}{{if or false nil}}2{{end}}", "1"},
                {"{{and true 0 \"x\"}} {{or 0 \"\" \"x\"}}", "0 x"},
                {"{{if or true (vault \"x\" \"y\")}}short{{end}}", "short"},
                {"{{if false}}{{vault \"a\" \"b\"}}{{end}}-", "-"},
                {"{{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt \"b\" \"a\"}} {{ge 1.5 2.5}}", "true true true true false"},
                {"{{len \"abc\"}} {{index \"abc\" 1}} {{slice \"abcdef\" 1 3}}", "3 98 bc"},
                {"{{print 1 2 \"x\" \"y\" 3 true}}", "1 2xy3 true"},
                {"{{println \"a\" 1}}", "a 1\n"},
                {"{{printf \"%05d|%-5s|%5s|%q|%v|%x|%X|%%|%t|%6.2f|%c\" 42 \"ab\" \"cd\" \"q\\\"\" 1.5 255 \"hi\" true "
                 "3.14159 'z'}}",
                 "00042|ab   |   cd|\"q\\\"\"|1.5|ff|6869|%|true|  3.14|z"},
                {"{{printf \"%d\" \"x\"}}{{printf \"%d\"}}{{printf \"a\" 1}}",
                 "%!d(string=x)%!d(MISSING)a%!(EXTRA int=1)"},
                {"{{1.0}} {{1e21}} {{0.1}} {{123456789.25}} {{1e-7}} {{0x1f}} {{-3}} {{'a'}}",
                 "1 1e+21 0.1 1.2345678925e+08 1e-07 31 -3 97"},
                {"{{`raw \\n`}} {{\"tab\\t\\x41\"}}", "raw \\n tab\tA"},
                {"{{$x := \"v\"}}{{$x}}{{if true}}{{$x = \"w\"}}{{$y := 1}}{{end}}{{$x}}", "vw"},
                {"{{urlquery \"a b&c/d\"}}", "a+b%26c%2Fd"},
                {"{{if not (eq \"a\" \"b\")}}{{(\"in\")}}{{end}}", "in"},
        };

        (void)state;
        CHECK(&plain, examples);
}

static void test_build_known(void **state)
{
        static const struct example examples[] = {{"{{build `ID`}}-{{build `Host`}}", "42-h"}};
        static const struct example errors[] = {
                {"{{build `Hots`}}",
                 "byte 1, '{{build `Hots`}}': the build's value 'Hots' is not defined; did you mean 'Host'?"},
        };
        struct interp later = plain;

        (void)state;
        later.build = build;
        CHECK(&later, examples);
        CHECK_ERRORS(&later, errors);
}

static void test_env(void **state)
{
        static const struct example examples[] = {{"{{env `SLIPWAY_TEST`}}{{env `SLIPWAY_NONE`}}", "value"}};
        static const struct example errors[] = {
                {"a {{env `X`}}", "byte 3, '{{env `X`}}': {{env}} works in the default of a variable only; put \"X\": "
                                  "\"{{env `X`}}\" into "
                                  "\"variables\" and use {{user `X`}} here"},
        };
        struct interp with_env = plain;

        (void)state;
        with_env.env_allowed = true;
        setenv("SLIPWAY_TEST", "value", 1);
        unsetenv("SLIPWAY_NONE");
        CHECK(&with_env, examples);
        CHECK_ERRORS(&plain, errors);
}

static void test_errors(void **state)
{
        static const struct example errors[] = {
                {"{{usr `name`}}", "byte 1, '{{usr `name`}}': unknown function 'usr'; did you mean 'user'?"},
                {"{{user `nmae`}}",
                 "byte 1, '{{user `nmae`}}': the variable 'nmae' is not defined; did you mean 'name'?"},
                {"{{user}}", "byte 1, '{{user}}': user takes 1 argument, not 0"},
                {"{{user 1}}", "byte 1, '{{user 1}}': user: argument 1 must be a string, not int"},
                {"{{upper `a` `b`}}", "byte 1, '{{upper `a` `b`}}': upper takes 1 argument, not 2"},
                {"{{user `name`", "byte 1, '{{user `name`': the action is not closed: its }} is missing"},
                {"{{user `name}}", "byte 1, '{{user `name}}': a string is not closed: its ` is missing"},
                {"{{user name}}", "byte 1, '{{user name}}': unknown function 'name'"},
                {"{{user 'name'}}", "byte 1, '{{user 'name'}}': 'name': single quotes hold one character; a string is "
                                    "written \"name\" or `name`"},
                {"{{}}", "byte 1, '{{}}': a value is missing before '}'"},
                {"{{.Pth}}", "byte 1, '{{.Pth}}': there is no '.Pth' here; did you mean '.Path'?"},
                {"{{.Nothing}}", "byte 1, '{{.Nothing}}': there is no '.Nothing' here; there are .Path, .Vars"},
                {"{{if true}}x", "byte 1, '{{if true}}': {{end}} is missing"},
                {"x{{end}}", "byte 2, '{{end}}': there is no {{if}} that this belongs to"},
                {"{{if true}}{{nope}}{{end}}", "byte 12, '{{nope}}': unknown function 'nope'"},
                {"{{if false}}{{unknownthing}}{{end}}", "byte 13, '{{unknownthing}}': unknown function 'unknownthing'"},
                {"{{range .X}}{{end}}",
                 "byte 1, '{{range .X}}': {{range}} is not supported; there are if, else and end"},
                {"{{split \"a\" \",\" 3}}",
                 "byte 1, '{{split \"a\" \",\" 3}}': split: \"a\" has no part 3 between \",\" (the first one is 0)"},
                {"{{lt 1 \"a\"}}", "byte 1, '{{lt 1 \"a\"}}': lt: int and string cannot be compared"},
                {"{{$x}}", "byte 1, '{{$x}}': the variable '$x' is not defined"},
                {"{{nil}}", "byte 1, '{{nil}}': nil is not a text"},
                {"{{/* x }}", "byte 1, '{{/* x }}': the comment is not closed: its */ is missing"},
                {"{{(user `name`}}", "byte 1, '{{(user `name`}}': a ')' is missing"},
                {"{{\"a\" \"b\"}}", "byte 1, '{{\"a\" \"b\"}}': a value that is no function takes no arguments"},
                {"{{sed \"x\"}}",
                 "byte 1, '{{sed \"x\"}}': {{sed}} is gone from Packer; use {{replace}} or {{replace_all}}"},
        };

        (void)state;
        CHECK_ERRORS(&plain, errors);
}

static void test_secrets_refused(void **state)
{
        static const char *const texts[] = {"{{vault `a` `b`}}", "{{consul_key `a`}}",
                                            "{{aws_secretsmanager `a` `b`}}"};

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                CLEANUP_ERROR struct error err = {0};
                char *out = NULL;

                assert_true(interp_render(&plain, texts[i], &out, &err) < 0);
                assert_non_null(strstr(error_message(&err), "reads a secret from a cloud service"));
                assert_non_null(strstr(error_message(&err), "sensitive-variables"));
        }
}

static void test_uuid_and_pwd(void **state)
{
        CLEANUP_FREE char *a = NULL, *b = NULL, *pwd = NULL, *here = getcwd(NULL, 0);
        regex_t pattern;

        (void)state;
        assert_int_equal(regcomp(&pattern, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", REG_EXTENDED | REG_NOSUB), 0);
        assert_int_equal(interp_render(&plain, "{{uuid}}", &a, NULL), 0);
        assert_int_equal(interp_render(&plain, "{{uuid}}", &b, NULL), 0);
        assert_int_equal(interp_render(&plain, "{{pwd}}", &pwd, NULL), 0);
        assert_int_equal(regexec(&pattern, a, 0, NULL, 0), 0);
        assert_string_not_equal(a, b);
        assert_string_equal(pwd, here);
        regfree(&pattern);
}

/* Bounded in depth and size. */
static void test_limits(void **state)
{
        CLEANUP_STR struct str deep = {0}, ifs = {0};
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        (void)state;
        str_add(&deep, "{{");
        for (int i = 0; i < 100000; i++)
                str_addc(&deep, '(');
        for (int i = 0; i < 100000; i++)
                str_add(&ifs, "{{if 1}}");
        assert_true(interp_render(&plain, str_get(&deep), &out, &err) < 0);
        assert_true(interp_render(&plain, str_get(&ifs), &out, &err) < 0);
        assert_true(interp_render(&plain, "{{printf \"%99999999d\" 1}}", &out, &err) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packer),       cmocka_unit_test(test_go),
                cmocka_unit_test(test_build_known),  cmocka_unit_test(test_env),
                cmocka_unit_test(test_errors),       cmocka_unit_test(test_secrets_refused),
                cmocka_unit_test(test_uuid_and_pwd), cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
