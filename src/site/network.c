/* `network "NAME" {}`: who is served where. */
#include <string.h>

#include "site/site_internal.h"

enum { LEASE_SEC = 12 * 3600 };

struct network_block {
        struct site_network network;
        int mode;
        uint32_t address[2], subnet[2]; /* each with its mask */
        struct site_ranges_key range, ranges;
};

static const char *const modes[] = {[SITE_DHCP] = "dhcp", [SITE_PROXY] = "proxy", [SITE_OFF] = "off", NULL};

#define KEY(...) SITE_KEY(struct network_block, __VA_ARGS__)
#define OPTION(key, text)                                                                                              \
        {                                                                                                              \
                .name = (key), .type = KEY_OPTION, .help = (text)                                                      \
        }
static const struct site_key network_keys[] = {
        KEY("interface", KEY_STRING, network.interface, .help = "The interface; left out: reached through relays only"),
        KEY("mode", KEY_CHOICE, mode, .choices = modes,
            .help = "dhcp: give addresses; proxy: boot beside somebody else's DHCP server; off: files only"),
        KEY("address", KEY_INTERFACE, address,
            .help = "This server's address in it, perhaps with the prefix; taken from the interface where left out"),
        KEY("subnet", KEY_SUBNET, subnet, .help = "As 192.0.2.0/24; taken from the interface where left out"),
        KEY("shared", KEY_STRING, network.shared,
            .help = "A name: networks with the same one lie on one segment and share their addresses"),
        KEY("range", KEY_RANGES, range,
            .help = "First and last address to give away, a list of such pairs, or \"auto\": half of the subnet"),
        KEY("ranges", KEY_RANGES, ranges, .help = "The same"),
        OPTION("router", "Default routers (option 3)"),
        OPTION("dns", "Name servers (option 6)"),
        OPTION("domain", "Domain (option 15)"),
        OPTION("search", "Domains to look names up in (option 119)"),
        OPTION("ntp", "Time servers (option 42)"),
        OPTION("mtu", "MTU (option 26)"),
        KEY("lease_time", KEY_SECONDS, network.lease_sec, .help = "How long an address is given for; 12h"),
        KEY("max_lease_time", KEY_SECONDS, network.max_lease_sec, .help = "The most that a client may ask for"),
        KEY("authoritative", KEY_BOOL, network.authoritative,
            .help = "This is the only DHCP server: say no to clients with a wrong address"),
        KEY("known_only", KEY_BOOL, network.only_known, .help = "Serve machines of this file only"),
        KEY("rapid_commit", KEY_BOOL, network.rapid_commit,
            .help = "This is the only DHCP server: give addresses at once to clients that ask so (RFC 4039)"),
        KEY("probe", KEY_BOOL, network.probe, .help = "Look whether an address is in use before it is offered; true"),
        KEY("next_server", KEY_ADDRESS, network.next_server, .help = "Another TFTP server's address"),
};
#undef KEY
#undef OPTION
static const char *const network_blocks[] = {"option", NULL};
const struct site_block site_block_network = {
        .type = "network",
        .label = "name",
        SITE_KEYS(network_keys),
        .blocks = network_blocks,
        .help = "An interface or a relayed subnet, and how clients there are served",
};

static struct site_ranges join(struct arena *arena, struct site_ranges a, struct site_ranges b)
{
        struct site_range *v = arena_array(arena, a.n + b.n, sizeof(*v));

        for (size_t i = 0; i < a.n + b.n; i++)
                v[i] = i < a.n ? a.v[i] : b.v[i - a.n];
        return (struct site_ranges){v, a.n + b.n};
}

static struct range ranges_place(const struct hcl_content *content, struct range otherwise)
{
        return site_key_range(content, "range", site_key_range(content, "ranges", otherwise));
}

/* Address and subnet complete each other. `sound`: no key was misspelt, so that what is missing is not there. */
static void set_subnet(struct load *load, struct network_block *raw, const struct network_places *places, bool sound)
{
        struct site_network *network = &raw->network;

        network->address = raw->address[0];
        network->subnet = raw->subnet[0];
        network->mask = raw->subnet[1];
        if (raw->address[1] && !network->mask) {
                network->mask = raw->address[1];
                network->subnet = network->address & network->mask;
        }
        if (network->address && network->mask && (network->address & network->mask) != network->subnet)
                diag_error(load->diags, places->address, "the server's address %s is not in the network's subnet",
                           site_show_address(load->arena, network->address));
        else if (raw->address[1] && raw->address[1] != network->mask)
                diag_error(load->diags, places->address, "the address and the subnet have different prefixes");
        else if (!network->interface && !network->mask && network->mode != SITE_OFF && sound)
                diag_error(load->diags, places->name,
                           "a network without an interface needs a subnet, by which relays name it");
}

void load_network(struct load *load, const struct hcl_block *block)
{
        const struct hcl_scope *scope = load_scope(load, block);
        struct network_block raw = {.network = {.name = block->labels[0].text, .lease_sec = LEASE_SEC, .probe = true}};
        struct network_places places = {.name = block->labels[0].range};
        size_t errors_before = load->diags->n_errors;
        bool sound;
        struct hcl_content content;

        site_keys_read(load, &site_block_network, block->body, scope, &raw, &content);
        sound = load->diags->n_errors == errors_before;
        for (size_t i = 0; i < content.n_blocks; i++)
                site_option_block(load, &content.blocks[i], scope);
        places.interface = site_key_range(&content, "interface", places.name);
        places.address = site_key_range(&content, "address", places.name);
        places.subnet = site_key_range(&content, "subnet", places.address);
        places.ranges = ranges_place(&content, places.name);
        raw.network.mode = (enum site_mode)raw.mode;
        raw.network.ranges = join(load->arena, raw.range.ranges, raw.ranges.ranges);
        raw.network.auto_range = raw.range.automatic || raw.ranges.automatic;
        raw.network.options = site_options_take(load);
        if (raw.network.max_lease_sec == 0)
                raw.network.max_lease_sec = raw.network.lease_sec;
        if (raw.network.max_lease_sec < raw.network.lease_sec)
                diag_error(load->diags, site_key_range(&content, "max_lease_time", places.name),
                           "the longest lease is shorter than the usual one of %u s", raw.network.lease_sec);
        set_subnet(load, &raw, &places, sound);
        raw.network.at = places.interface;
        raw.network.ranges_at = places.ranges;
        vec_push(&load->networks, raw.network);
        vec_push(&load->network_places, places);
}
