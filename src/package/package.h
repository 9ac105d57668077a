/* Post-processors: what is made of a finished image. One row in
 * post_processor_types for each, one file for each row. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/ui.h"
#include "lang/schema.h"

struct pass;
struct reader_type;

struct artifact {
        char *builder_id; /* "slipway.arm", or the post-processor's */
        char *id;         /* for the manifest; may be "" */
        char **files;
};
void artifact_clear(struct artifact *artifact);

struct package_context {
        struct ui *ui;
        const char *build_name, *builder_type;
        const struct interp *interp; /* for SCHEMA_LATE keys */
        const char *run_uuid;
        int64_t build_time; /* seconds since 1970; SOURCE_DATE_EPOCH if set */
        bool force;         /* -force */
        struct pass *pass;  /* over the build's image (pass.h), or NULL */
};

struct post_processor_type {
        const char *name;
        const struct schema *schema;
        const struct reader_type *reader; /* of the image's bytes (pass.h), or NULL */
        bool gives_on;                    /* the same files, perhaps with one of its own */
        int (*check)(void *config, const struct value *value, struct diags *diags);
        /* From `in` to *ret (zeroed; files newly made, or the same names). On
         * error no partial output is left. *ret_keep: keep the input's files
         * where the template does not say (keep_input_artifact). */
        int (*run)(const void *config, const struct package_context *context, const struct artifact *in,
                   struct artifact *ret, bool *ret_keep, struct error *err);
};

/* Stand-alone executables too (slipway-post-processor-NAME), found as provisioners are. */
const struct post_processor_type *post_processor_find(const char *name);
const char *const *post_processor_names(void);
