/* What the halves of the schema reader share: schema.c walks over keys,
 * schema_scalar.c converts single values. */
#pragma once

#include "lang/schema.h"

struct decode {
        const struct schema *schema;
        const struct schema_key *key;
        const struct interp *interp;
        struct diags *diags;
};

/* The text of a string, number or boolean, rendered where the key wants that; NULL after a message. */
char *schema_text(const struct decode *decode, const struct value *value);
/* Any of the types that one value without members stands for. False after a message. */
bool schema_scalar(const struct decode *decode, const struct value *value, void *field);
void schema_wrong_type(const struct decode *decode, const struct value *value, const char *wanted);
