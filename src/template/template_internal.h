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

/* Kinds of steps: which keys they take. */
enum step_role { STEP_PROVISIONER, STEP_CLEANUP, STEP_POST_PROCESSOR };
/* Read the keys that all steps have; the config stays borrowed. */
void step_read(struct load *load, enum step_role role, const struct value *config, struct template_step *step);
void step_clear(enum step_role role, struct template_step *step);
/* -except takes out a post-processor, and with it all that would have been made from what it makes. */
void steps_cut_chain(const struct load *load, struct template_chain *chain);

/* By the table of its type; nothing where there is none. */
void build_decode(struct load *load, struct template_build *build);
void build_clear(struct template_build *build);
/* By -only and -except. */
bool build_is_selected(const struct template_options *options, const char *name);
/* A name in -only that no build has is a mistake. */
void builds_check_only(struct load *load);

/* The value becomes the template's. */
void template_own(struct template *t, struct value *value);
/* HCL2; `text`: what was read already, and becomes the template's, or NULL. */
void load_hcl(struct load *load, struct source_text *text);

void load_variables(struct load *load);
void load_builds(struct load *load);
void load_steps(struct load *load);

void variables_free(struct template *t);
void builds_free(struct template *t);
void steps_free(struct template *t);

/* A message for a name that is none of `names`; `what`: "the build". */
void unknown_name(struct diags *diags, struct range at, const char *what, const char *name, const char *const *names);
/* The same by diag_error or diag_warning. */
typedef void diag_function(struct diags *diags, struct range at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void unknown_name_as(diag_function *diag, struct diags *diags, struct range at, const char *what, const char *name,
                     const char *const *names);
/* Does a pattern of the list (-only, -except: globs) take this name? */
bool name_matches(const char *const *patterns, const char *name);
