/* See parallel.h. A ring of blocks: the caller fills at `head`, threads take
 * in order at `next`, the caller emits at `tail`. Each block is in one of four
 * states; a lock guards states and counters, never the work. */
#include "package/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum slot_state { SLOT_FREE, SLOT_READY, SLOT_TAKEN, SLOT_DONE };

struct slot {
        struct parallel_block block;
        enum slot_state state;
        int result;
        struct error err;
};

struct worker {
        struct parallel *parallel;
        void *state;
        pthread_t thread;
        bool started;
};

struct parallel {
        const struct parallel_type *type;
        void *arg;
        struct worker *workers;
        struct slot *slots;
        size_t n_workers, n_slots;
        size_t head, next, tail; /* counters; modulo n_slots they are places in the ring */
        bool stop;
        pthread_mutex_t lock;
        pthread_cond_t ready, done;
};

void parallel_reserve(struct parallel_block *block, size_t n)
{
        if (n <= block->out_cap)
                return;
        block->out = xreallocarray(block->out, n, 1);
        block->out_cap = n;
}

unsigned int parallel_cores(void)
{
        cpu_set_t set;

        if (sched_getaffinity(0, sizeof(set), &set) < 0)
                return 1;
        return (unsigned int)CPU_COUNT(&set);
}

static void *work_loop(void *arg)
{
        struct worker *worker = arg;
        struct parallel *p = worker->parallel;
        struct slot *slot;

        pthread_mutex_lock(&p->lock);
        while (!p->stop) {
                slot = &p->slots[p->next % p->n_slots];
                if (p->next == p->head) {
                        pthread_cond_wait(&p->ready, &p->lock);
                        continue;
                }
                p->next++;
                slot->state = SLOT_TAKEN;
                pthread_mutex_unlock(&p->lock);
                slot->block.out_len = 0;
                slot->result = p->type->work(worker->state, &slot->block, &slot->err);
                pthread_mutex_lock(&p->lock);
                slot->state = SLOT_DONE;
                pthread_cond_signal(&p->done);
        }
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

/* Threads take no signals: those are the caller's, who heeds the cancel flag. */
static int start_threads(struct parallel *p, struct error *err)
{
        sigset_t all, old;
        int code = 0;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        for (size_t i = 0; i < p->n_workers && code == 0; i++) {
                struct worker *worker = &p->workers[i];

                code = pthread_create(&worker->thread, NULL, work_loop, worker);
                worker->started = code == 0;
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return code ? error_errno(err, code, "start a thread") : 0;
}

int parallel_new(const struct parallel_type *type, void *arg, unsigned int threads, struct parallel **ret,
                 struct error *err)
{
        struct parallel *p = xcalloc(1, sizeof(*p));
        int r = 0;

        p->type = type;
        p->arg = arg;
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->ready, NULL);
        pthread_cond_init(&p->done, NULL);
        p->n_workers = threads ? threads : 1;
        p->n_slots = p->n_workers + 2;
        p->workers = xcalloc(p->n_workers, sizeof(*p->workers));
        p->slots = xcalloc(p->n_slots, sizeof(*p->slots));
        for (size_t i = 0; i < p->n_slots; i++) {
                p->slots[i].block.in = xmalloc(type->block_bytes);
                p->slots[i].block.before = type->before_bytes ? xmalloc(type->before_bytes) : NULL;
        }
        for (size_t i = 0; i < p->n_workers; i++) {
                p->workers[i].parallel = p;
                p->workers[i].state = type->worker_new(arg);
                if (!p->workers[i].state)
                        r = error_set(err, ENOMEM, "out of memory for %zu threads", p->n_workers);
        }
        if (r == 0)
                r = start_threads(p, err);
        if (r < 0) {
                parallel_free(p);
                return r;
        }
        *ret = p;
        return 0;
}

/* Wait for the block at the tail and hand on what came of it. */
static int emit_one(struct parallel *p, struct error *err)
{
        struct slot *slot = &p->slots[p->tail % p->n_slots];

        pthread_mutex_lock(&p->lock);
        while (slot->state != SLOT_DONE)
                pthread_cond_wait(&p->done, &p->lock);
        slot->state = SLOT_FREE;
        pthread_mutex_unlock(&p->lock);
        p->tail++;
        if (slot->result < 0) {
                error_move(err, &slot->err);
                return slot->result;
        }
        return p->type->emit(p->arg, &slot->block, err);
}

/* The block at the head is complete: to the threads. The next one, with the
 * end of this as what stood before it, takes its place. */
static int submit(struct parallel *p, bool last, struct error *err)
{
        struct slot *now = &p->slots[p->head % p->n_slots];
        struct parallel_block *next;
        size_t keep = p->type->before_bytes < now->block.in_len ? p->type->before_bytes : now->block.in_len;
        int r;

        now->block.last = last;
        pthread_mutex_lock(&p->lock);
        now->state = SLOT_READY;
        p->head++;
        pthread_cond_signal(&p->ready);
        pthread_mutex_unlock(&p->lock);
        if (last)
                return 0;
        if (p->head - p->tail == p->n_slots) {
                r = emit_one(p, err);
                if (r < 0)
                        return r;
        }
        next = &p->slots[p->head % p->n_slots].block;
        if (keep)
                memcpy(next->before, now->block.in + now->block.in_len - keep, keep);
        next->before_len = keep;
        next->in_len = 0;
        return 0;
}

int parallel_write(struct parallel *p, const void *data, size_t n, struct error *err)
{
        const uint8_t *from = data;

        while (n > 0) {
                struct parallel_block *block = &p->slots[p->head % p->n_slots].block;
                size_t room = p->type->block_bytes - block->in_len, some = n < room ? n : room;

                if (room == 0) {
                        int r = submit(p, false, err);

                        if (r < 0)
                                return r;
                        continue;
                }
                memcpy(block->in + block->in_len, from, some);
                block->in_len += some;
                from += some;
                n -= some;
        }
        return 0;
}

int parallel_finish(struct parallel *p, struct error *err)
{
        int r = submit(p, true, err);

        while (r == 0 && p->tail < p->head)
                r = emit_one(p, err);
        return r;
}

struct parallel *parallel_free(struct parallel *p)
{
        if (!p)
                return NULL;
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        pthread_cond_broadcast(&p->ready);
        pthread_mutex_unlock(&p->lock);
        for (size_t i = 0; i < p->n_workers; i++) {
                if (p->workers[i].started)
                        pthread_join(p->workers[i].thread, NULL);
                if (p->workers[i].state)
                        p->type->worker_free(p->workers[i].state);
        }
        for (size_t i = 0; i < p->n_slots; i++) {
                free(p->slots[i].block.in);
                free(p->slots[i].block.before);
                free(p->slots[i].block.out);
                error_clear(&p->slots[i].err);
        }
        pthread_cond_destroy(&p->ready);
        pthread_cond_destroy(&p->done);
        pthread_mutex_destroy(&p->lock);
        free(p->workers);
        free(p->slots);
        free(p);
        return NULL;
}
