/* The site that the servers go by. A reload puts another in its place; the
 * old one lives on until nobody reads it any more. From any thread. */
#pragma once

#include "site/site.h"

struct current;

/* Takes the site over. */
struct current *current_new(struct site *site);
struct current *current_free(struct current *current); /* returns NULL; nobody holds a site any more */
const struct site *current_acquire(struct current *current);
void current_release(struct current *current, const struct site *site);
/* From now on this one, which is taken over, is acquired. */
void current_replace(struct current *current, struct site *site);
