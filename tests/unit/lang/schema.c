/* Reading objects by tables: every type, weak conversions, messages. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "lang/schema.h"

struct inner {
        char *path;
        int64_t count;
};

struct outer {
        char *text, *choice, *late;
        bool flag;
        int tristate;
        int64_t number, wait_ms;
        uint64_t size;
        char **list, **map, **fallback_list;
        struct schema_ints ints;
        struct schema_string_lists lists;
        struct schema_blocks blocks;
        const struct value *raw;
};

static const char *const choices[] = {"dos", "gpt", NULL};

#define ROW(key, kind, strukt, member, ...)                                                                            \
        {                                                                                                              \
                .name = (key), .type = (kind), .offset = offsetof(struct strukt, member), __VA_ARGS__                  \
        }
static const struct schema_key inner_keys[] = {
        ROW("path", SCHEMA_STRING, inner, path, .flags = SCHEMA_REQUIRED, .help = "where it is"),
        ROW("count", SCHEMA_INT, inner, count, .fallback = "7"),
};
static const struct schema inner_schema = {
        .name = "a block", .size = sizeof(struct inner), .keys = inner_keys, .n_keys = 2};

static const struct schema_key outer_keys[] = {
        ROW("text", SCHEMA_STRING, outer, text, .fallback = "from {{user `u`}}"),
        ROW("choice", SCHEMA_STRING, outer, choice, .choices = choices),
        ROW("late", SCHEMA_STRING, outer, late, .flags = SCHEMA_LATE),
        ROW("flag", SCHEMA_BOOL, outer, flag),
        ROW("tristate", SCHEMA_TRISTATE, outer, tristate),
        ROW("number", SCHEMA_INT, outer, number),
        ROW("wait", SCHEMA_DURATION, outer, wait_ms, .fallback = "5m"),
        ROW("size", SCHEMA_SIZE, outer, size),
        ROW("list", SCHEMA_STRINGS, outer, list),
        ROW("map", SCHEMA_STRING_MAP, outer, map),
        ROW("fallback_list", SCHEMA_STRINGS, outer, fallback_list, .fallback = "[\"/bin/sh\", \"-c\", \"a,b\"]"),
        ROW("ints", SCHEMA_INTS, outer, ints),
        ROW("lists", SCHEMA_STRING_LISTS, outer, lists),
        ROW("blocks", SCHEMA_BLOCKS, outer, blocks, .sub = &inner_schema),
        ROW("raw", SCHEMA_VALUE, outer, raw),
};
static const struct schema outer_schema = {.name = "the test",
                                           .size = sizeof(struct outer),
                                           .keys = outer_keys,
                                           .n_keys = sizeof(outer_keys) / sizeof(outer_keys[0])};

static const struct interp_pair user[] = {{"u", "user"}, {"n", "12"}, {"csv", "a,b"}, {NULL, NULL}};
static const struct interp interp = {.user = user};

struct fixture {
        struct source_text *source;
        struct value *value;
        struct diags diags;
        struct outer out;
        int r;
};

static struct fixture decode(const char *text)
{
        struct fixture f = {.source = source_text_new("t", text, strlen(text))};
        static const char *const ignore[] = {"ignored", NULL};

        f.value = json_read(f.source, &f.diags);
        assert_non_null(f.value);
        f.r = schema_decode(&outer_schema, f.value, ignore, &interp, &f.out, &f.diags);
        assert_int_equal(f.r<0, f.diags.n_errors> 0);
        return f;
}

static void done(struct fixture *f)
{
        schema_free(&outer_schema, &f->out);
        diags_clear(&f->diags);
        value_free(f->value);
        source_text_free(f->source);
}

static void test_all_types(void **state)
{
        struct fixture f =
                decode("{\"text\": \"{{user `u`}}\", \"choice\": \"GPT\", \"late\": \"{{.Path}}\", \"flag\": true,"
                       "\"tristate\": false, \"number\": 9223372036854775807, \"wait\": \"1m30s\", \"size\": \"2G\","
                       "\"list\": [\"a\", \"b,c\", 3, true], \"map\": {\"B\": 1, \"A\": \"x\", \"AB\": null},"
                       "\"ints\": [0, \"2\"], \"lists\": [[\"a\", \"b\"], []],"
                       "\"blocks\": [{\"path\": \"p\"}, {\"path\": \"q\", \"count\": \"3\"}],"
                       "\"raw\": {\"any\": 1}, \"_comment\": [], \"ignored\": 1}");
        const struct inner *inner = f.out.blocks.v;

        (void)state;
        assert_int_equal(f.r, 0);
        assert_string_equal(f.out.text, "user");
        assert_string_equal(f.out.choice, "gpt");
        assert_string_equal(f.out.late, "{{.Path}}");
        assert_true(f.out.flag);
        assert_int_equal(f.out.tristate, 0);
        assert_true(f.out.number == INT64_MAX);
        assert_int_equal(f.out.wait_ms, 90000);
        assert_int_equal(f.out.size, 2000000000);
        assert_int_equal(strv_len(STRV(f.out.list)), 4);
        assert_string_equal(f.out.list[1], "b,c");
        assert_string_equal(f.out.list[3], "1");
        assert_string_equal(f.out.map[0], "A=x");
        assert_string_equal(f.out.map[1], "AB=");
        assert_string_equal(f.out.map[2], "B=1");
        assert_int_equal(f.out.ints.n, 2);
        assert_int_equal(f.out.ints.v[1], 2);
        assert_int_equal(f.out.lists.n, 2);
        assert_string_equal(f.out.lists.v[0][1], "b");
        assert_int_equal(f.out.blocks.n, 2);
        assert_int_equal(inner[0].count, 7);
        assert_int_equal(inner[1].count, 3);
        assert_ptr_equal(f.out.raw, value_get(f.value, "raw"));
        done(&f);
}

static void test_defaults(void **state)
{
        struct fixture f = decode("{\"number\": null}");

        (void)state;
        assert_int_equal(f.r, 0);
        assert_string_equal(f.out.text, "from user");
        assert_null(f.out.choice);
        assert_int_equal(f.out.tristate, -1);
        assert_int_equal(f.out.wait_ms, 300000);
        assert_int_equal(strv_len(STRV(f.out.fallback_list)), 3);
        assert_string_equal(f.out.fallback_list[2], "a,b");
        assert_null(f.out.list);
        done(&f);
}

static void test_weak(void **state)
{
        struct fixture f =
                decode("{\"text\": 12, \"flag\": \"1\", \"tristate\": \"true\", \"number\": \"{{user `n`}}\", "
                       "\"size\": 4096, \"list\": \"{{user `csv`}}\", \"map\": [{\"A\": true}, {\"B\": 2.5}], "
                       "\"ints\": 3, \"lists\": [\"x\"], \"blocks\": {\"path\": 5, \"count\": 2e3}, \"wait\": \"0\"}");
        const struct inner *inner = f.out.blocks.v;

        (void)state;
        assert_int_equal(f.r, 0);
        assert_string_equal(f.out.text, "12");
        assert_true(f.out.flag);
        assert_int_equal(f.out.tristate, 1);
        assert_int_equal(f.out.number, 12);
        assert_int_equal(f.out.size, 4096);
        assert_int_equal(strv_len(STRV(f.out.list)), 2);
        assert_string_equal(f.out.list[1], "b");
        assert_string_equal(f.out.map[0], "A=1");
        assert_string_equal(f.out.map[1], "B=2.5");
        assert_int_equal(f.out.ints.v[0], 3);
        assert_string_equal(f.out.lists.v[0][0], "x");
        assert_string_equal(inner[0].path, "5");
        assert_int_equal(inner[0].count, 2000);
        assert_int_equal(f.out.wait_ms, 0);
        done(&f);
}

static const struct {
        const char *text, *message;
} wrong[] = {
        {"{\"texts\": 1}", "unknown key 'texts'; did you mean 'text'?"},
        {"{\"NUMBER\": 1}", "unknown key 'NUMBER'; did you mean 'number'?"},
        {"{\"something_else\": 1}", "unknown key 'something_else' in the test"},
        {"{\"text\": []}", "'text' must be a string, not a list"},
        {"{\"text\": {}}", "'text' must be a string, not an object"},
        {"{\"text\": \"{{user `x`}}\"}", "in 'text': byte 1, '{{user `x`}}': the variable 'x' is not defined"},
        {"{\"choice\": \"gtp\"}", "'choice' cannot be \"gtp\"; did you mean \"gpt\"?"},
        {"{\"flag\": \"perhaps\"}", "'flag' must be true or false, not \"perhaps\""},
        {"{\"number\": \"x\"}", "'number' must be a whole number, not \"x\""},
        {"{\"number\": 1.5}", "'number' must be a whole number, not 1.5"},
        {"{\"number\": 99999999999999999999}", "'number': 99999999999999999999 is too large"},
        {"{\"wait\": 5}", "'wait' needs a unit: \"5s\" are seconds, \"5m\" minutes"},
        {"{\"wait\": \"5 minutes\"}",
         "'wait': '5 minutes' is not a duration; write a number and a unit, such as \"90s\", \"1m30s\", \"500ms\" or "
         "\"1.5h\""},
        {"{\"size\": \"big\"}",
         "'size': 'big' is not a size; write a number and a unit, such as 512M, 4G (10^9) or 4GiB (2^30)"},
        {"{\"list\": {\"a\": 1}}", "'list' must be a list of strings, not an object"},
        {"{\"list\": [\"a\", [\"b\"]]}", "element 2 of 'list' must be a string, not a list"},
        {"{\"list\": [null]}", "element 1 of 'list' must be a string, not null"},
        {"{\"map\": \"A=B\"}", "'map' must be an object of strings, {\"NAME\": \"value\"}, not \"A=B\""},
        {"{\"map\": {\"A\": []}}", "'A' in 'map' must be a string, not a list"},
        {"{\"lists\": \"a\"}",
         "'lists' must be a list of lists of strings, [[\"program\", \"argument\"], ...], not \"a\""},
        {"{\"blocks\": \"a\"}", "'blocks' must be a list of objects, not \"a\""},
        {"{\"blocks\": [1]}", "a block must be an object { ... }, not a number"},
        {"{\"blocks\": [{}]}", "a block needs the key 'path'"},
        {"{\"blocks\": [{\"path\": 1, \"pth\": 2}]}", "unknown key 'pth'; did you mean 'path'?"},
        /* that 'path' is missing follows from it */
        {"{\"blocks\": [{\"pth\": 2}]}", "unknown key 'pth'; did you mean 'path'?"},
};

static void test_wrong(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct fixture f = decode(wrong[i].text);

                assert_int_equal(f.diags.n_errors, 1);
                assert_string_equal(f.diags.list.v[0].summary, wrong[i].message);
                assert_non_null(f.diags.list.v[0].range.source);
                done(&f);
        }
}

static void test_all_at_once(void **state)
{
        struct fixture f = decode(
                "{\"flag\": 3, \"flga\": 1, \"number\": [], \"size\": \"x\", \"blocks\": [{}, {\"count\": {}}]}");

        (void)state;
        assert_int_equal(f.diags.n_errors, 6);
        done(&f);
}

/* Of two blocks without a path, one has it misspelt. */
static void test_misspelt_in_one(void **state)
{
        struct fixture f = decode("{\"blocks\": [{\"Path\": \"a\"}, {}]}");

        (void)state;
        assert_int_equal(f.diags.n_errors, 2);
        assert_string_equal(f.diags.list.v[0].summary, "unknown key 'Path'; did you mean 'path'?");
        assert_string_equal(f.diags.list.v[1].summary, "a block needs the key 'path'");
        done(&f);
}

static void test_duration(void **state)
{
        static const struct {
                const char *text;
                int64_t ms;
        } good[] = {{"0", 0},
                    {"1s", 1000},
                    {"1.5h", 5400000},
                    {"1h15m30.5s", 4530500},
                    {"-1.5h", -5400000},
                    {"300ms", 300},
                    {"+5m", 300000},
                    {".5s", 500},
                    {"1ns", 1},
                    {"1500us", 2},
                    {"1\xc2\xb5s", 1}};
        static const char *const bad[] = {"", "5", "s", "1x", "1 s", "1.2.3s", ".s", "1e3s", "5m3", "99999999999h"};
        int64_t ms;

        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_int_equal(duration_parse(good[i].text, &ms, NULL), 0);
                assert_true(ms == good[i].ms);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_true(duration_parse(bad[i], &ms, NULL) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_types),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_weak),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_all_at_once),
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_misspelt_in_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
