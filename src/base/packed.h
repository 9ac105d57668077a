/* Files that are packed where one that is not is wanted: told by their first
 * bytes, to say how they are unpacked. (What is packed in what, and unpacking
 * it, is source/magic.h's and source/stream.h's.) */
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { PACKED_HEAD = 8 }; /* bytes that tell */

struct packed {
        const char *kind;    /* "xz" */
        const char *command; /* which unpacks one beside itself: "xz -dk -T0" */
};

/* NULL: none of these. `head` is the n bytes that a file begins with, PACKED_HEAD of them if it has so many. */
const struct packed *packed_find(const void *head, size_t n);

/* A disk image that is looked into as it is: -EINVAL, with the command that unpacks or converts it, if it is packed or
 * in a format of virtual machines (qcow2...); -EISDIR for a folder; or why it cannot be read. */
int packed_refuse(const char *image, struct error *err);
