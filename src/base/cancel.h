/* Being told to stop. After cancel_install() the first SIGINT, SIGTERM or
 * SIGHUP only sets a flag, which every long loop asks for, so that work is
 * undone in order; a third signal ends the program at once. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

void cancel_install(void);
/* The signal that asked us to stop, or 0. */
int cancel_signal(void);
static inline bool cancel_requested(void)
{
        return cancel_signal() != 0;
}
/* 0, or -ECANCELED with a message that names the signal. */
int cancel_check(struct error *err);
/* The request has been heeded: what must still be done (removing what was begun) may run. */
void cancel_clear(void);
/* The same, and no signal is heeded any more: what must be done runs to its end. For a process whose parent can still
 * be ended by a third one, and takes it along. */
void cancel_defer(void);
/* This process gets the terminal's signals itself, and those that its parent passes on: they count as one. */
void cancel_relayed_by(pid_t parent);
/* Back to the default actions: for a child after fork. */
void cancel_reset(void);
