/* The site as a whole: what no block can know alone. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "hcl/eval.h"
#include "site/loader.h"

enum { ENOUGH = 50 }; /* errors: of a list that was copied there would be thousands */

/* ---- addresses of a network ---- */

static int check_address(const struct site_network *network, uint32_t address, struct error *err)
{
        CLEANUP(arena_free) struct arena arena = {0};
        const char *text = site_show_address(&arena, address);
        uint32_t broadcast = network->subnet | ~network->mask;

        if ((address & network->mask) != network->subnet)
                return error_set(err, EINVAL, "the address %s is not in the subnet of network '%s', %s/%d", text,
                                 network->name, site_show_address(&arena, network->subnet),
                                 __builtin_popcount(network->mask));
        if (address == network->address)
                return error_set(err, EINVAL, "the address %s is the server's own", text);
        if (~network->mask > 1 && (address == network->subnet || address == broadcast))
                return error_set(err, EINVAL, "the address %s is the %s of network '%s'", text,
                                 address == broadcast ? "broadcast address" : "subnet itself", network->name);
        return 0;
}

static int check_ranges(const struct site_network *network, struct error *err)
{
        for (size_t i = 0; i < network->ranges.n; i++) {
                const struct site_range *range = &network->ranges.v[i];
                int r = (range->first & network->mask) != network->subnet ? -EINVAL : 0;

                if (r == 0 && (range->last & network->mask) == network->subnet)
                        continue;
                return check_address(network, r < 0 ? range->first : range->last, err);
        }
        return 0;
}

/* ---- machines ---- */

static void already(struct load *load, struct range at, const char *what, const struct site_machine *other)
{
        struct range first = load->machine_places.v[other - load->site->machines].name;

        diag_error(load->diags, at, "%s is that of machine '%s' already", what, other->name);
        diag_detail(load->diags, "Machine '%s' is in %s.", other->name, load_place(load, first));
}

static void add_macs(struct load *load, const struct site_machine *machine, struct range at)
{
        for (size_t i = 0; i < machine->n_macs; i++) {
                const struct site_machine *other = site_map_add(&load->private->by_mac, machine->macs[i], 6, machine);

                const char *mac = other ? site_mac_text(load->arena, machine->macs[i]) : NULL;

                if (other == machine)
                        diag_error(load->diags, at, "the MAC address %s is there twice", mac);
                else if (other)
                        already(load, at, arena_printf(load->arena, "the MAC address %s", mac), other);
        }
}

static void add_machine(struct load *load, const struct site_machine *machine, const struct machine_places *places)
{
        struct site_private *private = load->private;
        const struct site_machine *other;

        other = site_map_add(&private->by_name, machine->name, strlen(machine->name), machine);
        if (other)
                already(load, places->name, "this name", other);
        add_macs(load, machine, places->mac);
        other = machine->has_uuid ? site_map_add(&private->by_uuid, machine->uuid, 16, machine) : NULL;
        if (other)
                already(load, places->uuid, "this UUID", other);
        other = machine->pi_serial ? site_map_add(&private->by_serial, &machine->pi_serial, 4, machine) : NULL;
        if (other)
                already(load, places->serial, "this serial number", other);
        other = machine->address ? site_map_add(&private->by_address, &machine->address, 4, machine) : NULL;
        if (other)
                already(load, places->address, "this address", other);
}

static void index_machines(struct load *load)
{
        struct site_private *private = load->private;
        struct site *site = load->site;
        size_t n_macs = 0;

        for (size_t i = 0; i < site->n_machines; i++)
                n_macs += site->machines[i].n_macs;
        site_map_init(&private->by_mac, load->arena, n_macs);
        site_map_init(&private->by_uuid, load->arena, site->n_machines);
        site_map_init(&private->by_serial, load->arena, site->n_machines);
        site_map_init(&private->by_name, load->arena, site->n_machines);
        site_map_init(&private->by_address, load->arena, site->n_machines);
        for (size_t i = 0; i < site->n_machines && load->diags->n_errors < ENOUGH; i++)
                add_machine(load, &site->machines[i], &load->machine_places.v[i]);
}

/* May a machine's address be looked for in a network whose subnet is not known yet? */
static bool any_unbound(const struct site *site)
{
        for (size_t i = 0; i < site->n_networks; i++)
                if (site->networks[i].mask == 0)
                        return true;
        return false;
}

static void check_reservations(struct load *load)
{
        const struct site *site = load->site;
        bool unbound = any_unbound(site);

        for (size_t i = 0; i < site->n_machines && load->diags->n_errors < ENOUGH; i++) {
                const struct site_machine *machine = &site->machines[i];
                struct range at = load->machine_places.v[i].address;
                const struct site_network *network = machine->address ? site_network_of(site, machine->address) : NULL;
                CLEANUP_ERROR struct error err = {0};

                if (machine->address && !network && !unbound)
                        diag_error(load->diags, at, "the address %s is in none of the networks",
                                   site_show_address(load->arena, machine->address));
                else if (network && check_address(network, machine->address, &err) < 0)
                        diag_error(load->diags, at, "%s", error_message(&err));
        }
}

/* ---- networks ---- */

static void check_overlapping_ranges(struct load *load, const struct site_network *network, struct range at)
{
        for (size_t i = 0; i < network->ranges.n; i++)
                for (size_t j = 0; j < i; j++) {
                        const struct site_range *a = &network->ranges.v[i], *b = &network->ranges.v[j];

                        if (a->first <= b->last && b->first <= a->last)
                                diag_error(load->diags, at, "two ranges of network '%s' overlap", network->name);
                }
}

static void check_pair(struct load *load, size_t a, size_t b)
{
        const struct site_network *x = &load->site->networks[a], *y = &load->site->networks[b];
        const struct network_places *places = &load->network_places.v[b];
        uint32_t mask = x->mask & y->mask;

        if (strcmp(x->name, y->name) == 0) {
                diag_error(load->diags, places->name, "there are two networks '%s'", y->name);
                diag_detail(load->diags, "The other one is in %s.", load_place(load, load->network_places.v[a].name));
        } else if (x->mask && y->mask && (x->subnet & mask) == (y->subnet & mask)) {
                diag_error(load->diags, places->subnet, "the networks '%s' and '%s' overlap", x->name, y->name);
        } else if (x->interface && y->interface && strcmp(x->interface, y->interface) == 0 &&
                   !str_eq(x->shared ? x->shared : "", y->shared ? y->shared : "-")) {
                diag_error(load->diags, places->interface,
                           "the networks '%s' and '%s' are on the same interface; say shared = \"NAME\" in both",
                           x->name, y->name);
        }
}

static void check_networks(struct load *load)
{
        const struct site *site = load->site;

        for (size_t i = 0; i < site->n_networks; i++) {
                const struct site_network *network = &site->networks[i];
                struct range at = load->network_places.v[i].ranges;
                CLEANUP_ERROR struct error err = {0};

                for (size_t j = 0; j < i; j++)
                        check_pair(load, j, i);
                check_overlapping_ranges(load, network, at);
                if (network->mask && check_ranges(network, &err) < 0)
                        diag_error(load->diags, at, "%s", error_message(&err));
                if (network->mode == SITE_PROXY && network->ranges.n > 0)
                        diag_warning(load->diags, at,
                                     "no addresses are given away in proxy mode; the range has no effect");
        }
}

/* ---- beside another DHCP server ---- */

/* What of the profile is for a boot program that knows nothing of proxyDHCP; NULL: nothing. */
static const char *asks_elsewhere(const struct site_profile *profile, struct range *ret_at)
{
        *ret_at = profile->loader_range;
        if (site_loader_is_grub(profile->loader))
                return "GRUB";
        if (profile->dtb || profile->for_u_boot)
                *ret_at = profile->dtb ? profile->dtb->range : profile->boot->range;
        return profile->dtb || profile->for_u_boot ? "U-Boot" : NULL;
}

/* May a machine that boots the profile be in the network? */
static bool is_used_in(const struct site *site, const struct site_profile *profile, const struct site_network *network)
{
        if (profile == site->default_profile)
                return true;
        for (size_t i = 0; i < site->n_machines; i++) {
                const struct site_machine *machine = &site->machines[i];
                const struct site_network *own = machine->address ? site_network_of(site, machine->address) : network;

                if (machine->profile == profile && own == network)
                        return true;
        }
        return false;
}

static void check_beside(struct load *load, const struct site_network *network)
{
        const struct site *site = load->site;
        uint32_t next = network->next_server ? network->next_server : network->address;

        for (size_t i = 0; i < site->n_profiles; i++) {
                const struct site_profile *profile = site->profiles[i];
                struct range at;
                const char *who = asks_elsewhere(profile, &at);

                if (!who || !is_used_in(site, profile, network))
                        continue;
                diag_warning(load->diags, at,
                             "%s asks the server that gave the address for its files, and in network '%s' that is "
                             "another one",
                             who, network->name);
                diag_detail(load->diags, "Have that one name this server as the next (dnsmasq: dhcp-boot=,,%s)%s.",
                            next ? site_show_address(load->arena, next) : "ADDRESS OF THIS SERVER",
                            profile->loader == SITE_LOADER_GRUB ? ", or say loader = \"ipxe\", which knows proxyDHCP"
                                                                : "");
        }
}

/* ---- all ---- */

/* The site file may hold secrets, and whoever is on the network can read the root. */
static void check_root_folder(struct load *load, const char *path)
{
        CLEANUP_FREE char *root = realpath(load->site->root, NULL), *file = realpath(path, NULL);
        size_t n = root ? strlen(root) : 0;

        if (root && file && strncmp(file, root, n) == 0 && (file[n] == '/' || n == 1))
                diag_warning(
                        load->diags, NO_RANGE,
                        "the site file '%s' lies beneath the root '%s', where everybody on the network can read it",
                        path, root);
}

void load_check(struct load *load)
{
        index_machines(load);
        check_networks(load);
        check_reservations(load);
        site_check_roots(load);
        for (size_t i = 0; i < load->site->n_networks; i++)
                if (load->site->networks[i].mode == SITE_PROXY)
                        check_beside(load, &load->site->networks[i]);
        for (size_t i = 0; i < load->private->sources.n; i++)
                check_root_folder(load, load->private->sources.v[i]->path);
}

/* The upper half of the subnet, without the server's own address and the broadcast address. */
static void make_ranges(struct site *site, struct site_network *network)
{
        struct site_range *ranges = arena_array(&site->private->arena, 2, sizeof(*ranges));
        uint32_t last = (network->subnet | ~network->mask) - 1, first = last - ((~network->mask) >> 1) + 1;
        size_t n = 0;

        if (~network->mask < 3)
                return;
        if (network->address < first || network->address > last) {
                ranges[n++] = (struct site_range){first, last};
        } else {
                if (network->address > first)
                        ranges[n++] = (struct site_range){first, network->address - 1};
                if (network->address < last)
                        ranges[n++] = (struct site_range){network->address + 1, last};
        }
        network->ranges = (struct site_ranges){ranges, n};
}

/* Addresses that are kept for machines. */
static int check_kept(const struct site *site, const struct site_network *network, struct diags *diags)
{
        size_t errors_before = diags->n_errors;

        for (size_t i = 0; i < site->n_machines && diags->n_errors < ENOUGH; i++) {
                const struct site_machine *machine = &site->machines[i];
                CLEANUP_ERROR struct error err = {0};

                if (machine->address && site_network_of(site, machine->address) == network &&
                    check_address(network, machine->address, &err) < 0)
                        diag_error(diags, machine->at, "%s", error_message(&err));
        }
        return diags->n_errors > errors_before ? -EINVAL : 0;
}

int site_bind(struct site *site, size_t i, uint32_t address, uint32_t mask, struct diags *diags)
{
        struct site_network *network = &site->private->networks[i];
        CLEANUP_ERROR struct error err = {0};

        if (!network->address)
                network->address = address;
        if (!network->mask) {
                network->mask = mask;
                network->subnet = network->address & mask;
        }
        if (network->auto_range && network->ranges.n == 0)
                make_ranges(site, network);
        if (check_ranges(network, &err) == 0)
                return check_kept(site, network, diags);
        diag_error(diags, network->ranges_at, "%s", error_message(&err));
        return -EINVAL;
}
