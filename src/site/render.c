/* What all renderers need: see render.h. */
#include "site/render.h"

#include <string.h>

const char *site_served_path(const char *path)
{
        return path + strspn(path, "/");
}

bool site_boots_disk(const struct site_request *request)
{
        return !request->profile || request->profile->local_disk;
}

int site_kernel(struct site_request *request, struct site_kernel *ret, struct error *err)
{
        const struct site_profile *profile = request->profile;
        int r = site_eval_line(request, profile->kernel, "the kernel", &ret->kernel, err);

        if (r == 0)
                r = site_eval_lines(request, profile->initrd, "the initrd", &ret->initrds, err);
        if (r == 0)
                r = site_eval_line(request, profile->dtb, "the device tree", &ret->dtb, err);
        if (r == 0)
                r = site_eval_line(request, profile->san, "san", &ret->san, err);
        if (r == 0)
                r = site_cmdline(request, &ret->cmdline, err);
        if (r < 0)
                return r;
        ret->kernel = site_served_path(ret->kernel);
        ret->dtb = site_served_path(ret->dtb);
        return 0;
}
