/* The block map of an image: which blocks of 4 KiB must be written to a disk,
 * and the SHA-256 of each range of them. A block is left out only if it is zero
 * and what a disk holds in its place does not matter (inuse.h). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/ui.h"
#include "base/vec.h"

enum { BLOCKMAP_BLOCK = 4096, SHA256_HEX = 65 };

struct blockmap_range {
        uint64_t first, last; /* blocks; the last one of an image may be short */
        char sha256[SHA256_HEX];
};

struct blockmap {
        uint64_t size; /* of the image in bytes */
        uint64_t n_blocks, n_mapped;
        VEC(struct blockmap_range) ranges; /* in order, with gaps between them */
};

int blockmap_read(int fd, uint64_t size, struct ui *ui, struct blockmap *ret, struct error *err);

/* The same of bytes that somebody else reads (and draws the progress of; ui: NULL): begin, all data and holes in order
 * (struct sparse_ops), finish. */
struct blockmap_maker;
int blockmap_begin(int fd, uint64_t size, struct ui *ui, struct blockmap_maker **ret, struct error *err);
int blockmap_data(void *maker, uint64_t offset, const void *data, size_t n, struct error *err);
int blockmap_hole(void *maker, uint64_t offset, uint64_t n, struct error *err);
void blockmap_finish(struct blockmap_maker *maker, struct blockmap *ret);
struct blockmap_maker *blockmap_free(struct blockmap_maker *maker); /* returns NULL */
static inline void blockmap_freep(struct blockmap_maker **maker)
{
        *maker = blockmap_free(*maker);
}

void blockmap_clear(struct blockmap *map);
/* First byte and the byte after the last of a range. */
uint64_t blockmap_start(const struct blockmap_range *range);
uint64_t blockmap_end(const struct blockmap *map, const struct blockmap_range *range);
/* Bytes in all ranges. */
uint64_t blockmap_bytes(const struct blockmap *map);
