/* Entries by the names of tools. */
#pragma once

#include "release/entry.h"

/* A file NAME.SUFFIX beside entries: the makers' public key, say. *ret: the first that is there, or NULL; *ret_wanted:
 * where it is looked for among the user's own. The caller frees both. */
void catalogue_beside(const char *name, const char *suffix, const char *catalogue, char **ret, char **ret_wanted);
/* `catalogue`: a folder that comes first, or NULL. The error offers the nearest name and says where an entry may be. */
int catalogue_find(const char *name, const char *catalogue, struct entry **ret, struct error *err);
