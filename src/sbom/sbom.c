/* All databases of a system into one list: see sbom.h. */
#include "sbom/sbom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/database.h"

static const struct database *const databases[] = {&database_dpkg, &database_rpm, &database_apk, &database_pacman,
                                                   &database_release};

struct sbom_package *sbom_add(struct sbom *sbom, const char *type)
{
        vec_push(&sbom->packages, (struct sbom_package){.type = type});
        return &sbom->packages.v[sbom->packages.n - 1];
}

const char *line_value(const char *line, const char *key, const char *separator)
{
        size_t n = strlen(key);

        if (strncmp(line, key, n) != 0 || !str_starts(line + n, separator))
                return NULL;
        return line + n + strlen(separator);
}

/* Old databases have other encodings, and JSON has one. */
static char *utf8_text(const char *s)
{
        struct str out = {0};

        while (*s) {
                int32_t c = str_next_utf8(&s);

                str_add_utf8(&out, c < 0 ? 0xfffd : (uint32_t)c);
                s += c < 0;
        }
        return str_steal(&out);
}

void field_set(char **field, const char *value)
{
        CLEANUP_FREE char *copy = NULL;
        const char *trimmed;

        if (!value || *field)
                return;
        copy = utf8_text(value);
        trimmed = str_trim(copy);
        if (*trimmed)
                *field = xstrdup(trimmed);
}

static void package_clear(struct sbom_package *package)
{
        char *const texts[] = {package->name,    package->version,  package->arch,     package->epoch,
                               package->license, package->supplier, package->homepage, package->source,
                               package->url,     package->sha256,   package->purl};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                free(texts[i]);
}

void sbom_clear(struct sbom *sbom)
{
        for (size_t i = 0; i < sbom->packages.n; i++)
                package_clear(&sbom->packages.v[i]);
        vec_free(&sbom->packages);
        free(sbom->name);
        free(sbom->os_id);
        free(sbom->os_version);
        free(sbom->os_name);
        *sbom = (struct sbom){0};
}

/* ---- os-release(5) ---- */

static void os_field(char **field, const char *line, const char *key)
{
        const char *value = line_value(line, key, "=");
        CLEANUP_FREE char *copy = NULL;
        size_t n;

        if (!value)
                return;
        copy = xstrdup(value + strspn(value, "\"'"));
        for (n = strlen(copy); n > 0 && strchr("\"'\r ", copy[n - 1]); n--)
                copy[n - 1] = '\0';
        field_set(field, copy);
}

static int read_os(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_STRV char **lines = NULL;
        int r = sbom_tree_read(tree, "/etc/os-release", &text, NULL, err);

        if (r == -ENOENT)
                r = sbom_tree_read(tree, "/usr/lib/os-release", &text, NULL, err);
        if (r < 0 && r != -ENOENT)
                return r;
        lines = str_split(text ? text : "", "\n");
        for (char **line = lines; *line; line++) {
                os_field(&sbom->os_id, *line, "ID");
                os_field(&sbom->os_version, *line, "VERSION_ID");
                os_field(&sbom->os_name, *line, "PRETTY_NAME");
        }
        if (!sbom->os_id)
                sbom->os_id = xstrdup("");
        return 0;
}

/* ---- all of it ---- */

static int compare(const void *p, const void *q)
{
        const struct sbom_package *a = p, *b = q;
        int order = strcmp(a->type, b->type);

        if (order == 0)
                order = strcmp(a->name, b->name);
        if (order == 0)
                order = strcmp(a->version, b->version);
        return order ? order : strcmp(a->purl, b->purl);
}

/* What has no name is none; the same from two places is one. */
static void finish(struct sbom *sbom)
{
        size_t n = 0;

        for (size_t i = 0; i < sbom->packages.n; i++) {
                struct sbom_package *package = &sbom->packages.v[i];

                if (!package->name || !package->version) {
                        package_clear(package);
                        continue;
                }
                package->purl = sbom_purl(sbom, package);
                sbom->packages.v[n++] = *package;
        }
        sbom->packages.n = n;
        if (n > 0)
                qsort(sbom->packages.v, n, sizeof(*sbom->packages.v), compare);
        n = 0;
        for (size_t i = 0; i < sbom->packages.n; i++) {
                if (n > 0 && strcmp(sbom->packages.v[n - 1].purl, sbom->packages.v[i].purl) == 0)
                        package_clear(&sbom->packages.v[i]);
                else
                        sbom->packages.v[n++] = sbom->packages.v[i];
        }
        sbom->packages.n = n;
}

int sbom_read(const struct sbom_tree *tree, const char *name, struct sbom *ret, struct error *err)
{
        CLEANUP(sbom_clear) struct sbom sbom = {.name = utf8_text(name)};
        int r = read_os(tree, &sbom, err);

        for (size_t i = 0; r == 0 && i < sizeof(databases) / sizeof(databases[0]); i++) {
                r = databases[i]->read(tree, &sbom, err);
                if (r < 0)
                        return error_wrap(err, r, "the packages of %s", databases[i]->name);
        }
        if (r < 0)
                return r;
        finish(&sbom);
        *ret = steal(&sbom);
        return 0;
}
