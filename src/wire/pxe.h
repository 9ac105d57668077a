/* Option 43 of PXE clients (PXE 2.1, table 2-1): what a boot server says to
 * firmware beside the file's name, and what a boot menu is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PXE_DISCOVERY_CONTROL = 6,
        PXE_BOOT_SERVERS = 8,
        PXE_BOOT_MENU = 9,
        PXE_MENU_PROMPT = 10,
        PXE_BOOT_ITEM = 71,
        PXE_END = 255,

        /* Bits of PXE_DISCOVERY_CONTROL. */
        PXE_NO_BROADCAST = 1,
        PXE_NO_MULTICAST = 2,
        PXE_LISTED_ONLY = 4,
        PXE_USE_FILE = 8, /* boot the file that is named, ask nobody else */

        PXE_SIZE = 64, /* room for any of the forms below */
        PXE_ITEMS = 8,
};

/* "Boot the file": 06 01 08 ff. Returns the length. */
size_t pxe_direct(uint8_t buf[PXE_SIZE]);
/* The menu without which the ROM of a Raspberry Pi 2 or 3 takes no offer.
 * It compares the text, and that of the 3B with three spaces at its end. */
size_t pxe_raspberry_pi(uint8_t buf[PXE_SIZE]);

/* What an option 43 says to a client. */
struct pxe_vendor {
        bool has_control;
        uint8_t control;
        size_t n_servers; /* sets in PXE_BOOT_SERVERS, addresses not among them */
        size_t n_menu;
        struct {
                uint16_t type;
                const uint8_t *text; /* borrowed from the option */
                uint8_t len;
        } menu[PXE_ITEMS];
        bool has_prompt;
        uint8_t prompt_sec; /* 255: wait for ever */
        bool has_item;
        uint16_t item_type, item_layer;
};

/* Read it. False: something in it is cut off; what came before is in *ret. */
bool pxe_read(const uint8_t *data, size_t len, struct pxe_vendor *ret);
