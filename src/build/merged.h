/* Base and layers as one read-only tree: an overlay in a mount namespace of
 * the calling process alone. For what can only be made from a whole tree. */
#pragma once

#include "base/error.h"

/* Mount lowers[] (the lowest first) at `place`, an empty folder. In a process
 * inside the build's namespaces, which is to exit soon: the mount goes with it. */
int merged_mount(const char *const *lowers, const char *place, struct error *err);
