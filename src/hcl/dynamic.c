/* Dynamic blocks (HashiCorp's dynblock extension of HCL):
 *
 *     dynamic "TYPE" {
 *       for_each = COLLECTION
 *       iterator = NAME           # else TYPE
 *       labels   = [NAME.key]     # if the block has labels
 *       content { ... }           # with NAME.key and NAME.value
 *     }
 */
#include <string.h>

#include "base/str.h"
#include "hcl/body_internal.h"

static const struct hcl_attr_schema dynamic_attrs[] = {{"for_each", true}, {"iterator", false}, {"labels", false}};
static const struct hcl_block_schema dynamic_blocks[] = {{.type = "content"}};
static const struct hcl_body_schema dynamic_schema = {
        .attrs = dynamic_attrs, .n_attrs = 3, .blocks = dynamic_blocks, .n_blocks = 1};

struct dynamic {
        const struct hcl_block *block; /* the dynamic one */
        const struct hcl_block_schema *schema;
        const struct hcl_block *content;
        const struct hcl_value *collection;
        const struct hcl_expr *const *labels; /* as many as the schema has */
        size_t n_labels;
        const char *iterator;
};

static int read_labels(struct reader *reader, const struct hcl_attr *attr, struct dynamic *ret)
{
        size_t n = schema_labels(ret->schema);

        if (!attr && n == 0)
                return 0;
        if (!attr || attr->expr->kind != HCL_EXPR_TUPLE || attr->expr->items.n != n) {
                diag_error(reader->diags, attr ? attr->expr->range : ret->block->open_range,
                           "blocks '%s' have %zu label(s): labels = [...] with so many elements is needed",
                           ret->schema->type, n);
                return -1;
        }
        ret->labels = attr->expr->items.v;
        ret->n_labels = n;
        return 0;
}

static int read_iterator(struct reader *reader, const struct hcl_attr *attr, struct dynamic *ret)
{
        struct hcl_traversal name;

        ret->iterator = ret->schema->type;
        if (!attr)
                return 0;
        if (!hcl_expr_traversal(reader->arena, attr->expr, &name) || name.n_steps > 0) {
                diag_error(reader->diags, attr->expr->range, "the iterator is one plain name");
                return -1;
        }
        ret->iterator = name.root;
        return 0;
}

static int read_collection(struct reader *reader, const struct hcl_attr *attr, struct dynamic *ret)
{
        size_t errors_before = reader->diags->n_errors;
        const struct hcl_value *value = hcl_eval(reader->arena, attr->expr, reader->scope, reader->diags);
        enum hcl_kind kind = value->type->kind;

        ret->collection = value;
        if (reader->diags->n_errors > errors_before)
                return -1;
        if (value->state == HCL_NULL) {
                diag_error(reader->diags, attr->expr->range, "for_each needs a collection, not null");
                return -1;
        }
        if (kind == HCL_BOOL || kind == HCL_NUMBER || kind == HCL_STRING) {
                diag_error(reader->diags, attr->expr->range, "for_each needs a collection, not a %s",
                           hcl_type_friendly(reader->arena, value->type));
                return -1;
        }
        return 0;
}

static int read_dynamic(struct reader *reader, struct dynamic *ret)
{
        struct hcl_content content;

        if (hcl_body_content(reader->arena, ret->block->body, &dynamic_schema, NULL, &content, reader->diags) < 0)
                return -1;
        if (content.n_blocks != 1) {
                diag_error(reader->diags, content.n_blocks > 1 ? content.blocks[1].type_range : ret->block->body->end,
                           "a dynamic block has one block 'content'");
                return -1;
        }
        ret->content = &content.blocks[0];
        if (read_collection(reader, hcl_content_attr(&content, "for_each"), ret) < 0 ||
            read_iterator(reader, hcl_content_attr(&content, "iterator"), ret) < 0)
                return -1;
        return read_labels(reader, hcl_content_attr(&content, "labels"), ret);
}

/* The scope of one block: the iterator's key and value. */
static const struct hcl_scope *iterator_scope(struct reader *reader, const struct dynamic *dynamic,
                                              const struct hcl_value *key, const struct hcl_value *value)
{
        struct arena *arena = reader->arena;
        struct hcl_string *members = arena_array(arena, 2, sizeof(*members)), *name = arena_alloc(arena, sizeof(*name));
        const struct hcl_value **values = arena_array(arena, 2, sizeof(const struct hcl_value *));
        const struct hcl_value **iterator = arena_alloc(arena, sizeof(const struct hcl_value *));
        struct hcl_scope *scope = arena_alloc(arena, sizeof(*scope));

        members[0] = (struct hcl_string){.s = "key", .len = 3};
        members[1] = (struct hcl_string){.s = "value", .len = 5};
        values[0] = key;
        values[1] = value;
        *name = (struct hcl_string){.s = dynamic->iterator, .len = strlen(dynamic->iterator)};
        *iterator = hcl_object_value(arena, members, values, 2);
        scope->parent = reader->scope;
        scope->variables = hcl_object_value(arena, name, iterator, 1);
        scope->env = reader->scope->env;
        return scope;
}

/* NULL after an error. */
static const char *label_text(struct reader *reader, const struct hcl_expr *expr, const struct hcl_scope *scope)
{
        CLEANUP_ERROR struct error err = {0};
        size_t errors_before = reader->diags->n_errors;
        const struct hcl_value *value = hcl_eval(reader->arena, expr, scope, reader->diags);

        if (reader->diags->n_errors > errors_before)
                return NULL;
        if (hcl_convert(reader->arena, value, &hcl_string, &value, &err) < 0)
                diag_error(reader->diags, expr->range, "a label must be a string: %s", error_message(&err));
        else if (value->state != HCL_KNOWN)
                diag_error(reader->diags, expr->range, "a label must be known, and not null");
        else if (hcl_value_sensitive(value))
                diag_error(reader->diags, expr->range, "a label must not be sensitive");
        else
                return value->string.s;
        return NULL;
}

static void add_block(struct reader *reader, const struct dynamic *dynamic, const struct hcl_value *key,
                      const struct hcl_value *value)
{
        const struct hcl_scope *scope = iterator_scope(reader, dynamic, key, value);
        struct hcl_label *labels = arena_array(reader->arena, dynamic->n_labels, sizeof(*labels));
        struct hcl_block block = *dynamic->content;

        for (size_t i = 0; i < dynamic->n_labels; i++) {
                labels[i].text = label_text(reader, dynamic->labels[i], scope);
                labels[i].range = dynamic->labels[i]->range;
                if (!labels[i].text)
                        return;
        }
        block.type = dynamic->schema->type;
        block.type_range = dynamic->block->labels[0].range;
        block.labels = labels;
        block.n_labels = dynamic->n_labels;
        block.open_range = dynamic->block->open_range;
        block.scope = scope;
        reader_add_block(reader, dynamic->schema, block);
}

static void add_blocks(struct reader *reader, const struct dynamic *dynamic)
{
        const struct hcl_value *all = dynamic->collection;
        struct arena *arena = reader->arena;

        if (all->state == HCL_UNKNOWN) { /* some blocks: one whose values are not known stands for them */
                add_block(reader, dynamic, &hcl_unknown_any, &hcl_unknown_any);
                return;
        }
        for (size_t i = 0; i < all->list.n; i++) {
                const struct hcl_value *value = all->list.v[i], *key;

                if (all->type->kind == HCL_SET)
                        key = value;
                else if (all->list.keys)
                        key = hcl_string_value(arena, all->list.keys[i].s, all->list.keys[i].len);
                else
                        key = hcl_int_value(arena, (int64_t)i);
                if (all->sensitive) {
                        key = hcl_mark_sensitive(arena, key);
                        value = hcl_mark_sensitive(arena, value);
                }
                add_block(reader, dynamic, key, value);
        }
}

bool reader_dynamic(struct reader *reader, const struct hcl_block *block)
{
        const struct hcl_block_schema *schema =
                block->n_labels == 1 ? reader_block_schema(reader, block->labels[0].text) : NULL;
        struct dynamic dynamic = {.block = block, .schema = schema};

        if (!schema)
                return false;
        if (read_dynamic(reader, &dynamic) == 0)
                add_blocks(reader, &dynamic);
        return true;
}
