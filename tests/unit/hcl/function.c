/* The table of functions: in order, complete, described; and every function
 * answers any arguments with a value of its type or with a message. */
#include "functest.h"

#include "base/file.h"

static void test_table(void **state)
{
        (void)state;
        assert_true(hcl_n_functions >= 104);
        for (size_t i = 0; i < hcl_n_functions; i++) {
                const struct hcl_function *function = hcl_functions[i];

                if (i > 0)
                        assert_true(strcmp(hcl_functions[i - 1]->name, function->name) < 0);
                assert_ptr_equal(hcl_function_find(hcl_functions, hcl_n_functions, function->name), function);
                assert_non_null(function->returns);
                assert_non_null(function->call);
                assert_true(strlen(function->help) > 10);
                for (size_t k = 0; k < function->n_params; k++)
                        assert_true(function->params[k].name && function->params[k].type);
        }
        assert_null(hcl_function_find(hcl_functions, hcl_n_functions, "aaa"));
        assert_null(hcl_function_find(hcl_functions, hcl_n_functions, "zzz"));
        assert_null(hcl_function_find(hcl_functions, 0, "abs"));
}

/* The page has each function's signature, as the table has it. */
static void add_signature(struct str *out, const struct hcl_function *function)
{
        str_addf(out, "\n.It Fn %s", function->name);
        for (size_t i = 0; i < function->n_params; i++)
                str_addf(out, " %s", function->params[i].name);
        if (function->variadic)
                str_addf(out, " %s...", function->variadic->name);
        str_add(out, "\n");
}

static void test_documented(void **state)
{
        CLEANUP_FREE char *page = NULL;
        size_t len;

        (void)state;
        assert_int_equal(file_read(MAN_PAGE, 0, &page, &len, NULL), 0);
        for (size_t i = 0; i < hcl_n_functions; i++) {
                CLEANUP_STR struct str signature = {0};

                add_signature(&signature, hcl_functions[i]);
                if (!strstr(page, str_get(&signature)))
                        fail_msg("slipway-functions.7 lacks%s", str_get(&signature));
        }
}

/* What the page gives as examples is so: lines "EXPRESSION => VALUE". */
static void test_examples(void **state)
{
        CLEANUP_FREE char *page = NULL;
        size_t len, n = 0;

        (void)state;
        assert_int_equal(file_read(MAN_PAGE, 0, &page, &len, NULL), 0);
        for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n")) {
                CLEANUP_STR struct str plain = {0};
                struct expectation row;
                char *arrow;

                if (*line == '.' || !strstr(line, " => "))
                        continue;
                for (const char *s = line; *s; s++) { /* mdoc(7) wants backslashes as \e */
                        str_addc(&plain, *s);
                        s += *s == '\\' && s[1] == 'e';
                }
                arrow = strstr(plain.s, " => ");
                *arrow = '\0';
                row = (struct expectation){plain.s, arrow + 4};
                check_in(&row, 1, &test_env);
                n++;
        }
        assert_true(n > 90);
}

static const char *const odd[] = {
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e300",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"a\"",
        "\"a\\u0000b\"",
        "\"%s\"",
        "\"10.0.0.0/8\"",
        "\"::/0\"",
        "\"(a*)*\"",
        "\"[\"",
        "\"{\"",
        "\"2020-01-01T00:00:00Z\"",
        "\"aGVsbG8=\"",
        "\"/\"",
        "\"é🇩🇪\"",
        "[]",
        "[1, \"a\", null]",
        "[[1], {a = 1}]",
        "{}",
        "{a = 1, \"é\" = [null]}",
        "convert([\"b\", \"a\"], set(string))",
        "convert({a = 1}, map(any))",
        "pow(10, 400)",
        "nothing",
        "hidden",
        "later",
};
enum { N_ODD = sizeof(odd) / sizeof(odd[0]) };

/* A generator of numbers that gives the same ones in every run. */
static unsigned int next_random(unsigned int *seed)
{
        *seed = *seed * 1103515245 + 12345;
        return *seed >> 16;
}

static void call_with_odd(const char *name, size_t n, unsigned int *seed, const struct hcl_value *variables)
{
        CLEANUP_STR struct str text = {0};
        CLEANUP_FREE char *answer = NULL;

        str_addf(&text, "%s(", name);
        for (size_t i = 0; i < n; i++)
                str_addf(&text, "%s%s", i > 0 ? ", " : "", odd[next_random(seed) % N_ODD]);
        str_add(&text, ")");
        answer = answer_in(str_get(&text), &test_env, variables);
        if (strstr(str_get(&text), "hidden") && strstr(answer, "deep secret"))
                fail_msg("%s shows what is sensitive: %s", str_get(&text), answer);
}

static void test_odd_arguments(void **state)
{
        struct arena arena = {0};
        struct hcl_string keys[] = {{"hidden", 6}, {"later", 5}};
        const struct hcl_value *v[] = {hcl_mark_sensitive(&arena, hcl_string_from(&arena, "deep secret")),
                                       hcl_unknown(&arena, &hcl_any)};
        const struct hcl_value *variables = hcl_object_value(&arena, keys, v, 2);
        unsigned int seed = 1;

        (void)state;
        for (size_t i = 0; i < hcl_n_functions; i++) {
                const struct hcl_function *function = hcl_functions[i];
                size_t most = function->n_params + (function->variadic ? 3 : 0);

                for (int k = 0; k < (strcmp(function->name, "bcrypt") == 0 ? 5 : 120); k++)
                        call_with_odd(function->name, function->n_params + k % (most - function->n_params + 1), &seed,
                                      variables);
        }
        arena_free(&arena);
}

static void test_sensitive(void **state)
{
        struct arena arena = {0};
        struct hcl_string keys[] = {{"secret", 6}};
        const struct hcl_value *v[] = {hcl_mark_sensitive(&arena, hcl_string_from(&arena, "deep"))};
        const struct hcl_value *variables = hcl_object_value(&arena, keys, v, 1);
        static const char *const failing[] = {
                "cidrnetmask(secret)", "parseint(secret, 2)", "jsondecode(secret)",      "regex(secret, \"x\")",
                "file(secret)",        "abs(secret)",         "convert(secret, number)", "try(cidrnetmask(secret))"};
        static const char *const calls[] = {"upper(secret)", "jsonencode([secret])", "length(secret)",
                                            "format(\"%s\", secret)", "try(secret, 1)"};

        (void)state;
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
                CLEANUP_FREE char *answer = answer_in(calls[i], &test_env, variables);

                assert_non_null(strstr(answer, "sensitive"));
                assert_null(strstr(answer, "deep"));
        }
        for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
                CLEANUP_FREE char *answer = answer_in(failing[i], &test_env, variables);

                assert_non_null(strstr(answer, "Error: "));
                assert_null(strstr(answer, "deep"));
        }
        arena_free(&arena);
}

/* Each function limits what it makes; many calls are limited by what is in the arena. */
static void test_memory(void **state)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("test", "upper(1)", 8);
        const struct hcl_scope scope = {.functions = hcl_functions, .n_functions = hcl_n_functions};
        CLEANUP(diags_clear) struct diags diags = {0};
        struct arena arena = {.used = (size_t)2 << 30};

        (void)state;
        hcl_eval(&arena, hcl_parse_expr(&arena, source, &diags), &scope, &diags);
        assert_int_equal(diags.n_errors, 1);
        assert_string_equal(diags.list.v[0].summary, "the values made so far take more than 1024 MiB");
        arena_free(&arena);
}

static void test_times(void **state)
{
        static const struct expectation rows[] = {
                {"timestamp()", "2006-01-02T15:04:05Z"},
                {"legacy_isotime()", "2006-01-02T15:04:05Z"},
                {"legacy_isotime(\"Mon Jan _2 15:04:05 2006\")", "Mon Jan  2 15:04:05 2006"},
                {"legacy_strftime()", "2006-01-02T15:04:05Z"},
                {"legacy_strftime(\"%Y-%m-%d %H:%M:%S\")", "2006-01-02 15:04:05"},
        };

        (void)state;
        CHECK(rows);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),     cmocka_unit_test(test_documented),
                cmocka_unit_test(test_examples),  cmocka_unit_test(test_odd_arguments),
                cmocka_unit_test(test_sensitive), cmocka_unit_test(test_times),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
