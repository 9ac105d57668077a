/* Giving leases: DISCOVER, REQUEST in each of its states (RFC 2131, section
 * 4.3.2), BOOTP. See engine.h. */
#include <string.h>

#include "serve/engine_internal.h"

enum { LEASE_SEC_DEFAULT = 3600, LEASE_SEC_MIN = 60, READ_ONLY_SEC_MIN = 30 };
#define LEASE_SEC_FOREVER UINT32_MAX

static uint32_t lease_time(const struct exchange *x, const struct site_network *network)
{
        uint32_t otherwise = network->lease_sec ? network->lease_sec : LEASE_SEC_DEFAULT;
        uint32_t most = network->max_lease_sec > otherwise ? network->max_lease_sec : otherwise;
        uint32_t asked = dhcp_get_u32(x->message, DHCP_OPT_LEASE_TIME, otherwise);

        if (asked > most)
                return most;
        return asked < LEASE_SEC_MIN && otherwise >= LEASE_SEC_MIN ? LEASE_SEC_MIN : asked;
}

/* A lease of this client, not yet with an end. */
static struct lease lease_for(const struct exchange *x, uint32_t address, enum lease_state state)
{
        const struct dhcp_header *h = &x->message->h;
        struct lease lease = {
                .address = address,
                .state = state,
                .start_sec = x->now_sec,
                .boot = x->client->kind != CLIENT_OTHER,
                .htype = h->htype,
                .hlen = h->hlen,
                .id = x->client->id,
                .id_len = x->client->id_len,
                .host_name = x->client->host_name[0] ? x->client->host_name : NULL,
        };

        memcpy(lease.hw, h->chaddr, h->hlen);
        return lease;
}

/* ---- offers ---- */

/* The client has it already: a lease that has not ended, or an offer. */
static bool has_already(const struct exchange *x, const struct binding *b)
{
        return b && exchange_is_mine(x, b) && !binding_is_free(b, x->now_sec);
}

/* Held for the client, in memory alone. */
static struct binding *hold(struct exchange *x, uint32_t address, uint32_t for_sec)
{
        struct binding *b = binding_find(&x->engine->bindings, address);
        int64_t probed_until_sec = b ? b->probed_until_sec : 0;
        struct lease lease = lease_for(x, address, LEASE_OFFERED);

        lease.end_sec = x->now_sec + for_sec;
        b = engine_set(x->engine, &lease);
        b->offered_sec = x->now_sec;
        b->probed_until_sec = probed_until_sec;
        return b;
}

/* Is somebody there who has no lease? Not asked where the client had the address until now. */
static bool wants_probe(const struct exchange *x, const struct site_network *network, const struct binding *b)
{
        return network->probe && b->lease.state == LEASE_OFFERED && b->probed_until_sec <= x->now_sec &&
               engine_reserved_for(x->engine, b->lease.address) == NULL;
}

/* A lease that ended a while ago, and was not released: its client has the address back at once. It may well use it
 * still, and firmware that must wait, or asks twice, is the more likely evil. */
static bool was_its_own(const struct exchange *x, const struct binding *b)
{
        return b && b->lease.state == LEASE_ACTIVE && exchange_is_mine(x, b) &&
               x->now_sec - b->lease.end_sec < DHCP_ITS_OWN_SEC;
}

/* The ROM of a Raspberry Pi uses what it was offered, and never asks for it. */
static uint32_t offer_time(const struct exchange *x, uint32_t lease_sec)
{
        return x->client->kind == CLIENT_PI && lease_sec > DHCP_OFFER_SEC ? lease_sec : DHCP_OFFER_SEC;
}

void dhcp_engine_probed(struct dhcp_engine *engine, int64_t now_ms, uint32_t address, bool in_use)
{
        struct binding *b = binding_find(&engine->bindings, address);
        struct lease lease = {.address = address, .state = LEASE_DECLINED};

        if (!b || b->lease.state != LEASE_OFFERED)
                return;
        b->probed_until_sec = now_ms / 1000 + DHCP_PROBE_SEC;
        if (!in_use)
                return;
        lease.start_sec = now_ms / 1000;
        lease.end_sec = lease.start_sec + DHCP_QUARANTINE_SEC;
        engine_set(engine, &lease);
}

/* ---- states of a REQUEST ---- */

enum state { SELECTING, INIT_REBOOT, RENEWING, REBINDING, BARE };

/* What a relay sends was broadcast to it, unless the client takes it for the server (RFC 5107). */
static enum state state_of(const struct exchange *x)
{
        bool broadcast = x->relayed ? !x->id_override : x->in->destination == UINT32_MAX;

        if (dhcp_has(x->message, DHCP_OPT_SERVER_ID))
                return SELECTING;
        if (x->message->h.ciaddr)
                return broadcast ? REBINDING : RENEWING;
        return dhcp_has(x->message, DHCP_OPT_REQUESTED_ADDRESS) ? INIT_REBOOT : BARE;
}

/* It took another server's offer: ours is void. */
static void forget_offer(struct exchange *x)
{
        struct binding *b = exchange_binding(x);
        struct lease lease;

        if (!b || b->lease.state != LEASE_OFFERED)
                return;
        lease = b->lease;
        lease.state = LEASE_FREE;
        lease.end_sec = x->now_sec;
        engine_set(x->engine, &lease);
        engine_pool_freed(x->engine, lease.address);
}

/* ---- leases ---- */

/* Other addresses of this segment that the client had are free for others from now on. */
static void leave_others(struct exchange *x, uint32_t address)
{
        const struct binding_table *table = &x->engine->bindings;
        struct binding *b = NULL;
        uint32_t left[DHCP_WRITES];
        size_t n = 0;

        while (n < DHCP_WRITES - 1 && (b = binding_by_id(table, x->client->id, x->client->id_len, b)) != NULL)
                if (b->lease.address != address && !binding_is_free(b, x->now_sec) &&
                    b->lease.state != LEASE_DECLINED && exchange_network(x, b->lease.address))
                        left[n++] = b->lease.address;
        for (size_t i = 0; i < n; i++) {
                struct lease lease = binding_find(table, left[i])->lease;
                bool on_disk = lease.state == LEASE_ACTIVE;

                lease.state = LEASE_FREE;
                lease.end_sec = x->now_sec;
                engine_set(x->engine, &lease);
                engine_pool_freed(x->engine, lease.address);
                if (on_disk)
                        exchange_write(x, lease.address);
        }
}

/* Nothing can be written: who has a lease on disk is served within it. */
static void grant_read_only(struct exchange *x, const struct site_network *network, uint32_t address)
{
        const struct binding *b = binding_find(&x->engine->bindings, address);
        int64_t left = b ? b->lease.end_sec - x->now_sec : 0;
        uint32_t lease_sec = lease_time(x, network);

        if (!b || b->lease.state != LEASE_ACTIVE || !exchange_is_mine(x, b) || left < READ_ONLY_SEC_MIN) {
                exchange_drop(x, "leases cannot be written: no new ones are given");
                return;
        }
        exchange_reply(x, DHCP_ACK, network, address, left < lease_sec ? (uint32_t)left : lease_sec);
}

static void grant(struct exchange *x, const struct site_network *network, uint32_t address)
{
        uint32_t lease_sec = lease_time(x, network);
        const struct binding *before = binding_find(&x->engine->bindings, address);
        struct lease lease = lease_for(x, address, LEASE_ACTIVE);

        if (x->engine->read_only) {
                grant_read_only(x, network, address);
                return;
        }
        if (before && before->lease.state == LEASE_ACTIVE && exchange_is_mine(x, before))
                lease.start_sec = before->lease.start_sec;
        lease.end_sec = lease_sec == LEASE_SEC_FOREVER ? LEASE_FOREVER : x->now_sec + lease_sec;
        engine_set(x->engine, &lease);
        exchange_write(x, address);
        leave_others(x, address);
        exchange_reply(x, DHCP_ACK, network, address, lease_sec);
}

/* ---- DISCOVER ---- */

void exchange_discover(struct exchange *x)
{
        uint32_t address = exchange_choose(x), lease_sec;
        const struct site_network *network;
        struct binding *b;

        if (!address)
                return;
        network = exchange_network(x, address);
        lease_sec = lease_time(x, network);
        b = binding_find(&x->engine->bindings, address);
        if (!has_already(x, b) || b->lease.state == LEASE_OFFERED) {
                bool unasked = was_its_own(x, b);

                b = hold(x, address, offer_time(x, lease_sec));
                if (unasked)
                        b->probed_until_sec = x->now_sec + DHCP_PROBE_SEC;
        }
        if (wants_probe(x, network, b)) {
                x->out->probe = address;
                return;
        }
        if (network->rapid_commit && dhcp_has(x->message, DHCP_OPT_RAPID_COMMIT) && !x->engine->read_only)
                grant(x, network, address);
        else
                exchange_reply(x, DHCP_OFFER, network, address, lease_sec);
}

/* ---- REQUEST ---- */

/* Why the client cannot have what it asks for, or NULL. */
static const char *objection(const struct exchange *x, uint32_t address)
{
        const struct binding *b = binding_find(&x->engine->bindings, address);
        uint32_t reserved = exchange_reservation(x);

        if (!exchange_network(x, address))
                return "wrong network";
        if (reserved && reserved != address) /* it is free: the next DISCOVER gets it */
                return "another address is reserved for this machine";
        if (!exchange_may_have(x, address))
                return "address not available to this client";
        if (b && !binding_is_free(b, x->now_sec) && !exchange_is_mine(x, b) && reserved != address)
                return b->lease.state == LEASE_DECLINED ? "address in use" : "address leased to another client";
        return NULL;
}

/* A client without a binding here asks for an address as if it had one: a
 * lost lease, or another server's. */
static void request_unknown(struct exchange *x, enum state state, const struct site_network *network, uint32_t address,
                            const char *objection)
{
        bool authoritative = x->networks[0]->authoritative;

        if (state == SELECTING && !objection) {
                grant(x, network, address); /* our offer was forgotten, but it was ours */
                return;
        }
        if (state == SELECTING || (objection && strcmp(objection, "wrong network") == 0 && state != REBINDING)) {
                exchange_nak(x, objection);
                return;
        }
        if (!authoritative) {
                if (state == RENEWING) /* sent to us alone: nobody else will answer */
                        exchange_nak(x, "no such lease");
                else
                        exchange_drop(x, "no lease of this client is known, and network '%s' is not authoritative",
                                      x->networks[0]->name);
                return;
        }
        if (objection)
                exchange_nak(x, objection);
        else
                grant(x, network, address);
}

static uint32_t asked_address(const struct exchange *x, enum state state, const struct binding *mine)
{
        uint32_t asked = dhcp_get_u32(x->message, DHCP_OPT_REQUESTED_ADDRESS, 0);

        if (state == RENEWING || state == REBINDING)
                return x->message->h.ciaddr;
        if (!asked)
                asked = x->message->h.ciaddr;
        return asked || !mine ? asked : mine->lease.address;
}

static bool names_us(const struct exchange *x)
{
        uint32_t server = dhcp_get_u32(x->message, DHCP_OPT_SERVER_ID, 0);

        return (server && (server == x->in->our || server == x->id_override)) || engine_own_address(x->engine, server);
}

void exchange_request(struct exchange *x)
{
        enum state state = state_of(x);
        const struct binding *mine = exchange_binding(x), *b;
        const char *reason;
        uint32_t address;

        if (state == SELECTING && !names_us(x)) {
                forget_offer(x);
                exchange_drop(x, "the client chose another server");
                return;
        }
        address = asked_address(x, state, mine);
        if (!address) {
                exchange_drop(x, "a REQUEST for no address, and none is known of this client");
                return;
        }
        reason = objection(x, address);
        b = binding_find(&x->engine->bindings, address);
        if (b && exchange_is_mine(x, b) && !reason)
                grant(x, exchange_network(x, address), address);
        else if (mine && state == INIT_REBOOT && !reason && !binding_is_free(mine, x->now_sec))
                exchange_nak(x, "another address is leased to this client");
        else if (mine && reason)
                exchange_nak(x, reason);
        else
                request_unknown(x, state, exchange_network(x, address), address, reason);
}

/* ---- BOOTP ---- */

/* There is no second message, and no renewal: the lease is as long as may be. */
void exchange_bootp(struct exchange *x)
{
        uint32_t address = x->engine->read_only ? 0 : exchange_choose(x);
        const struct site_network *network = address ? exchange_network(x, address) : NULL;
        struct lease lease;

        if (x->engine->read_only)
                exchange_drop(x, "leases cannot be written: no new ones are given");
        if (!network)
                return;
        lease = lease_for(x, address, LEASE_ACTIVE);
        lease.end_sec = engine_reserved_for(x->engine, address) ? LEASE_FOREVER : x->now_sec + lease_time(x, network);
        if (network->max_lease_sec > network->lease_sec && lease.end_sec != LEASE_FOREVER)
                lease.end_sec = x->now_sec + network->max_lease_sec;
        engine_set(x->engine, &lease);
        exchange_write(x, address);
        leave_others(x, address);
        exchange_reply(x, DHCP_NONE, network, address, 0);
}
