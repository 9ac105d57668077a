/* Values of DHCP options, text to bytes and back: see dhcp_option.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/dhcp_option.h"

/* Where bytes go; `full` when there was no room. */
struct output {
        uint8_t *p;
        size_t left;
        bool full;
};

static void put(struct output *out, const void *bytes, size_t n)
{
        if (n > out->left) {
                out->full = true;
                return;
        }
        memcpy(out->p, bytes, n);
        out->p += n;
        out->left -= n;
}

static int wrong(const struct dhcp_option *option, const char *value, const char *expected, struct error *err)
{
        if (option->name)
                return error_set(err, EINVAL, "option '%s': '%s' is not %s", option->name, value, expected);
        return error_set(err, EINVAL, "option %d: '%s' is not %s", option->code, value, expected);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int encode_bytes(const struct dhcp_option *option, const char *value, struct output *out, struct error *err)
{
        for (const char *p = value; *p;) {
                int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
                uint8_t byte;

                if (low < 0)
                        return wrong(option, value, "a row of bytes in hexadecimal, as 01:02:ff", err);
                byte = (uint8_t)(high << 4 | low);
                put(out, &byte, 1);
                p += 2;
                if ((*p == ':' || *p == '-' || *p == ' ') && p[1])
                        p++;
        }
        return 0;
}

static int encode_flag(const struct dhcp_option *option, const char *value, struct output *out, struct error *err)
{
        uint8_t flag = str_eq(value, "true") || str_eq(value, "1");

        if (!flag && !str_eq(value, "false") && !str_eq(value, "0"))
                return wrong(option, value, "true or false", err);
        put(out, &flag, 1);
        return 0;
}

/* In so many bytes; negative numbers for DHCP_S32 only. */
static int encode_number(const struct dhcp_option *option, const char *value, size_t bytes, struct output *out,
                         struct error *err)
{
        bool is_signed = option->type == DHCP_S32;
        long long low = is_signed ? INT32_MIN : 0, high = is_signed ? INT32_MAX : (1LL << 8 * bytes) - 1, number;
        const char *digits = value[0] == '-' ? value + 1 : value;
        uint8_t wire[4];
        char *end;

        errno = 0;
        number = strtoll(value, &end, str_starts(digits, "0x") ? 16 : 10);
        if (digits[0] < '0' || digits[0] > '9' || *end || errno || number < low || number > high)
                return wrong(option, value,
                             is_signed    ? "a number of 32 bits"
                             : bytes == 1 ? "a number from 0 to 255"
                             : bytes == 2 ? "a number from 0 to 65535"
                                          : "a number from 0 to 4294967295",
                             err);
        put_be32(wire, (uint32_t)number);
        put(out, wire + 4 - bytes, bytes);
        return 0;
}

static int encode_addresses(const struct dhcp_option *option, const char *value, size_t count, const char *expected,
                            struct output *out, struct error *err)
{
        CLEANUP_STRV char **words = str_split(value, " ");
        uint8_t address[4];

        if (strv_len(STRV(words)) != count)
                return wrong(option, value, expected, err);
        for (size_t i = 0; i < count; i++) {
                if (inet_pton(AF_INET, words[i], address) != 1)
                        return wrong(option, value, expected, err);
                put(out, address, sizeof(address));
        }
        return 0;
}

/* RFC 1035, section 3.1: labels of at most 63 bytes, 255 in all. */
static int encode_domain(const struct dhcp_option *option, const char *value, struct output *out, struct error *err)
{
        static const char expected[] = "a domain name";
        size_t len = strlen(value);

        if (len > 0 && value[len - 1] == '.')
                len--;
        if (len == 0 || len > 253)
                return wrong(option, value, expected, err);
        for (const char *p = value, *end = value + len; p < end;) {
                const char *dot = memchr(p, '.', (size_t)(end - p));
                size_t label = (size_t)((dot ? dot : end) - p);
                uint8_t n = (uint8_t)label;

                if (label == 0 || label > 63 || (dot && dot + 1 == end))
                        return wrong(option, value, expected, err);
                put(out, &n, 1);
                put(out, p, label);
                p += label + 1;
        }
        put(out, "", 1);
        return 0;
}

/* RFC 3442: the width of the mask, as many bytes of the destination as it covers, the router. */
static int encode_route(const struct dhcp_option *option, const char *value, struct output *out, struct error *err)
{
        static const char expected[] = "a route, as '10.0.0.0/8 192.0.2.1'";
        CLEANUP_STRV char **words = str_split(value, "/ ");
        uint8_t to[4], via[4], width8;
        unsigned long width;
        char *end;

        if (strv_len(STRV(words)) != 3 || words[1][0] < '0' || words[1][0] > '9')
                return wrong(option, value, expected, err);
        width = strtoul(words[1], &end, 10);
        if (*end || width > 32 || inet_pton(AF_INET, words[0], to) != 1 || inet_pton(AF_INET, words[2], via) != 1)
                return wrong(option, value, expected, err);
        if (width < 32 && get_be32(to) << width != 0)
                return wrong(option, value, "a route: the destination has bits beyond its mask", err);
        width8 = (uint8_t)width;
        put(out, &width8, 1);
        put(out, to, (width + 7) / 8);
        put(out, via, sizeof(via));
        return 0;
}

static int encode_one(const struct dhcp_option *option, const char *value, struct output *out, struct error *err)
{
        switch (option->type) {
        case DHCP_TEXT:
                put(out, value, strlen(value));
                return *value ? 0 : wrong(option, value, "a text of at least one character", err);
        case DHCP_FLAG:
                return encode_flag(option, value, out, err);
        case DHCP_U8:
                return encode_number(option, value, 1, out, err);
        case DHCP_U16:
                return encode_number(option, value, 2, out, err);
        case DHCP_U32:
        case DHCP_S32:
                return encode_number(option, value, 4, out, err);
        case DHCP_ADDRESS:
                return encode_addresses(option, value, 1, "an IPv4 address", out, err);
        case DHCP_NETWORK:
                return encode_addresses(option, value, 2, "two IPv4 addresses", out, err);
        case DHCP_DOMAIN:
                return encode_domain(option, value, out, err);
        case DHCP_ROUTE:
                return encode_route(option, value, out, err);
        case DHCP_EMPTY:
                return str_empty(value) || str_eq(value, "true") ? 0 : wrong(option, value, "empty", err);
        case DHCP_BYTES:
        case DHCP_RELAYED:
        case DHCP_TYPES:
                break;
        }
        return encode_bytes(option, value, out, err);
}

int dhcp_option_encode(const struct dhcp_option *option, const char *const *values, size_t n_values, uint8_t *buf,
                       size_t size, struct error *err)
{
        struct output out = {.p = buf, .left = size};
        int r = 0;

        if (n_values > 1 && !option->list)
                return wrong(option, values[1], "expected: this option has one value", err);
        for (size_t i = 0; i < n_values && r == 0; i++)
                r = encode_one(option, values[i], &out, err);
        if (r < 0)
                return r;
        if (out.full)
                return wrong(option, values[0], "short enough: it does not fit into a message", err);
        return (int)(out.p - buf);
}

/* ---- and back ---- */

static void format_bytes(const uint8_t *data, size_t len, struct str *ret)
{
        for (size_t i = 0; i < len; i++)
                str_addf(ret, "%s%02x", i ? ":" : "", data[i]);
}

static void format_text(const uint8_t *data, size_t len, struct str *ret)
{
        str_addc(ret, '"');
        for (size_t i = 0; i < len; i++) {
                if (data[i] < 0x20 || data[i] >= 0x7f || data[i] == '"' || data[i] == '\\')
                        str_addf(ret, "\\x%02x", data[i]);
                else
                        str_addc(ret, (char)data[i]);
        }
        str_addc(ret, '"');
}

static void format_address(const uint8_t *data, struct str *ret)
{
        str_addf(ret, "%d.%d.%d.%d", data[0], data[1], data[2], data[3]);
}

/* A name without compression; its length, or 0 if it is none. */
static size_t format_domain(const uint8_t *data, size_t len, struct str *ret)
{
        size_t i = 0;

        while (i < len && data[i] != 0) {
                size_t label = data[i];

                if (label > 63 || label >= len - i)
                        return 0;
                if (i)
                        str_addc(ret, '.');
                for (size_t k = i + 1; k <= i + label; k++)
                        str_addc(ret, data[k] > 0x20 && data[k] < 0x7f ? (char)data[k] : '?');
                i += label + 1;
        }
        return i < len ? i + 1 : 0;
}

static size_t format_route(const uint8_t *data, size_t len, struct str *ret)
{
        size_t covered = (data[0] + 7u) / 8;
        uint8_t to[4] = {0};

        if (data[0] > 32 || len < 1 + covered + 4)
                return 0;
        memcpy(to, data + 1, covered);
        format_address(to, ret);
        str_addf(ret, "/%d ", data[0]);
        format_address(data + 1 + covered, ret);
        return 1 + covered + 4;
}

/* One value at data (len > 0): how many bytes it took, or 0: it is not of this type. */
static size_t format_one(enum dhcp_option_type type, const uint8_t *data, size_t len, struct str *ret)
{
        static const size_t lengths[DHCP_TYPES] = {
                [DHCP_FLAG] = 1, [DHCP_U8] = 1,      [DHCP_U16] = 2,    [DHCP_U32] = 4,
                [DHCP_S32] = 4,  [DHCP_ADDRESS] = 4, [DHCP_NETWORK] = 8};

        if (len < lengths[type])
                return 0;
        switch (type) {
        case DHCP_TEXT:
                format_text(data, len, ret);
                return len;
        case DHCP_FLAG:
                str_add(ret, data[0] ? "true" : "false");
                break;
        case DHCP_U8:
                str_addf(ret, "%u", data[0]);
                break;
        case DHCP_U16:
                str_addf(ret, "%u", get_be16(data));
                break;
        case DHCP_U32:
                str_addf(ret, "%u", get_be32(data));
                break;
        case DHCP_S32:
                str_addf(ret, "%d", (int32_t)get_be32(data));
                break;
        case DHCP_NETWORK:
                format_address(data, ret);
                str_addc(ret, ' ');
                format_address(data + 4, ret);
                break;
        case DHCP_ADDRESS:
                format_address(data, ret);
                break;
        case DHCP_DOMAIN:
                return format_domain(data, len, ret);
        case DHCP_ROUTE:
                return format_route(data, len, ret);
        case DHCP_BYTES:
        case DHCP_EMPTY:
        case DHCP_RELAYED:
        case DHCP_TYPES:
                return 0;
        }
        return lengths[type];
}

/* Sub-options {code, length, bytes} as far as they are whole. */
static void format_relayed(const uint8_t *data, size_t len, struct str *ret)
{
        size_t i = 0;

        while (len - i >= 2 && len - i - 2 >= data[i + 1]) {
                str_addf(ret, "%s%d=", i ? " " : "", data[i]);
                format_bytes(data + i + 2, data[i + 1], ret);
                i += 2u + data[i + 1];
        }
        if (i < len) {
                str_addf(ret, "%s?", i ? " " : "");
                format_bytes(data + i, len - i, ret);
        }
}

void dhcp_option_format(const struct dhcp_option *option, const uint8_t *data, size_t len, struct str *ret)
{
        CLEANUP_STR struct str text = {0};
        size_t i = 0;

        if (option->type == DHCP_RELAYED) {
                format_relayed(data, len, ret);
                return;
        }
        while (i < len && (i == 0 || option->list)) {
                size_t used;

                if (i)
                        str_add(&text, ", ");
                used = format_one(option->type, data + i, len - i, &text);
                if (used == 0)
                        break;
                i += used;
        }
        if (i == len && len > 0)
                str_add(ret, str_get(&text));
        else
                format_bytes(data, len, ret);
}
