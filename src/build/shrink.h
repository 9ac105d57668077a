/* image_shrink: room for the changes while the image is written, and as small an
 * image as its contents allow in the end. */
#pragma once

#include "build/job.h"

/* How much larger the image (a copy of the base) must be for the layers: bytes, or 0 with method resize, which says so.
 */
int shrink_room(struct job *job, uint64_t *ret_bytes, struct error *err);
/* Cut the file system in the last partition, the partition, and the image. */
int shrink_image(struct job *job, const char *path, struct error *err);
