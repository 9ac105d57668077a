/* Site files for the daemon: read, and bound to the interfaces of this host. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "serve/daemon_internal.h"
#include "serve/roots.h"

static uint32_t host_order(const struct sockaddr *address)
{
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

/* The address that the interface has: `wanted` if it is among them, else the first; 0: none. */
static uint32_t interface_address(const char *name, uint32_t wanted, uint32_t *ret_mask)
{
        struct ifaddrs *all = NULL;
        uint32_t address = 0;

        if (getifaddrs(&all) < 0)
                return 0;
        for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
                if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || strcmp(i->ifa_name, name) != 0)
                        continue;
                if (address && host_order(i->ifa_addr) != wanted)
                        continue;
                address = host_order(i->ifa_addr);
                *ret_mask = host_order(i->ifa_netmask);
        }
        freeifaddrs(all);
        return address;
}

static int bind_network(struct site *site, size_t i, struct error *err)
{
        const struct site_network *network = &site->networks[i];
        uint32_t mask = 0, address = 0;

        if (network->mode == SITE_OFF)
                return 0;
        if (network->interface) {
                if (if_nametoindex(network->interface) == 0)
                        return error_errno(err, errno, "network '%s': interface '%s'", network->name,
                                           network->interface);
                address = interface_address(network->interface, network->address, &mask);
                if (!address)
                        return error_set(err, EADDRNOTAVAIL, "network '%s': interface '%s' has no IPv4 address",
                                         network->name, network->interface);
        }
        return site_bind(site, i, address, mask, err);
}

static int load(const struct daemon_options *options, struct site **ret, struct diags *diags, struct error *err)
{
        if (!options->site)
                return site_quick(options->quick, options->interface, options->mode, ret, err);
        return site_load(options->site, ret, diags);
}

static int load_bound(const struct daemon_options *options, bool bind, struct site **ret, struct diags *diags,
                      struct error *err)
{
        CLEANUP(site_freep) struct site *site = NULL;
        int r = load(options, &site, diags, err);

        if (r < 0)
                return r;
        if (options->state)
                site->state = options->state;
        for (size_t i = 0; bind && i < site->n_networks; i++) {
                r = bind_network(site, i, err);
                if (r < 0)
                        return r;
        }
        *ret = steal(&site);
        return 0;
}

int daemon_site(const struct daemon_options *options, bool bind, struct site **ret, struct error *err)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        int r = load_bound(options, bind, ret, &diags, err);

        diags_sort(&diags);
        diags_print(&diags, stderr, isatty(STDERR_FILENO));
        return r;
}

int daemon_roots(void *arg, struct keeper_jobs *ret, struct error *err)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP(site_freep) struct site *site = NULL;
        int r = load_bound(arg, true, &site, &diags, err);

        if (r == -EINVAL && err && !err->message)
                return error_set(err, EINVAL, "the site file has errors");
        return r < 0 ? r : roots_list(site, ret, err);
}

/* What libraries read, beside the site's own. */
static const char *const system_folders[] = {"/etc", "/usr/share/zoneinfo", NULL};

char **daemon_folders(const struct site *site)
{
        char **folders = site_folders(site);

        strv_extend(&folders, system_folders);
        return folders;
}
