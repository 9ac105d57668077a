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
 * the one whose mountpoint is its longest prefix. First what the layer removes,
 * then what it adds, in the order of names, so that the same layer gives the
 * same image and no room is wanted that is about to be freed. The folders of
 * mountpoints are made where they are missing, and stay as they are otherwise;
 * what removes one empties the file system there. The attributes of `dir`
 * itself go to the root folder. Runs in the user namespace.
 * What a file system cannot hold (a symlink on FAT) is an error that names the
 * path and the partition; owners and modes on FAT are dropped silently. */
int layer_apply(const char *dir, const struct layer_target *targets, size_t n, struct ui *ui, struct error *err);
