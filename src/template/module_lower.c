/* Bodies of blocks, evaluated, as the values that schema tables read: arguments
 * become members, nested blocks lists of objects. See module_internal.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/module_internal.h"

/* What brackets and "${}" hold. */
static const struct hcl_expr *inner(const struct hcl_expr *expr)
{
        while (expr && (expr->kind == HCL_EXPR_PARENS || expr->kind == HCL_EXPR_WRAP))
                expr = expr->attr.operand;
        return expr;
}

/* The expression of an element or a member, where the expression shows it; else NULL. */
static const struct hcl_expr *element_expr(const struct hcl_expr *expr, size_t i, size_t n)
{
        return expr && expr->kind == HCL_EXPR_TUPLE && expr->items.n == n ? expr->items.v[i] : NULL;
}

static bool is_key(const struct hcl_expr *key, const char *name)
{
        const char *word = hcl_expr_keyword(key);
        const struct hcl_expr *text = key->kind == HCL_EXPR_TEMPLATE && key->items.n == 1 ? key->items.v[0] : key;

        if (word)
                return strcmp(word, name) == 0;
        return text->kind == HCL_EXPR_LITERAL && text->literal->state == HCL_KNOWN &&
               text->literal->type->kind == HCL_STRING && strcmp(text->literal->string.s, name) == 0;
}

static const struct hcl_pair *member_pair(const struct hcl_expr *expr, const char *name)
{
        if (!expr || expr->kind != HCL_EXPR_OBJECT || expr->pairs.n > 64)
                return NULL;
        for (size_t i = 0; i < expr->pairs.n; i++)
                if (is_key(expr->pairs.v[i].key, name))
                        return &expr->pairs.v[i];
        return NULL;
}

static struct value *lower(struct template_module *module, const struct hcl_expr *expr, const struct hcl_value *value,
                           struct range range);

static struct value *lower_list(struct template_module *module, const struct hcl_expr *expr,
                                const struct hcl_value *value, struct range range)
{
        struct value *list = value_new(VALUE_LIST, range);

        for (size_t i = 0; i < value->list.n; i++) {
                const struct hcl_expr *element = element_expr(expr, i, value->list.n);
                struct value *lowered = lower(module, element, value->list.v[i], element ? element->range : range);

                list->unknown |= lowered->unknown;
                value_list_add(list, lowered);
        }
        return list;
}

static struct value *lower_object(struct template_module *module, const struct hcl_expr *expr,
                                  const struct hcl_value *value, struct range range)
{
        struct value *object = value_new(VALUE_OBJECT, range);

        for (size_t i = 0; i < value->list.n; i++) {
                const char *name = value->list.keys[i].s;
                const struct hcl_pair *pair = member_pair(expr, name);
                struct value *lowered =
                        lower(module, pair ? pair->value : NULL, value->list.v[i], pair ? pair->value->range : range);

                object->unknown |= lowered->unknown;
                value_object_add(object, name, pair ? pair->key->range : range, lowered);
        }
        return object;
}

static struct value *lower_string(struct template_module *module, const struct hcl_value *value, struct range range)
{
        struct value *string = value_new(VALUE_STRING, range);

        if (strlen(value->string.s) != value->string.len)
                diag_error(module->diags, range, "a NUL character cannot be used here");
        string->string = xstrdup(value->string.s);
        return string;
}

static struct value *lower_kind(struct template_module *module, const struct hcl_expr *expr,
                                const struct hcl_value *value, struct range range)
{
        struct value *lowered;

        if (value->state != HCL_KNOWN) {
                lowered = value_new(VALUE_NULL, range);
                lowered->unknown = value->state == HCL_UNKNOWN;
                return lowered;
        }
        switch (value->type->kind) {
        case HCL_BOOL:
                lowered = value_new(VALUE_BOOL, range);
                lowered->boolean = value->boolean;
                return lowered;
        case HCL_NUMBER:
                lowered = value_new(VALUE_NUMBER, range);
                lowered->string = xstrdup(hcl_number_text(&module->arena, value->number));
                return lowered;
        case HCL_STRING:
                return lower_string(module, value, range);
        case HCL_LIST:
        case HCL_SET:
        case HCL_TUPLE:
                return lower_list(module, expr, value, range);
        case HCL_MAP:
        case HCL_OBJECT:
                return lower_object(module, expr, value, range);
        case HCL_ANY:
                break;
        }
        return value_new(VALUE_NULL, range);
}

static struct value *lower(struct template_module *module, const struct hcl_expr *expr, const struct hcl_value *value,
                           struct range range)
{
        struct value *lowered = lower_kind(module, inner(expr), value, range);

        lowered->typed = true;
        return lowered;
}

/* ---- bodies ---- */

/* What is in the body, as a schema that takes all of it: who reads the value knows what belongs there. */
struct own_schema {
        VEC(struct hcl_attr_schema) attrs;
        VEC(struct hcl_block_schema) blocks;
};

static void want_block(struct own_schema *own, const char *type)
{
        for (size_t i = 0; i < own->blocks.n; i++)
                if (strcmp(own->blocks.v[i].type, type) == 0)
                        return;
        vec_push(&own->blocks, (struct hcl_block_schema){.type = type});
}

static void want_json(struct own_schema *own, const struct value *json)
{
        if (json->type == VALUE_LIST)
                for (size_t i = 0; i < json->list.n; i++)
                        want_json(own, json->list.v[i]);
        if (json->type != VALUE_OBJECT)
                return;
        for (size_t i = 0; i < json->object.n; i++) {
                const struct value_entry *entry = &json->object.v[i];

                if (strcmp(entry->key, "dynamic") != 0)
                        vec_push(&own->attrs, (struct hcl_attr_schema){.name = entry->key});
                else if (entry->value->type == VALUE_OBJECT)
                        for (size_t j = 0; j < entry->value->object.n; j++)
                                want_block(own, entry->value->object.v[j].key);
        }
}

static void own_schema(const struct hcl_body *body, struct own_schema *own)
{
        if (body->json)
                want_json(own, body->json);
        for (size_t i = 0; i < body->n_attrs; i++)
                vec_push(&own->attrs, (struct hcl_attr_schema){.name = body->attrs[i].name});
        for (size_t i = 0; i < body->n_blocks; i++) {
                const struct hcl_block *block = &body->blocks[i];

                if (strcmp(block->type, "dynamic") != 0)
                        want_block(own, block->type);
                else if (block->n_labels > 0)
                        want_block(own, block->labels[0].text);
        }
}

static void lower_attr(struct template_module *module, const struct hcl_attr *attr, const struct hcl_scope *scope,
                       struct value *object)
{
        const struct hcl_value *value = hcl_eval(&module->arena, attr->expr, scope, module->diags);
        struct value_entry *before = (struct value_entry *)value_entry(object, attr->name);
        struct value *lowered = lower(module, attr->expr, value, attr->expr->range);

        module_add_sensitive(module, attr->expr, value, scope);
        object->unknown |= lowered->unknown;
        if (!before) {
                value_object_add(object, attr->name, attr->name_range, lowered);
                return;
        }
        value_free(before->value);
        before->value = lowered;
        before->key_range = attr->name_range;
}

static void lower_block(struct template_module *module, const struct hcl_block *block, const struct hcl_scope *scope,
                        struct value *object)
{
        struct value_entry *before = (struct value_entry *)value_entry(object, block->type);
        struct value *list = before && before->value->type == VALUE_LIST ? before->value : NULL;
        struct value *lowered = value_new(VALUE_OBJECT, block->open_range);

        if (!list) {
                list = value_new(VALUE_LIST, block->open_range);
                value_object_add(object, block->type, block->type_range, list);
        }
        module_lower_body(module, block->body, block->scope ? block->scope : scope, lowered);
        object->unknown |= lowered->unknown;
        value_list_add(list, lowered);
}

void module_lower_body(struct template_module *module, const struct hcl_body *body, const struct hcl_scope *scope,
                       struct value *object)
{
        struct own_schema own = {0};
        struct hcl_content content;
        struct hcl_body_schema schema;

        own_schema(body, &own);
        schema = (struct hcl_body_schema){own.attrs.v, own.attrs.n, own.blocks.v, own.blocks.n};
        hcl_body_content(&module->arena, body, &schema, scope, &content, module->diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                lower_attr(module, &content.attrs[i], scope, object);
        for (size_t i = 0; i < content.n_blocks; i++)
                lower_block(module, &content.blocks[i], scope, object);
        vec_free(&own.attrs);
        vec_free(&own.blocks);
}
