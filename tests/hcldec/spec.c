/* Specification files: see hcldec.h. */
#include "hcldec.h"

#include <string.h>

#include "base/str.h"

/* Which arguments and nested specifications each kind has. */
static const struct row {
        const char *type;
        enum spec_kind kind;
        const char *args[3]; /* those that must be there first */
        size_t required, min_nested, max_nested;
} rows[] = {
        {"array", SPEC_ARRAY, {0}, 0, 0, SIZE_MAX},
        {"attr", SPEC_ATTR, {"name", "type", "required"}, 0, 0, 0},
        {"block", SPEC_BLOCK, {"block_type", "required"}, 0, 1, 1},
        {"block_attrs", SPEC_BLOCK_ATTRS, {"block_type", "element_type", "required"}, 0, 0, 0},
        {"block_label", SPEC_BLOCK_LABEL, {"index", "name"}, 1, 0, 0},
        {"block_list", SPEC_BLOCK_LIST, {"block_type", "min_items", "max_items"}, 0, 1, 1},
        {"block_map", SPEC_BLOCK_MAP, {"labels", "block_type"}, 1, 1, 1},
        {"block_object", SPEC_BLOCK_OBJECT, {"labels", "block_type"}, 1, 1, 1},
        {"block_set", SPEC_BLOCK_SET, {"block_type", "min_items", "max_items"}, 0, 1, 1},
        {"block_tuple", SPEC_BLOCK_TUPLE, {"block_type", "min_items", "max_items"}, 0, 1, 1},
        {"default", SPEC_DEFAULT, {0}, 0, 1, SIZE_MAX},
        {"literal", SPEC_LITERAL, {"value"}, 1, 0, 0},
        {"object", SPEC_OBJECT, {0}, 0, 0, SIZE_MAX},
        {"transform", SPEC_TRANSFORM, {"result"}, 1, 1, 1},
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct spec *read_block(struct arena *arena, const struct hcl_block *block, struct diags *diags);

static const struct row *row_of(const char *type)
{
        const struct row *row = rows;

        while (!str_eq(row->type, type))
                row++;
        return row;
}

/* ---- arguments ---- */

static const struct hcl_value *evaluate(struct arena *arena, const struct hcl_attr *attr, const struct hcl_type *type,
                                        struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        size_t errors = diags->n_errors;
        const struct hcl_value *value = hcl_eval(arena, attr->expr, spec_scope(arena), diags), *ret = NULL;

        if (diags->n_errors > errors)
                return NULL;
        if (hcl_convert(arena, value, type, &ret, &err) < 0)
                diag_error(diags, attr->expr->range, "argument '%s': %s", attr->name, error_message(&err));
        else if (type->kind != HCL_ANY && !hcl_value_known(ret))
                diag_error(diags, attr->expr->range, "argument '%s' is not known", attr->name);
        return ret;
}

static void set_text(struct arena *arena, struct spec *spec, const struct hcl_attr *attr, struct diags *diags)
{
        const struct hcl_value *value = evaluate(arena, attr, &hcl_string, diags);

        if (value && value->state == HCL_KNOWN)
                spec->name = value->string.s;
}

static void set_labels(struct arena *arena, struct spec *spec, const struct hcl_attr *attr, struct diags *diags)
{
        const struct hcl_value *value = evaluate(arena, attr, hcl_type_list(arena, &hcl_string), diags);

        if (!value)
                return;
        if (value->state != HCL_KNOWN || value->list.n < 1 || value->list.n > MAX_LABELS) {
                diag_error(diags, attr->expr->range, "between 1 and %d names of labels are needed", MAX_LABELS);
                return;
        }
        for (size_t i = 0; i < value->list.n; i++)
                spec->labels[spec->n_labels++] = value->list.v[i]->string.s;
}

static void set_number(struct arena *arena, int64_t *ret, const struct hcl_attr *attr, struct diags *diags)
{
        const struct hcl_value *value = evaluate(arena, attr, &hcl_number, diags);

        if (value && value->state == HCL_KNOWN && (!hcl_number_int(value, ret) || *ret < 0))
                diag_error(diags, attr->expr->range, "argument '%s' must be a whole number from 0", attr->name);
}

static void set_argument(struct arena *arena, struct spec *spec, const struct hcl_attr *attr, struct diags *diags)
{
        const struct hcl_value *value;

        if (str_eq(attr->name, "name") || str_eq(attr->name, "block_type")) {
                set_text(arena, spec, attr, diags);
        } else if (str_eq(attr->name, "type") || str_eq(attr->name, "element_type")) {
                spec->type = hcl_expr_type(arena, attr->expr, diags);
        } else if (str_eq(attr->name, "labels")) {
                set_labels(arena, spec, attr, diags);
        } else if (str_eq(attr->name, "value")) {
                spec->value = evaluate(arena, attr, &hcl_any, diags);
        } else if (str_eq(attr->name, "result")) {
                spec->expr = attr->expr;
        } else if (str_eq(attr->name, "required")) {
                value = evaluate(arena, attr, &hcl_bool, diags);
                spec->required = value && value->state == HCL_KNOWN && value->boolean;
        } else {
                set_number(arena,
                           str_eq(attr->name, "min_items")   ? &spec->min
                           : str_eq(attr->name, "max_items") ? &spec->max
                                                             : &spec->index,
                           attr, diags);
        }
}

/* ---- blocks ---- */

/* Any specification may be nested; those in an object have a key. */
static struct hcl_body_schema schema_of(const struct row *row, struct hcl_attr_schema attrs[static 3],
                                        struct hcl_block_schema blocks[static N_ROWS])
{
        struct hcl_body_schema schema = {.attrs = attrs, .blocks = blocks};

        for (; schema.n_attrs < 3 && row->args[schema.n_attrs]; schema.n_attrs++)
                attrs[schema.n_attrs] = (struct hcl_attr_schema){.name = row->args[schema.n_attrs],
                                                                 .required = schema.n_attrs < row->required};
        for (; schema.n_blocks < (row->max_nested > 0 ? N_ROWS : 0); schema.n_blocks++)
                blocks[schema.n_blocks] = (struct hcl_block_schema){
                        .type = rows[schema.n_blocks].type, .labels = {row->kind == SPEC_OBJECT ? "key" : NULL}};
        return schema;
}

static void read_nested(struct arena *arena, const struct row *row, struct spec *spec,
                        const struct hcl_content *content, struct range end, struct diags *diags)
{
        const struct spec **nested = arena_array(arena, content->n_blocks, sizeof(const struct spec *));

        if (content->n_blocks < row->min_nested)
                diag_error(diags, end, "a specification is missing in this %s block", row->type);
        if (content->n_blocks > row->max_nested)
                diag_error(diags, content->blocks[row->max_nested].open_range,
                           "%s has one specification, but here is another", row->type);
        for (size_t i = 0; i < content->n_blocks; i++)
                nested[i] = read_block(arena, &content->blocks[i], diags);
        spec->nested = nested;
        spec->n_nested = content->n_blocks;
}

static const struct spec *read_block(struct arena *arena, const struct hcl_block *block, struct diags *diags)
{
        const struct row *row = row_of(block->type);
        struct spec *spec = arena_alloc(arena, sizeof(*spec));
        struct hcl_attr_schema attrs[3];
        struct hcl_block_schema blocks[N_ROWS];
        struct hcl_body_schema schema = schema_of(row, attrs, blocks);
        struct hcl_content content = {0};

        *spec = (struct spec){.kind = row->kind, .type = &hcl_any, .value = &hcl_null_any};
        if (block->n_labels > 0)
                spec->key = spec->name = block->labels[0].text;
        hcl_body_content(arena, block->body, &schema, NULL, &content, diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                set_argument(arena, spec, &content.attrs[i], diags);
        read_nested(arena, row, spec, &content, block->body->end, diags);
        if (!spec->name && (row->kind == SPEC_ATTR || (row->args[0] && str_eq(row->args[0], "block_type")) ||
                            (row->args[1] && str_eq(row->args[1], "block_type"))))
                diag_error(diags, block->body->end, "argument '%s' is missing: the name of what is decoded",
                           row->kind == SPEC_ATTR ? "name" : "block_type");
        return spec;
}

/* ---- the file ---- */

static const struct hcl_value *read_variables(struct arena *arena, const struct hcl_content *content,
                                              struct diags *diags)
{
        struct hcl_string *keys;
        const struct hcl_value **v;
        size_t n = 0;

        for (size_t i = 0; i < content->n_blocks; i++)
                n += content->blocks[i].body->n_attrs;
        keys = arena_array(arena, n, sizeof(*keys));
        v = arena_array(arena, n, sizeof(const struct hcl_value *));
        n = 0;
        for (size_t i = 0; i < content->n_blocks; i++) {
                struct hcl_content variables = {0};

                hcl_body_attributes(arena, content->blocks[i].body, &variables, diags);
                for (size_t j = 0; j < variables.n_attrs; j++) {
                        const char *name = variables.attrs[j].name;

                        keys[n] = (struct hcl_string){.s = name, .len = strlen(name)};
                        v[n++] = hcl_eval(arena, variables.attrs[j].expr, spec_scope(arena), diags);
                }
        }
        return hcl_object_value(arena, keys, v, n);
}

bool spec_read(struct arena *arena, const struct source_text *source, struct spec_file *ret, struct diags *diags)
{
        static const struct hcl_block_schema declarations[] = {{.type = "variables"}};
        static const struct hcl_block_schema functions[] = {{.type = "function", .labels = {"name"}}};
        static const struct row root = {.type = "file", .kind = SPEC_ARRAY, .min_nested = 1, .max_nested = 1};
        const struct hcl_body *body = hcl_parse(arena, source, diags);
        struct hcl_body_schema schema = {.blocks = declarations, .n_blocks = 1};
        struct hcl_body_schema function_schema = {.blocks = functions, .n_blocks = 1};
        struct hcl_attr_schema attrs[3];
        struct hcl_block_schema blocks[N_ROWS];
        struct hcl_content content = {0};
        struct spec top = {0};

        if (diags->n_errors > 0)
                return false;
        hcl_body_partial(arena, body, &schema, NULL, &content, diags);
        ret->variables = read_variables(arena, &content, diags);
        body = content.rest;
        functions_read(arena, body, ret, diags);
        hcl_body_partial(arena, body, &function_schema, NULL, &content, diags);
        body = content.rest;
        schema = schema_of(&root, attrs, blocks);
        hcl_body_content(arena, body, &schema, NULL, &content, diags);
        if (diags->n_errors == 0)
                read_nested(arena, &root, &top, &content, body->end, diags);
        ret->root = top.n_nested > 0 ? top.nested[0] : NULL;
        return diags->n_errors == 0;
}
