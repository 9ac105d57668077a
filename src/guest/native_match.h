/* Recognising the guest's programs, and copying the host's counterparts. Private to this room. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/door/door.h"
#include "guest/native.h"
#include "guest/native_files.h"
#include "guest/packages.h"

#define NATIVE_PLACE "/proc/1/map_files" /* where the guest sees what is in `folder` */

enum {
        NATIVE_BITS_64 = 1,  /* only for guests of 64 bits */
        NATIVE_SIMD = 2,     /* only where the guest's processor has vectors as the host's, always */
        NATIVE_SERIES = 4,   /* the same series of versions will do: 1.21 of 1.21.22 */
        NATIVE_NAMED = 8,    /* has Debian's name of the processor built in, which is changed in the copy */
        NATIVE_SCRIPTS = 16, /* in Perl: the guest's own, run by the host's perl (native_perl.h) */
        NATIVE_TELLS = 32,   /* its --version ends in the upstream one, by which a host without dpkg is asked */
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

struct native_match {
        const struct native *native;
        char *folder; /* of the copies */
        int host_root;
        struct packages host, guest;
        struct native_files files;
        VEC(struct door_tool) tools;
        struct str seen; /* packages.h */
        bool has_perl;
        bool asks; /* the host has no dpkg: its programs are asked */
};

/* Find all there is, and write the door's table to `folder`. -ENOTSUP (with the reason): nothing is accelerated. The
 * caller clears it in any case. */
int native_match(const struct native *native, struct native_match *ret, struct error *err);
void native_match_clear(struct native_match *match);

/* For native_perl.c. Is the package installed in both, in the same upstream version? */
bool native_match_versions(const struct native_match *match, const char *package, unsigned int needs);
/* A row of the door's table for a file of the guest; `path`: its counterpart's, or "". */
int native_match_add(struct native_match *match, int guest_fd, const char *path, const struct door_tool *more,
                     struct error *err);
