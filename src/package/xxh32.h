/* xxHash32 with seed 0, as LZ4 frames use it (xxhash_spec.md 0.1.1); liblz4 does not export its own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct xxh32 {
        uint32_t lanes[4];
        uint64_t total;
        uint8_t rest[16];
        size_t n_rest;
};

void xxh32_init(struct xxh32 *x);
void xxh32_update(struct xxh32 *x, const void *data, size_t n);
uint32_t xxh32_final(const struct xxh32 *x);
uint32_t xxh32(const void *data, size_t n);
