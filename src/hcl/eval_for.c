/* `for` expressions: see eval.h. */
#include <string.h>

#include "base/vec.h"
#include "hcl/eval_internal.h"
#include "hcl/value_internal.h"

/* A name that the loop binds. What it stands for changes with each round; no value refers to the scope itself. */
struct binding {
        struct hcl_string name;
        const struct hcl_value *value;
        struct hcl_value variables;
        struct hcl_scope scope;
};

static void bind_name(struct binding *binding, const char *name, const struct hcl_scope *parent)
{
        *binding = (struct binding){
                .name = {.s = name, .len = strlen(name)},
                .value = &hcl_unknown_any,
                .variables = {.type = hcl_empty_object.type,
                              .list = {.v = &binding->value, .keys = &binding->name, .n = 1}},
                .scope = {.parent = parent, .variables = &binding->variables},
        };
}

struct item {
        struct hcl_string key;
        const struct hcl_value *value;
        size_t place;
};

struct loop {
        const struct hcl_for *source;
        struct eval inner; /* with the names bound */
        struct binding key, value;
        VEC(struct item) items;
        bool known;     /* false: some element's condition or key is not known, and so the whole is not */
        bool sensitive; /* because of the collection, a condition or a key */
};

static void loop_clear(struct loop *loop)
{
        vec_free(&loop->items);
}

/* Is the element wanted? 1 or 0; -1: not known, or an error. */
static int wanted(struct loop *loop)
{
        const struct hcl_expr *expr = loop->source->condition;
        const struct hcl_value *value;

        if (!expr)
                return 1;
        value = eval_expr(&loop->inner, expr);
        if (value->state == HCL_NULL) {
                diag_error(loop->inner.diags, expr->range, "the condition of 'for' is null; it must be true or false");
                return -1;
        }
        value = eval_convert(&loop->inner, value, &hcl_bool, expr->range,
                             "the condition of 'for' must be true or false");
        loop->sensitive |= value && value->sensitive;
        return !value || value->state == HCL_UNKNOWN ? -1 : value->boolean;
}

/* The key that the element gets in the object; false if it is not known. */
static bool item_key(struct loop *loop, struct item *item)
{
        const struct hcl_expr *expr = loop->source->key;
        const struct hcl_value *value = eval_expr(&loop->inner, expr);

        if (value->state == HCL_NULL) {
                diag_error(loop->inner.diags, expr->range, "the key of a 'for' expression must not be null");
                return false;
        }
        value = eval_convert(&loop->inner, value, &hcl_string, expr->range, "this cannot be a key");
        loop->sensitive |= value && value->sensitive;
        if (!value || value->state == HCL_UNKNOWN)
                return false;
        item->key = value->string;
        return true;
}

static void visit(struct loop *loop)
{
        struct item item = {.place = loop->items.n};
        int want = wanted(loop);

        if (want < 0)
                loop->known = false;
        if (want <= 0)
                return;
        if (loop->source->key && !item_key(loop, &item))
                loop->known = false;
        item.value = eval_expr(&loop->inner, loop->source->value);
        vec_push(&loop->items, item);
}

/* What the first one of two names stands for. */
static const struct hcl_value *key_of(struct arena *arena, const struct hcl_value *collection, size_t i)
{
        if (collection->list.keys)
                return hcl_string_value(arena, collection->list.keys[i].s, collection->list.keys[i].len);
        return collection->type->kind == HCL_SET ? collection->list.v[i] : hcl_int_value(arena, (int64_t)i);
}

static void visit_all(struct loop *loop, const struct hcl_value *collection)
{
        struct arena *arena = loop->inner.arena;
        size_t errors = loop->inner.diags->n_errors;

        /* Once with unknown names: what is wrong with the condition is so without elements too. */
        if (loop->source->condition)
                wanted(loop);
        /* Not further than the first error: all elements would repeat it. */
        for (size_t i = 0; i < collection->list.n && loop->inner.diags->n_errors == errors; i++) {
                if (!eval_has_room(&loop->inner, loop->source->value->range))
                        break;
                loop->value.value = collection->list.v[i];
                if (loop->source->key_name)
                        loop->key.value = key_of(arena, collection, i);
                visit(loop);
        }
}

static const struct hcl_value *make_tuple(const struct loop *loop, size_t from, size_t to)
{
        const struct hcl_value **v = arena_array(loop->inner.arena, to - from, sizeof(const struct hcl_value *));

        for (size_t i = from; i < to; i++)
                v[i - from] = loop->items.v[i].value;
        return hcl_tuple_value(loop->inner.arena, v, to - from);
}

static int by_key(const void *a, const void *b)
{
        const struct item *x = a, *y = b;
        int r = hcl_string_compare(&x->key, &y->key);

        return r != 0 ? r : (x->place > y->place) - (x->place < y->place);
}

static const struct hcl_value *make_object(struct loop *loop)
{
        struct arena *arena = loop->inner.arena;
        const struct hcl_value **v = arena_array(arena, loop->items.n, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(arena, loop->items.n, sizeof(*keys));
        size_t n = 0;

        if (loop->items.n > 0)
                qsort(loop->items.v, loop->items.n, sizeof(*loop->items.v), by_key);
        for (size_t i = 0, end; i < loop->items.n; i = end) {
                for (end = i + 1; end < loop->items.n; end++)
                        if (hcl_string_compare(&loop->items.v[i].key, &loop->items.v[end].key) != 0)
                                break;
                if (end - i > 1 && !loop->source->group) {
                        diag_error(loop->inner.diags, loop->source->key->range,
                                   "%zu elements have the key %s; write ... after the value to group what has the "
                                   "same key",
                                   end - i,
                                   loop->sensitive
                                           ? "that this makes"
                                           : hcl_quote(arena, loop->items.v[i].key.s, loop->items.v[i].key.len));
                        return &hcl_unknown_any;
                }
                keys[n] = loop->items.v[i].key;
                v[n++] = loop->source->group ? make_tuple(loop, i, end) : loop->items.v[i].value;
        }
        return hcl_object_value(arena, keys, v, n);
}

static const struct hcl_value *run(struct loop *loop, const struct hcl_value *collection)
{
        size_t errors = loop->inner.diags->n_errors;
        const struct hcl_value *ret;

        loop->known = true;
        visit_all(loop, collection);
        if (!loop->known || loop->inner.diags->n_errors > errors)
                ret = &hcl_unknown_any;
        else
                ret = loop->source->key ? make_object(loop) : make_tuple(loop, 0, loop->items.n);
        return eval_marked(&loop->inner, ret, loop->sensitive);
}

const struct hcl_value *eval_for(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP(loop_clear) struct loop loop = {.source = expr->loop, .inner = *e};
        const struct hcl_expr *source = expr->loop->collection;
        const struct hcl_value *collection = eval_expr(e, source);

        loop.sensitive = collection->sensitive;
        if (collection->state == HCL_NULL) {
                diag_error(e->diags, source->range,
                           "'for' cannot go over null; a list, set, tuple, map or object is needed");
                return &hcl_unknown_any;
        }
        if (collection->type->kind != HCL_ANY && collection->type->kind < HCL_LIST) {
                diag_error(e->diags, source->range,
                           "'for' needs a list, set, tuple, map or object, but found a value of type %s",
                           hcl_type_friendly(e->arena, collection->type));
                return &hcl_unknown_any;
        }
        if (collection->state == HCL_UNKNOWN)
                return eval_marked(e, &hcl_unknown_any, loop.sensitive);
        bind_name(&loop.key, expr->loop->key_name ? expr->loop->key_name : "", e->scope);
        bind_name(&loop.value, expr->loop->value_name, expr->loop->key_name ? &loop.key.scope : e->scope);
        loop.inner.scope = &loop.value.scope;
        return run(&loop, collection);
}
