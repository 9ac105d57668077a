/* For tests of the site room: sites from texts, in a folder of their own. */
#pragma once

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "site/profile.h"
#include "site/site_internal.h"

static char dir[] = "/tmp/slipway-site-XXXXXX";

/* What every test has: a folder of boot loaders and one of files, so that the host's packages do not matter. */
#define SITE_HEAD "root = \"root\"\nloaders = \"loaders\"\n"
#define NETWORK                                                                                                        \
        "network \"lab\" {\n  interface = \"eth0\"\n  address = \"10.77.0.1/24\"\n"                                    \
        "  range = [\"10.77.0.100\", \"10.77.0.200\"]\n  router = \"10.77.0.1\"\n  domain = \"example.org\"\n}\n"

static inline void put(const char *name, const char *text)
{
        CLEANUP_FREE char *path = path_join(dir, name), *folder = path_dir(path);

        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static inline int make_folder(void **state)
{
        static const char *const files[] = {
                "loaders/undionly.kpxe",
                "loaders/snponly.efi",
                "loaders/ipxe.efi",
                "loaders/grubnetx64.efi",
                "loaders/grubnetaa64.efi",
                "loaders/shimx64.efi",
                "loaders/grubx64.efi",
                "loaders/pxelinux.0",
                "root/debian/linux",
                "root/debian/initrd.gz",
                "firmware/start4.elf",
                "loaders/snponly-arm64.efi",
                "debian.img",
                "root/live/filesystem.squashfs",
                "cert.pem",
                "key.pem",
        };

        (void)state;
        if (!mkdtemp(dir))
                return -1;
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                put(files[i], "x");
        return 0;
}

static inline int remove_folder(void **state)
{
        (void)state;
        return tree_remove(dir, NULL);
}

/* Errors and warnings, a line each: "3:5: text". The caller frees. */
static inline char *messages(const struct diags *diags)
{
        CLEANUP_STR struct str out = {0};

        for (size_t i = 0; i < diags->list.n; i++) {
                const struct diag *diag = &diags->list.v[i];
                unsigned int line = 0, column = 0;

                if (diag->range.source)
                        range_position(&diag->range, &line, &column);
                str_addf(&out, "%u:%u: %s%s\n", line, column, diag->severity == SEVERITY_WARNING ? "warning: " : "",
                         diag->summary);
        }
        return str_steal(&out);
}

static inline struct site *load_good(const char *text)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        struct site *site = NULL;
        int r = site_load_text("site.hcl", text, dir, &site, &diags);
        CLEANUP_FREE char *all = messages(&diags);

        if (r < 0 || diags.list.n > 0)
                fail_msg("%s", all);
        return site;
}
