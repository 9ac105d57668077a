/* One entry of the catalogue: a file in HCL with a block `release "NAME"`,
 * whose keys are expressions that are evaluated when what they need is known:
 * ${name}, ${os}, ${base}, ${machine}, ${arch}, ${version}, ${url}, ${dir}. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum entry_block { ENTRY_TOP, ENTRY_VERSIONS, ENTRY_CHECKSUM, ENTRY_SIGNATURE, ENTRY_BLOCKS };

struct entry_key {
        const char *name;
        enum entry_key_type { ENTRY_TEXT, ENTRY_TEXTS, ENTRY_MAP, ENTRY_NUMBER } type;
        bool required;
        const char *help;
};
struct entry_table {
        const char *type; /* of the block */
        const struct entry_key *keys;
        size_t n_keys;
};
extern const struct entry_table entry_tables[ENTRY_BLOCKS];

struct entry;

/* Of all of the text's blocks the one with this name; checked as far as it can be now. `path` is for messages. */
int entry_load(const char *path, const char *text, const char *name, struct entry **ret, struct error *err);
struct entry *entry_free(struct entry *entry); /* returns NULL */
static inline void entry_freep(struct entry **entry)
{
        *entry = entry_free(*entry);
}

/* What ${variable} is from now on. */
void entry_set(struct entry *entry, const char *variable, const char *value);
bool entry_has(const struct entry *entry, enum entry_block block);
/* A key's value; NULL, 0 or the empty list where it is left out. What is returned is the caller's. */
int entry_text(struct entry *entry, enum entry_block block, const char *key, char **ret, struct error *err);
int entry_texts(struct entry *entry, enum entry_block block, const char *key, char ***ret, struct error *err);
int entry_number(struct entry *entry, enum entry_block block, const char *key, int64_t *ret, struct error *err);
/* Of a map, "K=V" sorted by key. */
int entry_map(struct entry *entry, enum entry_block block, const char *key, char ***ret, struct error *err);
