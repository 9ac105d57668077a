/* Types: see value.h. */
#include <string.h>

#include "base/str.h"
#include "hcl/value.h"

const struct hcl_type hcl_any = {.kind = HCL_ANY};
const struct hcl_type hcl_bool = {.kind = HCL_BOOL};
const struct hcl_type hcl_number = {.kind = HCL_NUMBER};
const struct hcl_type hcl_string = {.kind = HCL_STRING};

static const struct hcl_type *new_type(struct arena *arena, const struct hcl_type *type)
{
        return arena_memdup(arena, type, sizeof(*type));
}

static const struct hcl_type *new_collection(struct arena *arena, enum hcl_kind kind, const struct hcl_type *element)
{
        return new_type(arena, &(struct hcl_type){.kind = kind, .element = element, .depth = element->depth + 1});
}

const struct hcl_type *hcl_type_list(struct arena *arena, const struct hcl_type *element)
{
        return new_collection(arena, HCL_LIST, element);
}

const struct hcl_type *hcl_type_set(struct arena *arena, const struct hcl_type *element)
{
        return new_collection(arena, HCL_SET, element);
}

const struct hcl_type *hcl_type_map(struct arena *arena, const struct hcl_type *element)
{
        return new_collection(arena, HCL_MAP, element);
}

const struct hcl_type *hcl_type_tuple(struct arena *arena, const struct hcl_type *const *members, size_t n)
{
        unsigned int depth = 0;

        for (size_t i = 0; i < n; i++)
                if (members[i]->depth > depth)
                        depth = members[i]->depth;
        return new_type(arena, &(struct hcl_type){.kind = HCL_TUPLE, .members = members, .n = n, .depth = depth + 1});
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct hcl_attr_type *)a)->name, ((const struct hcl_attr_type *)b)->name);
}

const struct hcl_type *hcl_type_object(struct arena *arena, struct hcl_attr_type *attrs, size_t n)
{
        unsigned int depth = 0;
        bool sorted = true;

        for (size_t i = 0; i < n; i++) {
                if (attrs[i].type->depth > depth)
                        depth = attrs[i].type->depth;
                if (i > 0 && strcmp(attrs[i - 1].name, attrs[i].name) > 0)
                        sorted = false;
        }
        if (!sorted)
                qsort(attrs, n, sizeof(*attrs), by_name);
        return new_type(arena, &(struct hcl_type){.kind = HCL_OBJECT, .attrs = attrs, .n = n, .depth = depth + 1});
}

static bool attrs_equal(const struct hcl_type *a, const struct hcl_type *b)
{
        if (a->attrs == b->attrs)
                return true;
        for (size_t i = 0; i < a->n; i++)
                if (a->attrs[i].optional != b->attrs[i].optional || !str_eq(a->attrs[i].name, b->attrs[i].name) ||
                    !hcl_type_equal(a->attrs[i].type, b->attrs[i].type))
                        return false;
        return true;
}

bool hcl_type_equal(const struct hcl_type *a, const struct hcl_type *b)
{
        if (a == b)
                return true;
        if (a->kind != b->kind || a->n != b->n)
                return false;
        switch (a->kind) {
        case HCL_ANY:
        case HCL_BOOL:
        case HCL_NUMBER:
        case HCL_STRING:
                return true;
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
                return hcl_type_equal(a->element, b->element);
        case HCL_TUPLE:
                for (size_t i = 0; i < a->n; i++)
                        if (!hcl_type_equal(a->members[i], b->members[i]))
                                return false;
                return true;
        case HCL_OBJECT:
                return attrs_equal(a, b);
        }
        return false;
}

bool hcl_type_has_any(const struct hcl_type *type)
{
        if (type->element)
                return hcl_type_has_any(type->element);
        for (size_t i = 0; i < type->n; i++)
                if (hcl_type_has_any(type->kind == HCL_TUPLE ? type->members[i] : type->attrs[i].type))
                        return true;
        return type->kind == HCL_ANY;
}

const struct hcl_attr_type *hcl_type_attr(const struct hcl_type *type, const char *name)
{
        struct hcl_attr_type wanted = {.name = name};

        if (type->kind != HCL_OBJECT || type->n == 0)
                return NULL;
        return bsearch(&wanted, type->attrs, type->n, sizeof(*type->attrs), by_name);
}

static bool has_optional(const struct hcl_type *type)
{
        if (type->element)
                return has_optional(type->element);
        for (size_t i = 0; i < type->n; i++)
                if (type->kind == HCL_TUPLE ? has_optional(type->members[i])
                                            : type->attrs[i].optional || has_optional(type->attrs[i].type))
                        return true;
        return false;
}

static const struct hcl_type *make_concrete(struct arena *arena, const struct hcl_type *type)
{
        if (type->element)
                return new_collection(arena, type->kind, make_concrete(arena, type->element));
        if (type->kind == HCL_TUPLE) {
                const struct hcl_type **members = arena_array(arena, type->n, sizeof(*members));

                for (size_t i = 0; i < type->n; i++)
                        members[i] = make_concrete(arena, type->members[i]);
                return hcl_type_tuple(arena, members, type->n);
        }
        if (type->kind == HCL_OBJECT) {
                struct hcl_attr_type *attrs = arena_array(arena, type->n, sizeof(*attrs));

                for (size_t i = 0; i < type->n; i++) {
                        attrs[i].name = type->attrs[i].name;
                        attrs[i].type = make_concrete(arena, type->attrs[i].type);
                }
                return hcl_type_object(arena, attrs, type->n);
        }
        return type;
}

const struct hcl_type *hcl_type_concrete(struct arena *arena, const struct hcl_type *type)
{
        return has_optional(type) ? make_concrete(arena, type) : type;
}

static bool plain_name(const char *name)
{
        for (const char *p = name; *p; p++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", *p) &&
                    (p == name || !strchr("0123456789-", *p)))
                        return false;
        return *name != '\0';
}

static void add_text(struct arena *arena, struct str *text, const struct hcl_type *type);

static void add_attrs_text(struct arena *arena, struct str *text, const struct hcl_type *type)
{
        for (size_t i = 0; i < type->n; i++) {
                const struct hcl_attr_type *attr = &type->attrs[i];

                str_add(text, i > 0 ? "," : "");
                str_add(text, plain_name(attr->name) ? attr->name : hcl_quote(arena, attr->name, strlen(attr->name)));
                str_add(text, attr->optional ? "=optional(" : "=");
                add_text(arena, text, attr->type);
                str_add(text, attr->optional ? ")" : "");
        }
}

static void add_text(struct arena *arena, struct str *text, const struct hcl_type *type)
{
        static const char *const names[] = {
                [HCL_ANY] = "any",       [HCL_BOOL] = "bool",     [HCL_NUMBER] = "number",
                [HCL_STRING] = "string", [HCL_LIST] = "list",     [HCL_SET] = "set",
                [HCL_MAP] = "map",       [HCL_TUPLE] = "tuple([", [HCL_OBJECT] = "object({",
        };

        str_add(text, names[type->kind]);
        if (type->element) {
                str_add(text, "(");
                add_text(arena, text, type->element);
                str_add(text, ")");
        } else if (type->kind == HCL_TUPLE) {
                for (size_t i = 0; i < type->n; i++) {
                        str_add(text, i > 0 ? "," : "");
                        add_text(arena, text, type->members[i]);
                }
                str_add(text, "])");
        } else if (type->kind == HCL_OBJECT) {
                add_attrs_text(arena, text, type);
                str_add(text, "})");
        }
}

const char *hcl_type_text(struct arena *arena, const struct hcl_type *type)
{
        CLEANUP_STR struct str text = {0};

        add_text(arena, &text, type);
        return arena_strdup(arena, str_get(&text));
}

const char *hcl_type_friendly(struct arena *arena, const struct hcl_type *type)
{
        static const char *const names[] = {
                [HCL_ANY] = "any type",  [HCL_BOOL] = "bool",    [HCL_NUMBER] = "number",
                [HCL_STRING] = "string", [HCL_LIST] = "list of", [HCL_SET] = "set of",
                [HCL_MAP] = "map of",    [HCL_TUPLE] = "tuple",  [HCL_OBJECT] = "object",
        };

        if (!type->element)
                return names[type->kind];
        return arena_printf(arena, "%s %s", names[type->kind],
                            type->element->kind == HCL_ANY ? "any single type"
                                                           : hcl_type_friendly(arena, type->element));
}
