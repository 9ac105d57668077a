/* What `slipway release` installed: manifests in the prefixes that the system's profile names, and in the usual ones.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "release/manifest.h"
#include "sbom/database.h"

static char **prefixes(const char *profile)
{
        CLEANUP_STRV char **lines = str_split(profile, "\n");
        char **list = NULL;

        strv_add(&list, "/usr/local");
        strv_add(&list, "/opt");
        for (char **line = lines; *line; line++) {
                CLEANUP_FREE char *prefix = release_profile_prefix(*line);

                if (prefix && !strv_has(STRV(list), prefix))
                        strv_add(&list, prefix);
        }
        return list;
}

static void add(const json_t *manifest, struct sbom *sbom)
{
        struct sbom_package *package = sbom_add(sbom, "generic");

        field_set(&package->name, release_manifest_text(manifest, "name"));
        field_set(&package->version, release_manifest_text(manifest, "version"));
        field_set(&package->arch, release_manifest_text(manifest, "machine"));
        field_set(&package->license, release_manifest_text(manifest, "license"));
        field_set(&package->homepage, release_manifest_text(manifest, "homepage"));
        field_set(&package->url, release_manifest_text(manifest, "url"));
        field_set(&package->sha256, release_manifest_text(manifest, "sha256"));
}

static int read_prefix(const struct sbom_tree *tree, const char *prefix, struct sbom *sbom, struct error *err)
{
        CLEANUP_STRV char **names = NULL;
        int r = sbom_tree_list(tree, prefix, &names, err);

        for (char **name = names; r == 0 && name && *name; name++) {
                CLEANUP_FREE char *path = xasprintf("%s/%s/" RELEASE_MANIFEST, prefix, *name), *text = NULL;
                json_t *manifest = NULL;

                r = strchr(*name, '-') ? sbom_tree_read(tree, path, &text, NULL, err) : -ENOENT;
                if (r == 0)
                        r = release_manifest_parse(path, text, &manifest, err);
                if (r == 0)
                        add(manifest, sbom);
                json_decref(manifest);
                if (r == -ENOENT)
                        r = 0;
        }
        return r;
}

static int read_releases(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        CLEANUP_FREE char *profile = NULL;
        CLEANUP_STRV char **list = NULL;
        int r = sbom_tree_read(tree, RELEASE_SYSTEM_PROFILE, &profile, NULL, err);

        if (r < 0 && r != -ENOENT)
                return r;
        list = prefixes(profile ? profile : "");
        r = 0;
        for (char **prefix = list; r == 0 && *prefix; prefix++)
                r = read_prefix(tree, *prefix, sbom, err);
        return r;
}

const struct database database_release = {.name = "slipway release", .read = read_releases};
