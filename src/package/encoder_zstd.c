/* Zstandard (RFC 8878) by the library's own threads. It is always told to use
 * threads, even a single one, since what it writes with any number of them is the same
 * (without threads it is not). */
#include <errno.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "package/encoder.h"

/* Threads work on pieces that the library makes four windows long. Half of that costs
 * half a percent in size and keeps memory low where the windows are small. */
enum { SMALL_LEVEL = 5, SMALL_JOB_BYTES = 4 << 20 };

struct zstd {
        int fd;
        ZSTD_CCtx *context;
        void *out;
        size_t out_cap;
};

static void zstd_free(void *state)
{
        struct zstd *zstd = state;

        ZSTD_freeCCtx(zstd->context);
        free(zstd->out);
        free(zstd);
}

static int set(struct zstd *zstd, ZSTD_cParameter parameter, int value, struct error *err)
{
        size_t code = ZSTD_CCtx_setParameter(zstd->context, parameter, value);

        if (!ZSTD_isError(code))
                return 0;
        if (parameter == ZSTD_c_nbWorkers)
                return error_set(err, ENOTSUP, "this libzstd was built without threads");
        return error_set(err, EINVAL, "zstd: %s", ZSTD_getErrorName(code));
}

static int zstd_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        struct zstd *zstd = xcalloc(1, sizeof(*zstd));
        int r = 0;

        zstd->fd = fd;
        zstd->out_cap = ZSTD_CStreamOutSize();
        zstd->out = xmalloc(zstd->out_cap);
        zstd->context = ZSTD_createCCtx();
        if (!zstd->context)
                r = error_set(err, ENOMEM, "out of memory for zstd");
        if (r == 0)
                r = set(zstd, ZSTD_c_compressionLevel, level, err);
        if (r == 0)
                r = set(zstd, ZSTD_c_checksumFlag, 1, err);
        if (r == 0)
                r = set(zstd, ZSTD_c_nbWorkers, (int)threads, err);
        if (r == 0 && level <= SMALL_LEVEL)
                r = set(zstd, ZSTD_c_jobSize, SMALL_JOB_BYTES, err);
        if (r < 0)
                zstd_free(zstd);
        else
                *ret = zstd;
        return r;
}

static int drive(struct zstd *zstd, ZSTD_inBuffer *in, ZSTD_EndDirective end, struct error *err)
{
        size_t left;
        int r;

        do {
                ZSTD_outBuffer out = {.dst = zstd->out, .size = zstd->out_cap};

                left = ZSTD_compressStream2(zstd->context, &out, in, end);
                if (ZSTD_isError(left))
                        return error_set(err, EIO, "zstd: %s", ZSTD_getErrorName(left));
                r = encoder_emit(zstd->fd, zstd->out, out.pos, err);
                if (r == 0)
                        r = cancel_check(err);
                if (r < 0)
                        return r;
        } while (end == ZSTD_e_end ? left > 0 : in->pos < in->size);
        return 0;
}

static int zstd_write(void *state, const void *data, size_t n, struct error *err)
{
        return drive(state, &(ZSTD_inBuffer){.src = data, .size = n}, ZSTD_e_continue, err);
}

static int zstd_finish(void *state, struct error *err)
{
        return drive(state, &(ZSTD_inBuffer){0}, ZSTD_e_end, err);
}

const struct encoder_type zstd_encoder = {
        .name = "zstd",
        .extensions = (const char *const[]){"zst", "zstd", NULL},
        .level_max = 19, /* more needs a window that unzstd refuses without being asked */
        .level_default = 3,
        .open = zstd_open,
        .write = zstd_write,
        .finish = zstd_finish,
        .free = zstd_free,
};
