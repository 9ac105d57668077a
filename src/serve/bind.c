/* See bind.h. Of several addresses of an interface the one counts that the file names, then one of its network. */
#include "serve/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "wire/dhcp.h"

struct found {
        int rank; /* 0: none; 1: an address; 2: one of the network; 3: the one that the file names */
        uint32_t address, mask;
};

static uint32_t host_order(const struct sockaddr *address)
{
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

static int rank_of(const struct site_network *network, uint32_t address)
{
        if (address == network->address)
                return 3;
        return network->mask && (address & network->mask) == network->subnet ? 2 : 1;
}

/* The best address that the interface has for the network. */
static struct found look(const struct site_network *network)
{
        struct ifaddrs *all = NULL;
        struct found best = {0};

        if (getifaddrs(&all) < 0)
                return best;
        for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
                if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || strcmp(i->ifa_name, network->interface) != 0)
                        continue;
                if (rank_of(network, host_order(i->ifa_addr)) > best.rank)
                        best = (struct found){rank_of(network, host_order(i->ifa_addr)), host_order(i->ifa_addr),
                                              host_order(i->ifa_netmask)};
        }
        freeifaddrs(all);
        return best;
}

static char **interface_names(void)
{
        struct if_nameindex *all = if_nameindex();
        char **names = NULL;

        for (const struct if_nameindex *i = all; i && i->if_index; i++)
                strv_add(&names, i->if_name);
        if_freenameindex(all);
        return names;
}

#define say(missing, diags, at, ...)                                                                                   \
        ((missing) == BIND_ERROR ? diag_error(diags, at, __VA_ARGS__) : diag_warning(diags, at, __VA_ARGS__))

static void say_no_interface(const struct site_network *network, enum bind_missing missing, struct diags *diags)
{
        CLEANUP_STRV char **names = interface_names();
        CLEANUP_FREE char *all = strv_join(STRV(names), ", ");

        say(missing, diags, network->at, "there is no interface '%s' on this host", network->interface);
        diag_detail(diags, "There are: %s.", all);
}

static void say_no_address(const struct site_network *network, enum bind_missing missing, struct diags *diags)
{
        char address[DHCP_ADDRESS_TEXT];

        say(missing, diags, network->at, "interface '%s' has no IPv4 address", network->interface);
        if (network->address && network->mask)
                diag_detail(diags, "Give it one: ip address add %s/%d dev %s",
                            dhcp_address_text(network->address, address), __builtin_popcount(network->mask),
                            network->interface);
        else
                diag_detail(diags,
                            "Give it one, of which network and its addresses are taken: ip address add "
                            "192.0.2.1/24 dev %s",
                            network->interface);
}

/* The interface is there, and has addresses, none of which is right. */
static void say_wrong_address(const struct site_network *network, const struct found *found, enum bind_missing missing,
                              struct diags *diags)
{
        char wanted[DHCP_ADDRESS_TEXT], has[DHCP_ADDRESS_TEXT];

        dhcp_address_text(found->address, has);
        if (network->address)
                diag_warning(diags, network->at, "interface '%s' has the address %s, not %s", network->interface, has,
                             dhcp_address_text(network->address, wanted));
        else
                say(missing, diags, network->at, "interface '%s' has the address %s, which is not in %s/%d",
                    network->interface, has, dhcp_address_text(network->subnet, wanted),
                    __builtin_popcount(network->mask));
}

static void bind_network(struct site *site, size_t i, enum bind_missing missing, struct diags *diags)
{
        const struct site_network *network = &site->networks[i];
        struct found found = network->interface ? look(network) : (struct found){0};
        bool silent = missing == BIND_SILENT || network->mode == SITE_OFF || !network->interface;
        int right = network->address ? 3 : network->mask ? 2 : 1;

        if (!silent && if_nametoindex(network->interface) == 0)
                say_no_interface(network, missing, diags);
        else if (!silent && found.rank == 0)
                say_no_address(network, missing, diags);
        else if (!silent && found.rank < right)
                say_wrong_address(network, &found, missing, diags);
        if (found.rank < right && network->mask)
                found = (struct found){0, 0, network->mask};
        if (found.mask)
                site_bind(site, i, found.address, found.mask, diags);
}

int bind_networks(struct site *site, enum bind_missing missing, struct diags *diags)
{
        size_t errors_before = diags->n_errors;

        if (site->n_networks == 0 && missing != BIND_SILENT)
                diag_warning(diags, NO_RANGE,
                             "the site has no network: files are served, and no machine hears by DHCP what it boots");
        for (size_t i = 0; i < site->n_networks; i++)
                bind_network(site, i, missing, diags);
        return diags->n_errors > errors_before ? -EINVAL : 0;
}
