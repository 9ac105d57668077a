/* What a machine boots: one profile of the site file. Texts that may depend on
 * the machine are kept as expressions and evaluated for each request; what the
 * daemon must know beforehand (exports to start servers for) is plain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/diag.h"

struct hcl_expr;
struct hcl_value;

enum site_loader {
        SITE_LOADER_AUTO, /* the first of the others that the host has */
        SITE_LOADER_IPXE,
        SITE_LOADER_GRUB,
        SITE_LOADER_SHIM, /* signed shim and GRUB: Secure Boot */
        SITE_LOADER_PXELINUX,
};

/* Who reads the command line first, and so how a root on the network is written in it. */
enum site_initramfs { SITE_INITRAMFS_TOOLS, SITE_DRACUT, SITE_LIVE_BOOT };

enum site_root_kind { SITE_ROOT_NONE, SITE_ROOT_NFS, SITE_ROOT_NBD, SITE_ROOT_SQUASHFS };

/* `root "TYPE" {}`: a root file system on the network. */
struct site_root {
        enum site_root_kind kind;
        const char *path; /* NFS: the exported folder. NBD: the image. Squashfs: its file. Absolute; NULL: another
                             server's own business */
        const char *export_name; /* NBD: name of the export */
        const char *options;     /* NFS: mount options */
        uint32_t server;         /* host order; 0: this one, which then serves it */
        uint16_t port;           /* 0: the protocol's own */
        bool writable;           /* NFS: mounted rw. NBD: a copy-on-write of its own for each machine */
};

/* A file made for the machine that asks: preseed, kickstart, user-data... */
struct site_answers {
        const char *name;
        const struct hcl_expr *text; /* of `text`, or the template; NULL: a file as it is */
        const char *file;            /* absolute, or NULL */
        struct range range;          /* of the name */
        bool known_only;             /* for machines of the site file only */
};

struct site_profile {
        const char *name;
        struct range range; /* of the name in the site file */
        bool local_disk;    /* the built-in profile.local-disk */
        const struct hcl_expr *kernel, *initrd, *cmdline, *dtb, *san, *boot, *config_txt; /* NULL: not given */
        enum site_loader loader;
        struct range loader_range; /* of its value, or of the name */
        bool for_u_boot;           /* `boot` has files for it */
        enum site_initramfs initramfs;
        const char *firmware, *image; /* of a Raspberry Pi: folder, or image with a boot partition; absolute, or NULL */
        struct site_root root;
        const struct site_answers *answers;
        size_t n_answers;
        const struct hcl_value *variables; /* an object */
};
