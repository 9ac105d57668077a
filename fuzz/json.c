/* The JSON form: its reader, bodies by a schema, expressions. */
#include "fuzz.h"
#include "hcl/eval.h"

static const struct hcl_attr_schema attrs[] = {{"a", true}, {"b", false}};
static const struct hcl_block_schema blocks[] = {{.type = "c", .labels = {"type", "name"}}, {.type = "d"}};
static const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 2, .blocks = blocks, .n_blocks = 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        const struct hcl_scope scope = {0};
        struct arena arena = {0};
        struct diags diags = {0};
        struct value *json = NULL;
        const struct hcl_body *body = hcl_parse_json(&arena, source, &json, &diags);
        struct hcl_content content;

        hcl_body_partial(&arena, body, &schema, &scope, &content, &diags);
        hcl_body_attributes(&arena, content.rest, &content, &diags);
        hcl_body_content(&arena, body, &schema, NULL, &content, &diags);
        if (json)
                hcl_json_expr(&arena, json, &diags);
        diags_clear(&diags);
        arena_free(&arena);
        value_free(json);
        source_text_free(source);
        return 0;
}
