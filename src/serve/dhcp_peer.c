/* Who has an address, and which other DHCP servers there are: see dhcp.h. */
#include <stdio.h>
#include <string.h>

#include "serve/dhcp_internal.h"

static struct dhcp_known_peer *slot(const struct dhcp_server *server, uint32_t address)
{
        return &server->peers[address & (PEERS - 1)]; /* neighbours never share one */
}

/* The address that the client has, or is just being given. In proxy mode
 * another server gives it: the client names it in its REQUEST to that one. */
static uint32_t address_of(const struct dhcp_job *job)
{
        const struct dhcp_header *h = &job->message.h;
        const struct dhcp_result *result = &job->result;

        if (result->send != DHCP_SEND_NONE && result->yiaddr &&
            (result->type != DHCP_OFFER || result->client.kind == CLIENT_PI))
                return result->yiaddr;
        if (h->ciaddr)
                return h->ciaddr;
        if (job->received.source)
                return job->received.source;
        return job->message.type == DHCP_REQUEST ? dhcp_get_u32(&job->message, DHCP_OPT_REQUESTED_ADDRESS, 0) : 0;
}

/* An installed system says less than the firmware before it, whose words are kept as long as it is the same machine. */
void dhcp_peer_note(struct dhcp_server *server, const struct dhcp_job *job)
{
        const struct client *client = &job->result.client;
        uint32_t address;
        struct dhcp_known_peer *peer;

        if (job->received.message->h.giaddr && job->result.send == DHCP_SEND_NONE)
                return;
        address = address_of(job);
        peer = slot(server, address);
        if (!address || (peer->address == address && client->kind == CLIENT_OTHER && client->has_mac &&
                         memcmp(peer->client.mac, client->mac, sizeof(client->mac)) == 0))
                return;
        peer->address = address;
        peer->client = *client;
}

bool dhcp_server_peer(struct dhcp_server *server, uint32_t address, struct dhcp_peer *ret)
{
        const struct dhcp_known_peer *peer;
        const struct lease *lease;

        *ret = (struct dhcp_peer){0};
        pthread_mutex_lock(&server->lock);
        peer = slot(server, address);
        lease = dhcp_engine_lease(server->engine, address);
        if (lease && lease->htype == DHCP_ETHERNET && lease->hlen == sizeof(ret->mac)) {
                ret->has_mac = true;
                memcpy(ret->mac, lease->hw, sizeof(ret->mac));
        }
        if (address && peer->address == address &&
            (!ret->has_mac || (peer->client.has_mac && memcmp(peer->client.mac, ret->mac, sizeof(ret->mac)) == 0))) {
                ret->has_client = true;
                ret->client = peer->client;
                ret->has_mac = peer->client.has_mac;
                memcpy(ret->mac, peer->client.mac, sizeof(ret->mac));
        }
        pthread_mutex_unlock(&server->lock);
        return ret->has_mac || ret->has_client;
}

/* ---- other servers ---- */

/* Is it to be told now? */
static bool is_news(struct dhcp_server *server, uint32_t other, int64_t now_ms)
{
        struct dhcp_other *oldest = &server->others[0];

        for (size_t i = 0; i < OTHERS_MAX; i++) {
                if (server->others[i].server == other && now_ms < server->others[i].until_ms)
                        return false;
                if (server->others[i].server == other || server->others[i].until_ms < oldest->until_ms)
                        oldest = &server->others[i];
        }
        *oldest = (struct dhcp_other){other, now_ms + OTHERS_AGAIN_MS};
        return true;
}

static bool is_ours(const struct dhcp_server *server, uint32_t address)
{
        for (size_t i = 0; i < server->site->n_networks; i++)
                if (server->site->networks[i].address == address)
                        return true;
        return false;
}

static bool is_served(const struct dhcp_server *server, const char *interface)
{
        for (size_t i = 0; i < server->site->n_networks; i++)
                if (server->site->networks[i].interface && str_eq(server->site->networks[i].interface, interface))
                        return true;
        return false;
}

void dhcp_watch_run(struct dhcp_server *server)
{
        struct dhcp_incoming *in = &server->batch[0];
        struct dhcp_message *message = &server->jobs[0].message;
        const char *reason;

        while (dhcp_watch_receive(server->watch, in)) {
                int64_t now_ms = dhcp_now_ms(server);
                const char *interface = dhcp_interface_name(&server->interfaces, in->ifindex, now_ms);
                uint32_t other;
                char text[160], address[DHCP_ADDRESS_TEXT];
                bool news;

                if (dhcp_parse(in->bytes, in->size, message, &reason) < 0 || message->h.op != DHCP_REPLY_OP)
                        continue;
                other = dhcp_get_u32(message, DHCP_OPT_SERVER_ID, in->source);
                pthread_mutex_lock(&server->lock);
                news = other && !is_ours(server, other) && !is_ours(server, in->source) &&
                       is_served(server, interface) && is_news(server, other, now_ms);
                pthread_mutex_unlock(&server->lock);
                if (!news)
                        continue;
                snprintf(text, sizeof(text), "another DHCP server, %s, answers on %s",
                         dhcp_address_text(other, address), interface);
                dhcp_tell(server, EVENT_OTHER_SERVER, other, text);
        }
}
