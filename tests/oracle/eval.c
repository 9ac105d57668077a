/* Evaluates expressions, one a line of standard input, with all functions,
 * and prints each value as Packer's console does: strings as they are. Or the
 * first message after "Error: ". See tests/cli/functions.bats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hcl/function.h"
#include "hcl/syntax.h"

static void answer(const char *line, const struct hcl_scope *scope)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("<line>", line, strlen(line));
        CLEANUP(diags_clear) struct diags diags = {0};
        struct arena arena = {0};
        const struct hcl_expr *expr = hcl_parse_expr(&arena, source, &diags);
        const struct hcl_value *value = expr && diags.n_errors == 0 ? hcl_eval(&arena, expr, scope, &diags) : NULL;

        if (diags.n_errors > 0)
                printf("Error: %s\n", diags.list.v[0].summary);
        else if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING)
                printf("%s\n", value->string.s);
        else
                printf("%s\n", hcl_value_text(&arena, value));
        arena_free(&arena);
}

int main(void)
{
        const struct hcl_env env = {.base_dir = ".", .start = time(NULL)};
        const struct hcl_scope scope = {.functions = hcl_functions, .n_functions = hcl_n_functions, .env = &env};
        CLEANUP_FREE char *line = NULL;
        size_t size = 0;
        ssize_t n;

        while ((n = getline(&line, &size, stdin)) > 0) {
                line[strcspn(line, "\n")] = '\0';
                answer(line, &scope);
                fflush(stdout);
        }
        return 0;
}
