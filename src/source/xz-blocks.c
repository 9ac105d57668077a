/* A whole .xz file by all cores. The index at its end tells where each block
 * begins and where its contents belong (The .xz File Format, sections 3 and
 * 4), so each thread takes the next block, and writes it to its place.
 *
 * liblzma's own threaded decoder keeps the output of whole blocks (24 MiB with
 * xz -6) in memory to give it in order. A file needs no order, and a thread
 * here no more than the dictionary and two buffers. */
#include <errno.h>
#include <lzma.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/vec.h"
#include "source/image.h"

enum {
        INDEX_MEMORY = 16 << 20,   /* a quarter of a million blocks */
        THREADS_MEMORY = 40 << 20, /* for all threads */
        BUFFER = 128 << 10,
        THREADS_MAX = 16,
        TICK_MS = 100,
};

struct block {
        uint64_t in_offset, in_size, unpadded, out_offset, out_size;
        lzma_check check;
};

struct job {
        int fd, to_fd;
        VEC(struct block) blocks;
        uint64_t total;
        atomic_size_t next;
        _Atomic uint64_t done;
        atomic_bool stop;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        size_t running; /* under lock, as all below */
        int failed;
        struct error failure;
};

static void job_done(struct job *job)
{
        vec_free(&job->blocks);
        pthread_mutex_destroy(&job->lock);
        pthread_cond_destroy(&job->changed);
        error_clear(&job->failure);
}

static void index_p(lzma_index **index)
{
        lzma_index_end(*index, NULL);
}

static void lzma_p(lzma_stream *lzma)
{
        lzma_end(lzma);
}

/* Read the index (of all streams, with padding) from the file's end. NULL: it has none that is sound. */
static lzma_index *read_index(int fd, uint64_t size)
{
        CLEANUP(lzma_p) lzma_stream lzma = LZMA_STREAM_INIT;
        CLEANUP_FREE uint8_t *buffer = xmalloc(BUFFER);
        lzma_index *index = NULL;
        uint64_t at = 0;
        lzma_ret code = lzma_file_info_decoder(&lzma, &index, INDEX_MEMORY, size);

        while (code == LZMA_OK || code == LZMA_SEEK_NEEDED) {
                if (code == LZMA_SEEK_NEEDED) {
                        at = lzma.seek_pos;
                        lzma.avail_in = 0;
                }
                if (lzma.avail_in == 0) {
                        ssize_t n = pread(fd, buffer, BUFFER, (off_t)at);

                        if (n < 0)
                                return NULL;
                        lzma.next_in = buffer;
                        lzma.avail_in = (size_t)n;
                        at += (uint64_t)n;
                }
                code = lzma_code(&lzma, lzma.avail_in == 0 ? LZMA_FINISH : LZMA_RUN);
        }
        return code == LZMA_STREAM_END ? index : NULL;
}

static int list_blocks(struct job *job, struct error *err)
{
        CLEANUP(index_p) lzma_index *index = NULL;
        lzma_index_iter iter;
        struct stat st;

        if (fstat(job->fd, &st) < 0)
                return error_errno(err, errno, "stat");
        index = read_index(job->fd, (uint64_t)st.st_size);
        if (!index)
                return 0;
        job->total = lzma_index_uncompressed_size(index);
        lzma_index_iter_init(&iter, index);
        while (!lzma_index_iter_next(&iter, LZMA_INDEX_ITER_NONEMPTY_BLOCK))
                vec_push(&job->blocks, (struct block){.in_offset = iter.block.compressed_file_offset,
                                                      .in_size = iter.block.total_size,
                                                      .unpadded = iter.block.unpadded_size,
                                                      .out_offset = iter.block.uncompressed_file_offset,
                                                      .out_size = iter.block.uncompressed_size,
                                                      .check = iter.stream.flags->check});
        return 0;
}

static int damaged(const struct block *at, struct error *err)
{
        return error_set(err, EBADMSG, "bad xz data in the block at byte %llu: truncated or damaged; download it again",
                         (unsigned long long)at->in_offset);
}

/* The block's header. Its filters point to options, which lzma_filters_free() releases. */
static int read_header(int fd, const struct block *at, lzma_block *block, lzma_filter *filters, struct error *err)
{
        uint8_t header[LZMA_BLOCK_HEADER_SIZE_MAX];
        int r = fd_pread_all(fd, header, 1, (off_t)at->in_offset);

        filters[0].id = LZMA_VLI_UNKNOWN;
        *block = (lzma_block){.version = 1, .check = at->check, .filters = filters};
        if (r < 0 || header[0] == 0)
                return damaged(at, err);
        block->header_size = lzma_block_header_size_decode(header[0]);
        r = fd_pread_all(fd, header, block->header_size, (off_t)at->in_offset);
        if (r < 0 || lzma_block_header_decode(block, NULL, header) != LZMA_OK)
                return damaged(at, err);
        if (lzma_block_compressed_size(block, at->unpadded) != LZMA_OK) {
                lzma_filters_free(filters, NULL);
                return damaged(at, err);
        }
        return 0;
}

/* Memory for one thread, as the first block has it. */
static uint64_t memory_needed(const struct job *job)
{
        lzma_filter filters[LZMA_FILTERS_MAX + 1];
        lzma_block block;
        uint64_t memory;

        if (read_header(job->fd, &job->blocks.v[0], &block, filters, NULL) < 0)
                return UINT64_MAX;
        memory = lzma_raw_decoder_memusage(filters);
        lzma_filters_free(filters, NULL);
        return memory == UINT64_MAX ? memory : memory + 3 * BUFFER;
}

static int decode_loop(struct job *job, const struct block *at, lzma_stream *lzma, uint64_t in, uint8_t *buffer,
                       struct error *err)
{
        uint8_t *out = buffer + BUFFER;
        uint64_t end = at->in_offset + at->in_size, made = 0;
        lzma_ret code = LZMA_OK;

        while (code != LZMA_STREAM_END) {
                size_t n;
                int r;

                if (atomic_load(&job->stop))
                        return -ECANCELED;
                if (lzma->avail_in == 0 && in < end) {
                        n = end - in < BUFFER ? (size_t)(end - in) : BUFFER;
                        r = fd_pread_all(job->fd, buffer, n, (off_t)in);
                        if (r < 0)
                                return damaged(at, err);
                        lzma->next_in = buffer;
                        lzma->avail_in = n;
                        in += n;
                }
                lzma->next_out = out;
                lzma->avail_out = 2 * BUFFER;
                code = lzma_code(lzma, in == end ? LZMA_FINISH : LZMA_RUN);
                n = 2 * BUFFER - lzma->avail_out;
                if ((code != LZMA_OK && code != LZMA_STREAM_END) || n > at->out_size - made)
                        return damaged(at, err);
                r = image_write(job->to_fd, out, n, at->out_offset + made, job->total, err);
                if (r < 0)
                        return r;
                made += n;
                atomic_fetch_add(&job->done, n);
        }
        return made == at->out_size ? 0 : damaged(at, err);
}

static int decode_block(struct job *job, const struct block *at, lzma_stream *lzma, uint8_t *buffer, struct error *err)
{
        lzma_filter filters[LZMA_FILTERS_MAX + 1];
        lzma_block block;
        int r = read_header(job->fd, at, &block, filters, err);

        if (r < 0)
                return r;
        if (lzma_raw_decoder_memusage(filters) > THREADS_MEMORY) {
                r = error_set(err, ENOTSUP, "the block at byte %llu takes more memory than the first one",
                              (unsigned long long)at->in_offset);
        } else if (lzma_block_decoder(lzma, &block) != LZMA_OK) {
                r = error_set(err, ENOTSUP, "the xz data use a filter or an option that liblzma does not have");
        } else {
                lzma->avail_in = 0;
                r = decode_loop(job, at, lzma, at->in_offset + block.header_size, buffer, err);
        }
        lzma_filters_free(filters, NULL);
        return r;
}

static void *worker(void *arg)
{
        struct job *job = arg;
        CLEANUP(lzma_p) lzma_stream lzma = LZMA_STREAM_INIT;
        CLEANUP_FREE uint8_t *buffer = xmalloc(3 * BUFFER);
        CLEANUP_ERROR struct error failure = {0};
        int r = 0;

        while (r == 0 && !atomic_load(&job->stop)) {
                size_t i = atomic_fetch_add(&job->next, 1);

                if (i >= job->blocks.n)
                        break;
                r = decode_block(job, &job->blocks.v[i], &lzma, buffer, &failure);
        }
        pthread_mutex_lock(&job->lock);
        if (r < 0 && !job->failed && failure.code) {
                job->failed = r;
                error_move(&job->failure, &failure);
                atomic_store(&job->stop, true);
        }
        job->running--;
        pthread_cond_signal(&job->changed);
        pthread_mutex_unlock(&job->lock);
        return NULL;
}

/* Until all threads have ended: progress, and being told to stop. */
static void watch(struct job *job, struct ui *ui)
{
        pthread_mutex_lock(&job->lock);
        while (job->running > 0) {
                struct timespec until;

                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += TICK_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000;
                until.tv_nsec %= 1000000000;
                pthread_cond_timedwait(&job->changed, &job->lock, &until);
                if (cancel_requested())
                        atomic_store(&job->stop, true);
                pthread_mutex_unlock(&job->lock);
                progress_update(ui, atomic_load(&job->done));
                pthread_mutex_lock(&job->lock);
        }
        pthread_mutex_unlock(&job->lock);
}

static int run(struct job *job, size_t n_threads, struct ui *ui, struct error *err)
{
        pthread_t threads[THREADS_MAX];
        size_t started = 0;
        int r = 0;

        pthread_mutex_lock(&job->lock);
        while (started < n_threads && (r = pthread_create(&threads[started], NULL, worker, job)) == 0)
                started++;
        job->running = started;
        pthread_mutex_unlock(&job->lock);
        if (started == 0)
                return error_errno(err, r, "start a thread");
        progress_start(ui, "unpack", job->total);
        watch(job, ui);
        for (size_t i = 0; i < started; i++)
                pthread_join(threads[i], NULL);
        progress_end(ui);
        r = cancel_check(err);
        if (r == 0 && job->failed) {
                r = job->failed;
                if (err)
                        error_move(err, &job->failure);
        }
        if (r == 0 && ftruncate(job->to_fd, (off_t)job->total) < 0)
                r = error_errno(err, errno, "set the image's size");
        return r;
}

int xz_blocks_unpack(int fd, int to_fd, struct ui *ui, bool *ret_done, struct error *err)
{
        CLEANUP(job_done)
        struct job job = {
                .fd = fd,
                .to_fd = to_fd,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
        };
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        uint64_t memory;
        size_t n = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
        int r;

        *ret_done = false;
        if (n < 2)
                return 0;
        r = list_blocks(&job, err);
        if (r < 0 || job.blocks.n < 2)
                return r;
        memory = memory_needed(&job);
        if (memory > THREADS_MEMORY / 2)
                return 0;
        if (n > THREADS_MEMORY / memory)
                n = (size_t)(THREADS_MEMORY / memory);
        if (n > job.blocks.n)
                n = job.blocks.n;
        log_debug("xz: %zu blocks, %zu threads", job.blocks.n, n);
        *ret_done = true;
        return run(&job, n, ui, err);
}
