/* What a file system has allocated: one file for each kind that is understood. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct inuse_fs {
        void *state;
        /* Is any of the bytes [offset, offset + n), counted from the file system's start, allocated? */
        bool (*used)(const void *state, uint64_t offset, uint64_t n);
        void (*free)(void *state);
};

/* The file system at `start` of the image. False: it cannot be trusted (damaged, a
 * journal to replay, an unknown form): then all of it counts as allocated. */
bool inuse_ext(int fd, uint64_t start, uint64_t size, struct inuse_fs *ret);
bool inuse_fat(int fd, uint64_t start, uint64_t size, struct inuse_fs *ret);
