/* Paths beneath a root folder: symlinks in them stay inside (openat2's
 * RESOLVE_IN_ROOT), magic links of /proc are not followed. Private to this room. */
#pragma once

#include <sys/stat.h>

/* An fd (CLOEXEC), or a negative errno. */
int inroot_open(int root_fd, const char *path, int flags, mode_t mode);
/* The folder that holds `path`, as an O_PATH fd; *ret_name is the last part (a pointer
 * into path). -EINVAL where that is "", "." or "..". */
int inroot_parent(int root_fd, const char *path, const char **ret_name);
/* mkdir -p beneath the root; 0 or a negative errno. */
int inroot_mkdirs(int root_fd, const char *path, mode_t mode);
