/* boot.ipxe: iPXE's script language (ipxe.org/scripting). Words are divided by
 * blanks and cannot be quoted, so a path with a blank goes as a URL. ${} in the
 * command line is iPXE's own, for those who write it. autoexec.ipxe, which
 * iPXE for UEFI fetches with the firmware's help before it has an address of
 * its own, begins by taking one. */
#include <string.h>

#include "site/render.h"

/* The whole URL; by the script's own protocol where no HTTP is served. */
static const char *url_of(struct site_request *request, const char *path)
{
        const struct client *client = request->client;
        bool http = !client || client->http || client->kind != CLIENT_IPXE; /* iPXE may lack it */

        return strstr(path, "://") ? path : site_url(request, http, path);
}

static void kernel(struct site_request *request, const struct site_kernel *k, struct str *out)
{
        size_t n = 0;

        str_addf(out, "kernel %s", url_of(request, k->kernel));
        for (const char *const *initrd = k->initrds; *initrd; initrd++) /* by UEFI the kernel asks for them by name */
                str_addf(out, " initrd=initrd%zu", n++);
        str_addf(out, "%s%s\n", *k->cmdline ? " " : "", k->cmdline);
        n = 0;
        for (const char *const *initrd = k->initrds; *initrd; initrd++)
                str_addf(out, "initrd --name initrd%zu %s\n", n++, url_of(request, *initrd));
        if (*k->san)
                str_addf(out, "sanhook %s\n", k->san);
        str_add(out, "boot\n");
}

int site_render_ipxe(struct site_request *request, struct str *out, struct error *err)
{
        struct site_kernel k = {0};
        int r;

        str_add(out, "#!ipxe\n");
        if (site_boots_disk(request)) {
                str_add(out, "exit\n");
                return 0;
        }
        r = site_kernel(request, &k, err);
        if (r < 0)
                return r;
        if (request->autoexec)
                str_add(out, "dhcp\n");
        if (*k.kernel)
                kernel(request, &k, out);
        else if (*k.san)
                str_addf(out, "sanboot %s\n", k.san);
        else
                return 1;
        return 0;
}
