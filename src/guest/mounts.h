/* Mounts of a guest: its overlay, and what templates call chroot mounts. Private to this room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "guest/guest.h"

/* The mounts of a config, defaults resolved, sorted by destination. The caller
 * frees the list, not what its rows point to. */
size_t mounts_list(const struct guest_config *config, struct guest_mount **ret);
/* Does something have to be there to mount on, and is it a folder? False for what is below another mount. */
bool mounts_needs_point(const struct guest_mount *list, size_t n, size_t i, bool *ret_folder);
/* Mount them beneath an open root. */
int mounts_apply(int root_fd, const struct guest_mount *list, size_t n, struct error *err);

/* lowers: from the lowest up, as paths. upper NULL: read-only. `xino`: layers of several file
 * systems show one device number, at the price of inode numbers of 64 bits. */
int mounts_overlay(const char *const *lowers, size_t n, const char *upper, const char *work, const char *target,
                   bool xino, struct error *err);
/* A copy of the mount at `path` on an open folder or file. */
int mounts_bind(const char *path, int target_fd, bool recursive, bool read_only);
