/* See document.h. */
#include "sbom/document.h"

#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

#include "base/digest.h"

bool sbom_is_uri(const char *text)
{
        const char *scheme_end = text ? strstr(text, "://") : NULL;

        return scheme_end && scheme_end > text && !strpbrk(text, " \t<>\"");
}

void sbom_time(int64_t sec, char out[SBOM_TIME])
{
        time_t when = (time_t)sec;
        struct tm tm;

        strftime(out, SBOM_TIME, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
}

void sbom_uuid(const struct sbom *sbom, const char *kind, int64_t created_sec, char out[SBOM_UUID])
{
        struct digest *digest = digest_sha256();
        char hex[DIGEST_HEX_MAX];
        uuid_t uuid;

        digest_string(digest, kind);
        digest_string(digest, sbom->name);
        digest_update(digest, &created_sec, sizeof(created_sec));
        for (size_t i = 0; i < sbom->packages.n; i++)
                digest_string(digest, sbom->packages.v[i].purl);
        digest_final(digest, hex);
        digest_free(digest);
        uuid_generate_sha1(uuid, *uuid_get_template("url"), hex, strlen(hex));
        uuid_unparse_lower(uuid, out);
}
