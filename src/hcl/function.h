/* Functions of the language: one table row each. The evaluator checks the
 * number of arguments, converts them to the parameters' types, and answers
 * for null, unknown and sensitive ones as the row says; a function sees only
 * what it can work with. */
#pragma once

#include <time.h>

#include "hcl/eval.h"

enum hcl_param_flags {
        HCL_ALLOW_NULL = 1 << 0,    /* else null is an error */
        HCL_ALLOW_UNKNOWN = 1 << 1, /* else what is unknown, at any depth, makes the result so, of the type `returns` */
};

struct hcl_param {
        const char *name;
        const struct hcl_type *type; /* &hcl_any: not converted */
        unsigned int flags;
};

/* What functions may see of the world; borrowed. */
struct hcl_env {
        const char *base_dir; /* relative paths of file(), templatefile(), fileset() start here */
        time_t start;         /* timestamp(): the same for the whole run */
        bool env_allowed;     /* env(): in the defaults of variables only */
};

/* One call. Everything that is made is the arena's. */
struct hcl_call {
        struct arena *arena;
        const struct hcl_function *function;
        const struct hcl_value *const *args; /* converted; n of them */
        size_t n;
        const struct hcl_expr *const *exprs; /* HCL_LAZY: the arguments as written; args is NULL */
        const struct hcl_scope *scope;       /* of the call: for lazy ones and templates */
        const struct hcl_env *env;           /* never NULL */
        bool sensitive;                      /* an argument was, at any depth: no message quotes it */
        size_t bad_arg;                      /* set with an error: which argument (SIZE_MAX, the default: the call) */
        int depth;                           /* of templates in templates */
        struct diags *diags;                 /* for those that parse or evaluate */
        struct error *err;
};

enum hcl_function_flags {
        HCL_LAZY = 1 << 0,    /* gets expressions, not values: try(), can() */
        HCL_IMPURE = 1 << 1,  /* timestamp(), uuidv4(): unknown until it runs where that matters */
        HCL_REFUSED = 1 << 2, /* Packer has it and slipway does not: `help` says why (vault(), consul_key()) */
};

struct hcl_function {
        const char *name;
        const struct hcl_param *params;
        size_t n_params;
        const struct hcl_param *variadic; /* further arguments, any number; or NULL */
        const struct hcl_type *returns;   /* &hcl_any where it depends on the arguments */
        unsigned int flags;
        /* The result, or NULL with call->err set (error_set) and perhaps bad_arg. The result
         * becomes sensitive by itself when an argument is, at any depth. */
        const struct hcl_value *(*call)(struct hcl_call *call);
        const char *help; /* one line: what it returns */
};

/* All functions that Packer has, sorted by name. */
extern const struct hcl_function *const hcl_functions[];
extern const size_t hcl_n_functions;
/* By name, or NULL. */
const struct hcl_function *hcl_function_find(const struct hcl_function *const *functions, size_t n, const char *name);
