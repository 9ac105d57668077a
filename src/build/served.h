/* The base's root file system read in place: a process of ours answers for the
 * image by FUSE, and the build's namespaces have it as a folder. Nothing has to
 * be extracted. It lives as long as the build; killed, it takes its mount along. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct job;

struct served {
        pid_t pid;   /* 0: not served */
        int errors;  /* read end: what it has to tell */
        char *place; /* where it is mounted, inside */
};

/* Whether this build may try: SLIPWAY_EXTRACT is unset, and the root's file system can be served. */
bool served_wanted(const struct job *job);
/* Mount it. Returns 1; or 0 where this host does not let us (the reason is logged). */
int served_start(struct job *job, struct error *err);
/* After work in a guest whose result was r: if what it read was not the image, an
 * error in place of r. */
int served_check(const struct job *job, int r, struct error *err);
void served_stop(struct job *job);
