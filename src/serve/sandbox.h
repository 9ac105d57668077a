/* Giving up what a server does not need once its sockets are open: all
 * capabilities, the way to new ones, files other than its own, and most of
 * the kernel's calls. What the kernel does not know of these is left out. */
#pragma once

#include "base/error.h"

struct sandbox {
        const char *const *readable; /* folders and files, NULL-terminated; a missing one is left out */
        const char *const *writable; /* the same */
        /* Folders whose programs may be run; with this, system calls are left alone: they are the programs' own. */
        const char *const *runnable;
};

/* For the whole process, before it has threads. *ret_strength is what was put in place, in words, static. */
int sandbox_enter(const struct sandbox *sandbox, const char **ret_strength, struct error *err);

/* Before a program is run: keep these capabilities (as cap_from_text(3) has them; "=" for none) as far as they are
 * there, and give up the way to others. */
int sandbox_keep(const char *capabilities, struct error *err);
