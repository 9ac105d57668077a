/* A table of keys as JSON Schema, for editors. It takes what schema_decode()
 * takes: values that stand for others ("1" for true), and {{ }} in strings. */
#include <ctype.h>

#include "base/str.h"
#include "lang/schema.h"

/* A string that holds an action says nothing of its value yet. */
#define ACTION "\\{\\{"

static json_t *string_like(const char *pattern)
{
        return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

/* The words in any case, or an action. */
static json_t *choice_schema(const char *const *choices)
{
        CLEANUP_STR struct str pattern = {0};
        json_t *words = json_array();

        str_add(&pattern, "^(?:");
        for (size_t i = 0; choices[i]; i++) {
                json_array_append_new(words, json_string(choices[i]));
                str_add(&pattern, i ? "|" : "");
                for (const char *c = choices[i]; *c; c++)
                        if (isalpha((unsigned char)*c))
                                str_addf(&pattern, "[%c%c]", tolower((unsigned char)*c), toupper((unsigned char)*c));
                        else
                                str_addf(&pattern, "%s%c", isalnum((unsigned char)*c) ? "" : "\\", *c);
        }
        str_add(&pattern, ")$|" ACTION);
        return json_pack("{s:[{s:o}, o]}", "anyOf", "enum", words, string_like(str_get(&pattern)));
}

static json_t *list_of(json_t *items)
{
        return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *scalar(void)
{
        return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

/* A list, or one element that stands for a list of it. */
static json_t *list_or_one(json_t *items)
{
        json_t *one = json_deep_copy(items);

        return json_pack("{s:[o, o]}", "anyOf", list_of(items), one);
}

static json_t *block_schema(const struct schema *sub)
{
        return list_or_one(schema_to_json(sub));
}

static json_t *value_schema(const struct schema_key *key)
{
        switch (key->type) {
        case SCHEMA_STRING:
                return key->choices ? choice_schema(key->choices) : scalar();
        case SCHEMA_BOOL:
        case SCHEMA_TRISTATE:
                return json_pack("{s:[{s:[s, s]}, o]}", "anyOf", "type", "boolean", "number",
                                 string_like("^(?:1|0|t|f|T|F|true|false|TRUE|FALSE|True|False|)$|" ACTION));
        case SCHEMA_INT:
                return json_pack("{s:[{s:[s, s]}, o]}", "anyOf", "type", "number", "boolean",
                                 string_like("^\\s*[-+]?[0-9]|^$|" ACTION));
        case SCHEMA_SIZE:
        case SCHEMA_DURATION:
                return json_pack("{s:[s, s]}", "type", "string", "number");
        case SCHEMA_STRINGS:
                return list_or_one(scalar());
        case SCHEMA_INTS:
                return list_or_one(json_pack("{s:[s, s]}", "type", "number", "string"));
        case SCHEMA_STRING_LISTS:
                return list_or_one(list_or_one(scalar()));
        case SCHEMA_STRING_MAP:
                return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", scalar());
        case SCHEMA_BLOCKS:
                return block_schema(key->sub);
        case SCHEMA_VALUE:
                break;
        }
        return json_object();
}

json_t *schema_to_json(const struct schema *schema)
{
        json_t *properties = json_object(), *required = json_array(), *json;

        for (size_t i = 0; i < schema->n_keys; i++) {
                const struct schema_key *key = &schema->keys[i];
                json_t *value;

                if (key->name[0] == '_') /* our own */
                        continue;
                value = value_schema(key);
                if (key->help)
                        json_object_set_new(value, "description", json_string(key->help));
                if (key->fallback)
                        json_object_set_new(value, "default", json_string(key->fallback));
                json_object_set_new(properties, key->name, value);
                if (key->flags & SCHEMA_REQUIRED)
                        json_array_append_new(required, json_string(key->name));
        }
        json = json_pack("{s:s, s:s, s:o, s:{s:{}}, s:b}", "type", "object", "title", schema->name, "properties",
                         properties, "patternProperties", "^_", "additionalProperties", 0);
        if (json_array_size(required) > 0)
                json_object_set(json, "required", required);
        json_decref(required);
        return json;
}
