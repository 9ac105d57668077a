/* bzip2 by all cores, as pbzip2 does it: each block of 900 kB (at level 9) is a
 * stream of its own, and concatenated streams are one file to every bunzip2. */
#include <bzlib.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "package/encoder.h"
#include "package/parallel.h"

struct bzip2 {
        int fd, level;
        struct parallel_type type; /* block_bytes goes with the level */
        struct parallel *parallel;
};

struct bzip2_worker {
        int level;
        char *zeros; /* a whole block of zeros, compressed */
        size_t zeros_len, block_bytes;
};

static void *bzip2_worker_new(const void *arg)
{
        const struct bzip2 *bzip2 = arg;
        struct bzip2_worker *worker = xcalloc(1, sizeof(*worker));

        worker->level = bzip2->level;
        worker->block_bytes = bzip2->type.block_bytes;
        return worker;
}

static void bzip2_worker_free(void *arg)
{
        struct bzip2_worker *worker = arg;

        free(worker->zeros);
        free(worker);
}

static int bzip2_work(void *arg, struct parallel_block *block, struct error *err)
{
        struct bzip2_worker *worker = arg;
        bool zeros = block->in_len == worker->block_bytes && is_zero(block->in, block->in_len);
        unsigned int n;
        int r;

        if (zeros && worker->zeros) {
                parallel_reserve(block, worker->zeros_len);
                memcpy(block->out, worker->zeros, worker->zeros_len);
                block->out_len = worker->zeros_len;
                return 0;
        }
        parallel_reserve(block, block->in_len + block->in_len / 100 + 600); /* bzlib's own bound */
        n = (unsigned int)block->out_cap;
        r = BZ2_bzBuffToBuffCompress((char *)block->out, &n, (char *)block->in, (unsigned int)block->in_len,
                                     worker->level, 0, 0);
        if (r != BZ_OK)
                return error_set(err, r == BZ_MEM_ERROR ? ENOMEM : EIO, "bzip2 could not compress a block (%d)", r);
        block->out_len = n;
        if (zeros) {
                worker->zeros = xmalloc(n);
                memcpy(worker->zeros, block->out, n);
                worker->zeros_len = n;
        }
        return 0;
}

static int bzip2_emit(void *arg, const struct parallel_block *block, struct error *err)
{
        struct bzip2 *bzip2 = arg;

        return encoder_emit(bzip2->fd, block->out, block->out_len, err);
}

static void bzip2_free(void *state)
{
        struct bzip2 *bzip2 = state;

        parallel_free(bzip2->parallel);
        free(bzip2);
}

static int bzip2_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        struct bzip2 *bzip2 = xcalloc(1, sizeof(*bzip2));
        int r;

        bzip2->fd = fd;
        bzip2->level = level;
        bzip2->type = (struct parallel_type){
                .block_bytes = (size_t)level * 100000 - 20, /* the format keeps 19 bytes of a block */
                .worker_new = bzip2_worker_new,
                .worker_free = bzip2_worker_free,
                .work = bzip2_work,
                .emit = bzip2_emit,
        };
        r = parallel_new(&bzip2->type, bzip2, threads, &bzip2->parallel, err);
        if (r < 0)
                bzip2_free(bzip2);
        else
                *ret = bzip2;
        return r;
}

static int bzip2_write(void *state, const void *data, size_t n, struct error *err)
{
        return parallel_write(((struct bzip2 *)state)->parallel, data, n, err);
}

static int bzip2_finish(void *state, struct error *err)
{
        return parallel_finish(((struct bzip2 *)state)->parallel, err);
}

const struct encoder_type bzip2_encoder = {
        .name = "bzip2",
        .extensions = (const char *const[]){"bz2", "bzip2", NULL},
        .level_max = 9,
        .level_default = 9,
        .open = bzip2_open,
        .write = bzip2_write,
        .finish = bzip2_finish,
        .free = bzip2_free,
};
