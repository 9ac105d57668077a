/* hcldec: decodes HCL by a specification file into JSON, with the options and
 * the output of the original (hashicorp/hcl, cmd/hcldec), so that its suite of
 * cases judges src/hcl. See cmd/hcldec/spec-format.md there.
 *
 * spec.c reads specifications, decode.c obeys them, json.c writes the result. */
#pragma once

#include "hcl/eval.h"
#include "hcl/function.h"
#include "hcl/syntax.h"

enum spec_kind {
        SPEC_OBJECT,
        SPEC_ARRAY,
        SPEC_ATTR,
        SPEC_BLOCK,
        SPEC_BLOCK_LIST,
        SPEC_BLOCK_SET,
        SPEC_BLOCK_TUPLE,
        SPEC_BLOCK_MAP,
        SPEC_BLOCK_OBJECT,
        SPEC_BLOCK_ATTRS,
        SPEC_BLOCK_LABEL,
        SPEC_LITERAL,
        SPEC_DEFAULT,
        SPEC_TRANSFORM,
};

enum { MAX_LABELS = 4 }; /* as struct hcl_block_schema has */

struct spec {
        enum spec_kind kind;
        const char *key;                /* in an object */
        const char *name;               /* of the argument, block or label */
        const struct hcl_type *type;    /* attr, block_attrs */
        const struct hcl_value *value;  /* literal */
        const struct hcl_expr *expr;    /* transform */
        const char *labels[MAX_LABELS]; /* block_map, block_object */
        size_t n_labels;
        bool required;
        int64_t min, max, index;
        const struct spec *const *nested; /* of a block: one; of default: the preferred one first */
        size_t n_nested;
};

/* A specification file. */
struct spec_file {
        const struct spec *root;
        const struct hcl_value *variables;           /* an object */
        const struct hcl_function *const *functions; /* sorted by name */
        size_t n_functions;
};

/* False after messages. The sources stay the caller's, and must outlive the result. */
bool spec_read(struct arena *arena, const struct source_text *source, struct spec_file *ret, struct diags *diags);
/* `function` blocks of the file; what specifications themselves may call is spec_scope. */
bool functions_read(struct arena *arena, const struct hcl_body *body, struct spec_file *ret, struct diags *diags);
/* The functions that specifications may call: abs, coalesce, ... strlen, substr, upper. */
const struct hcl_scope *spec_scope(struct arena *arena);

/* The type of what it decodes, before anything is decoded. */
const struct hcl_type *spec_type(struct arena *arena, const struct spec *spec);
/* A transform's expression, for which `nested` is the value. */
const struct hcl_value *spec_transform(struct arena *arena, const struct spec *spec, const struct hcl_value *value,
                                       struct diags *diags);

/* Several files are one body. */
struct bodies {
        const struct hcl_body *const *v;
        size_t n;
};
const struct hcl_value *decode(struct arena *arena, const struct bodies *bodies, const struct spec *spec,
                               const struct hcl_scope *scope, struct diags *diags);
/* All references in what the specification wants evaluated. */
struct hcl_traversals decode_references(struct arena *arena, const struct bodies *bodies, const struct spec *spec);

/* The value as cty writes it to JSON; with its type as {"value": ..., "type": ...}. NULL if it is unknown. */
const char *json_value(struct arena *arena, const struct hcl_value *value, bool with_type, bool keep_nulls);
const char *json_diags(struct arena *arena, const struct diags *diags);
const char *json_traversals(struct arena *arena, const struct hcl_traversals *traversals,
                            const struct hcl_scope *scope);
