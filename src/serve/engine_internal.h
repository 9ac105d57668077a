/* What the files of the engine share: see engine.h. */
#pragma once

#include "serve/engine.h"

enum { ENGINE_NETWORKS = 32 };

/* A range of a network, and what is known of its addresses. */
struct pool {
        const struct site_network *network;
        uint32_t first, last;
        uint32_t size;         /* addresses that are not reserved for a machine */
        uint32_t used;         /* of those: with a binding, whatever its state */
        uint32_t cursor;       /* where the next search begins */
        int64_t full_until_ms; /* no search before, since nothing ends before */
        /* New clients when little is left: so that a flood of forged ones leaves something for real ones. */
        int64_t bucket_ms;
        uint32_t bucket;
};

struct reservation {
        uint32_t address;
        const struct site_machine *machine;
};

struct dhcp_engine {
        const struct site *site;
        const struct dhcp_policy *policy;
        struct binding_table bindings;
        struct pool *pools;
        size_t n_pools;
        struct reservation *reservations; /* in the order of addresses */
        size_t n_reservations;
        bool read_only;
        int64_t declines_ms; /* a bucket of DECLINEs: see engine_release.c */
        uint32_t declines;
        struct dhcp_message scratch; /* not on the stack: it is large */
        struct dhcp_writer writer;
};

/* One message being answered. */
struct exchange {
        struct dhcp_engine *engine;
        const struct dhcp_received *in;
        const struct dhcp_message *message;
        struct dhcp_result *out;
        int64_t now_ms, now_sec;
        struct client *client;              /* in *out */
        const struct site_machine *machine; /* or NULL */
        /* Networks from which the client may have an address: that of its segment, and those that share it. */
        const struct site_network *networks[ENGINE_NETWORKS];
        size_t n_networks;
        uint32_t id_override; /* what a relay wants to be named as the server (RFC 5107), or 0 */
        bool relayed;
        char boot_file[DHCP_NOTE_TEXT]; /* what the answer names, for the note */
};

/* ---- engine.c ---- */

/* Why there is no answer. */
void exchange_drop(struct exchange *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
void exchange_note(struct exchange *x, enum event_kind kind, uint32_t address, const char *path, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));
/* The network of the exchange that holds the address, or NULL. */
const struct site_network *exchange_network(const struct exchange *x, uint32_t address);
/* Our address for clients of this network. */
uint32_t exchange_server(const struct exchange *x, const struct site_network *network);
bool engine_own_address(const struct dhcp_engine *engine, uint32_t address);
/* The lease of this address is to be written. */
void exchange_write(struct exchange *x, uint32_t address);
static inline bool network_holds(const struct site_network *network, uint32_t address)
{
        return network->mask && (address & network->mask) == network->subnet;
}

/* ---- engine_pool.c ---- */

void engine_index_site(struct dhcp_engine *engine); /* pools and reservations */
/* A binding appears in the table, or is about to leave it. */
void engine_pool_count(struct dhcp_engine *engine, uint32_t address, int change);
/* Something ended before its time. */
void engine_pool_freed(struct dhcp_engine *engine, uint32_t address);
const struct site_machine *engine_reserved_for(const struct dhcp_engine *engine, uint32_t address);
/* Nobody has it at this time. */
bool binding_is_free(const struct binding *binding, int64_t now_sec);
/* It is this client's: by its identifier, or by its hardware address when one of the two is a boot program. */
bool exchange_is_mine(const struct exchange *x, const struct binding *binding);
/* May this client have the address, as far as the site file goes? */
bool exchange_may_have(const struct exchange *x, uint32_t address);
/* Does the network serve machines that the site file does not have, or is this one of those? False: exchange_drop()
 * was called. */
bool exchange_is_welcome(struct exchange *x, const struct site_network *network);
/* The client's binding in its networks, the best one, or NULL. */
struct binding *exchange_binding(const struct exchange *x);
/* The reserved address of the client's machine if it is of one of its networks and nobody else has it, or 0. */
uint32_t exchange_reservation(const struct exchange *x);
/* The address to offer; 0: there is none, and exchange_drop() was called. */
uint32_t exchange_choose(struct exchange *x);
/* Change or make the binding of an address. */
struct binding *engine_set(struct dhcp_engine *engine, const struct lease *lease);

/* ---- engine_request.c ---- */

void exchange_discover(struct exchange *x);
void exchange_request(struct exchange *x);
void exchange_bootp(struct exchange *x);

/* ---- engine_release.c ---- */

void exchange_decline(struct exchange *x);
void exchange_release(struct exchange *x);
void exchange_inform(struct exchange *x);

/* ---- engine_reply.c ---- */

/* An answer to a client that gets (or has) `address`; lease_sec 0: no lease
 * (INFORM, BOOTP). It is put into x->out. */
void exchange_reply(struct exchange *x, enum dhcp_type type, const struct site_network *network, uint32_t address,
                    uint32_t lease_sec);
void exchange_nak(struct exchange *x, const char *reason);
/* As proxyDHCP: an OFFER or ACK without address; `binl`: at port 4011. */
void exchange_proxy(struct exchange *x);

/* ---- engine_options.c ---- */

/* The site's value of an option for this client: its machine's, else its network's; NULL: none. */
const struct site_option *exchange_option(const struct exchange *x, const struct site_network *network, uint8_t code);
/* Its whole name, if it sent one (RFC 4702). */
void exchange_put_fqdn(struct exchange *x, const struct site_network *network);
/* All that the client asked for and what is sent in any case, after what is in the writer. */
void exchange_put_options(struct exchange *x, const struct site_network *network);
/* What it boots: fields and options. Returns false if that is nothing. */
bool exchange_put_boot(struct exchange *x, const struct site_network *network, bool proxy);
