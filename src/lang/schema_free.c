/* Releasing what schema_decode() made. See schema.h. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lang/schema.h"

static void free_string_lists(struct schema_string_lists *lists)
{
        for (size_t i = 0; i < lists->n; i++)
                strv_free(lists->v[i]);
        free(lists->v);
}

static void free_blocks(const struct schema *sub, struct schema_blocks *blocks)
{
        for (size_t i = 0; i < blocks->n; i++)
                schema_free(sub, (char *)blocks->v + i * sub->size);
        free(blocks->v);
}

void schema_free(const struct schema *schema, void *out)
{
        for (size_t i = 0; i < schema->n_keys; i++) {
                const struct schema_key *key = &schema->keys[i];
                void *field = (char *)out + key->offset;

                switch (key->type) {
                case SCHEMA_STRING:
                        free(*(char **)field);
                        break;
                case SCHEMA_STRINGS:
                case SCHEMA_STRING_MAP:
                        strv_free(*(char ***)field);
                        break;
                case SCHEMA_INTS:
                        free(((struct schema_ints *)field)->v);
                        break;
                case SCHEMA_STRING_LISTS:
                        free_string_lists(field);
                        break;
                case SCHEMA_BLOCKS:
                        free_blocks(key->sub, field);
                        break;
                case SCHEMA_BOOL:
                case SCHEMA_TRISTATE:
                case SCHEMA_INT:
                case SCHEMA_SIZE:
                case SCHEMA_DURATION:
                case SCHEMA_VALUE:
                        break;
                }
        }
        memset(out, 0, schema->size);
}
