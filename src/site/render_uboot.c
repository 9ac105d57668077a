/* boot.scr.uimg: the script that U-Boot's usual boot sequence ("distro boot")
 * asks for by DHCP, before anything else from the network. It goes on to
 * pxelinux.cfg, which not every board would ask for by itself. The form is that
 * of U-Boot's legacy images (include/image.h, tools/mkimage): a header of 64
 * bytes, then the lengths of its parts ended by 0, then the parts; big-endian. */
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "site/render.h"

enum {
        IMAGE_HEADER = 64,
        IMAGE_MAGIC = 0x27051956,
        IMAGE_OS_LINUX = 5,
        IMAGE_TYPE_SCRIPT = 6,
        IMAGE_ARCH_ARM = 2,
        IMAGE_ARCH_ARM64 = 22,
        IMAGE_ARCH_RISCV = 26,
};

static const char script[] = "setenv tftpblocksize 1468\n"
                             "setenv tftpwindowsize 8\n"
                             "if pxe get; then pxe boot; fi\n";

static const char name[] = "slipway";

static uint8_t arch_of(const struct client *client)
{
        enum client_platform platform = client ? client->platform : PLATFORM_UNKNOWN;

        return platform == PLATFORM_UBOOT_ARM32     ? IMAGE_ARCH_ARM
               : platform == PLATFORM_UBOOT_RISCV64 ? IMAGE_ARCH_RISCV
                                                    : IMAGE_ARCH_ARM64;
}

int site_render_uboot(struct site_request *request, struct str *out, struct error *err)
{
        uint8_t image[IMAGE_HEADER + 8] = {0}, *data = image + IMAGE_HEADER;
        const size_t len = sizeof(script) - 1;
        uint32_t sum;

        (void)err;
        if (!request->profile || !request->profile->kernel)
                return 1;
        put_be32(data, (uint32_t)len);
        sum = (uint32_t)crc32(crc32(0, data, 8), (const uint8_t *)script, (uInt)len);
        put_be32(image, IMAGE_MAGIC);
        put_be32(image + 12, (uint32_t)(8 + len));
        put_be32(image + 24, sum);
        image[28] = IMAGE_OS_LINUX;
        image[29] = arch_of(request->client);
        image[30] = IMAGE_TYPE_SCRIPT;
        memcpy(image + 32, name, sizeof(name));
        put_be32(image + 4, (uint32_t)crc32(0, image, IMAGE_HEADER)); /* of the header with 0 in its place */
        str_addn(out, (const char *)image, sizeof(image));
        str_add(out, script);
        return 0;
}
