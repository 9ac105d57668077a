/* DHCPv4 messages (RFC 2131 and 2132; BOOTP, RFC 951 and 1542): bytes to a
 * struct and back. Options may overflow into `file` and `sname` (option 52)
 * and be split over several of the same code (RFC 3396); both directions know
 * both. Nothing here allocates, and any bytes may come in.
 *
 * IPv4 addresses are uint32_t in host order, 0 meaning none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/dhcp_option.h"

enum {
        DHCP_SERVER_PORT = 67,
        DHCP_CLIENT_PORT = 68,
        DHCP_BINL_PORT = 4011,
        DHCP_HEADER = 240,       /* fixed fields and the magic cookie */
        DHCP_BOOTP_SIZE = 300,   /* what a BOOTP message has at least (RFC 1542, section 2.1) */
        DHCP_DEFAULT_SIZE = 548, /* what every client takes: an IP datagram of 576 bytes */
        DHCP_ETHERNET_SIZE = 1472,
        DHCP_SIZE_MAX = 4096, /* longer ones are not read */
        DHCP_BROADCAST_FLAG = 0x8000,
        DHCP_REQUEST_OP = 1,
        DHCP_REPLY_OP = 2,
        DHCP_ETHERNET = 1, /* htype */
};

enum dhcp_type {
        DHCP_NONE, /* BOOTP */
        DHCP_DISCOVER,
        DHCP_OFFER,
        DHCP_REQUEST,
        DHCP_DECLINE,
        DHCP_ACK,
        DHCP_NAK,
        DHCP_RELEASE,
        DHCP_INFORM,
        DHCP_MESSAGE_TYPES,
};

/* "DISCOVER", "BOOTP" for DHCP_NONE, "type 13" is "?". */
const char *dhcp_type_name(enum dhcp_type type);

/* The fixed fields. */
struct dhcp_header {
        uint8_t op, htype, hlen, hops;
        uint32_t xid;
        uint16_t secs, flags;
        uint32_t ciaddr, yiaddr, siaddr, giaddr;
        uint8_t chaddr[16];
        char sname[64 + 1], file[128 + 1]; /* ended by NUL; "" where they hold options */
};

/* A message that was read. It owns its bytes, so it may be copied and kept. */
struct dhcp_message {
        struct dhcp_header h;
        uint8_t type;       /* option 53 as it came, 0: none */
        uint8_t overload;   /* option 52, 0: none */
        uint8_t order[256]; /* codes as they came, each once */
        unsigned n_options;
        uint16_t at[256], len[256]; /* of each code in `bytes`; at is 0 where the option is not there */
        uint16_t n_bytes;
        uint8_t bytes[DHCP_SIZE_MAX]; /* byte 0 is not used */
};

/* Read a message. Returns 0, or -EBADMSG with *ret_reason set to what is
 * wrong, in words ("an option reaches past the end"). */
int dhcp_parse(const void *bytes, size_t size, struct dhcp_message *ret, const char **ret_reason);

/* An option's bytes, or NULL if it is not there; pieces of it are put together. */
const uint8_t *dhcp_get(const struct dhcp_message *message, uint8_t code, size_t *ret_len);
bool dhcp_has(const struct dhcp_message *message, uint8_t code);
/* A number or an address; `otherwise` where it is missing or of another length. */
uint16_t dhcp_get_u16(const struct dhcp_message *message, uint8_t code, uint16_t otherwise);
uint32_t dhcp_get_u32(const struct dhcp_message *message, uint8_t code, uint32_t otherwise);

/* Sub-options {code, length, bytes} as in options 43, 82 and 175: the first
 * of this code, or NULL. What is cut off at the end is not there. */
const uint8_t *dhcp_sub_get(const uint8_t *data, size_t len, uint8_t code, size_t *ret_len);

/* A message to be written: fields, and options in the order in which they
 * were added; whatever does not fit in the end is left out from the last one. */
struct dhcp_writer {
        struct dhcp_header h;
        struct {
                uint8_t code;
                uint16_t at, len;
        } options[256];
        unsigned n_options;
        uint16_t n_bytes;
        uint8_t bytes[DHCP_SIZE_MAX];
        bool no_overload; /* BOOTP: file and sname hold no options, and 300 bytes may be the limit */
        unsigned dropped; /* options that did not fit, after dhcp_write() */
};

/* Empty, all zero (4 KiB that need no clearing are left alone). */
void dhcp_writer_init(struct dhcp_writer *writer);
/* Add an option; one that was added already keeps its place and value, and false is returned. */
bool dhcp_put(struct dhcp_writer *writer, uint8_t code, const void *data, size_t len);
bool dhcp_put_u8(struct dhcp_writer *writer, uint8_t code, uint8_t value);
bool dhcp_put_u16(struct dhcp_writer *writer, uint8_t code, uint16_t value);
bool dhcp_put_u32(struct dhcp_writer *writer, uint8_t code, uint32_t value);
bool dhcp_put_text(struct dhcp_writer *writer, uint8_t code, const char *text);

/* The message as bytes: at most `limit` of them (below DHCP_BOOTP_SIZE counts
 * as that) and option 82, at least DHCP_BOOTP_SIZE. Option 82 is put last,
 * whatever the order, and left out only where no message has room beside it.
 * Options that do not fit go to `file` and `sname` where those are empty.
 * Returns the size; `buf` has room for DHCP_SIZE_MAX. */
size_t dhcp_write(struct dhcp_writer *writer, size_t limit, uint8_t *buf);

/* "192.0.2.1" into buf, which is returned. */
enum { DHCP_ADDRESS_TEXT = 16 };
const char *dhcp_address_text(uint32_t address, char buf[DHCP_ADDRESS_TEXT]);
/* A whole message in lines for people: fields that are not zero, options by name in their order. */
void dhcp_format(const struct dhcp_message *message, struct str *ret);
