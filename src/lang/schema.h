/* Tables that say which keys a block takes, and the one function that reads a
 * value by such a table into a C struct. Builders, provisioners and
 * post-processors each have one; help, messages and the editor schema are
 * made from the same tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "lang/diag.h"
#include "lang/interp.h"
#include "lang/value.h"

enum schema_type {
        SCHEMA_STRING,       /* char *                                        */
        SCHEMA_BOOL,         /* bool; "true", "1", "false" are taken too      */
        SCHEMA_TRISTATE,     /* int: -1 not given, 0, 1                       */
        SCHEMA_INT,          /* int64_t; a string of digits is taken too      */
        SCHEMA_SIZE,         /* uint64_t bytes: "4GiB"                        */
        SCHEMA_DURATION,     /* int64_t ms: "1m30s", "500ms"; as Go writes it */
        SCHEMA_STRINGS,      /* char **, a list of strings                    */
        SCHEMA_INTS,         /* struct schema_ints                            */
        SCHEMA_STRING_LISTS, /* struct schema_string_lists: a list of lists   */
        SCHEMA_STRING_MAP,   /* char ** of "K=V", sorted by key               */
        SCHEMA_BLOCKS,       /* struct schema_blocks, each by `sub`           */
        SCHEMA_VALUE,        /* const struct value *, borrowed, as written    */
};

enum schema_flags {
        SCHEMA_REQUIRED = 1 << 0,
        SCHEMA_LATE = 1 << 1, /* {{ }} is left as it is: rendered when it runs (execute_command) */
        SCHEMA_SECRET = 1 << 2,
};

struct schema_ints {
        int64_t *v;
        size_t n;
};

struct schema_string_lists {
        char ***v;
        size_t n;
};

struct schema_blocks {
        void *v; /* n structs of sub->size bytes each */
        size_t n;
};

struct schema_key {
        const char *name;
        enum schema_type type;
        unsigned int flags;
        size_t offset;              /* in the struct */
        const char *const *choices; /* SCHEMA_STRING: NULL-terminated, any case; NULL: any text */
        const char *fallback;       /* the default as it would be written, or NULL: zero */
        const struct schema *sub;   /* SCHEMA_BLOCKS */
        const char *help;           /* one line */
};

struct schema {
        const char *name; /* "the arm builder", "the shell provisioner": for messages */
        size_t size;      /* of the struct */
        const struct schema_key *keys;
        size_t n_keys;
};

/* Read the object `value` into *out (schema->size bytes, overwritten). Every
 * string is rendered through `interp` (NULL: taken as it is) unless
 * SCHEMA_LATE. A value that is `unknown` leaves its field empty: then relations
 * between keys cannot be checked. Unknown keys (a nearest one is offered), wrong types, missing
 * required keys: each a message; keys that begin with '_' are comments; keys
 * in `ignore` (NULL-terminated; may be NULL) belong to somebody else. Returns
 * 0, or -EINVAL after errors. *out is in any case to be schema_free()d. */
int schema_decode(const struct schema *schema, const struct value *value, const char *const *ignore,
                  const struct interp *interp, void *out, struct diags *diags);
/* The same, but keys that the schema does not have belong to somebody else. */
int schema_decode_part(const struct schema *schema, const struct value *value, const struct interp *interp, void *out,
                       struct diags *diags);
/* Free what the struct owns, not the struct itself; it becomes zero. */
void schema_free(const struct schema *schema, void *out);
/* The message for a key that nobody takes; `where` is "the template" or the like, `names` what there is. */
void schema_unknown_key(const struct value_entry *entry, const char *where, const char *const *names,
                        struct diags *diags);
/* The unknown key of the block of which a message says that it means this one; or NULL. That the key is missing then
 * follows, and is not said a second time. */
const struct value_entry *schema_misspelt(const struct value *value, const char *key, const struct diags *diags);
/* Feed the decoded block, all of it, to a digest: the same configuration gives the same bytes. */
void schema_digest(const struct schema *schema, const void *config, struct digest *digest);
/* The table as a JSON Schema (2020-12) of an object; the caller json_decref()s it. */
json_t *schema_to_json(const struct schema *schema);
/* Where a key of the block was written, for later messages: its value's range, or the block's beginning. */
struct range schema_range(const struct value *value, const char *key);
/* A key with its value as the source at this place would have it, for hints:
 * "\"image_type\": \"gpt\"" in JSON, "image_type = \"gpt\"" in HCL2. The caller frees. */
char *schema_written(struct range at, const char *key, const char *value) __attribute__((warn_unused_result));
/* The i-th block of a SCHEMA_BLOCKS key as it is written, or NULL. */
const struct value *schema_block(const struct value *value, const char *key, size_t i);

/* Go's time.ParseDuration: "1h15m30.5s", "-1.5h"; a bare number is nanoseconds there and refused here. */
int duration_parse_ns(const char *s, int64_t *ret_ns, struct error *err);
/* The same, rounded up to milliseconds. */
int duration_parse(const char *s, int64_t *ret_ms, struct error *err);
