/* Why values of one type do not convert to another: see value_internal.h. */
#include <string.h>

#include "base/str.h"
#include "hcl/value_internal.h"

static const char *required(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        return arena_printf(arena, "%s required, but found %s", hcl_type_friendly(arena, to),
                            hcl_type_friendly(arena, from));
}

static const char *quoted(struct arena *arena, const char *name)
{
        return hcl_quote(arena, name, strlen(name));
}

/* "attribute "a" is required", "attributes "a", "b" and "c" are required"; NULL if none is missing. */
static const char *missing_attrs(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        CLEANUP_STR struct str names = {0};
        const char *last = NULL;
        size_t n = 0;

        for (size_t i = 0; i < to->n; i++) {
                if (to->attrs[i].optional || hcl_type_attr(from, to->attrs[i].name))
                        continue;
                if (last)
                        str_addf(&names, "%s%s", n > 1 ? ", " : "", last);
                last = quoted(arena, to->attrs[i].name);
                n++;
        }
        if (n <= 1)
                return last ? arena_printf(arena, "attribute %s is required", last) : NULL;
        return arena_printf(arena, "attributes %s and %s are required", str_get(&names), last);
}

static const char *object_mismatch(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        const char *missing = missing_attrs(arena, from, to);

        for (size_t i = 0; i < to->n && !missing; i++) {
                const struct hcl_attr_type *attr = hcl_type_attr(from, to->attrs[i].name);

                if (attr && !hcl_convertible(arena, attr->type, to->attrs[i].type, true))
                        return arena_printf(arena, "attribute %s: %s", quoted(arena, attr->name),
                                            hcl_mismatch(arena, attr->type, to->attrs[i].type));
        }
        return missing ? missing : required(arena, from, to);
}

static const char *element_mismatch(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        static const char *const nouns[] = {[HCL_LIST] = "list", [HCL_SET] = "set", [HCL_MAP] = "map"};

        if (to->element->kind == HCL_ANY)
                return arena_printf(arena, "all %s elements must have the same type", nouns[to->kind]);
        for (size_t i = 0; i < from->n; i++) {
                const struct hcl_type *member = from->kind == HCL_TUPLE ? from->members[i] : from->attrs[i].type;

                if (hcl_convertible(arena, member, to->element, true))
                        continue;
                if (from->kind == HCL_TUPLE)
                        return arena_printf(arena, "element %zu: %s", i, hcl_mismatch(arena, member, to->element));
                return arena_printf(arena, "element %s: %s", quoted(arena, from->attrs[i].name),
                                    hcl_mismatch(arena, member, to->element));
        }
        return required(arena, from, to);
}

static const char *map_mismatch(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        for (size_t i = 0; i < to->n; i++)
                if (!to->attrs[i].optional && !hcl_convertible(arena, from->element, to->attrs[i].type, true))
                        return arena_printf(arena, "attribute %s: %s", quoted(arena, to->attrs[i].name),
                                            hcl_mismatch(arena, from->element, to->attrs[i].type));
        return required(arena, from, to);
}

const char *hcl_mismatch(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        bool sequence = to->kind == HCL_LIST || to->kind == HCL_SET;

        if (from->kind == HCL_OBJECT && to->kind == HCL_OBJECT)
                return object_mismatch(arena, from, to);
        if (from->kind == HCL_MAP && to->kind == HCL_OBJECT)
                return map_mismatch(arena, from, to);
        if ((from->kind == HCL_TUPLE && sequence) || (from->kind == HCL_OBJECT && to->kind == HCL_MAP))
                return element_mismatch(arena, from, to);
        if (from->element && to->element && (from->kind == to->kind || (sequence && from->kind != HCL_MAP)))
                return arena_printf(arena, "incorrect element type: %s",
                                    hcl_mismatch(arena, from->element, to->element));
        if (from->kind == HCL_TUPLE && to->kind == HCL_TUPLE) {
                if (from->n != to->n)
                        return arena_printf(arena, "tuple of %zu elements required, but found one of %zu", to->n,
                                            from->n);
                for (size_t i = 0; i < to->n; i++)
                        if (!hcl_convertible(arena, from->members[i], to->members[i], true))
                                return arena_printf(arena, "element %zu: %s", i,
                                                    hcl_mismatch(arena, from->members[i], to->members[i]));
        }
        return required(arena, from, to);
}
