/* DHCPv4 messages as text: see dhcp.h. */
#include <stdio.h>
#include <string.h>

#include "wire/dhcp.h"

const char *dhcp_address_text(uint32_t address, char buf[DHCP_ADDRESS_TEXT])
{
        snprintf(buf, DHCP_ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                 address & 255);
        return buf;
}

static void add_address(const char *name, uint32_t address, struct str *ret)
{
        char text[DHCP_ADDRESS_TEXT];

        if (address)
                str_addf(ret, " %s %s", name, dhcp_address_text(address, text));
}

static void add_text(const char *name, const char *text, struct str *ret)
{
        struct dhcp_option option = {.type = DHCP_TEXT};

        if (!*text)
                return;
        str_addf(ret, "  %s ", name);
        dhcp_option_format(&option, (const uint8_t *)text, strlen(text), ret);
        str_addc(ret, '\n');
}

static void add_fields(const struct dhcp_header *h, struct str *ret)
{
        str_addf(ret, "  xid %08x", h->xid);
        if (h->secs)
                str_addf(ret, " secs %u", h->secs);
        if (h->hops)
                str_addf(ret, " hops %u", h->hops);
        if (h->flags)
                str_addf(ret, " flags %04x", h->flags);
        if (h->htype != DHCP_ETHERNET)
                str_addf(ret, " htype %u", h->htype);
        add_address("ciaddr", h->ciaddr, ret);
        add_address("yiaddr", h->yiaddr, ret);
        add_address("siaddr", h->siaddr, ret);
        add_address("giaddr", h->giaddr, ret);
        str_add(ret, " chaddr ");
        for (unsigned i = 0; i < h->hlen && i < sizeof(h->chaddr); i++)
                str_addf(ret, "%s%02x", i ? ":" : "", h->chaddr[i]);
        str_addc(ret, '\n');
        add_text("sname", h->sname, ret);
        add_text("file", h->file, ret);
}

void dhcp_format(const struct dhcp_message *message, struct str *ret)
{
        str_addf(ret, "%s%s\n", dhcp_type_name((enum dhcp_type)message->type),
                 message->type        ? ""
                 : message->h.op == 1 ? " request"
                                      : " reply");
        add_fields(&message->h, ret);
        for (unsigned i = 0; i < message->n_options; i++) {
                struct dhcp_option option = dhcp_option_of(message->order[i]);
                size_t len;
                const uint8_t *data = dhcp_get(message, option.code, &len);

                if (option.code == DHCP_OPT_TYPE)
                        continue;
                str_addf(ret, "  %u %s%s", option.code, option.name ? option.name : "", option.name ? " " : "");
                dhcp_option_format(&option, data, len, ret);
                str_addc(ret, '\n');
        }
}
