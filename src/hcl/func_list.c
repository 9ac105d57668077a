/* Functions of lists and tuples. */
#include <string.h>

#include "hcl/func.h"

static size_t length(const struct hcl_value *value)
{
        return value->list.n;
}

/* v as a list of `element`, or as a tuple. */
static const struct hcl_value *sequence(struct hcl_call *call, const struct hcl_type *element,
                                        const struct hcl_value *const *v, size_t n)
{
        return element ? hcl_list_value(call->arena, element, v, n) : hcl_tuple_value(call->arena, v, n);
}

/* The element type of what is made from a list or set; NULL, for a tuple, from a tuple. */
static const struct hcl_type *element_type(const struct hcl_value *value)
{
        return value->type->kind == HCL_TUPLE ? NULL : value->type->element;
}

CALL(alltrue)
{
        const struct hcl_value *list = call->args[0];

        for (size_t i = 0; i < length(list); i++)
                if (list->list.v[i]->state == HCL_NULL || !list->list.v[i]->boolean)
                        return &hcl_false;
        return &hcl_true;
}

CALL(anytrue)
{
        const struct hcl_value *list = call->args[0];

        for (size_t i = 0; i < length(list); i++)
                if (list->list.v[i]->state == HCL_KNOWN && list->list.v[i]->boolean)
                        return &hcl_true;
        return &hcl_false;
}

CALL(chunklist)
{
        const struct hcl_value *list = call->args[0], **chunks;
        size_t n = length(list), n_chunks = 0;
        int64_t size;

        if (!func_int(call, 1, &size))
                return NULL;
        if (size < 0)
                return func_fail(call, 1, "the size of chunks must not be negative");
        if (size == 0 || (uint64_t)size > n) /* none: one chunk of all */
                size = n > 0 ? (int64_t)n : 1;
        chunks = arena_array(call->arena, n / (size_t)size + 1, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i += (size_t)size) {
                size_t left = n - i;

                chunks[n_chunks++] = hcl_list_value(call->arena, list->type->element, list->list.v + i,
                                                    left < (size_t)size ? left : (size_t)size);
        }
        return hcl_list_value(call->arena, list->type, chunks, n_chunks);
}

CALL(compact)
{
        const struct hcl_value *list = call->args[0], **v;
        size_t n = 0;

        v = arena_array(call->arena, length(list), sizeof(const struct hcl_value *));
        for (size_t i = 0; i < length(list); i++)
                if (list->list.v[i]->state == HCL_KNOWN && list->list.v[i]->string.len > 0)
                        v[n++] = list->list.v[i];
        return func_list_of_strings(call, v, n);
}

/* The list type that all arguments convert to; NULL if they are not all lists, or there is none. */
static const struct hcl_type *common_list(struct hcl_call *call)
{
        const struct hcl_type **types = arena_array(call->arena, call->n, sizeof(const struct hcl_type *)), *common;

        for (size_t i = 0; i < call->n; i++) {
                if (call->args[i]->type->kind != HCL_LIST)
                        return NULL;
                types[i] = call->args[i]->type;
        }
        common = hcl_unify(call->arena, types, call->n);
        return common && common->kind == HCL_LIST ? common : NULL;
}

CALL(concat)
{
        const struct hcl_value **v;
        const struct hcl_type *type;
        size_t n = 0, total = 0;

        if (call->n == 0)
                return func_fail(call, FUNC_WHOLE, "at least one list is needed");
        for (size_t i = 0; i < call->n; i++) {
                enum hcl_kind kind = call->args[i]->type->kind;

                if (kind != HCL_LIST && kind != HCL_TUPLE)
                        return func_fail(call, i, "a list or tuple is needed, not %s",
                                         hcl_type_friendly(call->arena, call->args[i]->type));
                total += length(call->args[i]);
        }
        type = common_list(call);
        v = arena_array(call->arena, total, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < call->n; i++) {
                const struct hcl_value *list = call->args[i];

                if (type && hcl_convert(call->arena, list, type, &list, call->err) < 0) {
                        call->bad_arg = i;
                        return NULL;
                }
                for (size_t k = 0; k < length(list); k++)
                        v[n++] = list->list.v[k];
        }
        return sequence(call, type ? type->element : NULL, v, n);
}

struct place {
        const struct hcl_value *value;
        size_t index;
};

static int by_value(const void *a, const void *b)
{
        const struct place *x = a, *y = b;
        int order = hcl_value_compare(x->value, y->value);

        return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
        const struct place *x = a, *y = b;

        return (x->index > y->index) - (x->index < y->index);
}

/* The first of equal elements stays where it was. */
CALL(distinct)
{
        const struct hcl_value *list = call->args[0], **v;
        size_t n = length(list), kept = 0;
        struct place *places;

        places = arena_array(call->arena, n, sizeof(*places));
        v = arena_array(call->arena, n, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i++)
                places[i] = (struct place){list->list.v[i], i};
        if (n > 0)
                qsort(places, n, sizeof(*places), by_value);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || hcl_value_compare(places[kept - 1].value, places[i].value) != 0)
                        places[kept++] = places[i];
        if (kept > 0)
                qsort(places, kept, sizeof(*places), by_index);
        for (size_t i = 0; i < kept; i++)
                v[i] = places[i].value;
        return hcl_list_value(call->arena, list->type->element, v, kept);
}

CALL(element)
{
        const struct hcl_value *list = call->args[0];
        int64_t index;

        if (list->type->kind != HCL_LIST && list->type->kind != HCL_TUPLE)
                return func_fail(call, 0, "a list or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        if (!func_int(call, 1, &index))
                return NULL;
        if (index < 0)
                return func_fail(call, 1, "the index must not be negative");
        if (length(list) == 0)
                return func_fail(call, 0, "an empty list has no elements");
        return list->list.v[(uint64_t)index % length(list)];
}

typedef VEC(const struct hcl_value *) values;

static void flatten(const struct hcl_value *list, values *out)
{
        for (size_t i = 0; i < length(list); i++) {
                const struct hcl_value *element = list->list.v[i];

                if (element->state == HCL_KNOWN && func_is_sequence(element))
                        flatten(element, out);
                else
                        vec_push(out, element);
        }
}

CALL(flatten)
{
        const struct hcl_value *tuple;
        values out = {0};

        if (!func_is_sequence(call->args[0]))
                return func_fail(call, 0, "a list, set or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, call->args[0]->type));
        flatten(call->args[0], &out);
        tuple = hcl_tuple_value(call->arena, arena_memdup(call->arena, out.v, out.n * sizeof(*out.v)), out.n);
        vec_free(&out);
        return tuple;
}

CALL(index)
{
        const struct hcl_value *list = call->args[0];

        if (list->type->kind != HCL_LIST && list->type->kind != HCL_TUPLE)
                return func_fail(call, 0, "a list or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        if (length(list) == 0)
                return func_fail(call, 0, "an empty list has no elements");
        for (size_t i = 0; i < length(list); i++)
                if (hcl_value_equal(list->list.v[i], call->args[1]))
                        return hcl_int_value(call->arena, (int64_t)i);
        return func_fail(call, 1, "no element of the list is this one");
}

CALL(reverse)
{
        const struct hcl_value *list = call->args[0], **v;
        size_t n;

        if (!func_is_sequence(list))
                return func_fail(call, 0, "a list, set or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        n = length(list);
        v = arena_array(call->arena, n, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i++)
                v[i] = list->list.v[n - 1 - i];
        return sequence(call, element_type(list), v, n);
}

CALL(slice)
{
        const struct hcl_value *list = call->args[0];
        int64_t start, end;

        if (list->type->kind == HCL_SET)
                return func_fail(call, 0, "the elements of a set have no order; make a list of it (sort, convert)");
        if (list->type->kind != HCL_LIST && list->type->kind != HCL_TUPLE)
                return func_fail(call, 0, "a list or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        if (!func_int(call, 1, &start) || !func_int(call, 2, &end))
                return NULL;
        if (start < 0 || (uint64_t)start > length(list))
                return func_fail(call, 1, "the start must be between 0 and the list's length, %zu", length(list));
        if (end < 0 || (uint64_t)end > length(list))
                return func_fail(call, 2, "the end must be between 0 and the list's length, %zu", length(list));
        if (start > end)
                return func_fail(call, 1, "the start must not be after the end");
        return sequence(call, element_type(list), list->list.v + start, (size_t)(end - start));
}

CALL(sort)
{
        const struct hcl_value *list = call->args[0];
        struct place *places;
        const struct hcl_value **v;
        size_t n = length(list);

        places = arena_array(call->arena, n, sizeof(*places));
        v = arena_array(call->arena, n, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i++) {
                if (list->list.v[i]->state == HCL_NULL)
                        return func_fail(call, 0, "element %zu is null, which cannot be sorted", i);
                places[i] = (struct place){list->list.v[i], i};
        }
        if (n > 0)
                qsort(places, n, sizeof(*places), by_value);
        for (size_t i = 0; i < n; i++)
                v[i] = places[i].value;
        return func_list_of_strings(call, v, n);
}

/* start, start + step... until `end` is reached; `end` is no element. */
static const struct hcl_value *series(struct hcl_call *call, mpfr_srcptr start, mpfr_srcptr end, mpfr_srcptr step)
{
        enum { RANGE_MAX = 1024 }; /* as in the original */
        mpfr_prec_t precision = mpfr_get_prec(start) > mpfr_get_prec(step) ? mpfr_get_prec(start) : mpfr_get_prec(step);
        const struct hcl_value *v[RANGE_MAX];
        CLEANUP_MPFR mpfr_t number;
        int sign = mpfr_sgn(step);
        size_t n = 0;

        mpfr_init2(number, precision);
        mpfr_set(number, start, MPFR_RNDN);
        for (; mpfr_cmp(number, end) * sign < 0; mpfr_add(number, number, step, MPFR_RNDN)) {
                if (n == RANGE_MAX)
                        return func_fail(call, FUNC_WHOLE,
                                         "more than %d numbers; bring the end nearer or take a larger step", RANGE_MAX);
                v[n++] = hcl_number_value(call->arena, number);
        }
        return hcl_list_value(call->arena, &hcl_number, arena_memdup(call->arena, v, n * sizeof(*v)), n);
}

CALL(range)
{
        mpfr_srcptr start, end, step;

        if (call->n < 1 || call->n > 3)
                return func_fail(call, FUNC_WHOLE,
                                 "range takes one to three numbers: (end), (start, end), (start, end, step)");
        start = call->n == 1 ? hcl_int_value(call->arena, 0)->number : call->args[0]->number;
        end = call->args[call->n == 1 ? 0 : 1]->number;
        if (call->n == 3) {
                step = call->args[2]->number;
                if (mpfr_zero_p(step))
                        return func_fail(call, 2, "the step must not be 0");
                if (mpfr_cmp(end, start) * mpfr_sgn(step) < 0)
                        return func_fail(call, 1, "the end must not be %s than the start when the step is %s",
                                         mpfr_sgn(step) < 0 ? "greater" : "less",
                                         mpfr_sgn(step) < 0 ? "negative" : "positive");
        } else {
                step = hcl_int_value(call->arena, mpfr_cmp(end, start) < 0 ? -1 : 1)->number;
        }
        return series(call, start, end, step);
}

#define ANY   .returns = &hcl_any
#define TRUTH .returns = &hcl_bool

FUNCTION(alltrue, TRUTH, PARAMS({"list", &func_bool_list}), .help = "Are all elements true? Also if there are none.");
FUNCTION(anytrue, TRUTH, PARAMS({"list", &func_bool_list}), .help = "Is any element true?");
FUNCTION(chunklist, ANY, PARAMS({"list", &func_any_list}, {"size", &hcl_number}),
         .help = "The list cut into lists of at most so many elements.");
FUNCTION(compact, .returns = &func_string_list, PARAMS({"list", &func_string_list}),
         .help = "The list without empty strings and null.");
FUNCTION(concat, ANY, VARIADIC("seqs", &hcl_any), .help = "One list of the elements of all.");
FUNCTION(distinct, ANY, PARAMS({"list", &func_any_list}), .help = "The list without what stood in it before.");
FUNCTION(element, ANY, PARAMS({"list", &hcl_any}, {"index", &hcl_number}),
         .help = "The element at an index, which begins anew after the last one.");
FUNCTION(flatten, ANY, PARAMS({"list", &hcl_any}),
         .help = "The elements of a list, and of the lists in it, as one tuple.");
FUNCTION(index, .returns = &hcl_number, PARAMS({"list", &hcl_any}, {"value", &hcl_any}),
         .help = "The index of the first element that is the value.");
FUNCTION(range, .returns = &func_number_list, VARIADIC("params", &hcl_number),
         .help = "Numbers from a start (0) up to an end, which is left out, by a step (1).");
FUNCTION(reverse, ANY, PARAMS({"list", &hcl_any}), .help = "The elements of a list in reverse.");
FUNCTION(slice, ANY, PARAMS({"list", &hcl_any}, {"start_index", &hcl_number}, {"end_index", &hcl_number}),
         .help = "The elements from a start up to an end, which is left out.");
FUNCTION(sort, .returns = &func_string_list, PARAMS({"list", &func_string_list}),
         .help = "The strings of a list in the order of their bytes.");
