/* Bodies read by a schema: see syntax.h. The native form is here, the JSON
 * form in json_body.c, dynamic blocks in dynamic.c. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "hcl/body_internal.h"

const struct hcl_attr_schema *reader_attr_schema(const struct reader *reader, const char *name)
{
        for (size_t i = 0; i < reader->schema->n_attrs; i++)
                if (str_eq(reader->schema->attrs[i].name, name))
                        return &reader->schema->attrs[i];
        return NULL;
}

const struct hcl_block_schema *reader_block_schema(const struct reader *reader, const char *type)
{
        for (size_t i = 0; i < reader->schema->n_blocks; i++)
                if (str_eq(reader->schema->blocks[i].type, type))
                        return &reader->schema->blocks[i];
        return NULL;
}

size_t schema_labels(const struct hcl_block_schema *schema)
{
        size_t n = 0;

        while (n < sizeof(schema->labels) / sizeof(schema->labels[0]) && schema->labels[n])
                n++;
        return n;
}

void reader_unknown(struct reader *reader, const char *what, const char *name, struct range at)
{
        VEC(const char *) names = {0};
        const char *nearest;

        for (size_t i = 0; i < reader->schema->n_attrs; i++)
                vec_push(&names, reader->schema->attrs[i].name);
        for (size_t i = 0; i < reader->schema->n_blocks; i++)
                vec_push(&names, reader->schema->blocks[i].type);
        vec_push(&names, NULL);
        nearest = str_nearest(name, names.v);
        if (nearest)
                diag_error(reader->diags, at, "unknown %s '%s'; did you mean '%s'?", what, name, nearest);
        else
                diag_error(reader->diags, at, "unknown %s '%s'", what, name);
        vec_free(&names);
}

bool reader_add_attr(struct reader *reader, struct hcl_attr attr)
{
        for (size_t i = 0; i < reader->attrs.n; i++)
                if (str_eq(reader->attrs.v[i].name, attr.name))
                        return false;
        vec_push(&reader->attrs, attr);
        return true;
}

/* "type" and "name": the labels' names from the i-th on, for messages. */
static char *label_names(const struct hcl_block_schema *schema, size_t i)
{
        struct str out = {0};

        for (; i < schema_labels(schema); i++)
                str_addf(&out, "%s\"%s\"", out.len > 0 ? " " : "", schema->labels[i]);
        return str_steal(&out);
}

void reader_add_block(struct reader *reader, const struct hcl_block_schema *schema, struct hcl_block block)
{
        size_t n = schema_labels(schema);
        CLEANUP_FREE char *all = label_names(schema, 0), *missing = NULL;
        struct range at;

        if (block.n_labels == n) {
                vec_push(&reader->blocks, block);
                return;
        }
        if (block.n_labels < n) {
                missing = label_names(schema, block.n_labels);
                at = block.open_range;
                at.start = at.end - 1; /* the brace */
                diag_error(reader->diags, at, "a label is missing for the block '%s': %s", block.type, missing);
        } else {
                diag_error(reader->diags, block.labels[n].range,
                           n > 0 ? "this label of the block '%s' is too much" : "the block '%s' has no labels",
                           block.type);
        }
        diag_detail(reader->diags, "It is written: %s %s%s{ ... }", block.type, all, n > 0 ? " " : "");
}

/* ---- native bodies ---- */

static void block_as_attr(struct reader *reader, const struct hcl_attr *attr)
{
        VEC(const char *) names = {0};
        const char *nearest;

        for (size_t i = 0; i < reader->schema->n_attrs; i++)
                vec_push(&names, reader->schema->attrs[i].name);
        vec_push(&names, NULL);
        nearest = str_nearest(attr->name, names.v);
        diag_error(reader->diags, attr->name_range, "'%s' is a block, not an argument%s%s%s", attr->name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        diag_detail(reader->diags, "A block is written without '=': %s { ... }", attr->name);
        vec_free(&names);
}

static void native_attr(struct reader *reader, const struct hcl_attr *attr)
{
        if (reader_attr_schema(reader, attr->name)) {
                reader_add_attr(reader, *attr); /* the parser has complained about a second one */
        } else if (reader->partial) {
                vec_push(&reader->rest_attrs, *attr);
        } else if (reader_block_schema(reader, attr->name)) {
                block_as_attr(reader, attr);
        } else {
                reader_unknown(reader, "argument", attr->name, attr->name_range);
        }
}

static void native_block(struct reader *reader, const struct hcl_block *block)
{
        const struct hcl_block_schema *schema = reader_block_schema(reader, block->type);

        if (schema) {
                reader_add_block(reader, schema, *block);
        } else if (reader->scope && str_eq(block->type, "dynamic") && reader_dynamic(reader, block)) {
                /* it has added its blocks */
        } else if (reader->partial) {
                vec_push(&reader->rest_blocks, *block);
        } else if (reader->scope && str_eq(block->type, "dynamic") && block->n_labels > 0) {
                reader_unknown(reader, "block", block->labels[0].text, block->labels[0].range);
        } else if (reader_attr_schema(reader, block->type)) {
                diag_error(reader->diags, block->type_range, "'%s' is an argument, not a block", block->type);
                diag_detail(reader->diags, "It is written with '=': %s = ...", block->type);
        } else {
                reader_unknown(reader, "block", block->type, block->type_range);
        }
}

/* ---- both forms ---- */

static void check_required(struct reader *reader, const struct hcl_body *body)
{
        for (size_t i = 0; i < reader->schema->n_attrs; i++) {
                const struct hcl_attr_schema *schema = &reader->schema->attrs[i];
                bool found = !schema->required;

                for (size_t j = 0; !found && j < reader->attrs.n; j++)
                        found = str_eq(reader->attrs.v[j].name, schema->name);
                if (!found)
                        diag_error(reader->diags, body->missing, "the argument '%s' is missing", schema->name);
        }
}

static const struct hcl_body *native_rest(struct reader *reader, const struct hcl_body *body)
{
        struct hcl_body *rest = arena_memdup(reader->arena, body, sizeof(*body));

        rest->attrs =
                arena_memdup(reader->arena, reader->rest_attrs.v, reader->rest_attrs.n * sizeof(*reader->rest_attrs.v));
        rest->n_attrs = reader->rest_attrs.n;
        rest->blocks = arena_memdup(reader->arena, reader->rest_blocks.v,
                                    reader->rest_blocks.n * sizeof(*reader->rest_blocks.v));
        rest->n_blocks = reader->rest_blocks.n;
        return rest;
}

/* Moves what was read into ret. */
static void finish(struct reader *reader, struct hcl_content *ret)
{
        ret->attrs = arena_memdup(reader->arena, reader->attrs.v, reader->attrs.n * sizeof(*reader->attrs.v));
        ret->n_attrs = reader->attrs.n;
        ret->blocks = arena_memdup(reader->arena, reader->blocks.v, reader->blocks.n * sizeof(*reader->blocks.v));
        ret->n_blocks = reader->blocks.n;
        vec_free(&reader->attrs);
        vec_free(&reader->blocks);
        vec_free(&reader->rest_attrs);
        vec_free(&reader->rest_blocks);
        vec_free(&reader->rest_json);
}

static int read_content(struct reader *reader, const struct hcl_body *body, struct hcl_content *ret)
{
        size_t errors_before = reader->diags->n_errors;

        *ret = (struct hcl_content){0};
        if (body->json)
                reader_json(reader, body->json);
        for (size_t i = 0; i < body->n_attrs; i++)
                native_attr(reader, &body->attrs[i]);
        for (size_t i = 0; i < body->n_blocks; i++)
                native_block(reader, &body->blocks[i]);
        check_required(reader, body);
        if (reader->partial)
                ret->rest = body->json ? reader_json_rest(reader, body) : native_rest(reader, body);
        finish(reader, ret);
        return reader->diags->n_errors > errors_before ? -EINVAL : 0;
}

int hcl_body_content(struct arena *arena, const struct hcl_body *body, const struct hcl_body_schema *schema,
                     const struct hcl_scope *scope, struct hcl_content *ret, struct diags *diags)
{
        struct reader reader = {.arena = arena, .schema = schema, .scope = scope, .diags = diags};

        return read_content(&reader, body, ret);
}

int hcl_body_partial(struct arena *arena, const struct hcl_body *body, const struct hcl_body_schema *schema,
                     const struct hcl_scope *scope, struct hcl_content *ret, struct diags *diags)
{
        struct reader reader = {.arena = arena, .schema = schema, .scope = scope, .diags = diags, .partial = true};

        return read_content(&reader, body, ret);
}

int hcl_body_attributes(struct arena *arena, const struct hcl_body *body, struct hcl_content *ret, struct diags *diags)
{
        static const struct hcl_body_schema none;
        struct reader reader = {.arena = arena, .schema = &none, .diags = diags};
        size_t errors_before = diags->n_errors;

        *ret = (struct hcl_content){0};
        if (body->json)
                reader_json_attributes(&reader, body->json);
        for (size_t i = 0; i < body->n_blocks; i++) {
                const struct hcl_block *block = &body->blocks[i];

                diag_error(diags, block->type_range, "only arguments may stand here, no block '%s'", block->type);
                diag_detail(diags, "An argument is written with '=': %s = ...", block->type);
        }
        finish(&reader, ret);
        if (!body->json) {
                ret->attrs = body->attrs;
                ret->n_attrs = body->n_attrs;
        }
        return diags->n_errors > errors_before ? -EINVAL : 0;
}

const struct hcl_attr *hcl_content_attr(const struct hcl_content *content, const char *name)
{
        for (size_t i = 0; i < content->n_attrs; i++)
                if (str_eq(content->attrs[i].name, name))
                        return &content->attrs[i];
        return NULL;
}
