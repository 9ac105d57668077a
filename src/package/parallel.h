/* Work on all cores, in order: what is written is cut into blocks of a fixed
 * size, threads work on the blocks, and the results come out in the order in
 * which the blocks went in. The cuts depend on the size of a block alone, so
 * that the output is the same for any number of threads. Memory is bounded by
 * a fixed number of blocks under way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct parallel_block {
        uint8_t *in;
        size_t in_len;
        uint8_t *before; /* the last bytes of the block before (type->before_bytes, or fewer) */
        size_t before_len;
        bool last; /* no other comes after it; it may be empty */
        uint8_t *out;
        size_t out_len, out_cap;
        uint32_t check; /* the type's own: a CRC of `in`, say */
};

/* Room for n bytes of output in all; what is there is kept. */
void parallel_reserve(struct parallel_block *block, size_t n);

struct parallel_type {
        size_t block_bytes, before_bytes;
        /* A thread's own state; NULL: there was no memory for it. Both in the caller's thread. */
        void *(*worker_new)(const void *arg);
        void (*worker_free)(void *worker);
        /* In a thread: from in to out. Returns 0 or a negative errno, and the reason in err. */
        int (*work)(void *worker, struct parallel_block *block, struct error *err);
        /* In the caller's thread, in order. */
        int (*emit)(void *arg, const struct parallel_block *block, struct error *err);
};

struct parallel;

/* The number of processors that we may run on. */
unsigned int parallel_cores(void);
int parallel_new(const struct parallel_type *type, void *arg, unsigned int threads, struct parallel **ret,
                 struct error *err);
int parallel_write(struct parallel *parallel, const void *data, size_t n, struct error *err);
/* The last block goes in; all have come out when it returns 0. */
int parallel_finish(struct parallel *parallel, struct error *err);
/* No thread is left, whatever was under way. Returns NULL. */
struct parallel *parallel_free(struct parallel *parallel);
