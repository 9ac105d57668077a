/* Data sources: the table of those that are built in, and stand-alone
 * executables (base/plugin.h). See module_internal.h. */
#include "template/data.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/plugin.h"
#include "base/str.h"
#include "template/module_internal.h"

enum { DATA_MS = 5 * 60 * 1000 };

/* ---- null: gives back what it is given ---- */

struct null_config {
        char *input;
};

#define STRUCT struct null_config
static const struct schema_key null_keys[] = {
        KEY("input", SCHEMA_STRING, 0, input, .help = "what `output` will be"),
};
#undef STRUCT
static const struct schema null_source_schema = {
        .name = "the null data source", .size = sizeof(struct null_config), .keys = null_keys, .n_keys = 1};

static int null_read(struct arena *arena, const void *config, const struct hcl_value **ret, struct error *err)
{
        const struct null_config *null = config;

        (void)err;
        *ret = module_object(arena, (const char *const[]){"output"},
                             (const struct hcl_value *const[]){hcl_string_from(arena, null->input ? null->input : "")},
                             1);
        return 0;
}

static const struct data_type data_null = {"null", &null_source_schema, null_read};

static const struct data_type *const types[] = {&data_git_commit, &data_git_repository, &data_git_tree, &data_http,
                                                &data_null};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

const struct data_type *data_find(const char *name)
{
        for (size_t i = 0; i < N_TYPES; i++)
                if (strcmp(types[i]->name, name) == 0)
                        return types[i];
        return NULL;
}

const char *const *data_names(void)
{
        static const char *names[N_TYPES + 1];

        for (size_t i = 0; i < N_TYPES; i++)
                names[i] = types[i]->name;
        return names;
}

/* ---- executables ---- */

static const struct hcl_value *from_json(struct arena *arena, const json_t *json);

static const struct hcl_value *object_from_json(struct arena *arena, const json_t *json)
{
        size_t n = json_object_size(json), i = 0;
        struct hcl_string *keys = arena_array(arena, n, sizeof(*keys));
        const struct hcl_value **values = arena_array(arena, n, sizeof(const struct hcl_value *));
        const char *name;
        json_t *member;

        json_object_foreach((json_t *)json, name, member)
        {
                keys[i] = (struct hcl_string){arena_strdup(arena, name), strlen(name)};
                values[i++] = from_json(arena, member);
        }
        return hcl_object_value(arena, keys, values, n);
}

static const struct hcl_value *from_json(struct arena *arena, const json_t *json)
{
        size_t n = json_array_size(json);
        const struct hcl_value **values;

        switch (json_typeof(json)) {
        case JSON_OBJECT:
                return object_from_json(arena, json);
        case JSON_ARRAY:
                values = arena_array(arena, n, sizeof(const struct hcl_value *));
                for (size_t i = 0; i < n; i++)
                        values[i] = from_json(arena, json_array_get(json, i));
                return hcl_tuple_value(arena, values, n);
        case JSON_STRING:
                return hcl_string_value(arena, json_string_value(json), json_string_length(json));
        case JSON_INTEGER:
                return hcl_int_value(arena, json_integer_value(json));
        case JSON_REAL:
                return hcl_number_parse(arena, arena_printf(arena, "%.17g", json_real_value(json)));
        case JSON_TRUE:
                return &hcl_true;
        case JSON_FALSE:
                return &hcl_false;
        case JSON_NULL:
                break;
        }
        return &hcl_null_any;
}

/* Keys that the executable describes: no others, and none missing that is required. */
static void check_keys(const struct plugin *plugin, const struct value *value, const struct module_node *node,
                       struct diags *diags)
{
        json_t *keys = json_object_get(plugin->description, "keys"), *key;
        CLEANUP_FREE char *where = xasprintf("the data source %s", node->type);
        CLEANUP_STRV char **names = NULL;
        const char *name;

        json_object_foreach(keys, name, key)
        {
                strv_add(&names, name);
                if (json_is_true(json_object_get(key, "required")) && !value_get(value, name))
                        diag_error(diags, node->range, "%s needs the key '%s'", where, name);
        }
        for (size_t i = 0; i < value->object.n; i++)
                if (!strv_has(STRV(names), value->object.v[i].key))
                        schema_unknown_key(&value->object.v[i], where, STRV(names), diags);
}

static void show(void *arg, const char *line)
{
        (void)arg;
        fprintf(stderr, "%s\n", line);
}

static int run_executable(struct template_module *module, const struct plugin *plugin, const struct value *value,
                          const struct hcl_value **ret, struct error *err)
{
        json_t *answer = NULL, *input = json_pack("{s:i, s:o, s:s}", "version", PLUGIN_VERSION, "config",
                                                  value_to_json(value), "template_dir", module->env.base_dir);
        const struct plugin_call call = {.method = "data", .input = input, .timeout_ms = DATA_MS, .on_message = show};
        int r = plugin_call(plugin, &call, &answer, err);

        json_decref(input);
        if (r < 0)
                return r;
        if (json_is_object(json_object_get(answer, "value")))
                *ret = from_json(&module->arena, json_object_get(answer, "value"));
        else
                r = error_set(err, EBADMSG, "'%s' answered without an object \"value\"", plugin->path);
        json_decref(answer);
        return r;
}

static void unknown_type(struct template_module *module, const struct module_node *node, const struct error *err)
{
        const char *names[N_TYPES + 1] = {0}, *nearest;
        CLEANUP_FREE char *all = NULL;

        for (size_t i = 0; i < N_TYPES; i++)
                names[i] = types[i]->name;
        nearest = str_nearest(node->type, names);
        all = strv_join(names, ", ");
        if (err->code != ENOENT)
                diag_error(module->diags, node->block->labels[0].range, "%s", error_message(err));
        else if (nearest)
                diag_error(module->diags, node->block->labels[0].range, "unknown data source '%s'; did you mean '%s'?",
                           node->type, nearest);
        else
                diag_error(module->diags, node->block->labels[0].range, "unknown data source '%s'", node->type);
        if (err->code == ENOENT)
                diag_detail(module->diags,
                            "Built in are: %s.\nAn executable slipway-data-source-%s would be one too: see "
                            "slipway-plugin(7).",
                            all, node->type);
}

static const struct hcl_value *evaluate_executable(struct template_module *module, const struct module_node *node,
                                                   const struct value *value)
{
        CLEANUP(plugin_freep) struct plugin *plugin = NULL;
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *result = NULL;
        size_t errors_before = module->diags->n_errors;

        if (plugin_load(PLUGIN_DATA_SOURCE, node->type, &plugin, &err) < 0) {
                unknown_type(module, node, &err);
                return NULL;
        }
        check_keys(plugin, value, node, module->diags);
        if (module->diags->n_errors > errors_before || value->unknown || !module->options->evaluate_data)
                return NULL;
        if (run_executable(module, plugin, value, &result, &err) < 0)
                diag_error(module->diags, node->range, "%s: %s", node->key, error_message(&err));
        return result;
}

/* ---- all ---- */

static const struct hcl_value *evaluate_built_in(struct template_module *module, const struct data_type *type,
                                                 const struct module_node *node, const struct value *value)
{
        void *config = xcalloc(1, type->schema->size);
        const struct hcl_value *result = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (schema_decode(type->schema, value, NULL, NULL, config, module->diags) == 0 && !value->unknown &&
            module->options->evaluate_data) {
                if (type->read(&module->arena, config, &result, &err) < 0)
                        diag_error(module->diags, node->range, "%s: %s", node->key, error_message(&err));
        }
        schema_free(type->schema, config);
        free(config);
        return result;
}

const struct hcl_value *data_evaluate(struct template_module *module, const struct module_node *node,
                                      const struct hcl_scope *scope)
{
        CLEANUP(value_freep) struct value *value = value_new(VALUE_OBJECT, node->block->open_range);
        const struct data_type *type = data_find(node->type);
        const struct hcl_value *result;

        module_lower_body(module, node->block->body, scope, value);
        result = type ? evaluate_built_in(module, type, node, value) : evaluate_executable(module, node, value);
        return result ? result : &hcl_unknown_any;
}
