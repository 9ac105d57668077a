/* See base64.h. */
#include "release/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

long base64_decode(const char *text, size_t n, uint8_t *out, size_t max)
{
        CLEANUP_FREE uint8_t *decoded = xmalloc(n / 4 * 3 + 3 + 64);
        EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
        int len = 0, more = 0, r = -1;
        size_t total;

        if (ctx && n < INT32_MAX) {
                EVP_DecodeInit(ctx);
                r = EVP_DecodeUpdate(ctx, decoded, &len, (const unsigned char *)text, (int)n);
                if (r >= 0)
                        r = EVP_DecodeFinal(ctx, decoded + len, &more);
        }
        EVP_ENCODE_CTX_free(ctx);
        total = (size_t)len + (size_t)more;
        if (r < 0 || total > max)
                return -EBADMSG;
        memcpy(out, decoded, total);
        return (long)total;
}
