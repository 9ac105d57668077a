/* See value.h. */
#include "lang/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* How deep they may lie in each other is bounded by those who make them. */
struct value *value_free(struct value *value)
{
        if (!value)
                return NULL;
        switch (value->type) {
        case VALUE_NULL:
        case VALUE_BOOL:
                break;
        case VALUE_NUMBER:
        case VALUE_STRING:
                free(value->string);
                break;
        case VALUE_LIST:
                for (size_t i = 0; i < value->list.n; i++)
                        value_free(value->list.v[i]);
                free(value->list.v);
                break;
        case VALUE_OBJECT:
                for (size_t i = 0; i < value->object.n; i++) {
                        free(value->object.v[i].key);
                        value_free(value->object.v[i].value);
                }
                free(value->object.v);
                break;
        }
        free(value);
        return NULL;
}

struct value *value_new(enum value_type type, struct range range)
{
        struct value *value = xcalloc(1, sizeof(*value));

        value->type = type;
        value->range = range;
        return value;
}

/* Room grows in powers of two, which the count itself tells. */
static bool is_full(size_t n)
{
        return (n & (n - 1)) == 0;
}

void value_list_add(struct value *list, struct value *element)
{
        size_t n = list->list.n;

        if (is_full(n))
                list->list.v = xreallocarray(list->list.v, n ? 2 * n : 1, sizeof(struct value *));
        list->list.v[list->list.n++] = element;
}

void value_object_add(struct value *object, const char *key, struct range key_range, struct value *member)
{
        size_t n = object->object.n;

        if (is_full(n))
                object->object.v = xreallocarray(object->object.v, n ? 2 * n : 1, sizeof(struct value_entry));
        object->object.v[object->object.n++] =
                (struct value_entry){.key = xstrdup(key), .key_range = key_range, .value = member};
}

struct value *value_copy(const struct value *value)
{
        struct value *copy = value_new(value->type, value->range);

        copy->typed = value->typed;
        copy->unknown = value->unknown;
        switch (value->type) {
        case VALUE_NULL:
                break;
        case VALUE_BOOL:
                copy->boolean = value->boolean;
                break;
        case VALUE_NUMBER:
        case VALUE_STRING:
                copy->string = xstrdup(value->string);
                break;
        case VALUE_LIST:
                for (size_t i = 0; i < value->list.n; i++)
                        value_list_add(copy, value_copy(value->list.v[i]));
                break;
        case VALUE_OBJECT:
                for (size_t i = 0; i < value->object.n; i++) {
                        const struct value_entry *entry = &value->object.v[i];

                        value_object_add(copy, entry->key, entry->key_range, value_copy(entry->value));
                }
                break;
        }
        return copy;
}

const struct value_entry *value_entry(const struct value *object, const char *key)
{
        if (!object || object->type != VALUE_OBJECT)
                return NULL;
        for (size_t i = 0; i < object->object.n; i++)
                if (strcmp(object->object.v[i].key, key) == 0)
                        return &object->object.v[i];
        return NULL;
}

const struct value *value_get(const struct value *object, const char *key)
{
        const struct value_entry *entry = value_entry(object, key);

        return entry ? entry->value : NULL;
}

const char *value_type_name(enum value_type type)
{
        static const char *const names[] = {
                [VALUE_NULL] = "null",       [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "a number",
                [VALUE_STRING] = "a string", [VALUE_LIST] = "a list",        [VALUE_OBJECT] = "an object",
        };

        return names[type];
}

static json_t *number_to_json(const char *digits)
{
        char *end;
        long long whole;

        errno = 0;
        whole = strtoll(digits, &end, 10);
        if (*end == '\0' && errno == 0)
                return json_integer(whole);
        return json_real(strtod(digits, NULL));
}

json_t *value_to_json(const struct value *value)
{
        json_t *json = NULL;

        switch (value->type) {
        case VALUE_NULL:
                return json_null();
        case VALUE_BOOL:
                return json_boolean(value->boolean);
        case VALUE_NUMBER:
                return number_to_json(value->string);
        case VALUE_STRING:
                return json_string(value->string);
        case VALUE_LIST:
                json = json_array();
                for (size_t i = 0; i < value->list.n; i++)
                        json_array_append_new(json, value_to_json(value->list.v[i]));
                return json;
        case VALUE_OBJECT:
                json = json_object();
                for (size_t i = 0; i < value->object.n; i++)
                        json_object_set_new(json, value->object.v[i].key, value_to_json(value->object.v[i].value));
                return json;
        }
        return json;
}
