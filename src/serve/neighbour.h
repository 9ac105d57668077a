/* Which machine has an address: the kernel's own table of neighbours
 * (/proc/net/arp). That is how a proxy, which gives no address, knows who asks
 * it for a file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The table, to be read as often as wanted, also where it cannot be opened any more; -1: there is none. */
int neighbour_open(void);
bool neighbour_find(int table, uint32_t address, uint8_t ret_mac[6]);
