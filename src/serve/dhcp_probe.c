/* Is an address that is about to be offered in use? ARP on the segment, ICMP
 * echo behind relays; messages wait for the answer, the server does not.
 * See dhcp.h. */
#include <stdio.h>
#include <string.h>

#include "serve/dhcp_internal.h"

static bool ask(struct dhcp_server *server, const struct dhcp_job *job, uint32_t address)
{
        uint8_t hw[6];

        if (job->message.h.giaddr)
                return dhcp_icmp_ask(server->icmp, address);
        return dhcp_interface_hw(job->in->interface, hw) && dhcp_arp_ask(server->arp, job->in->ifindex, hw, address);
}

/* The one of this address, or one that is free (address 0), or NULL. */
static struct dhcp_probe *find_probe(struct dhcp_server *server, uint32_t address)
{
        for (size_t i = 0; i < PROBES_MAX; i++)
                if (server->probes[i].address == address)
                        return &server->probes[i];
        return NULL;
}

bool dhcp_probe_start(struct dhcp_server *server, const struct dhcp_job *job)
{
        uint32_t address = job->result.probe;
        struct dhcp_probe *probe;

        if (find_probe(server, address) || job->in->probes >= PROBE_TRIES)
                return true; /* the client repeats itself; or it is to ask again, all those were in use */
        probe = find_probe(server, 0);
        if (!probe || !ask(server, job, address))
                return false;
        probe->address = address;
        probe->until_ms = dhcp_now_ms(server) + PROBE_MS;
        probe->in_use = false;
        probe->message = *job->in;
        probe->message.probes++;
        return true;
}

/* The engine hears of it, and the message is answered, or asks for another address. */
static void finish(struct dhcp_server *server, struct dhcp_probe *probe)
{
        uint32_t address = probe->address;
        char text[160], address_text[DHCP_ADDRESS_TEXT];

        pthread_mutex_lock(&server->lock);
        dhcp_engine_probed(server->engine, dhcp_now_ms(server), address, probe->in_use);
        server->counters.probes++;
        server->counters.in_use += probe->in_use;
        pthread_mutex_unlock(&server->lock);
        if (probe->in_use) {
                snprintf(text, sizeof(text), "%s is in use by somebody without a lease: not given away for %d s",
                         dhcp_address_text(address, address_text), DHCP_QUARANTINE_SEC);
                dhcp_tell(server, EVENT_LOG, address, text);
        }
        server->batch[0] = probe->message;
        probe->address = 0; /* the message may begin its next probe in this place */
        dhcp_batch_run(server, server->batch, 1);
}

static void note_answers(struct dhcp_server *server, int fd, uint32_t receive(int fd))
{
        uint32_t address;

        while (fd >= 0 && (address = receive(fd)) != 0)
                for (size_t i = 0; i < PROBES_MAX; i++)
                        if (server->probes[i].address == address)
                                server->probes[i].in_use = true;
}

void dhcp_probe_run(struct dhcp_server *server)
{
        int64_t now_ms = dhcp_now_ms(server);

        note_answers(server, server->arp, dhcp_arp_receive);
        note_answers(server, server->icmp, dhcp_icmp_receive);
        for (size_t i = 0; i < PROBES_MAX; i++) {
                struct dhcp_probe *probe = &server->probes[i];

                if (probe->address && (probe->in_use || now_ms >= probe->until_ms))
                        finish(server, probe);
        }
}

int64_t dhcp_probe_next_ms(const struct dhcp_server *server)
{
        int64_t next_ms = INT64_MAX;

        for (size_t i = 0; i < PROBES_MAX; i++)
                if (server->probes[i].address && server->probes[i].until_ms < next_ms)
                        next_ms = server->probes[i].until_ms;
        return next_ms;
}
