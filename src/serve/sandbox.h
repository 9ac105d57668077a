/* Giving up what a server does not need once its sockets are open: all
 * capabilities, the way to new ones, files other than its own, and most of
 * the kernel's calls. What the kernel does not know of these is left out. */
#pragma once

#include "base/error.h"

struct sandbox {
        const char *const *readable; /* folders and files, NULL-terminated; a missing one is left out */
        const char *const *writable; /* folders */
};

/* For the whole process, before it has threads. *ret_strength is what was put in place, in words, static. */
int sandbox_enter(const struct sandbox *sandbox, const char **ret_strength, struct error *err);
