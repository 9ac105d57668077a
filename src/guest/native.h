/* Native acceleration: where the host has the same build of a tool as the guest, it
 * runs in place of the guest's, which would be emulated. The guest's files are not touched: the choice
 * is made when a program is started (door/door.h), so whoever reads, copies, replaces or removes such a file
 * has the guest's own. Private to this room. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "guest/arch.h"

enum {
        NATIVE_BITS_64 = 1, /* only for guests of 64 bits */
        NATIVE_SIMD = 2,    /* only where the guest's processor has vectors as the host's, always */
        NATIVE_NAMED = 8,   /* has Debian's name of the processor built in, which is changed in the copy */
        NATIVE_SERIES = 4,  /* the same series of versions will do: 1.21 of 1.21.22 */
};

/* Programs of one Debian package that do the same whatever processor they are built for. */
struct native_tools {
        const char *package;
        const char *programs;      /* paths as in the package, separated by spaces */
        unsigned int needs;        /* NATIVE_ */
        const char *emulated_with; /* letters of options that ask for what differs, or NULL */
        const char *why;           /* they are neutral */
};
extern const struct native_tools native_tools[];
extern const size_t native_tools_n;

struct native {
        const struct arch *arch; /* the guest's */
        const char *qemu;        /* path on the host, registered with a binfmt_misc of ours */
        int root;                /* the guest's merged root with its mounts, open */
        const char *scratch;     /* where `native-qemu` is made */
        const char *shared;      /* where `native` is made, which further guests of the build use */
};

/* In the guest's first process, before anything runs in it. 1: done. 0: not here, which is logged with the reason. */
int native_start(const struct native *native, struct error *err);
/* After the guest's end: no file in `upper` is one of those that were used. -EUCLEAN: one is. */
int native_check(const char *upper, struct error *err);
/* Why this host accelerates nothing for guests of that architecture; NULL: it does. */
const char *native_obstacle(const struct arch *arch);
