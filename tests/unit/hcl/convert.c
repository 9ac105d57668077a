/* Conversion, unification and type constraints, by expressions of the language. */
#include <string.h>

#include "base/str.h"
#include "hcl/eval.h"
#include "hcl/syntax.h"
#include "test.h"

static struct arena arena;
static VEC(struct source_text *) sources;

static int release(void **state)
{
        (void)state;
        arena_free(&arena);
        for (size_t i = 0; i < sources.n; i++)
                source_text_free(sources.v[i]);
        vec_free(&sources);
        return 0;
}

static const struct hcl_expr *parse(const char *text)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        struct source_text *source = source_text_new("test.hcl", text, strlen(text));

        vec_push(&sources, source);
        return hcl_parse_expr(&arena, source, &diags);
}

/* Without a scope: literals, tuples, objects and operators. */
static const struct hcl_value *value_of(const char *text)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_value *value = hcl_eval(&arena, parse(text), NULL, &diags);

        if (diags.n_errors > 0)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        return value;
}

static const struct hcl_type *type_of(const char *text)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_type *type = hcl_expr_type(&arena, parse(text), &diags);

        if (!type)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        return type;
}

/* On one line. */
static char *compact(const char *text)
{
        struct str ret = {0};

        for (; *text; text++)
                if (*text != '\n')
                        str_addc(&ret, *text);
                else
                        text += strspn(text + 1, " ");
        return str_steal(&ret);
}

static void test_convert(void **state)
{
        static const struct {
                const char *value, *to, *text, *type;
        } rows[] = {
                {"1", "string", "\"1\"", "string"},
                {"1.50", "string", "\"1.5\"", "string"},
                {"true", "string", "\"true\"", "string"},
                {"\"7\"", "number", "7", "number"},
                {"\"-1.5e3\"", "number", "-1500", "number"},
                {"\"1\"", "bool", "true", "bool"},
                {"\"false\"", "bool", "false", "bool"},
                {"null", "string", "null", "string"},
                {"null", "list(any)", "null", "list(any)"},
                {"[]", "list(string)", "[]", "list(string)"},
                {"[]", "list(any)", "[]", "list(any)"},
                {"[1, true, \"a\"]", "list(string)", "[\"1\",\"true\",\"a\",]", "list(string)"},
                {"[1, true, \"a\"]", "list(any)", "[\"1\",\"true\",\"a\",]", "list(string)"},
                {"[1, null]", "list(any)", "[1,null,]", "list(number)"},
                {"[3, 1, 2, 1]", "set(number)", "[1,2,3,]", "set(number)"},
                {"[\"1\", 1]", "set(string)", "[\"1\",]", "set(string)"},
                {"[[1], [2, 3]]", "list(any)", "[[1,],[2,3,],]", "list(list(number))"},
                {"[[1], [\"a\"]]", "list(any)", "[[\"1\",],[\"a\",],]", "list(tuple([string]))"},
                {"[{ a = 1 }, { a = \"x\" }]", "list(any)", "[{\"a\" = \"1\"},{\"a\" = \"x\"},]",
                 "list(object({a=string}))"},
                {"[{ a = 1 }, { b = 2 }]", "list(any)", "[{\"a\" = 1},{\"b\" = 2},]", "list(map(number))"},
                {"[1, \"a\"]", "tuple([string, string])", "[\"1\",\"a\",]", "tuple([string,string])"},
                {"{ a = 1, b = true }", "map(string)", "{\"a\" = \"1\"\"b\" = \"true\"}", "map(string)"},
                {"{ a = 1, b = \"x\" }", "map(any)", "{\"a\" = \"1\"\"b\" = \"x\"}", "map(string)"},
                {"{}", "map(number)", "{}", "map(number)"},
                {"{ a = 1, b = 2, c = 3 }", "object({ a = string, b = number })", "{\"a\" = \"1\"\"b\" = 2}",
                 "object({a=string,b=number})"},
                {"{ a = 1 }", "object({ a = any, b = optional(string) })", "{\"a\" = 1\"b\" = null}",
                 "object({a=number,b=string})"},
                {"{}", "object({ a = optional(number, \"5\") })", "{\"a\" = 5}", "object({a=number})"},
                {"{ a = null }", "object({ a = optional(number, 5) })", "{\"a\" = 5}", "object({a=number})"},
                {"{ a = 6 }", "object({ a = optional(number, 5) })", "{\"a\" = 6}", "object({a=number})"},
                {"{ a = null }", "object({ a = optional(number) })", "{\"a\" = null}", "object({a=number})"},
                {"[{}, { a = 1 }]", "list(object({ a = optional(number, 5) }))", "[{\"a\" = 5},{\"a\" = 1},]",
                 "list(object({a=number}))"},
                {"{ x = {} }", "map(object({ a = optional(object({ b = optional(bool, true) }), {}) }))",
                 "{\"x\" = {\"a\" = {\"b\" = true}}}", "map(object({a=object({b=bool})}))"},
                {"null", "object({ a = optional(number, 5) })", "null", "object({a=number})"},
                {"[1, [2]]", "any", "[1,[2,],]", "tuple([number,tuple([number])])"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *text = NULL;
                const struct hcl_value *value = NULL;

                if (hcl_convert(&arena, value_of(rows[i].value), type_of(rows[i].to), &value, &err) < 0)
                        fail_msg("%s to %s: %s", rows[i].value, rows[i].to, error_message(&err));
                text = compact(hcl_value_text(&arena, value));
                assert_string_equal(text, rows[i].text);
                assert_string_equal(hcl_type_text(&arena, value->type), rows[i].type);
        }
}

static void test_refused(void **state)
{
        static const struct {
                const char *value, *to, *message;
        } rows[] = {
                {"\"x\"", "number", "a number is required, but found \"x\""},
                {"\"True\"", "bool", "a bool is required, but found \"True\"; write it in lower case"},
                {"\"a very long string that would fill the line of a message\"", "bool",
                 "a bool is required, but found a string of 56 bytes"},
                {"1", "bool", "bool required, but found number"},
                {"[1]", "string", "string required, but found tuple"},
                {"\"a\"", "list(string)", "list of string required, but found string"},
                {"[1, {}]", "list(string)", "element 1: string required, but found object"},
                {"[1, \"x\"]", "list(number)", "element 1: a number is required, but found \"x\""},
                {"[[1], [\"x\"]]", "list(list(number))", "element 1: element 0: a number is required, but found \"x\""},
                {"[1, []]", "list(any)", "all list elements must have the same type"},
                {"{ a = 1, b = [] }", "map(any)", "all map elements must have the same type"},
                {"{ a = [] }", "map(string)", "element \"a\": string required, but found tuple"},
                {"{ a = \"x\" }", "object({ a = number })", "attribute \"a\": a number is required, but found \"x\""},
                {"{ a = { b = [] } }", "object({ a = object({ b = string }) })",
                 "attribute \"a\": attribute \"b\": string required, but found tuple"},
                {"{}", "object({ a = string })", "attribute \"a\" is required"},
                {"{}", "object({ a = string, b = string, c = optional(string) })",
                 "attributes \"a\" and \"b\" are required"},
                {"{}", "object({ a = string, b = any, c = string })", "attributes \"a\", \"b\" and \"c\" are required"},
                {"[1]", "tuple([number, number])", "tuple of 2 elements required, but found one of 1"},
                {"{ a = null, b = {}, c = 1 }", "map(any)", "all elements must have the same type"},
                {"[1, []]", "tuple([number, number])", "element 1: number required, but found tuple"},
                {"[]", "map(string)", "map of string required, but found tuple"},
                {"{}", "list(any)", "list of any single type required, but found object"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                const struct hcl_value *value = NULL;

                assert_true(hcl_convert(&arena, value_of(rows[i].value), type_of(rows[i].to), &value, &err) < 0);
                assert_null(value);
                assert_string_equal(error_message(&err), rows[i].message);
        }
}

/* From maps and lists, which no literal is. */
static void test_from_collections(void **state)
{
        static const struct {
                const char *value, *first, *then, *result; /* result: the type, or the message */
        } rows[] = {
                {"{ a = 1 }", "map(number)", "object({ a = string })", "object({a=string})"},
                {"{ a = 1 }", "map(number)", "object({ a = string, b = optional(bool, true) })",
                 "object({a=string,b=bool})"},
                {"{ a = 1 }", "map(number)", "object({ a = string, b = bool })",
                 "attribute \"b\": bool required, but found number"},
                {"{ a = 1 }", "map(number)", "object({ a = string, b = string })", "attribute \"b\" is required"},
                {"{ a = 1, b = 2 }", "map(number)", "object({ b = optional(bool) })",
                 "attribute \"b\": bool required, but found number"},
                {"[\"1\", \"2\"]", "list(string)", "set(number)", "set(number)"},
                {"[\"1\", \"2\"]", "set(string)", "list(number)", "list(number)"},
                {"[\"1\", \"2\"]", "list(string)", "tuple([string, string])",
                 "tuple required, but found list of string"},
                {"[\"1\"]", "list(string)", "list(any)", "list(string)"},
                {"[]", "list(string)", "list(any)", "list(string)"},
                {"[[]]", "list(list(string))", "list(list(number))", "list(list(number))"},
                {"[{}]", "list(map(string))", "list(list(string))",
                 "incorrect element type: list of string required, but found map of string"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                const struct hcl_value *value = NULL, *then = NULL;

                assert_int_equal(hcl_convert(&arena, value_of(rows[i].value), type_of(rows[i].first), &value, &err), 0);
                if (hcl_convert(&arena, value, type_of(rows[i].then), &then, &err) < 0)
                        assert_string_equal(error_message(&err), rows[i].result);
                else
                        assert_string_equal(hcl_type_text(&arena, then->type), rows[i].result);
        }
}

static void test_unify(void **state)
{
        static const struct {
                const char *types[3];
                const char *safe, *unsafe; /* NULL: nothing in common */
        } rows[] = {
                {{"string", "number"}, "string", "string"},
                {{"bool", "number"}, NULL, NULL},
                {{"bool", "number", "string"}, "string", "string"},
                {{"any", "number"}, "any", "number"},
                {{"list(string)", "list(number)"}, "list(string)", "list(string)"},
                {{"list(string)", "tuple([number, bool])"}, "list(string)", "list(string)"},
                {{"set(string)", "list(string)"}, "list(string)", "list(string)"},
                {{"list(string)", "any"}, "any", "any"},
                {{"tuple([number])", "tuple([string])"}, "tuple([string])", "tuple([string])"},
                {{"tuple([number])", "tuple([string, bool])"}, "list(string)", "list(string)"},
                {{"tuple([number])", "tuple([bool])"}, NULL, NULL},
                {{"object({ a = number })", "object({ a = string })"}, "object({a=string})", "object({a=string})"},
                {{"object({ a = number })", "object({ b = string })"}, "map(string)", "map(string)"},
                {{"object({ a = number })", "map(string)"}, "map(string)", "map(string)"},
                {{"object({ a = number })", "tuple([number])"}, NULL, NULL},
                {{"object({})", "object({})"}, "object({})", "object({})"},
                {{"list(any)", "string"}, NULL, NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct hcl_type *types[3], *type;
                size_t n = 0;

                for (; n < 3 && rows[i].types[n]; n++)
                        types[n] = type_of(rows[i].types[n]);
                type = hcl_unify_safe(&arena, types, n);
                assert_string_equal(type ? hcl_type_text(&arena, type) : "none", rows[i].safe ? rows[i].safe : "none");
                type = hcl_unify(&arena, types, n);
                assert_string_equal(type ? hcl_type_text(&arena, type) : "none",
                                    rows[i].unsafe ? rows[i].unsafe : "none");
        }
        assert_null(hcl_unify(&arena, NULL, 0));
}

static void test_types(void **state)
{
        static const char *const same[] = {"any",
                                           "bool",
                                           "list(string)",
                                           "map(list(any))",
                                           "object({a=string,b=number})",
                                           "set(number)",
                                           "tuple([string,tuple([])])",
                                           "object({})",
                                           "object({a=optional(string)})"};
        static const struct {
                const char *type, *message;
        } bad[] = {
                {"strin", "'strin' is no type; did you mean 'string'?"},
                {"list", "the type list needs the type of its elements: list(string)"},
                {"string(1)", "the type string has no arguments"},
                {"list()", "the type list needs one argument, the type of its elements: list(string)"},
                {"lst(string)", "'lst' is no type; did you mean 'list'?"},
                {"list(strng)", "'strng' is no type; did you mean 'string'?"},
                {"object(string)", "the attributes of an object are needed here: { name = string }"},
                {"object({ a = string, a = bool })", "attribute 'a' is there twice"},
                {"object({ (1) = string })", "the name of an attribute is needed here"},
                {"object({ a = optional() })", "optional() takes a type and perhaps a default, but found 0 arguments"},
                {"object({ a = optional(number, \"x\") })",
                 "the default of attribute 'a' does not fit its type: a number is required, but found \"x\""},
                {"optional(string)", "optional() is for attributes: object({ name = optional(string) })"},
                {"tuple(string)", "the types of a tuple's elements are needed here: [string, number]"},
                {"5", "a type is needed here: string, number, bool, list(string), object({...})..."},
                {"true", "'true' is no type"},
                {"\"strin\"", "this is no type: 'strin' is no type; did you mean 'string'?"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
                assert_string_equal(hcl_type_text(&arena, type_of(same[i])), same[i]);
        assert_string_equal(hcl_type_text(&arena, type_of("\"list(string)\"")), "list(string)"); /* the JSON form */
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};

                assert_null(hcl_expr_type(&arena, parse(bad[i].type), &diags));
                assert_int_equal(diags.n_errors, 1);
                assert_string_equal(diags.list.v[0].summary, bad[i].message);
        }
}

/* ---- references ---- */

static const char *traversal_text(const struct hcl_traversal *traversal)
{
        CLEANUP_STR struct str text = {0};

        str_add(&text, traversal->root);
        for (size_t i = 0; i < traversal->n_steps; i++)
                if (traversal->steps[i].index)
                        str_addf(&text, "[%s]", hcl_value_text(&arena, traversal->steps[i].index));
                else
                        str_addf(&text, ".%s", traversal->steps[i].name);
        return arena_strdup(&arena, str_get(&text));
}

static void test_references(void **state)
{
        static const struct {
                const char *expr, *found;
        } rows[] = {
                {"1 + 2", ""},
                {"var.a", "var.a "},
                {"var.a[0].b[\"c\"].d", "var.a[0].b[\"c\"].d "},
                {"a[b.c].d", "a b.c "},
                {"(a).b", "a "},
                {"[a, { b = c, (d) = e }]", "a c d e "},
                {"f(a, b...)", "a b "},
                {"a ? b : c", "a b c "},
                {"-a + !b", "a b "},
                {"a[*].b", "a "},
                {"\"x${a.b}%{ for c in d }${c}${e}%{ endfor }\"", "a.b d e "},
                {"[for k, v in a : \"${k}${v}${w}\" if v > x]", "a w x "},
                {"{ for v in v : v => [for w in v : w] }", "v "},
                {"[for v in a : [for w in v : v]][0]", "a "},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct hcl_traversals all = hcl_expr_references(&arena, parse(rows[i].expr));
                CLEANUP_STR struct str text = {0};

                for (size_t j = 0; j < all.n; j++)
                        str_addf(&text, "%s ", traversal_text(&all.v[j]));
                assert_string_equal(str_get(&text), rows[i].found);
        }
}

static void test_traversal(void **state)
{
        static const struct {
                const char *expr, *text; /* NULL: it is none */
        } rows[] = {
                {"source.arm.pi", "source.arm.pi"},
                {"\"source.arm.pi-3\"", "source.arm.pi-3"},
                {"a", "a"},
                {"a[0]", "a[0]"},
                {"true.x", "true.x"},
                {"\"a..b\"", NULL},
                {"\"a b\"", NULL},
                {"\"\"", NULL},
                {"5", NULL},
                {"a + b", NULL},
                {"a[b]", NULL},
                {"f(a)", NULL},
                {"\"${a}.b\"", NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct hcl_traversal traversal;

                assert_int_equal(hcl_expr_traversal(&arena, parse(rows[i].expr), &traversal), rows[i].text != NULL);
                if (rows[i].text)
                        assert_string_equal(traversal_text(&traversal), rows[i].text);
        }
        assert_string_equal(hcl_expr_keyword(parse("string")), "string");
        assert_string_equal(hcl_expr_keyword(parse("null")), "null");
        assert_null(hcl_expr_keyword(parse("\"string\"")));
        assert_null(hcl_expr_keyword(parse("a.b")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_convert),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_from_collections),
                cmocka_unit_test(test_unify),
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_references),
                cmocka_unit_test(test_traversal),
        };

        return cmocka_run_group_tests(tests, NULL, release);
}
