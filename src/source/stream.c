/* See stream.h. */
#include "source/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "source/codec.h"

enum { FILE_BUFFER = 256 << 10, DEPTH_MAX = 4 };

struct stream {
        const struct stream_type *type;
        struct stream *below;
        void *arg, *state;
        uint8_t *head; /* peeked at */
        size_t head_at, head_n;
        const uint8_t *rest; /* what a peek read too much; owned by the type's buffer */
        size_t rest_n;
        const uint8_t *last; /* what stream_read gave */
        size_t last_n;
        bool last_was_head, ended;
};

int stream_new(const struct stream_type *type, struct stream *below, void *arg, struct stream **ret, struct error *err)
{
        CLEANUP(stream_freep) struct stream *stream = xcalloc(1, sizeof(*stream));
        int r;

        *stream = (struct stream){.type = type, .below = below, .arg = arg, .state = xcalloc(1, type->state_size + 1)};
        r = type->open ? type->open(stream, err) : 0;
        if (r == 0)
                *ret = steal(&stream);
        return r;
}

/* Stacks are DEPTH_MAX deep at most. */
struct stream *stream_free(struct stream *stream)
{
        while (stream) {
                struct stream *below = stream->below;

                if (stream->type->close)
                        stream->type->close(stream);
                free(stream->head);
                free(stream->state);
                free(stream);
                stream = below;
        }
        return NULL;
}

void *stream_state(struct stream *stream)
{
        return stream->state;
}

void *stream_arg(struct stream *stream)
{
        return stream->arg;
}

struct stream *stream_below(struct stream *stream)
{
        return stream->below;
}

static ssize_t read_type(struct stream *stream, const void **ret, struct error *err)
{
        ssize_t n;

        if (stream->ended)
                return 0;
        n = stream->type->read(stream, ret, err);
        stream->ended = n == 0;
        return n;
}

ssize_t stream_read(struct stream *stream, const void **ret, struct error *err)
{
        const void *data;
        ssize_t n;

        stream->last_was_head = stream->head_at < stream->head_n;
        if (stream->last_was_head) {
                data = stream->head + stream->head_at;
                n = (ssize_t)(stream->head_n - stream->head_at);
                stream->head_at = stream->head_n;
        } else if (stream->rest_n > 0) {
                data = stream->rest;
                n = (ssize_t)steal(&stream->rest_n);
        } else {
                n = read_type(stream, &data, err);
        }
        if (n > 0) {
                stream->last = *ret = data;
                stream->last_n = (size_t)n;
        }
        return n;
}

void stream_unread(struct stream *stream, size_t n)
{
        if (n == 0)
                return;
        if (stream->last_was_head) {
                stream->head_at -= n;
                return;
        }
        stream->rest = stream->last + stream->last_n - n;
        stream->rest_n = n;
}

ssize_t stream_peek(struct stream *stream, size_t want, const uint8_t **ret, struct error *err)
{
        size_t have = stream->head_n - stream->head_at;

        if (want > MAGIC_BYTES)
                want = MAGIC_BYTES;
        if (!stream->head)
                stream->head = xmalloc(MAGIC_BYTES);
        if (stream->head_at > 0) {
                memmove(stream->head, stream->head + stream->head_at, have);
                stream->head_at = 0;
                stream->head_n = have;
        }
        while (stream->head_n < want) {
                size_t take;

                if (stream->rest_n == 0) {
                        const void *data;
                        ssize_t n = read_type(stream, &data, err);

                        if (n < 0)
                                return n;
                        if (n == 0)
                                break;
                        stream->rest = data;
                        stream->rest_n = (size_t)n;
                }
                take = want - stream->head_n < stream->rest_n ? want - stream->head_n : stream->rest_n;
                memcpy(stream->head + stream->head_n, stream->rest, take);
                stream->head_n += take;
                stream->rest += take;
                stream->rest_n -= take;
        }
        *ret = stream->head;
        return (ssize_t)(stream->head_n < want ? stream->head_n : want);
}

/* The file at the bottom. */
struct file_state {
        int fd;
        struct ui *ui;
        uint64_t position;
        uint8_t *buffer;
};

static int file_open(struct stream *stream, struct error *err)
{
        struct file_state *file = stream->state, *given = stream->arg;

        (void)err;
        *file = *given;
        file->buffer = xmalloc(FILE_BUFFER);
        stream->arg = NULL;
        posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return 0;
}

static ssize_t file_read_next(struct stream *stream, const void **ret, struct error *err)
{
        struct file_state *file = stream->state;
        ssize_t n;
        int r = cancel_check(err);

        if (r < 0)
                return r;
        do
                n = pread(file->fd, file->buffer, FILE_BUFFER, (off_t)file->position);
        while (n < 0 && errno == EINTR && !cancel_requested());
        if (n < 0)
                return error_errno(err, errno, "read at byte %llu", (unsigned long long)file->position);
        file->position += (uint64_t)n;
        progress_update(file->ui, file->position);
        *ret = file->buffer;
        return n;
}

static void file_close(struct stream *stream)
{
        struct file_state *file = stream->state;

        free(file->buffer);
}

static const struct stream_type file_type = {sizeof(struct file_state), file_open, file_read_next, file_close};

int stream_file(int fd, struct ui *ui, struct stream **ret, struct error *err)
{
        struct file_state file = {.fd = fd, .ui = ui};

        return stream_new(&file_type, NULL, &file, ret, err);
}

static const struct file_state *bottom(const struct stream *stream)
{
        while (stream->below)
                stream = stream->below;
        return stream->type == &file_type ? stream->state : NULL;
}

uint64_t stream_position(const struct stream *stream)
{
        const struct file_state *file = bottom(stream);

        return file ? file->position : 0;
}

struct ui *stream_ui(const struct stream *stream)
{
        const struct file_state *file = bottom(stream);

        return file ? file->ui : NULL;
}

/* A decoder for `content` (content_is_stream) over `below`, which is taken over. */
static int decode(enum content content, struct stream *below, struct stream **ret, struct error *err)
{
        const struct stream_type *type = codec_find(content);

        if (!type) {
                stream_free(below);
                return error_set(err, EINVAL, "no decoder for this kind of data");
        }
        return stream_new(type, below, NULL, ret, err);
}

int stream_peel(struct stream **stream, enum content *ret_content, const char **ret_name, struct error *err)
{
        for (int depth = 0;; depth++) {
                struct stream *inner = NULL;
                const uint8_t *head = NULL;
                ssize_t n = stream_peek(*stream, MAGIC_BYTES, &head, err);
                enum content content;
                int r;

                if (n < 0)
                        return (int)n;
                content = magic_content(head, (size_t)n, ret_name);
                if (!content_is_stream(content)) {
                        *ret_content = content;
                        return 0;
                }
                if (depth == DEPTH_MAX)
                        return error_set(err, ELOOP, "compressed more than %d times", DEPTH_MAX);
                r = decode(content, steal(stream), &inner, err);
                if (r < 0 || !inner)
                        return r;
                *stream = inner;
        }
}
