/* See external.h. The struct that a schema is decoded into is made up here: a
 * header that names the executable, then one slot for each key. */
#include "local/external.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { CHECK_MS = 30000 };

union content {
        char *string;
        char **strings;
        bool boolean;
        int tristate;
        int64_t integer;
        uint64_t size;
        struct schema_ints ints;
        const struct value *value;
};

struct slot {
        union content content;
        bool given; /* tells a 0 or an empty list in the template from none; noted by external_check */
};

struct external_struct {
        char *path; /* of the executable: a key that templates do not set, whose default it is */
        struct slot slots[];
};

static json_t *string_json(const struct slot *slot)
{
        return slot->content.string ? json_string(slot->content.string) : NULL;
}

static json_t *bool_json(const struct slot *slot)
{
        return slot->content.tristate < 0 ? NULL : json_boolean(slot->content.tristate);
}

static json_t *integer_json(const struct slot *slot)
{
        return slot->content.integer || slot->given ? json_integer(slot->content.integer) : NULL;
}

static json_t *strings_json(const struct slot *slot)
{
        json_t *list = slot->content.strings || slot->given ? json_array() : NULL;

        for (char **s = slot->content.strings; s && *s; s++)
                json_array_append_new(list, json_string(*s));
        return list;
}

static json_t *ints_json(const struct slot *slot)
{
        json_t *list = slot->content.ints.n || slot->given ? json_array() : NULL;

        for (size_t i = 0; i < slot->content.ints.n; i++)
                json_array_append_new(list, json_integer(slot->content.ints.v[i]));
        return list;
}

static json_t *map_json(const struct slot *slot)
{
        json_t *object = slot->content.strings || slot->given ? json_object() : NULL;

        for (char **pair = slot->content.strings; pair && *pair; pair++) {
                CLEANUP_FREE char *key = xstrndup(*pair, strcspn(*pair, "="));
                const char *value = *pair + strlen(key);

                json_object_set_new(object, key, json_string(*value ? value + 1 : value));
        }
        return object;
}

static json_t *value_json(const struct slot *slot)
{
        return slot->content.value ? value_to_json(slot->content.value) : NULL;
}

/* The types of the contract, each with the schema's type and the way to JSON (NULL from there: left out). */
static const struct key_type {
        const char *name;
        enum schema_type type;
        json_t *(*to_json)(const struct slot *slot);
} key_types[] = {
        {"string", SCHEMA_STRING, string_json},
        {"bool", SCHEMA_TRISTATE, bool_json},
        {"int", SCHEMA_INT, integer_json},
        {"size", SCHEMA_SIZE, integer_json},
        {"duration", SCHEMA_DURATION, integer_json},
        {"strings", SCHEMA_STRINGS, strings_json},
        {"ints", SCHEMA_INTS, ints_json},
        {"string_map", SCHEMA_STRING_MAP, map_json},
        {"value", SCHEMA_VALUE, value_json},
};

static const struct key_type *find_type(const char *name)
{
        for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++)
                if (strcmp(key_types[i].name, name) == 0)
                        return &key_types[i];
        return &key_types[0]; /* not reached: plugin_load knows the types */
}

/* Tables made once for each executable; they live until the program ends. */
static struct known {
        struct external external;
        struct known *next;
} * known;

static void fill_key(struct schema_key *key, const char *name, const json_t *spec, size_t i)
{
        const json_t *choice, *choices = json_object_get(spec, "choices");
        char **list = NULL;
        size_t at;

        *key = (struct schema_key){
                .name = name,
                .type = find_type(json_string_value(json_object_get(spec, "type")))->type,
                .flags = json_is_true(json_object_get(spec, "required")) ? SCHEMA_REQUIRED : 0,
                .offset = sizeof(struct external_struct) + i * sizeof(struct slot) + offsetof(struct slot, content),
                .fallback = json_string_value(json_object_get(spec, "default")),
                .help = json_string_value(json_object_get(spec, "help")) ?: "",
        };
        json_array_foreach(choices, at, choice)
        {
                strv_add(&list, json_string_value(choice));
        }
        key->choices = STRV(list);
}

static void fill_schema(struct external *external)
{
        json_t *spec, *specs = json_object_get(external->plugin->description, "keys");
        size_t n = json_object_size(specs), i = 0;
        struct schema_key *keys = xcalloc(n + 1, sizeof(*keys));
        const char *name;

        keys[0] = (struct schema_key){.name = "_executable",
                                      .type = SCHEMA_STRING,
                                      .flags = SCHEMA_LATE,
                                      .offset = offsetof(struct external_struct, path),
                                      .fallback = external->plugin->path,
                                      .help = "path of the executable (not set by templates)"};
        json_object_foreach(specs, name, spec)
        {
                fill_key(&keys[1 + i], name, spec, i);
                i++;
        }
        external->schema = (struct schema){
                .name = xasprintf("the %s %s", external->plugin->name, plugin_kind_name(external->plugin->kind)),
                .size = sizeof(struct external_struct) + n * sizeof(struct slot),
                .keys = keys,
                .n_keys = n + 1};
}

int external_load(enum plugin_kind kind, const char *name, const struct external **ret, struct error *err)
{
        CLEANUP(plugin_freep) struct plugin *plugin = NULL;
        struct known *entry;
        int r;

        for (entry = known; entry; entry = entry->next)
                if (entry->external.plugin->kind == kind && strcmp(entry->external.plugin->name, name) == 0) {
                        *ret = &entry->external;
                        return 0;
                }
        r = plugin_load(kind, name, &plugin, err);
        if (r < 0)
                return r;
        entry = xcalloc(1, sizeof(*entry));
        entry->external.plugin = steal(&plugin);
        fill_schema(&entry->external);
        entry->next = known;
        known = entry;
        *ret = &entry->external;
        return 0;
}

const struct external *external_of(const void *config)
{
        const struct external_struct *own = config;

        for (const struct known *entry = known; entry; entry = entry->next)
                if (str_eq(entry->external.plugin->path, own->path))
                        return &entry->external;
        return NULL;
}

json_t *external_config(const void *config)
{
        const struct external *external = external_of(config);
        const struct external_struct *own = config;
        json_t *object = json_object(), *spec;
        const char *name;
        size_t i = 0;

        json_object_foreach(json_object_get(external->plugin->description, "keys"), name, spec)
        {
                const struct key_type *type = find_type(json_string_value(json_object_get(spec, "type")));
                json_t *value = type->to_json(&own->slots[i++]);

                if (value)
                        json_object_set_new(object, name, value);
        }
        return object;
}

static void note_given(void *config, const struct value *value)
{
        const struct external *external = external_of(config);
        struct external_struct *own = config;
        const char *name;
        json_t *spec;
        size_t i = 0;

        json_object_foreach(json_object_get(external->plugin->description, "keys"), name, spec)
        {
                own->slots[i++].given = value_get(value, name) || json_object_get(spec, "default");
        }
}

static void add_messages(const json_t *list, bool is_error, const struct value *value, struct diags *diags)
{
        const json_t *item;
        size_t i;

        json_array_foreach(list, i, item)
        {
                const char *key = json_string_value(json_object_get(item, "key"));
                const char *message = json_string_value(json_object_get(item, "message"));
                struct range at = key ? schema_range(value, key) : value->range;

                if (!message)
                        message = json_string_value(item) ?: "refused without a message";
                if (is_error)
                        diag_error(diags, at, "%s", message);
                else
                        diag_warning(diags, at, "%s", message);
        }
}

int external_check(void *config, const struct value *value, struct diags *diags)
{
        const struct external *external = external_of(config);
        CLEANUP_ERROR struct error err = {0};
        json_t *answer = NULL, *input;
        size_t before = diags->n_errors;
        int r;

        if (!external) {
                diag_error(diags, value->range, "the key '_executable' must not be set");
                return -EINVAL;
        }
        note_given(config, value);
        input = json_pack("{s:o}", "config", external_config(config));
        r = plugin_call(external->plugin,
                        &(struct plugin_call){.method = "check", .input = input, .timeout_ms = CHECK_MS}, &answer,
                        &err);
        json_decref(input);
        if (r < 0 && r != -EOPNOTSUPP)
                diag_error(diags, value->range, "%s", error_message(&err));
        if (r == 0) {
                add_messages(json_object_get(answer, "errors"), true, value, diags);
                add_messages(json_object_get(answer, "warnings"), false, value, diags);
                json_decref(answer);
        }
        return diags->n_errors > before ? -EINVAL : 0;
}
