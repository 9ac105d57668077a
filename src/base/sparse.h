/* Reading a sparse file without reading its holes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ui.h"

enum { SPARSE_BLOCK = 4096, SPARSE_CHUNK = 1 << 20 };

struct sparse_ops {
        /* In order, without gaps: pieces of data (at most SPARSE_CHUNK) and holes.
         * Offsets are multiples of SPARSE_BLOCK, lengths too but at the end. */
        int (*data)(void *arg, uint64_t offset, const void *data, size_t n, struct error *err);
        int (*hole)(void *arg, uint64_t offset, uint64_t n, struct error *err);
};

/* The first `size` bytes of fd. Ends early with what an operation returns
 * below 0, and with -ECANCELED. */
int sparse_read(int fd, uint64_t size, const struct sparse_ops *ops, void *arg, struct error *err);

/* A hole in a stream: n zeros into `write`. */
int sparse_zeros(uint64_t n, int (*write)(void *arg, const void *data, size_t n, struct error *err), void *arg,
                 struct error *err);
/* The same as one stream, holes as zeros, into `write`. Progress goes on from *done, which grows by `size`. */
int sparse_pour(int fd, uint64_t size, struct ui *ui, uint64_t *done,
                int (*write)(void *arg, const void *data, size_t n, struct error *err), void *arg, struct error *err);
