/* Option 43 of PXE clients: see pxe.h. */
#include <string.h>

#include "base/bytes.h"
#include "wire/pxe.h"

static size_t form(uint8_t *buf, const void *bytes, size_t n)
{
        memcpy(buf, bytes, n);
        return n;
}

size_t pxe_direct(uint8_t buf[PXE_SIZE])
{
        static const uint8_t bytes[] = {PXE_DISCOVERY_CONTROL, 1, PXE_USE_FILE, PXE_END};

        return form(buf, bytes, sizeof(bytes));
}

size_t pxe_raspberry_pi(uint8_t buf[PXE_SIZE])
{
        static const char bytes[] = "\x06\x01\x03"         /* no broadcast, no multicast */
                                    "\x0a\x04\x00PXE"      /* prompt: at once */
                                    "\x09\x17\x00\x00\x14" /* menu: type 0, 20 characters */
                                    "Raspberry Pi Boot   "
                                    "\xff";

        return form(buf, bytes, sizeof(bytes) - 1);
}

static bool read_servers(const uint8_t *data, size_t len, struct pxe_vendor *ret)
{
        while (len >= 3 && (len - 3) / 4 >= data[2]) {
                ret->n_servers++;
                len -= 3u + 4u * data[2];
                data += 3u + 4u * data[2];
        }
        return len == 0;
}

static bool read_menu(const uint8_t *data, size_t len, struct pxe_vendor *ret)
{
        while (len >= 3 && len - 3 >= data[2]) {
                if (ret->n_menu < PXE_ITEMS) {
                        ret->menu[ret->n_menu].type = get_be16(data);
                        ret->menu[ret->n_menu].text = data + 3;
                        ret->menu[ret->n_menu++].len = data[2];
                }
                len -= 3u + data[2];
                data += 3u + data[2];
        }
        return len == 0;
}

static bool read_one(uint8_t code, const uint8_t *data, size_t len, struct pxe_vendor *ret)
{
        switch (code) {
        case PXE_DISCOVERY_CONTROL:
                ret->has_control = len == 1;
                ret->control = len == 1 ? data[0] : 0;
                return len == 1;
        case PXE_BOOT_SERVERS:
                return read_servers(data, len, ret);
        case PXE_BOOT_MENU:
                return read_menu(data, len, ret);
        case PXE_MENU_PROMPT:
                ret->has_prompt = len >= 1;
                ret->prompt_sec = len >= 1 ? data[0] : 0;
                return len >= 1;
        case PXE_BOOT_ITEM:
                ret->has_item = len == 4;
                ret->item_type = len == 4 ? get_be16(data) : 0;
                ret->item_layer = len == 4 ? get_be16(data + 2) : 0;
                return len == 4;
        default:
                return true;
        }
}

bool pxe_read(const uint8_t *data, size_t len, struct pxe_vendor *ret)
{
        bool whole = true;

        *ret = (struct pxe_vendor){0};
        while (len > 0 && data[0] != PXE_END) {
                if (data[0] == 0) { /* padding, as in the options themselves */
                        data++;
                        len--;
                        continue;
                }
                if (len < 2 || len - 2 < data[1])
                        return false;
                whole &= read_one(data[0], data + 2, data[1], ret);
                len -= 2u + data[1];
                data += 2u + data[1];
        }
        return whole;
}
