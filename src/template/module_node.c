/* Locals and data sources: they may refer to each other in any order, so each
 * is evaluated after those that it refers to. See module_internal.h. */
#include <string.h>

#include "base/str.h"
#include "template/module_internal.h"

static struct module_node *new_node(struct template_module *module, const char *type, const char *name,
                                    struct range range)
{
        struct module_node *node = arena_alloc(&module->arena, sizeof(*node));

        *node = (struct module_node){.type = type, .name = name, .range = range, .value = &hcl_unknown_any};
        node->key = type ? arena_printf(&module->arena, "data.%s.%s", type, name)
                         : arena_printf(&module->arena, "local.%s", name);
        index_add(&module->nodes, node->key, range, node);
        return node;
}

void module_add_locals(struct template_module *module, const struct hcl_block *block)
{
        struct hcl_content content;

        hcl_body_attributes(&module->arena, block->body, &content, module->diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                new_node(module, NULL, content.attrs[i].name, content.attrs[i].name_range)->expr =
                        content.attrs[i].expr;
}

void module_add_local(struct template_module *module, const struct hcl_block *block)
{
        static const struct hcl_attr_schema attrs[] = {{"expression", true}, {"sensitive", false}};
        static const struct hcl_body_schema schema = {attrs, 2, NULL, 0};
        struct module_node *node = new_node(module, NULL, block->labels[0].text, block->labels[0].range);
        const struct hcl_attr *expression, *sensitive;
        struct hcl_content content;

        hcl_body_content(&module->arena, block->body, &schema, NULL, &content, module->diags);
        expression = hcl_content_attr(&content, "expression");
        sensitive = hcl_content_attr(&content, "sensitive");
        if (sensitive) {
                const struct hcl_value *value = hcl_eval(&module->arena, sensitive->expr, &module->base, module->diags);

                node->sensitive = value->state == HCL_KNOWN && value->type->kind == HCL_BOOL && value->boolean;
        }
        if (!expression)
                return;
        node->expr = expression->expr;
        if (node->sensitive)
                source_text_hide(node->expr->range.source, node->expr->range.start, node->expr->range.end);
}

void module_add_data(struct template_module *module, const struct hcl_block *block)
{
        new_node(module, block->labels[0].text, block->labels[1].text, block->labels[1].range)->block = block;
}

/* ---- what needs what ---- */

typedef VEC(struct module_node *) node_list;

/* The nodes on the way to the one that is evaluated, for the message about a circle. */
struct way {
        const struct way *up;
        const struct module_node *node;
        unsigned int length;
};
enum { WAY_MAX = 1000 };

static void evaluate(struct template_module *module, struct module_node *node, const struct way *up);

static void report_circle(struct template_module *module, const struct module_node *node, const struct way *way,
                          struct range at)
{
        CLEANUP_STR struct str path = {0};
        const struct way *from[64];
        size_t n = 0;

        for (; way && n < 64; way = way->up) {
                from[n++] = way;
                if (way->node == node)
                        break;
        }
        while (n > 0)
                str_addf(&path, "%s -> ", from[--n]->node->key);
        diag_error(module->diags, at, "these values need each other, in a circle: %s%s", str_get(&path), node->key);
}

/* The node that a reference means: NULL for other references, and for one that does not exist (then `ret_missing`). */
static struct module_node *find_node(struct template_module *module, const struct hcl_traversal *reference,
                                     const char **ret_missing)
{
        bool is_local = strcmp(reference->root, "local") == 0, is_data = strcmp(reference->root, "data") == 0;
        struct module_node *node;
        const char *key;

        *ret_missing = NULL;
        if (is_local && reference->n_steps > 0 && reference->steps[0].name)
                key = arena_printf(&module->arena, "local.%s", reference->steps[0].name);
        else if (is_data && reference->n_steps > 1 && reference->steps[0].name && reference->steps[1].name)
                key = arena_printf(&module->arena, "data.%s.%s", reference->steps[0].name, reference->steps[1].name);
        else
                return NULL;
        node = index_find(&module->nodes, key);
        if (!node)
                *ret_missing = key;
        return node;
}

static bool is_whole(const struct hcl_traversal *reference)
{
        bool is_local = strcmp(reference->root, "local") == 0;

        return (is_local && (reference->n_steps == 0 || !reference->steps[0].name)) ||
               (strcmp(reference->root, "data") == 0 && reference->n_steps < 2);
}

static void need(struct template_module *module, struct module_node *node, const struct way *way, struct range at,
                 node_list *needed)
{
        if (node->state == NODE_BUSY) {
                report_circle(module, node, way, at);
                node->value = &hcl_unknown_any;
        } else if (node->state == NODE_NEW && way->length >= WAY_MAX) {
                diag_error(module->diags, at, "more than %d values need each other, one after the other", WAY_MAX);
                node->state = NODE_DONE;
        } else if (node->state == NODE_NEW) {
                evaluate(module, node, way);
        }
        vec_push(needed, node);
}

/* `local` or `data` as a whole: everything else. */
static void need_all(struct template_module *module, const struct way *way, struct range at, node_list *needed)
{
        for (size_t i = 0; i < module->nodes.list.n; i++) {
                struct module_node *node = module->nodes.list.v[i].item;

                if (node->state != NODE_BUSY)
                        need(module, node, way, at, needed);
        }
}

static void need_references(struct template_module *module, const struct hcl_expr *expr, const struct way *way,
                            node_list *needed, struct diags *missing)
{
        struct hcl_traversals references = hcl_expr_references(&module->arena, expr);

        for (size_t i = 0; i < references.n; i++) {
                const struct hcl_traversal *reference = &references.v[i];
                const char *name, *nearest;
                struct module_node *node = find_node(module, reference, &name);

                if (node) {
                        need(module, node, way, reference->range, needed);
                } else if (name) {
                        nearest = index_nearest(&module->nodes, name);
                        diag_error(missing, reference->range, "there is no %s%s%s%s", name,
                                   nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
                } else if (is_whole(reference)) {
                        need_all(module, way, reference->range, needed);
                }
        }
}

static void need_body(struct template_module *module, const struct hcl_body *body, const struct way *way,
                      node_list *needed, struct diags *missing)
{
        const struct hcl_expr *json = body->json ? hcl_json_expr(&module->arena, body->json, module->diags) : NULL;

        if (json)
                need_references(module, json, way, needed, missing);
        for (size_t i = 0; i < body->n_attrs; i++)
                need_references(module, body->attrs[i].expr, way, needed, missing);
        for (size_t i = 0; i < body->n_blocks; i++)
                need_body(module, body->blocks[i].body, way, needed, missing);
}

/* ---- values ---- */

static const struct hcl_value *node_value(struct template_module *module, struct module_node *node,
                                          const node_list *needed)
{
        const struct hcl_scope scope = {.parent = &module->base,
                                        .variables = module_node_roots(module, needed->v, needed->n)};

        const struct hcl_value *value;

        if (node->block)
                return data_evaluate(module, node, &scope);
        if (!node->expr)
                return &hcl_unknown_any;
        value = hcl_eval(&module->arena, node->expr, &scope, module->diags);
        module_add_sensitive(module, node->expr, value, &scope);
        return value;
}

static void evaluate(struct template_module *module, struct module_node *node, const struct way *up)
{
        const struct way way = {up, node, up ? up->length + 1 : 1};
        struct diags missing = {0}, own = {0}, *diags = module->diags;
        node_list needed = {0};

        node->state = NODE_BUSY;
        if (node->block)
                need_body(module, node->block->body, &way, &needed, &missing);
        else if (node->expr)
                need_references(module, node->expr, &way, &needed, &missing);
        module->diags = &own;
        node->value = node_value(module, node, &needed);
        module->diags = diags;
        /* A name that does not exist is told as such, unless the expression can do without it (try). */
        diags_move(diags, own.n_errors > 0 && missing.n_errors > 0 ? &missing : &own);
        diags_clear(&missing);
        diags_clear(&own);
        vec_free(&needed);
        if (node->sensitive) {
                node->value = hcl_mark_sensitive(&module->arena, node->value);
                module_add_secrets(module, node->value);
        }
        node->state = NODE_DONE;
}

void module_evaluate_nodes(struct template_module *module)
{
        for (size_t i = 0; i < module->nodes.list.n; i++) {
                struct module_node *node = module->nodes.list.v[i].item;

                if (node->state == NODE_NEW)
                        evaluate(module, node, NULL);
        }
}
