/* gzip (RFC 1952): one member, without name and time; and bgzf, gzip in
 * members of 64 KiB that name their size (SAM specification, section 4.1), which Packer offers too. */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "package/deflate.h"
#include "package/encoder.h"
#include "package/parallel.h"

struct gzip {
        int fd;
        struct deflate *deflate;
};

static void gzip_free(void *state)
{
        struct gzip *gzip = state;

        deflate_free(gzip->deflate);
        free(gzip);
}

static int gzip_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        /* ID1 ID2, deflate, no flags, no time, XFL (2: best, 4: fastest), Unix */
        const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level == 9 ? 2 : level == 1 ? 4 : 0, 3};
        struct gzip *gzip = xcalloc(1, sizeof(*gzip));
        int r = encoder_emit(fd, header, sizeof(header), err);

        gzip->fd = fd;
        if (r == 0)
                r = deflate_open(fd, level, threads, &gzip->deflate, err);
        if (r < 0)
                gzip_free(gzip);
        else
                *ret = gzip;
        return r;
}

static int gzip_write(void *state, const void *data, size_t n, struct error *err)
{
        return deflate_write(((struct gzip *)state)->deflate, data, n, err);
}

static int gzip_finish(void *state, struct error *err)
{
        struct gzip *gzip = state;
        struct deflate_result result;
        uint8_t trailer[8];
        int r = deflate_finish(gzip->deflate, &result, err);

        if (r < 0)
                return r;
        put_le32(trailer, result.crc);
        put_le32(trailer + 4, (uint32_t)result.in_bytes); /* modulo 2^32 */
        return encoder_emit(gzip->fd, trailer, sizeof(trailer), err);
}

const struct encoder_type gzip_encoder = {
        .name = "gzip",
        .extensions = (const char *const[]){"gz", "gzip", NULL},
        .level_max = 9,
        .level_default = 6,
        .open = gzip_open,
        .write = gzip_write,
        .finish = gzip_finish,
        .free = gzip_free,
};

enum { BGZF_BLOCK = 0xff00, BGZF_HEADER = 18, BGZF_TRAILER = 8, BGZF_MAX = 0x10000 };

struct bgzf {
        int fd, level;
        struct parallel *parallel;
};

static void *bgzf_worker_new(const void *arg)
{
        const struct bgzf *bgzf = arg;
        z_stream *z = xcalloc(1, sizeof(*z));

        if (deflateInit2(z, bgzf->level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK)
                return z;
        free(z);
        return NULL;
}

static void bgzf_worker_free(void *worker)
{
        deflateEnd(worker);
        free(worker);
}

/* Deflate into the room of one member; what does not shrink is stored (level 0). */
static int bgzf_deflate(z_stream *z, struct parallel_block *block, size_t room)
{
        deflateReset(z);
        z->next_in = block->in;
        z->avail_in = (uInt)block->in_len;
        z->next_out = block->out + BGZF_HEADER;
        z->avail_out = (uInt)room;
        return deflate(z, Z_FINISH) == Z_STREAM_END ? 0 : -ENOSPC;
}

static int bgzf_stored(struct parallel_block *block)
{
        uint8_t *p = block->out + BGZF_HEADER;

        p[0] = 1; /* the last block, stored: RFC 1951, 3.2.4 */
        put_le16(p + 1, (uint16_t)block->in_len);
        put_le16(p + 3, (uint16_t)~block->in_len);
        memcpy(p + 5, block->in, block->in_len);
        return (int)block->in_len + 5;
}

static int bgzf_work(void *worker, struct parallel_block *block, struct error *err)
{
        static const uint8_t header[BGZF_HEADER - 2] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0};
        size_t room = BGZF_MAX - BGZF_HEADER - BGZF_TRAILER, n;
        z_stream *z = worker;

        (void)err;
        parallel_reserve(block, BGZF_MAX);
        memcpy(block->out, header, sizeof(header));
        if (bgzf_deflate(z, block, room) == 0)
                n = room - z->avail_out;
        else
                n = (size_t)bgzf_stored(block);
        put_le16(block->out + BGZF_HEADER - 2, (uint16_t)(BGZF_HEADER + n + BGZF_TRAILER - 1));
        put_le32(block->out + BGZF_HEADER + n, (uint32_t)crc32_z(crc32(0, NULL, 0), block->in, block->in_len));
        put_le32(block->out + BGZF_HEADER + n + 4, (uint32_t)block->in_len);
        block->out_len = BGZF_HEADER + n + BGZF_TRAILER;
        return 0;
}

static int bgzf_emit(void *arg, const struct parallel_block *block, struct error *err)
{
        /* The end-of-file marker: the member of nothing, as every writer spells it. */
        static const uint8_t eof[28] = {0x1f, 0x8b, 8,    4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C',
                                        2,    0,    0x1b, 0, 3, 0, 0, 0, 0, 0,    0, 0, 0,   0};
        struct bgzf *bgzf = arg;
        int r = block->in_len ? encoder_emit(bgzf->fd, block->out, block->out_len, err) : 0;

        return r == 0 && block->last ? encoder_emit(bgzf->fd, eof, sizeof(eof), err) : r;
}

static const struct parallel_type bgzf_type = {
        .block_bytes = BGZF_BLOCK,
        .worker_new = bgzf_worker_new,
        .worker_free = bgzf_worker_free,
        .work = bgzf_work,
        .emit = bgzf_emit,
};

static void bgzf_free(void *state)
{
        struct bgzf *bgzf = state;

        parallel_free(bgzf->parallel);
        free(bgzf);
}

static int bgzf_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        struct bgzf *bgzf = xcalloc(1, sizeof(*bgzf));
        int r;

        bgzf->fd = fd;
        bgzf->level = level;
        r = parallel_new(&bgzf_type, bgzf, threads, &bgzf->parallel, err);
        if (r < 0)
                bgzf_free(bgzf);
        else
                *ret = bgzf;
        return r;
}

static int bgzf_write(void *state, const void *data, size_t n, struct error *err)
{
        return parallel_write(((struct bgzf *)state)->parallel, data, n, err);
}

static int bgzf_finish(void *state, struct error *err)
{
        return parallel_finish(((struct bgzf *)state)->parallel, err);
}

const struct encoder_type bgzf_encoder = {
        .name = "bgzf",
        .extensions = (const char *const[]){"bgzf", NULL},
        .level_max = 9,
        .level_default = 6,
        .open = bgzf_open,
        .write = bgzf_write,
        .finish = bgzf_finish,
        .free = bgzf_free,
};
