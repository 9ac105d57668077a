/* Templates and single expressions. */
#include "fuzz.h"
#include "hcl/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        struct arena arena = {0};
        struct diags diags = {0};
        const struct hcl_expr *expr = hcl_parse_template(&arena, source, &diags);

        FUZZ_ASSERT(!expr == (diags.n_errors > 0));
        if (expr)
                hcl_expr_references(&arena, expr);
        diags_clear(&diags);
        expr = hcl_parse_expr(&arena, source, &diags);
        FUZZ_ASSERT(!expr == (diags.n_errors > 0));
        if (expr)
                hcl_expr_type(&arena, expr, &diags);
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
        return 0;
}
