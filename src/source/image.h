/* Inside of the room: how an unpacked image is written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ui.h"
#include "source/magic.h"

/* Write to the image, leaving holes for zeros. `total`: of the image, for the message when the disk is full; 0: not
 * known. */
int image_write(int fd, const void *data, size_t n, uint64_t offset, uint64_t total, struct error *err);

/* How much a file of this kind and name looks like the one image that is meant;
 * 0: not at all. A table is worth more than a file system, and between equals the name decides. */
int image_score(enum content content, const char *name);

/* Unpack the .xz file at fd by several threads. *ret_done is false where that is not possible
 * (one block, no index, no memory for two threads) and nothing was written. */
int xz_blocks_unpack(int fd, int to_fd, struct ui *ui, bool *ret_done, struct error *err);
