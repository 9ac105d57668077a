/* The lexer: tokens are in order and lie in the text, whatever that is. */
#include "hcl/lex.h"
#include "fuzz.h"

static void check(struct hcl_tokens tokens, size_t size)
{
        size_t end = 0;

        for (size_t i = 0; i < tokens.n; i++) {
                FUZZ_ASSERT(tokens.v[i].start >= end && tokens.v[i].end >= tokens.v[i].start);
                end = tokens.v[i].end;
        }
        FUZZ_ASSERT(tokens.n > 0 && end <= size && tokens.v[tokens.n - 1].type == HCL_TOKEN_EOF);
        hcl_tokens_free(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        struct diags diags = {0};

        check(hcl_lex(source, &diags), size);
        check(hcl_lex_template(source, &diags), size);
        diags_clear(&diags);
        source_text_free(source);
        return 0;
}
