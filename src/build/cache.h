/* The cache: what was fetched, unpacked and built, each under its key, made
 * in a staging folder and moved to its place when it is whole.
 *
 *     images/KEY.img        a vendor's image, unpacked
 *     bases/KEY/tree        a base as a tree, with nodes.json
 *     layers/KEY            one step's changes
 *     current/KEY           the key of the layer that stands for this one (layer.c)
 *     packages/SYSTEM       what package managers fetched in guests (guest/archives.h)
 *     plans/ID.json         what a build's layers were made of (record.h)
 *     staging/ID            work under way, locked by its process
 *     locks/KEY             so that two builds make a thing once
 *
 * What was made is sealed (seal.h), so that damage to it is found.
 * Trees belong to mapped users: they are removed inside the namespaces. */
#pragma once

#include "base/error.h"
#include "base/ui.h"
#include "guest/userns.h"

struct cache {
        char *root;
        char *staging; /* this build's own folder */
        int staging_lock;
};

/* Open the cache and make a staging folder; what killed builds left in staging is removed. */
int cache_open(struct cache *cache, struct userns *ns, struct error *err);
/* Remove the staging folder. */
void cache_close(struct cache *cache, struct userns *ns);

/* Paths; the caller frees. */
char *cache_place(const struct cache *cache, const char *kind, const char *key) __attribute__((warn_unused_result));
/* A new empty folder in staging: NAME. The caller frees. */
int cache_stage(const struct cache *cache, const char *name, char **ret, struct error *err);
/* Seal a finished staging folder (seal.h); in the namespaces, from outside of them. */
int cache_seal(struct userns *ns, const char *staged, struct error *err);
/* Move a finished staging folder to its place; if another was quicker, theirs stays. */
int cache_commit(const char *staged, const char *place, struct error *err);
/* Is it there, and as it was made? 1, or 0: then it is to be made, and what was there and is damaged, which is said, is
 * out of the way. A file that was not sealed yet counts as it is. `what` names it. Under its lock. */
int cache_take(const struct cache *cache, struct userns *ns, const char *place, const char *what, struct ui *ui,
               struct error *err);
/* Only one process at a time makes or removes what `key` stands for. The lock file's time tells when it was used last.
 */
int cache_lock(const struct cache *cache, const char *key, struct ui *ui, int *ret_fd, struct error *err);
/* What the lock's key stands for, in words: for `slipway cache ls`. */
void cache_describe(int lock_fd, const char *what);
/* rm -rf in the namespaces. */
int cache_remove(struct userns *ns, const char *path, struct error *err);
