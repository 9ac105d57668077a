/* value[key] and value.name: see eval.h. */
#include <errno.h>
#include <string.h>

#include "hcl/eval_internal.h"
#include "hcl/value_internal.h"

/* The names of a map's or an object's members, NULL-terminated. */
static const char *const *member_names(struct arena *arena, const struct hcl_value *value)
{
        bool known = value->state == HCL_KNOWN;
        size_t n = known ? value->list.n : value->type->n;
        const char **names = arena_array(arena, n + 1, sizeof(*names));

        for (size_t i = 0; i < n; i++)
                names[i] = known ? value->list.keys[i].s : value->type->attrs[i].name;
        return names;
}

static const struct hcl_value *marked(struct arena *arena, const struct hcl_value *value, bool sensitive)
{
        return sensitive ? hcl_mark_sensitive(arena, value) : value;
}

/* ---- by name ---- */

static void explain_no_attrs(struct arena *arena, const struct hcl_value *value, const char *name, struct error *err)
{
        const struct hcl_type *type = value->type, *element = type->element;

        if (type->kind == HCL_TUPLE && type->n > 0)
                element = type->members[0];
        if ((type->kind == HCL_LIST || type->kind == HCL_TUPLE) && element && element->kind == HCL_OBJECT)
                error_set(err, EINVAL,
                          "a %s has no attribute '%s'; of one element it is [0].%s, of all elements [*].%s",
                          type->kind == HCL_LIST ? "list of objects" : "tuple of objects", name, name, name);
        else if (type->kind == HCL_SET && element->kind == HCL_OBJECT)
                error_set(err, EINVAL, "a set of objects has no attribute '%s'; of all elements it is [*].%s", name,
                          name);
        else
                error_set(err, EINVAL, "attribute '%s' of an object or map is wanted, but this is a value of type %s",
                          name, hcl_type_friendly(arena, type));
}

const struct hcl_value *hcl_get_attr(struct arena *arena, const struct hcl_value *value, const char *name,
                                     struct error *err)
{
        const struct hcl_type *type = value->type;
        const struct hcl_value *member;
        const struct hcl_attr_type *attr;

        if (value->state == HCL_NULL) {
                error_set(err, EINVAL, "this value is null, so it has no attribute '%s'", name);
                return NULL;
        }
        if (type->kind == HCL_ANY)
                return value;
        if (type->kind != HCL_OBJECT && type->kind != HCL_MAP) {
                explain_no_attrs(arena, value, name, err);
                return NULL;
        }
        member = hcl_member(value, name);
        if (member)
                return marked(arena, member, value->sensitive);
        attr = hcl_type_attr(type, name);
        if (value->state == HCL_UNKNOWN && (attr || type->kind == HCL_MAP))
                return marked(arena, hcl_unknown(arena, attr ? attr->type : type->element), value->sensitive);
        error_set(err, EINVAL, "this %s has no %s '%s'%s", type->kind == HCL_MAP ? "map" : "object",
                  type->kind == HCL_MAP ? "element" : "attribute", name,
                  eval_hint(arena, name, member_names(arena, value)));
        return NULL;
}

/* ---- by number ---- */

static void explain_no_element(struct arena *arena, const struct hcl_value *value, const struct hcl_value *key,
                               struct error *err)
{
        const char *shown = key->sensitive ? "" : arena_printf(arena, " %s", hcl_number_text(arena, key->number));
        const char *kind = value->type->kind == HCL_LIST ? "list" : "tuple";

        if (!mpfr_integer_p(key->number))
                error_set(err, EINVAL, "the index%s has a fractional part; a whole number is needed", shown);
        else if (mpfr_sgn(key->number) < 0)
                error_set(err, EINVAL, "the index%s is negative; elements are counted from 0", shown);
        else if (value->list.n == 0)
                error_set(err, EINVAL, "the %s has no elements, so there is none at index%s", kind, shown);
        else
                error_set(err, EINVAL, "the index%s is too large: the %s has %zu elements, 0 to %zu", shown, kind,
                          value->list.n, value->list.n - 1);
}

static const struct hcl_value *index_sequence(struct arena *arena, const struct hcl_value *value,
                                              const struct hcl_value *key, struct error *err)
{
        bool sensitive = value->sensitive || key->sensitive;
        int64_t i;

        if (hcl_convert(arena, key, &hcl_number, &key, err) < 0) {
                error_wrap(err, -EINVAL, "this is no index of a %s", value->type->kind == HCL_LIST ? "list" : "tuple");
                return NULL;
        }
        if (value->state == HCL_UNKNOWN || key->state == HCL_UNKNOWN) {
                const struct hcl_type *type = value->type->kind == HCL_LIST ? value->type->element : &hcl_any;

                if (value->type->kind == HCL_TUPLE && hcl_number_int(key, &i) && i >= 0 && (size_t)i < value->type->n)
                        type = value->type->members[i];
                return marked(arena, hcl_unknown(arena, type), sensitive);
        }
        if (!hcl_number_int(key, &i) || i < 0 || (size_t)i >= value->list.n) {
                explain_no_element(arena, value, key, err);
                return NULL;
        }
        return marked(arena, value->list.v[i], sensitive);
}

/* ---- by key ---- */

static const struct hcl_value *index_members(struct arena *arena, const struct hcl_value *value,
                                             const struct hcl_value *key, struct error *err)
{
        bool map = value->type->kind == HCL_MAP, sensitive = value->sensitive || key->sensitive;
        bool number = key->type->kind == HCL_NUMBER;
        const struct hcl_value *member;

        if (hcl_convert(arena, key, &hcl_string, &key, err) < 0) {
                error_wrap(err, -EINVAL, "this is no key of %s", map ? "a map" : "an object");
                return NULL;
        }
        if (value->state == HCL_UNKNOWN || key->state == HCL_UNKNOWN)
                return marked(arena, map ? hcl_unknown(arena, value->type->element) : &hcl_unknown_any, sensitive);
        member = hcl_member_by_key(value, &key->string);
        if (member)
                return marked(arena, member, sensitive);
        error_set(err, EINVAL, "this %s has no %s%s%s%s", map ? "map" : "object", map ? "element" : "attribute",
                  key->sensitive ? " of that name" : " ",
                  key->sensitive ? "" : hcl_quote(arena, key->string.s, key->string.len),
                  key->sensitive ? "" : eval_hint(arena, key->string.s, member_names(arena, value)));
        if (number && !map)
                error_append(err, -EINVAL, "; attributes of objects are found by name, not by number");
        return NULL;
}

const struct hcl_value *hcl_index(struct arena *arena, const struct hcl_value *value, const struct hcl_value *key,
                                  struct error *err)
{
        bool sensitive = value->sensitive || key->sensitive;

        if (value->state == HCL_NULL) {
                error_set(err, EINVAL, "this value is null, so it has no elements");
                return NULL;
        }
        if (key->state == HCL_NULL) {
                error_set(err, EINVAL, "null is no index");
                return NULL;
        }
        if (key->type->kind == HCL_ANY || value->type->kind == HCL_ANY)
                return marked(arena, &hcl_unknown_any, sensitive);
        if (value->type->kind == HCL_LIST || value->type->kind == HCL_TUPLE)
                return index_sequence(arena, value, key, err);
        if (value->type->kind == HCL_MAP || value->type->kind == HCL_OBJECT)
                return index_members(arena, value, key, err);
        if (value->type->kind == HCL_SET)
                error_set(err, EINVAL, "elements of a set have no index; use a 'for' expression or [*]");
        else
                error_set(err, EINVAL, "an index needs a list, tuple, map or object, but this is a value of type %s",
                          hcl_type_friendly(arena, value->type));
        return NULL;
}
