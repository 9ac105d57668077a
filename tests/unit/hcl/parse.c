/* The parser: trees, written as lists, and what it says about mistakes. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "hcl/syntax.h"

static const char *const op_names[] = {"||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "!", "-"};

static void dump(struct str *out, const struct hcl_expr *expr);

static void dump_literal(struct str *out, const struct hcl_value *value)
{
        struct arena arena = {0};

        if (value->state == HCL_NULL)
                str_add(out, "null");
        else if (value->type->kind == HCL_BOOL)
                str_add(out, value->boolean ? "true" : "false");
        else if (value->type->kind == HCL_NUMBER)
                str_add(out, hcl_number_text(&arena, value->number));
        else
                str_addf(out, "'%s'", value->string.s);
        arena_free(&arena);
}

static void dump_all(struct str *out, const char *head, const struct hcl_expr *const *v, size_t n)
{
        str_addf(out, "(%s", head);
        for (size_t i = 0; i < n; i++) {
                str_addc(out, ' ');
                dump(out, v[i]);
        }
        str_addc(out, ')');
}

static void dump_pairs(struct str *out, const struct hcl_expr *expr)
{
        str_add(out, "(object");
        for (size_t i = 0; i < expr->pairs.n; i++) {
                str_addc(out, ' ');
                dump(out, expr->pairs.v[i].key);
                str_addc(out, '=');
                dump(out, expr->pairs.v[i].value);
        }
        str_addc(out, ')');
}

static void dump_for(struct str *out, const struct hcl_for *loop)
{
        const struct hcl_expr *const parts[] = {loop->collection, loop->key, loop->value, loop->condition};

        str_addf(out, "(for %s,%s", loop->key_name ? loop->key_name : "", loop->value_name);
        for (size_t i = 0; i < 4; i++) {
                str_addc(out, ' ');
                if (parts[i])
                        dump(out, parts[i]);
                else
                        str_addc(out, '-');
        }
        str_add(out, loop->group ? " ...)" : ")");
}

static void dump(struct str *out, const struct hcl_expr *expr)
{
        const struct hcl_expr *const one[] = {expr->attr.operand};
        const struct hcl_expr *const two[] = {expr->index.operand, expr->index.index};
        const struct hcl_expr *const three[] = {expr->conditional.condition, expr->conditional.yes,
                                                expr->conditional.no};
        CLEANUP_FREE char *head = NULL;

        switch (expr->kind) {
        case HCL_EXPR_LITERAL:
                dump_literal(out, expr->literal);
                break;
        case HCL_EXPR_TEMPLATE:
        case HCL_EXPR_TUPLE:
                dump_all(out, expr->kind == HCL_EXPR_TUPLE ? "tuple" : "template", expr->items.v, expr->items.n);
                break;
        case HCL_EXPR_WRAP:
                dump_all(out, "wrap", one, 1);
                break;
        case HCL_EXPR_JOIN:
                dump_all(out, "join", one, 1);
                break;
        case HCL_EXPR_PARENS:
                dump_all(out, "parens", one, 1);
                break;
        case HCL_EXPR_VARIABLE:
                str_add(out, expr->attr.name);
                break;
        case HCL_EXPR_ATTR:
                head = xasprintf(".%s", expr->attr.name);
                dump_all(out, head, one, 1);
                break;
        case HCL_EXPR_INDEX:
                dump_all(out, "index", two, 2);
                break;
        case HCL_EXPR_SPLAT:
                dump_all(out, "splat", two, expr->splat.each ? 2 : 1);
                break;
        case HCL_EXPR_SPLAT_ITEM:
                str_add(out, "@");
                break;
        case HCL_EXPR_CALL:
                head = xasprintf("%s()%s", expr->call.name, expr->call.expand ? "..." : "");
                dump_all(out, head, expr->call.v, expr->call.n);
                break;
        case HCL_EXPR_CONDITIONAL:
                dump_all(out, "?", three, 3);
                break;
        case HCL_EXPR_UNARY:
                dump_all(out, op_names[expr->op], one, 1);
                break;
        case HCL_EXPR_BINARY:
                dump_all(out, op_names[expr->op], two, 2);
                break;
        case HCL_EXPR_OBJECT:
                dump_pairs(out, expr);
                break;
        case HCL_EXPR_FOR:
                dump_for(out, expr->loop);
                break;
        }
}

static void expect_tree(const char *text, bool template, const char *expected)
{
        struct source_text *source = source_text_new("test.hcl", text, strlen(text));
        struct diags diags = {0};
        struct arena arena = {0};
        const struct hcl_expr *expr =
                template ? hcl_parse_template(&arena, source, &diags) : hcl_parse_expr(&arena, source, &diags);
        CLEANUP_STR struct str out = {0};

        if (!expr || diags.list.n > 0)
                fail_msg("%s: %s", text, diags.list.n > 0 ? diags.list.v[0].summary : "no message");
        dump(&out, expr);
        assert_string_equal(str_get(&out), expected);
        arena_free(&arena);
        source_text_free(source);
}

static void test_operators(void **state)
{
        (void)state;
        expect_tree("1 + 2 * 3", false, "(+ 1 (* 2 3))");
        expect_tree("1 - 2 - 3", false, "(- (- 1 2) 3)");
        expect_tree("-1 + 2", false, "(+ (- 1) 2)");
        expect_tree("!a.b && c || d", false, "(|| (&& (! (.b a)) c) d)");
        expect_tree("a == b != c < d", false, "(!= (== a b) (< c d))");
        expect_tree("1 * 2 % 3 / 4 + 5 >= 6 && 7 <= 8", false, "(&& (>= (+ (/ (% (* 1 2) 3) 4) 5) 6) (<= 7 8))");
        expect_tree("a ? b : c ? d : e", false, "(? a b (? c d e))");
        expect_tree("a || b ? c : d", false, "(? (|| a b) c d)");
        expect_tree("(1 + 2) * --3", false, "(* (parens (+ 1 2)) (- (- 3)))");
        expect_tree("a\n+\nb", false, "(+ a b)");
}

static void test_terms(void **state)
{
        (void)state;
        expect_tree("true", false, "true");
        expect_tree("null", false, "null");
        expect_tree("12.5e1", false, "125");
        expect_tree("f()", false, "(f())");
        expect_tree("f(1,\n a...\n)", false, "(f()... 1 a)");
        expect_tree("core::upper(\"a\",)", false, "(core::upper() 'a')");
        expect_tree("[1, [2,], []]", false, "(tuple 1 (tuple 2) (tuple))");
        expect_tree("{}", false, "(object)");
        expect_tree("{ a = 1, \"b\" : 2\n (c) = 3\n\n true = 4, null = 5, }", false,
                    "(object a=1 'b'=2 (parens c)=3 'true'=4 'null'=5)");
        expect_tree("{ # x\n a = 1 # y\n b = 2 }", false, "(object a=1 b=2)");
        expect_tree("{ \"${a}-b\" = 1 }", false, "(object (template a '-b')=1)");
}

static void test_for(void **state)
{
        (void)state;
        expect_tree("[for x in y : x]", false, "(for ,x y - x -)");
        expect_tree("[\n for x in [1]:\n x if x > 0\n]", false, "(for ,x (tuple 1) - x (> x 0))");
        expect_tree("{for k, v in m : k => v}", false, "(for k,v m k v -)");
        expect_tree("{\nfor k, v in m : v => k... if k}", false, "(for k,v m v k k ...)");
}

static void test_traversals(void **state)
{
        (void)state;
        expect_tree("a.b[0].c[\"d\"][e]", false, "(index (index (.c (index (.b a) 0)) 'd') e)");
        expect_tree("a.0.b", false, "(.b (index a 0))");
        expect_tree("a.*.b.0.c", false, "(splat a (.c (index (.b @) 0)))");
        expect_tree("a.*.b[0]", false, "(index (splat a (.b @)) 0)");
        expect_tree("a[*].b[0].c", false, "(splat a (.c (index (.b @) 0)))");
        expect_tree("a[*]", false, "(splat a)");
        expect_tree("a[*][*].b", false, "(splat a (splat @ (.b @)))");
        expect_tree("f(x)[0].y", false, "(.y (index (f() x) 0))");
        expect_tree("[1][0]", false, "(index (tuple 1) 0)");
        expect_tree("a[\n0\n]", false, "(index a 0)");
}

static void test_strings(void **state)
{
        (void)state;
        expect_tree("\"\"", false, "''");
        expect_tree("\"a\\n\\t\\r\\\"\\\\\\u00e9\\U0001F600\"", false, "'a\n\t\r\"\\\xc3\xa9\xf0\x9f\x98\x80'");
        expect_tree("\"$${a} %%{b} $$ $\"", false, "'${a} %{b} $$ $'");
        expect_tree("\"e\xcc\x81\"", false, "'\xc3\xa9'"); /* NFC */
        expect_tree("\"${a}\"", false, "(wrap a)");
        expect_tree("\"${a} \"", false, "(template a ' ')");
        expect_tree("\"${a}${b}\"", false, "(template a b)");
        expect_tree("\"${\"${a}\"}\"", false, "(wrap (wrap a))");
        expect_tree("\"a  ${~ b ~}  c\"", false, "(template 'a' b 'c')");
        expect_tree("\" ${~ b ~} \"", false, "(template '' b '')");
}

static void test_directives(void **state)
{
        (void)state;
        expect_tree("\"%{ if a }b%{ else }c%{ endif }\"", false, "(template (? a 'b' 'c'))");
        expect_tree("\"%{ if a }${b}%{ endif }.\"", false, "(template (? a (template b) '') '.')");
        expect_tree("\"%{ for x in y }${x},%{ endfor }\"", false, "(template (join (for ,x y - (template x ',') -)))");
        expect_tree("\"%{for k,v in y}%{endfor}\"", false, "(template (join (for k,v y - '' -)))");
        expect_tree("\"x %{~ if a ~} b %{~ else ~} c %{~ endif ~} y\"", false, "(template 'x' (? a 'b' 'c') 'y')");
        expect_tree("a\n%{ if b ~}\n  c\n%{ endif ~}\nd\n", true, "(template 'a\n' (? b '  c\n' '') 'd\n')");
        expect_tree("plain\ntext", true, "'plain\ntext'");
        expect_tree("${a}", true, "(wrap a)");
        expect_tree("", true, "''");
}

static void test_heredocs(void **state)
{
        (void)state;
        expect_tree("<<E\n a\n  b\\n\nE\n", false, "' a\n  b\\n\n'");
        expect_tree("<<-E\n    a\n      b\n\n    c\n  E\n", false, "'a\n  b\n\nc\n'");
        expect_tree("<<-E\n    a\n   ${b} c\n  E\n", false, "(template ' a\n' b ' c\n')");
        expect_tree("<<-E\n    a ${b}\n      ${c}\n    E\n", false, "(template 'a ' b '\n  ' c '\n')");
        /* what was cut off by a marker joins two lines: the second one's spaces are no indentation */
        expect_tree("<<-E\n    ${a ~}\n  b\n  E\n", false, "(template '' a '  b\n')");
}

struct mistake {
        const char *text, *message;
        size_t start, end;
};

/* Checks the first message, and that there are n of them. */
static void expect_mistake(const struct mistake *mistake, bool body, size_t n)
{
        struct source_text *source = source_text_new("test.hcl", mistake->text, strlen(mistake->text));
        struct diags diags = {0};
        struct arena arena = {0};

        if (body)
                assert_non_null(hcl_parse(&arena, source, &diags));
        else
                assert_null(hcl_parse_expr(&arena, source, &diags));
        if (diags.list.n == 0)
                fail_msg("no message: %s", mistake->text);
        assert_string_equal(diags.list.v[0].summary, mistake->message);
        assert_int_equal(diags.list.v[0].range.start, mistake->start);
        assert_int_equal(diags.list.v[0].range.end, mistake->end);
        if (diags.list.n != n)
                fail_msg("%s: %zu messages, the second: %s", mistake->text, diags.list.n, diags.list.v[1].summary);
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
}

static void test_expression_mistakes(void **state)
{
        static const struct mistake mistakes[] = {
                {"", "a value was expected here, but the text ends", 0, 0},
                {"1 2", "the end of the expression was expected here, not '2'", 2, 3},
                {"(1", "')' was expected here, but the text ends", 2, 2},
                {"[1 2]", "',' or ']' was expected here, not '2'", 3, 4},
                {"f(1 2)", "',' or ')' was expected here, not '2'", 4, 5},
                {"f(a... , 1)", "')' was expected here, not ','", 7, 8},
                {"{ a }", "'=' was expected here, not '}'", 4, 5},
                {"{ a = 1 b = 2 }", "',', a new line or '}' was expected here, not 'b'", 8, 9},
                {"{ a.b = 1 }", "it is not clear whether this key is a reference or a name", 2, 5},
                {"a ? b", "':' was expected here, but the text ends", 5, 5},
                {"a.", "the name of an attribute was expected here, but the text ends", 2, 2},
                {"a.0.1", "an index after '.' is one whole number, not '0.1'", 2, 5},
                {"a.*.*", "the name of an attribute was expected here, not '*'", 4, 5},
                {"a[*", "']' was expected here, but the text ends", 3, 3},
                {"a[0", "']' was expected here, but the text ends", 3, 3},
                {"1.2.3", "'1.2.3' is not a number", 0, 5},
                {"x::y", "'(' of a call was expected here, but the text ends", 4, 4},
                {"[for x y : z]", "the word 'in' was expected here, not 'y'", 7, 8},
                {"[for x in y : k => v]", "in [for ...] no key is made; write {for ... : KEY => VALUE}", 14, 15},
                {"[for x in y : v...]", "'...' groups by keys, which are made in {for ...} only", 15, 18},
                {"{for x in y : v}", "in {for ...} a key and a value are made: KEY => VALUE", 14, 15},
                {"\"\\x\"", "the language does not know the escape \\x", 1, 3},
                {"\"\\u12\"", "four hexadecimal digits must follow \\u", 1, 3},
                {"\"\\ud800\"", "U+D800 is not a character", 1, 7},
                {"\"\\U00110000\"", "U+110000 is not a character", 1, 11},
                {"\"${a b}\"", "'}' was expected here, not 'b'", 5, 6},
                {"\"${}\"", "a value was expected here, not '}'", 3, 4},
                {"\"%{ fi a }\"", "if, else, endif, for or endfor was expected here, not 'fi'", 4, 6},
                {"\"%{ if a }\"", "this %{ if } is not ended: %{ endif } is missing", 1, 10},
                {"\"%{ endif }\"", "this %{ endif } ends nothing", 1, 11},
                {"\"%{ for a in b }%{ else }%{ endfor }\"", "%{ else } stands here where %{ endfor } was expected", 16,
                 25},
                {"\"%{ if a }%{ else }%{ else }%{ endif }\"", "%{ else } stands here where %{ endif } was expected", 19,
                 28},
                {"a @", "the character '@' has no meaning here", 2, 3},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
                expect_mistake(&mistakes[i], false, 1);
}

static void test_body_mistakes(void **state)
{
        static const struct mistake mistakes[] = {
                {"a = \"x\", b = \"y\"\n", "an argument ends with its line, not with a comma", 7, 8},
                {"a = 1 b = 2\n", "the end of the line was expected here, not 'b'", 6, 7},
                {"a\n", "'=' or '{' was expected after this name", 0, 1},
                {"a: 1\n", "'=' was expected after the name of an argument, not ':'", 0, 1},
                {"a\n# x\n{\n b = 1\n}\nc = 2\n", "the '{' of a block stands in the line in which the block begins", 6,
                 7},
                {"a \"b\"\n\n{\n b = {\n }\n}\nc {\n}\n",
                 "the '{' of a block stands in the line in which the block begins", 7, 8},
                {"a =\n", "a value was expected here, but the line ends", 3, 4},
                {"\"a\" = 1\n", "the name of an argument is written without quotes", 0, 1},
                {"a b\n", "a label or '{' was expected here, but the line ends", 3, 4},
                {"a \"b\" = 1\n", "a label or '{' was expected here, not '='", 6, 7},
                {"a \"${b}\" {\n}\n", "a label is a plain string: ${ has no meaning in it", 3, 5},
                {"a {\n b = 1\n", "this block is not closed: its '}' is missing", 2, 3},
                {"a {\n b {\n  c = 1\n", "this block is not closed: its '}' is missing", 7, 8},
                {"a { b = 1\n}\n", "'}' was expected here, but the line ends", 9, 10},
                {"a { b = 1, c = 2 }\n", "'}' was expected here, not ','", 9, 10},
                {"a { b { } }\n", "a block on one line cannot hold another block", 4, 7},
                {"a { } b = 1\n", "the end of the line was expected here, not 'b'", 6, 7},
                {"}\n", "the name of an argument or of a block was expected here, not '}'", 0, 1},
                {"a = 1\na = 2\n", "the argument 'a' is here twice", 6, 7},
                {"a = [1, 2\nb = 3\n", "',' or ']' was expected here, not 'b'", 10, 11},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
                expect_mistake(&mistakes[i], true, 1);
}

/* One message for each wrong argument or block; what is right is read. */
static void test_recovery(void **state)
{
        static const char text[] = "a = [1 2, {\n x = 1 }\n]\n"
                                   "b = 1\n"
                                   "c \"d\" {\n  e = f(1\n  g = 2\n}\n"
                                   "h {\n  i = \"x\n  j = 1 +\n  k = 2\n}\n"
                                   "l = 'x'\n"
                                   "m = 3\n";
        struct source_text *source = source_text_new("test.hcl", text, sizeof(text) - 1);
        struct diags diags = {0};
        struct arena arena = {0};
        const struct hcl_body *body = hcl_parse(&arena, source, &diags);

        (void)state;
        assert_int_equal(diags.list.n, 5);
        assert_int_equal(body->n_attrs, 4); /* those that are wrong too: they are not missing */
        assert_string_equal(body->attrs[1].name, "b");
        assert_string_equal(body->attrs[3].name, "m");
        assert_int_equal(body->attrs[0].expr->literal->state, HCL_UNKNOWN);
        assert_int_equal(body->n_blocks, 2);
        assert_int_equal(body->blocks[1].body->n_attrs, 3);
        assert_string_equal(body->blocks[1].body->attrs[2].name, "k");
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
}

static void assert_range(struct range range, size_t start, size_t end)
{
        assert_int_equal(range.start, start);
        assert_int_equal(range.end, end);
}

static void test_bodies(void **state)
{
        static const char text[] = "a = 1 # x\nb \"c\" d {\n  e = \"f\"\n  g {}\n  h { i = [\n] }\n}";
        struct source_text *source = source_text_new("test.hcl", text, sizeof(text) - 1);
        struct diags diags = {0};
        struct arena arena = {0};
        const struct hcl_body *body = hcl_parse(&arena, source, &diags);
        const struct hcl_block *block = body->blocks;

        (void)state;
        assert_int_equal(diags.list.n, 0);
        assert_int_equal(body->n_attrs, 1);
        assert_range(body->attrs[0].range, 0, 5);
        assert_range(body->attrs[0].name_range, 0, 1);
        assert_int_equal(body->n_blocks, 1);
        assert_string_equal(block->type, "b");
        assert_int_equal(block->n_labels, 2);
        assert_string_equal(block->labels[0].text, "c");
        assert_range(block->labels[0].range, 12, 15);
        assert_string_equal(block->labels[1].text, "d");
        assert_range(block->open_range, 10, 19);
        assert_range(block->close_range, sizeof(text) - 2, sizeof(text) - 1);
        assert_int_equal(block->body->n_attrs, 1);
        assert_int_equal(block->body->n_blocks, 2);
        assert_string_equal(block->body->blocks[1].body->attrs[0].name, "i");
        assert_range(body->end, sizeof(text) - 1, sizeof(text) - 1);
        arena_free(&arena);
        source_text_free(source);
}

/* head, n times open, middle, n times close */
static void expect_depth(const char *open, const char *middle, const char *close, size_t n, bool fits)
{
        CLEANUP_STR struct str text = {0};
        struct source_text *source;
        struct diags diags = {0};
        struct arena arena = {0};

        str_add(&text, "x = ");
        for (size_t i = 0; i < n; i++)
                str_add(&text, open);
        str_add(&text, middle);
        for (size_t i = 0; i < n; i++)
                str_add(&text, close);
        str_add(&text, "\n");
        source = source_text_new("test.hcl", str_get(&text), text.len);
        hcl_parse(&arena, source, &diags);
        if (fits && diags.list.n > 0)
                fail_msg("%s: %s", open, diags.list.v[0].summary);
        if (!fits) {
                assert_int_equal(diags.list.n, 1);
                assert_string_equal(diags.list.v[0].summary,
                                    "blocks, brackets and operators lie in each other more than 256 levels deep");
        }
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
}

static void test_depth(void **state)
{
        static const struct {
                const char *open, *middle, *close;
        } chains[] = {
                {"(", "1", ")"},       {"[", "", "]"},        {"{ a = ", "1", "}"}, {"f(", "", ")"},
                {"!", "a", ""},        {"-", "a", ""},        {"\"${", "a", "}\""}, {"\"a${", "a", "}\""},
                {"a ? b : ", "c", ""}, {"a ? ", "c", " : b"}, {"1 + ", "1", ""},    {"a[", "0", "]"},
                {"", "a", ".b"},       {"", "a", "[0]"},      {"", "a", "[*]"},     {"[for x in ", "y", ": x]"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
                expect_depth(chains[i].open, chains[i].middle, chains[i].close, 100, true);
                expect_depth(chains[i].open, chains[i].middle, chains[i].close, 300, false);
                expect_depth(chains[i].open, chains[i].middle, chains[i].close, 100000, false);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_operators),     cmocka_unit_test(test_terms),
                cmocka_unit_test(test_for),           cmocka_unit_test(test_traversals),
                cmocka_unit_test(test_strings),       cmocka_unit_test(test_directives),
                cmocka_unit_test(test_heredocs),      cmocka_unit_test(test_expression_mistakes),
                cmocka_unit_test(test_body_mistakes), cmocka_unit_test(test_recovery),
                cmocka_unit_test(test_bodies),        cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
