/* The engine's entry: who asks, from where, and which kind of message it is.
 * See engine.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "serve/engine_internal.h"

enum { AGENT_LINK_SELECTION = 5, AGENT_SERVER_OVERRIDE = 11 };

/* ---- notes ---- */

__attribute__((format(printf, 5, 0))) static void add_note(struct exchange *x, enum event_kind kind, uint32_t address,
                                                           const char *path, const char *format, va_list ap)
{
        struct dhcp_note *note;

        if (x->out->n_notes == DHCP_NOTES)
                return;
        note = &x->out->notes[x->out->n_notes++];
        note->kind = kind;
        note->address = address;
        vsnprintf(note->text, sizeof(note->text), format, ap);
        snprintf(note->path, sizeof(note->path), "%s", path ? path : "");
}

void exchange_note(struct exchange *x, enum event_kind kind, uint32_t address, const char *path, const char *format,
                   ...)
{
        va_list ap;

        va_start(ap, format);
        add_note(x, kind, address, path, format, ap);
        va_end(ap);
}

void exchange_drop(struct exchange *x, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        add_note(x, EVENT_DHCP_DROP, 0, NULL, format, ap);
        va_end(ap);
}

void exchange_write(struct exchange *x, uint32_t address)
{
        if (x->out->n_writes < DHCP_WRITES)
                x->out->writes[x->out->n_writes++] = address;
}

/* ---- networks ---- */

bool engine_own_address(const struct dhcp_engine *engine, uint32_t address)
{
        for (size_t i = 0; i < engine->site->n_networks; i++)
                if (engine->site->networks[i].address == address && address != 0)
                        return true;
        return false;
}

const struct site_network *exchange_network(const struct exchange *x, uint32_t address)
{
        for (size_t i = 0; i < x->n_networks; i++)
                if (network_holds(x->networks[i], address))
                        return x->networks[i];
        return NULL;
}

uint32_t exchange_server(const struct exchange *x, const struct site_network *network)
{
        return network->address ? network->address : x->in->our;
}

/* The network that holds an address, or is on an interface: its index, or n_networks. */
static size_t index_of(const struct exchange *x, uint32_t address)
{
        const struct site *site = x->engine->site;
        size_t i = 0;

        while (i < site->n_networks && !network_holds(&site->networks[i], address))
                i++;
        return i;
}

static size_t index_on(const struct exchange *x, const char *interface)
{
        const struct site *site = x->engine->site;
        size_t i = 0;

        while (i < site->n_networks && !(site->networks[i].interface && str_eq(site->networks[i].interface, interface)))
                i++;
        return i;
}

static const struct site_network *network_of(const struct exchange *x, uint32_t address)
{
        size_t i = index_of(x, address);

        return i < x->engine->site->n_networks ? &x->engine->site->networks[i] : NULL;
}

static void add_network(struct exchange *x, const struct site_network *network)
{
        for (size_t i = 0; i < x->n_networks; i++)
                if (x->networks[i] == network)
                        return;
        if (x->n_networks < ENGINE_NETWORKS)
                x->networks[x->n_networks++] = network;
}

/* A network, and those of the same segment: they name the same shared network, or the same interface. */
static void add_segment(struct exchange *x, const struct site_network *first)
{
        const struct site *site = x->engine->site;

        add_network(x, first);
        for (size_t i = 0; i < site->n_networks; i++) {
                const struct site_network *other = &site->networks[i];

                if (other->mode == first->mode && ((first->shared && str_eq(first->shared, other->shared)) ||
                                                   (first->interface && str_eq(first->interface, other->interface))))
                        add_network(x, other);
        }
}

static uint32_t agent_address(const struct dhcp_message *message, uint8_t code)
{
        size_t len, sub_len;
        const uint8_t *agent = dhcp_get(message, DHCP_OPT_AGENT, &len);
        const uint8_t *sub = agent ? dhcp_sub_get(agent, len, code, &sub_len) : NULL;

        return sub && sub_len == 4 ? get_be32(sub) : 0;
}

/* RFC 3527, RFC 3011, and giaddr, in this order. */
static const struct site_network *relayed_network(struct exchange *x)
{
        uint32_t link = agent_address(x->message, AGENT_LINK_SELECTION);
        char text[DHCP_ADDRESS_TEXT];
        const struct site_network *network;

        if (!link)
                link = dhcp_get_u32(x->message, DHCP_OPT_SUBNET_SELECTION, 0);
        if (!link)
                link = x->message->h.giaddr;
        network = network_of(x, link);
        if (!network)
                exchange_drop(x, "no network holds %s, which the relay names", dhcp_address_text(link, text));
        return network;
}

static const struct site_network *local_network(struct exchange *x)
{
        const struct site *site = x->engine->site;
        uint32_t link = dhcp_get_u32(x->message, DHCP_OPT_SUBNET_SELECTION, 0);
        size_t i = link ? index_of(x, link) : site->n_networks;

        if (i == site->n_networks)
                i = index_on(x, x->in->interface);
        if (i == site->n_networks && x->message->h.ciaddr) /* a renewal that came through a router */
                i = index_of(x, x->message->h.ciaddr);
        if (i < site->n_networks)
                return &site->networks[i];
        exchange_drop(x, "no network of the site is on interface %s", x->in->interface);
        return NULL;
}

/* A renewal that is routed to us is of the network of its address, not of the interface. */
static const struct site_network *find_network(struct exchange *x)
{
        const struct dhcp_header *h = &x->message->h;
        const struct site_network *network;

        if (x->relayed)
                return relayed_network(x);
        network = local_network(x);
        if (network && h->ciaddr && x->in->source == h->ciaddr && !network_holds(network, h->ciaddr) &&
            network_of(x, h->ciaddr) && x->in->destination != UINT32_MAX)
                return network_of(x, h->ciaddr);
        return network;
}

/* ---- which message ---- */

static bool is_ours_to_read(struct exchange *x)
{
        const struct dhcp_header *h = &x->message->h;
        char text[DHCP_ADDRESS_TEXT];

        if (h->op != DHCP_REQUEST_OP) {
                exchange_drop(x, "a reply (op 2) came to a server's port");
                return false;
        }
        if (h->giaddr && engine_own_address(x->engine, h->giaddr)) {
                exchange_drop(x, "the relay's address %s is our own", dhcp_address_text(h->giaddr, text));
                return false;
        }
        if (h->hlen == 0 && !dhcp_has(x->message, DHCP_OPT_CLIENT_ID)) {
                exchange_drop(x, "neither a hardware address nor a client identifier");
                return false;
        }
        return true;
}

static void handle_own(struct exchange *x)
{
        switch ((enum dhcp_type)x->message->type) {
        case DHCP_NONE:
                exchange_bootp(x);
                return;
        case DHCP_DISCOVER:
                exchange_discover(x);
                return;
        case DHCP_REQUEST:
                exchange_request(x);
                return;
        case DHCP_DECLINE:
                exchange_decline(x);
                return;
        case DHCP_RELEASE:
                exchange_release(x);
                return;
        case DHCP_INFORM:
                exchange_inform(x);
                return;
        case DHCP_OFFER:
        case DHCP_ACK:
        case DHCP_NAK:
        case DHCP_MESSAGE_TYPES:
                break;
        }
        exchange_drop(x, "%s is a server's message", dhcp_type_name((enum dhcp_type)x->message->type));
}

/* A client that takes another server's offer says so to all: that there is one is worth knowing. */
static void note_other_server(struct exchange *x)
{
        uint32_t server = dhcp_get_u32(x->message, DHCP_OPT_SERVER_ID, 0);
        char text[DHCP_ADDRESS_TEXT];

        if (x->message->type == DHCP_REQUEST && server && server != x->in->our && server != x->id_override &&
            !engine_own_address(x->engine, server))
                exchange_note(x, EVENT_OTHER_SERVER, server, NULL, "the client chose the server %s",
                              dhcp_address_text(server, text));
}

static void handle(struct exchange *x)
{
        static const enum event_kind in_kinds[] = {EVENT_DHCP_IN, EVENT_PROXY_IN, EVENT_BINL_IN};
        const struct site_network *network;
        bool proxy;

        if (!is_ours_to_read(x))
                return;
        network = find_network(x);
        if (!network)
                return;
        proxy = network->mode == SITE_PROXY;
        exchange_note(x,
                      in_kinds[x->in->binl ? 2
                               : proxy     ? 1
                                           : 0],
                      x->message->h.ciaddr, NULL, "%s", dhcp_type_name((enum dhcp_type)x->message->type));
        if (network->mode == SITE_OFF) {
                exchange_drop(x, "network '%s' is off", network->name);
                return;
        }
        add_segment(x, network);
        x->machine = x->engine->policy->machine(x->engine->site, x->client);
        note_other_server(x);
        if (x->in->binl || proxy)
                exchange_proxy(x);
        else
                handle_own(x);
}

void dhcp_engine_handle(struct dhcp_engine *engine, int64_t now_ms, const struct dhcp_received *received,
                        struct dhcp_result *result)
{
        struct exchange x = {
                .engine = engine,
                .in = received,
                .message = received->message,
                .out = result,
                .now_ms = now_ms,
                .now_sec = now_ms / 1000,
                .client = &result->client,
                .relayed = received->message->h.giaddr != 0,
        };

        result->send = DHCP_SEND_NONE;
        result->len = result->n_writes = result->n_notes = 0;
        result->probe = result->delay_ms = 0;
        x.id_override = x.relayed ? agent_address(x.message, AGENT_SERVER_OVERRIDE) : 0;
        client_read(x.message, x.client);
        handle(&x);
}

/* ---- life ---- */

struct dhcp_engine *dhcp_engine_new(const struct site *site, const struct dhcp_policy *policy, uint64_t seed)
{
        struct dhcp_engine *engine = xcalloc(1, sizeof(*engine));

        engine->policy = policy;
        binding_table_init(&engine->bindings, seed);
        dhcp_engine_reload(engine, site);
        return engine;
}

struct dhcp_engine *dhcp_engine_free(struct dhcp_engine *engine)
{
        if (!engine)
                return NULL;
        binding_table_clear(&engine->bindings);
        free(engine->pools);
        free(engine->reservations);
        free(engine);
        return NULL;
}

void dhcp_engine_reload(struct dhcp_engine *engine, const struct site *site)
{
        engine->site = site;
        engine_index_site(engine);
}

const struct lease *dhcp_engine_lease(const struct dhcp_engine *engine, uint32_t address)
{
        const struct binding *binding = binding_find(&engine->bindings, address);

        return binding ? &binding->lease : NULL;
}

void dhcp_engine_restore(struct dhcp_engine *engine, uint32_t address, const struct lease *lease)
{
        if (lease) {
                engine_set(engine, lease);
        } else if (binding_find(&engine->bindings, address)) {
                engine_pool_count(engine, address, -1);
                binding_remove(&engine->bindings, address);
        }
        engine_pool_freed(engine, address);
}

void dhcp_engine_read_only(struct dhcp_engine *engine, bool read_only)
{
        engine->read_only = read_only;
}

int dhcp_engine_each(const struct dhcp_engine *engine, lease_visitor *visit, void *arg)
{
        for (size_t i = 0; i < engine->bindings.size; i++)
                for (const struct binding *b = engine->bindings.by_address[i]; b; b = b->next_address) {
                        int r = visit(arg, &b->lease);

                        if (r < 0)
                                return r;
                }
        return 0;
}
