/* bzip2, lz4 and compress streams, by libarchive's filters (it checks their
 * block checksums and reads concatenated streams). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/alloc.h"
#include "source/codec.h"

struct archive_state {
        struct archive *archive;
        struct feed feed;
        uint8_t *buffer;
        const char *name;
        int (*filter)(struct archive *archive);
        struct error failure; /* of the stream below */
        bool entered;
};

static la_ssize_t on_read(struct archive *archive, void *arg, const void **ret)
{
        struct stream *stream = arg;
        struct archive_state *state = stream_state(stream);
        int r;

        state->feed.n = 0; /* libarchive took it all */
        r = feed_fill(stream, &state->feed, &state->failure);
        if (r < 0) {
                archive_set_error(archive, -r, "read");
                return ARCHIVE_FATAL;
        }
        *ret = state->feed.next;
        return (la_ssize_t)state->feed.n;
}

static int open_kind(struct stream *stream, const char *name, int (*filter)(struct archive *archive), struct error *err)
{
        struct archive_state *state = stream_state(stream);

        state->buffer = xmalloc(CODEC_BUFFER);
        state->name = name;
        state->archive = archive_read_new();
        if (!state->archive || filter(state->archive) < ARCHIVE_WARN ||
            archive_read_support_format_raw(state->archive) != ARCHIVE_OK)
                return error_set(err, ENOTSUP, "libarchive has no decoder for %s", name);
        return 0;
}

static int open_bzip2(struct stream *stream, struct error *err)
{
        return open_kind(stream, "bzip2", archive_read_support_filter_bzip2, err);
}

static int open_lz4(struct stream *stream, struct error *err)
{
        return open_kind(stream, "lz4", archive_read_support_filter_lz4, err);
}

static int open_compress(struct stream *stream, struct error *err)
{
        return open_kind(stream, "compress", archive_read_support_filter_compress, err);
}

static int failed(struct stream *stream, struct archive_state *state, struct error *err)
{
        int code = state->failure.code;

        if (!code)
                return feed_damaged(stream, &state->feed, state->name, err);
        if (err)
                error_move(err, &state->failure);
        return -code;
}

static ssize_t read_next(struct stream *stream, const void **ret, struct error *err)
{
        struct archive_state *state = stream_state(stream);
        struct archive_entry *entry;
        la_ssize_t n;
        int r;

        if (!state->entered) {
                state->entered = true;
                r = archive_read_open(state->archive, stream, NULL, on_read, NULL);
                if (r == ARCHIVE_OK)
                        r = archive_read_next_header(state->archive, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return failed(stream, state, err);
        }
        n = archive_read_data(state->archive, state->buffer, CODEC_BUFFER);
        if (n < 0)
                return failed(stream, state, err);
        *ret = state->buffer;
        return n;
}

static void close_kind(struct stream *stream)
{
        struct archive_state *state = stream_state(stream);

        archive_read_free(state->archive);
        error_clear(&state->failure);
        free(state->buffer);
}

const struct stream_type codec_bzip2 = {sizeof(struct archive_state), open_bzip2, read_next, close_kind};
const struct stream_type codec_lz4 = {sizeof(struct archive_state), open_lz4, read_next, close_kind};
const struct stream_type codec_compress = {sizeof(struct archive_state), open_compress, read_next, close_kind};
