/* The digest of a decoded block: what a cache key knows of a configuration. */
#include <string.h>

#include "base/str.h"
#include "lang/schema.h"

static void digest_strv(struct digest *digest, char *const *strv)
{
        for (; strv && *strv; strv++)
                digest_string(digest, *strv);
        digest_string(digest, NULL);
}

static void digest_value(struct digest *digest, const struct value *value)
{
        json_t *json = value ? value_to_json(value) : NULL;
        char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

        digest_string(digest, text);
        free(text);
        json_decref(json);
}

static void digest_lists(struct digest *digest, const struct schema_string_lists *lists)
{
        for (size_t i = 0; i < lists->n; i++)
                digest_strv(digest, lists->v[i]);
        digest_string(digest, NULL);
}

static void digest_blocks(struct digest *digest, const struct schema *sub, const struct schema_blocks *blocks)
{
        for (size_t i = 0; i < blocks->n; i++)
                schema_digest(sub, (const char *)blocks->v + i * sub->size, digest);
        digest_string(digest, NULL);
}

static void digest_field(struct digest *digest, const struct schema_key *key, const void *field)
{
        const struct schema_ints *ints = field;

        switch (key->type) {
        case SCHEMA_STRING:
                digest_string(digest, *(char *const *)field);
                break;
        case SCHEMA_BOOL:
                digest_update(digest, field, sizeof(bool));
                break;
        case SCHEMA_TRISTATE:
                digest_update(digest, field, sizeof(int));
                break;
        case SCHEMA_INT:
        case SCHEMA_SIZE:
        case SCHEMA_DURATION:
                digest_update(digest, field, sizeof(int64_t));
                break;
        case SCHEMA_STRINGS:
        case SCHEMA_STRING_MAP:
                digest_strv(digest, *(char **const *)field);
                break;
        case SCHEMA_INTS:
                digest_update(digest, &ints->n, sizeof(ints->n));
                digest_update(digest, ints->v, ints->n * sizeof(*ints->v));
                break;
        case SCHEMA_STRING_LISTS:
                digest_lists(digest, field);
                break;
        case SCHEMA_BLOCKS:
                digest_blocks(digest, key->sub, field);
                break;
        case SCHEMA_VALUE:
                digest_value(digest, *(const struct value *const *)field);
                break;
        }
}

void schema_digest(const struct schema *schema, const void *config, struct digest *digest)
{
        digest_string(digest, schema->name);
        for (size_t i = 0; i < schema->n_keys; i++) {
                digest_string(digest, schema->keys[i].name);
                digest_field(digest, &schema->keys[i], (const char *)config + schema->keys[i].offset);
        }
}
