/* Bodies of both forms read by a schema; dynamic blocks. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "hcl/eval.h"

struct text {
        struct arena arena;
        struct source_text *source;
        struct value *json;
        struct diags diags;
        const struct hcl_body *body;
};

static void parse(struct text *text, const char *s)
{
        bool json = *s == '{' || *s == '[';

        *text = (struct text){.source = source_text_new("test", s, strlen(s))};
        text->body = json ? hcl_parse_json(&text->arena, text->source, &text->json, &text->diags)
                          : hcl_parse(&text->arena, text->source, &text->diags);
        if (text->diags.list.n > 0)
                fail_msg("%s: %s", s, text->diags.list.v[0].summary);
}

static void drop(struct text *text)
{
        diags_clear(&text->diags);
        arena_free(&text->arena);
        value_free(text->json);
        source_text_free(text->source);
}

static const struct hcl_attr_schema attrs[] = {{"name", true}, {"size", false}};
static const struct hcl_block_schema blocks[] = {
        {.type = "source", .labels = {"type", "name"}},
        {.type = "build"},
        {.type = "step", .labels = {"type"}},
};
static const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 2, .blocks = blocks, .n_blocks = 3};

/* "name size | source a b | build": what was read, then what is left. */
static void add_items(struct str *out, const struct hcl_attr *v, size_t n, const struct hcl_block *b, size_t m)
{
        for (size_t i = 0; i < n; i++)
                str_addf(out, " %s", v[i].name);
        for (size_t i = 0; i < m; i++) {
                str_addf(out, " | %s", b[i].type);
                for (size_t j = 0; j < b[i].n_labels; j++)
                        str_addf(out, " %s", b[i].labels[j].text);
        }
}

static void expect_content(const char *s, const char *expected)
{
        struct text text;
        struct hcl_content content, rest;
        CLEANUP_STR struct str out = {0};
        bool partial = strstr(expected, "rest") != NULL;
        int r;

        parse(&text, s);
        r = partial ? hcl_body_partial(&text.arena, text.body, &schema, NULL, &content, &text.diags)
                    : hcl_body_content(&text.arena, text.body, &schema, NULL, &content, &text.diags);
        if (r < 0)
                fail_msg("%s: %s", s, text.diags.list.v[0].summary);
        add_items(&out, content.attrs, content.n_attrs, content.blocks, content.n_blocks);
        if (partial) {
                str_add(&out, " rest");
                if (content.rest->json) {
                        assert_int_equal(hcl_body_attributes(&text.arena, content.rest, &rest, &text.diags), 0);
                        add_items(&out, rest.attrs, rest.n_attrs, NULL, 0);
                } else {
                        add_items(&out, content.rest->attrs, content.rest->n_attrs, content.rest->blocks,
                                  content.rest->n_blocks);
                }
        }
        assert_string_equal(str_get(&out), expected);
        drop(&text);
}

static void test_native(void **state)
{
        (void)state;
        expect_content("name = 1\n", " name");
        expect_content("build {\n}\nname = 1\nsource \"a\" \"b\" {}\nsize = 2\nbuild {}\n",
                       " name size | build | source a b | build");
        expect_content("name = 1\nother = 2\nbuild {}\nthing \"x\" {}\n", " name | build rest other | thing x");
}

static void test_json(void **state)
{
        (void)state;
        expect_content("{\"name\": 1}", " name");
        expect_content("[{\"name\": 1}, {\"build\": {}}, {\"build\": {}}]", " name | build | build");
        expect_content("{\"//\": \"comment\", \"name\": 1, \"build\": [{}, {}], \"size\": null}",
                       " name size | build | build");
        expect_content(
                "{\"name\": 1, \"source\": {\"a\": {\"b\": {}, \"c\": [{}, {}]}, \"d\": [{\"e\": {}}, {\"f\": {}}]}}",
                " name | source a b | source a c | source a c | source d e | source d f");
        expect_content("{\"name\": 1, \"build\": null, \"step\": [{\"a\": {}}, {\"b\": {}}, {\"a\": {}}]}",
                       " name | step a | step b | step a");
        /* keys may be repeated for blocks */
        expect_content("{\"name\": 1, \"build\": {}, \"build\": {}}", " name | build | build");
        expect_content("{\"name\": 1, \"x\": {\"y\": {}}, \"z\": 2, \"//\": 3}", " name rest x z");
}

struct mistake {
        const char *text, *message;
        size_t start, end;
};

static void expect_mistake(const struct mistake *mistake)
{
        struct text text;
        struct hcl_content content;

        parse(&text, mistake->text);
        assert_true(hcl_body_content(&text.arena, text.body, &schema, NULL, &content, &text.diags) < 0);
        assert_string_equal(text.diags.list.v[0].summary, mistake->message);
        assert_int_equal(text.diags.list.v[0].range.start, mistake->start);
        assert_int_equal(text.diags.list.v[0].range.end, mistake->end);
        assert_int_equal(text.diags.list.n, 1);
        drop(&text);
}

static void test_mistakes(void **state)
{
        static const struct mistake mistakes[] = {
                {"size = 1\n", "the argument 'name' is missing", 0, 0},
                {"{\"size\": 1}", "the argument 'name' is missing", 10, 11},
                {"name = 1\nsiez = 2\n", "unknown argument 'siez'; did you mean 'size'?", 9, 13},
                {"name = 1\nx = 2\n", "unknown argument 'x'", 9, 10},
                {"name = 1\nbiuld {}\n", "unknown block 'biuld'; did you mean 'build'?", 9, 14},
                {"name = 1\nbuild = 2\n", "'build' is a block, not an argument", 9, 14},
                {"name = 1\nsize {}\n", "'size' is an argument, not a block", 9, 13},
                {"name = 1\nsource \"a\" {}\n", "a label is missing for the block 'source': \"name\"", 20, 21},
                {"name = 1\nsource {}\n", "a label is missing for the block 'source': \"type\" \"name\"", 16, 17},
                {"name = 1\nstep a b {}\n", "this label of the block 'step' is too much", 16, 17},
                {"name = 1\nbuild a {}\n", "the block 'build' has no labels", 15, 16},
                {"name = 1\ndynamic \"build\" {}\n", "unknown block 'dynamic'", 9, 16},
                {"{\"name\": 1, \"naem\": 2}", "unknown key 'naem'; did you mean 'name'?", 12, 18},
                {"{\"name\": 1, \"build\": 2}", "an object with the block 'build' was expected, not a number", 21, 22},
                {"{\"name\": 1, \"step\": \"x\"}",
                 "an object with the \"type\" of the block 'step' as its keys was expected, not a string", 20, 23},
                {"{\"name\": 1, \"step\": {}}", "a label is missing for the block 'step': \"type\"", 20, 22},
                {"{\"name\": 1, \"name\": 2}", "the argument 'name' is here twice", 12, 18},
                {"[{\"name\": 1}, 2]", "an object with arguments and blocks was expected, not a number", 14, 15},
                {"{\"name\": \"a${b c}\"}", "'}' was expected here, not 'c'", 15, 16},
                {"{\"name\": \"a\\n${b c}\"}", "'}' was expected here, not 'c'", 9, 20},
                {"{\"name\": \"${'x}\"}", "a string is written in double quotes, not in single ones", 12, 13},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
                expect_mistake(&mistakes[i]);
}

static void test_attributes(void **state)
{
        struct text text;
        struct hcl_content content;

        (void)state;
        parse(&text, "a = 1\nb = 2\n");
        assert_int_equal(hcl_body_attributes(&text.arena, text.body, &content, &text.diags), 0);
        assert_int_equal(content.n_attrs, 2);
        assert_ptr_equal(hcl_content_attr(&content, "b"), &content.attrs[1]);
        assert_null(hcl_content_attr(&content, "c"));
        drop(&text);
        parse(&text, "a = 1\nb {}\n");
        assert_true(hcl_body_attributes(&text.arena, text.body, &content, &text.diags) < 0);
        assert_string_equal(text.diags.list.v[0].summary, "only arguments may stand here, no block 'b'");
        drop(&text);
        parse(&text, "{\"a\": 1, \"b\": {}, \"a\": 3}");
        assert_true(hcl_body_attributes(&text.arena, text.body, &content, &text.diags) < 0);
        assert_int_equal(text.diags.list.n, 1);
        assert_string_equal(text.diags.list.v[0].summary, "the argument 'a' is here twice");
        drop(&text);
}

/* ---- expressions of the JSON form ---- */

static void expect_json_value(const char *json, const char *expected)
{
        const struct hcl_scope scope = {0};
        CLEANUP_FREE char *object = xasprintf("{\"a\": %s}", json);
        struct text text;
        struct hcl_content content;
        const struct hcl_value *value;

        parse(&text, object);
        assert_int_equal(hcl_body_attributes(&text.arena, text.body, &content, &text.diags), 0);
        value = hcl_eval(&text.arena, content.attrs[0].expr, &scope, &text.diags);
        if (text.diags.list.n > 0)
                fail_msg("%s: %s", json, text.diags.list.v[0].summary);
        assert_string_equal(hcl_value_text(&text.arena, value), expected);
        drop(&text);
}

static void test_json_expressions(void **state)
{
        (void)state;
        expect_json_value("12345678901234567890.5", "12345678901234567890.5");
        expect_json_value("null", "null");
        expect_json_value("true", "true");
        expect_json_value("\"plain\"", "\"plain\"");
        expect_json_value("\"${1 + 2}\"", "3"); /* alone: not a string */
        expect_json_value("\"${1 + 2}.\"", "\"3.\"");
        expect_json_value("\"$${x} %%{y}\"", "\"$${x} %%{y}\""); /* shown as it is written */
        expect_json_value("\"\\u00e9 ${\\\"q\\\"}\"", "\"\xc3\xa9 q\"");
        expect_json_value("\"%{ if true }a\\n%{ endif }b\"", "\"a\\nb\"");
        expect_json_value("[[], {}]", "[\n  [],\n  {},\n]");
        expect_json_value("{\"k${1}\": \"v\"}", "{\n  \"k1\" = \"v\"\n}");
        expect_json_value("{\"//\": 1}", "{\n  \"//\" = 1\n}"); /* a comment in bodies only */
}

/* ---- dynamic blocks ---- */

static const struct hcl_block_schema dynamic_blocks[] = {{.type = "step", .labels = {"type"}}, {.type = "build"}};
static const struct hcl_body_schema dynamic_schema = {.blocks = dynamic_blocks, .n_blocks = 2};

/* Each block's type, labels, and the value of its only argument. */
static void add_values(struct str *out, struct text *text, const struct hcl_content *content,
                       const struct hcl_scope *scope)
{
        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];
                const struct hcl_scope *inner = block->scope ? block->scope : scope;
                struct hcl_content body;

                add_items(out, NULL, 0, block, 1);
                assert_int_equal(hcl_body_attributes(&text->arena, block->body, &body, &text->diags), 0);
                for (size_t j = 0; j < body.n_attrs; j++)
                        str_addf(out, " = %s",
                                 hcl_value_text(&text->arena,
                                                hcl_eval(&text->arena, body.attrs[j].expr, inner, &text->diags)));
        }
}

static void expect_dynamic(const char *s, const char *expected, const char *message)
{
        const struct hcl_scope scope = {0};
        struct text text;
        struct hcl_content content;
        CLEANUP_STR struct str out = {0};

        parse(&text, s);
        hcl_body_content(&text.arena, text.body, &dynamic_schema, &scope, &content, &text.diags);
        add_values(&out, &text, &content, &scope);
        assert_string_equal(text.diags.list.n > 0 ? text.diags.list.v[0].summary : "", message);
        assert_string_equal(str_get(&out), expected);
        drop(&text);
}

static void test_dynamic(void **state)
{
        (void)state;
        expect_dynamic(
                "build {\n x = 0\n}\n"
                "dynamic \"build\" {\n for_each = [5, 6]\n content {\n  x = \"${build.key}:${build.value}\"\n }\n}\n"
                "step \"a\" {}\n",
                " | build = 0 | build = \"0:5\" | build = \"1:6\" | step a", "");
        expect_dynamic("dynamic \"step\" {\n for_each = { a = 1, b = 2 }\n iterator = it\n labels = [\"l-${it.key}\"]\n"
                       " content {\n  x = it.value\n }\n}\n",
                       " | step l-a = 1 | step l-b = 2", "");
        expect_dynamic("{\"dynamic\": {\"build\": {\"for_each\": [1], \"iterator\": \"i\", \"content\": {\"x\": "
                       "\"${i.value}\"}}}}",
                       " | build = 1", "");
        expect_dynamic("dynamic \"build\" {\n for_each = []\n content {}\n}\n", "", "");
}

static void test_dynamic_mistakes(void **state)
{
        (void)state;
        expect_dynamic("dynamic \"biuld\" {\n for_each = []\n content {}\n}\n", "",
                       "unknown block 'biuld'; did you mean 'build'?");
        expect_dynamic("dynamic \"build\" {\n content {}\n}\n", "", "the argument 'for_each' is missing");
        expect_dynamic("dynamic \"build\" {\n for_each = []\n}\n", "", "a dynamic block has one block 'content'");
        expect_dynamic("dynamic \"build\" {\n for_each = 1\n content {}\n}\n", "",
                       "for_each needs a collection, not a number");
        expect_dynamic("dynamic \"build\" {\n for_each = null\n content {}\n}\n", "",
                       "for_each needs a collection, not null");
        expect_dynamic("dynamic \"build\" {\n for_each = []\n iterator = a.b\n content {}\n}\n", "",
                       "the iterator is one plain name");
        expect_dynamic("dynamic \"step\" {\n for_each = [1]\n content {}\n}\n", "",
                       "blocks 'step' have 1 label(s): labels = [...] with so many elements is needed");
        expect_dynamic("dynamic \"step\" {\n for_each = [1]\n labels = [null]\n content {}\n}\n", "",
                       "a label must be known, and not null");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_native),           cmocka_unit_test(test_json),
                cmocka_unit_test(test_mistakes),         cmocka_unit_test(test_attributes),
                cmocka_unit_test(test_json_expressions), cmocka_unit_test(test_dynamic),
                cmocka_unit_test(test_dynamic_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
