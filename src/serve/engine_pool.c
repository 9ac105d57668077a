/* Which address a client gets: see engine.h. The order is that of RFC 2131,
 * section 4.3.1: the machine's reservation, the current binding, an earlier
 * one, the address that is asked for, then the pools, where an address that
 * nobody ever had goes before one whose lease has ended. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/engine_internal.h"

enum {
        HASH_TRIES = 8,       /* places near a client's own one in a pool */
        SCARCE_SHARE = 20,    /* a pool is scarce when a 20th of it, or less, was never used */
        SCARCE_RATE = 10,     /* new clients a second then, at least; */
        SCARCE_PER = 1000,    /* or one for so many addresses */
        SCARCE_BURST_SEC = 5, /* of them at once */
};

/* ---- the site, indexed ---- */

static int compare_reservations(const void *a, const void *b)
{
        const struct reservation *x = a, *y = b;

        return x->address < y->address ? -1 : x->address > y->address;
}

static void index_reservations(struct dhcp_engine *engine)
{
        const struct site *site = engine->site;

        free(engine->reservations);
        engine->reservations = xcalloc(site->n_machines + 1, sizeof(*engine->reservations));
        engine->n_reservations = 0;
        for (size_t i = 0; i < site->n_machines; i++)
                if (site->machines[i].address)
                        engine->reservations[engine->n_reservations++] =
                                (struct reservation){site->machines[i].address, &site->machines[i]};
        qsort(engine->reservations, engine->n_reservations, sizeof(*engine->reservations), compare_reservations);
}

const struct site_machine *engine_reserved_for(const struct dhcp_engine *engine, uint32_t address)
{
        size_t low = 0, high = engine->n_reservations;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (engine->reservations[middle].address < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < engine->n_reservations && engine->reservations[low].address == address
                       ? engine->reservations[low].machine
                       : NULL;
}

/* Our own address, those of the network itself and of its broadcast, and reserved ones are nobody's from a pool. */
static bool is_free_for_all(const struct dhcp_engine *engine, const struct site_network *network, uint32_t address)
{
        return address != network->address && !engine_reserved_for(engine, address) &&
               (network->mask >= 0xfffffffe ||
                (address != network->subnet && address != (network->subnet | ~network->mask)));
}

static struct pool *pool_of(const struct dhcp_engine *engine, uint32_t address)
{
        for (size_t i = 0; i < engine->n_pools; i++)
                if (address >= engine->pools[i].first && address <= engine->pools[i].last)
                        return &engine->pools[i];
        return NULL;
}

/* How many of the range are nobody's though no machine has them. */
static uint32_t kept_back(const struct dhcp_engine *engine, const struct site_network *network,
                          const struct site_range *range)
{
        const uint32_t addresses[] = {network->address, network->subnet, network->subnet | ~network->mask};
        uint32_t n = 0;

        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
                n += addresses[i] >= range->first && addresses[i] <= range->last &&
                     !is_free_for_all(engine, network, addresses[i]) && !engine_reserved_for(engine, addresses[i]);
        return n;
}

static void add_pool(struct dhcp_engine *engine, const struct site_network *network, const struct site_range *range)
{
        struct pool *pool = &engine->pools[engine->n_pools++];

        *pool = (struct pool){.network = network, .first = range->first, .last = range->last, .cursor = range->first};
        pool->size = range->last - range->first + 1;
        for (size_t i = 0; i < engine->n_reservations; i++) {
                uint32_t address = engine->reservations[i].address;

                if (address >= range->first && address <= range->last)
                        pool->size -= i == 0 || engine->reservations[i - 1].address != address;
        }
        pool->size -= kept_back(engine, network, range);
}

void engine_index_site(struct dhcp_engine *engine)
{
        const struct site *site = engine->site;
        size_t n = 0;

        index_reservations(engine);
        for (size_t i = 0; i < site->n_networks; i++)
                n += site->networks[i].ranges.n;
        free(engine->pools);
        engine->pools = xcalloc(n + 1, sizeof(*engine->pools));
        engine->n_pools = 0;
        for (size_t i = 0; i < site->n_networks; i++)
                for (size_t k = 0; k < site->networks[i].ranges.n; k++)
                        add_pool(engine, &site->networks[i], &site->networks[i].ranges.v[k]);
        for (size_t i = 0; i < engine->bindings.size; i++)
                for (const struct binding *b = engine->bindings.by_address[i]; b; b = b->next_address)
                        engine_pool_count(engine, b->lease.address, 1);
}

void engine_pool_count(struct dhcp_engine *engine, uint32_t address, int change)
{
        struct pool *pool = pool_of(engine, address);

        if (pool && is_free_for_all(engine, pool->network, address))
                pool->used = (uint32_t)((int64_t)pool->used + change);
}

void engine_pool_freed(struct dhcp_engine *engine, uint32_t address)
{
        struct pool *pool = pool_of(engine, address);

        if (pool)
                pool->full_until_ms = 0;
}

struct binding *engine_set(struct dhcp_engine *engine, const struct lease *lease)
{
        if (!binding_find(&engine->bindings, lease->address))
                engine_pool_count(engine, lease->address, 1);
        return binding_put(&engine->bindings, lease);
}

/* ---- whose an address is ---- */

bool binding_is_free(const struct binding *binding, int64_t now_sec)
{
        return binding->lease.state == LEASE_FREE || binding->lease.end_sec <= now_sec;
}

static bool same_id(const struct exchange *x, const struct lease *lease)
{
        return lease->id_len == x->client->id_len && lease->id_len > 0 &&
               memcmp(lease->id, x->client->id, lease->id_len) == 0;
}

static bool same_hw(const struct exchange *x, const struct lease *lease)
{
        const struct dhcp_header *h = &x->message->h;

        return h->hlen > 0 && lease->htype == h->htype && lease->hlen == h->hlen &&
               memcmp(lease->hw, h->chaddr, h->hlen) == 0;
}

/* Another hardware address of the client's machine, by the site file. */
static bool same_machine(const struct exchange *x, const struct lease *lease)
{
        if (!x->machine || lease->htype != DHCP_ETHERNET || lease->hlen != 6)
                return false;
        for (size_t i = 0; i < x->machine->n_macs; i++)
                if (memcmp(x->machine->macs[i], lease->hw, 6) == 0)
                        return true;
        return false;
}

/* Firmware, iPXE and the installed system each have an identifier of their
 * own, and are one machine: it keeps its address from stage to stage. Two
 * systems at the same hardware address, as with ipvlan, stay two clients. */
bool exchange_is_mine(const struct exchange *x, const struct binding *binding)
{
        const struct lease *lease = &binding->lease;

        if (lease->state == LEASE_DECLINED || lease->id_len == 0)
                return false;
        return same_id(x, lease) ||
               ((same_hw(x, lease) || same_machine(x, lease)) && (lease->boot || x->client->kind != CLIENT_OTHER));
}

bool exchange_may_have(const struct exchange *x, uint32_t address)
{
        const struct site_network *network = exchange_network(x, address);
        const struct site_machine *reserved = engine_reserved_for(x->engine, address);

        if (!network || address == network->address)
                return false;
        if (reserved || (x->machine && x->machine->address == address))
                return reserved == x->machine || (x->machine && x->machine->address == address);
        if (network->only_known && !x->machine)
                return false;
        for (size_t i = 0; i < network->ranges.n; i++)
                if (address >= network->ranges.v[i].first && address <= network->ranges.v[i].last)
                        return is_free_for_all(x->engine, network, address);
        return false;
}

bool exchange_is_welcome(struct exchange *x, const struct site_network *network)
{
        if (x->machine || !network->only_known)
                return true;
        exchange_drop(x, "not a machine of the site file, and network '%s' serves no others", network->name);
        return false;
}

/* Active ones go before others, and those of the same identifier before those of the same hardware. */
struct binding *exchange_binding(const struct exchange *x)
{
        const struct binding_table *table = &x->engine->bindings;
        const struct dhcp_header *h = &x->message->h;
        struct binding *best = NULL;

        for (struct binding *b = NULL; (b = binding_by_id(table, x->client->id, x->client->id_len, b)) != NULL;)
                if (exchange_network(x, b->lease.address) && exchange_is_mine(x, b) &&
                    (!best || (binding_is_free(best, x->now_sec) && !binding_is_free(b, x->now_sec))))
                        best = b;
        for (struct binding *b = NULL; !best && (b = binding_by_hw(table, h->htype, h->chaddr, h->hlen, b)) != NULL;)
                if (exchange_network(x, b->lease.address) && exchange_is_mine(x, b))
                        best = b;
        return best;
}

uint32_t exchange_reservation(const struct exchange *x)
{
        uint32_t address = x->machine ? x->machine->address : 0;
        const struct binding *b =
                address && exchange_network(x, address) ? binding_find(&x->engine->bindings, address) : NULL;

        if (!address || !exchange_network(x, address))
                return 0;
        if (b && !binding_is_free(b, x->now_sec) && !exchange_is_mine(x, b) &&
            !(b->lease.state != LEASE_DECLINED && same_hw(x, &b->lease)))
                return 0;
        return address;
}

/* ---- pools ---- */

static struct binding *find(const struct exchange *x, uint32_t address)
{
        return binding_find(&x->engine->bindings, address);
}

/* Near to the place that the client's identifier names: so that a client is
 * likely to get the address that it had, should the leases be lost. */
static uint32_t near_its_own(const struct exchange *x, const struct pool *pool)
{
        uint64_t span = (uint64_t)pool->last - pool->first + 1;
        uint64_t place = binding_hash(0, x->client->id, x->client->id_len) % span;

        for (int i = 0; i < HASH_TRIES; i++) {
                uint32_t address = (uint32_t)(pool->first + (place + (unsigned)i) % span);

                if (!find(x, address) && is_free_for_all(x->engine, pool->network, address))
                        return address;
        }
        return 0;
}

static uint32_t never_used(const struct exchange *x, struct pool *pool)
{
        uint64_t span = (uint64_t)pool->last - pool->first + 1;

        for (uint64_t i = 0; i < span; i++) {
                uint32_t address = pool->cursor;

                pool->cursor = address == pool->last ? pool->first : address + 1;
                if (!find(x, address) && is_free_for_all(x->engine, pool->network, address))
                        return address;
        }
        return 0;
}

/* Not from a Raspberry Pi, which uses its offer for as long as a lease. */
static bool may_take_back(const struct binding *b)
{
        return b->lease.end_sec - b->offered_sec <= DHCP_OFFER_SEC;
}

/* An address whose lease has ended; else one that was offered a while ago and not taken. */
static uint32_t used_before(const struct exchange *x, struct pool *pool)
{
        uint64_t span = (uint64_t)pool->last - pool->first + 1;
        int64_t next_sec = INT64_MAX;
        uint32_t offered = 0;

        for (uint64_t i = 0; i < span; i++) {
                uint32_t address = pool->cursor;
                const struct binding *b = find(x, address);

                pool->cursor = address == pool->last ? pool->first : address + 1;
                if (!b || !is_free_for_all(x->engine, pool->network, address))
                        continue;
                if (binding_is_free(b, x->now_sec))
                        return address;
                if (b->lease.state == LEASE_OFFERED) {
                        if (!offered && x->now_sec - b->offered_sec >= DHCP_OFFER_SCARCE_SEC && may_take_back(b))
                                offered = address;
                        next_sec = x->now_sec + 1;
                } else if (b->lease.end_sec < next_sec) {
                        next_sec = b->lease.end_sec;
                }
        }
        if (!offered && next_sec != INT64_MAX && next_sec < INT64_MAX / 1000)
                pool->full_until_ms = next_sec * 1000;
        return offered;
}

/* A pool that is nearly used up is given away slowly. */
static bool bucket_allows(const struct exchange *x, struct pool *pool)
{
        uint32_t rate = pool->size / SCARCE_PER > SCARCE_RATE ? pool->size / SCARCE_PER : SCARCE_RATE;
        uint32_t burst = rate * SCARCE_BURST_SEC;
        int64_t tokens;

        if (pool->used < pool->size - pool->size / SCARCE_SHARE || pool->size <= burst)
                return true;
        if (pool->bucket_ms == 0) {
                pool->bucket = burst;
                pool->bucket_ms = x->now_ms;
        }
        tokens = (x->now_ms - pool->bucket_ms) * rate / 1000;
        if (tokens > 0) {
                pool->bucket = tokens > burst - pool->bucket ? burst : pool->bucket + (uint32_t)tokens;
                pool->bucket_ms = x->now_ms;
        }
        if (pool->bucket == 0)
                return false;
        pool->bucket--;
        return true;
}

static uint32_t from_pool(struct exchange *x, struct pool *pool, bool *limited)
{
        uint32_t address = 0;

        if (pool->network->only_known && !x->machine)
                return 0;
        if (pool->used >= pool->size && x->now_ms < pool->full_until_ms)
                return 0;
        if (!bucket_allows(x, pool)) {
                *limited = true;
                return 0;
        }
        if (pool->used < pool->size) {
                address = near_its_own(x, pool);
                if (!address)
                        address = never_used(x, pool);
        }
        return address ? address : used_before(x, pool);
}

static bool in_segment(const struct exchange *x, const struct site_network *network)
{
        for (size_t i = 0; i < x->n_networks; i++)
                if (x->networks[i] == network)
                        return true;
        return false;
}

static uint32_t from_pools(struct exchange *x)
{
        struct dhcp_engine *engine = x->engine;
        bool limited = false, any = false;

        for (size_t i = 0; i < engine->n_pools; i++) {
                uint32_t address;

                if (!in_segment(x, engine->pools[i].network))
                        continue;
                any = true;
                address = from_pool(x, &engine->pools[i], &limited);
                if (address)
                        return address;
        }
        if (limited)
                exchange_drop(x, "few addresses are left: new clients are served slowly");
        else if (exchange_is_welcome(x, x->networks[0]))
                exchange_drop(x,
                              any ? "no free address in network '%s'"
                                  : "network '%s' has no range, and no address is reserved",
                              x->networks[0]->name);
        return 0;
}

uint32_t exchange_choose(struct exchange *x)
{
        uint32_t reserved = exchange_reservation(x), asked = dhcp_get_u32(x->message, DHCP_OPT_REQUESTED_ADDRESS, 0);
        const struct binding *b;

        if (reserved)
                return reserved;
        b = exchange_binding(x);
        if (b && exchange_may_have(x, b->lease.address))
                return b->lease.address;
        if (asked && exchange_may_have(x, asked)) {
                b = find(x, asked);
                if (!b || binding_is_free(b, x->now_sec))
                        return asked;
        }
        return from_pools(x);
}
