/* See key.h. */
#include "base/key.h"

#include "base/alloc.h"

static void close_part(struct key *key)
{
        struct key_part part = {.name = steal(&key->name)};

        if (!key->part)
                return;
        digest_final(key->part, part.hex);
        key->part = digest_free(key->part);
        vec_push(&key->parts, part);
}

struct digest *key_part(struct key *key, const char *name)
{
        close_part(key);
        key->name = xstrdup(name);
        return key->part = digest_sha256();
}

void key_text(struct key *key, const char *name, const char *text)
{
        digest_string(key_part(key, name), text);
}

void key_final(struct key *key, char hex[DIGEST_HEX_MAX])
{
        CLEANUP(digest_freep) struct digest *all = digest_sha256();

        close_part(key);
        for (size_t i = 0; i < key->parts.n; i++) {
                digest_string(all, key->parts.v[i].name);
                digest_string(all, key->parts.v[i].hex);
        }
        digest_final(all, hex);
}

void key_clear(struct key *key)
{
        for (size_t i = 0; i < key->parts.n; i++)
                free(key->parts.v[i].name);
        vec_free(&key->parts);
        free(key->name);
        digest_free(key->part);
        *key = (struct key){0};
}
