/* See codec.h: the table, what decoders share, and those of zlib and libzstd. */
#include "source/codec.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/size.h"

const struct stream_type *codec_find(enum content content)
{
        static const struct stream_type *const codecs[] = {
                [CONTENT_GZIP] = &codec_gzip,   [CONTENT_XZ] = &codec_xz,
                [CONTENT_LZMA] = &codec_lzma,   [CONTENT_LZIP] = &codec_lzip,
                [CONTENT_BZIP2] = &codec_bzip2, [CONTENT_ZSTD] = &codec_zstd,
                [CONTENT_LZ4] = &codec_lz4,     [CONTENT_COMPRESS] = &codec_compress,
        };

        return content < sizeof(codecs) / sizeof(*codecs) ? codecs[content] : NULL;
}

int feed_fill(struct stream *stream, struct feed *feed, struct error *err)
{
        const void *data;
        ssize_t n;

        if (feed->n > 0 || feed->ended)
                return 0;
        n = stream_read(stream_below(stream), &data, err);
        if (n < 0)
                return (int)n;
        feed->ended = n == 0;
        feed->next = data;
        feed->n = (size_t)n;
        return 0;
}

static bool continues(const uint8_t *p, size_t n, enum content content)
{
        if (content == CONTENT_ZSTD && n >= 8 && (get_le32(p) & 0xfffffff0) == 0x184d2a50)
                return true; /* a skippable frame, such as an index at the end */
        return magic_content(p, n, NULL) == content;
}

int feed_more(struct stream *stream, struct feed *feed, enum content content, bool *ret, struct error *err)
{
        struct stream *below = stream_below(stream);
        const uint8_t *head;
        ssize_t n;

        for (;;) {
                while (feed->n > 0 && *feed->next == 0) {
                        feed->next++;
                        feed->n--;
                }
                if (feed->n > 0 || feed->ended)
                        break;
                n = feed_fill(stream, feed, err);
                if (n < 0)
                        return (int)n;
        }
        *ret = false;
        if (feed->n == 0)
                return 0;
        stream_unread(below, feed->n);
        feed->n = 0;
        n = stream_peek(below, 512, &head, err);
        if (n < 0)
                return (int)n;
        *ret = continues(head, (size_t)n, content);
        if (!*ret && stream_ui(stream))
                ui_say(stream_ui(stream), "what follows after the end of the compressed data is ignored");
        return 0;
}

int feed_damaged(struct stream *stream, const struct feed *feed, const char *format, struct error *err)
{
        uint64_t at = stream_position(stream);

        at = at > feed->n ? at - feed->n : 0;
        if (feed->ended)
                return error_set(err, EBADMSG,
                                 "the %s data end too early, at byte %llu: truncated or damaged; download it again",
                                 format, (unsigned long long)at);
        return error_set(err, EBADMSG, "bad %s data before byte %llu: truncated or damaged; download it again", format,
                         (unsigned long long)at);
}

/* gzip, by zlib, which checks CRC and length of each member (RFC 1952). */
struct gzip_state {
        z_stream z;
        bool ready, done;
        struct feed feed;
        uint8_t *buffer;
};

static int gzip_open(struct stream *stream, struct error *err)
{
        struct gzip_state *gzip = stream_state(stream);

        gzip->buffer = xmalloc(CODEC_BUFFER);
        gzip->ready = inflateInit2(&gzip->z, 16 + MAX_WBITS) == Z_OK;
        return gzip->ready ? 0 : error_set(err, ENOMEM, "zlib cannot be started");
}

static int gzip_step(struct stream *stream, struct gzip_state *gzip, struct error *err)
{
        bool more = false;
        int r = feed_fill(stream, &gzip->feed, err), code;

        if (r < 0)
                return r;
        gzip->z.next_in = (Bytef *)gzip->feed.next;
        gzip->z.avail_in = (uInt)gzip->feed.n;
        code = inflate(&gzip->z, Z_NO_FLUSH);
        gzip->feed.next = gzip->z.next_in;
        gzip->feed.n = gzip->z.avail_in;
        if (code == Z_STREAM_END) {
                r = feed_more(stream, &gzip->feed, CONTENT_GZIP, &more, err);
                gzip->done = !more;
                inflateReset(&gzip->z);
                return r;
        }
        if (code == Z_OK && (gzip->feed.n > 0 || !gzip->feed.ended || gzip->z.avail_out == 0))
                return 0;
        if (code == Z_BUF_ERROR && !gzip->feed.ended)
                return 0;
        return feed_damaged(stream, &gzip->feed, "gzip", err);
}

static ssize_t gzip_read(struct stream *stream, const void **ret, struct error *err)
{
        struct gzip_state *gzip = stream_state(stream);

        gzip->z.next_out = gzip->buffer;
        gzip->z.avail_out = CODEC_BUFFER;
        while (gzip->z.avail_out > 0 && !gzip->done) {
                int r = gzip_step(stream, gzip, err);

                if (r < 0)
                        return r;
        }
        *ret = gzip->buffer;
        return (ssize_t)(CODEC_BUFFER - gzip->z.avail_out);
}

static void gzip_close(struct stream *stream)
{
        struct gzip_state *gzip = stream_state(stream);

        if (gzip->ready)
                inflateEnd(&gzip->z);
        free(gzip->buffer);
}

const struct stream_type codec_gzip = {sizeof(struct gzip_state), gzip_open, gzip_read, gzip_close};

/* zstd (RFC 8878). The window is what its writer chose: 8 MiB up to level 19;
 * 128 MiB, as the zstd program takes without being asked, is the most. */
struct zstd_state {
        ZSTD_DStream *z;
        bool done;
        struct feed feed;
        uint8_t *buffer;
};

static int zstd_open(struct stream *stream, struct error *err)
{
        struct zstd_state *zstd = stream_state(stream);

        zstd->buffer = xmalloc(CODEC_BUFFER);
        zstd->z = ZSTD_createDStream();
        return zstd->z ? 0 : error_set(err, ENOMEM, "libzstd cannot be started");
}

static int zstd_failed(struct stream *stream, struct zstd_state *zstd, size_t code, struct error *err)
{
        if (strstr(ZSTD_getErrorName(code), "too much memory"))
                return error_set(err, ENOMEM,
                                 "the zstd data need a window of more than 128 MiB; compress them without --long or "
                                 "--ultra");
        return feed_damaged(stream, &zstd->feed, "zstd", err);
}

static int zstd_step(struct stream *stream, struct zstd_state *zstd, ZSTD_outBuffer *out, struct error *err)
{
        ZSTD_inBuffer in;
        bool more = false;
        size_t code, before = out->pos;
        int r = feed_fill(stream, &zstd->feed, err);

        if (r < 0)
                return r;
        in = (ZSTD_inBuffer){zstd->feed.next, zstd->feed.n, 0};
        code = ZSTD_decompressStream(zstd->z, out, &in);
        zstd->feed.next += in.pos;
        zstd->feed.n -= in.pos;
        if (ZSTD_isError(code))
                return zstd_failed(stream, zstd, code, err);
        if (code == 0) {
                r = feed_more(stream, &zstd->feed, CONTENT_ZSTD, &more, err);
                zstd->done = !more;
                return r;
        }
        if (zstd->feed.ended && out->pos == before)
                return feed_damaged(stream, &zstd->feed, "zstd", err);
        return 0;
}

static ssize_t zstd_read(struct stream *stream, const void **ret, struct error *err)
{
        struct zstd_state *zstd = stream_state(stream);
        ZSTD_outBuffer out = {zstd->buffer, CODEC_BUFFER, 0};

        while (out.pos < out.size && !zstd->done) {
                int r = zstd_step(stream, zstd, &out, err);

                if (r < 0)
                        return r;
        }
        *ret = zstd->buffer;
        return (ssize_t)out.pos;
}

static void zstd_close(struct stream *stream)
{
        struct zstd_state *zstd = stream_state(stream);

        ZSTD_freeDStream(zstd->z);
        free(zstd->buffer);
}

const struct stream_type codec_zstd = {sizeof(struct zstd_state), zstd_open, zstd_read, zstd_close};
