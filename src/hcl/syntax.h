/* HCL's syntax tree, the same for its native syntax and for its JSON form.
 * Everything is in the arena that the parser was given; names and positions
 * point into the source text, which must outlive the tree. Follows HCL's
 * specification: hashicorp/hcl, hclsyntax/spec.md and json/spec.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "hcl/value.h"
#include "lang/diag.h"
#include "lang/value.h"

/* Nesting of blocks, brackets and templates; what is deeper is refused. */
enum { HCL_MAX_DEPTH = 256 };

/* ---- expressions ---- */

enum hcl_expr_kind {
        HCL_EXPR_LITERAL,  /* value */
        HCL_EXPR_TEMPLATE, /* parts: strings, interpolations, directives; result is a string. Text alone is a LITERAL */
        HCL_EXPR_WRAP,     /* "${x}" alone: x itself, whatever its type */
        HCL_EXPR_JOIN,     /* the tuple of a template's %{for}, its elements concatenated */
        HCL_EXPR_VARIABLE, /* root of a traversal: name */
        HCL_EXPR_ATTR,     /* operand.name */
        HCL_EXPR_INDEX,    /* operand[index]; also the legacy operand.0 */
        HCL_EXPR_SPLAT,    /* operand.*.each or operand[*].each */
        HCL_EXPR_SPLAT_ITEM,  /* the element that a splat is at: leaf of `each` */
        HCL_EXPR_CALL,        /* name(args...) */
        HCL_EXPR_CONDITIONAL, /* condition ? yes : no */
        HCL_EXPR_UNARY,       /* op operand */
        HCL_EXPR_BINARY,      /* left op right */
        HCL_EXPR_TUPLE,       /* [items] */
        HCL_EXPR_OBJECT,      /* { pairs } */
        HCL_EXPR_FOR,         /* [for ...] or {for ...} */
        HCL_EXPR_PARENS,      /* (operand): no bare key of an object, no traversal */
};

enum hcl_op {
        HCL_OP_OR, /* || */
        HCL_OP_AND,
        HCL_OP_EQUAL,
        HCL_OP_NOT_EQUAL,
        HCL_OP_LESS,
        HCL_OP_LESS_EQUAL,
        HCL_OP_GREATER,
        HCL_OP_GREATER_EQUAL,
        HCL_OP_ADD,
        HCL_OP_SUBTRACT,
        HCL_OP_MULTIPLY,
        HCL_OP_DIVIDE,
        HCL_OP_MODULO,
        HCL_OP_NOT,    /* unary ! */
        HCL_OP_NEGATE, /* unary - */
};

struct hcl_expr;

/* In `key`, an HCL_EXPR_VARIABLE alone (not in parentheses) means its own name as a string. */
struct hcl_pair {
        const struct hcl_expr *key, *value;
};

struct hcl_for {
        const char *key_name; /* or NULL */
        const char *value_name;
        const struct hcl_expr *collection;
        const struct hcl_expr *key; /* {for ... : key => value}; NULL: makes a tuple */
        const struct hcl_expr *value;
        const struct hcl_expr *condition; /* if ..., or NULL */
        bool group;                       /* value... : values of equal keys become a tuple */
};

struct hcl_expr {
        enum hcl_expr_kind kind;
        enum hcl_op op;
        unsigned short height;   /* of the tree beneath: at most HCL_MAX_DEPTH, so that recursion is safe */
        struct range range;      /* the whole expression */
        struct range name_range; /* of name, operator, or bracket, where there is one */
        union {
                const struct hcl_value *literal;
                struct {
                        const struct hcl_expr *const *v;
                        size_t n;
                } items; /* tuple, template */
                struct {
                        const struct hcl_pair *v;
                        size_t n;
                } pairs;
                struct {
                        const char *name; /* variable, attr */
                        const struct hcl_expr *operand;
                } attr; /* variable (operand NULL), attr, unary, parens, wrap, join */
                struct {
                        const struct hcl_expr *operand, *index;
                } index;
                struct {
                        const struct hcl_expr *operand, *each; /* each: NULL for the element itself */
                } splat;
                struct {
                        const char *name; /* "core::upper" keeps its namespace */
                        const struct hcl_expr *const *v;
                        size_t n;
                        bool expand; /* the last argument is followed by "..." */
                } call;
                struct {
                        const struct hcl_expr *condition, *yes, *no;
                } conditional;
                struct {
                        const struct hcl_expr *left, *right;
                } binary;
                const struct hcl_for *loop;
        };
};

/* ---- bodies ---- */

struct hcl_attr {
        const char *name;
        struct range name_range, range; /* range: name to the end of the expression */
        const struct hcl_expr *expr;
};

struct hcl_scope;

struct hcl_label {
        const char *text;
        struct range range;
};

struct hcl_block {
        const char *type;
        struct range type_range;
        const struct hcl_label *labels;
        size_t n_labels;
        struct range open_range;  /* type to the opening brace */
        struct range close_range; /* the closing brace */
        const struct hcl_body *body;
        const struct hcl_scope *scope; /* made by a dynamic block: with its iterator; else NULL: the caller's */
};

/* A file, or what is in a block's braces. */
struct hcl_body {
        const struct hcl_attr *attrs; /* native syntax: in the order of the source */
        size_t n_attrs;
        const struct hcl_block *blocks;
        size_t n_blocks;
        const struct value *json; /* JSON form: an object (or a list of them); attrs and blocks are empty */
        struct range range;
        struct range end;     /* the closing brace, or the file's end */
        struct range missing; /* where a missing argument is reported: the beginning; in the JSON form the end */
        int depth;
};

/* Parse a file in native syntax. Goes on after errors, each a message in
 * diags; never NULL: what could be read. Strings are brought to NFC. */
const struct hcl_body *hcl_parse(struct arena *arena, const struct source_text *source, struct diags *diags);
/* The JSON form: the body is interpreted when a schema is asked for.
 * `*ret_json` is the caller's to value_free() after the body. */
const struct hcl_body *hcl_parse_json(struct arena *arena, const struct source_text *source, struct value **ret_json,
                                      struct diags *diags);
/* One expression, from `source` alone (console, -var, PKR_VAR_*), or a template as in a file (templatefile). NULL on
 * error. */
const struct hcl_expr *hcl_parse_expr(struct arena *arena, const struct source_text *source, struct diags *diags);
const struct hcl_expr *hcl_parse_template(struct arena *arena, const struct source_text *source, struct diags *diags);
/* The expression that a value of the JSON form stands for: strings are templates. */
const struct hcl_expr *hcl_json_expr(struct arena *arena, const struct value *json, struct diags *diags);

/* ---- reading a body by a schema ---- */

struct hcl_attr_schema {
        const char *name;
        bool required;
};
struct hcl_block_schema {
        const char *type;
        const char *labels[4]; /* what the labels are called: {"type", "name"} */
};
struct hcl_body_schema {
        const struct hcl_attr_schema *attrs;
        size_t n_attrs;
        const struct hcl_block_schema *blocks;
        size_t n_blocks;
};

struct hcl_content {
        const struct hcl_attr *attrs; /* of those in the schema */
        size_t n_attrs;
        const struct hcl_block *blocks; /* in the order of the source; dynamic ones expanded */
        size_t n_blocks;
        const struct hcl_body *rest; /* hcl_body_partial(): what the schema does not have; NULL otherwise */
};

/* What the schema names. Unknown arguments and blocks (a nearest one is
 * offered), missing and duplicate ones, wrong numbers of labels: messages.
 * With a scope, `dynamic "TYPE"` blocks are expanded in it. Returns 0, or
 * -EINVAL after errors; *ret holds what could be read in any case. */
int hcl_body_content(struct arena *arena, const struct hcl_body *body, const struct hcl_body_schema *schema,
                     const struct hcl_scope *scope, struct hcl_content *ret, struct diags *diags);
/* The same, but what the schema does not have is left in ret->rest. */
int hcl_body_partial(struct arena *arena, const struct hcl_body *body, const struct hcl_body_schema *schema,
                     const struct hcl_scope *scope, struct hcl_content *ret, struct diags *diags);
/* A body of arguments only: all of them; blocks are errors. */
int hcl_body_attributes(struct arena *arena, const struct hcl_body *body, struct hcl_content *ret, struct diags *diags);
const struct hcl_attr *hcl_content_attr(const struct hcl_content *content, const char *name); /* or NULL */
