/* What base.c and base_image.c share. */
#pragma once

#include "build/job.h"

/* Raised when what lies in the cache would be made in another way. */
extern const char base_format[];

/* file_unarchive_cmd, where it does more than unpack; else NULL. */
const char *const *base_own_command(const struct job *job);
void base_key(char key[DIGEST_HEX_MAX], const char *kind, const char *sha256, const char *const *argv);

/* The same without making anything: the key and whether it is in the cache. 1: the image is not unpacked yet, and the
 * key cannot be known. */
int base_image_plan(struct job *job, const struct source_file *file, bool *ret_ready, struct error *err);
/* Fill base->image and base->tree from a fetched file (base_image.c). */
int base_from_image(struct job *job, const struct source_file *file, struct error *err);

/* In the namespaces: a mountpoint as a folder of the tree, made if missing, through no symlink.
 * `like` (or NULL): a tree whose folders of the same names are copied with what belongs to them. */
int base_mountpoint(const char *tree, const char *like, const char *mountpoint, char **ret, struct error *err);
/* In the namespaces: owner, mode and the like of the folder from/path to that of to/path. There may be none. */
int base_copy_folder(const char *from, const char *to, const char *path, struct error *err);

/* folder/tree, made. */
int base_tree_make(const char *folder, char **ret, struct error *err);
/* base->tree: from the cache, or made by `fill` in staging and moved there. */
int base_tree_get(struct job *job, const char *what,
                  int (*fill)(struct job *job, const void *arg, const char *folder, struct error *err), const void *arg,
                  struct error *err);
