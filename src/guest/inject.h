/* What slipway itself shows a guest and must never be in the image:
 * etc/resolv.conf, qemu where a template expects it, folders to mount on. All of it is one
 * more layer, read-only, on top of the image's own layers, so that provisioners may
 * write, move and remove these files as they like; afterwards their traces are
 * taken out of the upper folder. Private to this room. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Folders in the guest's scratch folder. */
struct inject {
        int below;   /* the merged image without it, open */
        int layer;   /* scratch/inject, open */
        int scratch; /* open */
};

/* Begin an empty layer. */
int inject_begin(struct inject *in, int scratch, int below, struct error *err);
/* The host's name servers, as etc/resolv.conf, unless the image has no folder /etc. */
int inject_resolv(struct inject *in, struct error *err);
/* A folder, or an empty file, to mount on; nothing if there is something already. */
int inject_mountpoint(struct inject *in, const char *path, bool folder, struct error *err);
/* A copy of a file of the host's, unless the image has one there. */
int inject_file(struct inject *in, const char *path, const char *from, struct error *err);
/* All files of the open folder `from` whose names end in `suffix`, as further names of them in a folder of the image,
 * where it has no such file. No folder there: nothing. What provisioners do to them is for the caller to undo. */
int inject_links(struct inject *in, const char *folder, int from, const char *suffix, struct error *err);
/* The last step: times of folders. Closes the fds. */
int inject_end(struct inject *in, struct error *err);

/* After the guest's end, in the user namespace: undo in `upper` what provisioners did to injected files. */
int inject_undo(const char *scratch, const char *upper, struct error *err);
