/* See xxh32.h. */
#include "package/xxh32.h"

#include <string.h>

#include "base/bytes.h"

#define PRIME1 2654435761U
#define PRIME2 2246822519U
#define PRIME3 3266489917U
#define PRIME4 668265263U
#define PRIME5 374761393U

static uint32_t rotate(uint32_t v, int bits)
{
        return v << bits | v >> (32 - bits);
}

void xxh32_init(struct xxh32 *x)
{
        *x = (struct xxh32){
                .lanes = {PRIME1 + PRIME2, PRIME2, 0, -PRIME1}
        };
}

static void stripe(struct xxh32 *x, const uint8_t *p)
{
        for (int i = 0; i < 4; i++)
                x->lanes[i] = rotate(x->lanes[i] + get_le32(p + 4 * i) * PRIME2, 13) * PRIME1;
}

void xxh32_update(struct xxh32 *x, const void *data, size_t n)
{
        const uint8_t *p = data;

        x->total += n;
        if (x->n_rest > 0) {
                size_t some = 16 - x->n_rest < n ? 16 - x->n_rest : n;

                memcpy(x->rest + x->n_rest, p, some);
                x->n_rest += some;
                p += some;
                n -= some;
                if (x->n_rest < 16)
                        return;
                stripe(x, x->rest);
                x->n_rest = 0;
        }
        for (; n >= 16; p += 16, n -= 16)
                stripe(x, p);
        if (n > 0)
                memcpy(x->rest, p, n);
        x->n_rest = n;
}

uint32_t xxh32_final(const struct xxh32 *x)
{
        uint32_t h = PRIME5;
        size_t i = 0;

        if (x->total >= 16)
                h = rotate(x->lanes[0], 1) + rotate(x->lanes[1], 7) + rotate(x->lanes[2], 12) + rotate(x->lanes[3], 18);
        h += (uint32_t)x->total;
        for (; i + 4 <= x->n_rest; i += 4)
                h = rotate(h + get_le32(x->rest + i) * PRIME3, 17) * PRIME4;
        for (; i < x->n_rest; i++)
                h = rotate(h + x->rest[i] * PRIME5, 11) * PRIME1;
        h = (h ^ h >> 15) * PRIME2;
        h = (h ^ h >> 13) * PRIME3;
        return h ^ h >> 16;
}

uint32_t xxh32(const void *data, size_t n)
{
        struct xxh32 x;

        xxh32_init(&x);
        xxh32_update(&x, data, n);
        return xxh32_final(&x);
}
