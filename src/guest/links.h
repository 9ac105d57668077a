/* Files with several names. Overlay without an index, which a user namespace
 * cannot have, splits such a file of a lower layer when it is changed through
 * one of its names. So before the guest starts they are copied to the upper
 * folder, names and all; what the guest left alone is taken out again. Private to this room. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"

/* Fill the upper folder, and write down in scratch/links what was put there.
 * `below`: the merged lower layers, open. In the user namespace, before the overlay is mounted. */
int links_prepare(const struct guest_config *config, int below, struct error *err);
/* After the guest's end, in the user namespace. */
int links_undo(const char *scratch, const char *upper, struct error *err);
