/* What a case expects, from its NAME.t: see suite.h. */
#include <string.h>

#include "base/str.h"
#include "suite.h"

static void read_number(struct arena *arena, const struct hcl_content *content, const char *name, int64_t *ret,
                        struct diags *diags)
{
        const struct hcl_attr *attr = hcl_content_attr(content, name);

        if (attr && !hcl_number_int(hcl_eval(arena, attr->expr, NULL, diags), ret))
                diag_error(diags, attr->range, "a whole number is needed");
}

static void read_position(struct arena *arena, const struct hcl_body *body, struct position *ret, struct diags *diags)
{
        static const struct hcl_attr_schema attrs[] = {{"line", true}, {"column", true}, {"byte", true}};
        const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 3};
        struct hcl_content content = {0};

        hcl_body_content(arena, body, &schema, NULL, &content, diags);
        read_number(arena, &content, "line", &ret->line, diags);
        read_number(arena, &content, "column", &ret->column, diags);
        read_number(arena, &content, "byte", &ret->byte, diags);
}

/* from {} and to {}, in the block itself or in a range {} in it. */
static void read_range(struct arena *arena, const struct hcl_content *content, struct place *ret, struct diags *diags)
{
        static const struct hcl_block_schema blocks[] = {{.type = "from"}, {.type = "to"}};
        const struct hcl_body_schema schema = {.blocks = blocks, .n_blocks = 2};

        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];
                struct hcl_content range = {0};

                if (str_eq(block->type, "from") || str_eq(block->type, "to")) {
                        read_position(arena, block->body, *block->type == 'f' ? &ret->from : &ret->to, diags);
                } else {
                        hcl_body_content(arena, block->body, &schema, NULL, &range, diags);
                        read_range(arena, &range, ret, diags);
                }
        }
}

/* The reference as text, by which those found are compared: "a.b[0]". */
static const char *reference_text(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        CLEANUP_STR struct str text = {0};
        struct hcl_traversal traversal;

        if (!hcl_expr_traversal(arena, expr, &traversal)) {
                diag_error(diags, expr->range, "a reference is needed here: a.b[0]");
                return "";
        }
        str_add(&text, traversal.root);
        for (size_t i = 0; i < traversal.n_steps; i++) {
                if (traversal.steps[i].index)
                        str_addf(&text, "[%s]", hcl_value_text(arena, traversal.steps[i].index));
                else
                        str_addf(&text, ".%s", traversal.steps[i].name);
        }
        return arena_strdup(arena, str_get(&text));
}

static struct places read_places(struct arena *arena, const struct hcl_body *body, bool references, struct diags *diags)
{
        static const struct hcl_attr_schema ref[] = {{"ref", true}};
        static const struct hcl_block_schema kinds[] = {{.type = "error"}, {.type = "warning"}, {.type = "expect"}};
        static const struct hcl_block_schema positions[] = {{.type = "from"}, {.type = "to"}, {.type = "range"}};
        const struct hcl_body_schema schema = {.blocks = kinds + 2 * references, .n_blocks = references ? 1 : 2};
        const struct hcl_body_schema inner = {ref, references, positions, 3};
        struct hcl_content content = {0};
        struct place *v;

        hcl_body_content(arena, body, &schema, NULL, &content, diags);
        v = arena_array(arena, content.n_blocks, sizeof(*v));
        for (size_t i = 0; i < content.n_blocks; i++) {
                struct hcl_content place = {0};

                hcl_body_content(arena, content.blocks[i].body, &inner, NULL, &place, diags);
                read_range(arena, &place, &v[i], diags);
                v[i].severity = str_eq(content.blocks[i].type, "warning") ? SEVERITY_WARNING : SEVERITY_ERROR;
                v[i].text = place.n_attrs > 0 ? reference_text(arena, place.attrs[0].expr, diags) : "a message";
        }
        return (struct places){.v = v, .n = content.n_blocks};
}

static void read_result(struct arena *arena, const struct hcl_attr *attr, struct expected *ret, struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *value = hcl_eval(arena, attr->expr, NULL, diags);

        if (hcl_convert(arena, value, ret->type, &ret->result, &err) < 0)
                diag_error(diags, attr->expr->range, "this is not of the result_type: %s", error_message(&err));
}

bool expected_read(struct arena *arena, const struct source_text *source, struct expected *ret, struct diags *diags)
{
        static const struct hcl_attr_schema attrs[] = {{"result", false}, {"result_type", false}};
        static const struct hcl_block_schema blocks[] = {{.type = "traversals"}, {.type = "diagnostics"}};
        const struct hcl_body_schema schema = {attrs, 2, blocks, 2};
        const struct hcl_body *body = hcl_parse(arena, source, diags);
        struct hcl_content content = {0};
        const struct hcl_attr *type, *result;

        *ret = (struct expected){.type = &hcl_any};
        if (diags->n_errors > 0 || hcl_body_content(arena, body, &schema, NULL, &content, diags) < 0)
                return false;
        type = hcl_content_attr(&content, "result_type");
        if (type)
                ret->type = hcl_expr_type(arena, type->expr, diags);
        result = hcl_content_attr(&content, "result");
        if (result && ret->type)
                read_result(arena, result, ret, diags);
        for (size_t i = 0; i < content.n_blocks; i++) {
                bool references = str_eq(content.blocks[i].type, "traversals");
                struct places places = read_places(arena, content.blocks[i].body, references, diags);

                *(references ? &ret->references : &ret->diags) = places;
                ret->checks_references |= references;
        }
        return diags->n_errors == 0;
}
