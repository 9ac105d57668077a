/* Compressed streams: bytes in, a file out. One row in encoder_types and one
 * file for each format. The output depends on the input and the level alone,
 * not on the number of threads, the time or the name of the file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct encoder_type {
        const char *name;
        const char *const *extensions; /* NULL-terminated, without the dot */
        int level_max, level_default;  /* from 1 */
        /* State that writes to fd; the fd stays the caller's. */
        int (*open)(int fd, int level, unsigned int threads, void **ret, struct error *err);
        int (*write)(void *state, const void *data, size_t n, struct error *err);
        int (*finish)(void *state, struct error *err);
        void (*free)(void *state);
};

extern const struct encoder_type gzip_encoder, bgzf_encoder, bzip2_encoder, lz4_encoder, xz_encoder, zstd_encoder,
        plain_encoder;

/* By extension, any case; NULL if there is none. plain_encoder (no compression) has no extension. */
const struct encoder_type *encoder_find(const char *extension);

struct encoder {
        const struct encoder_type *type;
        void *state;
};

/* level 0: the default; one above the greatest counts as that. threads 0: all cores. */
int encoder_open(struct encoder *encoder, const struct encoder_type *type, int fd, int level, unsigned int threads,
                 struct error *err);
int encoder_write(struct encoder *encoder, const void *data, size_t n, struct error *err);
/* All is written. */
int encoder_finish(struct encoder *encoder, struct error *err);
void encoder_close(struct encoder *encoder);

/* For the formats: n bytes to fd, with words for a full disk. */
int encoder_emit(int fd, const void *data, size_t n, struct error *err);
