/* What dpkg knows of a tree: formats of deb-control(5), dpkg(1) and
 * /var/lib/dpkg/info/PACKAGE.md5sums (deb-md5sums(5)). Private to this room. */
#pragma once

#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

struct packages_sums {
        char *package, *text; /* NULL: it has none */
};

struct packages {
        int root;     /* borrowed */
        char *status; /* the text of /var/lib/dpkg/status */
        /* Files that were found to be a package's own, a line for each: they are not read again while their inode and
         * times are the same. May be NULL; borrowed, and shared with the packages of other trees if `name` differs. */
        struct str *seen;
        const char *name;
        VEC(struct packages_sums) sums; /* those that were asked for */
};

/* -ENOENT (no message): no dpkg there. */
int packages_open(struct packages *packages, int root_fd);
void packages_close(struct packages *packages);
/* The version of an installed package (or one that is unpacked, and will be) without Debian's revision: "1:3.8" of
 * "1:3.8-4". NULL: not installed. The caller frees. */
char *packages_upstream(const struct packages *packages, const char *name);
/* A package's md5sums, or NULL; until packages_close(). */
const char *packages_sums(struct packages *packages, const char *name);
/* Is the file at `path` (absolute) the one of those sums, unchanged? Its open fd in *ret_fd. */
bool packages_owns(const struct packages *packages, const char *sums, const char *path, int *ret_fd);
