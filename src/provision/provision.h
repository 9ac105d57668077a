/* Provisioners: what changes a guest (shell, file), or runs beside it
 * (shell-local, sleep, breakpoint). One row in provisioner_types for each, one
 * file for each row. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/key.h"
#include "base/ui.h"
#include "guest/guest.h"
#include "lang/schema.h"

struct provision_context {
        struct guest *guest; /* NULL for on_host types */
        struct ui *ui;
        const char *build_name, *builder_type;
        const struct interp *interp; /* for SCHEMA_LATE keys; fields are added by the provisioner */
        const char *run_uuid;
        const char *platform; /* of the guest, as guest_platform() says; "" on the host */
        bool debug;           /* -debug */
        int64_t timeout_ms;   /* `timeout` of the step; 0: none */
};

struct provisioner_type {
        const char *name;
        const struct schema *schema;
        /* What the table cannot say (exactly one of inline, script, scripts);
         * files that are missing. Messages into diags. NULL: nothing to check. */
        int (*check)(void *config, const struct value *value, struct diags *diags);
        /* Everything beside the config that can change the outcome (bytes and modes of
         * scripts and uploads), as parts of the layer's key. To be called when the steps
         * before it have run: they may make the files. NULL: nothing. */
        int (*inputs)(const void *config, struct key *key, struct error *err);
        /* The same of what hangs on the guest's platform, too ("": it is not known yet). NULL: nothing. */
        int (*guest_inputs)(const void *config, const char *platform, struct key *key, struct error *err);
        int (*run)(const void *config, const struct provision_context *context, struct error *err);
        bool on_host; /* changes no layer: run each time, never cached */
        /* With this config it only reads the guest (a download): changes no layer, is run
         * each time, but needs the guest with the layers before it. NULL: never so. */
        bool (*only_reads)(const void *config);
};

/* A stand-alone executable counts as a type: slipway-provisioner-NAME (or
 * packer-provisioner-NAME that speaks our contract) in ./plugins,
 * $SLIPWAY_PLUGIN_PATH (or PACKER_PLUGIN_PATH), ~/.config/slipway/plugins, PATH. NULL if there is none. */
const struct provisioner_type *provisioner_find(const char *name);
/* The same, and why not: -ENOENT says what was looked for and offers the nearest name; other
 * errors come from an executable that does not keep to the contract. */
int provisioner_lookup(const char *name, const struct provisioner_type **ret, struct error *err);
/* All built-in names, NULL-terminated. */
const char *const *provisioner_names(void);
/* As Go writes durations: "1m30s", "500ms"; the caller frees. */
char *provision_duration(int64_t ms) __attribute__((warn_unused_result));
