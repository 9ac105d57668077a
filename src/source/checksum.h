/* Checksums as templates and vendors write them: types in any spelling,
 * "type:hex", and the files that list the digests of a release. */
#pragma once

#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"

enum checksum_type {
        CHECKSUM_UNKNOWN, /* not said */
        CHECKSUM_NONE,    /* "none": do not verify */
        CHECKSUM_MD5,
        CHECKSUM_SHA1,
        CHECKSUM_SHA256,
        CHECKSUM_SHA512,
};

struct checksum {
        enum checksum_type type;
        char hex[DIGEST_HEX_MAX]; /* lower case; "" where not known (yet) */
};

/* "sha256", "SHA-256", "sha256sum"; NULL and "" are CHECKSUM_UNKNOWN. */
int checksum_type_parse(const char *name, enum checksum_type *ret, struct error *err);
/* "sha256"; OpenSSL's name too. */
const char *checksum_type_name(enum checksum_type type);

/* "hex" or "type:hex". `type` may be unknown: then the prefix or the number of
 * digits tells. */
int checksum_parse(const char *text, enum checksum_type type, struct checksum *ret, struct error *err);

/* Find the digest of `name` in the text of a checksum file: a bare digest;
 * lines "digest  name", "digest *name"; BSD's "SHA256 (name) = digest";
 * coreutils' escaped names; a PGP clear signature around it. Names count by
 * their last part. `type` may be unknown. */
int checksum_file_find(const char *text, const char *name, enum checksum_type type, struct checksum *ret,
                       struct error *err);
