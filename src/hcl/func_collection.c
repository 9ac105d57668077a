/* Functions of maps and objects, and of whatever has elements. */
#include <string.h>

#include "hcl/func.h"

/* The one type of all arguments; NULL with the error set if there is none. */
static const struct hcl_type *common_type(struct hcl_call *call)
{
        const struct hcl_type **types = arena_array(call->arena, call->n, sizeof(const struct hcl_type *)), *common;

        for (size_t i = 0; i < call->n; i++)
                types[i] = call->args[i]->type;
        common = hcl_unify(call->arena, types, call->n);
        if (!common)
                func_fail(call, FUNC_WHOLE, "the arguments have no type in common");
        return common;
}

CALL(coalesce)
{
        const struct hcl_type *type = call->n > 0 ? common_type(call) : &hcl_any;

        if (!type)
                return NULL;
        for (size_t i = 0; i < call->n; i++) {
                const struct hcl_value *value;

                if (hcl_convert(call->arena, call->args[i], type, &value, call->err) < 0) {
                        call->bad_arg = i;
                        return NULL;
                }
                if (value->state == HCL_UNKNOWN)
                        return hcl_unknown(call->arena, type);
                if (value->state == HCL_NULL || (value->type->kind == HCL_STRING && value->string.len == 0))
                        continue;
                return value;
        }
        return func_fail(call, FUNC_WHOLE, "all arguments are null or empty strings");
}

CALL(coalescelist)
{
        if (call->n == 0)
                return func_fail(call, FUNC_WHOLE, "at least one list is needed");
        for (size_t i = 0; i < call->n; i++) {
                enum hcl_kind kind = call->args[i]->type->kind;

                if (call->args[i]->state == HCL_UNKNOWN)
                        break;
                if (kind != HCL_LIST && kind != HCL_TUPLE)
                        return func_fail(call, i, "a list or tuple is needed, not %s",
                                         hcl_type_friendly(call->arena, call->args[i]->type));
        }
        for (size_t i = 0; i < call->n; i++) {
                if (call->args[i]->state == HCL_UNKNOWN)
                        return &hcl_unknown_any;
                if (call->args[i]->state == HCL_KNOWN && call->args[i]->list.n > 0)
                        return call->args[i];
        }
        return func_fail(call, FUNC_WHOLE, "all lists are empty");
}

CALL(contains)
{
        const struct hcl_value *list = call->args[0];

        if (!func_is_sequence(list))
                return func_fail(call, 0, "a list, set or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        for (size_t i = 0; i < list->list.n; i++)
                if (hcl_value_equal(list->list.v[i], call->args[1]))
                        return &hcl_true;
        return &hcl_false;
}

CALL(length)
{
        const struct hcl_value *value = call->args[0];
        size_t n;

        switch (value->type->kind) {
        case HCL_TUPLE:
        case HCL_OBJECT:
                return hcl_int_value(call->arena, (int64_t)value->type->n);
        case HCL_ANY:
                return func_unknown(call);
        case HCL_STRING:
                if (value->state == HCL_UNKNOWN)
                        return func_unknown(call);
                func_clusters(value->string, SIZE_MAX, &n);
                return hcl_int_value(call->arena, (int64_t)n);
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
                if (value->state == HCL_UNKNOWN || (value->type->kind == HCL_SET && !hcl_value_known(value)))
                        return func_unknown(call);
                return hcl_int_value(call->arena, (int64_t)value->list.n);
        case HCL_BOOL:
        case HCL_NUMBER:
                break;
        }
        return func_fail(call, 0, "a string, a collection, a tuple or an object is needed, not %s",
                         hcl_type_friendly(call->arena, value->type));
}

CALL(keys)
{
        const struct hcl_value *map = call->args[0], **v;
        bool is_object = map->type->kind == HCL_OBJECT;
        size_t n;

        if (map->type->kind == HCL_ANY) /* it may become one */
                return &hcl_unknown_any;
        if (!func_is_mapping(map))
                return func_fail(call, 0, "a map or an object is needed, not %s",
                                 hcl_type_friendly(call->arena, map->type));
        if (map->state == HCL_UNKNOWN && !is_object)
                return hcl_unknown(call->arena, &func_string_list);
        n = is_object ? map->type->n : map->list.n;
        v = arena_array(call->arena, n, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i++)
                v[i] = is_object ? hcl_string_from(call->arena, map->type->attrs[i].name)
                                 : hcl_string_value(call->arena, map->list.keys[i].s, map->list.keys[i].len);
        return is_object ? hcl_tuple_value(call->arena, v, n) : func_list_of_strings(call, v, n);
}

CALL(values)
{
        const struct hcl_value *map = call->args[0];

        if (!func_is_mapping(map))
                return func_fail(call, 0, "a map or an object is needed, not %s",
                                 hcl_type_friendly(call->arena, map->type));
        if (map->type->kind == HCL_OBJECT)
                return hcl_tuple_value(call->arena, map->list.v, map->list.n);
        return hcl_list_value(call->arena, map->type->element, map->list.v, map->list.n);
}

CALL(lookup)
{
        const struct hcl_value *map = call->args[0], *fallback = call->args[2], *member = NULL;
        struct hcl_string key = func_text(call, 1);

        if (!func_is_mapping(map))
                return func_fail(call, 0, "a map or an object is needed, not %s",
                                 hcl_type_friendly(call->arena, map->type));
        if (map->type->kind == HCL_MAP && hcl_convert(call->arena, fallback, map->type->element, &fallback, NULL) < 0)
                return func_fail(call, 2, "the default must be of the same type as the map's elements: %s",
                                 hcl_type_friendly(call->arena, map->type->element));
        if (strlen(key.s) == key.len)
                member = hcl_member(map, key.s);
        return member ? member : fallback;
}

/* Maps of one type make a map, all else an object. */
static const struct hcl_type *merged_element(const struct hcl_call *call)
{
        for (size_t i = 0; i < call->n; i++)
                if (call->args[i]->type->kind != HCL_MAP || !hcl_type_equal(call->args[0]->type, call->args[i]->type))
                        return NULL;
        return call->n > 0 ? call->args[0]->type->element : NULL;
}

CALL(merge)
{
        const struct hcl_type *element = merged_element(call);
        struct hcl_string *keys;
        const struct hcl_value **v;
        size_t n = 0, total = 0;

        for (size_t i = 0; i < call->n; i++) {
                const struct hcl_value *map = call->args[i];

                if (map->type->kind == HCL_ANY) /* null */
                        continue;
                if (!func_is_mapping(map))
                        return func_fail(call, i, "a map or an object is needed, not %s",
                                         hcl_type_friendly(call->arena, map->type));
                if (map->state == HCL_KNOWN)
                        total += map->list.n;
        }
        keys = arena_array(call->arena, total, sizeof(*keys));
        v = arena_array(call->arena, total, sizeof(const struct hcl_value *));
        for (size_t i = 0; i < call->n; i++) {
                const struct hcl_value *map = call->args[i];

                for (size_t k = 0; map->state == HCL_KNOWN && k < map->list.n; k++) {
                        keys[n] = map->list.keys[k];
                        v[n++] = map->list.v[k];
                }
        }
        return element ? hcl_map_value(call->arena, element, keys, v, n) : hcl_object_value(call->arena, keys, v, n);
}

CALL(zipmap)
{
        const struct hcl_value *names = call->args[0], *list = call->args[1], **v;
        size_t n = names->list.n;
        struct hcl_string *keys;

        if (list->type->kind != HCL_LIST && list->type->kind != HCL_TUPLE)
                return func_fail(call, 1, "a list or tuple is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        if (n != list->list.n)
                return func_fail(call, FUNC_WHOLE, "there are %zu keys but %zu values", n, list->list.n);
        keys = arena_array(call->arena, n, sizeof(*keys));
        v = arena_memdup(call->arena, list->list.v, n * sizeof(const struct hcl_value *));
        for (size_t i = 0; i < n; i++) {
                if (names->list.v[i]->state == HCL_NULL)
                        return func_fail(call, 0, "element %zu is null, which is no key", i);
                keys[i] = names->list.v[i]->string;
        }
        if (list->type->kind == HCL_LIST)
                return hcl_map_value(call->arena, list->type->element, keys, v, n);
        return hcl_object_value(call->arena, keys, v, n);
}

#define ANY .returns = &hcl_any

FUNCTION(coalesce, ANY, VARIADIC("vals", &hcl_any, HCL_ALLOW_NULL | HCL_ALLOW_UNKNOWN),
         .help = "The first argument that is neither null nor an empty string.");
FUNCTION(coalescelist, ANY, VARIADIC("vals", &hcl_any, HCL_ALLOW_NULL | HCL_ALLOW_UNKNOWN),
         .help = "The first list that is not empty.");
FUNCTION(contains, .returns = &hcl_bool, PARAMS({"list", &hcl_any}, {"value", &hcl_any}),
         .help = "Is the value an element of the list, set or tuple?");
FUNCTION(keys, ANY, PARAMS({"inputMap", &hcl_any, HCL_ALLOW_UNKNOWN}), .help = "The keys of a map or object, sorted.");
FUNCTION(length, .returns = &hcl_number, PARAMS({"value", &hcl_any, HCL_ALLOW_UNKNOWN}),
         .help = "The number of characters or elements.");
FUNCTION(lookup, ANY, PARAMS({"inputMap", &hcl_any}, {"key", &hcl_string}, {"default", &hcl_any}),
         .help = "The member with a key, or a default if there is none.");
FUNCTION(merge, ANY, VARIADIC("maps", &hcl_any, HCL_ALLOW_NULL),
         .help = "The members of all maps; of equal keys the last one counts.");
FUNCTION(values, ANY, PARAMS({"mapping", &hcl_any}),
         .help = "The members of a map or object, in the order of their keys.");
FUNCTION(zipmap, ANY, PARAMS({"keys", &func_string_list}, {"values", &hcl_any}),
         .help = "A map from a list of keys and one of values.");
