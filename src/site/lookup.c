/* Machines and networks by what they are known by. */
#include <string.h>

#include "site/site_internal.h"

/* FNV-1a, folded by a multiplication so that the low bits depend on all others. */
static size_t hash(const void *key, size_t len)
{
        const uint8_t *bytes = key;
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < len; i++)
                h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
        h *= UINT64_C(0x9e3779b97f4a7c15);
        return (size_t)(h >> 32);
}

void site_map_init(struct site_map *map, struct arena *arena, size_t n)
{
        map->size = 8;
        while (map->size < 2 * n)
                map->size *= 2;
        map->slots = arena_array(arena, map->size, sizeof(*map->slots));
}

/* Its slot, or the empty one where it would be. */
static struct site_map_slot *slot_of(const struct site_map *map, const void *key, size_t len)
{
        size_t i = hash(key, len) & (map->size - 1);

        while (map->slots[i].machine && (map->slots[i].len != len || memcmp(map->slots[i].key, key, len) != 0))
                i = (i + 1) & (map->size - 1);
        return &map->slots[i];
}

const struct site_machine *site_map_add(struct site_map *map, const void *key, size_t len,
                                        const struct site_machine *machine)
{
        struct site_map_slot *slot = slot_of(map, key, len);

        if (slot->machine)
                return slot->machine;
        *slot = (struct site_map_slot){key, len, machine};
        return NULL;
}

static const struct site_machine *find(const struct site_map *map, const void *key, size_t len)
{
        return map->size ? slot_of(map, key, len)->machine : NULL;
}

void site_swap_uuid(const uint8_t uuid[16], uint8_t ret[16])
{
        static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

        for (size_t i = 0; i < 16; i++)
                ret[i] = uuid[order[i]];
}

static const struct site_machine *by_uuid(const struct site *site, const uint8_t uuid[16])
{
        const struct site_machine *machine;
        uint8_t swapped[16];

        site_swap_uuid(uuid, swapped);
        machine = find(&site->private->by_uuid, swapped, 16);
        return machine ? machine : find(&site->private->by_uuid, uuid, 16);
}

const struct site_machine *site_machine_by_mac(const struct site *site, const uint8_t mac[6])
{
        return find(&site->private->by_mac, mac, 6);
}

const struct site_machine *site_machine_by_name(const struct site *site, const char *name)
{
        return find(&site->private->by_name, name, strlen(name));
}

const struct site_machine *site_machine_by_serial(const struct site *site, uint32_t serial)
{
        return find(&site->private->by_serial, &serial, sizeof(serial));
}

const struct site_machine *site_machine_by_address(const struct site *site, uint32_t address)
{
        return find(&site->private->by_address, &address, sizeof(address));
}

const struct site_machine *site_machine(const struct site *site, const struct client *client)
{
        const struct site_machine *machine = client->has_mac ? site_machine_by_mac(site, client->mac) : NULL;

        if (!machine && client->has_uuid)
                machine = by_uuid(site, client->uuid);
        if (!machine && client->pi_serial)
                machine = site_machine_by_serial(site, client->pi_serial);
        return machine;
}

const struct site_network *site_network_of(const struct site *site, uint32_t address)
{
        for (size_t i = 0; i < site->n_networks; i++) {
                const struct site_network *network = &site->networks[i];

                if (network->mask && (address & network->mask) == network->subnet)
                        return network;
        }
        return NULL;
}
