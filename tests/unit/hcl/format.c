/* The formatter: its rules one by one, and that formatting twice is as once. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "hcl/format.h"

static char *format(const char *text)
{
        struct source_text *source = source_text_new("test.hcl", text, strlen(text));
        struct diags diags = {0};
        char *out = NULL;
        size_t len;

        if (hcl_format(source, &out, &len, &diags) < 0)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        assert_int_equal(strlen(out), len);
        source_text_free(source);
        return out;
}

static void expect(const char *text, const char *expected)
{
        CLEANUP_FREE char *once = format(text), *twice = format(once);

        assert_string_equal(once, expected);
        assert_string_equal(twice, once);
}

static void test_columns(void **state)
{
        (void)state;
        expect("a=1\nbcd =2\n\nefgh=  3\n", "a   = 1\nbcd = 2\n\nefgh = 3\n");
        expect("a = 1 # x\nbcd = 234  // y\ne=1\nf=2 # z\n", "a   = 1   # x\nbcd = 234 // y\ne   = 1\nf   = 2 # z\n");
        expect("\xc3\xa4 = 1\nb\xcc\x81"
               "c = 2\n",
               "\xc3\xa4  = 1\nb\xcc\x81"
               "c = 2\n");
        /* what goes on in the next line is in no column */
        expect("a = 1\nlong = [\n1,\n]\nb = 2\n", "a = 1\nlong = [\n  1,\n]\nb = 2\n");
        expect("# one\na = 1\n   # two\n", "# one\na = 1\n# two\n");
}

static void test_indentation(void **state)
{
        (void)state;
        expect("a {\nb {\n      c = 1\n}\n}\n", "a {\n  b {\n    c = 1\n  }\n}\n");
        expect("a = [{\nb = 1\n}]\n", "a = [{\n  b = 1\n}]\n");
        expect("a = f(\n1,\n[\n2,\n3])\n", "a = f(\n  1,\n  [\n    2,\n3])\n");
        expect("\ta {\n\t}\n   \n", "a {\n}\n\n");
        expect("a {   }\nb{c=1}\n", "a {}\nb { c = 1 }\n");
}

static void test_spaces(void **state)
{
        (void)state;
        expect("a=f( 1 ,2 , [ 3,4 ] ... )\n", "a = f(1, 2, [3, 4]...)\n");
        expect("a = { b=1,c=2 }\n", "a = { b = 1, c = 2 }\n");
        expect("a = -1 - - 2*( -3 )\n", "a = -1 - -2 * (-3)\n");
        expect("a = ! b&&c ||d\n", "a = !b && c || d\n");
        expect("a = b?c:d\n", "a = b ? c : d\n");
        expect("a = b . c [ 0 ] [*] . d\n", "a = b.c[0][*].d\n");
        expect("a = [for x in[1]:x if x>0]\n", "a = [for x in [1] : x if x > 0]\n");
        expect("a = {for k,v in m:k=>v...}\n", "a = { for k, v in m : k => v... }\n");
        expect("a=b.0 . c[1 .2]\n", "a = b.0 .c[1 .2]\n"); /* 1.2 would be one number */
        expect("a=b[2.2.   3]\n", "a = b[2.2. 3]\n");
        expect("a=b.0.c\n", "a = b.0.c\n");
        expect("a   \"b\"   c{\n}\n", "a \"b\" c {\n}\n");
        expect("a = core :: upper ( b )\n", "a = core::upper(b)\n");
        expect("a = 1 /* x */ + 2\n", "a = 1 /* x */ + 2\n");
}

static void test_templates(void **state)
{
        (void)state;
        expect("a = \"  x  ${ b }  y  \"\n", "a = \"  x  ${b}  y  \"\n");
        expect("a = \"${ {b=1} }%{if  c}d%{ endif }\"\n", "a = \"${ { b = 1 } }%{if c}d%{endif}\"\n");
        expect("a = \"${~ b ~}\"\n", "a = \"${~b~}\"\n");
        expect("a=<<EOT\n   x   \n ${ b }\n\tEOT\nc  = 1\n", "a = <<EOT\n   x   \n ${b}\n\tEOT\nc = 1\n");
        expect("a {\nb = <<-E\n x\n  E\n c=1\n}\n", "a {\n  b = <<-E\n x\n  E\n  c = 1\n}\n");
}

static void test_ends(void **state)
{
        (void)state;
        expect("", "");
        expect("a=1", "a = 1");
        expect("a=1  ", "a = 1");
        expect("a=1 # x", "a = 1 # x");
        expect("a=1\r\nbb=2 # x\r\n", "a  = 1\r\nbb = 2 # x\r\n");
        expect("\xef\xbb\xbf a=1\n", "a = 1\n");
}

static void test_mistakes(void **state)
{
        struct source_text *source = source_text_new("test.hcl", "a = [1\n", 7);
        struct diags diags = {0};
        char *out = NULL;
        size_t len;

        (void)state;
        assert_int_equal(hcl_format(source, &out, &len, &diags), -EINVAL);
        assert_null(out);
        assert_int_equal(diags.list.n, 1);
        diags_clear(&diags);
        source_text_free(source);
}

static void expect_diff(const char *before, const char *after, const char *expected)
{
        CLEANUP_FREE char *diff = hcl_format_diff("x", before, after);

        assert_string_equal(diff, expected);
}

static void test_diff(void **state)
{
        (void)state;
        expect_diff("a\n", "b\n", "--- old/x\n+++ new/x\n@@ -1 +1 @@\n-a\n+b\n");
        expect_diff("1\n2\n3\n4\n5\na\nb\n8\n9\n10\n11\nc", "1\n2\n3\n4\n5\nA\nB\n8\n9\n10\n11\nC",
                    "--- old/x\n+++ new/x\n@@ -3,10 +3,10 @@\n 3\n 4\n 5\n-a\n-b\n+A\n+B\n 8\n 9\n 10\n 11\n"
                    "-c\n\\ No newline at end of file\n+C\n\\ No newline at end of file\n");
        expect_diff("a\n2\n3\n4\n5\n6\n7\n8\nb\n10\n", "A\n2\n3\n4\n5\n6\n7\n8\nB\n10\n",
                    "--- old/x\n+++ new/x\n@@ -1,4 +1,4 @@\n-a\n+A\n 2\n 3\n 4\n@@ -6,5 +6,5 @@\n 6\n 7\n 8\n-b\n+B\n "
                    "10\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_columns),   cmocka_unit_test(test_indentation), cmocka_unit_test(test_spaces),
                cmocka_unit_test(test_templates), cmocka_unit_test(test_ends),        cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_diff),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
