/* For tests of steps: a config written as JSON, read by its table and checked. */
#pragma once

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/schema.h"

struct step {
        struct source_text *source;
        struct value *value;
        struct diags diags;
        const struct schema *schema;
        void *config;
        char *messages; /* all of them, a line each */
};

static inline void step_clear(struct step *step)
{
        if (step->config)
                schema_free(step->schema, step->config);
        free(step->config);
        free(step->messages);
        diags_clear(&step->diags);
        value_free(step->value);
        source_text_free(step->source);
        *step = (struct step){0};
}
#define CLEANUP_STEP CLEANUP(step_clear)

/* Decode and check; the messages are in step->messages. True if there was no error. */
static inline bool step_read(struct step *step, const struct schema *schema,
                             int (*check)(void *, const struct value *, struct diags *), const char *json)
{
        static const struct interp_pair user[] = {{"name", "value"}, {0}};
        const struct interp interp = {.user = user, .build_name = "pi", .build_type = "arm", .template_dir = "."};
        struct str out = {0};
        int r = -1;

        step_clear(step);
        step->schema = schema;
        step->config = xcalloc(1, schema->size);
        step->source = source_text_new("test.json", json, strlen(json));
        step->value = json_read(step->source, &step->diags);
        if (step->value)
                r = schema_decode(schema, step->value, NULL, &interp, step->config, &step->diags);
        if (r == 0 && check)
                r = check(step->config, step->value, &step->diags);
        for (size_t i = 0; i < step->diags.list.n; i++)
                str_addf(&out, "%s\n", step->diags.list.v[i].summary);
        step->messages = str_steal(&out);
        return r == 0 && step->diags.n_errors == 0;
}

#define assert_reads(step, type_schema, check, json)                                                                   \
        do {                                                                                                           \
                if (!step_read((step), (type_schema), (check), (json)))                                                \
                        fail_msg("%s: %s", (json), (step)->messages);                                                  \
        } while (0)

#define assert_refused(step, type_schema, check, json, want)                                                           \
        do {                                                                                                           \
                if (step_read((step), (type_schema), (check), (json)))                                                 \
                        fail_msg("taken, but should not be: %s", (json));                                              \
                if (!strstr((step)->messages, (want)))                                                                 \
                        fail_msg("%s: no '%s' in: %s", (json), (want), (step)->messages);                              \
        } while (0)
