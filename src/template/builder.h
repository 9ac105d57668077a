/* Types of builders: a row each, in the table in builder.c. */
#pragma once

#include "lang/schema.h"

struct arm_builder;

struct builder_type {
        const char *name;             /* as templates write it: "arm" */
        const char *artifact_builder; /* builder_id of what it makes */
        const struct schema *schema;  /* its own keys; "type" and "name" are every builder's */
        /* What the table cannot say. `config` was decoded by the schema. Messages into diags. */
        int (*check)(void *config, const struct value *value, struct diags *diags);
        /* The image to make, as the arm builder would be told; inside the checked config.
         * NULL: it makes no image, and has no guest. */
        const struct arm_builder *(*image)(const void *config);
        /* Free what check() made; the schema's own is freed after it. NULL: it makes nothing. */
        void (*clear)(void *config);
};

/* NULL if there is none of this name. */
const struct builder_type *builder_find(const char *name);
/* All names, NULL-terminated. */
const char *const *builder_names(void);
