/* dpkg's list: stanzas in deb822(5), in one file, or (images without dpkg) in one file for each package. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/database.h"

static bool is_installed(const char *status)
{
        const char *state = status ? strrchr(status, ' ') : " installed";

        return state && strcmp(state, " installed") == 0;
}

static void read_stanza(char *const *lines, size_t n, struct sbom *sbom)
{
        struct sbom_package package = {.type = "deb"};
        const char *status = NULL, *value;

        for (size_t i = 0; i < n; i++) {
                field_set(&package.name, line_value(lines[i], "Package", ":"));
                field_set(&package.version, line_value(lines[i], "Version", ":"));
                field_set(&package.arch, line_value(lines[i], "Architecture", ":"));
                field_set(&package.supplier, line_value(lines[i], "Maintainer", ":"));
                field_set(&package.homepage, line_value(lines[i], "Homepage", ":"));
                field_set(&package.source, line_value(lines[i], "Source", ":"));
                value = line_value(lines[i], "Status", ":");
                if (value)
                        status = value;
        }
        *sbom_add(sbom, "deb") = package;
        if (!is_installed(status))
                free(steal(&sbom->packages.v[sbom->packages.n - 1].name)); /* known, but not there */
}

static void read_text(char *text, struct sbom *sbom)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        size_t begin = 0;

        for (size_t i = 0;; i++) {
                if (lines[i] && *lines[i])
                        continue;
                if (i > begin)
                        read_stanza(lines + begin, i - begin, sbom);
                if (!lines[i])
                        return;
                begin = i + 1;
        }
}

static int read_folder(const struct sbom_tree *tree, const char *folder, struct sbom *sbom, struct error *err)
{
        CLEANUP_STRV char **names = NULL;
        int r = sbom_tree_list(tree, folder, &names, err);

        for (char **name = names; r == 0 && name && *name; name++) {
                CLEANUP_FREE char *path = xasprintf("%s/%s", folder, *name), *text = NULL;

                if (str_ends(*name, ".md5sums"))
                        continue;
                r = sbom_tree_read(tree, path, &text, NULL, err);
                if (r == 0)
                        read_text(text, sbom);
        }
        return r;
}

static int read_dpkg(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        int r = sbom_tree_read(tree, "/var/lib/dpkg/status", &text, NULL, err);

        if (r < 0 && r != -ENOENT)
                return r;
        if (r == 0)
                read_text(text, sbom);
        return read_folder(tree, "/var/lib/dpkg/status.d", sbom, err);
}

const struct database database_dpkg = {.name = "dpkg", .read = read_dpkg};
