/* The host's own apt configuration, for where packages come from. */
#pragma once

#include "base/error.h"

struct mirror {
        char **lines;    /* strv: "deb URI SUITE COMPONENT..." for the suite, its updates and its security updates */
        char **keyrings; /* strv: files of the entries' Signed-By */
};
void mirror_clear(struct mirror *mirror);

/* The Debian archive entries below `etc` ("/etc/apt"): sources.list, and
 * sources.list.d in both formats (sources.list(5)). The same mirror serves any
 * suite; those of updates and security are taken if the host has them for this
 * suite. `components`: what the result names, NULL-terminated. */
int mirror_find(const char *etc, const char *suite, const char *const *components, struct mirror *ret,
                struct error *err);
