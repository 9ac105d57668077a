/* PXE's option 43, sub-options, and values of options: any bytes. */
#include "wire/pxe.h"
#include "fuzz.h"
#include "wire/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pxe_vendor vendor;
        struct str text = {0};
        size_t len;

        pxe_read(data, size, &vendor);
        FUZZ_ASSERT(vendor.n_menu <= PXE_ITEMS);
        for (size_t i = 0; i < vendor.n_menu; i++)
                FUZZ_ASSERT(vendor.menu[i].text >= data && vendor.menu[i].text + vendor.menu[i].len <= data + size);
        for (unsigned code = 0; code < 256; code++) {
                const uint8_t *sub = dhcp_sub_get(data, size, (uint8_t)code, &len);

                FUZZ_ASSERT(!sub || (sub >= data && sub + len <= data + size));
        }
        for (int type = 0; type < DHCP_TYPES; type++) {
                struct dhcp_option option = {.code = 1, .type = (enum dhcp_option_type)type, .list = true};

                dhcp_option_format(&option, data, size, &text);
                str_addc(&text, '\n');
        }
        str_clear(&text);
        return 0;
}
