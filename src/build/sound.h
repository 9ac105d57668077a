/* Are the file systems of an image sound? Each is looked at by a process of its
 * own, all at the same time. */
#pragma once

#include <stdbool.h>

#include "build/job.h"

/* Have each type's check() look at its part of the image at `path`, with `repair` as there. What
 * cannot be read at all is an error too with `readable`. The first error, in the order of the mounts,
 * names its partition. */
int sound_check(const char *path, const struct base *base, bool repair, bool readable, struct error *err);
