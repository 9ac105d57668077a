/* pxelinux.cfg/...: the language of SYSLINUX, read by PXELINUX and by U-Boot.
 * A line's first word is its keyword and the rest its value, so nothing needs quoting. */
#include <string.h>

#include "site/render.h"

static void initrds(const struct site_kernel *k, struct str *out)
{
        for (const char *const *initrd = k->initrds; *initrd; initrd++)
                str_addf(out, "%s%s", initrd == k->initrds ? "  INITRD " : ",", site_served_path(*initrd));
        if (*k->initrds)
                str_addc(out, '\n');
}

int site_render_pxelinux(struct site_request *request, struct str *out, struct error *err)
{
        struct site_kernel k = {0};
        int r;

        str_add(out, "DEFAULT slipway\nPROMPT 0\nLABEL slipway\n");
        if (!request->profile || request->profile->local_disk) {
                str_add(out, "  LOCALBOOT 0\n");
                return 0;
        }
        r = site_kernel(request, &k, err);
        if (r < 0)
                return r;
        if (!*k.kernel)
                return 1;
        str_addf(out, "  KERNEL %s\n", k.kernel);
        initrds(&k, out);
        if (*k.dtb)
                str_addf(out, "  FDT %s\n", k.dtb);
        if (*k.cmdline)
                str_addf(out, "  APPEND %s\n", k.cmdline);
        return 0;
}
