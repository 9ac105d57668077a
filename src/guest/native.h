/* Native acceleration: where the host has the same build of a tool as the guest, it
 * runs in place of the guest's, which would be emulated. The guest's files are not touched: the choice
 * is made when a program is started (door/door.h), so whoever reads, copies, replaces or removes such a file
 * has the guest's own. Private to this room. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "guest/arch.h"

struct native {
        const struct arch *arch; /* the guest's */
        const char *qemu;        /* path on the host, registered with a binfmt_misc of ours */
        int root;                /* the guest's merged root with its mounts, open */
        const char *scratch;     /* where `native-qemu` is made */
        const char
                *shared; /* where `native` and `seen` are made, which further guests of the build use, one at a time */
};

/* In the guest's first process, before anything runs in it. 1: done. 0: not here, which is logged with the reason. */
int native_start(const struct native *native, struct error *err);
/* In a process outside of a guest so started, which sees what its first process saw: recognise what dpkg installs
 * while the guest runs. Returns when it is cancelled, or there is nothing to watch. */
int native_watch(const struct native *native, struct error *err);
/* After a foreign guest's end, accelerated or not: no file in `upper` is one that was used. -EUCLEAN: one is. */
int native_check(const char *upper, struct error *err);
/* Why this host accelerates nothing for guests of that architecture; NULL: it does. */
const char *native_obstacle(const struct arch *arch);
