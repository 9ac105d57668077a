/* The keys of the `null` builder. */
#pragma once

#include "lang/schema.h"

struct null_builder {
        char *communicator;
};

extern const struct schema null_schema;
int null_check(void *config, const struct value *value, struct diags *diags);
