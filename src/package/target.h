/* What an image is written to: a whole disk that nobody uses, or a plain file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct target {
        char *path; /* as it was given */
        int fd;
        bool is_disk;
        uint64_t size;     /* of a disk */
        char *description; /* "SanDisk Ultra, 29.7 GiB, removable" */
};

/* Refuses, and says why and what it found: a partition, a disk with mounted
 * file systems or swap, one that another device is built on, the one that holds the root file
 * system, a read-only one, one that is smaller than the image, and whatever is neither
 * a disk nor a plain file. A plain file is made anew, and has its name only after
 * target_publish(). */
int target_open(const char *path, uint64_t image_size, struct target *ret, struct error *err);
int target_publish(struct target *target, struct error *err);
void target_close(struct target *target);
