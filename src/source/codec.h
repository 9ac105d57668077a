/* What the decoders of compressed streams share. */
#pragma once

#include "source/stream.h"

/* The decoder, or NULL. */
const struct stream_type *codec_find(enum content content);

extern const struct stream_type codec_gzip, codec_zstd;                 /* codec.c */
extern const struct stream_type codec_xz, codec_lzma, codec_lzip;       /* codec-lzma.c */
extern const struct stream_type codec_bzip2, codec_lz4, codec_compress; /* codec-archive.c */

enum { CODEC_BUFFER = 256 << 10 };

/* Input of a decoder: what is left of the last piece from the stream below. */
struct feed {
        const uint8_t *next;
        size_t n;
        bool ended;
};

/* Make sure that there is input, unless it has ended. */
int feed_fill(struct stream *stream, struct feed *feed, struct error *err);
/* After the end of one compressed member: does another one of the same kind
 * follow? Padding of zeros is skipped; anything else is left alone, with a message. */
int feed_more(struct stream *stream, struct feed *feed, enum content content, bool *ret, struct error *err);
/* The error for data that cannot be decoded, or that ended too early. */
int feed_damaged(struct stream *stream, const struct feed *feed, const char *format, struct error *err);
