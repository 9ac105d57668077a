/* A bill of materials: what is installed in a system, by its package managers'
 * own databases and by slipway's releases; as SPDX 2.3 and as CycloneDX 1.5. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/vec.h"
#include "sbom/tree.h"

struct sbom_package {
        const char *type;        /* of its package URL: "deb", "rpm", "apk", "alpm", "generic" */
        char *name, *version;    /* version with its epoch and release, as the manager shows it */
        char *arch;              /* NULL here and below: not known */
        char *epoch;             /* rpm: not a part of the version in its package URL */
        char *license;           /* as the database has it */
        char *supplier;          /* "Name <address>", or a name */
        char *homepage, *source; /* the source package's name, where it is another */
        char *url, *sha256;      /* where it was fetched from */
        char *purl;
};

struct sbom {
        char *name;                         /* of the whole */
        char *os_id, *os_version, *os_name; /* of os-release(5); os_id "" where there is none */
        VEC(struct sbom_package) packages;  /* by type, name, version */
};

/* Read all databases. `name` is what the whole is called. */
int sbom_read(const struct sbom_tree *tree, const char *name, struct sbom *ret, struct error *err);
void sbom_clear(struct sbom *sbom);

/* The documents, made at this time (seconds since 1970); the same input gives the same bytes. json_decref() them. */
json_t *sbom_spdx(const struct sbom *sbom, int64_t created_sec);
json_t *sbom_cyclonedx(const struct sbom *sbom, int64_t created_sec);
