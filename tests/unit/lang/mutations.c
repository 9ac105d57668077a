/* The JSON reader, the {{ }} engine and the message printer fed with seeds
 * that were damaged at random, by a fixed sequence: they may refuse, but not
 * crash or leak (the sanitizers watch). What jansson refuses must be refused. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lang/interp.h"
#include "lang/value.h"
#include "mutate.h"

enum { ROUNDS = 6000, LENGTH_MAX = 2048 };

static void read_mutant(const char *text, size_t len)
{
        struct source_text *source = source_text_new("seed", text, len);
        struct diags diags = {0};
        struct value *value = json_read(source, &diags);
        json_error_t why;
        json_t *judged = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
        FILE *null = fopen("/dev/null", "w");

        if (value && !judged && json_error_code(&why) != json_error_numeric_overflow)
                fail_msg("jansson refuses: %s", text);
        if (value && judged) {
                json_t *json = value_to_json(value);

                assert_true(json_equal(json, judged));
                json_decref(json);
        }
        diags_print(&diags, null, true);
        fclose(null);
        json_decref(judged);
        value_free(value);
        diags_clear(&diags);
        source_text_free(source);
}

static void test_json(void **state)
{
        static const char seed[] =
                "{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude80\\n\"], \"b\": {\"\xc3\xa4\": {}}, "
                "\"c\": \"{{user `x`}}\", \"_d\": 12345678901234567890.5}";
        static const char *const tokens[] = {"{", "}",    "[",    "]",  ",",  ":",           "\"",
                                             "'", "\\",   "\\u",  "//", "/*", "*/",          "\\ud83d",
                                             "-", "1e99", "true", "\n", "#",  "\xef\xbb\xbf"};
        char text[LENGTH_MAX];

        (void)state;
        for (int i = 0; i < ROUNDS; i++) {
                memcpy(text, seed, sizeof(seed));
                read_mutant(text,
                            mutate(text, sizeof(seed) - 1, LENGTH_MAX, tokens, sizeof(tokens) / sizeof(tokens[0])));
        }
}

static void test_interp(void **state)
{
        static const char *const seeds[] = {
                "a {{if eq (user `x`) \"y\"}}{{upper .Path | printf \"%-10s|%5d\" 3}}{{else if not "
                "1}}b{{else}}c{{end}} d",
                "{{isotime \"2006-01-02 Mon Jan _2 15:04:05.000 PM -0700 MST\"}}{{strftime \"%Y %m %d %H\"}}",
                "{{split \"a-b\" \"-\" 1}}{{replace \"a\" \"b\" -1 \"aaa\"}}{{$x := 1.5}}{{$x = `r`}}{{slice \"abc\" 1 "
                "2}}",
                "{{- /* c */ -}} {{build `ID`}} {{and 1 (or 0 nil)}} {{print 1 'a' 0x1f}} {{urlquery \"\\x41 b\"}}",
        };
        static const char *const tokens[] = {
                "{{", "}}", "{{-", "-}}",  "|",      "(",    ")",    "\"",  "`",       "'",
                "$",  ":=", ".",   "if ",  "end",    "else", "%",    "%*d", "%99999d", "-9999999999999999999",
                "\\", "/*", "*/",  "user", "index ", "len ", "2006", "\xff"};
        static const struct interp_pair pairs[] = {{"x", "y"}, {"Path", "/p"}, {NULL, NULL}};
        const struct interp interp = {.user = pairs, .fields = pairs, .start = 1136214245};
        char text[LENGTH_MAX];

        (void)state;
        for (int i = 0; i < ROUNDS; i++) {
                const char *seed = seeds[i % 4];
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *out = NULL;

                memcpy(text, seed, strlen(seed) + 1);
                mutate(text, strlen(seed), LENGTH_MAX, tokens, sizeof(tokens) / sizeof(tokens[0]));
                if (interp_render(&interp, text, &out, &err) < 0)
                        assert_non_null(err.message);
                else
                        assert_non_null(out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_interp),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
