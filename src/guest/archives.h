/* Packages and lists of them that package managers have fetched, shared by the guests of all builds.
 * Private to this room.
 *
 * A package manager that finds a whole file where it keeps half of one holds it
 * against the digest of its index, and fetches nothing. So the packages of earlier builds
 * are shown to a guest there, as part of the layer that inject.h makes: what is
 * not used never comes to be in the image, and what is used lies afterwards where
 * it would without. What a guest fetches is seen as it comes (it may be cleaned away a moment
 * later) and kept for the next. */
#pragma once

#include "base/child.h"
#include "guest/guest.h"
#include "guest/inject.h"

/* Show what `store` has for a system like the one at in->below; `machine` is its architecture. Notes in the
 * scratch folder where that is. */
int archives_inject(struct inject *in, const char *store, const char *machine, struct error *err);
/* Watch what the guest fetches, until archives_end(). Nothing where archives_inject() found no folder for it. */
int archives_watch(struct guest *guest, struct error *err);
/* Once its processes have ended, whether its layer is kept or not. What goes wrong costs the next build a download. */
void archives_end(struct guest *guest);
/* With the guest's end, in the user namespace: no trace of what was shown stays in `upper`. */
int archives_undo(const char *scratch, const char *upper, struct error *err);
