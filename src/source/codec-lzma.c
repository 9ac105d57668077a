/* xz, lzma and lzip streams, by liblzma. xz streams of several blocks are
 * decoded by several threads as far as memory allows; whole .xz images go the
 * quicker way of xz-blocks.c. */
#include <errno.h>
#include <lzma.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/size.h"
#include "source/codec.h"

/* Threads keep whole blocks in memory: below this they are worth it. Above the
 * second a file is refused: xz -9 wants 65 MiB. */
enum { THREADED_BYTES = 24 << 20, MEMORY_MAX = 400 << 20 };

struct lzma_state {
        lzma_stream lzma;
        enum content content;
        bool done;
        struct feed feed;
        uint8_t *buffer;
};

static int start(struct lzma_state *state, struct error *err)
{
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        lzma_mt mt = {
                .threads = cores < 1   ? 1
                           : cores > 8 ? 8
                                       : (uint32_t)cores,
                .memlimit_threading = THREADED_BYTES,
                .memlimit_stop = MEMORY_MAX,
        };
        lzma_ret code = LZMA_PROG_ERROR;

        if (state->content == CONTENT_XZ)
                code = lzma_stream_decoder_mt(&state->lzma, &mt);
        else if (state->content == CONTENT_LZMA)
                code = lzma_alone_decoder(&state->lzma, MEMORY_MAX);
        else
                code = lzma_lzip_decoder(&state->lzma, MEMORY_MAX, 0);
        return code == LZMA_OK ? 0 : error_set(err, ENOMEM, "liblzma cannot be started");
}

static int open_kind(struct stream *stream, enum content content, struct error *err)
{
        struct lzma_state *state = stream_state(stream);

        state->lzma = (lzma_stream)LZMA_STREAM_INIT;
        state->content = content;
        state->buffer = xmalloc(CODEC_BUFFER);
        return start(state, err);
}

static int open_xz(struct stream *stream, struct error *err)
{
        return open_kind(stream, CONTENT_XZ, err);
}

static int open_lzma(struct stream *stream, struct error *err)
{
        return open_kind(stream, CONTENT_LZMA, err);
}

static int open_lzip(struct stream *stream, struct error *err)
{
        return open_kind(stream, CONTENT_LZIP, err);
}

static int finish_member(struct stream *stream, struct lzma_state *state, struct error *err)
{
        bool more = false;
        int r = feed_more(stream, &state->feed, state->content, &more, err);

        if (r < 0)
                return r;
        state->done = !more;
        return more ? start(state, err) : 0;
}

static int step(struct stream *stream, struct lzma_state *state, struct error *err)
{
        static const char *const names[] = {[CONTENT_XZ] = "xz", [CONTENT_LZMA] = "lzma", [CONTENT_LZIP] = "lzip"};
        const char *name = names[state->content];
        int r = feed_fill(stream, &state->feed, err);
        lzma_ret code;

        if (r < 0)
                return r;
        state->lzma.next_in = state->feed.next;
        state->lzma.avail_in = state->feed.n;
        code = lzma_code(&state->lzma, state->feed.ended ? LZMA_FINISH : LZMA_RUN);
        state->feed.next = state->lzma.next_in;
        state->feed.n = state->lzma.avail_in;
        switch ((int)code) {
        case LZMA_OK:
                return 0;
        case LZMA_STREAM_END:
                return finish_member(stream, state, err);
        case LZMA_MEM_ERROR:
        case LZMA_MEMLIMIT_ERROR:
                return error_set(err, ENOMEM, "to decode these %s data takes %s of memory, which is too much", name,
                                 size_show(lzma_memusage(&state->lzma)));
        case LZMA_OPTIONS_ERROR:
                return error_set(err, ENOTSUP, "the %s data use a filter or an option that liblzma does not have",
                                 name);
        default:
                return feed_damaged(stream, &state->feed, name, err);
        }
}

static ssize_t read_next(struct stream *stream, const void **ret, struct error *err)
{
        struct lzma_state *state = stream_state(stream);

        state->lzma.next_out = state->buffer;
        state->lzma.avail_out = CODEC_BUFFER;
        while (state->lzma.avail_out > 0 && !state->done) {
                int r = step(stream, state, err);

                if (r < 0)
                        return r;
        }
        *ret = state->buffer;
        return (ssize_t)(CODEC_BUFFER - state->lzma.avail_out);
}

static void close_kind(struct stream *stream)
{
        struct lzma_state *state = stream_state(stream);

        lzma_end(&state->lzma);
        free(state->buffer);
}

const struct stream_type codec_xz = {sizeof(struct lzma_state), open_xz, read_next, close_kind};
const struct stream_type codec_lzma = {sizeof(struct lzma_state), open_lzma, read_next, close_kind};
const struct stream_type codec_lzip = {sizeof(struct lzma_state), open_lzip, read_next, close_kind};
