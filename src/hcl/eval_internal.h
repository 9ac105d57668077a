/* What the parts of the evaluator share: eval.c dispatches, and each other
 * file has one kind of expression. */
#pragma once

#include "hcl/eval.h"

struct eval {
        struct arena *arena;
        const struct hcl_scope *scope;
        struct diags *diags;
        const struct hcl_value *item; /* the element that a splat is at; or NULL */
};

/* The value of a part of the expression; as hcl_eval(). */
const struct hcl_value *eval_expr(const struct eval *e, const struct hcl_expr *expr);

const struct hcl_value *eval_unary(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_binary(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_conditional(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_template(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_join(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_for(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_splat(const struct eval *e, const struct hcl_expr *expr);
const struct hcl_value *eval_call(const struct eval *e, const struct hcl_expr *expr);

/* The value, marked as sensitive if `sensitive`. */
const struct hcl_value *eval_marked(const struct eval *e, const struct hcl_value *value, bool sensitive);
/* The value as `type`; NULL with the message "WHAT: why" at the range if there is no conversion. */
const struct hcl_value *eval_convert(const struct eval *e, const struct hcl_value *value, const struct hcl_type *type,
                                     struct range at, const char *what);
/* Is there room for more values? False, with a message, where they take more than EVAL_MEMORY_MAX bytes already:
 * what one call makes is limited by each function, and this is for many of them, and for loops. */
enum { EVAL_MEMORY_MAX = 1 << 30 };
bool eval_has_room(const struct eval *e, struct range at);
/* "; did you mean 'NAME'?", or "". The candidates are NULL-terminated. */
const char *eval_hint(struct arena *arena, const char *word, const char *const *candidates);
