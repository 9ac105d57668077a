/* Values of the site file as C: addresses, subnets, ranges, MACs. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/schema.h"
#include "site/site_internal.h"

/* ---- texts ---- */

bool site_parse_address(const char *s, uint32_t *ret)
{
        struct in_addr address;

        if (inet_pton(AF_INET, s, &address) != 1)
                return false;
        *ret = ntohl(address.s_addr);
        return true;
}

/* n bytes in hexadecimal, between any two of which there may be one of the separators. */
static bool parse_hex(const char *s, const char *separators, uint8_t *ret, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char digits[] = {s[0], s[0] ? s[1] : '\0', '\0'};

                if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
                        return false;
                ret[i] = (uint8_t)strtoul(digits, NULL, 16);
                s += 2;
                if (*s && i + 1 < n && strchr(separators, *s))
                        s++;
        }
        return *s == '\0';
}

bool site_parse_mac(const char *s, uint8_t ret[6])
{
        size_t n = strlen(s);
        uint8_t mac[6];

        if ((n != 12 && n != 17 && n != 14) || !parse_hex(s, ":-.", mac, 6))
                return false;
        memcpy(ret, mac, 6);
        return true;
}

bool site_parse_uuid(const char *s, uint8_t ret[16])
{
        uint8_t uuid[16];

        if (!parse_hex(s, "-", uuid, 16))
                return false;
        memcpy(ret, uuid, 16);
        return true;
}

const char *site_show_address(struct arena *arena, uint32_t address)
{
        return arena_printf(arena, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff,
                            address & 0xff);
}

/* ---- values ---- */

bool site_value_text(struct load *load, const struct hcl_value *value, struct range at, const char *what,
                     const char **ret)
{
        const struct hcl_value *text = value;

        if (value->type->kind == HCL_NUMBER && hcl_convert(load->arena, value, &hcl_string, &text, NULL) < 0)
                text = value;
        if (text->state != HCL_KNOWN || text->type->kind != HCL_STRING) {
                diag_error(load->diags, at, "'%s' is a string, not %s", what,
                           hcl_type_friendly(load->arena, value->type));
                return false;
        }
        if (strlen(text->string.s) != text->string.len) {
                diag_error(load->diags, at, "a NUL character cannot be used here");
                return false;
        }
        *ret = text->string.s;
        return true;
}

bool site_value_address(struct load *load, const struct hcl_value *value, struct range at, uint32_t *ret)
{
        const char *text;

        if (!site_value_text(load, value, at, "address", &text))
                return false;
        if (site_parse_address(text, ret) && *ret != 0)
                return true;
        diag_error(load->diags, at, "'%s' is no IPv4 address such as 192.0.2.1", text);
        return false;
}

bool site_value_subnet(struct load *load, const struct hcl_value *value, struct range at, bool host, uint32_t ret[2])
{
        CLEANUP_FREE char *address = NULL;
        const char *text, *slash;
        uint32_t base, mask = 0;
        unsigned long bits;
        char *end;

        if (!site_value_text(load, value, at, host ? "address" : "subnet", &text))
                return false;
        slash = strchr(text, '/');
        address = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(text);
        bits = slash ? strtoul(slash + 1, &end, 10) : 0;
        if (!site_parse_address(address, &base) || (!slash && !host) ||
            (slash && (!isdigit((unsigned char)slash[1]) || *end || bits < 1 || bits > 32))) {
                diag_error(load->diags, at,
                           host ? "'%s' is no address such as 192.0.2.1 or 192.0.2.1/24"
                                : "'%s' is no subnet such as 192.0.2.0/24",
                           text);
                return false;
        }
        if (slash)
                mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - bits));
        if (!host && (base & ~mask)) {
                diag_error(load->diags, at, "'%s' is an address in a subnet; the subnet is %s/%lu", text,
                           site_show_address(load->arena, base & mask), bits);
                return false;
        }
        ret[0] = base;
        ret[1] = mask;
        return true;
}

bool site_value_seconds(struct load *load, const struct hcl_value *value, struct range at, uint32_t *ret)
{
        CLEANUP_ERROR struct error err = {0};
        int64_t n;

        if (value->type->kind == HCL_STRING) {
                if (duration_parse(value->string.s, &n, &err) < 0) {
                        diag_error(load->diags, at, "%s", error_message(&err));
                        return false;
                }
                n /= 1000;
        } else if (value->type->kind != HCL_NUMBER || !hcl_number_int(value, &n)) {
                n = 0;
        }
        if (n < 1 || n > UINT32_MAX) {
                diag_error(load->diags, at, "a time is needed: \"12h\", \"30m\", or a number of seconds");
                return false;
        }
        *ret = (uint32_t)n;
        return true;
}

static bool is_list(const struct hcl_value *value)
{
        return value->state == HCL_KNOWN &&
               (value->type->kind == HCL_TUPLE || value->type->kind == HCL_LIST || value->type->kind == HCL_SET);
}

static bool read_range(struct load *load, const struct hcl_value *value, struct range at, struct site_range *ret)
{
        if (!is_list(value) || value->list.n != 2) {
                diag_error(load->diags, at,
                           "a range is the first and the last address: [\"192.0.2.100\", \"192.0.2.200\"]");
                return false;
        }
        if (!site_value_address(load, value->list.v[0], at, &ret->first) ||
            !site_value_address(load, value->list.v[1], at, &ret->last))
                return false;
        if (ret->first > ret->last) {
                diag_error(load->diags, at, "the range ends before it begins: %s is after %s",
                           site_show_address(load->arena, ret->first), site_show_address(load->arena, ret->last));
                return false;
        }
        return true;
}

bool site_value_ranges(struct load *load, const struct hcl_value *value, struct range at, struct site_ranges_key *ret)
{
        bool many = is_list(value) && value->list.n > 0 && is_list(value->list.v[0]);
        size_t n = many ? value->list.n : 1;
        struct site_range *ranges = arena_array(load->arena, n, sizeof(*ranges));

        if (value->type->kind == HCL_STRING && strcmp(value->string.s, "auto") == 0) {
                ret->automatic = true;
                return true;
        }
        for (size_t i = 0; i < n; i++)
                if (!read_range(load, many ? value->list.v[i] : value, at, &ranges[i]))
                        return false;
        ret->ranges = (struct site_ranges){ranges, n};
        return true;
}

bool site_value_macs(struct load *load, const struct hcl_value *value, struct range at, struct site_macs *ret)
{
        size_t n = is_list(value) ? value->list.n : 1, first = ret->n;
        uint8_t(*macs)[6] = arena_array(load->arena, first + n, sizeof(*macs));
        const char *text;

        if (first > 0)
                memcpy(macs, ret->v, first * sizeof(*macs));
        for (size_t i = 0; i < n; i++) {
                if (!site_value_text(load, is_list(value) ? value->list.v[i] : value, at, "mac", &text))
                        return false;
                if (!site_parse_mac(text, macs[first + i])) {
                        diag_error(load->diags, at, "'%s' is no MAC address such as 52:54:00:12:34:56", text);
                        return false;
                }
                if (macs[first + i][0] & 1) {
                        diag_error(load->diags, at, "'%s' is the address of a group, not of one machine", text);
                        return false;
                }
        }
        *ret = (struct site_macs){macs, first + n};
        return true;
}
