/* What a DHCP server answers (RFC 2131 and its extensions; PXE 2.1 as own
 * server, as proxyDHCP and at port 4011): the policy alone. A message and
 * where it came from go in, with the time; what to send, which leases to
 * write first, and what to tell the operator come out. No socket, clock, log
 * or file: the running server, the tests, the fuzzer and `slipway explain`
 * drive the same code.
 *
 * The leases are kept in memory here. The caller's promise: what is in
 * `writes` is on disk before the answer leaves. When the disk refuses, it
 * puts back what is on disk (dhcp_engine_restore), and calls again with the
 * engine told that nothing can be written: clients that have a lease on disk
 * are then served within its time. */
#pragma once

#include "serve/binding.h"
#include "serve/event.h"
#include "site/site.h"
#include "wire/dhcp.h"

/* What the engine asks of the site: the site's own functions, or a test's. */
struct dhcp_policy {
        const struct site_machine *(*machine)(const struct site *site, const struct client *client);
        int (*boot)(const struct site *site, const struct site_network *network, const struct client *client,
                    uint32_t server, struct site_boot *ret, struct error *err);
        void (*boot_clear)(struct site_boot *boot);
};

/* A message, and where it came from. */
struct dhcp_received {
        const struct dhcp_message *message;
        const char *interface; /* that it came in by */
        uint32_t our;          /* our address on that interface, or 0 */
        uint32_t destination;  /* that it was sent to: ours, a relay's target, or 0xffffffff */
        uint32_t source;       /* that it was sent from; 0: none yet */
        uint16_t source_port;  /* 68; 67 of a relay; anything at 4011 */
        bool binl;             /* it came to port 4011 */
};

/* How an answer is sent. */
enum dhcp_send {
        DHCP_SEND_NONE,
        DHCP_SEND_BROADCAST, /* to all on the interface, port 68 */
        DHCP_SEND_HARDWARE,  /* to chaddr and `to`, without ARP, port 68 */
        DHCP_SEND_ROUTED,    /* to `to` and `to_port`, by the kernel */
};

enum { DHCP_WRITES = 4, DHCP_NOTES = 4, DHCP_NOTE_TEXT = 160 };

struct dhcp_result {
        enum dhcp_send send;
        enum dhcp_type type; /* of the answer, and the address in it, for those who count */
        uint32_t yiaddr;
        uint32_t from, to; /* from: our address */
        uint16_t from_port, to_port;
        unsigned int delay_ms; /* it is to wait so long before it leaves */
        /* Addresses whose leases changed: to be on disk before the answer leaves. */
        size_t n_writes;
        uint32_t writes[DHCP_WRITES];
        /* Not 0: find out whether anybody uses this address, tell
         * dhcp_engine_probed(), and hand in the same message again. */
        uint32_t probe;
        size_t n_notes;
        struct dhcp_note {
                enum event_kind kind;
                uint32_t address;
                char text[DHCP_NOTE_TEXT];
                char path[DHCP_NOTE_TEXT]; /* "": none */
        } notes[DHCP_NOTES];
        struct client client; /* who asked */
        size_t len;
        uint8_t bytes[DHCP_SIZE_MAX]; /* last, so that what is kept of a result may end behind the answer */
};

struct dhcp_engine;

/* `site` is borrowed until it is replaced. `seed`: random bits. */
struct dhcp_engine *dhcp_engine_new(const struct site *site, const struct dhcp_policy *policy, uint64_t seed);
struct dhcp_engine *dhcp_engine_free(struct dhcp_engine *engine); /* returns NULL */
static inline void dhcp_engine_freep(struct dhcp_engine **engine)
{
        *engine = dhcp_engine_free(*engine);
}

/* Another site file: leases stay; those of addresses that it no longer gives
 * away are refused at their next renewal. */
void dhcp_engine_reload(struct dhcp_engine *engine, const struct site *site);

/* now_ms: milliseconds since 1970, of a clock that never jumps. */
void dhcp_engine_handle(struct dhcp_engine *engine, int64_t now_ms, const struct dhcp_received *received,
                        struct dhcp_result *result);
/* What a probe found. An address in use is not given to anybody for DHCP_QUARANTINE_SEC. */
void dhcp_engine_probed(struct dhcp_engine *engine, int64_t now_ms, uint32_t address, bool in_use);

/* The lease of an address as it is now, or NULL; valid until the engine is called again. */
const struct lease *dhcp_engine_lease(const struct dhcp_engine *engine, uint32_t address);
/* What is on disk for an address: at start, and after a failed write. NULL: nothing. */
void dhcp_engine_restore(struct dhcp_engine *engine, uint32_t address, const struct lease *lease);
/* Nothing can be written (or it can again). */
void dhcp_engine_read_only(struct dhcp_engine *engine, bool read_only);
/* All leases in no order; a negative result of `visit` ends it and is returned. */
int dhcp_engine_each(const struct dhcp_engine *engine, lease_visitor *visit, void *arg);

enum {
        DHCP_QUARANTINE_SEC = 600,
        DHCP_OFFER_SEC = 60,       /* an offer is held so long */
        DHCP_OFFER_SCARCE_SEC = 5, /* where no other address is left */
        DHCP_PROBE_SEC = 30,       /* a probe's result counts so long */
        DHCP_ITS_OWN_SEC = 3600,   /* after its lease a client has its address back without a probe for so long */
        DHCP_PI3_DELAY_MS = 1000,  /* the ROM of a Raspberry Pi 3 misses OFFERs that come at once */
};
