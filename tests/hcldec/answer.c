/* What hcldec answers: values with their types, messages and references as JSON. See suite.h. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "suite.h"

static struct value *parse(const char *json, struct error *err)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("<hcldec>", json, strlen(json));
        CLEANUP(diags_clear) struct diags diags = {0};
        struct value *value = json_read(source, &diags);

        if (!value)
                error_set(err, EINVAL, "hcldec wrote no JSON: %s: %s", diags.list.n > 0 ? diags.list.v[0].summary : "",
                          json);
        return value;
}

/* ---- types and values ---- */

static const struct hcl_type *type_of(struct arena *arena, const struct value *json)
{
        static const struct {
                const char *name;
                const struct hcl_type *type;
        } words[] = {{"dynamic", &hcl_any}, {"bool", &hcl_bool}, {"number", &hcl_number}, {"string", &hcl_string}};
        const char *kind = json->type == VALUE_STRING                      ? json->string
                           : json->type == VALUE_LIST && json->list.n == 2 ? json->list.v[0]->string
                                                                           : "";
        const struct value *rest = json->type == VALUE_LIST && json->list.n == 2 ? json->list.v[1] : NULL;
        struct hcl_attr_type *attrs;
        const struct hcl_type **members;

        for (size_t i = 0; !rest && i < sizeof(words) / sizeof(words[0]); i++)
                if (str_eq(words[i].name, kind))
                        return words[i].type;
        if (!rest)
                return NULL;
        if (str_eq(kind, "list") || str_eq(kind, "set") || str_eq(kind, "map")) {
                const struct hcl_type *element = type_of(arena, rest);

                return !element               ? NULL
                       : str_eq(kind, "list") ? hcl_type_list(arena, element)
                       : str_eq(kind, "set")  ? hcl_type_set(arena, element)
                                              : hcl_type_map(arena, element);
        }
        if (rest->type == VALUE_LIST) {
                members = arena_array(arena, rest->list.n, sizeof(const struct hcl_type *));
                for (size_t i = 0; i < rest->list.n; i++)
                        members[i] = type_of(arena, rest->list.v[i]);
                return hcl_type_tuple(arena, members, rest->list.n);
        }
        attrs = arena_array(arena, rest->object.n, sizeof(*attrs));
        for (size_t i = 0; i < rest->object.n; i++)
                attrs[i] = (struct hcl_attr_type){.name = arena_strdup(arena, rest->object.v[i].key),
                                                  .type = type_of(arena, rest->object.v[i].value)};
        return hcl_type_object(arena, attrs, rest->object.n);
}

static const struct hcl_value *value_of(struct arena *arena, const struct value *json, const struct hcl_type *type);

static const struct hcl_value *list_of(struct arena *arena, const struct value *json, const struct hcl_type *type)
{
        const struct hcl_value **v = arena_array(arena, json->list.n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < json->list.n; i++)
                v[i] = value_of(arena, json->list.v[i], type->element ? type->element : type->members[i]);
        return type->kind == HCL_LIST  ? hcl_list_value(arena, type->element, v, json->list.n)
               : type->kind == HCL_SET ? hcl_set_value(arena, type->element, v, json->list.n)
                                       : hcl_tuple_value(arena, v, json->list.n);
}

static const struct hcl_value *members_of(struct arena *arena, const struct value *json, const struct hcl_type *type)
{
        const struct hcl_value **v = arena_array(arena, json->object.n, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(arena, json->object.n, sizeof(*keys));

        for (size_t i = 0; i < json->object.n; i++) {
                const char *key = arena_strdup(arena, json->object.v[i].key);
                const struct hcl_attr_type *attr = hcl_type_attr(type, key);

                keys[i] = (struct hcl_string){.s = key, .len = strlen(key)};
                v[i] = value_of(arena, json->object.v[i].value,
                                type->element ? type->element
                                : attr        ? attr->type
                                              : &hcl_any);
        }
        return type->kind == HCL_MAP ? hcl_map_value(arena, type->element, keys, v, json->object.n)
                                     : hcl_object_value(arena, keys, v, json->object.n);
}

/* The value that `json` is of the type; where it does not fit, unknown, which equals nothing. */
static const struct hcl_value *value_of(struct arena *arena, const struct value *json, const struct hcl_type *type)
{
        const struct hcl_value *number;

        if (json->type == VALUE_NULL)
                return hcl_null(arena, type);
        if (type->kind == HCL_ANY && json->type == VALUE_OBJECT && value_get(json, "type")) {
                type = type_of(arena, value_get(json, "type"));
                return type ? value_of(arena, value_get(json, "value"), type) : &hcl_unknown_any;
        }
        if (json->type == VALUE_BOOL && type->kind == HCL_BOOL)
                return hcl_bool_value(json->boolean);
        if (json->type == VALUE_STRING && type->kind == HCL_STRING)
                return hcl_string_from(arena, json->string);
        if (json->type == VALUE_NUMBER && type->kind == HCL_NUMBER) {
                number = hcl_number_parse(arena, json->string);
                return number ? number : &hcl_unknown_any;
        }
        if (json->type == VALUE_LIST &&
            (type->kind == HCL_LIST || type->kind == HCL_SET || (type->kind == HCL_TUPLE && type->n == json->list.n)))
                return list_of(arena, json, type);
        if (json->type == VALUE_OBJECT && (type->kind == HCL_MAP || type->kind == HCL_OBJECT))
                return members_of(arena, json, type);
        return &hcl_unknown_any;
}

const struct hcl_value *answer_value(struct arena *arena, const char *json, struct error *err)
{
        CLEANUP(value_freep) struct value *value = parse(json, err);

        return value ? value_of(arena, value, &hcl_any) : NULL;
}

/* ---- messages and references ---- */

static int64_t number_of(const struct value *object, const char *name)
{
        const struct value *number = object ? value_get(object, name) : NULL;

        return number && number->type == VALUE_NUMBER ? strtoll(number->string, NULL, 10) : -1;
}

static struct position position_of(const struct value *json)
{
        return (struct position){number_of(json, "line"), number_of(json, "column"), number_of(json, "byte")};
}

static const char *text_of(const struct value *object, const char *name)
{
        const struct value *text = object ? value_get(object, name) : NULL;

        return text && text->type == VALUE_STRING ? text->string : "";
}

static void fill_place(struct place *place, const struct value *range)
{
        if (range) {
                place->from = position_of(value_get(range, "start"));
                place->to = position_of(value_get(range, "end"));
        }
}

int answer_diags(struct arena *arena, const char *json, const char *path, struct places *ret, struct error *err)
{
        CLEANUP(value_freep) struct value *value = parse(json, err);
        const struct value *list = value ? value_get(value, "diagnostics") : NULL;
        struct place *v;

        if (!list || list->type != VALUE_LIST)
                return value ? error_set(err, EINVAL, "hcldec wrote no list of messages: %s", json) : -EINVAL;
        v = arena_array(arena, list->list.n, sizeof(*v));
        for (size_t i = 0; i < list->list.n; i++) {
                const struct value *diag = list->list.v[i], *subject = value_get(diag, "subject");

                v[i].severity = str_eq(text_of(diag, "severity"), "warning") ? SEVERITY_WARNING : SEVERITY_ERROR;
                v[i].text = arena_strdup(arena, text_of(diag, "summary"));
                if (!subject || !str_eq(text_of(subject, "filename"), path))
                        return error_set(err, EINVAL, "hcldec failed: %s %s", v[i].text, text_of(diag, "detail"));
                fill_place(&v[i], subject);
        }
        *ret = (struct places){.v = v, .n = list->list.n};
        return 0;
}

static const char *reference_text(struct arena *arena, const struct value *steps)
{
        CLEANUP_STR struct str text = {0};

        for (size_t i = 0; steps && steps->type == VALUE_LIST && i < steps->list.n; i++) {
                const struct value *step = steps->list.v[i], *key = value_get(step, "key");

                if (key)
                        str_addf(&text, "[%s]",
                                 key->type == VALUE_STRING ? hcl_quote(arena, key->string, strlen(key->string))
                                                           : key->string);
                else
                        str_addf(&text, "%s%s", i > 0 ? "." : "", text_of(step, "name"));
        }
        return arena_strdup(arena, str_get(&text));
}

int answer_references(struct arena *arena, const char *json, struct places *ret, struct error *err)
{
        CLEANUP(value_freep) struct value *value = parse(json, err);
        struct place *v;

        if (!value)
                return -EINVAL;
        if (value->type != VALUE_LIST)
                return error_set(err, EINVAL, "hcldec wrote no list of references: %s", json);
        v = arena_array(arena, value->list.n, sizeof(*v));
        for (size_t i = 0; i < value->list.n; i++) {
                v[i].text = reference_text(arena, value_get(value->list.v[i], "steps"));
                fill_place(&v[i], value_get(value->list.v[i], "range"));
        }
        *ret = (struct places){.v = v, .n = value->list.n};
        return 0;
}
