/* Values of the template language, each with the place it came from. Made by
 * the JSON reader here (jansson keeps no positions) and by HCL's evaluator. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lang/diag.h"

enum value_type {
        VALUE_NULL,
        VALUE_BOOL,
        VALUE_NUMBER,
        VALUE_STRING,
        VALUE_LIST,
        VALUE_OBJECT,
};

struct value_entry {
        char *key;
        struct range key_range;
        struct value *value;
};

struct value {
        enum value_type type;
        struct range range;
        bool typed;   /* of a language with types: no text stands for a list, and true as text is "true", not "1" */
        bool unknown; /* the value, or something in it, is not known yet: only the names of keys can be checked */
        union {
                bool boolean;
                char *string; /* VALUE_STRING: the text; VALUE_NUMBER: its digits as written */
                struct {
                        struct value **v;
                        size_t n;
                } list;
                struct {
                        struct value_entry *v; /* in the order of the source */
                        size_t n;
                } object;
        };
};

struct value *value_free(struct value *value); /* returns NULL */
static inline void value_freep(struct value **value)
{
        *value = value_free(*value);
}
/* For those who make values: an empty one (null, false, "", [], {}), and additions, which it then owns. */
struct value *value_new(enum value_type type, struct range range);
void value_list_add(struct value *list, struct value *element);
void value_object_add(struct value *object, const char *key, struct range key_range, struct value *member);
/* A deep copy, without the places if `source` texts may go first: ranges are kept. */
struct value *value_copy(const struct value *value);
/* The member of an object, or NULL. */
const struct value *value_get(const struct value *object, const char *key);
const struct value_entry *value_entry(const struct value *object, const char *key);
/* "a string", "an object", ... for messages. */
const char *value_type_name(enum value_type type);
/* As jansson's JSON, keys in the order of the source; the caller json_decref()s. */
json_t *value_to_json(const struct value *value);

/* Parse JSON text: strict RFC 8259, at most 256 levels deep; a duplicate key
 * is an error. Every problem becomes a message in diags; NULL on error. */
struct value *json_read(const struct source_text *source, struct diags *diags);
/* The same, but a key may be there more than once: all its members are kept, in their order (HCL's JSON form). */
struct value *json_read_repeating(const struct source_text *source, struct diags *diags);
