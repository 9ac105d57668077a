/* Forked helpers that report back: a result, an error message in their own
 * words, and fds, over one socket. Used wherever work must be done by a
 * process that has entered other namespaces, or while this one goes on. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { CHILD_FDS_MAX = 8 };

struct child {
        pid_t pid;
        int sock; /* ours; to the child */
};

/* Fork. In the child: standard signal handling with a cancel flag of its own,
 * SIGKILL when we die, and fn(arg, sock, err) runs; what it returns and the
 * error are reported, and it exits. A positive result: another process has the
 * socket and reports, nothing more is said here. */
int child_start(struct child *child, int (*fn)(void *arg, int sock, struct error *err), void *arg, struct error *err);

/* Report {r, message, fds}; from whoever holds the child's end of the socket. */
int child_report(int sock, int r, const struct error *err, const int *fds, size_t n_fds);

/* Wait for one report, with exactly n_fds fds if it is a success; ret_pid (may be NULL) is
 * who sent it. When we are cancelled the child gets SIGTERM, and SIGKILL 5 s
 * later. Returns the reported r. */
int child_receive(struct child *child, int *ret_fds, size_t n_fds, pid_t *ret_pid, struct error *err);

/* Reap it (killing it first if it is still there) and close the socket. */
void child_done(struct child *child);
#define CLEANUP_CHILD CLEANUP(child_done)

/* After a change of credentials, which clears it: SIGKILL when the parent
 * dies. Exits if it has died already. */
void child_bind_to_parent(pid_t parent);
