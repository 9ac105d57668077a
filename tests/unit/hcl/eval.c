/* Expressions and their values: what comes out, of which type, and which
 * message where. Values are compared with another expression's, which must
 * have the same type too. */
#include "hcl/eval.h"

#include <string.h>

#include "base/str.h"
#include "hcl/function.h"
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
        const struct hcl_expr *expr;

        vec_push(&sources, source);
        expr = hcl_parse_expr(&arena, source, &diags);
        if (!expr || diags.n_errors > 0)
                fail_msg("%s: %s", text, diags.list.n > 0 ? diags.list.v[0].summary : "does not parse");
        return expr;
}

static const char variables[] =
        "{ obj = { a = { n = 1, b = \"x\" }, list = [1, 2], name = \"nm\" }, num = 2, str = \"hello\", yes = true, "
        "null = null,"
        "  list = convert([\"a\", \"b\", \"c\"], list(string)), map = convert({ a = \"1\", b = \"2\" }, map(string)),"
        "  set = convert([\"q\", \"p\"], set(string)), objs = [{ l = [1, 2], n = \"x\" }, { l = [3], n = \"y\" }],"
        "  nolist = convert(null, list(string)), empty = convert([], list(object({ a = string }))),"
        "  tuple = [1, \"two\", true] }";

/* The variables above, unknown ones of several types, and a secret. */
static const struct hcl_scope *scope(void)
{
        static const struct hcl_env env = {.base_dir = "."};
        static struct hcl_scope functions, all;
        CLEANUP(diags_clear) struct diags diags = {0};
        const char *const names[] = {"u_any", "u_bool", "u_list", "u_num", "u_str", "secret", "hidden"};
        const struct hcl_value *more[] = {&hcl_unknown_any,
                                          hcl_unknown(&arena, &hcl_bool),
                                          hcl_unknown(&arena, hcl_type_list(&arena, &hcl_string)),
                                          hcl_unknown(&arena, &hcl_number),
                                          hcl_unknown(&arena, &hcl_string),
                                          hcl_mark_sensitive(&arena, hcl_string_from(&arena, "s3")),
                                          hcl_mark_sensitive(&arena, &hcl_true)};
        enum { N = sizeof(names) / sizeof(names[0]) };
        const struct hcl_value *base, **v;
        struct hcl_string *keys;

        functions = (struct hcl_scope){.functions = hcl_functions, .n_functions = hcl_n_functions, .env = &env};
        base = hcl_eval(&arena, parse(variables), &functions, &diags);
        assert_int_equal(diags.n_errors, 0);
        keys = arena_array(&arena, base->list.n + N, sizeof(*keys));
        v = arena_array(&arena, base->list.n + N, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < base->list.n + N; i++) {
                bool own = i >= base->list.n;

                v[i] = own ? more[i - base->list.n] : base->list.v[i];
                keys[i] = own ? (struct hcl_string){names[i - base->list.n], strlen(names[i - base->list.n])}
                              : base->list.keys[i];
        }
        all = (struct hcl_scope){.parent = &functions,
                                 .variables = hcl_object_value(&arena, keys, v, base->list.n + N)};
        return &all;
}

static const struct hcl_value *eval(const char *text)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_value *value = hcl_eval(&arena, parse(text), scope(), &diags);

        if (diags.n_errors > 0)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        return value;
}

struct row {
        const char *expr, *same_as;
};

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct hcl_value *value = eval(rows[i].expr), *wanted = eval(rows[i].same_as);

                if (!hcl_type_equal(value->type, wanted->type) || !hcl_value_equal(value, wanted))
                        fail_msg("%s is %s of type %s, not %s of type %s", rows[i].expr, hcl_value_text(&arena, value),
                                 hcl_type_text(&arena, value->type), hcl_value_text(&arena, wanted),
                                 hcl_type_text(&arena, wanted->type));
        }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_operators(void **state)
{
        static const struct row rows[] = {
                {"1 + 2 * 3", "7"},
                {"(1 + 2) * 3", "9"},
                {"7 % 3", "1"},
                {"-7 % 3", "-1"},
                {"7.5 % -2", "1.5"},
                {"0.1 + 0.2 == 0.3", "true"}, /* at 512 bits */
                {"1 / 4", "0.25"},
                {"\"5\" + \"6\"", "11"},
                {"-\"5\"", "-5"},
                {"!\"true\"", "false"},
                {"\"10\" > 9", "true"},
                {"2 <= 2", "true"},
                {"2 < 2", "false"},
                {"\"1\" == 1", "false"},
                {"1 == 1.0", "true"},
                {"[1] == [1.0]", "true"},
                {"{ a = 1 } != { a = 2 }", "true"},
                {"null == null", "true"},
                {"list == null", "false"},
                {"list == [\"a\", \"b\", \"c\"]", "false"}, /* a list is no tuple */
                {"true && false", "false"},
                {"true || false", "true"},
                {"false && null.x", "false"}, /* the left one decides */
                {"true || 1 / 0 > 1", "true"},
                {"false && u_bool", "false"},
                {"length(list) / length(map)", "1.5"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_conditionals(void **state)
{
        static const struct row rows[] = {
                {"yes ? 1 : 2", "1"},
                {"\"false\" ? 1 : 2", "2"},
                {"yes ? 1 : \"a\"", "\"1\""},
                {"yes ? true : \"a\"", "\"true\""},
                {"yes ? [1] : [2, 3]", "convert([1], list(number))"},
                {"yes ? [1] : [\"a\"]", "[\"1\"]"},
                {"yes ? [1, 2] : [\"a\"]", "convert([1, 2], list(string))"},
                {"yes ? list : [1]", "list"},
                {"yes ? [] : list", "convert([], list(string))"},
                {"yes ? { a = 1 } : { a = \"x\" }", "{ a = \"1\" }"},
                {"yes ? { a = 1 } : { b = \"x\" }", "convert({ a = 1 }, map(string))"},
                {"yes ? {} : map", "convert({}, map(string))"},
                {"yes ? set : [\"z\"]", "set"},
                {"yes ? null : 1", "convert(null, number)"},
                {"yes ? 1 : null", "1"},
                {"yes ? 1 : 1 / 0", "1"}, /* nothing is wrong with what is not taken */
                {"yes ? 1 : nosuch", "1"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_access(void **state)
{
        static const struct row rows[] = {
                {"obj.a.n", "1"},
                {"obj[\"a\"][\"b\"]", "\"x\""},
                {"obj.list[1]", "2"},
                {"obj.list.1", "2"},
                {"list[\"1\"]", "\"b\""},
                {"list[num - 1]", "\"b\""},
                {"tuple[1]", "\"two\""},
                {"map.a", "\"1\""},
                {"map[\"b\"]", "\"2\""},
                {"{ 1 = \"x\" }[1]", "\"x\""},
                {"{ null = 1, true = 2 }[\"null\"]", "1"},
                {"{ (str) = 1 }", "{ hello = 1 }"},
                {"{ a = 1, a = 2 }", "{ a = 2 }"}, /* the last one counts */
                {"{ \"a.b\" = 1 }", "{ \"a.b\" = 1 }"},
                {"{ 5 = 1 }[\"5\"]", "1"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_splats(void **state)
{
        static const struct row rows[] = {
                {"objs[*].n", "[\"x\", \"y\"]"},
                {"objs.*.n", "[\"x\", \"y\"]"},
                {"objs[*].l[0]", "[1, 3]"},
                {"objs.*.n[0]", "\"x\""},
                {"list[*]", "list"},
                {"set[*]", "convert([\"p\", \"q\"], list(string))"},
                {"str[*]", "[\"hello\"]"},
                {"null[*]", "[]"},
                {"null.*.x", "[]"},
                {"obj[*].a.n", "[1]"},
                {"empty[*].a", "convert([], list(string))"},
                {"[{ l = [{ x = 1 }, { x = 2 }] }, { l = [] }][*].l[*].x", "[[1, 2], []]"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_for(void **state)
{
        static const struct row rows[] = {
                {"[for x in list : upper(x)]", "[\"A\", \"B\", \"C\"]"},
                {"[for i, x in list : \"${i}${x}\" if i > 0]", "[\"1b\", \"2c\"]"},
                {"[for k, v in map : \"${k}=${v}\"]", "[\"a=1\", \"b=2\"]"},
                {"[for k, v in set : k == v]", "[true, true]"},
                {"[for x in [] : x.y]", "[]"},
                {"{ for x in list : x => upper(x) }", "{ a = \"A\", b = \"B\", c = \"C\" }"},
                {"{ for x in [\"b\", \"a\", \"b\"] : x => 1... }", "{ a = [1], b = [1, 1] }"},
                {"{ for i, x in list : i => x if x != \"b\" }", "{ \"0\" = \"a\", \"2\" = \"c\" }"},
                {"[for x in list : [for y in [1, 2] : \"${x}${y}\"]][2][1]", "\"c2\""},
                {"[for str in [1] : str]", "[1]"}, /* hides the variable */
                {"[for x, x in [5] : x]", "[5]"},
                {"{ for k, v in obj.a : k => v }", "{ b = \"x\", n = 1 }"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_templates(void **state)
{
        static const struct row rows[] = {
                {"\"a${num}b\"", "\"a2b\""},
                {"\"${num}\"", "2"},
                {"\"${[1]}\"", "[1]"},
                {"\"${\"${num}\"}\"", "2"},
                {"\" ${num}\"", "\" 2\""},
                {"\"%{ if yes }a%{ else }b%{ endif }\"", "\"a\""},
                {"\"%{ if !yes }a%{ endif }\"", "\"\""},
                {"\"%{ for x in list }${x},%{ endfor }\"", "\"a,b,c,\""},
                {"\"%{ for i, x in list }${i}%{ endfor }\"", "\"012\""},
                {"\"a ${~ str ~} b\"", "\"ahellob\""},
                {"\"$${a}%%{b}\"", "\"$\" == \"\" ? \"\" : join(\"\", [\"$\", \"{a}\", \"%\", \"{b}\"])"},
                {"\"e\\u0301\"", "\"\\u00e9\""}, /* NFC */
                {"\"${\"e\"}\\u0301\"", "\"\\u00e9\""},
                {"\"${true} ${1.50}\"", "\"true 1.5\""},
        };

        (void)state;
        CHECK_ROWS(rows);
}

static void test_calls(void **state)
{
        static const struct row rows[] = {
                {"upper(1)", "\"1\""},
                {"max(1, \"3\", 2)", "3"},
                {"max([1, 3]...)", "3"},
                {"max(5, [1, 3]...)", "5"},
                {"join(\",\", [\"a\"], list)", "\"a,a,b,c\""},
                {"core::upper(\"a\")", "\"A\""},
                {"try(1 / 0, \"x\")", "\"x\""},
                {"can(nosuch)", "false"},
        };

        (void)state;
        CHECK_ROWS(rows);
}

/* ---- unknown and sensitive ---- */

static void test_unknown(void **state)
{
        static const struct {
                const char *expr, *type;
        } rows[] = {
                {"u_any", "any"},
                {"u_any.x[0]", "any"},
                {"u_num + 1", "number"},
                {"u_num > 1", "bool"},
                {"u_bool && false", "bool"},
                {"!u_bool", "bool"},
                {"u_str == null", "bool"},
                {"u_str == \"a\"", "bool"},
                {"[u_str] == [\"a\"]", "bool"},
                {"\"a${u_str}\"", "string"},
                {"\"a${[u_any][0]}\"", "string"},
                {"u_list[0]", "string"},
                {"list[u_num]", "string"},
                {"tuple[u_num]", "any"},
                {"map[u_str]", "string"},
                {"u_list[*]", "list(string)"},
                {"u_str[*]", "any"},
                {"u_any[*].x", "any"},
                {"[for x in u_list : x]", "any"},
                {"[for x in list : x if u_bool]", "any"},
                {"{ for x in list : u_str => x }", "any"},
                {"u_bool ? 1 : 2", "number"},
                {"u_bool ? 1 : \"a\"", "string"},
                {"u_bool ? [1] : [1, 2]", "list(number)"},
                {"u_bool ? null : 1", "number"},
                {"{ (u_str) = 1 }", "any"},
                {"upper(u_str)", "string"},
                {"upper(u_any)", "string"},
                {"max(u_list...)", "any"},
                {"\"%{ for x in u_list }${x}%{ endfor }\"", "string"},
                {"\"%{ if u_bool }a%{ endif }\"", "string"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct hcl_value *value = eval(rows[i].expr);

                if (value->state != HCL_UNKNOWN)
                        fail_msg("%s is known: %s", rows[i].expr, hcl_value_text(&arena, value));
                assert_string_equal(hcl_type_text(&arena, value->type), rows[i].type);
        }
        assert_int_equal(eval("[u_str, 1]")->state, HCL_KNOWN);
        assert_int_equal(eval("u_str == 1")->state, HCL_KNOWN); /* of another type: different */
}

/* A secret stays one, however it is hidden in something else. */
static void test_sensitive(void **state)
{
        static const char *const sensitive[] = {
                "secret",
                "\"a${secret}\"",
                "[secret]",
                "{ a = { b = secret } }",
                "{ (secret) = 1 }",
                "secret == \"a\"",
                "[secret] == [1]",
                "hidden && true",
                "!hidden",
                "hidden ? 1 : 2",
                "upper(secret)",
                "length([secret])",
                "[for x in [secret] : x]",
                "[for x in list : x if hidden]",
                "{ for x in [secret] : x => 1 }",
                "[secret][0]",
                "{ a = secret }.a",
                "{ s3 = 1 }[secret]",
                "[{ a = secret }][*].a",
                "secret[*]",
                "\"%{ for x in [secret] }${x}%{ endfor }\"",
                "\"%{ if hidden }a%{ endif }\"",
                "convert([secret], set(string))",
                "true ? secret : 1",
                "max([1, 2, secret == 1 ? 1 : 2]...)",
                "\"${u_str}${secret}\"",
        };
        static const char *const open[] = {"[secret, 1][1]", "{ a = secret, b = 1 }.b", "true ? 1 : secret", "list"};

        (void)state;
        for (size_t i = 0; i < sizeof(sensitive) / sizeof(sensitive[0]); i++)
                if (!hcl_value_sensitive(eval(sensitive[i])))
                        fail_msg("%s is shown", sensitive[i]);
        for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
                if (hcl_value_sensitive(eval(open[i])))
                        fail_msg("%s is hidden", open[i]);
}

/* ---- messages ---- */

static void test_errors(void **state)
{
        static const struct {
                const char *expr, *message;
                size_t start, end;
        } rows[] = {
                {"1 + sttr", "there is no variable named 'sttr'; did you mean 'str'?", 4, 8},
                {"upprer(1)", "there is no function named 'upprer'; did you mean 'upper'?", 0, 6},
                {"upper()", "upper() needs 1 argument, but found 0: 'str' is missing", 6, 7},
                {"upper(1, 2)", "upper() takes 1 argument, but found 2", 9, 10},
                {"upper([])", "argument 'str' of upper(): string required, but found tuple", 6, 8},
                {"upper(null)", "argument 'str' of upper() must not be null", 6, 10},
                {"max(num...)", "the argument before ... must be a list, set or tuple, but is of type number", 4, 7},
                {"max(null...)", "the argument before ... is null; a list, set or tuple is needed", 4, 8},
                {"1 / 0", "division by zero", 0, 5},
                {"1 % (2 - 2)", "division by zero", 0, 11},
                {"\"a\" + 1", "this operand does not fit: a number is required, but found \"a\"", 0, 3},
                {"1 + secret", "this operand does not fit: a number is required, but found a string that is none", 4,
                 10},
                {"list && true", "this operand does not fit: bool required, but found list of string", 0, 4},
                {"null + 1", "this operand is null; a number is needed", 0, 4},
                {"!5", "this operand does not fit: bool required, but found number", 1, 2},
                {"obj.nme", "this object has no attribute 'nme'; did you mean 'name'?", 3, 7},
                {"obj[\"nme\"]", "this object has no attribute \"nme\"; did you mean 'name'?", 3, 10},
                {"map.c", "this map has no element 'c'", 3, 5},
                {"str.x", "attribute 'x' of an object or map is wanted, but this is a value of type string", 3, 5},
                {"objs.n", "a tuple of objects has no attribute 'n'; of one element it is [0].n, of all elements [*].n",
                 4, 6},
                {"null.x", "this value is null, so it has no attribute 'x'", 4, 6},
                {"list[3]", "the index 3 is too large: the list has 3 elements, 0 to 2", 4, 7},
                {"list[-1]", "the index -1 is negative; elements are counted from 0", 4, 8},
                {"list[0.5]", "the index 0.5 has a fractional part; a whole number is needed", 4, 9},
                {"[][0]", "the tuple has no elements, so there is none at index 0", 2, 5},
                {"list[\"x\"]", "this is no index of a list: a number is required, but found \"x\"", 4, 9},
                {"set[0]", "elements of a set have no index; use a 'for' expression or [*]", 3, 6},
                {"num[0]", "an index needs a list, tuple, map or object, but this is a value of type number", 3, 6},
                {"list[null]", "null is no index", 4, 10},
                {"obj.a[5]",
                 "this object has no attribute \"5\"; attributes of objects are found by name, not by number", 5, 8},
                {"null ? 1 : 2", "the condition is null; it must be true or false", 0, 4},
                {"5 ? 1 : 2", "the condition must be true or false: bool required, but found number", 0, 1},
                {"yes ? [] : {}",
                 "both results of a condition must be of types that have something in common, but found tuple([]) and "
                 "object({})",
                 6, 13},
                {"\"a${null}\"", "a template cannot include null", 4, 8},
                {"\"a${list}\"", "a template cannot include this: string required, but found list of string", 4, 8},
                {"[for x in null : x]", "'for' cannot go over null; a list, set, tuple, map or object is needed", 10,
                 14},
                {"[for x in 5 : x]", "'for' needs a list, set, tuple, map or object, but found a value of type number",
                 10, 11},
                {"[for x in list : x if 5]",
                 "the condition of 'for' must be true or false: bool required, but found number", 22, 23},
                {"[for x in list : x if null]", "the condition of 'for' is null; it must be true or false", 22, 26},
                {"{ for x in list : null => x }", "the key of a 'for' expression must not be null", 18, 22},
                {"{ for x in [\"k\", \"k\"] : x => 1 }",
                 "2 elements have the key \"k\"; write ... after the value to group what has the same key", 24, 25},
                {"{ (null) = 1 }", "null cannot be a key", 2, 8},
                {"{ (list) = 1 }", "this cannot be a key: string required, but found list of string", 2, 8},
                {"nolist[*]", "[*] cannot go over a list of string that is null", 0, 6},
                {"[for x in objs : x.z][0]", "this object has no attribute 'z'", 18, 20},
                {"9e99999 * 9e99999 * [for i in range(0) : 1][0]",
                 "the tuple has no elements, so there is none at index 0", 43, 46},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                const struct hcl_value *value = hcl_eval(&arena, parse(rows[i].expr), scope(), &diags);

                if (diags.n_errors != 1)
                        fail_msg("%s: %zu errors, first %s", rows[i].expr, diags.n_errors,
                                 diags.n_errors > 0 ? diags.list.v[0].summary : "none");
                assert_int_equal(value->state, HCL_UNKNOWN);
                assert_string_equal(diags.list.v[0].summary, rows[i].message);
                if (diags.list.v[0].range.start != rows[i].start || diags.list.v[0].range.end != rows[i].end)
                        fail_msg("%s: %s at %zu-%zu, not %zu-%zu", rows[i].expr, rows[i].message,
                                 diags.list.v[0].range.start, diags.list.v[0].range.end, rows[i].start, rows[i].end);
        }
}

static void test_without_scope(void **state)
{
        CLEANUP(diags_clear) struct diags diags = {0};

        (void)state;
        hcl_eval(&arena, parse("[x, upper(\"a\")]"), NULL, &diags);
        assert_int_equal(diags.n_errors, 2);
        assert_string_equal(diags.list.v[0].summary, "variables may not be used here, but found 'x'");
        assert_string_equal(diags.list.v[1].summary, "functions may not be called here, but found 'upper'");
}

/* Nothing that the language can build makes its own code recurse without limit. */
static void test_depth(void **state)
{
        static const char deeper[] =
                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[v]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
        const struct hcl_expr *expr = parse(deeper);
        const struct hcl_value *value = &hcl_true;
        CLEANUP(diags_clear) struct diags diags = {0};
        struct hcl_string key = {"v", 1};

        (void)state;
        for (int i = 0; i < 30 && diags.n_errors == 0; i++) {
                const struct hcl_value *members[] = {value};
                struct hcl_scope deep = {.variables = hcl_object_value(&arena, &key, members, 1)};

                value = hcl_eval(&arena, expr, &deep, &diags);
        }
        assert_true(diags.n_errors > 0);
        assert_non_null(strstr(diags.list.v[0].summary, "nested deeper than 1024 levels"));
}

/* Values that each hold the one before twice. */
static void test_weight(void **state)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("test", "[v, v]", 6);
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_value *value = &hcl_true;
        struct hcl_string key = {"v", 1};
        struct arena own = {0};

        (void)state;
        for (int i = 0; i < 60 && diags.n_errors == 0; i++) {
                const struct hcl_value *members[] = {value};
                struct hcl_scope scope = {.variables = hcl_object_value(&own, &key, members, 1)};

                value = hcl_eval(&own, hcl_parse_expr(&own, source, &diags), &scope, &diags);
        }
        assert_int_equal(diags.n_errors, 1);
        assert_string_equal(diags.list.v[0].summary, "this value has more than 2097152 others in it");
        arena_free(&own);
}

/* What belongs to a shell is met in templates most of all. */
static void test_shell_variable(void **state)
{
        static const char text[] = "\"echo ${HOME}\"";
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("test", text, strlen(text));
        const struct hcl_scope scope = {.variables = &hcl_empty_object};
        CLEANUP(diags_clear) struct diags diags = {0};
        struct arena own = {0};

        (void)state;
        hcl_eval(&own, hcl_parse_expr(&own, source, &diags), &scope, &diags);
        assert_int_equal(diags.n_errors, 1);
        assert_string_equal(diags.list.v[0].detail,
                            "If it is not meant for the template (but for a shell, say), write $${HOME}.");
        arena_free(&own);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_operators),
                cmocka_unit_test(test_conditionals),
                cmocka_unit_test(test_access),
                cmocka_unit_test(test_splats),
                cmocka_unit_test(test_for),
                cmocka_unit_test(test_templates),
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_sensitive),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_without_scope),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_shell_variable),
                cmocka_unit_test(test_weight),
        };

        return cmocka_run_group_tests(tests, NULL, release);
}
