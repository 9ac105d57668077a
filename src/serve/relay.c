/* What a relay agent does to messages: see relay.h. Bytes are changed as
 * little as may be: options that are not understood, padding and order stay. */
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "serve/relay.h"

enum { AT_HOPS = 3, AT_GIADDR = 24, AGENT_CIRCUIT = 1, AGENT_REMOTE = 2, IP_AND_UDP = 28 };

const char *const relay_untrusted_names[] = {
        [RELAY_DROP] = "drop", [RELAY_KEEP] = "keep", [RELAY_REPLACE] = "replace", NULL};

static size_t drop(const char **ret_reason, const char *reason)
{
        *ret_reason = reason;
        return 0;
}

/* ---- option 82 in a message that was parsed: its options are whole ---- */

/* Copy without option 82 and what comes after the end; the length up to where the end goes. */
static size_t copy_without_agent(const uint8_t *bytes, size_t size, uint8_t *out)
{
        size_t n = DHCP_HEADER, i = DHCP_HEADER;

        memcpy(out, bytes, DHCP_HEADER);
        while (i < size && bytes[i] != DHCP_OPT_END) {
                size_t take = bytes[i] == DHCP_OPT_PAD ? 1 : 2u + bytes[i + 1];

                if (bytes[i] != DHCP_OPT_AGENT) {
                        memcpy(out + n, bytes + i, take);
                        n += take;
                }
                i += take;
        }
        return n;
}

/* The end, and zeros to BOOTP's least size. */
static size_t end_message(uint8_t *out, size_t n)
{
        out[n++] = DHCP_OPT_END;
        if (n >= DHCP_BOOTP_SIZE)
                return n;
        memset(out + n, 0, DHCP_BOOTP_SIZE - n);
        return DHCP_BOOTP_SIZE;
}

static size_t agent_option(const struct relay *relay, const struct relay_interface *from, uint8_t *p)
{
        size_t circuit = strlen(from->name), remote = relay->remote_id ? strlen(relay->remote_id) : 0, n = 2;

        p[n++] = AGENT_CIRCUIT;
        p[n++] = (uint8_t)circuit;
        memcpy(p + n, from->name, circuit);
        n += circuit;
        if (remote > 0 && remote <= RELAY_REMOTE_ID) {
                p[n++] = AGENT_REMOTE;
                p[n++] = (uint8_t)remote;
                memcpy(p + n, relay->remote_id, remote);
                n += remote;
        }
        p[0] = DHCP_OPT_AGENT;
        p[1] = (uint8_t)(n - 2);
        return n;
}

/* ---- to the servers ---- */

static bool own_address(const struct relay *relay, uint32_t address)
{
        for (size_t i = 0; i < relay->n_interfaces; i++)
                if (relay->interfaces[i].address == address)
                        return true;
        return false;
}

/* First of all relays: giaddr, and option 82. One that does not fit is left out (RFC 3046, section 2.1). */
static size_t enter(const struct relay *relay, const struct relay_interface *from, const struct dhcp_message *message,
                    const uint8_t *bytes, size_t size, uint8_t *out)
{
        bool has_agent = dhcp_has(message, DHCP_OPT_AGENT);
        uint8_t agent[2 + 2 + IF_NAMESIZE + 2 + RELAY_REMOTE_ID];
        size_t n, agent_size;

        if (has_agent && relay->untrusted == RELAY_KEEP) {
                memcpy(out, bytes, size);
                n = size;
        } else {
                n = copy_without_agent(bytes, size, out);
                agent_size = relay->add_agent_option ? agent_option(relay, from, agent) : 0;
                if (n + agent_size + 1 <= from->mtu - IP_AND_UDP && n + agent_size + 1 <= DHCP_SIZE_MAX) {
                        memcpy(out + n, agent, agent_size);
                        n += agent_size;
                }
                n = end_message(out, n);
        }
        put_be32(out + AT_GIADDR, from->address);
        return n;
}

size_t relay_request(const struct relay *relay, const struct relay_interface *from, const uint8_t *bytes, size_t size,
                     uint8_t *out, const char **ret_reason)
{
        static _Thread_local struct dhcp_message message;
        size_t n = size;

        if (dhcp_parse(bytes, size, &message, ret_reason) < 0)
                return 0;
        if (message.h.op != DHCP_REQUEST_OP)
                return drop(ret_reason, "a reply from a client");
        if (message.h.hops >= relay->hop_limit || message.h.hops >= RELAY_HOPS)
                return drop(ret_reason, "too many hops");
        if (message.h.secs < relay->min_secs)
                return drop(ret_reason, "the client has only begun");
        if (own_address(relay, message.h.giaddr) && message.h.giaddr)
                return drop(ret_reason, "our own address as that of another relay");
        if (!message.h.giaddr && dhcp_has(&message, DHCP_OPT_AGENT) && relay->untrusted == RELAY_DROP)
                return drop(ret_reason, "option 82 from a client");
        if (!from->address)
                return drop(ret_reason, "the interface has no address");
        if (message.h.giaddr)
                memcpy(out, bytes, size); /* another relay was before us: it stays that one's */
        else
                n = enter(relay, from, &message, bytes, size, out);
        out[AT_HOPS]++;
        return n;
}

/* ---- and back ---- */

size_t relay_reply(const struct relay *relay, const uint8_t *bytes, size_t size, uint8_t *out,
                   const struct relay_interface **ret_to, bool *ret_broadcast, const char **ret_reason)
{
        static _Thread_local struct dhcp_message message;
        const struct relay_interface *to = NULL;

        if (dhcp_parse(bytes, size, &message, ret_reason) < 0)
                return 0;
        if (message.h.op != DHCP_REPLY_OP)
                return drop(ret_reason, "a request from a server");
        for (size_t i = 0; i < relay->n_interfaces && !to; i++)
                if (relay->interfaces[i].address == message.h.giaddr && message.h.giaddr)
                        to = &relay->interfaces[i];
        if (!to)
                return drop(ret_reason, "for another relay");
        *ret_to = to;
        *ret_broadcast = (message.h.flags & DHCP_BROADCAST_FLAG) || !message.h.yiaddr ||
                         message.h.htype != DHCP_ETHERNET || message.h.hlen != 6;
        if (!relay->add_agent_option || !dhcp_has(&message, DHCP_OPT_AGENT)) {
                memcpy(out, bytes, size);
                return size;
        }
        return end_message(out, copy_without_agent(bytes, size, out));
}
