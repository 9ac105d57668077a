/* What the parts of the upgrade share: upgrade.c blocks, upgrade_body.c keys
 * and values, upgrade_text.c texts with {{ }} in them. */
#pragma once

#include "base/str.h"
#include "template/upgrade.h"

struct upgrade {
        const struct template_upgrade_options *options;
        struct diags *diags;
        const struct value *root;
        struct str out;

        char **names;          /* builders' names in the JSON template */
        char **sources;        /* the label that each has in HCL */
        char **types;          /* and its type */
        char **locals;         /* variables that became locals, since HCL's variables have constant defaults */
        char **env;            /* env() outside of a variable's default: a variable env_NAME takes it in */
        const char *timestamp; /* name of the local that {{timestamp}} became */
        bool uses_timestamp;
        char **used;      /* variables that the template uses */
        size_t annotated; /* where the last annotation in `out` ends */

        /* Of the text at hand: */
        const char *build_name, *build_type; /* what {{build_name}} says there; NULL: ${source.name} */
        bool in_variable;                    /* a variable's default: env() may stand in it */
        size_t n_calls;                      /* functions other than env that were met */
        char **notes;                        /* what could not be converted, for the comment above the block */
};

/* A word that may stand alone in HCL. */
bool upgrade_is_identifier(const char *s);
/* The name with everything replaced that an identifier cannot hold; the caller frees. */
char *upgrade_identifier(const char *name) __attribute__((warn_unused_result));
/* A literal text in quotes; the caller frees. */
char *upgrade_quote(const char *text) __attribute__((warn_unused_result));
/* A text of the JSON template, with its {{ actions }} as interpolations, in
 * quotes; the caller frees. `at` is where it stands, for warnings. */
char *upgrade_text(struct upgrade *upgrade, const char *text, struct range at) __attribute__((warn_unused_result));
/* The value as an expression, of which further lines are indented by `depth`; the caller frees. */
char *upgrade_value(struct upgrade *upgrade, const struct value *value, int depth) __attribute__((warn_unused_result));

/* Arguments and blocks of one block, in the order in which they are to appear. */
struct upgrade_item {
        char *name;
        char *text;                /* an argument's expression; NULL: a block */
        const struct value *block; /* an object */
        const struct schema *schema;
};
struct upgrade_body {
        VEC(struct upgrade_item) items;
};
void upgrade_body_add(struct upgrade_body *body, const char *name, char *text); /* takes text */
/* All keys of the object, sorted, but those in `skip` and comments. */
void upgrade_body_fill(struct upgrade *upgrade, struct upgrade_body *body, const struct value *object,
                       const struct schema *schema, const char *const *skip, int depth);
/* Arguments and blocks in braces, behind what stands on the line already. */
void upgrade_body_braces(struct upgrade *upgrade, const struct upgrade_body *body, int depth, struct str *out);
void upgrade_body_clear(struct upgrade_body *body);
