/* Reading DHCPv4 messages: see dhcp.h. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/dhcp.h"

/* Offsets of RFC 2131, figure 1. */
enum {
        AT_OP = 0,
        AT_HTYPE = 1,
        AT_HLEN = 2,
        AT_HOPS = 3,
        AT_XID = 4,
        AT_SECS = 8,
        AT_FLAGS = 10,
        AT_CIADDR = 12,
        AT_YIADDR = 16,
        AT_SIADDR = 20,
        AT_GIADDR = 24,
        AT_CHADDR = 28,
        AT_SNAME = 44,
        AT_FILE = 108,
        AT_COOKIE = 236,
        SNAME_SIZE = 64,
        FILE_SIZE = 128,
};
static const uint8_t cookie[4] = {99, 130, 83, 99};

static const char *const type_names[DHCP_MESSAGE_TYPES] = {
        [DHCP_NONE] = "BOOTP",      [DHCP_DISCOVER] = "DISCOVER", [DHCP_OFFER] = "OFFER",
        [DHCP_REQUEST] = "REQUEST", [DHCP_DECLINE] = "DECLINE",   [DHCP_ACK] = "ACK",
        [DHCP_NAK] = "NAK",         [DHCP_RELEASE] = "RELEASE",   [DHCP_INFORM] = "INFORM",
};

const char *dhcp_type_name(enum dhcp_type type)
{
        return (unsigned)type < DHCP_MESSAGE_TYPES ? type_names[type] : "?";
}

/* ---- options: areas of {code, length, bytes}, read twice ---- */

struct area {
        const uint8_t *p;
        size_t left;
};

/* The next option of an area. 1: there is one; 0: the end; -EBADMSG. */
static int next_option(struct area *area, uint8_t *ret_code, const uint8_t **ret_data, size_t *ret_len)
{
        while (area->left > 0 && area->p[0] == DHCP_OPT_PAD) {
                area->p++;
                area->left--;
        }
        if (area->left == 0 || area->p[0] == DHCP_OPT_END)
                return 0;
        if (area->left < 2 || area->left - 2 < area->p[1])
                return -EBADMSG;
        *ret_code = area->p[0];
        *ret_len = area->p[1];
        *ret_data = area->p + 2;
        area->p += 2 + *ret_len;
        area->left -= 2 + *ret_len;
        return 1;
}

/* How long each option is, all its pieces together, and in which order they come. */
static int measure(struct area area, struct dhcp_message *message)
{
        const uint8_t *data;
        uint8_t code;
        size_t len;
        int r;

        while ((r = next_option(&area, &code, &data, &len)) > 0) {
                if (!message->at[code]) {
                        message->at[code] = 1; /* for now: it is there */
                        message->order[message->n_options++] = code;
                }
                message->len[code] = (uint16_t)(message->len[code] + len); /* the sum is below DHCP_SIZE_MAX */
        }
        return r;
}

/* The bytes, each piece after the one before it. `filled` counts those of each code. */
static void collect(struct area area, struct dhcp_message *message, uint16_t filled[256])
{
        const uint8_t *data;
        uint8_t code;
        size_t len;

        while (next_option(&area, &code, &data, &len) > 0) {
                memcpy(message->bytes + message->at[code] + filled[code], data, len);
                filled[code] = (uint16_t)(filled[code] + len);
        }
}

/* RFC 2132, section 9.3, looked for in the options field alone. */
static int find_overload(struct area area, const char **ret_reason)
{
        const uint8_t *data;
        uint8_t code;
        size_t len;

        while (next_option(&area, &code, &data, &len) > 0)
                if (code == DHCP_OPT_OVERLOAD) {
                        if (len == 1 && data[0] >= 1 && data[0] <= 3)
                                return data[0];
                        *ret_reason = "option 52 (overload) is neither 1, 2 nor 3";
                        return -EBADMSG;
                }
        return 0;
}

static int parse_options(const uint8_t *p, size_t size, struct dhcp_message *message, const char **ret_reason)
{
        struct area areas[3] = {{p + DHCP_HEADER, size - DHCP_HEADER}}; /* in the order of RFC 3396, section 5 */
        uint16_t filled[256] = {0};
        int overload = find_overload(areas[0], ret_reason);

        if (overload < 0)
                return overload;
        message->overload = (uint8_t)overload;
        if (overload & 1)
                areas[1] = (struct area){p + AT_FILE, FILE_SIZE};
        if (overload & 2)
                areas[2] = (struct area){p + AT_SNAME, SNAME_SIZE};
        for (int i = 0; i < 3; i++)
                if (measure(areas[i], message) < 0) {
                        *ret_reason = "an option reaches past the end";
                        return -EBADMSG;
                }
        message->n_bytes = 1;
        for (unsigned i = 0; i < message->n_options; i++) {
                uint8_t code = message->order[i];

                message->at[code] = message->n_bytes;
                message->n_bytes = (uint16_t)(message->n_bytes + message->len[code]);
        }
        for (int i = 0; i < 3; i++)
                collect(areas[i], message, filled);
        return 0;
}

static void parse_header(const uint8_t *p, struct dhcp_header *h)
{
        h->op = p[AT_OP];
        h->htype = p[AT_HTYPE];
        h->hlen = p[AT_HLEN];
        h->hops = p[AT_HOPS];
        h->xid = get_be32(p + AT_XID);
        h->secs = get_be16(p + AT_SECS);
        h->flags = get_be16(p + AT_FLAGS);
        h->ciaddr = get_be32(p + AT_CIADDR);
        h->yiaddr = get_be32(p + AT_YIADDR);
        h->siaddr = get_be32(p + AT_SIADDR);
        h->giaddr = get_be32(p + AT_GIADDR);
        memcpy(h->chaddr, p + AT_CHADDR, sizeof(h->chaddr));
}

static void copy_text(char *to, const uint8_t *from, size_t size)
{
        memcpy(to, from, size);
        to[size] = '\0';
}

static int refuse(const char **ret_reason, const char *reason)
{
        *ret_reason = reason;
        return -EBADMSG;
}

int dhcp_parse(const void *bytes, size_t size, struct dhcp_message *ret, const char **ret_reason)
{
        const uint8_t *p = bytes;
        int r;

        if (size < DHCP_HEADER)
                return refuse(ret_reason, "shorter than 240 bytes");
        if (size >= DHCP_SIZE_MAX)
                return refuse(ret_reason, "longer than 4095 bytes");
        if (memcmp(p + AT_COOKIE, cookie, sizeof(cookie)) != 0)
                return refuse(ret_reason, "no DHCP magic cookie");
        if (p[AT_OP] != DHCP_REQUEST_OP && p[AT_OP] != DHCP_REPLY_OP)
                return refuse(ret_reason, "op is neither 1 nor 2");
        if (p[AT_HLEN] > sizeof(ret->h.chaddr))
                return refuse(ret_reason, "a hardware address of more than 16 bytes");
        memset(ret, 0, offsetof(struct dhcp_message, bytes));
        parse_header(p, &ret->h);
        r = parse_options(p, size, ret, ret_reason);
        if (r < 0)
                return r;
        if (!(ret->overload & 1))
                copy_text(ret->h.file, p + AT_FILE, FILE_SIZE);
        if (!(ret->overload & 2))
                copy_text(ret->h.sname, p + AT_SNAME, SNAME_SIZE);
        if (ret->at[DHCP_OPT_TYPE]) {
                ret->type = ret->len[DHCP_OPT_TYPE] == 1 ? ret->bytes[ret->at[DHCP_OPT_TYPE]] : 0;
                if (ret->type == 0 || ret->type >= DHCP_MESSAGE_TYPES)
                        return refuse(ret_reason, "option 53 (message type) is not from 1 to 8");
        }
        return 0;
}

const uint8_t *dhcp_get(const struct dhcp_message *message, uint8_t code, size_t *ret_len)
{
        *ret_len = message->len[code];
        return message->at[code] ? message->bytes + message->at[code] : NULL;
}

bool dhcp_has(const struct dhcp_message *message, uint8_t code)
{
        return message->at[code] != 0;
}

uint16_t dhcp_get_u16(const struct dhcp_message *message, uint8_t code, uint16_t otherwise)
{
        return message->at[code] && message->len[code] == 2 ? get_be16(message->bytes + message->at[code]) : otherwise;
}

uint32_t dhcp_get_u32(const struct dhcp_message *message, uint8_t code, uint32_t otherwise)
{
        return message->at[code] && message->len[code] == 4 ? get_be32(message->bytes + message->at[code]) : otherwise;
}

const uint8_t *dhcp_sub_get(const uint8_t *data, size_t len, uint8_t code, size_t *ret_len)
{
        while (len >= 2 && len - 2 >= data[1]) {
                if (data[0] == code) {
                        *ret_len = data[1];
                        return data + 2;
                }
                len -= 2u + data[1];
                data += 2u + data[1];
        }
        return NULL;
}
