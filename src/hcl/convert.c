/* Conversion of values: see value.h. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "hcl/value_internal.h"

struct convert {
        struct arena *arena;
        struct error *err;
        bool hidden; /* inside something sensitive: messages do not show it */
};

static int convert(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                   const struct hcl_value **ret);

/* ---- bool, number, string ---- */

static int bad_string(const struct convert *c, const struct hcl_value *value, const char *wanted)
{
        enum { SHOWN = 40 };
        const struct hcl_string *s = &value->string;

        if (c->hidden || value->sensitive)
                return error_set(c->err, EINVAL, "a %s is required, but found a string that is none", wanted);
        if (s->len > SHOWN)
                return error_set(c->err, EINVAL, "a %s is required, but found a string of %zu bytes", wanted, s->len);
        return error_set(c->err, EINVAL, "a %s is required, but found %s", wanted, hcl_quote(c->arena, s->s, s->len));
}

static int to_bool(const struct convert *c, const struct hcl_value *value, const struct hcl_value **ret)
{
        const char *s = value->string.s;
        int r;

        *ret = strcmp(s, "true") == 0 || strcmp(s, "1") == 0 ? &hcl_true : &hcl_false;
        if (strlen(s) == value->string.len && ((*ret)->boolean || strcmp(s, "false") == 0 || strcmp(s, "0") == 0))
                return 0;
        r = bad_string(c, value, "bool");
        if (strcasecmp(s, "true") == 0 || strcasecmp(s, "false") == 0)
                return error_append(c->err, r, "; write it in lower case");
        return r;
}

static int to_number(const struct convert *c, const struct hcl_value *value, const struct hcl_value **ret)
{
        if (strlen(value->string.s) == value->string.len)
                *ret = hcl_number_parse(c->arena, value->string.s);
        return *ret ? 0 : bad_string(c, value, "number");
}

static int to_string(const struct convert *c, const struct hcl_value *value, const struct hcl_value **ret)
{
        *ret = hcl_string_from(c->arena, value->type->kind == HCL_NUMBER ? hcl_number_text(c->arena, value->number)
                                         : value->boolean                ? "true"
                                                                         : "false");
        return 0;
}

/* ---- null and unknown: only the type changes ---- */

/* `to`, with "any" in it replaced by what is known from the value's own type. */
static const struct hcl_type *fill_any(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to);

static const struct hcl_type *fill_element(struct arena *arena, const struct hcl_type *from,
                                           const struct hcl_type *element)
{
        const struct hcl_type **members = arena_array(arena, from->n, sizeof(*members)), *common = from->element;

        for (size_t i = 0; i < from->n; i++)
                members[i] = from->kind == HCL_TUPLE ? from->members[i] : from->attrs[i].type;
        if (!common)
                common = hcl_unify(arena, members, from->n);
        return common ? fill_any(arena, common, element) : element;
}

static const struct hcl_type *fill_object(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        struct hcl_attr_type *attrs = arena_array(arena, to->n, sizeof(*attrs));

        for (size_t i = 0; i < to->n; i++) {
                const struct hcl_attr_type *attr = hcl_type_attr(from, to->attrs[i].name);
                const struct hcl_type *have = attr ? attr->type : from->element ? from->element : &hcl_any;

                attrs[i] = to->attrs[i];
                attrs[i].type = fill_any(arena, have, to->attrs[i].type);
        }
        return hcl_type_object(arena, attrs, to->n);
}

static const struct hcl_type *fill_tuple(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        const struct hcl_type **members = arena_array(arena, to->n, sizeof(*members));

        for (size_t i = 0; i < to->n; i++)
                members[i] = from->kind == HCL_TUPLE && from->n == to->n
                                     ? fill_any(arena, from->members[i], to->members[i])
                                     : to->members[i];
        return hcl_type_tuple(arena, members, to->n);
}

static const struct hcl_type *fill_any(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to)
{
        if (to->kind == HCL_ANY)
                return from;
        if (from->kind == HCL_ANY || !hcl_type_has_any(to))
                return to;
        if (to->kind == HCL_OBJECT)
                return fill_object(arena, from, to);
        if (to->kind == HCL_TUPLE)
                return fill_tuple(arena, from, to);
        return to->kind == HCL_LIST  ? hcl_type_list(arena, fill_element(arena, from, to->element))
               : to->kind == HCL_SET ? hcl_type_set(arena, fill_element(arena, from, to->element))
                                     : hcl_type_map(arena, fill_element(arena, from, to->element));
}

static const struct hcl_value *retype(struct arena *arena, const struct hcl_value *value, const struct hcl_type *to)
{
        to = fill_any(arena, value->type, hcl_type_concrete(arena, to));
        return value->state == HCL_NULL ? hcl_null(arena, to) : hcl_unknown(arena, to);
}

/* ---- collections ---- */

static int wrap_place(const struct convert *c, int r, const struct hcl_value *value, size_t i)
{
        if (!value->list.keys)
                return error_wrap(c->err, r, "element %zu", i);
        return error_wrap(c->err, r, "%s %s", value->type->kind == HCL_OBJECT ? "attribute" : "element",
                          hcl_quote(c->arena, value->list.keys[i].s, value->list.keys[i].len));
}

static int convert_elements(const struct convert *c, const struct hcl_value *value, const struct hcl_value **v,
                            const struct hcl_type *to)
{
        for (size_t i = 0; i < value->list.n; i++) {
                const struct hcl_value *element = NULL;
                int r = convert(c, v[i], to, &element);

                if (r < 0)
                        return wrap_place(c, r, value, i);
                v[i] = element;
        }
        return 0;
}

static const struct hcl_type *unify_elements(struct arena *arena, const struct hcl_value *const *v, size_t n)
{
        const struct hcl_type **types = arena_array(arena, n, sizeof(*types));

        for (size_t i = 0; i < n; i++)
                types[i] = v[i]->type;
        return hcl_unify(arena, types, n);
}

/* The one type of all elements, but for those of which nothing is known; NULL if there is none. */
static const struct hcl_type *common_type(const struct hcl_value *const *v, size_t n)
{
        const struct hcl_type *common = &hcl_any;

        for (size_t i = 0; i < n; i++) {
                if (common->kind == HCL_ANY)
                        common = v[i]->type;
                else if (v[i]->type->kind != HCL_ANY && !hcl_type_equal(common, v[i]->type))
                        return NULL;
        }
        return common;
}

/* What all elements become: `element`, or where it has "any" in it what they have in common. */
static int convert_to_element(const struct convert *c, const struct hcl_value *value, const struct hcl_value **v,
                              const struct hcl_type *element, const struct hcl_type **ret)
{
        int r = convert_elements(c, value, v, element);

        if (r < 0)
                return r;
        *ret = hcl_type_concrete(c->arena, element);
        if (!hcl_type_has_any(*ret))
                return 0;
        if (value->list.n == 0) {
                if (value->type->element && element->kind == HCL_ANY)
                        *ret = value->type->element;
                return 0;
        }
        *ret = unify_elements(c->arena, v, value->list.n);
        if (!*ret || convert_elements(c, value, v, *ret) < 0 || !(*ret = common_type(v, value->list.n)))
                return error_set(c->err, EINVAL, "all elements must have the same type");
        return convert_elements(c, value, v, *ret); /* those of any type are null or unknown */
}

static int to_collection(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                         const struct hcl_value **ret)
{
        const struct hcl_value **v = arena_array(c->arena, value->list.n, sizeof(const struct hcl_value *));
        const struct hcl_type *element = NULL;
        int r;

        for (size_t i = 0; i < value->list.n; i++)
                v[i] = value->list.v[i];
        r = convert_to_element(c, value, v, to->element, &element);
        if (r < 0)
                return r;
        if (to->kind == HCL_MAP)
                *ret = hcl_map_value(
                        c->arena, element,
                        arena_memdup(c->arena, value->list.keys, value->list.n * sizeof(struct hcl_string)), v,
                        value->list.n);
        else if (to->kind == HCL_SET)
                *ret = hcl_set_value(c->arena, element, v, value->list.n);
        else
                *ret = hcl_list_value(c->arena, element, v, value->list.n);
        return 0;
}

/* ---- tuples and objects ---- */

static int to_tuple(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                    const struct hcl_value **ret)
{
        const struct hcl_value **v = arena_array(c->arena, to->n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < to->n; i++) {
                int r = convert(c, value->list.v[i], to->members[i], &v[i]);

                if (r < 0)
                        return wrap_place(c, r, value, i);
        }
        *ret = hcl_tuple_value(c->arena, v, to->n);
        return 0;
}

/* One attribute from what the value has, or its default. */
static int to_attr(const struct convert *c, const struct hcl_value *value, const struct hcl_attr_type *attr,
                   const struct hcl_value **ret)
{
        const struct hcl_value *have = hcl_member(value, attr->name);
        const char *name = hcl_quote(c->arena, attr->name, strlen(attr->name));
        int r;

        if (have && attr->fallback && have->state == HCL_NULL)
                have = NULL;
        if (!have && !attr->optional)
                return error_set(c->err, EINVAL, "attribute %s is required", name);
        if (!have && !attr->fallback) {
                *ret = hcl_null(c->arena, hcl_type_concrete(c->arena, attr->type));
                return 0;
        }
        if (!have)
                have = attr->fallback;
        if (hcl_convertible(c->arena, have->type, attr->type, true))
                r = convert(c, have, attr->type, ret);
        else /* of a map's elements, for an attribute that is optional */
                r = error_set(c->err, EINVAL, "%s", hcl_mismatch(c->arena, have->type, attr->type));
        return r < 0 ? error_wrap(c->err, r, "attribute %s", name) : 0;
}

static int to_object(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                     const struct hcl_value **ret)
{
        const struct hcl_value **v = arena_array(c->arena, to->n, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(c->arena, to->n, sizeof(*keys));

        for (size_t i = 0; i < to->n; i++) {
                int r = to_attr(c, value, &to->attrs[i], &v[i]);

                if (r < 0)
                        return r;
                keys[i] = (struct hcl_string){.s = to->attrs[i].name, .len = strlen(to->attrs[i].name)};
        }
        *ret = hcl_object_value(c->arena, keys, v, to->n);
        return 0;
}

/* ---- any value ---- */

static int convert_known(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                         const struct hcl_value **ret)
{
        switch (to->kind) {
        case HCL_BOOL:
                return to_bool(c, value, ret);
        case HCL_NUMBER:
                return to_number(c, value, ret);
        case HCL_STRING:
                return to_string(c, value, ret);
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
                return to_collection(c, value, to, ret);
        case HCL_TUPLE:
                return to_tuple(c, value, to, ret);
        case HCL_OBJECT:
                return to_object(c, value, to, ret);
        case HCL_ANY:
                break;
        }
        *ret = value;
        return 0;
}

/* The types are known to convert. */
static int convert(const struct convert *c, const struct hcl_value *value, const struct hcl_type *to,
                   const struct hcl_value **ret)
{
        struct convert inner = *c;
        int r;

        if (to->kind == HCL_ANY || hcl_type_equal(value->type, to)) {
                *ret = value;
                return 0;
        }
        inner.hidden |= value->sensitive;
        if (value->state != HCL_KNOWN) {
                *ret = retype(c->arena, value, to);
        } else {
                *ret = NULL;
                r = convert_known(&inner, value, to, ret);
                if (r < 0)
                        return r;
        }
        if (value->sensitive)
                *ret = hcl_mark_sensitive(c->arena, *ret);
        return 0;
}

int hcl_convert(struct arena *arena, const struct hcl_value *value, const struct hcl_type *type,
                const struct hcl_value **ret, struct error *err)
{
        const struct convert c = {.arena = arena, .err = err};
        const struct hcl_value *converted = NULL;
        int r;

        if (!hcl_convertible(arena, value->type, type, true))
                return error_set(err, EINVAL, "%s", hcl_mismatch(arena, value->type, type));
        r = convert(&c, value, type, &converted);
        if (r == 0)
                *ret = converted;
        return r;
}
