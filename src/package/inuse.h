/* Which zero blocks of an image matter. A file system does not read the blocks
 * that it has not allocated, so those need not be written to a disk; all else must be
 * zero there too, though the image file may well have a hole in that place. */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum inuse {
        INUSE_NO,    /* free: may be left out */
        INUSE_YES,   /* must be written */
        INUSE_INNER, /* must be written if something that is not zero follows in the same region */
};

struct inuse_map;

int inuse_read(int fd, uint64_t size, struct inuse_map **ret, struct error *err);
/* Of the block of 4 KiB at `offset`; *ret_region is the end of its region in bytes. */
enum inuse inuse_of(const struct inuse_map *map, uint64_t offset, uint64_t *ret_region_end);
struct inuse_map *inuse_free(struct inuse_map *map); /* returns NULL */
static inline void inuse_freep(struct inuse_map **map)
{
        *map = inuse_free(*map);
}
