/* See digest.h. */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"

struct digest {
        EVP_MD_CTX *ctx;
};

struct digest *digest_new(const char *name)
{
        const EVP_MD *md = EVP_get_digestbyname(name);
        CLEANUP(digest_freep) struct digest *digest = NULL;

        if (!md)
                return NULL;
        digest = xcalloc(1, sizeof(*digest));
        digest->ctx = EVP_MD_CTX_new();
        if (!digest->ctx || EVP_DigestInit_ex(digest->ctx, md, NULL) != 1)
                return NULL;
        return steal(&digest);
}

struct digest *digest_sha256(void)
{
        struct digest *digest = digest_new("sha256");

        if (!digest) {
                fputs("slipway: libcrypto gives no SHA-256\n", stderr);
                abort();
        }
        return digest;
}

void digest_update(struct digest *digest, const void *data, size_t n)
{
        EVP_DigestUpdate(digest->ctx, data, n);
}

void digest_string(struct digest *digest, const char *s)
{
        if (s)
                digest_update(digest, s, strlen(s) + 1);
        else
                digest_update(digest, "\xff", 1); /* in no UTF-8 text */
}

void digest_final(struct digest *digest, char hex[DIGEST_HEX_MAX])
{
        unsigned char raw[EVP_MAX_MD_SIZE];
        unsigned int n = 0;

        EVP_DigestFinal_ex(digest->ctx, raw, &n);
        for (unsigned int i = 0; i < n && 2 * i + 2 < DIGEST_HEX_MAX; i++)
                snprintf(hex + 2 * i, 3, "%02x", raw[i]);
}

struct digest *digest_free(struct digest *digest)
{
        if (digest)
                EVP_MD_CTX_free(digest->ctx);
        free(digest);
        return NULL;
}

int digest_fd(const char *name, int fd, char hex[DIGEST_HEX_MAX], struct error *err)
{
        CLEANUP(digest_freep) struct digest *digest = digest_new(name);
        CLEANUP_FREE uint8_t *buffer = xmalloc(1 << 17);
        ssize_t n;

        if (!digest)
                return error_set(err, EINVAL, "no such digest: '%s'", name);
        while ((n = read(fd, buffer, 1 << 17)) > 0) {
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                digest_update(digest, buffer, (size_t)n);
        }
        if (n < 0)
                return error_errno(err, errno, "read");
        digest_final(digest, hex);
        return 0;
}

int digest_file(const char *name, const char *path, char hex[DIGEST_HEX_MAX], struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", path);
        r = digest_fd(name, fd, hex, err);
        return r < 0 ? error_wrap(err, r, "'%s'", path) : 0;
}
