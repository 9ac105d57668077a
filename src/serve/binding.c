/* The table of leases in memory: see binding.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "serve/binding.h"

enum { FIRST_SIZE = 256 };

/* FNV-1a over the bytes, keyed, and mixed at the end since buckets are taken from the low bits. */
uint64_t binding_hash(uint64_t seed, const void *bytes, size_t n)
{
        const uint8_t *p = bytes;
        uint64_t hash = seed ^ 0xcbf29ce484222325u;

        for (size_t i = 0; i < n; i++)
                hash = (hash ^ p[i]) * 0x100000001b3u;
        hash ^= hash >> 32;
        hash *= 0x9e3779b97f4a7c15u;
        return hash ^ hash >> 29;
}

static size_t address_bucket(const struct binding_table *table, uint32_t address)
{
        return binding_hash(table->seed, &address, sizeof(address)) & (table->size - 1);
}

static size_t id_bucket(const struct binding_table *table, const uint8_t *id, size_t n)
{
        return binding_hash(table->seed, id, n) & (table->size - 1);
}

void binding_table_init(struct binding_table *table, uint64_t seed)
{
        *table = (struct binding_table){.seed = seed, .size = FIRST_SIZE};
        table->by_address = xcalloc(FIRST_SIZE, sizeof(*table->by_address));
        table->by_id = xcalloc(FIRST_SIZE, sizeof(*table->by_id));
        table->by_hw = xcalloc(FIRST_SIZE, sizeof(*table->by_hw));
}

static void free_binding(struct binding *binding)
{
        free((void *)binding->lease.id);
        free((void *)binding->lease.host_name);
        free(binding);
}

void binding_table_clear(struct binding_table *table)
{
        for (size_t i = 0; i < table->size; i++)
                for (struct binding *b = table->by_address[i], *next; b; b = next) {
                        next = b->next_address;
                        free_binding(b);
                }
        free(table->by_address);
        free(table->by_id);
        free(table->by_hw);
        *table = (struct binding_table){0};
}

/* ---- chains: one for each key ---- */

static void link_keys(struct binding_table *table, struct binding *b)
{
        struct binding **id = &table->by_id[id_bucket(table, b->lease.id, b->lease.id_len)];
        struct binding **hw = &table->by_hw[id_bucket(table, b->lease.hw, b->lease.hlen)];

        b->next_id = *id;
        *id = b;
        b->next_hw = *hw;
        *hw = b;
}

static void unlink_keys(struct binding_table *table, struct binding *b)
{
        struct binding **id = &table->by_id[id_bucket(table, b->lease.id, b->lease.id_len)];
        struct binding **hw = &table->by_hw[id_bucket(table, b->lease.hw, b->lease.hlen)];

        while (*id != b)
                id = &(*id)->next_id;
        *id = b->next_id;
        while (*hw != b)
                hw = &(*hw)->next_hw;
        *hw = b->next_hw;
}

static void link_address(struct binding_table *table, struct binding *b)
{
        struct binding **bucket = &table->by_address[address_bucket(table, b->lease.address)];

        b->next_address = *bucket;
        *bucket = b;
}

static void grow(struct binding_table *table)
{
        struct binding_table old = *table;

        table->size *= 2;
        table->by_address = xcalloc(table->size, sizeof(*table->by_address));
        table->by_id = xcalloc(table->size, sizeof(*table->by_id));
        table->by_hw = xcalloc(table->size, sizeof(*table->by_hw));
        for (size_t i = 0; i < old.size; i++)
                for (struct binding *b = old.by_address[i], *next; b; b = next) {
                        next = b->next_address;
                        link_address(table, b);
                        link_keys(table, b);
                }
        free(old.by_address);
        free(old.by_id);
        free(old.by_hw);
}

struct binding *binding_find(const struct binding_table *table, uint32_t address)
{
        struct binding *b = table->by_address[address_bucket(table, address)];

        while (b && b->lease.address != address)
                b = b->next_address;
        return b;
}

struct binding *binding_by_id(const struct binding_table *table, const uint8_t *id, size_t id_len,
                              const struct binding *after)
{
        struct binding *b = after ? after->next_id : table->by_id[id_bucket(table, id, id_len)];

        while (b && (b->lease.id_len != id_len || id_len == 0 || memcmp(b->lease.id, id, id_len) != 0))
                b = b->next_id;
        return b;
}

struct binding *binding_by_hw(const struct binding_table *table, uint8_t htype, const uint8_t *hw, size_t hlen,
                              const struct binding *after)
{
        struct binding *b = after ? after->next_hw : table->by_hw[id_bucket(table, hw, hlen)];

        while (b &&
               (b->lease.htype != htype || b->lease.hlen != hlen || hlen == 0 || memcmp(b->lease.hw, hw, hlen) != 0))
                b = b->next_hw;
        return b;
}

/* The lease may be the binding's own, with some fields changed. */
struct binding *binding_put(struct binding_table *table, const struct lease *lease)
{
        struct binding *b = binding_find(table, lease->address);
        struct lease copy = *lease;
        uint8_t *id = xmalloc(lease->id_len ? lease->id_len : 1);

        memcpy(id, lease->id_len ? lease->id : id, lease->id_len);
        copy.id = id;
        copy.host_name = lease->host_name ? xstrdup(lease->host_name) : NULL;
        if (b) {
                unlink_keys(table, b);
                free((void *)b->lease.id);
                free((void *)b->lease.host_name);
        } else {
                if (table->n == table->size)
                        grow(table);
                b = xcalloc(1, sizeof(*b));
                b->lease.address = lease->address;
                link_address(table, b);
                table->n++;
        }
        b->lease = copy;
        link_keys(table, b);
        return b;
}

void binding_remove(struct binding_table *table, uint32_t address)
{
        struct binding **p = &table->by_address[address_bucket(table, address)], *b;

        while (*p && (*p)->lease.address != address)
                p = &(*p)->next_address;
        b = *p;
        if (!b)
                return;
        *p = b->next_address;
        unlink_keys(table, b);
        free_binding(b);
        table->n--;
}
