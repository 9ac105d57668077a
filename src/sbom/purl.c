/* Package URLs: github.com/package-url/purl-spec. */
#include <string.h>

#include "base/str.h"
#include "sbom/database.h"

static void add_encoded(struct str *out, const char *s)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~:";

        for (; *s; s++)
                if (strchr(plain, *s))
                        str_addc(out, *s);
                else
                        str_addf(out, "%%%02X", (unsigned char)*s);
}

/* In the order of their names: it is part of the specification. */
static void add_qualifier(struct str *out, char *separator, const char *key, const char *value)
{
        if (str_empty(value))
                return;
        str_addf(out, "%c%s=", *separator, key);
        add_encoded(out, value);
        *separator = '&';
}

char *sbom_purl(const struct sbom *sbom, const struct sbom_package *package)
{
        bool generic = strcmp(package->type, "generic") == 0;
        const char *vendor = strcmp(package->type, "apk") == 0    ? "alpine"
                             : strcmp(package->type, "alpm") == 0 ? "arch"
                                                                  : "";
        CLEANUP_STR struct str distro = {0}, checksum = {0};
        struct str out = {0};
        char separator = '?';

        str_addf(&out, "pkg:%s/", package->type);
        if (!generic && *(*sbom->os_id ? sbom->os_id : vendor)) {
                add_encoded(&out, *sbom->os_id ? sbom->os_id : vendor);
                str_addc(&out, '/');
        }
        add_encoded(&out, package->name);
        str_addc(&out, '@');
        add_encoded(&out, package->version);
        if (!generic && *sbom->os_id && sbom->os_version)
                str_addf(&distro, "%s-%s", sbom->os_id, sbom->os_version);
        if (package->sha256)
                str_addf(&checksum, "sha256:%s", package->sha256);
        add_qualifier(&out, &separator, "arch", package->arch);
        add_qualifier(&out, &separator, "checksum", str_get(&checksum));
        add_qualifier(&out, &separator, "distro", str_get(&distro));
        add_qualifier(&out, &separator, "download_url", package->url);
        add_qualifier(&out, &separator, "epoch", package->epoch);
        return str_steal(&out);
}
