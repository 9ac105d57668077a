/* How messages look. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lang/diag.h"

static char *print(const struct diags *diags)
{
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        diags_print(diags, stream, false);
        fclose(stream);
        return text;
}

static void test_snippet(void **state)
{
        static const char text[] = "{\n  \"image_sizes\": \"2G\"\n}\n";
        struct source_text *source = source_text_new("board.json", text, strlen(text));
        struct diags diags = {0};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        diag_error(&diags, (struct range){source, 4, 17}, "unknown key '%s'; did you mean '%s'?", "image_sizes",
                   "image_size");
        diag_detail(&diags, "First line.\nSecond line.");
        source_text_free(source); /* the message holds it */
        out = print(&diags);
        assert_string_equal(out, "Error: unknown key 'image_sizes'; did you mean 'image_size'?\n"
                                 "\n"
                                 "  on board.json line 2, column 3:\n"
                                 "  2:   \"image_sizes\": \"2G\"\n"
                                 "       ^~~~~~~~~~~~~\n"
                                 "\n"
                                 "  First line.\n"
                                 "  Second line.\n"
                                 "\n");
        diags_clear(&diags);
}

static void test_no_place(void **state)
{
        struct diags diags = {0};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        diag_warning(&diags, NO_RANGE, "nothing");
        assert_int_equal(diags.n_errors, 0);
        out = print(&diags);
        assert_string_equal(out, "Warning: nothing\n\n");
        diags_clear(&diags);
}

/* A line of bytes that begin no character, in the middle of which something is wrong: nothing before it is read. */
static void test_no_characters(void **state)
{
        char text[400];
        struct source_text *source;
        struct diags diags = {0};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        memset(text, 0x80, sizeof(text));
        source = source_text_new("f", text, sizeof(text));
        diag_error(&diags, (struct range){source, 0, 1}, "first");
        diag_error(&diags, (struct range){source, 300, 301}, "later");
        out = print(&diags);
        assert_string_equal(out, "Error: first\n\n  on f line 1, column 1:\n  1: \n     ^\n\n"
                                 "Error: later\n\n  on f line 1, column 1:\n  1: ...\n        ^\n\n");
        diags_clear(&diags);
        source_text_free(source);
}

/* Messages of one source in its order, out of it, and of another: each tells its own place. */
static void test_positions(void **state)
{
        struct source_text *a = source_text_new("a", "1\n22\n333\n", 9), *b = source_text_new("b", "x\ny", 3);
        const struct {
                struct range range;
                unsigned int line, column;
        } rows[] = {{{a, 2, 3}, 2, 1}, {{a, 7, 8}, 3, 3}, {{a, 3, 4}, 2, 2}, {{b, 2, 3}, 2, 1}, {{a, 5, 6}, 3, 1}};
        struct range_cursor cursor = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                range_locate(&rows[i].range, &cursor);
                assert_int_equal(cursor.line, rows[i].line);
                assert_int_equal(cursor.column, rows[i].column);
        }
        source_text_free(a);
        source_text_free(b);
}

/* Tabs, characters of several bytes, control characters, a range over several lines, the end of the file. */
static void test_odd_lines(void **state)
{
        static const char text[] = "\t\xc3\xa4\x1b[31m \"x\",\r\nend";
        struct source_text *source = source_text_new("f", text, strlen(text));
        struct diags diags = {0};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        diag_error(&diags, (struct range){source, 9, 20}, "one");
        diag_error(&diags, (struct range){source, strlen(text), strlen(text)}, "two");
        out = print(&diags);
        assert_string_equal(out, "Error: one\n\n  on f line 1, column 9:\n"
                                 "  1: \t\xc3\xa4?[31m \"x\",\n"
                                 "     \t       ^~~~\n\n"
                                 "Error: two\n\n  on f line 2, column 4:\n"
                                 "  2: end\n"
                                 "        ^\n\n");
        diags_clear(&diags);
        source_text_free(source);
}

static void test_long_line(void **state)
{
        char text[5001];
        struct source_text *source;
        struct diags diags = {0};
        CLEANUP_FREE char *out = NULL;

        (void)state;
        memset(text, 'x', 5000);
        text[5000] = '\0';
        source = source_text_new("f", text, 5000);
        diag_error(&diags, (struct range){source, 3000, 3010}, "far");
        out = print(&diags);
        assert_true(strlen(out) < 600);
        assert_non_null(strstr(out, "column 3001"));
        assert_non_null(strstr(out, "^~~~~~~~~~\n"));
        diags_clear(&diags);
        source_text_free(source);
}

static void test_read(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct source_text *source = NULL;

        (void)state;
        assert_int_equal(source_text_read("/nonexistent/board.json", &source, &err), -ENOENT);
        assert_null(source);
        assert_non_null(strstr(error_message(&err), "/nonexistent/board.json"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_snippet),       cmocka_unit_test(test_no_place),
                cmocka_unit_test(test_no_characters), cmocka_unit_test(test_positions),
                cmocka_unit_test(test_odd_lines),     cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
