/* Splats, list[*].name: see eval.h. On what is no list, set or tuple they see one of its one
 * element, or of none if it is null. */
#include "hcl/eval_internal.h"
#include "hcl/value_internal.h"

struct splat {
        struct eval inner;
        const struct hcl_expr *each; /* NULL: the element itself */
};

static const struct hcl_value *each(struct splat *splat, const struct hcl_value *item)
{
        splat->inner.item = item;
        return splat->each ? eval_expr(&splat->inner, splat->each) : item;
}

/* Of an unknown list, set or tuple: what is known is the type. */
static const struct hcl_value *unknown_result(struct splat *splat, const struct hcl_type *type)
{
        struct arena *arena = splat->inner.arena;
        const struct hcl_type **members;

        if (type->element) {
                const struct hcl_value *one = each(splat, hcl_unknown(arena, type->element));

                return hcl_unknown(arena, hcl_type_list(arena, one->type));
        }
        members = arena_array(arena, type->n, sizeof(*members));
        for (size_t i = 0; i < type->n; i++)
                members[i] = each(splat, hcl_unknown(arena, type->members[i]))->type;
        return hcl_unknown(arena, hcl_type_tuple(arena, members, type->n));
}

/* A list from a list or set, if its elements have one type still; else a tuple. */
static const struct hcl_value *known_result(struct splat *splat, const struct hcl_value *source)
{
        struct arena *arena = splat->inner.arena;
        const struct hcl_value **v = arena_array(arena, source->list.n, sizeof(const struct hcl_value *));
        size_t errors = splat->inner.diags->n_errors;
        bool list = source->type->kind != HCL_TUPLE;

        for (size_t i = 0; i < source->list.n; i++) {
                v[i] = each(splat, source->list.v[i]);
                if (splat->inner.diags->n_errors > errors)
                        return &hcl_unknown_any; /* the others would repeat it */
                list &= hcl_type_equal(v[0]->type, v[i]->type);
        }
        if (!list)
                return hcl_tuple_value(arena, v, source->list.n);
        if (source->list.n > 0)
                return hcl_list_value(arena, v[0]->type, v, source->list.n);
        return hcl_list_value(arena, unknown_result(splat, source->type)->type->element, v, 0);
}

const struct hcl_value *eval_splat(const struct eval *e, const struct hcl_expr *expr)
{
        struct splat splat = {.inner = *e, .each = expr->splat.each};
        size_t errors = e->diags->n_errors;
        const struct hcl_value *source = eval_expr(e, expr->splat.operand), *ret;
        enum hcl_kind kind = source->type->kind;
        bool sequence = kind == HCL_LIST || kind == HCL_SET || kind == HCL_TUPLE;

        if (e->diags->n_errors > errors)
                return &hcl_unknown_any;
        if (source->state == HCL_NULL && sequence) {
                diag_error(e->diags, expr->splat.operand->range, "[*] cannot go over a %s that is null",
                           hcl_type_friendly(e->arena, source->type));
                return &hcl_unknown_any;
        }
        if (source->state == HCL_NULL) {
                ret = &hcl_empty_tuple;
        } else if (kind == HCL_ANY) {
                ret = &hcl_unknown_any;
        } else if (!sequence) {
                const struct hcl_value **one = arena_memdup(e->arena, &source, sizeof(source));

                ret = known_result(&splat, hcl_tuple_value(e->arena, one, 1));
                if (source->state == HCL_UNKNOWN) /* it may be null yet, and the result empty */
                        ret = &hcl_unknown_any;
        } else {
                ret = source->state == HCL_UNKNOWN ? unknown_result(&splat, source->type)
                                                   : known_result(&splat, source);
        }
        return eval_marked(e, ret, source->sensitive);
}
