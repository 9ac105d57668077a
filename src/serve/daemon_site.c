/* Site files for the daemon: read, and bound to the interfaces of this host. */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "serve/daemon_internal.h"
#include "serve/roots.h"

static int load(const struct daemon_options *options, enum bind_missing missing, struct site **ret, struct diags *diags)
{
        CLEANUP(site_freep) struct site *site = NULL;
        int r = options->site ? site_load(options->site, &site, diags)
                              : site_quick(options->quick, options->interface, options->mode, &site, diags);

        if (r < 0)
                return r;
        if (options->state)
                site->state = options->state;
        r = bind_networks(site, missing, diags);
        if (r == 0)
                *ret = steal(&site);
        return r;
}

int daemon_site(const struct daemon_options *options, enum bind_missing missing, struct site **ret)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        int r = load(options, missing, ret, &diags);

        if (!options->site)
                diags_forget_places(&diags); /* a site that is made of a folder has no file */
        diags_sort(&diags);
        diags_print(&diags, stderr, isatty(STDERR_FILENO));
        return r;
}

int daemon_roots(void *arg, struct keeper_jobs *ret, struct error *err)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP(site_freep) struct site *site = NULL;

        if (load(arg, BIND_ERROR, &site, &diags) < 0)
                return error_set(err, EINVAL, "the site file has errors");
        return roots_list(site, ret, err);
}

/* What libraries read, beside the site's own. */
static const char *const system_folders[] = {"/etc", "/usr/share/zoneinfo", NULL};

char **daemon_folders(const struct site *site)
{
        char **folders = site_folders(site);

        strv_extend(&folders, system_folders);
        return folders;
}
