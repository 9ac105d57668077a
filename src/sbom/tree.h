/* A system to look into: a folder, or an image that is read in place. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "disk/view.h"

struct sbom_tree {
        int root_fd;                  /* of a folder, or -1 */
        const struct disk_view *view; /* of an image; borrowed */
};

/* The whole file at an absolute path, NUL-terminated; links stay in the tree. -ENOENT, without a message, if it is not
 * there. The caller frees. */
int sbom_tree_read(const struct sbom_tree *tree, const char *path, char **ret, size_t *ret_n, struct error *err);
/* Names in a folder, sorted (strv); NULL where there is no such folder. */
int sbom_tree_list(const struct sbom_tree *tree, const char *path, char ***ret, struct error *err);
