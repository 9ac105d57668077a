/* Entries by the names of tools. */
#pragma once

#include "release/entry.h"

/* `catalogue`: a folder that comes first, or NULL. The error offers the nearest name and says where an entry may be. */
int catalogue_find(const char *name, const char *catalogue, struct entry **ret, struct error *err);
