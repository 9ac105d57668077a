/* See encoder.h. */
#include "package/encoder.h"

#include <errno.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/file.h"
#include "package/parallel.h"

static const struct encoder_type *const encoder_types[] = {
        &gzip_encoder, &bgzf_encoder, &bzip2_encoder, &lz4_encoder, &xz_encoder, &zstd_encoder,
};

const struct encoder_type *encoder_find(const char *extension)
{
        for (size_t i = 0; i < sizeof(encoder_types) / sizeof(*encoder_types); i++)
                for (const char *const *known = encoder_types[i]->extensions; *known; known++)
                        if (strcasecmp(*known, extension) == 0)
                                return encoder_types[i];
        return NULL;
}

int encoder_open(struct encoder *encoder, const struct encoder_type *type, int fd, int level, unsigned int threads,
                 struct error *err)
{
        if (level <= 0)
                level = type->level_default;
        if (level > type->level_max)
                level = type->level_max;
        *encoder = (struct encoder){.type = type};
        return type->open(fd, level, threads ? threads : parallel_cores(), &encoder->state, err);
}

int encoder_write(struct encoder *encoder, const void *data, size_t n, struct error *err)
{
        return encoder->type->write(encoder->state, data, n, err);
}

int encoder_finish(struct encoder *encoder, struct error *err)
{
        return encoder->type->finish(encoder->state, err);
}

void encoder_close(struct encoder *encoder)
{
        if (encoder->state)
                encoder->type->free(encoder->state);
        encoder->state = NULL;
}

int encoder_emit(int fd, const void *data, size_t n, struct error *err)
{
        int r = fd_write_all(fd, data, n);

        return r < 0 ? error_errno(err, -r, "write the compressed file") : 0;
}

static int plain_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        int *state = xmalloc(sizeof(*state));

        (void)level;
        (void)threads;
        (void)err;
        *state = fd;
        *ret = state;
        return 0;
}

static int plain_write(void *state, const void *data, size_t n, struct error *err)
{
        return encoder_emit(*(int *)state, data, n, err);
}

static int plain_finish(void *state, struct error *err)
{
        (void)state;
        (void)err;
        return 0;
}

const struct encoder_type plain_encoder = {
        .name = "no compression",
        .extensions = (const char *const[]){NULL},
        .open = plain_open,
        .write = plain_write,
        .finish = plain_finish,
        .free = free,
};
