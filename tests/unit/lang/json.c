/* The JSON reader: values, places, and what it says about mistakes. jansson
 * is the judge of what is JSON. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "lang/value.h"

static struct value *read_text(const char *text, struct diags *diags, struct source_text **ret_source)
{
        *ret_source = source_text_new("test.json", text, strlen(text));
        return json_read(*ret_source, diags);
}

/* The first message's text, or "" if the text is right. */
static char *first_message(const char *text)
{
        struct diags diags = {0};
        struct source_text *source;
        struct value *value = read_text(text, &diags, &source);
        char *message = xstrdup(diags.list.n ? diags.list.v[0].summary : "");

        assert_int_equal(value == NULL, diags.n_errors > 0);
        value_free(value);
        diags_clear(&diags);
        source_text_free(source);
        return message;
}

static void test_values_and_places(void **state)
{
        struct diags diags = {0};
        struct source_text *source;
        struct value *root =
                read_text("{\n  \"a\": [1, -2.5e3, true, null],\n  \"\xc3\xa4\": {\"x\": \"y\"}\n}", &diags, &source);
        const struct value *list;
        unsigned int line, column;

        (void)state;
        assert_non_null(root);
        list = value_get(root, "a");
        assert_int_equal(list->type, VALUE_LIST);
        assert_int_equal(list->list.n, 4);
        assert_string_equal(list->list.v[1]->string, "-2.5e3");
        assert_true(list->list.v[2]->boolean);
        assert_int_equal(list->list.v[3]->type, VALUE_NULL);
        range_position(&list->list.v[1]->range, &line, &column);
        assert_int_equal(line, 2);
        assert_int_equal(column, 12);
        range_position(&value_get(root, "\xc3\xa4")->range, &line, &column);
        assert_int_equal(line, 3);
        assert_int_equal(column, 8); /* the a-umlaut is one character */
        assert_null(value_get(root, "b"));
        assert_null(value_get(list, "a"));
        value_free(root);
        source_text_free(source);
}

static void test_strings(void **state)
{
        struct diags diags = {0};
        struct source_text *source;
        struct value *root = read_text("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20ac\", \"\\ud83d\\ude80\", \"\"]",
                                       &diags, &source);

        (void)state;
        assert_non_null(root);
        assert_string_equal(root->list.v[0]->string, "\"\\/\b\f\n\r\t");
        assert_string_equal(root->list.v[1]->string, "\xc3\xa9\xe2\x82\xac");
        assert_string_equal(root->list.v[2]->string, "\xf0\x9f\x9a\x80");
        assert_string_equal(root->list.v[3]->string, "");
        value_free(root);
        source_text_free(source);
}

static void test_copy_and_jansson(void **state)
{
        struct diags diags = {0};
        struct source_text *source;
        struct value *root = read_text("{\"b\":[1,2.5,\"x\",true,null,{}],\"a\":9007199254740993}", &diags, &source);
        struct value *copy = value_copy(root);
        json_t *json = value_to_json(copy);
        char *dump = json_dumps(json, JSON_COMPACT);

        (void)state;
        assert_string_equal(dump, "{\"b\":[1,2.5,\"x\",true,null,{}],\"a\":9007199254740993}");
        free(dump);
        json_decref(json);
        value_free(copy);
        value_free(root);
        source_text_free(source);
}

static const struct {
        const char *text, *message;
} mistakes[] = {
        {"", "test.json is empty; a JSON object { ... } was expected"},
        {" \n", "test.json is empty; a JSON object { ... } was expected"},
        {"{\"a\": 1,}", "no comma may stand before '}'; remove it"},
        {"[1, 2,]", "no comma may stand before ']'; remove it"},
        {"[1,,2]", "one comma is enough"},
        {"{\"a\": 1 \"b\": 2}", "a comma is missing here"},
        {"[1 2]", "a comma is missing here"},
        {"{'a': 1}", "a string is written in double quotes, not in single ones"},
        {"{a: 1}", "a key is written in double quotes: \"a\""},
        {"{\"a\" = 1}", "in JSON ':' stands between a key and its value, not '='"},
        {"{\"a\" 1}", "':' and a value are missing after the key 'a'"},
        {"{\"a\": }", "the key 'a' has no value"},
        {"{\"a\": 1, \"a\": 2}", "the key 'a' is here twice"},
        {"{\"a\": 1", "this '{' is never closed"},
        {"[[1]", "this '[' is never closed"},
        {"[1}", "']' was expected here, not '}'"},
        {"[1;2]", "',' or ']' was expected here"},
        {"{} x", "nothing may follow after the end of the object"},
        {"# x\n{}", "JSON has no comments"},
        {"{} // x", "JSON has no comments"},
        {"{ /* x */ }", "JSON has no comments"},
        {"\xef\xbb\xbf{}", "the file begins with a byte order mark (BOM)"},
        {"\xff\xfe{", "test.json is UTF-16 text; save it as UTF-8"},
        {"[\"a]", "this string is not closed: its \" is missing"},
        {"[\"a\nb\"]", "this string is not closed: its \" is missing"},
        {"[\"a\tb\"]", "a tab inside a string is written \\t"},
        {"[\"\\d\"]", "JSON does not know the escape \\d"},
        {"[\"\\u12g4\"]", "four hexadecimal digits must follow \\u, as in \\u00e9"},
        {"[\"\\ud800\"]", "\\ud800 is half of a surrogate pair; the other half is missing"},
        {"[\"\\udc00\"]", "\\udc00 is half of a surrogate pair; the other half is missing"},
        {"[\"\\ud800\\u0041\"]", "\\ud800 is half of a surrogate pair; the other half is missing"},
        {"[\"\\u0000\"]", "a string of a template cannot hold the character \\u0000"},
        {"[\"\xff\"]", "byte 0xff is not UTF-8; save the file as UTF-8"},
        {"[\"\xc0\x80\"]", "byte 0xc0 is not UTF-8; save the file as UTF-8"},
        {"[\"\xed\xa0\x80\"]", "byte 0xed is not UTF-8; save the file as UTF-8"},
        {"[01]", "'01' is not a number of JSON"},
        {"[+1]", "'+1' is not a number of JSON"},
        {"[.5]", "'.5' is not a number of JSON"},
        {"[5.]", "'5.' is not a number of JSON"},
        {"[0x10]", "'0x10' is not a number of JSON"},
        {"[-]", "'-' is not a number of JSON"},
        {"[True]", "'True' is written in lower case: true"},
        {"[yes]", "'yes' is not a value of JSON"},
        {"[NaN]", "'NaN' is not a value of JSON"},
        {"[:]", "a value was expected here"},
};

static void test_mistakes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
                CLEANUP_FREE char *message = first_message(mistakes[i].text);
                json_t *json = json_loads(mistakes[i].text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

                assert_string_equal(message, mistakes[i].message);
                assert_null(json); /* jansson refuses it too */
        }
}

static void test_all_at_once(void **state)
{
        struct diags diags = {0};
        struct source_text *source;

        (void)state;
        assert_null(read_text("{// one\n'two': 1 \"three\": [4,],\n five: True}", &diags, &source));
        assert_int_equal(diags.n_errors, 6);
        diags_clear(&diags);
        source_text_free(source);
}

static void test_depth(void **state)
{
        CLEANUP_STR struct str ok = {0}, deep = {0};
        CLEANUP_FREE char *good = NULL, *bad = NULL;

        (void)state;
        for (int i = 0; i < 256; i++)
                str_addc(&ok, '[');
        for (int i = 0; i < 256; i++)
                str_addc(&ok, ']');
        for (int i = 0; i < 100000; i++)
                str_add(&deep, "{\"a\":");
        good = first_message(str_get(&ok));
        bad = first_message(str_get(&deep));
        assert_string_equal(good, "");
        assert_string_equal(bad, "objects and lists lie in each other more than 256 levels deep");
}

/* A NUL inside the file ends nothing. */
static void test_nul(void **state)
{
        static const char text[] = "{\"a\": \"b\0c\"}";
        struct source_text *source = source_text_new("test.json", text, sizeof(text) - 1);
        struct diags diags = {0};

        (void)state;
        assert_null(json_read(source, &diags));
        assert_string_equal(diags.list.v[0].summary, "the control character 0x00 inside a string is written \\u0000");
        diags_clear(&diags);
        source_text_free(source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values_and_places),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_copy_and_jansson),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_all_at_once),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_nul),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
