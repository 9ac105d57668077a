/* DECLINE, RELEASE and INFORM. All three can be forged by anybody on the
 * segment: they have effect on what the sender has itself, and floods of
 * DECLINE on few addresses. See engine.h. */
#include <string.h>

#include "serve/engine_internal.h"

enum { DECLINES_PER_SEC = 2, DECLINES_BURST = 20 };

/* Kea's deviation: messages without option 54 are taken as well. */
static bool for_us(struct exchange *x)
{
        uint32_t server = dhcp_get_u32(x->message, DHCP_OPT_SERVER_ID, 0);

        if (!server || server == x->in->our || server == x->id_override || engine_own_address(x->engine, server))
                return true;
        exchange_drop(x, "for another server");
        return false;
}

/* The client's own lease of this address, or NULL. */
static struct binding *own_lease(struct exchange *x, uint32_t address)
{
        struct binding *b = binding_find(&x->engine->bindings, address);

        if (b && exchange_is_mine(x, b) && !binding_is_free(b, x->now_sec) && b->lease.hlen == x->message->h.hlen &&
            memcmp(b->lease.hw, x->message->h.chaddr, b->lease.hlen) == 0)
                return b;
        exchange_drop(x, "no such lease of this client");
        return NULL;
}

static bool declines_allowed(struct exchange *x)
{
        struct dhcp_engine *engine = x->engine;
        int64_t passed = (x->now_ms - engine->declines_ms) * DECLINES_PER_SEC / 1000;

        if (passed > 0) {
                engine->declines = passed >= engine->declines ? 0 : engine->declines - (uint32_t)passed;
                engine->declines_ms = x->now_ms;
        }
        if (engine->declines >= DECLINES_BURST) {
                exchange_drop(x, "too many addresses are declined");
                return false;
        }
        engine->declines++;
        return true;
}

void exchange_decline(struct exchange *x)
{
        uint32_t address = dhcp_get_u32(x->message, DHCP_OPT_REQUESTED_ADDRESS, x->message->h.ciaddr);
        struct binding *b;
        struct lease lease;
        char text[DHCP_ADDRESS_TEXT];

        if (!for_us(x))
                return;
        b = own_lease(x, address);
        if (!b || !declines_allowed(x))
                return;
        lease = b->lease;
        lease.state = LEASE_DECLINED;
        lease.start_sec = x->now_sec;
        lease.end_sec = x->now_sec + DHCP_QUARANTINE_SEC;
        lease.id_len = 0; /* nobody's: its client is to get another one */
        engine_set(x->engine, &lease);
        exchange_write(x, address);
        exchange_note(x, EVENT_LOG, address, NULL, "%s is in use by somebody without a lease: not given away for %d s",
                      dhcp_address_text(address, text), DHCP_QUARANTINE_SEC);
}

void exchange_release(struct exchange *x)
{
        uint32_t address = x->message->h.ciaddr;
        struct binding *b;
        struct lease lease;

        if (!for_us(x))
                return;
        if (!x->relayed && x->in->source && x->in->source != address) {
                exchange_drop(x, "a RELEASE that does not come from the address that it releases");
                return;
        }
        b = own_lease(x, address);
        if (!b)
                return;
        lease = b->lease;
        lease.state = LEASE_FREE; /* whose it was stays known: the client gets it again if it can */
        lease.end_sec = x->now_sec;
        engine_set(x->engine, &lease);
        engine_pool_freed(x->engine, address);
        exchange_write(x, address);
}

void exchange_inform(struct exchange *x)
{
        uint32_t address = x->message->h.ciaddr ? x->message->h.ciaddr : x->in->source;
        const struct site_network *network = exchange_network(x, address);

        if (!network) {
                exchange_drop(x, "an INFORM from an address of no network here");
                return;
        }
        exchange_reply(x, DHCP_ACK, network, 0, 0);
}
