/* One LZ4 frame (lz4_Frame_format.md 1.6.2) of independent blocks of 1 MiB,
 * made by all cores, with a checksum of the whole content at the end. Levels 1
 * and 2 are the fast compressor, 3 to 12 the HC one, as in lz4(1). */
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <string.h>
#include <xxhash.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "package/encoder.h"
#include "package/parallel.h"

enum { LZ4_BLOCK_BYTES = 1 << 20 };

struct lz4 {
        int fd, level;
        struct parallel *parallel;
        XXH32_state_t *check; /* of the whole content */
};

static void *lz4_worker_new(const void *arg)
{
        int *level = xmalloc(sizeof(*level));

        *level = ((const struct lz4 *)arg)->level;
        return level;
}

static int lz4_work(void *worker, struct parallel_block *block, struct error *err)
{
        int level = *(int *)worker, bound = LZ4_compressBound((int)block->in_len), n;
        const char *in = (const char *)block->in;
        char *out;

        (void)err;
        parallel_reserve(block, (size_t)bound + 4);
        out = (char *)block->out + 4;
        if (level < LZ4HC_CLEVEL_MIN)
                n = LZ4_compress_default(in, out, (int)block->in_len, bound);
        else
                n = LZ4_compress_HC(in, out, (int)block->in_len, bound, level);
        if (n > 0 && (size_t)n < block->in_len) {
                put_le32(block->out, (uint32_t)n);
        } else { /* stored: the highest bit says so */
                memcpy(out, block->in, block->in_len);
                n = (int)block->in_len;
                put_le32(block->out, (uint32_t)n | 0x80000000U);
        }
        block->out_len = (size_t)n + 4;
        return 0;
}

static int lz4_emit(void *arg, const struct parallel_block *block, struct error *err)
{
        struct lz4 *lz4 = arg;

        XXH32_update(lz4->check, block->in, block->in_len);
        /* a length of 0 would be the end mark */
        return block->in_len ? encoder_emit(lz4->fd, block->out, block->out_len, err) : 0;
}

static const struct parallel_type lz4_type = {
        .block_bytes = LZ4_BLOCK_BYTES,
        .worker_new = lz4_worker_new,
        .worker_free = free,
        .work = lz4_work,
        .emit = lz4_emit,
};

static void lz4_free(void *state)
{
        struct lz4 *lz4 = state;

        parallel_free(lz4->parallel);
        XXH32_freeState(lz4->check);
        free(lz4);
}

static int lz4_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        /* magic; FLG: version 01, independent blocks, content checksum; BD: blocks up to 1 MiB */
        uint8_t header[7] = {0x04, 0x22, 0x4d, 0x18, 0x64, 0x60};
        struct lz4 *lz4 = xcalloc(1, sizeof(*lz4));
        int r;

        lz4->fd = fd;
        lz4->level = level;
        lz4->check = XXH32_createState();
        if (!lz4->check) {
                lz4_free(lz4);
                return error_set(err, ENOMEM, "start an LZ4 frame");
        }
        XXH32_reset(lz4->check, 0);
        header[6] = (uint8_t)(XXH32(header + 4, 2, 0) >> 8);
        r = encoder_emit(fd, header, sizeof(header), err);
        if (r == 0)
                r = parallel_new(&lz4_type, lz4, threads, &lz4->parallel, err);
        if (r < 0)
                lz4_free(lz4);
        else
                *ret = lz4;
        return r;
}

static int lz4_write(void *state, const void *data, size_t n, struct error *err)
{
        return parallel_write(((struct lz4 *)state)->parallel, data, n, err);
}

static int lz4_finish(void *state, struct error *err)
{
        struct lz4 *lz4 = state;
        uint8_t end[8] = {0};
        int r = parallel_finish(lz4->parallel, err);

        if (r < 0)
                return r;
        put_le32(end + 4, XXH32_digest(lz4->check));
        return encoder_emit(lz4->fd, end, sizeof(end), err);
}

const struct encoder_type lz4_encoder = {
        .name = "lz4",
        .extensions = (const char *const[]){"lz4", NULL},
        .level_max = LZ4HC_CLEVEL_MAX,
        .level_default = 1,
        .open = lz4_open,
        .write = lz4_write,
        .finish = lz4_finish,
        .free = lz4_free,
};
