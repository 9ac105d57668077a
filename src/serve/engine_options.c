/* Which options an answer has: those of the site file that the client asked
 * for, in its order of preference, and what it boots. See engine.h. */
#include <stdio.h>
#include <string.h>

#include "serve/engine_internal.h"
#include "wire/fqdn.h"
#include "wire/pxe.h"

static bool option_fits(const struct exchange *x, const struct site_option *option)
{
        return (!option->vendor_class || str_starts(x->client->vendor_class, option->vendor_class)) &&
               (!option->user_class || str_starts(x->client->user_class, option->user_class));
}

static const struct site_option *find_option(const struct exchange *x, const struct site_options *options, uint8_t code)
{
        for (size_t i = 0; i < options->n; i++)
                if (options->v[i].code == code && option_fits(x, &options->v[i]))
                        return &options->v[i];
        return NULL;
}

const struct site_option *exchange_option(const struct exchange *x, const struct site_network *network, uint8_t code)
{
        const struct site_option *option = x->machine ? find_option(x, &x->machine->options, code) : NULL;

        return option ? option : find_option(x, &network->options, code);
}

/* ---- its name ---- */

/* The machine's name, else the client's own; in the network's domain where it has none. */
static void whole_name(const struct exchange *x, const struct site_network *network, const char *own,
                       char ret[FQDN_NAME])
{
        const char *name = x->machine && !str_empty(x->machine->host_name) ? x->machine->host_name : own;
        const struct site_option *domain = exchange_option(x, network, DHCP_OPT_DOMAIN_NAME);
        size_t n = (size_t)snprintf(ret, FQDN_NAME, "%s", name);

        if (*name && domain && !strchr(name, '.') && n + 1 + domain->len < FQDN_NAME) {
                ret[n] = '.';
                memcpy(ret + n + 1, domain->data, domain->len);
                ret[n + 1 + domain->len] = '\0';
        }
}

void exchange_put_fqdn(struct exchange *x, const struct site_network *network)
{
        size_t len;
        const uint8_t *data = dhcp_get(x->message, DHCP_OPT_FQDN, &len);
        struct fqdn asked;
        char name[FQDN_NAME];
        uint8_t buf[FQDN_SIZE];
        size_t n;

        if (!data || !fqdn_read(data, len, &asked))
                return;
        whole_name(x, network, asked.name, name);
        n = fqdn_write(&asked, name, buf);
        if (n > 0)
                dhcp_put(&x->engine->writer, DHCP_OPT_FQDN, buf, n);
}

/* ---- what the client asked for ---- */

static void put_option(struct exchange *x, const struct site_network *network, uint8_t code)
{
        const struct site_option *option = exchange_option(x, network, code);
        struct dhcp_writer *w = &x->engine->writer;

        if (dhcp_option_of(code).engine)
                return;
        if (option)
                dhcp_put(w, code, option->data, option->len);
        else if (code == DHCP_OPT_SUBNET_MASK && network->mask)
                dhcp_put_u32(w, code, network->mask);
        else if (code == DHCP_OPT_BROADCAST && network->mask)
                dhcp_put_u32(w, code, network->subnet | ~network->mask);
        else if (code == DHCP_OPT_HOST_NAME && x->machine && !str_empty(x->machine->host_name))
                dhcp_put_text(w, code, x->machine->host_name);
}

static void put_list(struct exchange *x, const struct site_network *network, const struct site_options *options,
                     bool only_forced)
{
        for (size_t i = 0; i < options->n; i++)
                if ((options->v[i].force || !only_forced) && option_fits(x, &options->v[i]))
                        put_option(x, network, options->v[i].code);
}

void exchange_put_options(struct exchange *x, const struct site_network *network)
{
        size_t n;
        const uint8_t *asked = dhcp_get(x->message, DHCP_OPT_PARAMETERS, &n);

        for (size_t i = 0; i < n; i++)
                put_option(x, network, asked[i]);
        if (!asked)
                put_option(x, network, DHCP_OPT_HOST_NAME);
        if (x->machine)
                put_list(x, network, &x->machine->options, asked != NULL);
        put_list(x, network, &network->options, asked != NULL);
}

/* ---- what it boots ---- */

static bool asks_for(const struct exchange *x, uint8_t code)
{
        size_t n;
        const uint8_t *asked = dhcp_get(x->message, DHCP_OPT_PARAMETERS, &n);

        return asked && memchr(asked, code, n) != NULL;
}

static bool is_uefi(enum client_platform platform)
{
        return platform >= PLATFORM_UEFI_IA32 && platform <= PLATFORM_UEFI_LOONGARCH64;
}

/* A boot item that was chosen from a menu is named in the answer too (PXE 2.1, section 2.4.4). */
static size_t put_item(const struct exchange *x, uint8_t buf[PXE_SIZE])
{
        size_t len, item_len;
        const uint8_t *vendor = dhcp_get(x->message, DHCP_OPT_VENDOR, &len);
        const uint8_t *item = vendor ? dhcp_sub_get(vendor, len, PXE_BOOT_ITEM, &item_len) : NULL;

        if (!item || item_len != 4)
                return 0;
        buf[0] = PXE_BOOT_ITEM;
        buf[1] = 4;
        memcpy(buf + 2, item, 4);
        buf[6] = PXE_END;
        return 7;
}

/* Options 60 and 43. As the only server, 60 alone would send EDK2 to port
 * 4011 though it has the file: 60 goes with 43.6 = 8, or not at all. As
 * proxyDHCP, many UEFI firmwares know that way alone: 60 without 43. */
static void put_class(struct exchange *x, enum site_pxe pxe, bool proxy)
{
        struct dhcp_writer *w = &x->engine->writer;
        uint8_t vendor[PXE_SIZE];
        size_t n = 0;

        if (x->client->kind == CLIENT_HTTP) {
                dhcp_put_text(w, DHCP_OPT_VENDOR_CLASS, "HTTPClient");
                return;
        }
        if (x->in->binl)
                n = put_item(x, vendor);
        if (n == 0 && pxe == SITE_PXE_PI)
                n = pxe_raspberry_pi(vendor);
        else if (n == 0 && pxe == SITE_PXE_DIRECT && !(proxy && is_uefi(x->client->platform)))
                n = pxe_direct(vendor);
        if (n || proxy)
                dhcp_put_text(w, DHCP_OPT_VENDOR_CLASS, "PXEClient");
        if (n)
                dhcp_put(w, DHCP_OPT_VENDOR, vendor, n);
}

/* EDK2 writes a NUL behind option 67, so it is to be part of it. */
static void put_file(struct exchange *x, const char *file)
{
        struct dhcp_writer *w = &x->engine->writer;
        size_t len = strlen(file);

        if (len < sizeof(w->h.file) - 1)
                memcpy(w->h.file, file, len + 1);
        dhcp_put(w, DHCP_OPT_BOOT_FILE, file, len + 1);
        snprintf(x->boot_file, sizeof(x->boot_file), "%s", file);
}

static void put_server(struct exchange *x, uint32_t server)
{
        struct dhcp_writer *w = &x->engine->writer;
        char text[DHCP_ADDRESS_TEXT];

        w->h.siaddr = server;
        dhcp_put_text(w, DHCP_OPT_TFTP_SERVER, dhcp_address_text(server, text));
        if (asks_for(x, DHCP_OPT_TFTP_ADDRESS))
                dhcp_put_u32(w, DHCP_OPT_TFTP_ADDRESS, server);
}

/* RFC 5071; pxelinux reads them only if the magic number is there. */
static void put_pxelinux(struct exchange *x, const struct site_boot *boot)
{
        struct dhcp_writer *w = &x->engine->writer;

        if (str_empty(boot->config_file) && str_empty(boot->path_prefix))
                return;
        dhcp_put_u32(w, DHCP_OPT_PXELINUX_MAGIC, 0xf100747e);
        if (!str_empty(boot->config_file))
                dhcp_put_text(w, DHCP_OPT_CONFIG_FILE, boot->config_file);
        if (!str_empty(boot->path_prefix))
                dhcp_put_text(w, DHCP_OPT_PATH_PREFIX, boot->path_prefix);
}

static bool put_boot(struct exchange *x, const struct site_network *network, const struct site_boot *boot, bool proxy)
{
        static const uint8_t no_proxy_dhcp[] = {0xb0, 1, 1}; /* iPXE need not wait for a proxy's offer */
        struct dhcp_writer *w = &x->engine->writer;
        bool has_file = !str_empty(boot->file), firmware = x->client->kind != CLIENT_OTHER;

        if (x->client->kind == CLIENT_HTTP && !(has_file && strstr(boot->file, "://")))
                return false; /* it can load nothing else */
        if (x->client->kind == CLIENT_IPXE && !proxy)
                dhcp_put(w, DHCP_OPT_IPXE, no_proxy_dhcp, sizeof(no_proxy_dhcp));
        if (!boot->file && str_empty(boot->root_path))
                return false;
        /* An empty name: the client knows by itself what to load, and needs the server alone. */
        if (firmware && (has_file || boot->pxe != SITE_PXE_NONE))
                put_class(x, boot->pxe, proxy);
        if (has_file)
                put_file(x, boot->file);
        put_server(x, boot->next_server ? boot->next_server : exchange_server(x, network));
        if (!str_empty(boot->root_path))
                dhcp_put_text(w, DHCP_OPT_ROOT_PATH, boot->root_path);
        put_pxelinux(x, boot);
        return true;
}

/* What the site file says by `option` blocks for this client goes before what we think of. */
static void put_explicit(struct exchange *x, const struct site_network *network)
{
        static const uint8_t codes[] = {DHCP_OPT_VENDOR_CLASS, DHCP_OPT_VENDOR,     DHCP_OPT_TFTP_SERVER,
                                        DHCP_OPT_BOOT_FILE,    DHCP_OPT_ROOT_PATH,  DHCP_OPT_IPXE,
                                        DHCP_OPT_CONFIG_FILE,  DHCP_OPT_PATH_PREFIX};

        for (size_t i = 0; i < sizeof(codes); i++)
                if (exchange_option(x, network, codes[i]))
                        put_option(x, network, codes[i]);
}

bool exchange_put_boot(struct exchange *x, const struct site_network *network, bool proxy)
{
        CLEANUP_ERROR struct error err = {0};
        struct site_boot boot = {0};
        bool any;

        if (x->client->kind == CLIENT_OTHER && x->message->type != DHCP_NONE && !asks_for(x, DHCP_OPT_BOOT_FILE))
                return false;
        if (x->engine->policy->boot(x->engine->site, network, x->client, exchange_server(x, network), &boot, &err) <
            0) {
                exchange_note(x, EVENT_LOG, 0, NULL, "what it boots: %s", error_message(&err));
                return false;
        }
        if (!str_empty(boot.file))
                put_explicit(x, network);
        any = put_boot(x, network, &boot, proxy);
        x->engine->policy->boot_clear(&boot);
        return any;
}
