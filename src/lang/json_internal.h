/* What the two halves of the JSON reader share: json.c reads the structure,
 * json_scalar.c strings, numbers and words. */
#pragma once

#include "lang/value.h"

struct json {
        const struct source_text *source;
        const char *text; /* NUL-terminated at `len` */
        size_t pos, len;
        struct diags *diags;
        unsigned int depth;
        bool repeating; /* a key may be there more than once */
        size_t limit;   /* reading stops after so many errors */
};

struct range json_range(const struct json *json, size_t start, size_t end);

/* Each reads what begins at pos and returns it, in error too where reading can
 * go on after it (a message was added then); NULL where it cannot. */
struct value *json_string_token(struct json *json, char quote);
struct value *json_number_token(struct json *json);
struct value *json_word_token(struct json *json);
