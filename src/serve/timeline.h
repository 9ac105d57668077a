/* Boots: what happened to each machine from its first DISCOVER to its
 * operating system, folded out of events, and where it stopped, in words.
 *
 * A boot begins with the DISCOVER of a machine's firmware. Boot programs that
 * follow (iPXE, GRUB) and the operating system's own DHCP belong to it.
 * Clients that never were seen to boot are not kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "serve/event.h"

enum boot_state {
        BOOT_UNDER_WAY,
        BOOT_STOPPED, /* with a diagnosis */
        BOOT_UP,      /* its operating system has an address */
        BOOT_STATES,
};

struct boot_stage {
        int64_t at_us; /* first; */
        int64_t last_us;
        enum event_kind kind;
        unsigned int times; /* the same thing so often in a row */
        char *text;
};

/* What the diagnosis goes by. */
struct boot_facts {
        int64_t discover_us, last_us;
        /* Since the last DISCOVER of a round: */
        unsigned int offers, proxy_offers, requests, acks, binl_asks, binl_answers, drops, files, others;
        uint32_t other_server;    /* that answered too */
        bool boot_file;           /* was named in an answer */
        unsigned int under_way;   /* transfers */
        unsigned int total_files; /* of the whole boot */
        unsigned int rounds;      /* DISCOVERs of the same boot program after it had loaded something */
        enum client_kind kind;
        char path[128];    /* last file asked for */
        char missing[128]; /* last one that was not there, asked for again by nobody since; "" */
        char failed[128];  /* why the last transfer failed; "" */
        char drop[128];    /* why it was not answered */
        char named[128];   /* boot file */
};

struct boot {
        int64_t id; /* of the store; 0: not written yet */
        uint8_t mac[6];
        uint32_t address;
        int64_t started_us;
        enum client_platform platform;
        int rank; /* how far: 1 firmware, 2 a boot program, 3 an operating system */
        struct boot_facts facts;
        VEC(struct boot_stage) stages;
        unsigned int left_out; /* stages past the limit */
        bool dirty;            /* has something that is not written to the store */
        enum boot_state saved; /* as it was written */
        unsigned int packets;  /* of them that are in the store */
        struct boot *next_mac, *next_address;
};

enum boot_state boot_state(const struct boot *boot, int64_t now_us);
const char *boot_state_name(enum boot_state state);
/* Why it is not up, in words; NULL: nothing is wrong (yet). timeline_diagnose.c. */
char *boot_diagnose(const struct boot_facts *facts, int64_t now_us);
/* With its stages or without; a new reference. */
json_t *boot_json(const struct boot *boot, bool stages, int64_t now_us);

struct timeline;
struct timeline *timeline_new(void);
struct timeline *timeline_free(struct timeline *timeline); /* returns NULL */

/* From any thread. An event without a MAC is that of the machine that had the address last. *ret_mac, if not NULL,
 * is then filled in. True: it belongs to a boot. */
bool timeline_event(struct timeline *timeline, const struct event *event, uint8_t *ret_mac);
/* One more packet is kept of a machine's boot; *ret_n is how many were before. False: it is not known to boot. */
bool timeline_count_packet(struct timeline *timeline, const uint8_t mac[6], unsigned int *ret_n);
/* Calls visit for each machine's last boot, under the lock. A negative result ends it and is returned. */
int timeline_each(struct timeline *timeline, int (*visit)(void *arg, struct boot *boot), void *arg);
