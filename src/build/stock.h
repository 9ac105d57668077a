/* The cache as people look after it: what lies there, how large it is, when it
 * was used last; removing what was not used for long, and finding what is
 * damaged. Safe while builds run: nothing is removed that was made or used
 * since the oldest running build began, nor what is being made.
 *
 * When a thing was used last is the time of its lock file (cache.h), or, of a
 * download or a part of one, its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

struct stock_item {
        const char *kind; /* "partial", "download", "packages", "image", "base", "layer" */
        char *key;
        char *path;
        char *what; /* for people: "Provisioner shell, build 'arm'"; or NULL */
        uint64_t bytes;
        int64_t used_sec; /* since 1970 */
};

struct stock {
        VEC(struct stock_item) items; /* the one used longest ago first */
        uint64_t bytes;
        int64_t busy_since_sec; /* when the oldest running build began; 0: none runs */
};
void stock_clear(struct stock *stock);

/* A cache that is not there yet is empty. */
int stock_list(struct stock *ret, struct error *err);
/* Kinds, ended by NULL, in the order in which one is made of the other. */
extern const char *const stock_kinds[];

struct stock_limits {
        uint64_t max_bytes; /* remove, the one used longest ago first, until it is no larger; UINT64_MAX: any size */
        int64_t before_sec; /* and what was not used since then; 0: any age */
        bool dry_run;       /* say what would be removed */
};
/* What was removed (or would be) goes to *ret, to be cleared by the caller. */
int stock_prune(const struct stock_limits *limits, struct stock *ret, struct error *err);

/* The limit that the user has set (SLIPWAY_CACHE_LIMIT), in bytes; UINT64_MAX: none. */
int stock_limit(uint64_t *ret, struct error *err);

/* Called for each damaged item, with what is wrong. */
typedef void stock_finding(void *arg, const struct stock_item *item, const char *problem);
/* Whole downloads against their digests, all else against its seal (seal.h). With `remove`, what is damaged goes. What
 * a build is just making is left out. Returns how many were found, or a negative errno. */
int stock_verify(bool remove, stock_finding *found, void *arg, struct error *err);
