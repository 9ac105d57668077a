/* Which types convert to which: see value_internal.h. After cty's convert package. */
#include "hcl/value_internal.h"

static bool is_primitive(const struct hcl_type *type)
{
        return type->kind >= HCL_BOOL && type->kind <= HCL_STRING;
}

static bool object_to_object(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to, bool unsafe)
{
        for (size_t i = 0; i < to->n; i++) {
                const struct hcl_attr_type *attr = hcl_type_attr(from, to->attrs[i].name);

                if (attr ? !hcl_convertible(arena, attr->type, to->attrs[i].type, unsafe) : !to->attrs[i].optional)
                        return false;
        }
        return true;
}

static bool tuple_to_tuple(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to, bool unsafe)
{
        for (size_t i = 0; i < to->n && from->n == to->n; i++)
                if (!hcl_convertible(arena, from->members[i], to->members[i], unsafe))
                        return false;
        return from->n == to->n;
}

/* Missing attributes that are optional may be of another type than the map's. */
static bool map_to_object(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        for (size_t i = 0; i < to->n; i++)
                if (!to->attrs[i].optional && !hcl_convertible(arena, from->element, to->attrs[i].type, true))
                        return false;
        return true;
}

/* A tuple's or an object's members as elements of one type. */
static bool members_to_element(struct arena *arena, const struct hcl_type *from, const struct hcl_type *element,
                               bool unsafe)
{
        const struct hcl_type **members = arena_array(arena, from->n, sizeof(*members));

        for (size_t i = 0; i < from->n; i++)
                members[i] = from->kind == HCL_TUPLE ? from->members[i] : from->attrs[i].type;
        if (element->kind == HCL_ANY && from->n > 0) {
                element = hcl_unify_types(arena, members, from->n, unsafe);
                if (!element)
                        return false;
                for (size_t i = 0; i < from->n && element->kind == HCL_ANY && from->kind == HCL_TUPLE; i++)
                        if (members[i]->kind != HCL_ANY)
                                return false;
        }
        for (size_t i = 0; i < from->n; i++)
                if (!hcl_convertible(arena, members[i], element, unsafe))
                        return false;
        return true;
}

bool hcl_convertible(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to, bool unsafe)
{
        bool from_sequence = from->kind == HCL_LIST || from->kind == HCL_SET;
        bool to_sequence = to->kind == HCL_LIST || to->kind == HCL_SET;

        if (to->kind == HCL_ANY || (unsafe && from->kind == HCL_ANY) || hcl_type_equal(from, to))
                return true;
        if (is_primitive(from) && is_primitive(to))
                return to->kind == HCL_STRING || (unsafe && from->kind == HCL_STRING);
        if (from->kind == HCL_OBJECT && to->kind == HCL_OBJECT)
                return object_to_object(arena, from, to, unsafe);
        if (from->kind == HCL_TUPLE && to->kind == HCL_TUPLE)
                return tuple_to_tuple(arena, from, to, unsafe);
        if (from_sequence && to_sequence && !unsafe && from->kind == HCL_LIST && to->kind == HCL_SET)
                return false; /* order and duplicates would be lost */
        if ((from_sequence && to_sequence) || (from->kind == HCL_MAP && to->kind == HCL_MAP))
                return hcl_convertible(arena, from->element, to->element, unsafe);
        if ((from->kind == HCL_TUPLE && to_sequence) || (from->kind == HCL_OBJECT && to->kind == HCL_MAP))
                return members_to_element(arena, from, to->element, unsafe);
        return unsafe && from->kind == HCL_MAP && to->kind == HCL_OBJECT && map_to_object(arena, from, to);
}
