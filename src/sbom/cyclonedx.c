/* CycloneDX 1.5 in JSON (cyclonedx.org/docs/1.5/json). */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/document.h"

static void add_reference(json_t *component, const char *type, const char *url)
{
        json_t *list = json_object_get(component, "externalReferences");

        if (!sbom_is_uri(url))
                return;
        if (!list) {
                list = json_array();
                json_object_set_new(component, "externalReferences", list);
        }
        json_array_append_new(list, json_pack("{s:s, s:s}", "type", type, "url", url));
}

static json_t *component_json(const struct sbom_package *package)
{
        bool release = strcmp(package->type, "generic") == 0;
        json_t *out =
                json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", release ? "application" : "library", "bom-ref",
                          package->purl, "name", package->name, "version", package->version, "purl", package->purl);

        if (package->supplier)
                json_object_set_new(out, "publisher", json_string(package->supplier));
        if (package->license)
                json_object_set_new(out, "licenses", json_pack("[{s:{s:s}}]", "license", "name", package->license));
        if (package->sha256)
                json_object_set_new(out, "hashes",
                                    json_pack("[{s:s, s:s}]", "alg", "SHA-256", "content", package->sha256));
        add_reference(out, "website", package->homepage);
        add_reference(out, "distribution", package->url);
        return out;
}

json_t *sbom_cyclonedx(const struct sbom *sbom, int64_t created_sec)
{
        json_t *components = json_array(), *contained = json_array();
        char id[SBOM_UUID], created[SBOM_TIME];

        sbom_uuid(sbom, "cyclonedx", created_sec, id);
        sbom_time(created_sec, created);
        for (size_t i = 0; i < sbom->packages.n; i++) {
                json_array_append_new(components, component_json(&sbom->packages.v[i]));
                json_array_append_new(contained, json_string(sbom->packages.v[i].purl));
        }
        return json_pack("{s:s, s:s, s:o, s:i, s:{s:s, s:{s:[{s:s, s:s, s:s}]}, s:{s:s, s:s, s:s, s:s*}}, s:o, "
                         "s:[{s:s, s:o}]}",
                         "bomFormat", "CycloneDX", "specVersion", "1.5", "serialNumber",
                         json_sprintf("urn:uuid:%s", id), "version", 1, "metadata", "timestamp", created, "tools",
                         "components", "type", "application", "name", "slipway", "version", SLIPWAY_VERSION,
                         "component", "type", "operating-system", "bom-ref", "system", "name",
                         sbom->os_name ? sbom->os_name : sbom->name, "version", sbom->os_version, "components",
                         components, "dependencies", "ref", "system", "dependsOn", contained);
}
