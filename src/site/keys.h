/* The site file's blocks as tables: one row for each key, from which it is
 * read, checked, and its page in the manual tested. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "hcl/syntax.h"
#include "site/site.h"

enum site_key_type {
        KEY_STRING,    /* const char * */
        KEY_BOOL,      /* bool */
        KEY_CHOICE,    /* int: the place in `choices` */
        KEY_SECONDS,   /* uint32_t: a number of seconds, or "12h" */
        KEY_PORT,      /* uint16_t */
        KEY_ADDRESS,   /* uint32_t */
        KEY_INTERFACE, /* two uint32_t, address and mask: "192.0.2.1" (mask 0) or "192.0.2.1/24" */
        KEY_SUBNET,    /* the same: "192.0.2.0/24" */
        KEY_RANGES,    /* struct site_ranges_key: ["first", "last"], a list of those, or "auto" */
        KEY_MACS,      /* struct site_macs: one or a list */
        KEY_UUID,      /* struct site_uuid */
        KEY_SERIAL,    /* uint32_t: eight hexadecimal digits */
        KEY_PATH,      /* const char *: absolute; relative ones begin at the site file's folder */
        KEY_PROFILE,   /* const struct site_profile *: profile.NAME */
        KEY_VALUE,     /* const struct hcl_value *: an object */
        KEY_EXPR,      /* const struct hcl_expr *: evaluated for each machine */
        KEY_OPTION,    /* a DHCP option, added to the block's: see site_option_key() */
};

struct site_ranges_key {
        struct site_ranges ranges;
        bool automatic;
};
struct site_macs {
        uint8_t (*v)[6];
        size_t n;
};
struct site_uuid {
        bool given;
        uint8_t bytes[16]; /* in the order of the text */
};

struct site_key {
        const char *name;
        enum site_key_type type;
        size_t offset; /* in the struct that is filled */
        bool required;
        bool secret;                /* messages do not show what is written there */
        const char *const *choices; /* KEY_CHOICE: NULL-terminated */
        const char *help;
};

/* A row: the struct that is filled, then name, type, member and what else there is to say. */
#define SITE_KEY(struct_type, key, kind, member, ...)                                                                  \
        {                                                                                                              \
                .name = (key), .type = (kind), .offset = offsetof(struct_type, member), __VA_ARGS__                    \
        }
#define SITE_KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

/* A kind of block, or (type NULL) the top level. */
struct site_block {
        const char *type, *label; /* label NULL: none */
        const struct site_key *keys;
        size_t n_keys;
        const char *const *blocks; /* kinds of blocks in it, NULL-terminated; or NULL */
        const char *help;
};

/* All of them, ended by a row whose keys are NULL. */
extern const struct site_block *const site_blocks[];
