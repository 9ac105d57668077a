/* The runner of HCL's suite of cases, after hashicorp/hcl, cmd/hclspecsuite:
 * NAME.hcl and NAME.hcl.json are decoded by NAME.hcldec, and NAME.t says what
 * is to come of it. */
#pragma once

#include "hcl/eval.h"
#include "hcl/syntax.h"

struct position {
        int64_t line, column, byte;
};
struct place {
        enum severity severity;
        struct position from, to;
        const char *text; /* what the message says, or the reference as it is written */
};
struct places {
        const struct place *v;
        size_t n;
};

/* NAME.t */
struct expected {
        const struct hcl_value *result; /* NULL: whatever it is */
        const struct hcl_type *type;
        struct places diags;
        bool checks_references;
        struct places references;
};
/* False after messages. */
bool expected_read(struct arena *arena, const struct source_text *source, struct expected *ret, struct diags *diags);

/* What hcldec answered, in JSON. NULL with the error set if it is none of its kind. */
const struct hcl_value *answer_value(struct arena *arena, const char *json, struct error *err);
int answer_diags(struct arena *arena, const char *json, const char *path, struct places *ret, struct error *err);
int answer_references(struct arena *arena, const char *json, struct places *ret, struct error *err);
