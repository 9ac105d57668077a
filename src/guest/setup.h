/* The first process of a guest: makes its mounts and hands its namespaces to us. Private to this room. */
#pragma once

#include "base/child.h"
#include "guest/guest.h"

enum guest_fd {
        GUEST_FD_HOST_MNT, /* mount namespace with the host's view and the merged root */
        GUEST_FD_MNT,      /* the guest's own, which sees nothing of the host */
        GUEST_FD_PID,
        GUEST_FD_IPC,
        GUEST_FD_UTS,
        GUEST_FD_ROOT, /* the merged root, in the guest's own */
        GUEST_FDS
};

struct setup {
        struct userns *ns;
        const struct guest_config *config; /* with absolute paths */
        int control[2];                    /* a pipe: when we close the second end, the guest ends */
        pid_t parent;
};

/* For child_start. The report comes from another process, whose fds are in
 * the order above; its result is 0, or 1 + the index of an architecture that
 * is emulated (arch_at). */
int setup_start(void *setup, int sock, struct error *err);
