/* Entering namespaces one by one. Private to this room. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "guest/userns.h"

/* setns, unless we are in it; `self` is "/proc/self/ns/...". */
int ns_join(int fd, int type, const char *self, struct error *err);
/* The same for a mount namespace; the working folder is kept. */
int ns_join_mounts(int fd, struct error *err);
/* Only the user namespace, as its root. Without `clear_groups` we can still
 * read what our supplementary groups may. */
int userns_enter_user(struct userns *ns, bool clear_groups, struct error *err);
