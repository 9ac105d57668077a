/* config.txt and cmdline.txt of a Raspberry Pi (raspberrypi.com/documentation,
 * "config.txt"). Without a kernel or a config_txt in the profile they are the firmware's own. */
#include <string.h>

#include "base/file.h"
#include "site/render.h"

int site_render_config_txt(struct site_request *request, struct str *out, struct error *err)
{
        const char *own;
        struct site_kernel k = {0};
        int r = site_eval_text(request, request->profile->config_txt, "config_txt", &own, err);

        if (r == 0)
                r = site_kernel(request, &k, err);
        if (r != 0)
                return r;
        if (!request->profile->config_txt && !*k.kernel)
                return 1;
        str_add(out, own);
        if (*own && out->s[out->len - 1] != '\n')
                str_addc(out, '\n');
        if (!*k.kernel)
                return 0;
        str_addf(out, "[all]\n%skernel=%s\n", *own ? "" : "arm_64bit=1\n", path_name(k.kernel));
        for (const char *const *initrd = k.initrds; *initrd; initrd++)
                str_addf(out, "%s%s", initrd == k.initrds ? "initramfs " : ",", path_name(*initrd));
        if (*k.initrds)
                str_add(out, " followkernel\n");
        return 0;
}

int site_render_cmdline_txt(struct site_request *request, struct str *out, struct error *err)
{
        const char *cmdline;
        int r = site_cmdline(request, &cmdline, err);

        if (r < 0)
                return r;
        if (!*cmdline)
                return 1;
        str_addf(out, "%s\n", cmdline);
        return 0;
}
