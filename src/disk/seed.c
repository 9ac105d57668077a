/* See seed.h. */
#include "disk/seed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

void seed_bytes(const char *seed, const char *purpose, uint8_t *out, size_t n)
{
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        char hex[DIGEST_HEX_MAX];

        assert(n <= 32);
        if (!seed || !digest) {
                arc4random_buf(out, n);
                return;
        }
        digest_string(digest, seed);
        digest_string(digest, purpose);
        digest_final(digest, hex);
        for (size_t i = 0; i < n; i++) {
                char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

                out[i] = (uint8_t)strtoul(byte, NULL, 16);
        }
}

void seed_uuid(const char *seed, const char *purpose, char out[UUID_TEXT])
{
        uint8_t b[16];
        char *p = out;

        seed_bytes(seed, purpose, b, sizeof(b));
        b[6] = (uint8_t)((b[6] & 0x0f) | (seed ? 0x80 : 0x40)); /* version 8, or 4 where random */
        b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);                 /* variant 10 */
        for (size_t i = 0; i < sizeof(b); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *p++ = '-';
                p += snprintf(p, 3, "%02x", b[i]);
        }
}
