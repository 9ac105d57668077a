/* Who sent a DHCP message: see client.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/client.h"
#include "wire/dhcp.h"
#include "wire/fqdn.h"

/* ---- texts of any bytes ---- */

/* Length of the UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_sequence(const uint8_t *p, size_t len)
{
        static const struct {
                uint8_t mask, lead;
                size_t len;
        } forms[] = {{0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};

        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                if ((p[0] & forms[i].mask) != forms[i].lead)
                        continue;
                if (len < forms[i].len || p[0] < 0xc2 || p[0] > 0xf4)
                        return 0;
                if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
                    (p[0] == 0xf4 && p[1] > 0x8f))
                        return 0; /* too long a form, a surrogate, beyond U+10FFFF */
                for (size_t k = 1; k < forms[i].len; k++)
                        if ((p[k] & 0xc0) != 0x80)
                                return 0;
                return forms[i].len;
        }
        return 0;
}

/* As text that may be shown and stored anywhere; cut off where there is no more room. */
static void read_text(const uint8_t *data, size_t len, char *ret, size_t size)
{
        size_t n = 0;

        while (len > 0 && data[len - 1] == '\0') /* some end it as in C */
                len--;
        for (size_t i = 0; i < len;) {
                bool plain = data[i] >= 0x20 && data[i] < 0x7f && data[i] != '\\';
                bool control = data[i] == 0xc2 && len - i > 1 && data[i + 1] < 0xa0; /* U+0080 to U+009F */
                size_t take = plain ? 1 : control ? 0 : utf8_sequence(data + i, len - i);

                if (n + (take ? take : 4) >= size)
                        break;
                if (take) {
                        memcpy(ret + n, data + i, take);
                        n += take;
                        i += take;
                } else {
                        n += (size_t)snprintf(ret + n, size - n, "\\x%02x", data[i++]);
                }
        }
        ret[n] = '\0';
}

static void read_option_text(const struct dhcp_message *message, uint8_t code, char *ret, size_t size)
{
        size_t len;
        const uint8_t *data = dhcp_get(message, code, &len);

        ret[0] = '\0';
        if (data)
                read_text(data, len, ret, size);
}

/* RFC 3004: instances of {length, text}, shown with a blank between them; or the raw text that iPXE and others send. */
static void read_user_class(const struct dhcp_message *message, char *ret, size_t size)
{
        size_t len, i = 0, n = 0;
        const uint8_t *data = dhcp_get(message, DHCP_OPT_USER_CLASS, &len);

        ret[0] = '\0';
        if (!data)
                return;
        while (i < len && data[i] > 0 && data[i] < len - i)
                i += 1u + data[i];
        if (i != len) {
                read_text(data, len, ret, size);
                return;
        }
        for (i = 0; i < len && n + 2 < size; i += 1u + data[i]) {
                if (i)
                        ret[n++] = ' ';
                read_text(data + i + 1, data[i], ret + n, size - n);
                n += strlen(ret + n);
        }
}

/* ---- the fields ---- */

static void read_identity(const struct dhcp_message *message, struct client *ret)
{
        const struct dhcp_header *h = &message->h;
        size_t len;
        const uint8_t *id = dhcp_get(message, DHCP_OPT_CLIENT_ID, &len);

        ret->has_mac = h->htype == DHCP_ETHERNET && h->hlen == 6;
        if (ret->has_mac)
                memcpy(ret->mac, h->chaddr, sizeof(ret->mac));
        if (id && len >= 2) { /* type and at least one byte (RFC 2132, section 9.14) */
                ret->id_len = (uint8_t)(len < sizeof(ret->id) ? len : sizeof(ret->id));
                memcpy(ret->id, id, ret->id_len);
                return;
        }
        ret->id[0] = h->htype;
        memcpy(ret->id + 1, h->chaddr, h->hlen);
        ret->id_len = (uint8_t)(1 + h->hlen);
}

static void read_archs(const struct dhcp_message *message, struct client *ret)
{
        size_t len;
        const uint8_t *data = dhcp_get(message, DHCP_OPT_ARCH, &len);

        for (; data && len >= 2 && ret->n_archs < CLIENT_ARCHS; data += 2, len -= 2)
                ret->archs[ret->n_archs++] = get_be16(data);
}

static bool all_bytes(const uint8_t *p, size_t n, uint8_t value)
{
        while (n > 0 && p[n - 1] == value)
                n--;
        return n == 0;
}

static void read_uuid(const struct dhcp_message *message, struct client *ret)
{
        size_t len;
        const uint8_t *data = dhcp_get(message, DHCP_OPT_UUID, &len);

        if (!data || len != 1 + sizeof(ret->uuid) || data[0] != 0 || all_bytes(data + 1, sizeof(ret->uuid), 0))
                return;
        memcpy(ret->uuid, data + 1, sizeof(ret->uuid));
        ret->has_uuid = true;
}

/* PXEClient:Arch:00007:UNDI:003000, where there is no option 93. */
static void read_class_arch(struct client *ret)
{
        const char *arch = strstr(ret->vendor_class, ":Arch:");
        unsigned long value;
        char *end;

        if (ret->n_archs > 0 || !arch)
                return;
        arch += strlen(":Arch:");
        value = strtoul(arch, &end, 10);
        if (end > arch && value <= UINT16_MAX)
                ret->archs[ret->n_archs++] = (uint16_t)value;
}

static void read_platform(struct client *ret)
{
        for (size_t i = 0; i < ret->n_archs && ret->platform == PLATFORM_UNKNOWN; i++) {
                bool http;

                ret->platform = client_platform_of_arch(ret->archs[i], &http);
                ret->http = ret->platform != PLATFORM_UNKNOWN && http;
        }
}

/* ---- Raspberry Pi: its ROM and EEPROM claim to be BIOS PCs, though there is a number of their own ---- */

enum { ARCH_RPIBOOT = 0x29 };

static const struct {
        uint8_t oui[3];
        enum client_platform platform;
} pi_ouis[] = {
        {{0xb8, 0x27, 0xeb}, PLATFORM_PI3}, {{0xdc, 0xa6, 0x32}, PLATFORM_PI4}, {{0xe4, 0x5f, 0x01}, PLATFORM_PI4},
        {{0x28, 0xcd, 0xc1}, PLATFORM_PI4}, {{0xd8, 0x3a, 0xdd}, PLATFORM_PI5}, {{0x2c, 0xcf, 0x67}, PLATFORM_PI5},
};

static enum client_platform pi_by_oui(const struct client *client)
{
        for (size_t i = 0; client->has_mac && i < sizeof(pi_ouis) / sizeof(pi_ouis[0]); i++)
                if (memcmp(client->mac, pi_ouis[i].oui, sizeof(pi_ouis[i].oui)) == 0)
                        return pi_ouis[i].platform;
        return PLATFORM_UNKNOWN;
}

/* Bytes 4 to 7 and 12 to 15 of the identifier, little-endian as the FourCC is;
 * a new-style revision code, which has bit 23 set, tells if it were otherwise. */
static void pi_numbers(struct client *ret)
{
        bool little = (get_le32(ret->uuid + 4) & 1u << 23) || !(get_be32(ret->uuid + 4) & 1u << 23);

        ret->pi_revision = little ? get_le32(ret->uuid + 4) : get_be32(ret->uuid + 4);
        ret->pi_serial = little ? get_le32(ret->uuid + 12) : get_be32(ret->uuid + 12);
}

/* The platform if this is a Raspberry Pi's own boot program. Its option 97 is
 * a FourCC and three numbers, or (EEPROMs before 2020) the serial four times,
 * or all 0x44 (the ROM of the 3). */
static enum client_platform read_pi(struct client *ret)
{
        enum client_platform by_oui = pi_by_oui(ret);
        bool repeated = ret->has_uuid && memcmp(ret->uuid, ret->uuid + 4, 12) == 0;

        if (!str_starts(ret->vendor_class, "PXEClient") ||
            (ret->n_archs > 0 && ret->archs[0] != 0 && ret->archs[0] != ARCH_RPIBOOT))
                return PLATFORM_UNKNOWN;
        if (ret->has_uuid && all_bytes(ret->uuid, sizeof(ret->uuid), 0x44))
                return PLATFORM_PI3;
        if (ret->has_uuid && memcmp(ret->uuid, "RPi", 3) == 0 && (ret->uuid[3] == '4' || ret->uuid[3] == '5')) {
                pi_numbers(ret);
                return ret->uuid[3] == '4' ? PLATFORM_PI4 : PLATFORM_PI5;
        }
        if (by_oui == PLATFORM_UNKNOWN || by_oui == PLATFORM_PI3)
                return by_oui;
        if (repeated)
                ret->pi_serial = get_le32(ret->uuid);
        return by_oui;
}

/* ---- what speaks ---- */

static bool ipxe_speaks_http(const uint8_t *features, size_t len)
{
        static const uint8_t http = 0x13;
        size_t value_len;
        const uint8_t *value = dhcp_sub_get(features, len, http, &value_len);

        return value && value_len == 1 && value[0] != 0;
}

/* The user class, or encapsulated options of iPXE, which FlexBoot sends alone. */
static bool read_ipxe(const struct dhcp_message *message, struct client *ret)
{
        size_t len;
        const uint8_t *features = dhcp_get(message, DHCP_OPT_IPXE, &len);

        if (!features && !strstr(ret->user_class, "iPXE") && !strstr(ret->user_class, "gPXE"))
                return false;
        ret->http = features ? ipxe_speaks_http(features, len) : true;
        ret->proxy_only = message->type == DHCP_DISCOVER && (message->h.secs & 2); /* its debug state is in secs */
        return true;
}

static enum client_kind read_kind(const struct dhcp_message *message, struct client *ret)
{
        enum client_platform pi;

        if (read_ipxe(message, ret))
                return CLIENT_IPXE;
        if (str_starts(ret->vendor_class, "U-Boot") || (ret->n_archs && ret->archs[0] >= 0x15 && ret->archs[0] <= 0x18))
                return CLIENT_UBOOT;
        if (str_starts(ret->vendor_class, "HTTPClient"))
                return CLIENT_HTTP;
        pi = read_pi(ret);
        if (pi != PLATFORM_UNKNOWN) {
                ret->platform = pi;
                return CLIENT_PI;
        }
        if (str_starts(ret->vendor_class, "PXEClient"))
                return CLIENT_PXE;
        return str_starts(ret->vendor_class, "GRUB") || str_starts(ret->user_class, "GRUB") ? CLIENT_GRUB
                                                                                            : CLIENT_OTHER;
}

/* Who sends its whole name sends no host name (RFC 4702, section 3.1): the name's first part is it. */
static void read_host_name(const struct dhcp_message *message, char *ret, size_t size)
{
        size_t len;
        const uint8_t *data = dhcp_get(message, DHCP_OPT_FQDN, &len);
        struct fqdn fqdn;

        read_option_text(message, DHCP_OPT_HOST_NAME, ret, size);
        if (!*ret && data && fqdn_read(data, len, &fqdn))
                read_text((const uint8_t *)fqdn.name, strcspn(fqdn.name, "."), ret, size);
}

void client_read(const struct dhcp_message *message, struct client *ret)
{
        *ret = (struct client){0};
        read_identity(message, ret);
        read_option_text(message, DHCP_OPT_VENDOR_CLASS, ret->vendor_class, sizeof(ret->vendor_class));
        read_host_name(message, ret->host_name, sizeof(ret->host_name));
        read_user_class(message, ret->user_class, sizeof(ret->user_class));
        read_archs(message, ret);
        read_class_arch(ret);
        read_uuid(message, ret);
        read_platform(ret);
        ret->kind = read_kind(message, ret);
        if (ret->kind != CLIENT_IPXE && ret->kind != CLIENT_HTTP && ret->kind != CLIENT_UBOOT)
                ret->http = false;
        if (ret->kind == CLIENT_HTTP)
                ret->http = true;
}
