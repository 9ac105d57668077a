/* What the parts of the HCL2 reader share: module.c files and their top level,
 * module_scope.c what expressions see, module_variable.c and module_assign.c
 * variables, module_node.c locals and data sources in the order in which they
 * need each other, data.c the types of data sources, module_lower.c bodies of
 * blocks as values, module_build.c and module_step.c builds. */
#pragma once

#include "base/vec.h"
#include "hcl/function.h"
#include "template/index.h"
#include "template/module.h"
#include "template/template_internal.h"

struct module_variable {
        const char *name;
        struct range range;                       /* of its declaration */
        const struct hcl_type *type;              /* &hcl_any where none is given */
        const struct hcl_value *fallback, *value; /* value: the effective one; NULL: none */
        struct range value_range;
        const char *given_by; /* "-var": for messages */
        bool sensitive;
        bool never_null; /* nullable = false: a null that is given stands for the default */
        const struct hcl_block *validations;
        size_t n_validations;
};

enum node_state { NODE_NEW, NODE_BUSY, NODE_DONE };

/* A local or a data source: evaluated when all that it refers to is. */
struct module_node {
        const char *key;         /* "local.NAME", "data.TYPE.NAME" */
        const char *type, *name; /* type: of a data source; NULL: a local */
        struct range range;
        const struct hcl_expr *expr;   /* of a local; NULL: one that could not be read */
        const struct hcl_block *block; /* of a data source */
        bool sensitive;
        enum node_state state;
        const struct hcl_value *value; /* never NULL once it is evaluated */
};

struct module_source {
        const char *key; /* "TYPE.NAME" */
        const struct hcl_block *block;
};

struct template_module {
        struct arena arena;
        const struct template_options *options; /* while it is loaded */
        struct diags *diags;                    /* the same */
        VEC(struct source_text *) sources;      /* owned */
        VEC(struct value *) trees;              /* owned: JSON forms */
        VEC(const struct hcl_body *) files;
        VEC(const char *) var_files;           /* *.auto.pkrvars.* of the folder */
        struct index variables, nodes, blocks; /* of module_variable, module_node, module_source */
        VEC(const struct hcl_block *) builds;
        VEC(struct template_plugin) plugins;
        struct hcl_env env;
        struct hcl_scope base, scope; /* base: path, packer and functions; scope: var, local, data too */
        const struct hcl_value *vars; /* the object `var` */
        char **secrets;
        bool values_known;
};

/* module.c; `text`: what is to be read instead of options->path, or NULL. */
struct template_module *module_load(const struct template_options *options, struct source_text *text,
                                    struct diags *diags);
/* What is read becomes the module's. NULL after a message. */
const struct source_text *module_read(struct template_module *module, const char *path, const char *what);
void module_add_source(struct template_module *module, struct source_text *source);

/* module_scope.c */
void module_scope_init(struct template_module *module, const char *root, time_t start);
/* After all variables, then all nodes, have their values. */
void module_scope_variables(struct template_module *module);
void module_scope_nodes(struct template_module *module);
/* The objects `local` and `data` of these nodes only, as root names in keys[], values[] (two each). */
const struct hcl_value *module_node_roots(struct template_module *module, struct module_node *const *nodes, size_t n);
/* An object; names and values are copied. */
const struct hcl_value *module_object(struct arena *arena, const char *const *names,
                                      const struct hcl_value *const *values, size_t n);
/* module_secret.c: remember all texts in the value as secrets. */
void module_add_secrets(struct template_module *module, const struct hcl_value *value);
/* The same for those that are marked as sensitive, and for what they were
 * made from where the expression shows it: of "a ${f(var.secret)}" also f(var.secret). */
void module_add_sensitive(struct template_module *module, const struct hcl_expr *expr, const struct hcl_value *value,
                          const struct hcl_scope *scope);

/* module_variable.c */
void module_declare(struct template_module *module, const struct hcl_block *block);      /* variable "name" {} */
void module_declare_many(struct template_module *module, const struct hcl_block *block); /* variables {} */
void module_validate_variables(struct template_module *module);
/* module_assign.c: the environment, files, -var. */
void module_assign_variables(struct template_module *module);

/* module_node.c */
void module_add_local(struct template_module *module, const struct hcl_block *block);
void module_add_locals(struct template_module *module, const struct hcl_block *block);
void module_add_data(struct template_module *module, const struct hcl_block *block);
void module_evaluate_nodes(struct template_module *module);

/* data.c: what the data source gives; unknown where it is not to be executed, and after errors. */
const struct hcl_value *data_evaluate(struct template_module *module, const struct module_node *node,
                                      const struct hcl_scope *scope);

/* module_lower.c: add arguments (evaluated in the scope) and nested blocks (as
 * lists of objects) of the body to the object; what it has already is replaced, lists of blocks grow. */
void module_lower_body(struct template_module *module, const struct hcl_body *body, const struct hcl_scope *scope,
                       struct value *object);

/* module_build.c: all builds, into load->t. */
void module_load_builds(struct load *load, struct template_module *module);
/* module_step.c: the steps of a build block for one source. */
struct module_use {
        const struct hcl_scope *scope; /* with source and build */
        const struct hcl_content *content;
        const struct template_build *build;
};
extern const struct hcl_body_schema module_chain_schema; /* of post-processors {} */
void module_load_steps(struct load *load, struct template_module *module, const struct module_use *use,
                       struct template_steps *steps);
