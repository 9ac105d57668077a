/* Packer's model of a template, made from JSON (and HCL2): variables
 * resolved, builders, provisioners and post-processors listed. Blocks of
 * provisioners and post-processors are kept as values; the rooms that run them
 * read them by their own tables (lang/schema.h). */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lang/diag.h"
#include "lang/interp.h"
#include "lang/schema.h"
#include "lang/value.h"
#include "template/arm.h"
#include "template/builder.h"

struct template_variable {
        char *name, *value;       /* value NULL: required and not given */
        char *fallback;           /* default as written, or NULL */
        bool sensitive, required; /* required: the default is null */
        struct range range;
};

/* A provisioner or post-processor as it stands in the template. */
struct template_step {
        char *type;
        const struct value *config;   /* borrowed from the template's tree */
        char **only, **except;        /* names of builds */
        const struct value *override; /* object by build name, or NULL */
        int64_t pause_before_ms, timeout_ms;
        int64_t max_retries;
        bool continue_on_error;  /* the build goes on when it has failed */
        bool cache;              /* false: it runs in each build */
        int64_t cache_ttl_ms;    /* it runs again when it ran so long ago; 0: whenever that was */
        int keep_input_artifact; /* post-processors: -1 not said */
        char *name;              /* post-processors: for -except */
        struct range range;
};

struct template_chain { /* post-processors, each fed with what the one before made */
        struct template_step *v;
        size_t n;
};

/* What is done for a build. JSON has one such list for all builds; in HCL2 each
 * build has its own, since expressions are evaluated for each. */
struct template_steps {
        struct template_step *provisioners;
        size_t n_provisioners;
        struct template_step *error_cleanup; /* or NULL */
        struct template_chain *post_processors;
        size_t n_post_processors;
};

/* A build block of HCL2 as it is written, for people who look at it. */
struct template_block {
        char *name, *description; /* "" where there is none */
        char **sources;           /* "arm.pi" */
        char **provisioners;      /* "shell", "shell.NAME" */
        char ***chains;           /* the same, of post-processors; n_chains of them */
        size_t n_chains;
};

struct template_build {
        char *name;                         /* as -only and -except have it: "arm", or the builder's "name" */
        char *shown;                        /* as output has it: the name, with the type before a "name" of JSON */
        char *source_name;                  /* HCL2: of the source, which is what {{build_name}} says; else NULL */
        char *type;                         /* "arm" */
        const struct builder_type *builder; /* the type's row; NULL: unknown, which is an error */
        const struct value *block;          /* as written; borrowed from the template's tree */
        void *config;                       /* decoded and checked by the builder's table; NULL with syntax_only */
        const struct arm_builder *image;    /* in config: the image to make; NULL: a builder that makes none */
        const struct template_steps *steps; /* in the template's list */
        struct interp interp;               /* for this build: build_name and build_type set */
};

struct template
{
        char *path, *dir; /* dir: absolute; of standard input the working directory */
        char *description, *min_packer_version;
        time_t start; /* what {{timestamp}} says: SOURCE_DATE_EPOCH, or now */
        struct template_variable *variables;
        size_t n_variables, n_declared; /* JSON: those that stand in the template; the others were only given */
        struct interp_pair *user;       /* variables for interp, ended by NULL */
        char **secrets;                 /* values of sensitive variables */
        char **build_names;             /* of all builders, those that -only and -except left out too */
        struct template_build *builds;
        size_t n_builds;
        bool hcl;                         /* what follows is HCL2's */
        struct template_variable *locals; /* name and value */
        size_t n_locals;
        struct template_block *blocks;
        size_t n_blocks;
        struct template_steps *steps;
        size_t n_steps;
        bool values_known;            /* of variables; else relations between values are not worth a message */
        struct source_text **sources; /* owned: template and var files */
        size_t n_sources;
        struct value **trees; /* owned: what they were parsed to */
        size_t n_trees;
};

struct template_options {
        const char *path;            /* file, or "-" for standard input */
        const char *text;            /* read this, and not the file that `path` names; or NULL */
        const char *const *var_args; /* -var, "name=value" each, in the order given */
        const char *const *var_files;
        const char *const *only, *const *except; /* names of builds; except also of post-processors */
        bool syntax_only;                        /* -syntax-only, inspect: no values, no checks of builders */
        bool hcl;                                /* it is HCL2, whatever its name */
        bool inspect;         /* with syntax_only: values as far as they are known, and no word about others */
        struct diags *doubts; /* with inspect: what is wrong with values, which is no error; NULL: nobody hears of it */
        bool evaluate_data;   /* HCL2: data sources are executed; else what they give is unknown */
        bool warn_undeclared; /* HCL2: of values in files for variables that the template does not have */
};

/* Read and check. Every problem is a message in diags. NULL if it could not be
 * read at all; after other errors (compare diags->n_errors) what was understood,
 * good for build_check() and nothing else. With syntax_only variables may lack
 * their values and builds have no `config`. */
struct template *template_load(const struct template_options *options, struct diags *diags);
/* When the run began, for {{timestamp}}: SOURCE_DATE_EPOCH, or now. */
time_t template_start_time(void);
struct template *template_free(struct template *t); /* returns NULL */
static inline void template_freep(struct template **t)
{
        *t = template_free(*t);
}

/* What {{build `NAME`}} and HCL2's build.NAME say of a build whose config is
 * decoded; ended by a NULL name. What belongs to connections to a machine is
 * empty; a value is NULL where it is not known (yet). Borrowed from the build. */
enum { TEMPLATE_BUILD_VALUES = 16 };
void template_build_values(const struct template_build *build, const char *run_uuid,
                           struct interp_pair values[TEMPLATE_BUILD_VALUES]);

/* The config of a step for one build: its own keys with `override[build]`
 * merged over them. Keys that every step has (type, only, except, override,
 * pause_before, timeout, max_retries, cache, cache_ttl, keep_input_artifact, name...) are listed in
 * template_step_keys. The caller frees with value_free. */
struct value *template_step_config(const struct template_step *step, const char *build_name);
extern const char *const template_step_keys[];
/* The keys that every builder, provisioner, post-processor has, as a table. */
const struct schema *template_builder_schema(void);
const struct schema *template_provisioner_schema(void);
const struct schema *template_post_processor_schema(void);
/* Does the step run for this build (only, except)? */
bool template_step_applies(const struct template_step *step, const char *build_name);
