/* Evaluation with all functions but those that read files. What comes out can
 * be shown, compared with itself and converted to a string or not. */
#include <string.h>

#include "base/str.h"
#include "fuzz.h"
#include "hcl/function.h"

enum { FUNCTIONS_MAX = 256 };

static const struct hcl_function *functions[FUNCTIONS_MAX];
static size_t n_functions;

static void choose_functions(void)
{
        for (size_t i = 0; i < hcl_n_functions && n_functions < FUNCTIONS_MAX; i++)
                if (!strstr(hcl_functions[i]->name, "file"))
                        functions[n_functions++] = hcl_functions[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        const struct hcl_env env = {.base_dir = "/nonexistent", .start = 1136214245};
        struct arena arena = {0};
        struct diags diags = {0};
        struct error err = {0};
        const struct hcl_expr *expr = hcl_parse_expr(&arena, source, &diags);
        const struct hcl_value *value, *text;

        if (n_functions == 0)
                choose_functions();
        if (expr) {
                const struct hcl_scope scope = {.functions = functions, .n_functions = n_functions, .env = &env};

                value = hcl_eval(&arena, expr, &scope, &diags);
                FUZZ_ASSERT(value);
                hcl_value_text(&arena, value);
                if (hcl_value_known(value) && !hcl_value_sensitive(value))
                        FUZZ_ASSERT(hcl_value_compare(value, value) == 0);
                if (hcl_convert(&arena, value, &hcl_string, &text, &err) < 0)
                        FUZZ_ASSERT(err.message);
        }
        error_clear(&err);
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
        return 0;
}
