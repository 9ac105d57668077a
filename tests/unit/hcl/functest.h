/* For tests of functions: tables of expressions and what they give, through
 * the parser and the evaluator. Strings give their text, other values what the
 * console prints on one line, errors "Error: " and the first message. */
#pragma once

#include <string.h>

#include "test.h"

#include "base/str.h"
#include "hcl/function.h"
#include "hcl/syntax.h"

struct expectation {
        const char *expr, *expected;
};

static inline void one_line(struct str *out, const char *text)
{
        for (; *text; text++) {
                if (*text == '\n') {
                        text += strspn(text, "\n ");
                        str_addc(out, ' ');
                        text--;
                } else {
                        str_addc(out, *text);
                }
        }
}

/* The caller frees. */
static inline char *answer_in(const char *text, const struct hcl_env *env, const struct hcl_value *variables)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("test", text, strlen(text));
        CLEANUP(diags_clear) struct diags diags = {0};
        struct hcl_scope scope = {
                .variables = variables, .functions = hcl_functions, .n_functions = hcl_n_functions, .env = env};
        struct arena arena = {0};
        const struct hcl_expr *expr = hcl_parse_expr(&arena, source, &diags);
        const struct hcl_value *value = expr && diags.n_errors == 0 ? hcl_eval(&arena, expr, &scope, &diags) : NULL;
        struct str out = {0};

        if (diags.n_errors > 0)
                str_addf(&out, "Error: %s", diags.list.v[0].summary);
        else if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING && !value->sensitive)
                str_add(&out, value->string.s);
        else
                one_line(&out, hcl_value_text(&arena, value));
        arena_free(&arena);
        return str_steal(&out);
}

static inline void check_in(const struct expectation *rows, size_t n, const struct hcl_env *env)
{
        for (size_t i = 0; i < n; i++) {
                CLEANUP_FREE char *got = answer_in(rows[i].expr, env, NULL);

                if (strcmp(got, rows[i].expected) != 0)
                        fail_msg("%s\n  gave:   %s\n  wanted: %s", rows[i].expr, got, rows[i].expected);
        }
}

/* 2006-01-02T15:04:05Z, a Monday */
static const struct hcl_env test_env = {.base_dir = ".", .start = 1136214245};

#define CHECK(rows) check_in(rows, sizeof(rows) / sizeof((rows)[0]), &test_env)
