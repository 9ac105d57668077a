/* A started guest, as the files of this room know it. */
#pragma once

#include "base/child.h"
#include "guest/arch.h"
#include "guest/guest.h"
#include "guest/setup.h"

struct guest {
        struct userns *ns; /* borrowed */
        pid_t init;        /* pid 1 of the guest, our child; 0: stopped */
        int control;       /* closing it ends the guest */
        int fds[GUEST_FDS];
        struct child recogniser;     /* of new programs (native_watch); pid 0: none */
        const struct arch *emulated; /* NULL: not */
        char *scratch, *shared, *upper, *work, *root;
        char **env;
        struct child watcher; /* of what it fetches (archives.h); pid 0: none */
        char **made;          /* folders of the host that were made for mount_path, the outermost first */
};
