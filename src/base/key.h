/* The key of something that is made: a digest of named parts, so that people
 * can be told which of them has changed since it was made last. */
#pragma once

#include <stddef.h>

#include "base/digest.h"
#include "base/vec.h"

struct key_part {
        char *name; /* "file scripts/setup.sh", "configuration" */
        char hex[DIGEST_HEX_MAX];
};

struct key {
        VEC(struct key_part) parts; /* those that are closed */
        char *name;                 /* of the one that is fed */
        struct digest *part;
};

/* Begin a part (and close the one before): the digest to feed it into, the key's own. */
struct digest *key_part(struct key *key, const char *name) __attribute__((returns_nonnull));
/* A part that is one text, or NULL. */
void key_text(struct key *key, const char *name, const char *text);
/* SHA-256 of names and parts, in their order. Closes the last part; nothing can be added then. */
void key_final(struct key *key, char hex[DIGEST_HEX_MAX]);
void key_clear(struct key *key);
#define CLEANUP_KEY CLEANUP(key_clear)
