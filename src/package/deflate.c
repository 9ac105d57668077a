/* See deflate.h. As pigz does it: blocks are compressed apart, each with the
 * last 32 KiB of the block before as its dictionary, and end on a byte boundary
 * with an empty stored block (Z_SYNC_FLUSH), so that one after the other they
 * are one deflate stream. A block that is all zero takes no dictionary and is
 * compressed only once: holes cost nothing. */
#include "package/deflate.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "package/parallel.h"

enum { BLOCK_BYTES = 256 << 10, DICTIONARY_BYTES = 32 << 10 };

struct deflate {
        int fd, level;
        struct parallel *parallel;
        struct deflate_result result;
        z_off_t crc_length; /* what crc_shift was made for */
        uLong crc_shift;
};

struct deflate_worker {
        z_stream z;
        uint8_t *zeros; /* a whole block of zeros, compressed */
        size_t zeros_len;
        uint32_t zeros_crc;
};

static void worker_free(void *arg)
{
        struct deflate_worker *worker = arg;

        deflateEnd(&worker->z);
        free(worker->zeros);
        free(worker);
}

static void *worker_new(const void *arg)
{
        const struct deflate *deflate = arg;
        struct deflate_worker *worker = xcalloc(1, sizeof(*worker));

        if (deflateInit2(&worker->z, deflate->level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK)
                return worker;
        free(worker);
        return NULL;
}

static int compress_block(struct deflate_worker *worker, struct parallel_block *block, bool dictionary,
                          struct error *err)
{
        z_stream *z = &worker->z;
        int r = deflateReset(z);

        if (r == Z_OK && dictionary && block->before_len)
                r = deflateSetDictionary(z, block->before, (uInt)block->before_len);
        if (r != Z_OK)
                return error_set(err, EIO, "zlib refuses its own settings (%d)", r);
        parallel_reserve(block, deflateBound(z, (uLong)block->in_len) + 64);
        z->next_in = block->in;
        z->avail_in = (uInt)block->in_len;
        z->next_out = block->out;
        z->avail_out = (uInt)block->out_cap;
        r = deflate(z, block->last ? Z_FINISH : Z_SYNC_FLUSH);
        if (r != (block->last ? Z_STREAM_END : Z_OK) || z->avail_in > 0 || z->avail_out == 0)
                return error_set(err, EIO, "zlib could not compress a block (%d)", r);
        block->out_len = block->out_cap - z->avail_out;
        return 0;
}

static int work(void *arg, struct parallel_block *block, struct error *err)
{
        struct deflate_worker *worker = arg;
        bool zeros = block->in_len == BLOCK_BYTES && !block->last && is_zero(block->in, block->in_len);
        int r;

        if (zeros && worker->zeros) {
                parallel_reserve(block, worker->zeros_len);
                memcpy(block->out, worker->zeros, worker->zeros_len);
                block->out_len = worker->zeros_len;
                block->check = worker->zeros_crc;
                return 0;
        }
        block->check = (uint32_t)crc32_z(crc32(0, NULL, 0), block->in, block->in_len);
        r = compress_block(worker, block, !zeros, err);
        if (r == 0 && zeros) {
                worker->zeros = xmalloc(block->out_len);
                memcpy(worker->zeros, block->out, block->out_len);
                worker->zeros_len = block->out_len;
                worker->zeros_crc = block->check;
        }
        return r;
}

static int emit(void *arg, const struct parallel_block *block, struct error *err)
{
        struct deflate *d = arg;

        if (d->crc_length != (z_off_t)block->in_len) {
                d->crc_length = (z_off_t)block->in_len;
                d->crc_shift = crc32_combine_gen(d->crc_length);
        }
        d->result.crc = (uint32_t)crc32_combine_op(d->result.crc, block->check, d->crc_shift);
        d->result.in_bytes += block->in_len;
        d->result.out_bytes += block->out_len;
        return encoder_emit(d->fd, block->out, block->out_len, err);
}

static const struct parallel_type deflate_type = {
        .block_bytes = BLOCK_BYTES,
        .before_bytes = DICTIONARY_BYTES,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .work = work,
        .emit = emit,
};

int deflate_open(int fd, int level, unsigned int threads, struct deflate **ret, struct error *err)
{
        struct deflate *deflate = xcalloc(1, sizeof(*deflate));
        int r;

        deflate->fd = fd;
        deflate->level = level;
        deflate->crc_length = -1;
        r = parallel_new(&deflate_type, deflate, threads, &deflate->parallel, err);
        if (r < 0)
                deflate_free(deflate);
        else
                *ret = deflate;
        return r;
}

int deflate_write(struct deflate *deflate, const void *data, size_t n, struct error *err)
{
        return parallel_write(deflate->parallel, data, n, err);
}

int deflate_finish(struct deflate *deflate, struct deflate_result *ret, struct error *err)
{
        int r = parallel_finish(deflate->parallel, err);

        if (r == 0)
                *ret = deflate->result;
        return r;
}

struct deflate *deflate_free(struct deflate *deflate)
{
        if (deflate)
                parallel_free(deflate->parallel);
        free(deflate);
        return NULL;
}
