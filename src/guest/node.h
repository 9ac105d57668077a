/* Single files and folders with everything that belongs to them: owner, mode,
 * extended attributes, times. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/* Owner, mode, extended attributes (but for overlay's own) and times of one open folder or file to another. */
int node_copy_attributes(int from, int to, struct error *err);
/* Its times, and nothing else. */
int node_copy_times(int from, int to);
/* A regular file or a symlink, with all attributes, as a new name. */
int node_copy(int from_dir, const char *from, int to_dir, const char *to, struct error *err);
/* The bytes of one regular file to another, from where they stand. */
int node_copy_data(int from, int to, struct error *err);
/* Remove a name (with flags AT_REMOVEDIR: an empty folder), and give its folder back the times it had. */
int node_remove(int dir, const char *name, int flags, struct error *err);
/* Do two regular files hold the same bytes? */
bool node_same(int a_dir, const char *a, int b_dir, const char *b);
/* Is it overlay's mark that something below is gone: a character device 0:0? */
bool node_is_whiteout(const struct stat *st);
/* Is the open folder marked as hiding what is below? */
bool node_is_opaque(int dir);
