/* SPDX 2.3 in JSON (spdx.github.io/spdx-spec/v2.3). Licences are given as the
 * databases write them, which is not always an SPDX expression: each text is a
 * LicenseRef of its own, so that the document is valid and nothing is lost. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "sbom/document.h"

static const char none[] = "NOASSERTION";

/* "Name <address>" as SPDX writes it. */
static char *supplier_of(const char *supplier)
{
        const char *open = supplier ? strchr(supplier, '<') : NULL, *close = open ? strchr(open, '>') : NULL;
        CLEANUP_FREE char *name = NULL, *address = NULL;

        if (!supplier)
                return xstrdup(none);
        if (!close)
                return xasprintf("Organization: %s", supplier);
        name = xstrndup(supplier, (size_t)(open - supplier));
        address = xstrndup(open + 1, (size_t)(close - open - 1));
        return *str_trim(name) ? xasprintf("Person: %s (%s)", str_trim(name), address)
                               : xasprintf("Person: %s", address);
}

/* The id of a licence's text, which is added to `refs` if it is new. */
static char *license_ref(json_t *refs, json_t *known, const char *text)
{
        const char *id = json_string_value(json_object_get(known, text));
        CLEANUP_FREE char *fresh = NULL;

        if (id)
                return xstrdup(id);
        fresh = xasprintf("LicenseRef-%zu", json_array_size(refs) + 1);
        json_array_append_new(refs,
                              json_pack("{s:s, s:s, s:s}", "licenseId", fresh, "extractedText", text, "name", text));
        json_object_set_new(known, text, json_string(fresh));
        return steal(&fresh);
}

static json_t *package_json(const struct sbom_package *package, size_t number, json_t *refs, json_t *known)
{
        CLEANUP_FREE char *id = xasprintf("SPDXRef-Package-%zu", number), *supplier = supplier_of(package->supplier);
        CLEANUP_FREE char *license = package->license ? license_ref(refs, known, package->license) : xstrdup(none);
        json_t *out =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "SPDXID", id, "name",
                          package->name, "versionInfo", package->version, "supplier", supplier, "downloadLocation",
                          sbom_is_uri(package->url) ? package->url : none, "filesAnalyzed", 0, "licenseConcluded", none,
                          "licenseDeclared", license, "copyrightText", none, "externalRefs", "referenceCategory",
                          "PACKAGE-MANAGER", "referenceType", "purl", "referenceLocator", package->purl);

        if (sbom_is_uri(package->homepage))
                json_object_set_new(out, "homepage", json_string(package->homepage));
        if (package->source)
                json_object_set_new(out, "sourceInfo",
                                    json_sprintf("built from the source package %s", package->source));
        if (package->sha256)
                json_object_set_new(out, "checksums",
                                    json_pack("[{s:s, s:s}]", "algorithm", "SHA256", "checksumValue", package->sha256));
        return out;
}

static json_t *whole_json(const struct sbom *sbom)
{
        return json_pack("{s:s, s:s, s:s*, s:s, s:b, s:s, s:s, s:s, s:s, s:s}", "SPDXID", "SPDXRef-System", "name",
                         sbom->os_name ? sbom->os_name : sbom->name, "versionInfo", sbom->os_version,
                         "downloadLocation", none, "filesAnalyzed", 0, "licenseConcluded", none, "licenseDeclared",
                         none, "copyrightText", none, "supplier", none, "primaryPackagePurpose", "OPERATING_SYSTEM");
}

static json_t *relationship(const char *from, const char *type, const char *to)
{
        return json_pack("{s:s, s:s, s:s}", "spdxElementId", from, "relationshipType", type, "relatedSpdxElement", to);
}

json_t *sbom_spdx(const struct sbom *sbom, int64_t created_sec)
{
        json_t *packages = json_array(), *relationships = json_array(), *refs = json_array(), *known = json_object();
        char id[SBOM_UUID], created[SBOM_TIME];

        sbom_uuid(sbom, "spdx", created_sec, id);
        sbom_time(created_sec, created);
        json_array_append_new(packages, whole_json(sbom));
        json_array_append_new(relationships, relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-System"));
        for (size_t i = 0; i < sbom->packages.n; i++) {
                CLEANUP_FREE char *name = xasprintf("SPDXRef-Package-%zu", i + 1);

                json_array_append_new(packages, package_json(&sbom->packages.v[i], i + 1, refs, known));
                json_array_append_new(relationships, relationship("SPDXRef-System", "CONTAINS", name));
        }
        json_decref(known);
        return json_pack("{s:s, s:s, s:s, s:s, s:o, s:{s:s, s:[s]}, s:o, s:o, s:o}", "spdxVersion", "SPDX-2.3",
                         "dataLicense", "CC0-1.0", "SPDXID", "SPDXRef-DOCUMENT", "name", sbom->name,
                         "documentNamespace", json_sprintf("urn:uuid:%s", id), "creationInfo", "created", created,
                         "creators", "Tool: slipway-" SLIPWAY_VERSION, "packages", packages, "relationships",
                         relationships, "hasExtractedLicensingInfos", refs);
}
