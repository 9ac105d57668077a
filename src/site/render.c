/* What all renderers need: see render.h. */
#include "site/render.h"

#include <string.h>

#include "site/path.h"

bool site_boots_disk(const struct site_request *request)
{
        return !request->profile || request->profile->local_disk;
}

/* A file of the name space as it is written everywhere; a URL stays. */
static int served(struct site_request *request, const char *path, const char *what, const char **ret, struct error *err)
{
        CLEANUP_FREE char *clean = NULL;
        int r;

        if (!*path || strstr(path, "://")) {
                *ret = path;
                return 0;
        }
        r = site_path_clean(path, &clean, err);
        if (r < 0)
                return error_wrap(err, r, "%s", what);
        *ret = arena_strdup(&request->arena, clean);
        return 0;
}

static int served_line(struct site_request *request, const struct hcl_expr *expr, const char *what, const char **ret,
                       struct error *err)
{
        const char *path = "";
        int r = site_eval_line(request, expr, what, &path, err);

        return r < 0 ? r : served(request, path, what, ret, err);
}

static int initrds(struct site_request *request, const char *const **ret, struct error *err)
{
        const char *const *lines = NULL;
        const char **paths;
        size_t n = 0;
        int r = site_eval_lines(request, request->profile->initrd, "the initrd", &lines, err);

        if (r < 0)
                return r;
        paths = arena_array(&request->arena, strv_len(lines) + 1, sizeof(*paths));
        for (; r == 0 && lines[n]; n++)
                r = served(request, lines[n], "the initrd", &paths[n], err);
        *ret = paths;
        return r;
}

int site_kernel(struct site_request *request, struct site_kernel *ret, struct error *err)
{
        const struct site_profile *profile = request->profile;
        int r = served_line(request, profile->kernel, "the kernel", &ret->kernel, err);

        if (r == 0)
                r = initrds(request, &ret->initrds, err);
        if (r == 0)
                r = served_line(request, profile->dtb, "the device tree", &ret->dtb, err);
        if (r == 0)
                r = site_eval_line(request, profile->san, "san", &ret->san, err);
        if (r == 0)
                r = site_cmdline(request, &ret->cmdline, err);
        return r;
}
