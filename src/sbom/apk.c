/* Alpine's list: records of lines "L:value", as in the index of a repository (APKINDEX). */
#include <errno.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/database.h"

static const struct {
        const char *key;
        size_t offset;
} fields[] = {
        {"P", offsetof(struct sbom_package, name)},     {"V", offsetof(struct sbom_package, version)},
        {"A", offsetof(struct sbom_package, arch)},     {"L", offsetof(struct sbom_package, license)},
        {"U", offsetof(struct sbom_package, homepage)}, {"o", offsetof(struct sbom_package, source)},
        {"m", offsetof(struct sbom_package, supplier)},
};

static void read_line(struct sbom_package *package, const char *line)
{
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                field_set((char **)((char *)package + fields[i].offset), line_value(line, fields[i].key, ":"));
}

static int read_apk(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        static const char *const paths[] = {"/lib/apk/db/installed", "/usr/lib/apk/db/installed", NULL};
        CLEANUP_FREE char *text = NULL;
        CLEANUP_STRV char **lines = NULL;
        bool inside = false;
        int r = -ENOENT;

        for (const char *const *path = paths; r == -ENOENT && *path; path++)
                r = sbom_tree_read(tree, *path, &text, NULL, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        lines = str_split(text, "\n");
        for (char **line = lines; *line; line++) {
                if (**line && !inside)
                        sbom_add(sbom, "apk");
                inside = **line != '\0';
                if (inside)
                        read_line(&sbom->packages.v[sbom->packages.n - 1], *line);
        }
        return 0;
}

const struct database database_apk = {.name = "apk", .read = read_apk};
