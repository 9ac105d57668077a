/* A DHCP relay agent (RFC 1542, section 4; RFC 3046): what clients broadcast
 * on its interfaces goes to servers elsewhere, and their answers come back.
 * What is done to a message is a function of bytes; the sockets are around
 * it, in relay_run.c. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/dhcp.h"

/* What is done with option 82 that a client, or a switch, put into a message
 * which no relay has seen yet. RFC 3046, section 2.1, has "drop". */
enum relay_untrusted { RELAY_DROP, RELAY_KEEP, RELAY_REPLACE };
extern const char *const relay_untrusted_names[]; /* ended by NULL */

enum { RELAY_INTERFACES = 64, RELAY_SERVERS = 16, RELAY_HOPS = 16, RELAY_REMOTE_ID = 64 };

struct relay_interface {
        char name[IF_NAMESIZE];
        int ifindex;
        uint32_t address; /* 0: none at present */
        size_t mtu;
};

struct relay {
        struct relay_interface interfaces[RELAY_INTERFACES];
        size_t n_interfaces;
        uint32_t servers[RELAY_SERVERS];
        size_t n_servers;
        bool add_agent_option; /* 82: circuit id (the interface's name), and remote id if there is one */
        const char *remote_id; /* or NULL; at most RELAY_REMOTE_ID bytes */
        enum relay_untrusted untrusted;
        unsigned hop_limit; /* messages with so many hops are dropped; at most RELAY_HOPS */
        unsigned min_secs;  /* clients that began less than this ago are left to servers on their own wire */
};

/* A client's message, as it goes on to the servers: its length in `out`,
 * which has room for DHCP_SIZE_MAX, or 0 with the reason why it is dropped. */
size_t relay_request(const struct relay *relay, const struct relay_interface *from, const uint8_t *bytes, size_t size,
                     uint8_t *out, const char **ret_reason);
/* A server's message, as it goes to the client. *ret_to: by which interface;
 * *ret_broadcast: to all there, else to yiaddr and chaddr. */
size_t relay_reply(const struct relay *relay, const uint8_t *bytes, size_t size, uint8_t *out,
                   const struct relay_interface **ret_to, bool *ret_broadcast, const char **ret_reason);

/* ---- running ---- */

struct relay_counters {
        uint64_t requests, replies, dropped;
};

struct relay_events {
        /* A line for the operator; `detail` lines are of single messages. */
        void (*say)(void *arg, bool detail, const char *text);
        void *arg;
};

struct relay_sockets {
        int udp, packet;
};
/* May need privileges. */
int relay_open(struct relay_sockets *ret, struct error *err);
void relay_close(struct relay_sockets *sockets);
/* Look up the interfaces' indexes, addresses and MTUs. -ENODEV: there is no such interface. */
int relay_look(struct relay *relay, struct error *err);
/* Relay until `stop_fd` is readable. */
int relay_run(struct relay *relay, const struct relay_sockets *sockets, int stop_fd, const struct relay_events *events,
              struct relay_counters *counters, struct error *err);
