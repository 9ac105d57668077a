/* The parser of bodies, the formatter, and what a loose schema reads. What is
 * right stays right when it is formatted, and formatting twice is as once. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hcl/eval.h"
#include "hcl/format.h"

static const struct hcl_attr_schema attrs[] = {{"a", true}, {"b", false}};
static const struct hcl_block_schema blocks[] = {{.type = "c", .labels = {"type", "name"}}, {.type = "d"}};
static const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 2, .blocks = blocks, .n_blocks = 2};

static void read_body(struct arena *arena, const struct hcl_body *body, const struct hcl_scope *scope)
{
        struct diags diags = {0};
        struct hcl_content content;

        hcl_body_partial(arena, body, &schema, scope, &content, &diags);
        hcl_body_attributes(arena, content.rest, &content, &diags);
        hcl_body_content(arena, body, &schema, NULL, &content, &diags);
        diags_clear(&diags);
}

static void format_again(const char *once, size_t len)
{
        struct source_text *source = source_text_new("once", once, len);
        struct diags diags = {0};
        char *twice = NULL;
        size_t n;

        FUZZ_ASSERT(hcl_format(source, &twice, &n, &diags) == 0);
        FUZZ_ASSERT(n == len && memcmp(once, twice, n) == 0);
        free(twice);
        source_text_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        const struct hcl_scope scope = {0};
        struct arena arena = {0};
        struct diags diags = {0};
        const struct hcl_body *body = hcl_parse(&arena, source, &diags);
        char *once = NULL;
        size_t n;

        FUZZ_ASSERT(diags.n_errors < 100);
        read_body(&arena, body, &scope);
        if (diags.n_errors == 0) {
                FUZZ_ASSERT(hcl_format(source, &once, &n, &diags) == 0);
                format_again(once, n);
                free(once);
        }
        diags_clear(&diags);
        arena_free(&arena);
        source_text_free(source);
        return 0;
}
