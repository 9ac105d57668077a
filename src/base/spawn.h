/* The one place where programs are run: an argv, never a shell string; a time
 * limit; the cancel flag heeded; output passed on line by line. The child
 * dies with us (PR_SET_PDEATHSIG). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct spawn {
        const char *const *argv; /* argv[0] is looked up with program_find() */
        const char *const *env;  /* NULL: ours */
        const char *cwd;         /* NULL: ours */
        /* Standard streams: 0 means none (/dev/null for input), or an fd + 1. */
        int stdin_plus1, stdout_plus1, stderr_plus1;
        bool terminal;           /* the child keeps our three standard streams and process group */
        unsigned int timeout_ms; /* 0: none */
        /* Each line of output that no fd took, without its newline. NULL: dropped. */
        void (*on_line)(void *arg, bool is_stderr, const char *line);
        /* Instead of lines: output as it comes. True: enough, the child is ended
         * and spawn_run() returns as if it had ended by itself. */
        bool (*on_output)(void *arg, bool is_stderr, const char *data, size_t n);
        void *arg;
        /* Runs in the child before exec, with its own error to report (may be
         * NULL): enter namespaces, chroot, drop privileges. */
        int (*enter)(void *enter_arg, struct error *err);
        void *enter_arg;
        bool exec_only; /* argv[0] is taken as it is (a path inside the root that enter() goes to) */
};

#define SPAWN_FD(fd) ((fd) + 1)

/* Run to the end. *ret_status is the exit code, or 128 + the signal's number.
 * Errors: not started; -ETIMEDOUT; -ECANCELED. In the last two the child and
 * its process group are gone when it returns. */
int spawn_run(const struct spawn *spawn, int *ret_status, struct error *err);

/* The same, and any status but 0 is an error (-EIO) with the last lines that
 * the program wrote to stderr (or stdout, if none). */
int spawn_check(const struct spawn *spawn, struct error *err);

/* Run argv, check, and give its standard output (at most 16 MiB). The caller frees. */
int spawn_capture(const char *const *argv, char **ret_stdout, struct error *err);
