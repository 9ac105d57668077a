/* Functions of sets. */
#include "hcl/func.h"

/* The arguments' sets with elements of one type, in *ret; its element type, or NULL with the error set. */
static const struct hcl_type *unified(struct hcl_call *call, const struct hcl_value ***ret)
{
        const struct hcl_type **types = arena_array(call->arena, call->n, sizeof(const struct hcl_type *)), *element;
        const struct hcl_value **sets = arena_array(call->arena, call->n, sizeof(const struct hcl_value *));
        size_t n = 0;

        for (size_t i = 0; i < call->n; i++) /* what is empty may be of any type */
                if (call->args[i]->list.n > 0 || call->args[i]->type->element->kind != HCL_ANY)
                        types[n++] = call->args[i]->type->element;
        element = n > 0 ? hcl_unify(call->arena, types, n) : &hcl_any;
        if (!element) {
                func_fail(call, FUNC_WHOLE, "the elements of the sets have no type in common");
                return NULL;
        }
        for (size_t i = 0; i < call->n; i++)
                if (hcl_convert(call->arena, call->args[i], hcl_type_set(call->arena, element), &sets[i], call->err) <
                    0) {
                        call->bad_arg = i;
                        return NULL;
                }
        *ret = sets;
        return element;
}

CALL(setunion)
{
        const struct hcl_value **sets, **v;
        const struct hcl_type *element = unified(call, &sets);
        size_t n = 0, total = 0;

        if (!element)
                return NULL;
        for (size_t i = 0; i < call->n; i++)
                total += sets[i]->list.n;
        v = arena_array(call->arena, total, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < call->n; i++)
                for (size_t k = 0; k < sets[i]->list.n; k++)
                        v[n++] = sets[i]->list.v[k];
        return hcl_set_value(call->arena, element, v, n);
}

/* Sets are sorted. */
static bool has(const struct hcl_value *set, const struct hcl_value *element)
{
        size_t low = 0, high = set->list.n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = hcl_value_compare(element, set->list.v[middle]);

                if (order == 0)
                        return true;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return false;
}

CALL(setintersection)
{
        const struct hcl_value **sets, **v;
        const struct hcl_type *element = unified(call, &sets);
        size_t n = 0;

        if (!element)
                return NULL;
        v = arena_array(call->arena, sets[0]->list.n, sizeof(const struct hcl_value *));
        for (size_t k = 0; k < sets[0]->list.n; k++) {
                bool in_all = true;

                for (size_t i = 1; i < call->n && in_all; i++)
                        in_all = has(sets[i], sets[0]->list.v[k]);
                if (in_all)
                        v[n++] = sets[0]->list.v[k];
        }
        return hcl_set_value(call->arena, element, v, n);
}

/* The type of an argument's elements; NULL, with the error set, if it has none. */
static const struct hcl_type *factor_type(struct hcl_call *call, size_t arg)
{
        const struct hcl_type *type = call->args[arg]->type, *element;

        if (type->kind == HCL_SET || type->kind == HCL_LIST)
                return type->element;
        if (type->kind != HCL_TUPLE) {
                func_fail(call, arg, "a set or a list is needed, not %s", hcl_type_friendly(call->arena, type));
                return NULL;
        }
        if (type->n == 0)
                return &hcl_any;
        element = hcl_unify(call->arena, type->members, type->n);
        if (!element)
                func_fail(call, arg, "the elements of the tuple have no type in common");
        return element;
}

/* One element of each factor, the last one changing fastest. */
static const struct hcl_value *combination(struct hcl_call *call, const struct hcl_type *const *types, size_t number)
{
        const struct hcl_value **v = arena_array(call->arena, call->n, sizeof(const struct hcl_value *));

        for (size_t i = call->n; i-- > 0;) {
                const struct hcl_value *factor = call->args[i];

                if (hcl_convert(call->arena, factor->list.v[number % factor->list.n], types[i], &v[i], call->err) < 0) {
                        call->bad_arg = i;
                        return NULL;
                }
                number /= factor->list.n;
        }
        return hcl_tuple_value(call->arena, v, call->n);
}

CALL(setproduct)
{
        const struct hcl_type **types = arena_array(call->arena, call->n, sizeof(const struct hcl_type *)), *element;
        const struct hcl_value **v;
        size_t total = 1;
        bool ordered = true;

        if (call->n < 2)
                return func_fail(call, FUNC_WHOLE, "at least two sets are needed");
        for (size_t i = 0; i < call->n; i++) {
                types[i] = factor_type(call, i);
                if (!types[i])
                        return NULL;
                ordered = ordered && call->args[i]->type->kind != HCL_SET;
        }
        for (size_t i = 0; i < call->n; i++)
                if (call->args[i]->list.n == 0)
                        total = 0;
        for (size_t i = 0; i < call->n && total > 0; i++)
                if (__builtin_mul_overflow(total, call->args[i]->list.n, &total) || total > FUNC_ELEMENTS_MAX / call->n)
                        return func_fail(call, FUNC_WHOLE, "the product would have more than %zu elements",
                                         FUNC_ELEMENTS_MAX / call->n);
        v = arena_array(call->arena, total, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < total; i++) {
                v[i] = combination(call, types, i);
                if (!v[i])
                        return NULL;
        }
        element = hcl_type_tuple(call->arena, types, call->n);
        return ordered ? hcl_list_value(call->arena, element, v, total) : hcl_set_value(call->arena, element, v, total);
}

#define SET .returns = &func_any_set

FUNCTION(setintersection, SET, PARAMS({"first_set", &func_any_set}), VARIADIC("other_sets", &func_any_set),
         .help = "What is in all of the sets.");
FUNCTION(setproduct, .returns = &hcl_any, VARIADIC("sets", &hcl_any),
         .help = "All tuples of one element of each; a list if the arguments are lists.");
FUNCTION(setunion, SET, PARAMS({"first_set", &func_any_set}), VARIADIC("other_sets", &func_any_set),
         .help = "What is in any of the sets.");
