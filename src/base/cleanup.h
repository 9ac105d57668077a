/* Freeing by scope. A variable declared with CLEANUP(fn) is released when it
 * goes out of scope; steal() hands its value on and leaves it empty, so that
 * error paths are plain returns. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The value of *p, which becomes zero (NULL). */
#define steal(p)                                                                                                       \
        ({                                                                                                             \
                typeof(*(p)) _stolen = *(p);                                                                           \
                *(p) = (typeof(*(p))){0};                                                                              \
                _stolen;                                                                                               \
        })

/* The same for a file descriptor, whose empty value is -1. */
static inline int steal_fd(int *fd)
{
        int value = *fd;

        *fd = -1;
        return value;
}

static inline void free_p(void *p)
{
        free(*(void **)p);
}

static inline void close_p(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static inline void fclose_p(FILE **f)
{
        if (*f)
                fclose(*f);
}

static inline void closedir_p(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

#define CLEANUP_FREE     CLEANUP(free_p)
#define CLEANUP_CLOSE    CLEANUP(close_p)
#define CLEANUP_FCLOSE   CLEANUP(fclose_p)
#define CLEANUP_CLOSEDIR CLEANUP(closedir_p)
