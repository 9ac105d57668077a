/* What the parts of the template reader share: template.c the top level,
 * variable.c variables, build.c builders, step.c provisioners and
 * post-processors. Each adds messages to diags and goes on. */
#pragma once

#include <stddef.h>

#include "template/template.h"

/* A row of a table of keys of STRUCT, which is defined around the table. */
#define KEY(key, kind, more, member, ...)                                                                              \
        {                                                                                                              \
                .name = (key), .type = (kind), .flags = (more), .offset = offsetof(STRUCT, member), __VA_ARGS__        \
        }

struct load {
        const struct template_options *options;
        struct template *t;
        const struct value *root;
        struct diags *diags;
};

void load_variables(struct load *load);
void load_builds(struct load *load);
void load_steps(struct load *load);

void variables_free(struct template *t);
void builds_free(struct template *t);
void steps_free(struct template *t);

/* A message for a name that is none of `names`; `what`: "the build". */
void unknown_name(struct diags *diags, struct range at, const char *what, const char *name, const char *const *names);
/* Does a pattern of the list (-only, -except: globs) take this name? */
bool name_matches(const char *const *patterns, const char *name);
