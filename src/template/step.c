/* Provisioners and post-processors: the keys that all of them have. What else
 * is in them is read by the rooms that run them. See template.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/template_internal.h"

const char *const template_step_keys[] = {"type",
                                          "only",
                                          "except",
                                          "override",
                                          "pause_before",
                                          "timeout",
                                          "max_retries",
                                          "continue_on_error",
                                          "cache",
                                          "cache_ttl",
                                          "keep_input_artifact",
                                          "name",
                                          NULL};

#define STRUCT struct template_step
static const struct schema_key provisioner_keys[] = {
        KEY("type", SCHEMA_STRING, SCHEMA_REQUIRED, type, .help = "the kind of provisioner: \"shell\", \"file\", ..."),
        KEY("only", SCHEMA_STRINGS, 0, only, .help = "names of the builds for which it runs"),
        KEY("except", SCHEMA_STRINGS, 0, except, .help = "names of the builds for which it does not run"),
        KEY("override", SCHEMA_VALUE, 0, override, .help = "keys that differ, by name of the build"),
        KEY("pause_before", SCHEMA_DURATION, 0, pause_before_ms, .help = "wait so long before it: \"10s\""),
        KEY("timeout", SCHEMA_DURATION, 0, timeout_ms, .help = "it may take so long: \"5m\""),
        KEY("max_retries", SCHEMA_INT, 0, max_retries, .help = "try again so many times when it fails"),
        KEY("continue_on_error", SCHEMA_BOOL, 0, continue_on_error, .help = "go on with the build when it has failed"),
        KEY("cache", SCHEMA_BOOL, 0, cache, .fallback = "true", .help = "false: it runs in each build"),
        KEY("cache_ttl", SCHEMA_DURATION, 0, cache_ttl_ms, .help = "it runs again when it ran so long ago: \"24h\""),
};

static const struct schema_key post_processor_keys[] = {
        KEY("type", SCHEMA_STRING, SCHEMA_REQUIRED, type,
            .help = "the kind of post-processor: \"compress\", \"checksum\", ..."),
        KEY("name", SCHEMA_STRING, 0, name, .help = "its name for -except; the type where it is left out"),
        KEY("only", SCHEMA_STRINGS, 0, only, .help = "names of the builds for which it runs"),
        KEY("except", SCHEMA_STRINGS, 0, except, .help = "names of the builds for which it does not run"),
        KEY("keep_input_artifact", SCHEMA_TRISTATE, 0, keep_input_artifact,
            .help = "keep the files that it was made from"),
};
#undef STRUCT

#define SCHEMA(title, table)                                                                                           \
        {                                                                                                              \
                .name = (title), .size = sizeof(struct template_step), .keys = (table),                                \
                .n_keys = sizeof(table) / sizeof((table)[0])                                                           \
        }
/* By role. */
static const struct schema schemas[] = {SCHEMA("a provisioner", provisioner_keys),
                                        SCHEMA("the error-cleanup-provisioner", provisioner_keys),
                                        SCHEMA("a post-processor", post_processor_keys)};

const struct schema *template_provisioner_schema(void)
{
        return &schemas[STEP_PROVISIONER];
}

const struct schema *template_post_processor_schema(void)
{
        return &schemas[STEP_POST_PROCESSOR];
}

/* Names of builds in only, except. */
static void check_names(struct load *load, const struct template_step *step, const char *key, char *const *names)
{
        const struct value *list = value_get(step->config, key);

        for (size_t i = 0; names && names[i]; i++) {
                bool in_list = list->type == VALUE_LIST && i < list->list.n;

                if (!strv_has(STRV(load->t->build_names), names[i]))
                        unknown_name(load->diags, in_list ? list->list.v[i]->range : list->range, "there is no build",
                                     names[i], STRV(load->t->build_names));
        }
}

static void check_override(struct load *load, const struct template_step *step)
{
        const struct value *override = step->override;
        CLEANUP_FREE char *hint = NULL;

        if (!override)
                return;
        if (override->type != VALUE_OBJECT) {
                hint = schema_written(override->range, "BUILD", "{ ... }");
                diag_error(load->diags, override->range, "'override' must be an object { %s }, not %s", hint,
                           value_type_name(override->type));
                return;
        }
        for (size_t i = 0; i < override->object.n; i++) {
                const struct value_entry *entry = &override->object.v[i];

                if (!load->t->hcl && !strv_has(STRV(load->t->build_names), entry->key))
                        unknown_name(load->diags, entry->key_range, "there is no build", entry->key,
                                     STRV(load->t->build_names));
                if (entry->value->type != VALUE_OBJECT)
                        diag_error(load->diags, entry->value->range, "'override' of '%s' must be an object, not %s",
                                   entry->key, value_type_name(entry->value->type));
        }
}

static void check_not_negative(struct load *load, const struct template_step *step, const char *key, int64_t number)
{
        if (number < 0)
                diag_error(load->diags, schema_range(step->config, key), "'%s' cannot be negative", key);
}

static void check_ttl(struct load *load, const struct template_step *step)
{
        const struct value *config = step->config;

        if (!value_get(config, "cache_ttl"))
                return;
        if (!step->cache)
                diag_error(load->diags, schema_range(config, "cache_ttl"),
                           "'cache_ttl' has no meaning where 'cache' is false");
        check_not_negative(load, step, "cache_ttl", step->cache_ttl_ms);
}

/* Keys that only the other kind of step has. */
static void check_foreign(struct load *load, const struct value *config, const struct schema *other, const char *whose)
{
        for (size_t i = 0; i < other->n_keys; i++) {
                const struct value_entry *entry = value_entry(config, other->keys[i].name);

                if (entry && strv_has(template_step_keys, entry->key))
                        diag_error(load->diags, entry->key_range, "'%s' is a key of %s only", entry->key, whose);
        }
}

void step_read(struct load *load, enum step_role role, const struct value *config, struct template_step *step)
{
        static const struct schema_key keep = {.name = "keep_input_artifact"};
        static const struct schema for_others = {.keys = &keep, .n_keys = 1};
        static const struct schema for_provisioners = {.keys = provisioner_keys + 3, .n_keys = 7};

        schema_decode_part(&schemas[role], config, NULL, step, load->diags);
        step->config = config;
        step->range = config->range;
        if (role != STEP_POST_PROCESSOR)
                step->keep_input_artifact = -1;
        if (config->type != VALUE_OBJECT)
                return;
        if (value_get(config, "type"))
                step->range = schema_range(config, "type");
        if (!load->t->hcl) {
                check_names(load, step, "only", step->only);
                check_names(load, step, "except", step->except);
        }
        if (step->only && step->except)
                diag_error(load->diags, schema_range(config, "except"), "'only' and 'except' exclude each other");
        check_override(load, step);
        check_not_negative(load, step, "pause_before", step->pause_before_ms);
        check_not_negative(load, step, "timeout", step->timeout_ms);
        check_not_negative(load, step, "max_retries", step->max_retries);
        if (role == STEP_POST_PROCESSOR) {
                check_foreign(load, config, &for_provisioners, "provisioners");
        } else {
                check_ttl(load, step);
                check_foreign(load, config, &for_others, "post-processors");
        }
        if (role == STEP_POST_PROCESSOR && !step->name && step->type)
                step->name = xstrdup(step->type);
}

void step_clear(enum step_role role, struct template_step *step)
{
        schema_free(&schemas[role], step);
}

static void load_provisioners(struct load *load)
{
        const struct value *list = value_get(load->root, "provisioners");
        struct template_steps *steps = load->t->steps;

        if (!list || list->type == VALUE_NULL)
                return;
        if (list->type != VALUE_LIST) {
                diag_error(load->diags, list->range, "'provisioners' must be a list [ { ... } ], not %s",
                           value_type_name(list->type));
                return;
        }
        steps->provisioners = xcalloc(list->list.n + 1, sizeof(*steps->provisioners));
        for (size_t i = 0; i < list->list.n; i++)
                step_read(load, STEP_PROVISIONER, list->list.v[i], &steps->provisioners[steps->n_provisioners++]);
}

static void load_cleanup(struct load *load)
{
        const struct value *config = value_get(load->root, "error-cleanup-provisioner");
        struct template_steps *steps = load->t->steps;

        if (!config || config->type == VALUE_NULL)
                return;
        steps->error_cleanup = xcalloc(1, sizeof(*steps->error_cleanup));
        step_read(load, STEP_CLEANUP, config, steps->error_cleanup);
}

/* "compress" stands for {"type": "compress"}. */
static struct value *object_of_type(struct template *t, const struct value *name)
{
        struct value *object = value_new(VALUE_OBJECT, name->range);

        value_object_add(object, "type", name->range, value_copy(name));
        template_own(t, object);
        return object;
}

static void read_post_processor(struct load *load, const struct value *config, struct template_step *step)
{
        if (config->type == VALUE_STRING)
                config = object_of_type(load->t, config);
        if (config->type == VALUE_LIST) {
                diag_error(load->diags, config->range, "a chain of post-processors cannot hold another chain");
                diag_detail(load->diags, "\"post-processors\": [ \"single\", [ \"first\", \"second\" ] ]");
                return;
        }
        step_read(load, STEP_POST_PROCESSOR, config, step);
}

void steps_cut_chain(const struct load *load, struct template_chain *chain)
{
        size_t keep = 0;

        while (keep < chain->n && !(chain->v[keep].name && name_matches(load->options->except, chain->v[keep].name)))
                keep++;
        for (size_t i = keep; i < chain->n; i++)
                step_clear(STEP_POST_PROCESSOR, &chain->v[i]);
        chain->n = keep;
}

static void load_post_processors(struct load *load)
{
        const struct value *list = value_get(load->root, "post-processors");
        struct template_steps *steps = load->t->steps;

        if (!list || list->type == VALUE_NULL)
                return;
        if (list->type != VALUE_LIST) {
                diag_error(load->diags, list->range, "'post-processors' must be a list, not %s",
                           value_type_name(list->type));
                return;
        }
        steps->post_processors = xcalloc(list->list.n + 1, sizeof(*steps->post_processors));
        for (size_t i = 0; i < list->list.n; i++) {
                const struct value *element = list->list.v[i];
                struct template_chain *chain = &steps->post_processors[steps->n_post_processors++];
                bool is_chain = element->type == VALUE_LIST;

                chain->n = is_chain ? element->list.n : 1;
                chain->v = xcalloc(chain->n + 1, sizeof(*chain->v));
                for (size_t j = 0; j < chain->n; j++)
                        read_post_processor(load, is_chain ? element->list.v[j] : element, &chain->v[j]);
                steps_cut_chain(load, chain);
                if (chain->n == 0) {
                        free(chain->v);
                        steps->n_post_processors--;
                }
        }
}

void load_steps(struct load *load)
{
        load_provisioners(load);
        load_cleanup(load);
        load_post_processors(load);
}

struct value *template_step_config(const struct template_step *step, const char *build_name)
{
        const struct value *override = value_get(step->override, build_name);
        struct value *config = value_copy(step->config);

        for (size_t i = 0; override && i < override->object.n; i++) {
                const struct value_entry *entry = &override->object.v[i];
                struct value_entry *own = (struct value_entry *)value_entry(config, entry->key);

                if (own) {
                        value_free(own->value);
                        own->value = value_copy(entry->value);
                        own->key_range = entry->key_range;
                } else {
                        value_object_add(config, entry->key, entry->key_range, value_copy(entry->value));
                }
        }
        return config;
}

bool template_step_applies(const struct template_step *step, const char *build_name)
{
        if (step->only)
                return strv_has(STRV(step->only), build_name);
        return !strv_has(STRV(step->except), build_name);
}

static void steps_clear(struct template_steps *steps)
{
        for (size_t i = 0; i < steps->n_provisioners; i++)
                step_clear(STEP_PROVISIONER, &steps->provisioners[i]);
        free(steps->provisioners);
        if (steps->error_cleanup)
                step_clear(STEP_CLEANUP, steps->error_cleanup);
        free(steps->error_cleanup);
        for (size_t i = 0; i < steps->n_post_processors; i++) {
                for (size_t j = 0; j < steps->post_processors[i].n; j++)
                        step_clear(STEP_POST_PROCESSOR, &steps->post_processors[i].v[j]);
                free(steps->post_processors[i].v);
        }
        free(steps->post_processors);
}

void steps_free(struct template *t)
{
        for (size_t i = 0; i < t->n_steps; i++)
                steps_clear(&t->steps[i]);
        free(t->steps);
}
