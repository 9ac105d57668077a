/* One raw deflate stream (RFC 1951) made by all cores, for gzip and zip. */
#pragma once

#include "package/encoder.h"

struct deflate;

struct deflate_result {
        uint32_t crc; /* CRC-32 of what went in */
        uint64_t in_bytes, out_bytes;
};

int deflate_open(int fd, int level, unsigned int threads, struct deflate **ret, struct error *err);
int deflate_write(struct deflate *deflate, const void *data, size_t n, struct error *err);
int deflate_finish(struct deflate *deflate, struct deflate_result *ret, struct error *err);
struct deflate *deflate_free(struct deflate *deflate); /* returns NULL */
