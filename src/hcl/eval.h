/* Evaluation of expressions: a pure function of the expression and its scope. */
#pragma once

#include "hcl/syntax.h"
#include "hcl/value.h"

struct hcl_function;
struct hcl_env;

/* Names that an expression may use. A name is looked for in `variables`, then
 * in the parent; functions come from the outermost scope that has them. */
struct hcl_scope {
        const struct hcl_scope *parent;
        const struct hcl_value *variables;           /* an object: root name -> value; may be NULL */
        const struct hcl_function *const *functions; /* tables' rows, sorted by name */
        size_t n_functions;
        const struct hcl_env *env; /* what functions may see (hcl/function.h); may be NULL: the parent's */
        int depth;                 /* of templates in templates: templatefile() sets it */
};

/* The expression's value. After an error (messages in diags) the value is
 * unknown, so that what depends on it is not complained about again; compare
 * diags->n_errors. Never NULL. */
const struct hcl_value *hcl_eval(struct arena *arena, const struct hcl_expr *expr, const struct hcl_scope *scope,
                                 struct diags *diags);

/* A reference: `var.name[0].x` has the root "var" and the steps up to the first that is not constant. */
struct hcl_step {
        const char *name;              /* .name, or ["name"]; else NULL */
        const struct hcl_value *index; /* [0], ["name"], .0; NULL for .name */
        struct range range;            /* with its dot or brackets */
};
struct hcl_traversal {
        const char *root;
        struct range root_range, range; /* of the root, of all */
        const struct hcl_step *steps;
        size_t n_steps;
};
/* All references to names that the expression does not bind itself. */
struct hcl_traversals {
        const struct hcl_traversal *v;
        size_t n;
};
struct hcl_traversals hcl_expr_references(struct arena *arena, const struct hcl_expr *expr);
/* The expression as a bare reference (`source.arm.pi`), also when it is quoted; false if it is something else. */
bool hcl_expr_traversal(struct arena *arena, const struct hcl_expr *expr, struct hcl_traversal *ret);
/* A bare word (`string`), or NULL. */
const char *hcl_expr_keyword(const struct hcl_expr *expr);
/* A type constraint: string, list(any), object({ a = optional(number, 1) })... NULL after an error. */
const struct hcl_type *hcl_expr_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags);

/* value[key] and value.name as the operators do them. NULL after an error, the message for which is in err. */
const struct hcl_value *hcl_index(struct arena *arena, const struct hcl_value *value, const struct hcl_value *key,
                                  struct error *err);
const struct hcl_value *hcl_get_attr(struct arena *arena, const struct hcl_value *value, const char *name,
                                     struct error *err);
