/* Networks in CIDR notation (RFC 4632, RFC 4291), IPv4 and IPv6. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "hcl/func.h"

typedef unsigned __int128 address;

struct network {
        address ip; /* in the low bits */
        int bits;   /* 32 or 128 */
        int prefix;
};

static address ones(int n)
{
        return n == 0 ? 0 : ~(address)0 >> (128 - n);
}

static address from_bytes(const unsigned char *p, size_t n)
{
        address ip = 0;

        for (size_t i = 0; i < n; i++)
                ip = ip << 8 | p[i];
        return ip;
}

/* An address, a slash, and the prefix's length; what follows the prefix becomes zero. */
static bool parse(struct hcl_call *call, struct network *ret)
{
        struct hcl_string text = func_text(call, 0);
        const char *slash = memchr(text.s, '/', text.len);
        unsigned char bytes[16];
        char ip[INET6_ADDRSTRLEN];
        size_t n = slash ? (size_t)(slash - text.s) : 0, digits;

        if (slash && n < sizeof(ip) && strlen(text.s) == text.len) {
                memcpy(ip, text.s, n);
                ip[n] = '\0';
                ret->bits = inet_pton(AF_INET, ip, bytes) == 1 ? 32 : inet_pton(AF_INET6, ip, bytes) == 1 ? 128 : 0;
                digits = strspn(slash + 1, "0123456789");
                ret->prefix = digits > 0 && digits <= 3 && !slash[1 + digits] ? (int)strtol(slash + 1, NULL, 10) : -1;
                if (ret->bits > 0 && ret->prefix >= 0 && ret->prefix <= ret->bits) {
                        ret->ip = from_bytes(bytes, (size_t)ret->bits / 8) & ~ones(ret->bits - ret->prefix);
                        return true;
                }
        }
        func_fail(call, 0, "\"%s\" is no address with a prefix, such as \"10.0.0.0/8\" or \"fd00::/48\"", text.s);
        return false;
}

/* RFC 5952: the longest run of at least two zero groups becomes "::". */
static void add_ipv6(struct str *out, address ip)
{
        int best = -1, best_n = 1, run = 0;

        for (int i = 0; i < 8; i++) {
                run = (uint16_t)(ip >> (16 * (7 - i))) == 0 ? run + 1 : 0;
                if (run > best_n) {
                        best_n = run;
                        best = i - run + 1;
                }
        }
        for (int i = 0; i < 8; i++) {
                if (i == best) {
                        str_add(out, "::");
                        i += best_n - 1;
                        continue;
                }
                str_addf(out, "%s%x", i > 0 && i != best + best_n ? ":" : "",
                         (unsigned int)(uint16_t)(ip >> (16 * (7 - i))));
        }
}

/* Go writes IPv4 addresses that are mapped into IPv6 as IPv4, and so does this. */
static void add_address(struct str *out, address ip, int bits)
{
        uint32_t low = (uint32_t)ip;

        if (bits == 32 || ip >> 32 == 0xffff)
                str_addf(out, "%u.%u.%u.%u", low >> 24, low >> 16 & 0xff, low >> 8 & 0xff, low & 0xff);
        else
                add_ipv6(out, ip);
}

static const struct hcl_value *network_value(struct hcl_call *call, struct network network)
{
        CLEANUP_STR struct str out = {0};

        add_address(&out, network.ip, network.bits);
        str_addf(&out, "/%d", network.prefix);
        return func_string(call, &out);
}

CALL(cidrhost)
{
        CLEANUP_STR struct str out = {0};
        struct network network;
        int64_t number;
        address last, host;

        if (!func_int(call, 1, &number) || !parse(call, &network))
                return NULL;
        last = ones(network.bits - network.prefix);
        host = number < 0 ? (address)(-(number + 1)) : (address)number;
        if (host > last)
                return func_fail(call, 1, "a prefix of %d bits has no room for a host with the number %lld",
                                 network.prefix, (long long)number);
        add_address(&out, network.ip | (number < 0 ? last - host : host), network.bits);
        return func_string(call, &out);
}

CALL(cidrnetmask)
{
        CLEANUP_STR struct str out = {0};
        struct network network;

        if (!parse(call, &network))
                return NULL;
        add_address(&out, ones(network.bits) & ~ones(network.bits - network.prefix), network.bits);
        return func_string(call, &out);
}

CALL(cidrsubnet)
{
        struct network network;
        int64_t bits, number;

        if (!func_int(call, 1, &bits) || !func_int(call, 2, &number) || !parse(call, &network))
                return NULL;
        if (bits < 0 || bits > 32)
                return func_fail(call, 1, "a prefix is extended by at most 32 bits");
        if (network.prefix + bits > network.bits)
                return func_fail(call, 1, "a prefix of %d bits cannot be extended by %d: the address has %d",
                                 network.prefix, (int)bits, network.bits);
        if (number < 0 || number > (int64_t)ones((int)bits))
                return func_fail(call, 2, "%d bits have no room for a subnet with the number %lld", (int)bits,
                                 (long long)number);
        network.prefix += (int)bits;
        network.ip |= network.prefix == 0 ? 0 : (address)number << (network.bits - network.prefix);
        return network_value(call, network);
}

/* Each subnet begins where the one before it ends, at the next address that its length allows. */
CALL(cidrsubnets)
{
        const struct hcl_value **v = arena_array(call->arena, call->n, sizeof(const struct hcl_value *));
        struct network network;
        address offset = 0; /* of what is free, in the network */
        bool full = false;

        if (!parse(call, &network))
                return NULL;
        for (size_t i = 1; i < call->n; i++) {
                struct network subnet = network;
                int64_t bits;
                address size;

                if (!func_int(call, i, &bits))
                        return NULL;
                if (bits < 1 || bits > 32)
                        return func_fail(call, i, "a prefix is extended by 1 to 32 bits");
                if (network.prefix + bits > network.bits)
                        return func_fail(call, i, "a prefix of %d bits cannot be extended by %d: the address has %d",
                                         network.prefix, (int)bits, network.bits);
                subnet.prefix += (int)bits;
                size = ones(network.bits - subnet.prefix);
                if (full || offset + size < offset || ((offset + size) & ~size) > ones(network.bits - network.prefix))
                        return func_fail(call, i, "there is no room left for a subnet with a prefix of %d bits",
                                         subnet.prefix);
                offset = (offset + size) & ~size;
                subnet.ip |= offset;
                v[i - 1] = network_value(call, subnet);
                full = offset + size == ones(network.bits - network.prefix);
                offset += size + 1;
        }
        return func_list_of_strings(call, v, call->n - 1);
}

#define TEXT .returns = &hcl_string
#define PREFIX                                                                                                         \
        {                                                                                                              \
                "prefix", &hcl_string                                                                                  \
        }

FUNCTION(cidrhost, TEXT, PARAMS(PREFIX, {"hostnum", &hcl_number}),
         .help = "The address of a host in a network, by its number; from the end if that is negative.");
FUNCTION(cidrnetmask, TEXT, PARAMS(PREFIX), .help = "The netmask of a network.");
FUNCTION(cidrsubnet, TEXT, PARAMS(PREFIX, {"newbits", &hcl_number}, {"netnum", &hcl_number}),
         .help = "A subnet whose prefix is longer by some bits, by its number.");
FUNCTION(cidrsubnets, .returns = &func_string_list, PARAMS(PREFIX), VARIADIC("newbits", &hcl_number),
         .help = "Subnets one after the other, with prefixes that are longer by these bits.");
