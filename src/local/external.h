/* Stand-alone executables (base/plugin.h) as steps of a template: the table of
 * keys that an executable describes, its config read by that table and
 * written as JSON. Provisioners and post-processors share this; what differs
 * is what `run` reads and answers. */
#pragma once

#include "base/plugin.h"
#include "lang/schema.h"

/* One executable. The schema's struct is opaque: it remembers which executable it belongs to. */
struct external {
        struct plugin *plugin;
        struct schema schema;
};

/* Find and describe; -ENOENT as plugin_load. The result lives until the
 * program ends: the same one is given for the same name. */
int external_load(enum plugin_kind kind, const char *name, const struct external **ret, struct error *err);
/* Whose config this is, a struct decoded by some external's schema. */
const struct external *external_of(const void *config);
/* The config's keys as a new JSON object. */
json_t *external_config(const void *config) __attribute__((warn_unused_result));
/* A row's check: what `check` of the executable says becomes messages at its keys. Call
 * it before external_config: it also notes which numbers were given. */
int external_check(void *config, const struct value *value, struct diags *diags);
