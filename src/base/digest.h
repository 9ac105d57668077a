/* Message digests over libcrypto. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define DIGEST_HEX_MAX 129 /* sha512 in hex, and the NUL */

struct digest;

/* `name` is an OpenSSL digest name: "md5", "sha1", "sha256", "sha512". NULL if unknown. */
struct digest *digest_new(const char *name) __attribute__((warn_unused_result));
/* SHA-256, which libcrypto always has: never NULL. */
struct digest *digest_sha256(void) __attribute__((warn_unused_result, returns_nonnull));
void digest_update(struct digest *digest, const void *data, size_t n);
/* The string and its terminating NUL, so that ("a","bc") differs from ("ab","c"). NULL differs from "". */
void digest_string(struct digest *digest, const char *s);
/* Lower-case hex into hex[]; the digest can only be freed after that. */
void digest_final(struct digest *digest, char hex[DIGEST_HEX_MAX]);
struct digest *digest_free(struct digest *digest); /* returns NULL */
static inline void digest_freep(struct digest **digest)
{
        *digest = digest_free(*digest);
}
/* Digest of a file's bytes, read from where fd stands to its end. */
int digest_fd(const char *name, int fd, char hex[DIGEST_HEX_MAX], struct error *err);
int digest_file(const char *name, const char *path, char hex[DIGEST_HEX_MAX], struct error *err);
