/* The DHCP options that have a name (IANA, "BOOTP Vendor Extensions and DHCP
 * Options"), with the type of their values: by it a text of a site file
 * becomes bytes, and bytes become a text for logs and tests. One table, a row
 * for each option; the names are those of ISC's dhcp-options(5), or IANA's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Codes that the program itself speaks of. */
enum {
        DHCP_OPT_PAD = 0,
        DHCP_OPT_SUBNET_MASK = 1,
        DHCP_OPT_ROUTER = 3,
        DHCP_OPT_DNS = 6,
        DHCP_OPT_HOST_NAME = 12,
        DHCP_OPT_DOMAIN_NAME = 15,
        DHCP_OPT_ROOT_PATH = 17,
        DHCP_OPT_MTU = 26,
        DHCP_OPT_BROADCAST = 28,
        DHCP_OPT_NTP = 42,
        DHCP_OPT_VENDOR = 43,
        DHCP_OPT_REQUESTED_ADDRESS = 50,
        DHCP_OPT_LEASE_TIME = 51,
        DHCP_OPT_OVERLOAD = 52,
        DHCP_OPT_TYPE = 53,
        DHCP_OPT_SERVER_ID = 54,
        DHCP_OPT_PARAMETERS = 55,
        DHCP_OPT_MESSAGE = 56,
        DHCP_OPT_MAX_SIZE = 57,
        DHCP_OPT_T1 = 58,
        DHCP_OPT_T2 = 59,
        DHCP_OPT_VENDOR_CLASS = 60,
        DHCP_OPT_CLIENT_ID = 61,
        DHCP_OPT_TFTP_SERVER = 66,
        DHCP_OPT_BOOT_FILE = 67,
        DHCP_OPT_USER_CLASS = 77,
        DHCP_OPT_RAPID_COMMIT = 80,
        DHCP_OPT_FQDN = 81,
        DHCP_OPT_AGENT = 82,
        DHCP_OPT_ARCH = 93,
        DHCP_OPT_NDI = 94,
        DHCP_OPT_UUID = 97,
        DHCP_OPT_SUBNET_SELECTION = 118,
        DHCP_OPT_ROUTES = 121,
        DHCP_OPT_TFTP_ADDRESS = 150,
        DHCP_OPT_IPXE = 175,
        DHCP_OPT_PXELINUX_MAGIC = 208,
        DHCP_OPT_CONFIG_FILE = 209,
        DHCP_OPT_PATH_PREFIX = 210,
        DHCP_OPT_REBOOT_TIME = 211,
        DHCP_OPT_END = 255,
};

enum dhcp_option_type {
        DHCP_BYTES,   /* "01:02:ff" or "0102ff" */
        DHCP_TEXT,    /* at least one byte, no NUL */
        DHCP_FLAG,    /* true, false: one byte */
        DHCP_U8,      /* a number, decimal or 0x */
        DHCP_U16,     /* the same in two bytes */
        DHCP_U32,     /* in four; also seconds */
        DHCP_S32,     /* with a sign */
        DHCP_ADDRESS, /* "192.0.2.1" */
        DHCP_NETWORK, /* two addresses: "192.0.2.0 255.255.255.0" */
        DHCP_DOMAIN,  /* a name in RFC 1035's form, uncompressed */
        DHCP_ROUTE,   /* "10.0.0.0/8 192.0.2.1" (RFC 3442) */
        DHCP_EMPTY,   /* no bytes at all */
        DHCP_RELAYED, /* sub-options of a relay agent (82) */
        DHCP_TYPES,
};

struct dhcp_option {
        uint8_t code;
        const char *name; /* NULL: a code without a name, of type DHCP_BYTES */
        enum dhcp_option_type type;
        bool list;   /* one or more values of the type */
        bool engine; /* made by the server itself for each message: no site file may set it */
};

/* By number. */
struct dhcp_option dhcp_option_of(uint8_t code);
/* By name ("_" counts as "-") or by number from 1 to 254 ("224"): 0, or -ENOENT. */
int dhcp_option_find(const char *name, struct dhcp_option *ret);
/* The name that is nearest to a misspelt one, or NULL. */
const char *dhcp_option_nearest(const char *name);
/* "bytes", "text", "flag", "u8"...; by name: 0, or -ENOENT. */
const char *dhcp_option_type_name(enum dhcp_option_type type);
int dhcp_option_type_find(const char *name, enum dhcp_option_type *ret);

/* Values as text to the option's bytes. Several values are for options with
 * `list`; for others they are an error. For a type other than the table's,
 * set the row's. Returns the length, at most `size`, or -EINVAL. */
int dhcp_option_encode(const struct dhcp_option *option, const char *const *values, size_t n_values, uint8_t *buf,
                       size_t size, struct error *err);
/* Bytes as text, values separated by ", "; bytes that are not of the type
 * are shown in hexadecimal. Nothing in the result can harm a terminal. */
void dhcp_option_format(const struct dhcp_option *option, const uint8_t *data, size_t len, struct str *ret);
