/* What each kind of client sends and expects, as one table: the options of
 * its messages byte for byte, its patience, and which answers it boots from.
 * Those of QEMU's firmware are as captured; the others as their makers'
 * documents and users' captures have them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/dhcp.h"
#include "wire/tftp.h"

/* How a client chooses among the answers that it got. */
enum sim_rules {
        SIM_PXE,   /* PXE 2.1 as EDK2 does it: option 60 "PXEClient" without a complete option 43 means port 4011 */
        SIM_IPXE,  /* any file name or URI; a proxy's answer without one means 4011 */
        SIM_HTTP,  /* option 60 "HTTPClient" and a URI */
        SIM_PLAIN, /* next server and file as in any DHCP answer */
        SIM_PI,    /* the menu "Raspberry Pi Boot" in option 43; files of its own choosing from the next server */
};

enum sim_uuid { SIM_UUID_ZERO, SIM_UUID_PI3, SIM_UUID_PI };

/* A file that the client asks for. In `path` %S is the board's serial, %P the
 * folder that it decided on, %M 01- and the MAC, %1 to %8 so many digits of
 * its address, %K and %I kernel and initramfs as config.txt names them. */
struct sim_file {
        const char *path;
        enum { SIM_OPTIONAL, SIM_REQUIRED, SIM_PREFIX, SIM_FIRST_FOUND } need; /* PREFIX: decides on %P */
};

struct sim_kind {
        const char *name, *what;
        enum sim_rules rules;
        uint8_t oui[3]; /* of its MACs */
        const char *vendor_class, *user_class;
        uint16_t arch;
        uint8_t ndi[3];
        const uint8_t *parameters; /* option 55 */
        size_t n_parameters;
        const uint8_t *ipxe; /* option 175 */
        size_t n_ipxe;
        enum sim_uuid uuid;
        const char *board;                 /* four letters at the head of a Raspberry Pi's option 97 */
        uint32_t revision;                 /* its board revision */
        uint8_t discover[12], request[14]; /* options in their order, ended by 0 */
        uint16_t max_size, request_max_size;
        uint32_t xid;           /* 0: a random one */
        bool broadcast, silent; /* silent: uses an offer without any REQUEST */
        uint8_t ttl;
        bool no_checksum;             /* of UDP */
        uint16_t discover_ms[4];      /* each try's patience */
        uint16_t wait_ms;             /* after the first offer, for a better one or a proxy's */
        struct tftp_terms terms;      /* of its first request */
        const struct sim_file *files; /* after or in place of the file that the server named */
        size_t n_files;
};

extern const struct sim_kind sim_kinds[];
extern const size_t sim_n_kinds;
const struct sim_kind *sim_kind_find(const char *name);

/* Who one client is. */
struct sim_identity {
        uint8_t mac[6];
        uint32_t serial; /* of a Raspberry Pi */
        uint32_t xid;
};
/* The client with this number, the same each time. */
void sim_identify(const struct sim_kind *kind, unsigned int number, struct sim_identity *ret);

/* What is told by a client that asks again, or for something. */
struct sim_ask {
        unsigned int tries; /* messages sent before this one */
        bool got_offer, got_proxy;
        uint32_t address, server; /* of a REQUEST: what was offered, by whom */
};
/* A DISCOVER, and a REQUEST for an address. Returns the size; buf has room for DHCP_SIZE_MAX. */
size_t sim_discover(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask,
                    uint8_t *buf);
size_t sim_request(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask,
                   uint8_t *buf);
/* The REQUEST that goes to port 4011: from the address `ask->address`, about boot item `item` (0: none). */
size_t sim_binl(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask, uint16_t item,
                uint8_t *buf);
