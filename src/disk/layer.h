/* Overlay layers as changes to file systems. A layer is the upper folder of an
 * overlay mounted with userxattr: 0:0 character devices are whiteouts,
 * user.overlay.opaque marks folders that hide what was below. */
#pragma once

#include "disk/fs.h"

/* A file system of the image, and where it is mounted in the guest ("/", "/boot"). */
struct layer_target {
        const char *mountpoint;
        const struct fs_type *type;
        void *writer; /* open */
};

/* Apply the layer (or a whole tree) in `dir` to the file systems, each path to
 * the one whose mountpoint is its longest prefix. In the order of names, so
 * that the same layer gives the same image. Runs in the user namespace.
 * What a file system cannot hold (a symlink on FAT) is an error that names the
 * path and the partition; owners and modes on FAT are dropped silently. */
int layer_apply(const char *dir, const struct layer_target *targets, size_t n, struct ui *ui, struct error *err);
