/* The copy of the base image that the output begins as, made while the steps
 * run: most of a step is one process on one core, waiting for another. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct job;

struct copy {
        pid_t pid; /* 0: none is under way */
        int fd;    /* of the nameless image; -1: none */
};

/* Begin, where the output is a copy and its folder is there. What does not work now is for copy_take() to say. */
void copy_start(struct job *job);
/* The whole copy, in a nameless file beside image_path. The caller closes *ret_fd. */
int copy_take(struct job *job, int *ret_fd, struct error *err);
/* Give up what is not taken. */
void copy_stop(struct job *job);
