/* Bytes that come one piece after the other: from a file, out of a
 * compressed stream, out of a member of an archive. Streams stack: a decoder
 * reads from the stream below and owns it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/ui.h"
#include "source/magic.h"

struct stream;

/* What a kind of stream does. */
struct stream_type {
        size_t state_size; /* of what stream_state() gives, zeroed */
        int (*open)(struct stream *stream, struct error *err);
        /* The next bytes, more than 0; 0 at the end; negative on error. *ret is good until the next call. */
        ssize_t (*read)(struct stream *stream, const void **ret, struct error *err);
        void (*close)(struct stream *stream);
};

/* `below` is taken over, also on error; NULL: nothing below. `arg` is for open(). */
int stream_new(const struct stream_type *type, struct stream *below, void *arg, struct stream **ret, struct error *err);
struct stream *stream_free(struct stream *stream); /* and all below it; returns NULL */
static inline void stream_freep(struct stream **stream)
{
        *stream = stream_free(*stream);
}

void *stream_state(struct stream *stream);
void *stream_arg(struct stream *stream);
struct stream *stream_below(struct stream *stream);

/* As stream_type's read; what was peeked at comes first. */
ssize_t stream_read(struct stream *stream, const void **ret, struct error *err);
/* Put the last n bytes that stream_read() gave back. */
void stream_unread(struct stream *stream, size_t n);
/* The next bytes without taking them: `want` (at most MAGIC_BYTES), or fewer where the stream ends before. */
ssize_t stream_peek(struct stream *stream, size_t want, const uint8_t **ret, struct error *err);

/* The file at fd, from its start; the fd stays the caller's. Draws ui's progress. */
int stream_file(int fd, struct ui *ui, struct stream **ret, struct error *err);
/* How many bytes of the file at the bottom have been read. */
uint64_t stream_position(const struct stream *stream);
/* The ui given at the bottom, or NULL. */
struct ui *stream_ui(const struct stream *stream);

/* Take off all compression: *stream becomes what is inside, *ret_content what
 * that is, and *ret_name its name for messages (may be NULL). */
int stream_peel(struct stream **stream, enum content *ret_content, const char **ret_name, struct error *err);
