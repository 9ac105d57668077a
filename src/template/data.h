/* Types of data sources: a row each, in the table in data.c. */
#pragma once

#include "hcl/value.h"
#include "lang/schema.h"

struct data_type {
        const char *name; /* "git-commit" */
        const struct schema *schema;
        /* What the decoded config asks for, an object in the arena. */
        int (*read)(struct arena *arena, const void *config, const struct hcl_value **ret, struct error *err);
};

extern const struct data_type data_git_commit, data_git_repository, data_git_tree, data_http;
/* By name, or NULL; and all names, NULL-terminated. */
const struct data_type *data_find(const char *name);
const char *const *data_names(void);
