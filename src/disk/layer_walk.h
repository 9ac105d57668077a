/* Walking a tree of any depth with one open folder at a time: names sorted,
 * symlinks never followed, no recursion. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

struct walk_frame {
        char **names;
        size_t next;
        size_t path_len; /* of this folder's path */
        struct stat st;
        bool touched; /* for the visitor: something in this folder was written */
        bool marked;  /* as the visitor set walk->mark_next when it was told of the folder */
};

struct walk {
        int fd;          /* the current folder */
        struct str path; /* of the current entry, relative to the root; "" is the root */
        VEC(struct walk_frame) frames;
        bool mark_next;
};

/* What a visitor is told. `name` and `st` are of the entry walk->path, in the
 * folder walk->fd. For WALK_LEAVE, walk->fd is the folder that ends itself and
 * name is ".". */
enum walk_event { WALK_ENTRY, WALK_FOLDER, WALK_LEAVE };
/* After WALK_FOLDER its entries follow. */
typedef int walk_visitor(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
                         struct error *err);

int walk_tree(const char *dir, walk_visitor *visit, void *arg, struct error *err);
/* The frame of the current folder. */
struct walk_frame *walk_top(struct walk *walk);
