/* Bodies in HCL's JSON form (json/spec.md, "Structural Elements"): an object,
 * or a list of objects, whose members are arguments or blocks as the schema
 * says. A block's labels are keys of objects in each other; a list stands for
 * several blocks; "//" is a comment. */
#include <string.h>

#include "base/str.h"
#include "hcl/body_internal.h"
#include "hcl/parser.h"

struct blocks {
        VEC(struct hcl_block) list;
};

static struct range first_character(const struct value *json)
{
        return (struct range){.source = json->range.source, .start = json->range.start, .end = json->range.start + 1};
}

static struct range last_character(const struct value *json)
{
        size_t end = json->range.end > json->range.start ? json->range.end : json->range.start + 1;

        return (struct range){.source = json->range.source, .start = end - 1, .end = end};
}

static const struct hcl_body *json_body(struct arena *arena, const struct value *json)
{
        struct hcl_body *body = arena_alloc(arena, sizeof(*body));

        body->json = json;
        body->range = json->range;
        body->end = body->missing = last_character(json);
        return body;
}

/* Calls `member` for each member of an object or of a list of objects. `what` is for messages. */
static void each_member(struct reader *reader, const struct value *json, const char *what,
                        void (*member)(struct reader *reader, const struct value_entry *entry, void *arg), void *arg)
{
        const struct value *const one[] = {json};
        bool is_list = json->type == VALUE_LIST;
        const struct value *const *objects = is_list ? (const struct value *const *)json->list.v : one;
        size_t n = is_list ? json->list.n : json->type != VALUE_NULL;

        for (size_t i = 0; i < n; i++) {
                const struct value *object = objects[i];

                if (object->type != VALUE_OBJECT)
                        diag_error(reader->diags, object->range, "an object with %s was expected, not %s", what,
                                   value_type_name(object->type));
                for (size_t j = 0; object->type == VALUE_OBJECT && j < object->object.n; j++)
                        member(reader, &object->object.v[j], arg);
        }
}

/* ---- blocks ---- */

struct descent {
        const struct hcl_block_schema *schema;
        struct hcl_block block; /* with the labels so far */
        struct hcl_label labels[4];
        struct blocks *out;
};

static void descend(struct reader *reader, struct descent *descent, const struct value *json);

static void add_label(struct reader *reader, const struct value_entry *entry, void *arg)
{
        struct descent deeper = *(struct descent *)arg;

        deeper.labels[deeper.block.n_labels++] = (struct hcl_label){.text = entry->key, .range = entry->key_range};
        descend(reader, &deeper, entry->value);
}

static void add_block(struct reader *reader, const struct descent *descent, const struct value *json)
{
        struct hcl_block block = descent->block;

        block.labels = arena_memdup(reader->arena, descent->labels, block.n_labels * sizeof(descent->labels[0]));
        block.open_range = first_character(json);
        block.close_range = last_character(json);
        block.body = json_body(reader->arena, json);
        vec_push(&descent->out->list, block);
}

/* The blocks that a value stands for, when the labels so far were read. */
static void descend(struct reader *reader, struct descent *descent, const struct value *json)
{
        size_t labels = schema_labels(descent->schema);

        if (descent->block.n_labels < labels) {
                const char *label = descent->schema->labels[descent->block.n_labels];
                CLEANUP_FREE char *what =
                        xasprintf("the \"%s\" of the block '%s' as its keys", label, descent->block.type);
                size_t before = descent->out->list.n, errors_before = reader->diags->n_errors;

                each_member(reader, json, what, add_label, descent);
                if (descent->out->list.n == before && reader->diags->n_errors == errors_before &&
                    (json->type != VALUE_OBJECT || json->object.n == 0))
                        diag_error(reader->diags, json->range, "a label is missing for the block '%s': \"%s\"",
                                   descent->block.type, label);
        } else if (json->type == VALUE_LIST) {
                for (size_t i = 0; i < json->list.n; i++)
                        add_block(reader, descent, json->list.v[i]);
        } else if (json->type == VALUE_OBJECT) {
                add_block(reader, descent, json);
        } else if (json->type != VALUE_NULL) {
                diag_error(reader->diags, json->range, "an object with the block '%s' was expected, not %s",
                           descent->block.type, value_type_name(json->type));
        }
}

static void read_blocks(struct reader *reader, const struct hcl_block_schema *schema, const struct value_entry *entry,
                        struct blocks *out)
{
        struct descent descent = {
                .schema = schema, .block = {.type = entry->key, .type_range = entry->key_range}, .out = out};

        descend(reader, &descent, entry->value);
}

/* ---- dynamic blocks ---- */

/* What is left of "dynamic": {"TYPE": ...}, in the same shape. */
static void leave_dynamic(struct reader *reader, const struct value_entry *entry, const struct hcl_block *block)
{
        struct value *object = arena_memdup(reader->arena, entry->value, sizeof(*object));
        struct value_entry *member = arena_alloc(reader->arena, sizeof(*member));

        member->key = (char *)block->labels[0].text; /* these are read only, as all of the value is */
        member->key_range = block->labels[0].range;
        member->value = (struct value *)block->body->json;
        object->type = VALUE_OBJECT;
        object->object.v = member;
        object->object.n = 1;
        vec_push(&reader->rest_json,
                 (struct value_entry){.key = entry->key, .key_range = entry->key_range, .value = object});
}

static void read_dynamic(struct reader *reader, const struct value_entry *entry)
{
        static const struct hcl_block_schema schema = {.type = "dynamic", .labels = {"type"}};
        struct blocks blocks = {0};

        read_blocks(reader, &schema, entry, &blocks);
        for (size_t i = 0; i < blocks.list.n; i++) {
                const struct hcl_block *block = &blocks.list.v[i];

                if (reader_dynamic(reader, block))
                        continue;
                if (reader->partial)
                        leave_dynamic(reader, entry, block);
                else
                        reader_unknown(reader, "block", block->labels[0].text, block->labels[0].range);
        }
        vec_free(&blocks.list);
}

/* ---- members ---- */

static struct hcl_attr make_attr(struct reader *reader, const struct value_entry *entry)
{
        struct hcl_attr attr = {.name = entry->key,
                                .name_range = entry->key_range,
                                .range = range_between(entry->key_range, entry->value->range)};

        attr.expr = hcl_json_expr(reader->arena, entry->value, reader->diags);
        if (!attr.expr)
                attr.expr = hcl_unknown_expr(reader->arena, entry->value->range);
        return attr;
}

static void read_attr(struct reader *reader, const struct value_entry *entry)
{
        struct hcl_attr attr = make_attr(reader, entry);

        if (!reader_add_attr(reader, attr))
                diag_error(reader->diags, entry->key_range, "the argument '%s' is here twice", entry->key);
}

static void read_member(struct reader *reader, const struct value_entry *entry, void *arg)
{
        const struct hcl_block_schema *schema = reader_block_schema(reader, entry->key);
        struct blocks blocks = {0};

        (void)arg;
        if (reader_attr_schema(reader, entry->key)) {
                read_attr(reader, entry);
        } else if (schema) {
                read_blocks(reader, schema, entry, &blocks);
                for (size_t i = 0; i < blocks.list.n; i++)
                        reader_add_block(reader, schema, blocks.list.v[i]);
        } else if (reader->scope && str_eq(entry->key, "dynamic")) {
                read_dynamic(reader, entry);
        } else if (reader->partial) {
                vec_push(&reader->rest_json, *entry);
        } else if (!str_eq(entry->key, "//")) {
                reader_unknown(reader, "key", entry->key, entry->key_range);
        }
        vec_free(&blocks.list);
}

void reader_json(struct reader *reader, const struct value *json)
{
        each_member(reader, json, "arguments and blocks", read_member, NULL);
}

static void read_as_attr(struct reader *reader, const struct value_entry *entry, void *arg)
{
        (void)arg;
        if (!str_eq(entry->key, "//"))
                vec_push(&reader->attrs, make_attr(reader, entry));
}

void reader_json_attributes(struct reader *reader, const struct value *json)
{
        each_member(reader, json, "arguments", read_as_attr, NULL);
        parser_check_twice(reader->attrs.v, reader->attrs.n, reader->diags);
}

const struct hcl_body *reader_json_rest(struct reader *reader, const struct hcl_body *body)
{
        struct value *object = arena_memdup(reader->arena, body->json, sizeof(*object));
        struct hcl_body *rest = arena_memdup(reader->arena, body, sizeof(*body));

        object->type = VALUE_OBJECT;
        object->object.v =
                arena_memdup(reader->arena, reader->rest_json.v, reader->rest_json.n * sizeof(*reader->rest_json.v));
        object->object.n = reader->rest_json.n;
        rest->json = object;
        return rest;
}

/* ---- files ---- */

const struct hcl_body *hcl_parse_json(struct arena *arena, const struct source_text *source, struct value **ret_json,
                                      struct diags *diags)
{
        struct range nothing = {.source = source};
        struct hcl_body *empty = arena_alloc(arena, sizeof(*empty));

        empty->range = empty->end = empty->missing = nothing;
        *ret_json = json_read_repeating(source, diags);
        if (!*ret_json)
                return empty;
        if ((*ret_json)->type == VALUE_OBJECT || (*ret_json)->type == VALUE_LIST)
                return json_body(arena, *ret_json);
        diag_error(diags, (*ret_json)->range, "an object was expected, not %s", value_type_name((*ret_json)->type));
        return empty;
}
