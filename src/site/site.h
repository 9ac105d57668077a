/* The site file: networks, profiles, machines and the machines' defaults, in
 * the language of the templates. It is read and checked whole into an
 * immutable struct site; the running server swaps one for another. All
 * questions to it are pure: no socket, no clock, and files are only named.
 *
 * IPv4 addresses are uint32_t in host order throughout, 0 meaning none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lang/diag.h"
#include "wire/client.h"

enum site_mode { SITE_DHCP, SITE_PROXY, SITE_OFF };

struct site_range {
        uint32_t first, last;
};

/* A DHCP option as it goes onto the wire. */
struct site_option {
        uint8_t code;
        const uint8_t *data;
        size_t len;
        const char *vendor_class; /* only for clients whose option 60 begins so; NULL: all */
        const char *user_class;   /* the same for option 77 */
        bool force;               /* also where the client did not ask for it */
};

struct site_options {
        const struct site_option *v; /* within one list, of the same code the first that matches counts */
        size_t n;
};

struct site_ranges {
        const struct site_range *v;
        size_t n;
};

struct site_network {
        const char *name;
        const char *interface; /* NULL: reached through relays only */
        enum site_mode mode;
        uint32_t address;      /* ours on it; 0: taken from the interface, see site_bind() */
        uint32_t subnet, mask; /* mask 0: taken from the interface */
        const char *shared;    /* name of the shared network that it is a part of, or NULL */
        struct site_ranges ranges;
        bool auto_range;             /* ranges are made by site_bind(): the upper half of the subnet */
        struct site_options options; /* router, dns, domain, ntp... and `option` blocks */
        uint32_t lease_sec, max_lease_sec;
        bool authoritative;         /* NAK what is wrong though we do not know the client */
        bool only_known;            /* addresses for machines of the site file only */
        bool rapid_commit;          /* a DISCOVER that asks for it is answered by an ACK (RFC 4039) */
        bool probe;                 /* look whether an address is in use before it is offered */
        uint32_t next_server;       /* 0: ours */
        struct range at, ranges_at; /* where its interface, or else its name, is written; and its ranges */
};

struct site_profile; /* what a machine boots: site/profile.h */
struct hcl_value;

struct site_machine {
        const char *name;
        const uint8_t (*macs)[6];
        size_t n_macs;
        bool has_uuid;
        uint8_t uuid[16];   /* in the order of its text */
        uint32_t pi_serial; /* 0: none */
        uint32_t address;   /* its reservation, or 0 */
        const char *host_name;
        const struct site_profile *profile; /* NULL: the site's default */
        struct site_options options;        /* before the network's */
        const struct hcl_value *variables;  /* an object */
        struct range at;                    /* where its address, or else its name, is written */
};

struct site {
        const struct site_network *networks;
        size_t n_networks;
        const struct site_profile *const *profiles;
        size_t n_profiles;
        const struct site_machine *machines;
        size_t n_machines;
        const struct site_profile *default_profile; /* NULL: unknown machines boot nothing from here */
        const char *root;                           /* folder that served files come from; absolute */
        struct site_listen {
                uint16_t tftp, http, https;    /* ports; 0: not served */
                const char *certificate, *key; /* PEM files, for https */
                bool tftp_single_port;         /* transfers stay on the port of TFTP */
                bool tftp_fragments;           /* TFTP blocks may be larger than a packet of the network */
        } listen;
        const char *state; /* folder of leases and events; absolute */
        bool capture;      /* packets of boots are kept, for `slipway machine pcap` */
        struct site_private *private;
};

/* Read and check a site file. Every problem is a message in diags; *ret is
 * set only if there was no error (return 0, else -EINVAL). */
int site_load(const char *path, struct site **ret, struct diags *diags);
/* The site of `slipway serve --quick FOLDER`: one network on the interface, one profile that serves the folder. */
int site_quick(const char *folder, const char *interface, enum site_mode mode, struct site **ret, struct diags *diags);
struct site *site_free(struct site *site); /* returns NULL */
static inline void site_freep(struct site **site)
{
        *site = site_free(*site);
}
/* What the interface of a network has, where the file left it out: address (0: it has none), subnet, mask. Checks the
 * ranges and reservations against it: -EINVAL. */
int site_bind(struct site *site, size_t network, uint32_t address, uint32_t mask, struct diags *diags);

/* By MAC, UUID or serial; NULL: not known. */
const struct site_machine *site_machine(const struct site *site, const struct client *client);
const struct site_machine *site_machine_by_mac(const struct site *site, const uint8_t mac[6]);
const struct site_machine *site_machine_by_name(const struct site *site, const char *name);
/* The network whose subnet holds the address; NULL: none. */
const struct site_network *site_network_of(const struct site *site, uint32_t address);

/* 52:54:00:12:34:56, with - too, or without; a UUID with its dashes or without. */
bool site_parse_mac(const char *s, uint8_t ret[6]);
bool site_parse_uuid(const char *s, uint8_t ret[16]);
/* From the order of the text to that of SMBIOS, and so of option 97, in which the first three fields are
 * little-endian (RFC 4578, section 2.3); and back. */
void site_swap_uuid(const uint8_t uuid[16], uint8_t ret[16]);

/* ---- what a client is given to boot ---- */

enum site_pxe {
        SITE_PXE_NONE,   /* no option 43 */
        SITE_PXE_DIRECT, /* sub-option 6 = 8: boot the file named, ask nobody else */
        SITE_PXE_PI,     /* the menu that the ROM of a Raspberry Pi 3 wants, byte for byte */
};

struct site_boot {
        const struct site_machine *machine; /* NULL: not in the site file */
        const struct site_profile *profile; /* NULL: nothing to boot; it goes on to its own disk */
        uint32_t next_server;
        char *file;      /* for the `file` field and option 67: a path for TFTP or a whole URI; "" or NULL: none */
        char *root_path; /* option 17, or NULL */
        char *config_file, *path_prefix; /* options 209 and 210, or NULL */
        enum site_pxe pxe;
        char **why; /* strv: how this came about, a line each, for `slipway explain` */
};

/* `server` is our address as this client sees it. Returns 0 (an answer, also "nothing"). */
int site_boot(const struct site *site, const struct site_network *network, const struct client *client, uint32_t server,
              struct site_boot *ret, struct error *err);
void site_boot_clear(struct site_boot *boot);

/* ---- what is at a path ---- */

/* Who asks for a file: TFTP and HTTP know the address; the lease gives the rest. */
struct site_peer {
        uint32_t address; /* the client's */
        uint32_t server;  /* ours, as the client sees it */
        bool has_mac;
        uint8_t mac[6];
        const struct client *client; /* from its last DHCP message, or NULL */
};

enum site_file_kind {
        SITE_FILE_TEXT,   /* rendered for this client */
        SITE_FILE_DISK,   /* a file beneath a folder */
        SITE_FILE_IMAGE,  /* a file inside a partition of an image */
        SITE_FILE_VOLUME, /* a FAT volume of other files */
};

struct site_file {
        enum site_file_kind kind;
        char *text; /* SITE_FILE_TEXT: `len` bytes */
        size_t len;
        char *root, *path;       /* DISK: folder and path beneath it. IMAGE: path of the image, and path in it */
        struct site_part *parts; /* VOLUME: of kinds TEXT and DISK */
        size_t n_parts;
        char *what; /* "iPXE script of profile 'debian'", for logs and explain; or NULL */
};

/* What lies in a volume, and under which path. */
struct site_part {
        char *name;
        struct site_file file;
};

/* -ENOENT: nothing there. The path is as the client sent it: leading '/' and
 * '\' are tolerated, ".." is refused (-EACCES). */
int site_file(const struct site *site, const char *path, const struct site_peer *peer, struct site_file *ret,
              struct error *err);
void site_file_clear(struct site_file *file);
/* Every folder and file that site_file() may name, and the folder of the site file, in which its expressions may look
 * (strv; the caller frees): what a server must be allowed to read. */
char **site_folders(const struct site *site);
