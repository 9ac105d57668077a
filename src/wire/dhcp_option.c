/* The table of DHCP options: see dhcp_option.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/dhcp_option.h"

#define ROW(number, option_name, option_type, ...) [number] = {number, option_name, option_type, __VA_ARGS__}
#define LIST                                       .list = true
#define ENGINE                                     .engine = true

/* RFC 2132, where no other is named. */
static const struct dhcp_option options[256] = {
        ROW(1, "subnet-mask", DHCP_ADDRESS),
        ROW(2, "time-offset", DHCP_S32),
        ROW(3, "routers", DHCP_ADDRESS, LIST),
        ROW(4, "time-servers", DHCP_ADDRESS, LIST),
        ROW(5, "ien116-name-servers", DHCP_ADDRESS, LIST),
        ROW(6, "domain-name-servers", DHCP_ADDRESS, LIST),
        ROW(7, "log-servers", DHCP_ADDRESS, LIST),
        ROW(8, "cookie-servers", DHCP_ADDRESS, LIST),
        ROW(9, "lpr-servers", DHCP_ADDRESS, LIST),
        ROW(10, "impress-servers", DHCP_ADDRESS, LIST),
        ROW(11, "resource-location-servers", DHCP_ADDRESS, LIST),
        ROW(12, "host-name", DHCP_TEXT),
        ROW(13, "boot-size", DHCP_U16),
        ROW(14, "merit-dump", DHCP_TEXT),
        ROW(15, "domain-name", DHCP_TEXT),
        ROW(16, "swap-server", DHCP_ADDRESS),
        ROW(17, "root-path", DHCP_TEXT),
        ROW(18, "extensions-path", DHCP_TEXT),
        ROW(19, "ip-forwarding", DHCP_FLAG),
        ROW(20, "non-local-source-routing", DHCP_FLAG),
        ROW(21, "policy-filter", DHCP_NETWORK, LIST),
        ROW(22, "max-dgram-reassembly", DHCP_U16),
        ROW(23, "default-ip-ttl", DHCP_U8),
        ROW(24, "path-mtu-aging-timeout", DHCP_U32),
        ROW(25, "path-mtu-plateau-table", DHCP_U16, LIST),
        ROW(26, "interface-mtu", DHCP_U16),
        ROW(27, "all-subnets-local", DHCP_FLAG),
        ROW(28, "broadcast-address", DHCP_ADDRESS),
        ROW(29, "perform-mask-discovery", DHCP_FLAG),
        ROW(30, "mask-supplier", DHCP_FLAG),
        ROW(31, "router-discovery", DHCP_FLAG),
        ROW(32, "router-solicitation-address", DHCP_ADDRESS),
        ROW(33, "static-routes", DHCP_NETWORK, LIST),
        ROW(34, "trailer-encapsulation", DHCP_FLAG),
        ROW(35, "arp-cache-timeout", DHCP_U32),
        ROW(36, "ieee802-3-encapsulation", DHCP_FLAG),
        ROW(37, "default-tcp-ttl", DHCP_U8),
        ROW(38, "tcp-keepalive-interval", DHCP_U32),
        ROW(39, "tcp-keepalive-garbage", DHCP_FLAG),
        ROW(40, "nis-domain", DHCP_TEXT),
        ROW(41, "nis-servers", DHCP_ADDRESS, LIST),
        ROW(42, "ntp-servers", DHCP_ADDRESS, LIST),
        ROW(43, "vendor-encapsulated-options", DHCP_BYTES),
        ROW(44, "netbios-name-servers", DHCP_ADDRESS, LIST),
        ROW(45, "netbios-dd-server", DHCP_ADDRESS, LIST),
        ROW(46, "netbios-node-type", DHCP_U8),
        ROW(47, "netbios-scope", DHCP_TEXT),
        ROW(48, "font-servers", DHCP_ADDRESS, LIST),
        ROW(49, "x-display-manager", DHCP_ADDRESS, LIST),
        ROW(50, "dhcp-requested-address", DHCP_ADDRESS, ENGINE),
        ROW(51, "dhcp-lease-time", DHCP_U32, ENGINE),
        ROW(52, "dhcp-option-overload", DHCP_U8, ENGINE),
        ROW(53, "dhcp-message-type", DHCP_U8, ENGINE),
        ROW(54, "dhcp-server-identifier", DHCP_ADDRESS, ENGINE),
        ROW(55, "dhcp-parameter-request-list", DHCP_U8, LIST, ENGINE),
        ROW(56, "dhcp-message", DHCP_TEXT, ENGINE),
        ROW(57, "dhcp-max-message-size", DHCP_U16, ENGINE),
        ROW(58, "dhcp-renewal-time", DHCP_U32),
        ROW(59, "dhcp-rebinding-time", DHCP_U32),
        ROW(60, "vendor-class-identifier", DHCP_TEXT),
        ROW(61, "dhcp-client-identifier", DHCP_BYTES, ENGINE),
        ROW(62, "nwip-domain", DHCP_TEXT),
        ROW(63, "nwip-suboptions", DHCP_BYTES),
        ROW(64, "nisplus-domain", DHCP_TEXT),
        ROW(65, "nisplus-servers", DHCP_ADDRESS, LIST),
        ROW(66, "tftp-server-name", DHCP_TEXT),
        ROW(67, "bootfile-name", DHCP_TEXT),
        ROW(68, "mobile-ip-home-agent", DHCP_ADDRESS, LIST),
        ROW(69, "smtp-server", DHCP_ADDRESS, LIST),
        ROW(70, "pop-server", DHCP_ADDRESS, LIST),
        ROW(71, "nntp-server", DHCP_ADDRESS, LIST),
        ROW(72, "www-server", DHCP_ADDRESS, LIST),
        ROW(73, "finger-server", DHCP_ADDRESS, LIST),
        ROW(74, "irc-server", DHCP_ADDRESS, LIST),
        ROW(75, "streettalk-server", DHCP_ADDRESS, LIST),
        ROW(76, "streettalk-directory-assistance-server", DHCP_ADDRESS, LIST),
        ROW(77, "user-class", DHCP_TEXT),                          /* RFC 3004 */
        ROW(78, "slp-directory-agent", DHCP_BYTES),                /* RFC 2610 */
        ROW(79, "slp-service-scope", DHCP_BYTES),                  /* RFC 2610 */
        ROW(80, "rapid-commit", DHCP_EMPTY, ENGINE),               /* RFC 4039 */
        ROW(81, "fqdn", DHCP_BYTES, ENGINE),                       /* RFC 4702 */
        ROW(82, "relay-agent-information", DHCP_RELAYED, ENGINE),  /* RFC 3046 */
        ROW(83, "isns", DHCP_BYTES),                               /* RFC 4174 */
        ROW(85, "nds-servers", DHCP_ADDRESS, LIST),                /* RFC 2241 */
        ROW(86, "nds-tree-name", DHCP_TEXT),                       /* RFC 2241 */
        ROW(87, "nds-context", DHCP_TEXT),                         /* RFC 2241 */
        ROW(88, "bcms-controller-names", DHCP_DOMAIN, LIST),       /* RFC 4280 */
        ROW(89, "bcms-controller-address", DHCP_ADDRESS, LIST),    /* RFC 4280 */
        ROW(90, "authentication", DHCP_BYTES, ENGINE),             /* RFC 3118 */
        ROW(91, "client-last-transaction-time", DHCP_U32, ENGINE), /* RFC 4388 */
        ROW(92, "associated-ip", DHCP_ADDRESS, LIST, ENGINE),      /* RFC 4388 */
        ROW(93, "client-system", DHCP_U16, LIST, ENGINE),          /* RFC 4578 */
        ROW(94, "client-ndi", DHCP_BYTES, ENGINE),                 /* RFC 4578 */
        ROW(97, "uuid-guid", DHCP_BYTES, ENGINE),                  /* RFC 4578 */
        ROW(98, "uap-servers", DHCP_TEXT),                         /* RFC 2485 */
        ROW(99, "geoconf-civic", DHCP_BYTES),                      /* RFC 4776 */
        ROW(100, "tz-posix", DHCP_TEXT),                           /* RFC 4833 */
        ROW(101, "tz-name", DHCP_TEXT),                            /* RFC 4833 */
        ROW(108, "v6-only-preferred", DHCP_U32),                   /* RFC 8925 */
        ROW(112, "netinfo-server-address", DHCP_ADDRESS, LIST),
        ROW(113, "netinfo-server-tag", DHCP_TEXT),
        ROW(114, "captive-portal", DHCP_TEXT),                  /* RFC 8910 */
        ROW(116, "auto-config", DHCP_U8),                       /* RFC 2563 */
        ROW(117, "name-service-search", DHCP_U16, LIST),        /* RFC 2937 */
        ROW(118, "subnet-selection", DHCP_ADDRESS, ENGINE),     /* RFC 3011 */
        ROW(119, "domain-search", DHCP_DOMAIN, LIST),           /* RFC 3397 */
        ROW(120, "sip-servers", DHCP_BYTES),                    /* RFC 3361 */
        ROW(121, "classless-static-routes", DHCP_ROUTE, LIST),  /* RFC 3442 */
        ROW(122, "cablelabs-client-configuration", DHCP_BYTES), /* RFC 3495 */
        ROW(123, "geoconf", DHCP_BYTES),                        /* RFC 6225 */
        ROW(124, "vivco", DHCP_BYTES),                          /* RFC 3925 */
        ROW(125, "vivso", DHCP_BYTES),                          /* RFC 3925 */
        ROW(136, "pana-agent", DHCP_ADDRESS, LIST),             /* RFC 5192 */
        ROW(137, "v4-lost", DHCP_DOMAIN),                       /* RFC 5223 */
        ROW(138, "capwap-ac-v4", DHCP_ADDRESS, LIST),           /* RFC 5417 */
        ROW(141, "sip-ua-cs-domains", DHCP_DOMAIN, LIST),       /* RFC 6011 */
        ROW(142, "ipv4-address-andsf", DHCP_ADDRESS, LIST),     /* RFC 6153 */
        ROW(150, "tftp-server-address", DHCP_ADDRESS, LIST),    /* RFC 5859 */
        ROW(159, "v4-portparams", DHCP_BYTES),                  /* RFC 7618 */
        ROW(160, "captive-portal-7710", DHCP_TEXT),             /* RFC 7710, before 114 */
        ROW(175, "ipxe-encap-opts", DHCP_BYTES),                /* iPXE, formerly Etherboot */
        ROW(208, "pxelinux-magic", DHCP_BYTES),                 /* RFC 5071 */
        ROW(209, "configfile", DHCP_TEXT),                      /* RFC 5071 */
        ROW(210, "pathprefix", DHCP_TEXT),                      /* RFC 5071 */
        ROW(211, "reboottime", DHCP_U32),                       /* RFC 5071 */
        ROW(212, "option-6rd", DHCP_BYTES),                     /* RFC 5969 */
        ROW(213, "v4-access-domain", DHCP_DOMAIN),              /* RFC 5986 */
        ROW(249, "ms-classless-static-routes", DHCP_ROUTE, LIST),
        ROW(252, "wpad", DHCP_TEXT),
        ROW(255, NULL, DHCP_BYTES, ENGINE),
};

static const char *const type_names[DHCP_TYPES] = {
        [DHCP_BYTES] = "bytes",     [DHCP_TEXT] = "text",     [DHCP_FLAG] = "flag",   [DHCP_U8] = "u8",
        [DHCP_U16] = "u16",         [DHCP_U32] = "u32",       [DHCP_S32] = "s32",     [DHCP_ADDRESS] = "address",
        [DHCP_NETWORK] = "network", [DHCP_DOMAIN] = "domain", [DHCP_ROUTE] = "route", [DHCP_EMPTY] = "empty",
        [DHCP_RELAYED] = "relayed",
};

struct dhcp_option dhcp_option_of(uint8_t code)
{
        struct dhcp_option option = options[code];

        option.code = code; /* rows without a name are zero */
        option.engine |= code == DHCP_OPT_PAD || code == DHCP_OPT_END;
        return option;
}

static bool same_name(const char *a, const char *b)
{
        for (; *a && *b; a++, b++)
                if (*a != *b && !(*a == '_' && *b == '-'))
                        return false;
        return *a == *b;
}

int dhcp_option_find(const char *name, struct dhcp_option *ret)
{
        char *end = NULL;
        unsigned long number = name[0] >= '0' && name[0] <= '9' ? strtoul(name, &end, 10) : 0;

        if (end && *end == '\0' && number > 0 && number < 255) {
                *ret = dhcp_option_of((uint8_t)number);
                return 0;
        }
        for (unsigned i = 1; i < 255; i++)
                if (options[i].name && same_name(name, options[i].name)) {
                        *ret = options[i];
                        return 0;
                }
        return -ENOENT;
}

const char *dhcp_option_nearest(const char *name)
{
        const char *names[256];
        size_t n = 0;

        for (unsigned i = 1; i < 255; i++)
                if (options[i].name && !options[i].engine)
                        names[n++] = options[i].name;
        names[n] = NULL;
        return str_nearest(name, names);
}

const char *dhcp_option_type_name(enum dhcp_option_type type)
{
        return type_names[type];
}

int dhcp_option_type_find(const char *name, enum dhcp_option_type *ret)
{
        for (int i = 0; i < DHCP_TYPES; i++)
                if (strcmp(name, type_names[i]) == 0) {
                        *ret = (enum dhcp_option_type)i;
                        return 0;
                }
        return -ENOENT;
}
