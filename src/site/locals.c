/* `locals {}` and `local "NAME" {}`: values with a name. Each may refer to
 * those before and after it: they are evaluated in the order in which they need
 * each other, round by round. */
#include <string.h>

#include "base/str.h"
#include "site/site_internal.h"

struct named_value {
        const char *name;
        struct range range;
        const struct hcl_expr *expr;
        const struct hcl_value *value; /* NULL: not evaluated yet */
        bool sensitive;
};

struct locals {
        struct load *load;
        VEC(struct named_value) list;
};

const struct hcl_value *site_merge(struct arena *arena, const struct hcl_value *under, const struct hcl_value *over,
                                   bool sensitive)
{
        size_t n_under = under ? under->list.n : 0, n = n_under + (over ? over->list.n : 0);
        struct hcl_string *keys = arena_array(arena, n, sizeof(*keys));
        const struct hcl_value **values = arena_array(arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                const struct hcl_value *from = i < n_under ? under : over;
                size_t at = i < n_under ? i : i - n_under;

                keys[i] = from->list.keys[at];
                values[i] = from == over && sensitive ? hcl_mark_sensitive(arena, from->list.v[at]) : from->list.v[at];
        }
        return hcl_object_value(arena, keys, values, n);
}

static void add_many(struct locals *locals, const struct hcl_block *block)
{
        struct hcl_content content;

        hcl_body_attributes(locals->load->arena, block->body, &content, locals->load->diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                vec_push(&locals->list, (struct named_value){.name = content.attrs[i].name,
                                                             .range = content.attrs[i].name_range,
                                                             .expr = content.attrs[i].expr});
}

static void add_one(struct locals *locals, const struct hcl_block *block)
{
        static const struct hcl_attr_schema attrs[] = {{"expression", true}, {"sensitive", false}};
        static const struct hcl_body_schema schema = {attrs, 2, NULL, 0};
        struct load *load = locals->load;
        struct named_value local = {.name = block->labels[0].text, .range = block->labels[0].range};
        const struct hcl_attr *expression, *sensitive;
        struct hcl_content content;

        hcl_body_content(load->arena, block->body, &schema, NULL, &content, load->diags);
        expression = hcl_content_attr(&content, "expression");
        sensitive = hcl_content_attr(&content, "sensitive");
        if (sensitive) {
                const struct hcl_value *value =
                        hcl_eval(load->arena, sensitive->expr, &load->private->base, load->diags);

                local.sensitive = value->state == HCL_KNOWN && value->type->kind == HCL_BOOL && value->boolean;
        }
        if (!expression)
                return;
        local.expr = expression->expr;
        if (local.sensitive)
                source_text_hide(local.expr->range.source, local.expr->range.start, local.expr->range.end);
        vec_push(&locals->list, local);
}

static struct named_value *find(struct locals *locals, const char *name)
{
        for (size_t i = 0; i < locals->list.n; i++)
                if (strcmp(locals->list.v[i].name, name) == 0)
                        return &locals->list.v[i];
        return NULL;
}

/* Has everything that it refers to its value? What does not exist is told when it is evaluated. */
static bool is_ready(struct locals *locals, const struct named_value *local)
{
        struct hcl_traversals references = hcl_expr_references(locals->load->arena, local->expr);

        for (size_t i = 0; i < references.n; i++) {
                const struct hcl_traversal *reference = &references.v[i];
                const char *name = reference->n_steps > 0 ? reference->steps[0].name : NULL;
                const struct named_value *other;

                if (strcmp(reference->root, "local") != 0)
                        continue;
                for (size_t j = 0; !name && j < locals->list.n; j++) /* `local` as a whole: all but itself */
                        if (!locals->list.v[j].value && &locals->list.v[j] != local)
                                return false;
                other = name ? find(locals, name) : NULL;
                if (other && !other->value)
                        return false;
        }
        return true;
}

static void set_object(struct locals *locals)
{
        struct arena *arena = locals->load->arena;
        struct hcl_string *keys = arena_array(arena, locals->list.n, sizeof(*keys));
        const struct hcl_value **values = arena_array(arena, locals->list.n, sizeof(const struct hcl_value *));
        struct hcl_string *root = arena_array(arena, 1, sizeof(*root));
        const struct hcl_value **object = arena_array(arena, 1, sizeof(const struct hcl_value *));
        size_t n = 0;

        for (size_t i = 0; i < locals->list.n; i++) {
                const struct named_value *local = &locals->list.v[i];

                if (!local->value)
                        continue;
                keys[n] = (struct hcl_string){local->name, strlen(local->name)};
                values[n++] = local->value;
        }
        root[0] = (struct hcl_string){"local", strlen("local")};
        object[0] = hcl_object_value(arena, keys, values, n);
        locals->load->private->scope.variables = hcl_object_value(arena, root, object, 1);
}

/* Those that are ready; false if none was. */
static bool evaluate_round(struct locals *locals)
{
        struct load *load = locals->load;
        bool any = false;

        for (size_t i = 0; i < locals->list.n; i++) {
                struct named_value *local = &locals->list.v[i];

                if (local->value || !is_ready(locals, local))
                        continue;
                local->value = hcl_eval(load->arena, local->expr, &load->private->scope, load->diags);
                if (local->sensitive)
                        local->value = hcl_mark_sensitive(load->arena, local->value);
                any = true;
        }
        set_object(locals);
        return any;
}

static void check_twice(struct locals *locals)
{
        for (size_t i = 0; i < locals->list.n; i++) {
                const struct named_value *local = &locals->list.v[i], *first = find(locals, local->name);

                if (first == local)
                        continue;
                diag_error(locals->load->diags, local->range, "there are two locals '%s'", local->name);
                diag_detail(locals->load->diags, "The other one is in %s.", load_place(locals->load, first->range));
        }
}

void load_locals(struct load *load, const struct hcl_block *blocks, size_t n)
{
        struct locals locals = {.load = load};

        for (size_t i = 0; i < n; i++) {
                if (strcmp(blocks[i].type, "locals") == 0)
                        add_many(&locals, &blocks[i]);
                else if (blocks[i].n_labels > 0)
                        add_one(&locals, &blocks[i]);
        }
        check_twice(&locals);
        set_object(&locals);
        while (evaluate_round(&locals))
                ;
        for (size_t i = 0; i < locals.list.n; i++)
                if (!locals.list.v[i].value) {
                        diag_error(load->diags, locals.list.v[i].range,
                                   "this value and others need each other, in a circle");
                        locals.list.v[i].value = &hcl_unknown_any;
                }
        set_object(&locals);
        vec_free(&locals.list);
}
