/* pxelinux.cfg/...: the language of SYSLINUX, read by PXELINUX and by U-Boot.
 * A line's first word is its keyword and the rest its value, so nothing needs quoting. */
#include <string.h>

#include "site/render.h"

/* Names are relative to the folder that the loader came from. Where that is not the root, PXELINUX
 * wants "::" before one that is not, and U-Boot a slash. */
static const char *root_mark(const struct site_request *request)
{
        const struct client *client = request->client;

        if (!request->in_folder)
                return "";
        return client && client->platform != PLATFORM_BIOS ? "/" : "::";
}

static void initrds(const struct site_kernel *k, const char *mark, struct str *out)
{
        for (const char *const *initrd = k->initrds; *initrd; initrd++)
                str_addf(out, "%s%s%s", initrd == k->initrds ? "  INITRD " : ",", mark, *initrd);
        if (*k->initrds)
                str_addc(out, '\n');
}

int site_render_pxelinux(struct site_request *request, struct str *out, struct error *err)
{
        const char *mark = root_mark(request);
        struct site_kernel k = {0};
        int r;

        str_add(out, "DEFAULT slipway\nPROMPT 0\nLABEL slipway\n");
        if (site_boots_disk(request)) {
                str_add(out, "  LOCALBOOT 0\n");
                return 0;
        }
        r = site_kernel(request, &k, err);
        if (r < 0)
                return r;
        if (!*k.kernel)
                return 1;
        str_addf(out, "  KERNEL %s%s\n", mark, k.kernel);
        initrds(&k, mark, out);
        if (*k.dtb)
                str_addf(out, "  FDT %s%s\n", mark, k.dtb);
        if (*k.cmdline)
                str_addf(out, "  APPEND %s\n", k.cmdline);
        return 0;
}
