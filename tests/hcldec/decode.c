/* Decoding by a specification: see hcldec.h. After hashicorp/hcl, hcldec/spec.go. */
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "hcldec.h"

/* What a body has of that which its specification names, and the labels of its block. */
struct place {
        struct arena *arena;
        const struct hcl_scope *scope;
        struct diags *diags;
        const struct hcl_label *labels;
        size_t n_labels;
        VEC(struct hcl_attr) attrs;
        VEC(struct hcl_block) blocks;
        struct range missing; /* where what is not there is reported: the body's start */
};

static void place_clear(struct place *place)
{
        vec_free(&place->attrs);
        vec_free(&place->blocks);
}
#define CLEANUP_PLACE CLEANUP(place_clear)

static const struct hcl_value *decode_spec(const struct place *place, const struct spec *spec);

static bool is_block(const struct spec *spec)
{
        return spec->kind >= SPEC_BLOCK && spec->kind <= SPEC_BLOCK_ATTRS;
}

/* Does it decode the same body as the specification around it? */
static bool same_body(const struct spec *spec)
{
        return !is_block(spec);
}

/* ---- the schema that a specification implies ---- */

struct schema {
        VEC(struct hcl_attr_schema) attrs;
        VEC(struct hcl_block_schema) blocks;
};

static void schema_clear(struct schema *schema)
{
        vec_free(&schema->attrs);
        vec_free(&schema->blocks);
}

/* The block_label specifications for a block's own body: how many labels it has after `n`. */
static void add_labels(const struct spec *spec, struct hcl_block_schema *block, size_t n)
{
        if (spec->kind == SPEC_BLOCK_LABEL && n + (size_t)spec->index < MAX_LABELS)
                block->labels[n + (size_t)spec->index] = spec->name ? spec->name : "label";
        for (size_t i = 0; same_body(spec) && i < spec->n_nested; i++)
                add_labels(spec->nested[i], block, n);
}

static void add_block(struct schema *schema, const struct spec *spec)
{
        struct hcl_block_schema block = {.type = spec->name};

        for (size_t i = 0; i < schema->blocks.n; i++)
                if (str_eq(schema->blocks.v[i].type, spec->name))
                        return;
        for (size_t i = 0; i < spec->n_labels; i++)
                block.labels[i] = spec->labels[i];
        for (size_t i = 0; i < spec->n_nested; i++)
                add_labels(spec->nested[i], &block, spec->n_labels);
        vec_push(&schema->blocks, block);
}

static void add_attr(struct schema *schema, const struct spec *spec)
{
        for (size_t i = 0; i < schema->attrs.n; i++)
                if (str_eq(schema->attrs.v[i].name, spec->name)) {
                        schema->attrs.v[i].required |= spec->required;
                        return;
                }
        vec_push(&schema->attrs, (struct hcl_attr_schema){.name = spec->name, .required = spec->required});
}

static void add_spec(struct schema *schema, const struct spec *spec)
{
        if (spec->kind == SPEC_ATTR)
                add_attr(schema, spec);
        if (is_block(spec))
                add_block(schema, spec);
        for (size_t i = 0; same_body(spec) && i < spec->n_nested; i++)
                add_spec(schema, spec->nested[i]);
}

/* ---- the content of a body ---- */

static void add_content(struct place *place, const struct hcl_content *content)
{
        for (size_t i = 0; i < content->n_attrs; i++)
                vec_push(&place->attrs, content->attrs[i]);
        for (size_t i = 0; i < content->n_blocks; i++)
                vec_push(&place->blocks, content->blocks[i]);
}

/* Of several files each may have what another one lacks. */
static void read_bodies(struct place *place, const struct bodies *bodies, struct schema *schema)
{
        const struct hcl_body_schema wanted = {schema->attrs.v, schema->attrs.n, schema->blocks.v, schema->blocks.n};
        CLEANUP_FREE bool *required = xcalloc(schema->attrs.n + 1, sizeof(*required));
        struct hcl_content content = {0};

        place->missing = bodies->v[0]->range;
        place->missing.end = place->missing.start;
        for (size_t i = 0; i < schema->attrs.n && bodies->n > 1; i++) {
                required[i] = schema->attrs.v[i].required;
                schema->attrs.v[i].required = false;
        }
        for (size_t i = 0; i < bodies->n; i++) {
                hcl_body_content(place->arena, bodies->v[i], &wanted, NULL, &content, place->diags);
                add_content(place, &content);
        }
        for (size_t i = 0; i < schema->attrs.n && bodies->n > 1; i++) {
                const char *name = schema->attrs.v[i].name;
                const struct hcl_attr *first = NULL;

                for (size_t j = 0; j < place->attrs.n; j++)
                        if (str_eq(place->attrs.v[j].name, name)) {
                                if (first)
                                        diag_error(place->diags, place->attrs.v[j].name_range,
                                                   "argument '%s' is in another file too", name);
                                first = &place->attrs.v[j];
                        }
                if (!first && required[i])
                        diag_error(place->diags, place->missing, "argument '%s' is missing", name);
        }
}

static const struct hcl_attr *find_attr(const struct place *place, const char *name)
{
        for (size_t i = 0; i < place->attrs.n; i++)
                if (str_eq(place->attrs.v[i].name, name))
                        return &place->attrs.v[i];
        return NULL;
}

/* The next block of the type, from *i on. */
static const struct hcl_block *next_block(const struct place *place, const struct spec *spec, size_t *i)
{
        while (*i < place->blocks.n) {
                const struct hcl_block *block = &place->blocks.v[(*i)++];

                if (str_eq(block->type, spec->name))
                        return block;
        }
        return NULL;
}

/* From the type to the last label. */
static struct range definition(const struct hcl_block *block)
{
        struct range range = block->type_range;

        if (block->n_labels > 0)
                range.end = block->labels[block->n_labels - 1].range.end;
        return range;
}

/* ---- one body in another ---- */

static void enter(struct place *inner, const struct place *outer, const struct spec *spec,
                  const struct hcl_block *block)
{
        CLEANUP(schema_clear) struct schema schema = {0};
        const struct hcl_body *body = block->body;

        *inner = (struct place){.arena = outer->arena,
                                .scope = block->scope ? block->scope : outer->scope,
                                .diags = outer->diags,
                                .labels = block->labels + spec->n_labels,
                                .n_labels = block->n_labels > spec->n_labels ? block->n_labels - spec->n_labels : 0};
        add_spec(&schema, spec->nested[0]);
        read_bodies(inner, &(struct bodies){.v = &body, .n = 1}, &schema);
}

static const struct hcl_value *decode_block(const struct place *place, const struct spec *spec,
                                            const struct hcl_block *block)
{
        CLEANUP_PLACE struct place inner = {0};

        enter(&inner, place, spec, block);
        return decode_spec(&inner, spec->nested[0]);
}

static struct range block_source_range(const struct place *place, const struct spec *spec,
                                       const struct hcl_block *block);

/* Where the value of a specification comes from, for messages. */
static struct range source_range(const struct place *place, const struct spec *spec)
{
        const struct hcl_attr *attr;
        const struct hcl_block *block;
        size_t i = 0;

        if (spec->kind == SPEC_DEFAULT || spec->kind == SPEC_TRANSFORM)
                return source_range(place, spec->nested[0]);
        if (spec->kind == SPEC_BLOCK_LABEL && (size_t)spec->index < place->n_labels)
                return place->labels[spec->index].range;
        attr = spec->kind == SPEC_ATTR ? find_attr(place, spec->name) : NULL;
        if (attr)
                return attr->expr->range;
        block = is_block(spec) ? next_block(place, spec, &i) : NULL;
        if (block && spec->kind == SPEC_BLOCK_ATTRS)
                return definition(block);
        if (block)
                return block_source_range(place, spec, block);
        return place->missing;
}

static struct range block_source_range(const struct place *place, const struct spec *spec,
                                       const struct hcl_block *block)
{
        CLEANUP(diags_clear) struct diags ignored = {0};
        CLEANUP_PLACE struct place inner = {0};
        struct place quiet = *place;

        quiet.diags = &ignored;
        enter(&inner, &quiet, spec, block);
        return source_range(&inner, spec->nested[0]);
}

/* ---- each kind ---- */

static const struct hcl_value *decode_structure(const struct place *place, const struct spec *spec)
{
        const struct hcl_value **v = arena_array(place->arena, spec->n_nested, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(place->arena, spec->n_nested, sizeof(*keys));

        for (size_t i = 0; i < spec->n_nested; i++) {
                v[i] = decode_spec(place, spec->nested[i]);
                if (spec->kind == SPEC_OBJECT)
                        keys[i] = (struct hcl_string){spec->nested[i]->key, strlen(spec->nested[i]->key)};
        }
        return spec->kind == SPEC_OBJECT ? hcl_object_value(place->arena, keys, v, spec->n_nested)
                                         : hcl_tuple_value(place->arena, v, spec->n_nested);
}

static const struct hcl_value *evaluate(const struct place *place, const struct hcl_attr *attr,
                                        const struct hcl_type *type)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *value = hcl_eval(place->arena, attr->expr, place->scope, place->diags), *ret = NULL;

        if (hcl_convert(place->arena, value, type, &ret, &err) < 0)
                diag_error(place->diags, attr->expr->range, "argument '%s': %s", attr->name, error_message(&err));
        return ret ? ret : hcl_unknown(place->arena, hcl_type_concrete(place->arena, type));
}

static const struct hcl_value *decode_attr(const struct place *place, const struct spec *spec)
{
        const struct hcl_attr *attr = find_attr(place, spec->name);

        return attr ? evaluate(place, attr, spec->type)
                    : hcl_null(place->arena, hcl_type_concrete(place->arena, spec->type));
}

/* The one block of the type, or NULL; a second one, and one that is required and missing, are errors. */
static const struct hcl_block *single_block(const struct place *place, const struct spec *spec)
{
        size_t i = 0;
        const struct hcl_block *block = next_block(place, spec, &i),
                               *second = block ? next_block(place, spec, &i) : NULL;

        if (second)
                diag_error(place->diags, definition(second), "only one %s block is allowed", spec->name);
        if (!block && spec->required)
                diag_error(place->diags, place->missing, "a %s block is required", spec->name);
        return block;
}

static const struct hcl_value *decode_single(const struct place *place, const struct spec *spec)
{
        const struct hcl_block *block = single_block(place, spec);

        return block ? decode_block(place, spec, block) : hcl_null(place->arena, spec_type(place->arena, spec));
}

static void check_count(const struct place *place, const struct spec *spec, size_t n, struct range surplus)
{
        if (n < (size_t)spec->min)
                diag_error(place->diags, place->missing, "at least %zu %s blocks are required, but found %zu",
                           (size_t)spec->min, spec->name, n);
        else if (spec->max > 0 && n > (size_t)spec->max)
                diag_error(place->diags, surplus, "at most %zu %s blocks are allowed, but found %zu", (size_t)spec->max,
                           spec->name, n);
}

/* The values as `kind` of the type which they have in common. */
static const struct hcl_value *collect(const struct place *place, const struct spec *spec, const struct hcl_value **v,
                                       size_t n)
{
        const struct hcl_value *tuple = hcl_tuple_value(place->arena, v, n), *ret = NULL;
        const struct hcl_type *element = hcl_unify(place->arena, tuple->type->members, n), *type;
        CLEANUP_ERROR struct error err = {0};

        if (!element)
                element = n == 0 ? spec_type(place->arena, spec->nested[0]) : &hcl_any;
        type = spec->kind == SPEC_BLOCK_SET ? hcl_type_set(place->arena, element)
                                            : hcl_type_list(place->arena, element);
        if (hcl_convert(place->arena, tuple, type, &ret, &err) == 0)
                return ret;
        diag_error(place->diags, source_range(place, spec), "%s blocks differ in their types: %s", spec->name,
                   error_message(&err));
        return &hcl_unknown_any;
}

static const struct hcl_value *decode_many(const struct place *place, const struct spec *spec)
{
        const struct hcl_value **v = arena_array(place->arena, place->blocks.n, sizeof(const struct hcl_value *));
        struct range surplus = place->missing;
        const struct hcl_block *block;
        size_t n = 0;

        for (size_t i = 0; (block = next_block(place, spec, &i));) {
                v[n] = decode_block(place, spec, block);
                if (spec->max > 0 && n == (size_t)spec->max)
                        surplus = block_source_range(place, spec, block);
                n++;
        }
        check_count(place, spec, n, surplus);
        return spec->kind == SPEC_BLOCK_TUPLE ? hcl_tuple_value(place->arena, v, n) : collect(place, spec, v, n);
}

/* Blocks as members by their label number `depth`, and within by the next one. */
static const struct hcl_value *by_label(const struct place *place, const struct spec *spec,
                                        const struct hcl_block *const *blocks, size_t n, size_t depth)
{
        struct hcl_string *keys = arena_array(place->arena, n, sizeof(*keys));
        const struct hcl_value **v = arena_array(place->arena, n, sizeof(const struct hcl_value *)), *object, *ret;
        const struct hcl_block **same = arena_array(place->arena, n, sizeof(const struct hcl_block *));
        CLEANUP_ERROR struct error err = {0};
        size_t n_keys = 0;

        for (size_t i = 0; i < n; i++) {
                const char *label = blocks[i]->labels[depth].text;
                size_t n_same = 0;
                bool seen = false;

                for (size_t j = 0; j < n; j++)
                        if (str_eq(blocks[j]->labels[depth].text, label)) {
                                seen |= j < i;
                                same[n_same++] = blocks[j];
                        }
                if (seen)
                        continue;
                keys[n_keys] = (struct hcl_string){label, strlen(label)};
                if (depth + 1 < spec->n_labels)
                        v[n_keys++] = by_label(place, spec, same, n_same, depth + 1);
                else
                        v[n_keys++] = decode_block(place, spec, same[0]);
                for (size_t j = 1; j < n_same && depth + 1 == spec->n_labels; j++)
                        diag_error(place->diags, definition(same[j]),
                                   "a %s block with the same labels is there already", spec->name);
        }
        object = hcl_object_value(place->arena, keys, v, n_keys);
        if (spec->kind == SPEC_BLOCK_OBJECT)
                return object;
        if (hcl_convert(place->arena, object, hcl_type_map(place->arena, &hcl_any), &ret, &err) == 0)
                return ret;
        diag_error(place->diags, place->missing, "%s blocks differ in their types: %s", spec->name,
                   error_message(&err));
        return &hcl_unknown_any;
}

static const struct hcl_value *decode_labelled(const struct place *place, const struct spec *spec)
{
        const struct hcl_block **blocks = arena_array(place->arena, place->blocks.n, sizeof(const struct hcl_block *));
        const struct hcl_block *block;
        size_t n = 0;

        for (size_t i = 0; (block = next_block(place, spec, &i));)
                if (block->n_labels >= spec->n_labels)
                        blocks[n++] = block;
        if (n == 0 && spec->kind == SPEC_BLOCK_MAP) /* as the original: a map of what is in the blocks */
                return hcl_map_value(place->arena, spec_type(place->arena, spec->nested[0]), NULL, NULL, 0);
        return by_label(place, spec, blocks, n, 0);
}

static const struct hcl_value *decode_block_attrs(const struct place *place, const struct spec *spec)
{
        const struct hcl_block *block = single_block(place, spec);
        struct hcl_content content = {0};
        struct hcl_string *keys;
        const struct hcl_value **v, *ret = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (!block)
                return hcl_null(place->arena, spec_type(place->arena, spec));
        hcl_body_attributes(place->arena, block->body, &content, place->diags);
        keys = arena_array(place->arena, content.n_attrs, sizeof(*keys));
        v = arena_array(place->arena, content.n_attrs, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < content.n_attrs; i++) {
                keys[i] = (struct hcl_string){content.attrs[i].name, strlen(content.attrs[i].name)};
                v[i] = evaluate(place, &content.attrs[i], spec->type);
        }
        if (hcl_convert(place->arena, hcl_object_value(place->arena, keys, v, content.n_attrs),
                        hcl_type_map(place->arena, spec->type), &ret, &err) == 0)
                return ret;
        diag_error(place->diags, definition(block), "arguments of %s differ in their types: %s", spec->name,
                   error_message(&err));
        return &hcl_unknown_any;
}

static const struct hcl_value *decode_default(const struct place *place, const struct spec *spec)
{
        const struct hcl_value *value = &hcl_null_any;

        for (size_t i = 0; i < spec->n_nested && value->state == HCL_NULL; i++)
                value = decode_spec(place, spec->nested[i]);
        return value;
}

static const struct hcl_value *decode_transform(const struct place *place, const struct spec *spec)
{
        size_t errors = place->diags->n_errors;
        const struct hcl_value *value = decode_spec(place, spec->nested[0]);

        if (place->diags->n_errors > errors)
                return &hcl_unknown_any;
        return spec_transform(place->arena, spec, value, place->diags);
}

static const struct hcl_value *decode_label(const struct place *place, const struct spec *spec)
{
        if ((size_t)spec->index < place->n_labels)
                return hcl_string_from(place->arena, place->labels[spec->index].text);
        diag_error(place->diags, place->missing, "label %zu is wanted, but the block has %zu", (size_t)spec->index,
                   place->n_labels);
        return &hcl_unknown_any;
}

static const struct hcl_value *decode_spec(const struct place *place, const struct spec *spec)
{
        switch (spec->kind) {
        case SPEC_OBJECT:
        case SPEC_ARRAY:
                return decode_structure(place, spec);
        case SPEC_ATTR:
                return decode_attr(place, spec);
        case SPEC_BLOCK:
                return decode_single(place, spec);
        case SPEC_BLOCK_LIST:
        case SPEC_BLOCK_SET:
        case SPEC_BLOCK_TUPLE:
                return decode_many(place, spec);
        case SPEC_BLOCK_MAP:
        case SPEC_BLOCK_OBJECT:
                return decode_labelled(place, spec);
        case SPEC_BLOCK_ATTRS:
                return decode_block_attrs(place, spec);
        case SPEC_BLOCK_LABEL:
                return decode_label(place, spec);
        case SPEC_LITERAL:
                return spec->value;
        case SPEC_DEFAULT:
                return decode_default(place, spec);
        case SPEC_TRANSFORM:
                return decode_transform(place, spec);
        }
        return &hcl_unknown_any;
}

const struct hcl_value *decode(struct arena *arena, const struct bodies *bodies, const struct spec *spec,
                               const struct hcl_scope *scope, struct diags *diags)
{
        CLEANUP(schema_clear) struct schema schema = {0};
        CLEANUP_PLACE struct place place = {.arena = arena, .scope = scope, .diags = diags};

        add_spec(&schema, spec);
        read_bodies(&place, bodies, &schema);
        return decode_spec(&place, spec);
}

/* ---- references ---- */

struct references {
        struct arena *arena;
        VEC(struct hcl_traversal) found;
};

static void add_expr(struct references *references, const struct hcl_expr *expr)
{
        struct hcl_traversals all = hcl_expr_references(references->arena, expr);

        for (size_t i = 0; i < all.n; i++)
                vec_push(&references->found, all.v[i]);
}

static void add_references(struct references *references, const struct place *place, const struct spec *spec)
{
        const struct hcl_attr *attr = spec->kind == SPEC_ATTR ? find_attr(place, spec->name) : NULL;
        struct hcl_content content = {0};
        const struct hcl_block *block;

        if (attr)
                add_expr(references, attr->expr);
        for (size_t i = 0; same_body(spec) && i < spec->n_nested; i++)
                add_references(references, place, spec->nested[i]);
        for (size_t i = 0; is_block(spec) && (block = next_block(place, spec, &i));) {
                CLEANUP_PLACE struct place inner = {0};

                if (spec->kind == SPEC_BLOCK_ATTRS) {
                        hcl_body_attributes(place->arena, block->body, &content, place->diags);
                        for (size_t j = 0; j < content.n_attrs; j++)
                                add_expr(references, content.attrs[j].expr);
                } else {
                        enter(&inner, place, spec, block);
                        add_references(references, &inner, spec->nested[0]);
                }
                if (spec->kind == SPEC_BLOCK || spec->kind == SPEC_BLOCK_ATTRS)
                        break;
        }
}

struct hcl_traversals decode_references(struct arena *arena, const struct bodies *bodies, const struct spec *spec)
{
        CLEANUP(schema_clear) struct schema schema = {0};
        CLEANUP(diags_clear) struct diags ignored = {0};
        CLEANUP_PLACE struct place place = {.arena = arena, .diags = &ignored};
        struct references references = {.arena = arena};
        struct hcl_traversals ret;

        add_spec(&schema, spec);
        read_bodies(&place, bodies, &schema);
        add_references(&references, &place, spec);
        ret = (struct hcl_traversals){
                .v = arena_memdup(arena, references.found.v, references.found.n * sizeof(*references.found.v)),
                .n = references.found.n};
        vec_free(&references.found);
        return ret;
}
