/* Texts rendered from a profile for the machine that asks, one function for
 * each reader. All that a renderer is given is one line without control
 * characters; each quotes it as its reader wants it. */
#pragma once

#include "base/str.h"
#include "site/request.h"

/* What there is to boot, evaluated. */
struct site_kernel {
        /* Paths of the name space, without a leading '/', or URLs; "" for none. */
        const char *kernel, *dtb;
        const char *const *initrds; /* NULL-terminated */
        const char *cmdline, *san;  /* "" for none */
};
int site_kernel(struct site_request *request, struct site_kernel *ret, struct error *err);
/* The command line with what a root on the network needs. */
int site_cmdline(struct site_request *request, const char **ret, struct error *err);
/* Can a root of this kind be written for it? */
bool site_root_has_form(enum site_root_kind kind, enum site_initramfs initramfs);
/* Does the machine boot its own disk: by its profile, or since it has none? */
bool site_boots_disk(const struct site_request *request);

typedef int site_render(struct site_request *request, struct str *out, struct error *err);
site_render site_render_ipxe, site_render_pxelinux, site_render_grub, site_render_uboot, site_render_config_txt,
        site_render_cmdline_txt;
