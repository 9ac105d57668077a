/* A post-processor run as a template has it: from JSON text to its artifact. */
#pragma once

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/interp.h"
#include "lang/value.h"
#include "package/package.h"

/* Decode, check and run `json` as a block of `type` over `files`. On an error of either kind the text goes to
 * *ret_message (the first diagnostic, or the error). Returns what failed, or 0. */
static inline int post_run(const char *type_name, const char *json, const struct package_context *context,
                           const char *const *files, struct artifact *ret, bool *ret_keep, char **ret_message)
{
        const struct post_processor_type *type = post_processor_find(type_name);
        struct source_text *source = source_text_new("test.json", json, strlen(json));
        struct diags diags = {0};
        struct value *value = json_read(source, &diags);
        CLEANUP_ERROR struct error err = {0};
        struct artifact in = {.builder_id = xstrdup("slipway.arm"), .id = xstrdup("id"), .files = strv_dup(files)};
        struct interp interp = {0};
        void *config = xcalloc(1, type ? type->schema->size : 1);
        int r = -ENOENT;

        if (type && value)
                r = schema_decode(type->schema, value, NULL, context->interp ?: &interp, config, &diags);
        if (r == 0 && type->check)
                r = type->check(config, value, &diags);
        if (r == 0 && diags.n_errors)
                r = -EINVAL;
        if (r == 0) {
                r = type->run(config, context, &in, ret, ret_keep, &err);
                if (r < 0 && ret_message)
                        *ret_message = xstrdup(error_message(&err));
                else if (r < 0)
                        print_error("%s: %s\n", type_name, error_message(&err));
        } else if (ret_message && diags.list.n) {
                *ret_message = xstrdup(diags.list.v[0].summary);
        }
        if (type)
                schema_free(type->schema, config);
        free(config);
        value_free(value);
        diags_clear(&diags);
        source_text_free(source);
        artifact_clear(&in);
        return r;
}
