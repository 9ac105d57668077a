/* The DHCP server: sockets, clock and disk around the engine (engine.h). It
 * answers on UDP 67 and 4011 in one thread of its own. A second one writes
 * leases, in batches: one wait for the disk covers all that were gathered
 * during the wait before, and ACKs leave after it. What needs no writing, as
 * OFFERs, is answered meanwhile.
 *
 * Clients that have no address yet are answered by packet sockets, without
 * ARP. dhcp_server_open() opens all sockets and the leases, and may need
 * privileges (CAP_NET_BIND_SERVICE, CAP_NET_RAW); dhcp_server_start() needs
 * none: in between the daemon drops them. What a filter of system calls must
 * leave to the thread: recvmmsg, sendmmsg, sendto, recvfrom, poll, socket of
 * AF_INET with ioctl (names and hardware addresses of interfaces), and what
 * SQLite does with its files in the folder `state`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "serve/event.h"
#include "site/site.h"
#include "store/lease.h"

struct dhcp_server;

struct dhcp_counters {
        uint64_t received, malformed, dropped; /* messages; dropped: not answered */
        uint64_t offers, acks, naks, proxy_offers, binl_acks;
        uint64_t unsent;         /* answers that the kernel refused */
        uint64_t leases;         /* addresses that are leased now */
        uint64_t commits;        /* waits for the disk */
        uint64_t write_errors;   /* commits that failed */
        uint64_t probes, in_use; /* addresses probed; found in use */
};

/* `site` is borrowed until it is replaced or the server freed; `events` (may
 * be NULL) until it is freed. Networks have their addresses (site_bind()). */
int dhcp_server_open(const struct site *site, const struct event_sink *events, struct dhcp_server **ret,
                     struct error *err);
int dhcp_server_start(struct dhcp_server *server, struct error *err);
/* From any thread. When it returns, the old site is no longer used. */
void dhcp_server_reload(struct dhcp_server *server, const struct site *site);
void dhcp_server_counters(struct dhcp_server *server, struct dhcp_counters *ret);

/* Who has this address, for TFTP and HTTP: its lease's hardware address, and,
 * of boot programs that asked lately, what they said. From any thread. False:
 * not known. */
struct dhcp_peer {
        bool has_mac, has_client;
        uint8_t mac[6];
        struct client client;
};
bool dhcp_server_peer(struct dhcp_server *server, uint32_t address, struct dhcp_peer *ret);
/* All leases, in no order, under the server's lock: be quick. From any thread. */
int dhcp_server_leases(struct dhcp_server *server, lease_visitor *visit, void *arg);
/* End a lease, as if its client had released it. -ENOENT: there is none. -ESHUTDOWN: the thread does
 * not run. From any thread. */
int dhcp_server_release(struct dhcp_server *server, uint32_t address, struct error *err);

/* Ends the thread; what was answered is on disk. Returns NULL. */
struct dhcp_server *dhcp_server_free(struct dhcp_server *server);
static inline void dhcp_server_freep(struct dhcp_server **server)
{
        *server = dhcp_server_free(*server);
}
