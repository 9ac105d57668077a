/* Sizes as people write them: "2G" is 2*10^9 bytes and "2GiB" 2^31, as in
 * go-humanize, which Packer's plugins use. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* A number, possibly with a fraction, and a unit: none or B, k/K, M, G, T,
 * P, E (powers of 1000), each also with B, or with i/iB (powers of 1024); any
 * case, blanks between allowed. */
int size_parse(const char *s, uint64_t *ret_bytes, struct error *err);

/* "1.5 GiB", "512 bytes"; into a ring of 8 buffers of the thread's own. */
const char *size_show(uint64_t bytes);
