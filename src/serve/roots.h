/* Roots on the network that this server has itself: what must run for the
 * profiles of a site, as jobs of the keeper. A root that another server has,
 * and one by HTTP, need nothing. */
#pragma once

#include "base/error.h"
#include "serve/keeper.h"
#include "site/site.h"

/* Where one of them differs in nothing but the profile it is once on the list. With folders beneath site->state. */
int roots_list(const struct site *site, struct keeper_jobs *ret, struct error *err);

/* root_nbd.c: one port for each that profiles name. */
int nbd_jobs(const struct site *site, struct keeper_jobs *ret, struct error *err);
/* root_nfs.c: one server for all. */
int nfs_jobs(const struct site *site, struct keeper_jobs *ret, struct error *err);

/* "apt-get install NAME...", of the rows that the host does not have; "" for none. The caller frees. */
struct root_need {
        const char *program; /* looked up in PATH; or NULL: */
        const char *pattern; /* of a file, for glob(3) */
        const char *package;
};
char *roots_missing(const struct root_need *needs, size_t n);
