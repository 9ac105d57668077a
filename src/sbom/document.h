/* What both kinds of documents have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sbom/sbom.h"

enum { SBOM_UUID = 37, SBOM_TIME = 32 };

/* Databases have all kinds of texts where an address belongs, and a release may come from a path. */
bool sbom_is_uri(const char *text);
/* Of the contents, the time and the kind of document: the same for the same. */
void sbom_uuid(const struct sbom *sbom, const char *kind, int64_t created_sec, char out[SBOM_UUID]);
/* RFC 3339, UTC, without fractions. */
void sbom_time(int64_t sec, char out[SBOM_TIME]);
