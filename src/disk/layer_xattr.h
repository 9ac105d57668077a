/* The extended attributes of an entry, as they go to the image. */
#pragma once

#include "disk/fs.h"

struct xattr_list {
        struct fs_xattr *v;
        size_t n;
        char **owned; /* names and values */
        /* The overlay's own marks, which are never in v: */
        bool opaque;    /* hides what lies below */
        bool xwhiteout; /* holds whiteouts that are files with a mark */
        bool whiteout;  /* is such a one */
        bool redirect;  /* only half of the entry is here: redirect_dir, metacopy */
};

/* Of `name` in the folder dirfd, symlinks not followed; sorted by name. */
int xattr_read(int dirfd, const char *name, struct xattr_list *ret, struct error *err);
void xattr_clear(struct xattr_list *list);
