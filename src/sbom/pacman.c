/* Arch Linux's list: a folder for each package, with a file of "%FIELD%" and the lines of its value. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/database.h"

static const struct {
        const char *key;
        size_t offset;
} fields[] = {
        {"%NAME%", offsetof(struct sbom_package, name)},       {"%VERSION%", offsetof(struct sbom_package, version)},
        {"%ARCH%", offsetof(struct sbom_package, arch)},       {"%URL%", offsetof(struct sbom_package, homepage)},
        {"%LICENSE%", offsetof(struct sbom_package, license)}, {"%PACKAGER%", offsetof(struct sbom_package, supplier)},
        {"%BASE%", offsetof(struct sbom_package, source)},
};

/* Several lines are several licences that all hold. */
static char *value_of(char *const *lines)
{
        struct str out = {0};

        for (; *lines && **lines; lines++)
                str_addf(&out, "%s%s", out.len ? " AND " : "", *lines);
        return str_steal(&out);
}

static void read_desc(const char *text, struct sbom *sbom)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        struct sbom_package *package = sbom_add(sbom, "alpm");

        for (char **line = lines; *line; line++)
                for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                        CLEANUP_FREE char *value = strcmp(*line, fields[i].key) == 0 ? value_of(line + 1) : NULL;

                        field_set((char **)((char *)package + fields[i].offset), value);
                }
}

static int read_pacman(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        static const char folder[] = "/var/lib/pacman/local";
        CLEANUP_STRV char **names = NULL;
        int r = sbom_tree_list(tree, folder, &names, err);

        for (char **name = names; r == 0 && name && *name; name++) {
                CLEANUP_FREE char *path = xasprintf("%s/%s/desc", folder, *name), *text = NULL;

                r = sbom_tree_read(tree, path, &text, NULL, err);
                if (r == 0)
                        read_desc(text, sbom);
                if (r == -ENOENT)
                        r = 0; /* ALPM_DB_VERSION */
        }
        return r;
}

const struct database database_pacman = {.name = "pacman", .read = read_pacman};
