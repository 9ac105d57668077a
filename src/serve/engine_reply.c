/* Answers as messages, and how they reach the client (RFC 2131, section 4.1;
 * tables 3 and 5). See engine.h. */
#include <string.h>

#include "serve/engine_internal.h"

enum { AGENT_SOURCE_PORT = 19 };
#define LEASE_SEC_FOREVER UINT32_MAX

static void start(struct exchange *x, enum dhcp_type type)
{
        const struct dhcp_header *h = &x->message->h;
        struct dhcp_writer *w = &x->engine->writer;

        dhcp_writer_init(w);
        w->h.op = DHCP_REPLY_OP;
        w->h.htype = h->htype;
        w->h.hlen = h->hlen;
        w->h.xid = h->xid;
        w->h.flags = h->flags;
        w->h.giaddr = h->giaddr;
        memcpy(w->h.chaddr, h->chaddr, sizeof(w->h.chaddr));
        if (type != DHCP_NONE)
                dhcp_put_u8(w, DHCP_OPT_TYPE, (uint8_t)type);
}

static void echo(struct exchange *x, uint8_t code)
{
        size_t len;
        const uint8_t *data = dhcp_get(x->message, code, &len);

        if (data)
                dhcp_put(&x->engine->writer, code, data, len);
}

static uint32_t server_id(const struct exchange *x, const struct site_network *network)
{
        return x->id_override ? x->id_override : exchange_server(x, network);
}

/* What is agreed at least fits into every client; a larger message is still to go by one frame. */
static size_t size_limit(const struct exchange *x)
{
        static const size_t ip_and_udp = 28;
        size_t size = dhcp_get_u16(x->message, DHCP_OPT_MAX_SIZE, 0);

        if (x->message->type == DHCP_NONE)
                return DHCP_BOOTP_SIZE;
        size = size > ip_and_udp ? size - ip_and_udp : 0;
        if (size < DHCP_DEFAULT_SIZE)
                return DHCP_DEFAULT_SIZE;
        return size > DHCP_ETHERNET_SIZE ? DHCP_ETHERNET_SIZE : size;
}

static void put_times(struct exchange *x, const struct site_network *network, uint32_t lease_sec)
{
        struct dhcp_writer *w = &x->engine->writer;
        const struct site_option *t1 = exchange_option(x, network, DHCP_OPT_T1);
        const struct site_option *t2 = exchange_option(x, network, DHCP_OPT_T2);

        dhcp_put_u32(w, DHCP_OPT_LEASE_TIME, lease_sec);
        if (lease_sec == LEASE_SEC_FOREVER)
                return;
        if (t1)
                dhcp_put(w, DHCP_OPT_T1, t1->data, t1->len);
        if (t2)
                dhcp_put(w, DHCP_OPT_T2, t2->data, t2->len);
        dhcp_put_u32(w, DHCP_OPT_T1, lease_sec / 2);
        dhcp_put_u32(w, DHCP_OPT_T2, (uint32_t)((uint64_t)lease_sec * 7 / 8));
}

/* ---- where to ---- */

static void to_relay(struct exchange *x)
{
        size_t len, sub_len;
        const uint8_t *agent = dhcp_get(x->message, DHCP_OPT_AGENT, &len);
        bool own_port = agent && dhcp_sub_get(agent, len, AGENT_SOURCE_PORT, &sub_len); /* RFC 8357 */

        x->out->send = DHCP_SEND_ROUTED;
        x->out->to = x->message->h.giaddr;
        x->out->to_port = own_port ? x->in->source_port : DHCP_SERVER_PORT;
}

static void to_client(struct exchange *x, enum dhcp_type type, uint32_t address)
{
        const struct dhcp_header *h = &x->message->h;

        x->out->to_port = DHCP_CLIENT_PORT;
        if (type != DHCP_NAK && h->ciaddr) {
                x->out->send = DHCP_SEND_ROUTED;
                x->out->to = h->ciaddr;
        } else if (type == DHCP_ACK && !address && x->in->source) { /* INFORM without ciaddr */
                x->out->send = DHCP_SEND_ROUTED;
                x->out->to = x->in->source;
        } else if (type == DHCP_NAK || (h->flags & DHCP_BROADCAST_FLAG) || !address || !x->client->has_mac) {
                x->out->send = DHCP_SEND_BROADCAST;
                x->out->to = UINT32_MAX;
        } else {
                x->out->send = DHCP_SEND_HARDWARE;
                x->out->to = address;
        }
}

static void finish(struct exchange *x, const struct site_network *network, enum event_kind kind, enum dhcp_type type,
                   uint32_t address)
{
        struct dhcp_writer *w = &x->engine->writer;

        echo(x, DHCP_OPT_AGENT);
        x->out->type = type;
        x->out->yiaddr = address;
        x->out->from = exchange_server(x, network);
        if (type == DHCP_OFFER && x->client->kind == CLIENT_PI && x->client->platform == PLATFORM_PI3)
                x->out->delay_ms = DHCP_PI3_DELAY_MS;
        x->out->from_port = x->in->binl ? DHCP_BINL_PORT : DHCP_SERVER_PORT;
        x->out->len = dhcp_write(w, size_limit(x), x->out->bytes);
        exchange_note(x, kind, address ? address : x->message->h.ciaddr, x->boot_file, "%s", dhcp_type_name(type));
        if (w->dropped)
                exchange_note(x, EVENT_LOG, address, NULL,
                              "%u options do not fit into what the client takes, %zu bytes", w->dropped, size_limit(x));
}

/* ---- the answers ---- */

void exchange_reply(struct exchange *x, enum dhcp_type type, const struct site_network *network, uint32_t address,
                    uint32_t lease_sec)
{
        struct dhcp_writer *w = &x->engine->writer;

        start(x, type);
        w->h.ciaddr = type == DHCP_ACK ? x->message->h.ciaddr : 0;
        w->h.yiaddr = address;
        w->no_overload = type == DHCP_NONE;
        if (type != DHCP_NONE)
                dhcp_put_u32(w, DHCP_OPT_SERVER_ID, server_id(x, network));
        if (lease_sec)
                put_times(x, network, lease_sec);
        echo(x, DHCP_OPT_CLIENT_ID); /* RFC 6842 */
        if (type == DHCP_ACK && x->message->type == DHCP_DISCOVER)
                dhcp_put(w, DHCP_OPT_RAPID_COMMIT, "", 0);
        if (network->mask) /* asked for or not; before 3 (RFC 2132, section 3.3) */
                dhcp_put_u32(w, DHCP_OPT_SUBNET_MASK, network->mask);
        exchange_put_boot(x, network, false);
        if (x->client->kind != CLIENT_OTHER)
                echo(x, DHCP_OPT_UUID);
        exchange_put_fqdn(x, network);
        exchange_put_options(x, network);
        if (x->relayed)
                to_relay(x);
        else
                to_client(x, type, address);
        finish(x, network, EVENT_DHCP_OUT, type, address);
}

void exchange_nak(struct exchange *x, const char *reason)
{
        struct dhcp_writer *w = &x->engine->writer;

        start(x, DHCP_NAK);
        dhcp_put_u32(w, DHCP_OPT_SERVER_ID, server_id(x, x->networks[0]));
        dhcp_put_text(w, DHCP_OPT_MESSAGE, reason);
        echo(x, DHCP_OPT_CLIENT_ID);
        if (x->relayed) {
                w->h.flags |= DHCP_BROADCAST_FLAG; /* the client may not have the address that it thinks it has */
                to_relay(x);
        } else {
                to_client(x, DHCP_NAK, 0);
        }
        finish(x, x->networks[0], EVENT_DHCP_OUT, DHCP_NAK, 0);
        exchange_note(x, EVENT_LOG, x->message->h.ciaddr, NULL, "refused: %s", reason);
}

static bool is_boot_client(const struct exchange *x)
{
        return str_starts(x->client->vendor_class, "PXEClient") || str_starts(x->client->vendor_class, "HTTPClient");
}

/* The type of the answer, or DHCP_NONE: there is none. */
static enum dhcp_type proxy_answer(const struct exchange *x)
{
        switch ((enum dhcp_type)x->message->type) {
        case DHCP_DISCOVER:
                return DHCP_OFFER;
        case DHCP_REQUEST:
        case DHCP_INFORM:
                return x->in->binl ? DHCP_ACK : DHCP_NONE; /* on port 67 they are for the server that gives addresses */
        case DHCP_NONE:
        case DHCP_OFFER:
        case DHCP_DECLINE:
        case DHCP_ACK:
        case DHCP_NAK:
        case DHCP_RELEASE:
        case DHCP_MESSAGE_TYPES:
                break;
        }
        return DHCP_NONE;
}

static const char *proxy_silence(const struct exchange *x)
{
        if (is_boot_client(x))
                return "for the server that gives addresses";
        return x->client->kind == CLIENT_UBOOT ? "U-Boot knows nothing of proxyDHCP; the server that gives addresses "
                                                 "must name this one as the next"
                                               : "not a boot client";
}

void exchange_proxy(struct exchange *x)
{
        const struct site_network *network = x->networks[0];
        enum dhcp_type type = proxy_answer(x);
        struct dhcp_writer *w = &x->engine->writer;

        if (!is_boot_client(x) || type == DHCP_NONE) {
                exchange_drop(x, "%s", proxy_silence(x));
                return;
        }
        if (!exchange_is_welcome(x, network))
                return;
        start(x, type);
        w->h.ciaddr = type == DHCP_ACK ? x->message->h.ciaddr : 0;
        dhcp_put_u32(w, DHCP_OPT_SERVER_ID, server_id(x, network));
        if (!exchange_put_boot(x, network, true)) {
                exchange_drop(x, "nothing to boot");
                return;
        }
        echo(x, DHCP_OPT_UUID);
        echo(x, DHCP_OPT_CLIENT_ID);
        if (x->in->binl && x->in->source) {
                x->out->send = DHCP_SEND_ROUTED;
                x->out->to = x->in->source;
                x->out->to_port = x->in->source_port;
        } else if (x->relayed) {
                to_relay(x);
        } else {
                to_client(x, DHCP_OFFER, 0);
        }
        finish(x, network, x->in->binl ? EVENT_BINL_OUT : EVENT_PROXY_OUT, type, 0);
}
