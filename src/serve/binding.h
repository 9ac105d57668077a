/* The leases in memory: found by address, by client identifier and by
 * hardware address. 100,000 of them take about 20 MiB. */
#pragma once

#include "store/lease.h"

struct binding {
        struct lease lease;       /* id and host_name are owned by it */
        int64_t probed_until_sec; /* nobody answered at the address; not asked again until then */
        int64_t offered_sec;      /* when, for LEASE_OFFERED */
        struct binding *next_address, *next_id, *next_hw;
};

struct binding_table {
        uint64_t seed;  /* so that nobody can choose identifiers that collide */
        size_t n, size; /* bindings; buckets, a power of two */
        struct binding **by_address, **by_id, **by_hw;
};

void binding_table_init(struct binding_table *table, uint64_t seed);
void binding_table_clear(struct binding_table *table);

uint64_t binding_hash(uint64_t seed, const void *bytes, size_t n);

struct binding *binding_find(const struct binding_table *table, uint32_t address);
/* The first with this identifier or hardware address, and the next ones after it (`after` NULL: the first). */
struct binding *binding_by_id(const struct binding_table *table, const uint8_t *id, size_t id_len,
                              const struct binding *after);
struct binding *binding_by_hw(const struct binding_table *table, uint8_t htype, const uint8_t *hw, size_t hlen,
                              const struct binding *after);
/* Set what an address has: a copy of the lease. Returns its binding, which stays where it is until it is removed. */
struct binding *binding_put(struct binding_table *table, const struct lease *lease);
void binding_remove(struct binding_table *table, uint32_t address);
