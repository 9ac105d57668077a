/* xz by liblzma's own threads. Its blocks are of a fixed size (three times the
 * dictionary, as xz -T has it), so that the output is the same for any number of them, and
 * xz -T0 -d unpacks on all cores too. Each thread takes about 145 MiB at level 6 (the
 * encoder's 94 and two buffers of 24): where memory is scarce, fewer threads run. */
#include <errno.h>
#include <lzma.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "package/encoder.h"

enum { OUT_BYTES = 1 << 18, HUGE_PAGE = 1 << 21 };

struct xz {
        int fd;
        lzma_stream stream;
        uint8_t *out;
};

/* The match finders jump about in tables of tens of MiB: with pages of 4 KiB they wait for the TLB. What the kernel
 * cannot give in huge pages it gives in small ones. */
static void *alloc_huge(void *opaque, size_t n, size_t size)
{
        void *p;

        (void)opaque;
        if (__builtin_mul_overflow(n, size, &size))
                return NULL;
        if (size < HUGE_PAGE)
                return malloc(size ? size : 1);
        if (posix_memalign(&p, HUGE_PAGE, size) != 0)
                return NULL;
        (void)madvise(p, size, MADV_HUGEPAGE);
        return p;
}

static void free_huge(void *opaque, void *p)
{
        (void)opaque;
        free(p);
}

static const lzma_allocator huge_pages = {.alloc = alloc_huge, .free = free_huge};

static void xz_free(void *state)
{
        struct xz *xz = state;

        lzma_end(&xz->stream);
        free(xz->out);
        free(xz);
}

static int failed(lzma_ret code, struct error *err)
{
        switch ((int)code) {
        case LZMA_MEM_ERROR:
                return error_set(err, ENOMEM, "out of memory for xz; a lower 'compression_level' takes less");
        case LZMA_OPTIONS_ERROR:
                return error_set(err, EINVAL, "liblzma does not know this compression level");
        default:
                return error_set(err, EIO, "xz could not compress (liblzma code %d)", (int)code);
        }
}

/* No more than a quarter of the machine's memory, but always one thread. */
static uint32_t threads_within(const lzma_mt *mt, unsigned int threads)
{
        uint64_t limit = lzma_physmem() / 4;
        lzma_mt trial = *mt;

        for (trial.threads = threads; trial.threads > 1; trial.threads--)
                if (limit == 0 || lzma_stream_encoder_mt_memusage(&trial) <= limit)
                        break;
        return trial.threads;
}

static int xz_open(int fd, int level, unsigned int threads, void **ret, struct error *err)
{
        struct xz *xz = xcalloc(1, sizeof(*xz));
        lzma_options_lzma options;
        lzma_mt mt = {.preset = (uint32_t)level, .check = LZMA_CHECK_CRC64};
        lzma_ret code;

        xz->stream = (lzma_stream)LZMA_STREAM_INIT;
        xz->stream.allocator = &huge_pages;
        xz->fd = fd;
        xz->out = xmalloc(OUT_BYTES);
        lzma_lzma_preset(&options, mt.preset);
        mt.block_size = 3 * (uint64_t)options.dict_size;
        if (mt.block_size < 1 << 20)
                mt.block_size = 1 << 20;
        mt.threads = threads_within(&mt, threads);
        code = lzma_stream_encoder_mt(&xz->stream, &mt);
        if (code != LZMA_OK) {
                xz_free(xz);
                return failed(code, err);
        }
        *ret = xz;
        return 0;
}

static int drive(struct xz *xz, lzma_action action, struct error *err)
{
        lzma_ret code = LZMA_OK;
        int r;

        while (action == LZMA_FINISH ? code != LZMA_STREAM_END : xz->stream.avail_in > 0) {
                xz->stream.next_out = xz->out;
                xz->stream.avail_out = OUT_BYTES;
                code = lzma_code(&xz->stream, action);
                if (code != LZMA_OK && code != LZMA_STREAM_END)
                        return failed(code, err);
                r = encoder_emit(xz->fd, xz->out, OUT_BYTES - xz->stream.avail_out, err);
                if (r == 0)
                        r = cancel_check(err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int xz_write(void *state, const void *data, size_t n, struct error *err)
{
        struct xz *xz = state;

        xz->stream.next_in = data;
        xz->stream.avail_in = n;
        return drive(xz, LZMA_RUN, err);
}

static int xz_finish(void *state, struct error *err)
{
        return drive(state, LZMA_FINISH, err);
}

const struct encoder_type xz_encoder = {
        .name = "xz",
        .extensions = (const char *const[]){"xz", NULL},
        .level_max = 9,
        .level_default = 6,
        .open = xz_open,
        .write = xz_write,
        .finish = xz_finish,
        .free = xz_free,
};
