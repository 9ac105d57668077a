/* What a client is given to boot: see site.h. One function for each kind of
 * client; the profile's own boot files come before all of them. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "site/loader.h"
#include "site/request.h"

struct booting {
        struct site_request *request;
        struct site_boot *boot;
        bool http; /* the client loads URIs and we serve HTTP */
};

void site_boot_clear(struct site_boot *boot)
{
        free(boot->file);
        free(boot->root_path);
        free(boot->config_file);
        free(boot->path_prefix);
        strv_free(boot->why);
        *boot = (struct site_boot){0};
}

#define because(booting, ...) strv_addf(&(booting)->boot->why, __VA_ARGS__)

/* ---- which machine, which profile ---- */

static void explain_machine(struct booting *b)
{
        const struct site_request *request = b->request;
        const struct client *client = request->client;
        const uint8_t *m = client->mac;
        char mac[24] = "no MAC address";

        if (client->has_mac)
                snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
        if (!request->machine)
                because(b, "machine: %s is not in the site file", mac);
        else if (client->has_mac && site_machine_by_mac(request->site, client->mac) == request->machine)
                because(b, "machine: %s is '%s', by its MAC address", mac, request->machine->name);
        else
                because(b, "machine: %s is '%s', by its %s", mac, request->machine->name,
                        request->machine->has_uuid && client->has_uuid ? "UUID" : "serial number");
}

static void explain_client(struct booting *b)
{
        const struct client *client = b->request->client;

        because(b, "client: %s on %s%s%s%s", client_kind_name(client->kind), client_platform_name(client->platform),
                *client->vendor_class ? ", class '" : "", client->vendor_class, *client->vendor_class ? "'" : "");
}

static void explain_profile(struct booting *b)
{
        const struct site_profile *profile = b->request->profile;

        if (!profile)
                because(b, "profile: none, and there is no default_profile");
        else
                because(b, "profile: '%s', %s", profile->name,
                        b->request->machine && b->request->machine->profile ? "which the machine names"
                                                                            : "the default");
}

/* ---- boot files ---- */

/* A path, or for clients that load URIs its URL. */
static void set_file(struct booting *b, const char *path)
{
        b->boot->file = xstrdup(b->http && !strstr(path, "://") ? site_url(b->request, true, path) : path);
}

/* The keys of `boot` that are for this client, the best first; ended by NULL. */
static void own_keys(struct booting *b, const char *keys[4])
{
        const struct client *client = b->request->client;
        const char *platform = client_platform_name(client->platform);
        size_t n = 0;

        if (client->kind == CLIENT_IPXE)
                keys[n++] = "ipxe";
        if (client->kind == CLIENT_HTTP)
                keys[n++] = arena_printf(&b->request->arena, "%s-http", platform);
        keys[n++] = platform;
        keys[n] = NULL;
}

/* iPXE that is loaded by iPXE asks again, and is given iPXE again. */
static bool would_loop(const struct booting *b, const char *key, const char *path)
{
        const char *name = path_name(path);

        return b->request->client->kind == CLIENT_IPXE && strcmp(key, "ipxe") != 0 &&
               (strstr(name, "ipxe") || strstr(name, "undionly") || strstr(name, "snponly"));
}

/* The profile's own file for this platform. 1: there is one; 0: not; negative: error. */
static int own_file(struct booting *b, struct error *err)
{
        struct site_request *request = b->request;
        const char *keys[4], *path;

        if (!request->profile->boot)
                return 0;
        own_keys(b, keys);
        for (size_t i = 0; keys[i]; i++) {
                int r = site_eval_member(request, request->profile->boot, keys[i], "the boot file", &path, err);

                if (r < 0)
                        return r;
                if (!*path)
                        continue;
                if (would_loop(b, keys[i], path)) {
                        because(b, "boot file: not '%s', which is iPXE, as the client is already", path);
                        return 0;
                }
                set_file(b, path);
                because(b, "boot file: '%s', which the profile's 'boot' names for %s", path, keys[i]);
                return 1;
        }
        because(b, "boot file: the profile's 'boot' names none for %s", keys[0]);
        return 0;
}

/* What does a client with a loader of its own read next? */
static void own_loader(struct booting *b, const char *what)
{
        because(b, "boot file: none; it %s", what);
        b->boot->file = xstrdup("");
}

static void no_loader(struct booting *b, const struct site_loader_row *missing)
{
        const struct client *client = b->request->client;
        const char *platform = client_platform_name(client->platform);
        const char *way = client->kind == CLIENT_HTTP ? " that HTTP Boot can start" : "";

        b->boot->profile = NULL;
        if (client->platform == PLATFORM_UNKNOWN && client->n_archs > 0)
                because(b, "boot file: none, since nobody knows what to give to architecture %u (option 93)",
                        client->archs[0]);
        else if (client->platform == PLATFORM_UNKNOWN)
                because(b, "boot file: none, since it does not say its architecture (option 93)");
        else if (missing)
                because(b,
                        "boot file: none, since this host has no boot loader for %s%s; install %s, or, where that is "
                        "for another processor, unpack it (dpkg -x) and put %s%s%s into the folder of 'loaders'",
                        platform, way, missing->package, missing->starts ? missing->starts : missing->name,
                        missing->second ? " and " : "", missing->second ? missing->second : "");
        else
                because(b,
                        "boot file: none, since no package has a boot loader for %s%s; name one in the profile's "
                        "'boot'",
                        platform, way);
}

/* What is made for the machine, where no lease of ours says which one asks. */
static const char *named_path(struct booting *b, const char *path)
{
        struct site_request *request = b->request;

        if (request->trust == SITE_BY_LEASE || !request->has_mac)
                return path;
        return arena_printf(&request->arena, "mac/%s/%s", site_mac_dashed(&request->arena, request->mac), path);
}

static void firmware(struct booting *b)
{
        const struct client *client = b->request->client;
        const struct site_loader_row *missing;
        const char *name = site_loader_for(b->request->site, b->request->profile->loader, client->platform,
                                           client->kind == CLIENT_HTTP, &missing);

        if (!name) {
                no_loader(b, missing);
                return;
        }
        if (site_loader_is_volume(name)) {
                set_file(b, named_path(b, name));
                because(b,
                        "boot file: %s, from the host's packages, on a disk in memory with the profile's kernel (%s)",
                        site_loader_title(site_loader_family(name)), name);
                return;
        }
        set_file(b, name);
        because(b, "boot file: %s, from the host's packages (%s); it comes back for the profile's kernel",
                site_loader_title(site_loader_family(name)), name);
}

/* iPXE must never be given iPXE again. */
static void ipxe(struct booting *b)
{
        set_file(b, named_path(b, "boot.ipxe"));
        because(b, "boot file: the script of the profile, since this is iPXE already");
}

static void raspberry(struct booting *b)
{
        const struct site_profile *profile = b->request->profile;

        if (!profile->firmware && !profile->image) {
                b->boot->profile = NULL;
                because(b, "boot file: none, since the profile has neither firmware nor an image for a Raspberry Pi");
                return;
        }
        b->boot->pxe = SITE_PXE_PI;
        own_loader(b, "is a Raspberry Pi, which asks for its firmware files by itself, in a folder of its own");
}

static void by_kind(struct booting *b)
{
        switch (b->request->client->kind) {
        case CLIENT_PXE:
        case CLIENT_HTTP:
                firmware(b);
                break;
        case CLIENT_IPXE:
                ipxe(b);
                break;
        case CLIENT_UBOOT:
                own_loader(b, "is U-Boot, which asks for boot.scr.uimg and pxelinux.cfg by itself");
                break;
        case CLIENT_GRUB:
                own_loader(b, "is GRUB, which asks for grub.cfg by itself");
                break;
        case CLIENT_PI:
                raspberry(b);
                break;
        case CLIENT_OTHER:
        case CLIENT_KINDS:
                b->boot->profile = NULL;
                because(b, "boot file: none, since it asks for an address only");
                break;
        }
}

/* Option 43: firmware is told to take the file and to ask nobody else. UEFI beside another DHCP
 * server is not: much of it understands only an offer without it, upon which it asks port 4011. */
static void set_pxe(struct booting *b)
{
        const struct client *client = b->request->client;
        const struct site_network *network = b->request->network;
        bool proxy = network && network->mode == SITE_PROXY;

        if (client->kind == CLIENT_PI && b->boot->profile) {
                b->boot->pxe = SITE_PXE_PI;
                because(b, "option 43: the menu that a Raspberry Pi waits for");
        } else if (client->kind != CLIENT_PXE || !b->boot->profile) {
                b->boot->pxe = SITE_PXE_NONE;
        } else if (proxy && client->platform != PLATFORM_BIOS) {
                b->boot->pxe = SITE_PXE_NONE;
                because(b, "option 43: none, so that UEFI asks port 4011 for the file");
        } else {
                b->boot->pxe = SITE_PXE_DIRECT;
                because(b, "option 43: boot the file named, ask no other server");
        }
}

/* What this client boots that knows nothing of proxyDHCP, and so asks the server that gave the address; or NULL. */
static const char *knows_no_proxy(const struct booting *b)
{
        const char *file = b->boot->file ? b->boot->file : "";

        switch (b->request->client->kind) {
        case CLIENT_UBOOT:
                return "U-Boot";
        case CLIENT_GRUB:
                return "GRUB";
        case CLIENT_PXE:
                return site_loader_is_grub(site_loader_family(path_name(file))) ? "GRUB" : NULL;
        case CLIENT_HTTP:
        case CLIENT_IPXE:
        case CLIENT_PI:
        case CLIENT_OTHER:
        case CLIENT_KINDS:
                break;
        }
        return NULL;
}

static void warn_beside(struct booting *b)
{
        struct site_request *request = b->request;
        bool proxy = request->network && request->network->mode == SITE_PROXY;
        const char *who = proxy && b->boot->profile ? knows_no_proxy(b) : NULL;

        if (who)
                because(b,
                        "warning: %s asks the server that gave the address for its files, and not this one, unless "
                        "that one names this one as the next (dnsmasq: dhcp-boot=,,%s)",
                        who, site_show_address(&request->arena, b->boot->next_server));
}

static int choose(struct booting *b, struct error *err)
{
        const struct client *client = b->request->client;
        const struct site_profile *profile = b->request->profile;
        const char *san = "", *mistake;
        int r;

        if (!profile)
                return 0;
        if (profile->local_disk) {
                because(b, "boot file: none; it goes on to its own disk");
                return 0;
        }
        if (client->kind == CLIENT_HTTP && !b->http) {
                because(b, "boot file: none, since HTTP is not served");
                return 0;
        }
        b->boot->profile = profile;
        r = client->kind == CLIENT_OTHER ? 0 : own_file(b, err);
        if (r < 0)
                return r;
        if (r == 0 && profile->boot && !profile->kernel && !profile->san && client->kind != CLIENT_PI)
                b->boot->profile = NULL;
        else if (r == 0)
                by_kind(b);
        set_pxe(b);
        warn_beside(b);
        r = client->kind == CLIENT_IPXE ? site_eval_line(b->request, profile->san, "san", &san, err) : 0;
        if (r < 0 || !*san || !b->boot->profile)
                return r;
        b->boot->root_path = xstrdup(san);
        mistake = site_san_mistake(&b->request->arena, san);
        if (mistake)
                because(b, "warning: %s", mistake);
        return 0;
}

/* Most messages are no boots: they wait for no lock. */
static int choose_locked(struct booting *b, struct error *err)
{
        struct site_request *request = b->request;
        const struct site_profile *profile = request->profile;
        bool evaluates = profile && (profile->boot || profile->san) && request->client->kind != CLIENT_OTHER;
        int r;

        if (!evaluates)
                return choose(b, err);
        pthread_mutex_lock(&request->site->private->lock);
        site_request_scope(request, &request->site->private->scope, profile);
        r = choose(b, err);
        diags_clear(&request->diags);
        pthread_mutex_unlock(&request->site->private->lock);
        return r;
}

int site_boot(const struct site *site, const struct site_network *network, const struct client *client, uint32_t server,
              struct site_boot *ret, struct error *err)
{
        CLEANUP(site_request_clear)
        struct site_request request = {.site = site,
                                       .network = network,
                                       .machine = site_machine(site, client),
                                       .client = client,
                                       .has_mac = client->has_mac,
                                       .server = server,
                                       .trust = network && network->mode == SITE_PROXY ? SITE_BY_PATH : SITE_BY_LEASE};
        struct booting b = {
                .request = &request, .boot = ret, .http = client->http && (site->listen.http || site->listen.https)};
        int r;

        *ret = (struct site_boot){.machine = request.machine, .next_server = server};
        memcpy(request.mac, client->mac, sizeof(request.mac));
        request.profile = site_profile_of(site, request.machine);
        if (network && network->next_server)
                ret->next_server = network->next_server;
        explain_client(&b);
        explain_machine(&b);
        explain_profile(&b);
        r = choose_locked(&b, err);
        if (r < 0)
                site_boot_clear(ret);
        return r < 0 ? error_wrap(err, r, "profile '%s'", request.profile->name) : 0;
}
