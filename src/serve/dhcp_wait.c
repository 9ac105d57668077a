/* Messages whose answers wait for the disk, and what becomes of them: an ACK
 * that leaves when its lease is written, or, where nothing could be, the
 * message once more through an engine that is told so. See dhcp.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/dhcp_internal.h"

/* ---- keeping ---- */

void dhcp_wait_add(struct dhcp_server *server, const struct dhcp_job *job)
{
        size_t in_size = offsetof(struct dhcp_incoming, bytes) + job->in->size,
               result_size = offsetof(struct dhcp_result, bytes) + job->result.len;
        struct dhcp_waiting *waiting = xmalloc(sizeof(*waiting) + in_size + result_size);

        *waiting = (struct dhcp_waiting){job->time_us, in_size, result_size};
        memcpy(waiting->bytes, job->in, in_size);
        memcpy(waiting->bytes + in_size, &job->result, result_size);
        vec_push(&dhcp_disk_next(server)->messages, waiting);
}

/* The i-th job is that message's again, as it was. */
static void recall(struct dhcp_server *server, size_t i, const struct dhcp_waiting *waiting)
{
        struct dhcp_job *job = &server->jobs[i];

        memcpy(&server->batch[i], waiting->bytes, waiting->in_size);
        dhcp_job_prepare(job, &server->batch[i]);
        memcpy(&job->result, waiting->bytes + waiting->in_size, waiting->result_size);
        job->time_us = waiting->time_us;
}

/* Of a batch of which nothing could be written: who has a lease is served. */
static void handle_again(struct dhcp_server *server, size_t n)
{
        pthread_mutex_lock(&server->lock);
        dhcp_engine_read_only(server->engine, true);
        for (size_t i = 0; i < n; i++)
                dhcp_job_handle(server, &server->jobs[i]);
        pthread_mutex_unlock(&server->lock);
}

static void answer(struct dhcp_server *server, const struct dhcp_writes *writes, bool written)
{
        for (size_t done = 0; done < writes->messages.n;) {
                size_t n = writes->messages.n - done < DHCP_BATCH ? writes->messages.n - done : DHCP_BATCH;

                for (size_t i = 0; i < n; i++)
                        recall(server, i, writes->messages.v[done + i]);
                if (!written)
                        handle_again(server, n);
                dhcp_jobs_finish(server, n);
                done += n;
        }
}

/* ---- the end of a lease by command ---- */

/* Returns -ENOENT, or 0: it goes to the disk. Under the lock. */
static int release(struct dhcp_server *server, uint32_t address)
{
        const struct lease *lease = dhcp_engine_lease(server->engine, address);
        struct lease freed;

        if (!lease || lease->state == LEASE_FREE)
                return -ENOENT;
        freed = *lease;
        freed.state = LEASE_FREE;
        freed.end_sec = dhcp_now_ms(server) / 1000;
        dhcp_disk_put(server, &freed);
        dhcp_disk_next(server)->released = address;
        dhcp_engine_restore(server->engine, address, &freed);
        return 0;
}

/* Under the lock. */
static void tell_released(struct dhcp_server *server, int result)
{
        server->release_result = result;
        server->release = 0;
        server->releasing = false;
        pthread_cond_broadcast(&server->done);
}

void dhcp_release_run(struct dhcp_server *server)
{
        pthread_mutex_lock(&server->lock);
        if (server->release && !server->releasing) {
                int r = release(server, server->release);

                if (r < 0)
                        tell_released(server, r);
                else
                        server->releasing = true;
        }
        pthread_mutex_unlock(&server->lock);
        dhcp_disk_begin(server);
}

/* ---- news from the disk ---- */

static int restore_one(void *arg, const struct lease *lease)
{
        dhcp_engine_restore(arg, lease->address, lease);
        return 0;
}

/* What is on disk is the truth. The store is ours, since nothing is being written. */
static void restore(struct dhcp_server *server, const struct dhcp_writes *writes)
{
        for (size_t i = 0; i < writes->leases.n; i++) {
                uint32_t address = writes->leases.v[i].lease.address;

                if (lease_store_get(server->disk.store, address, restore_one, server->engine, NULL) == 0)
                        dhcp_engine_restore(server->engine, address, NULL);
        }
}

static void tell_write_state(struct dhcp_server *server, bool written, const struct error *err)
{
        char text[256];

        if (!written && !server->write_again_ms) {
                snprintf(text, sizeof(text), "no leases are given until they can be written: %s", error_message(err));
                dhcp_tell(server, EVENT_LOG, 0, text);
        } else if (written && server->write_again_ms) {
                dhcp_tell(server, EVENT_LOG, 0, "leases can be written again");
        }
        server->write_again_ms = written ? 0 : dhcp_now_ms(server) + WRITE_AGAIN_MS;
}

static void finish(struct dhcp_server *server, struct dhcp_writes *writes, bool written)
{
        answer(server, writes, written);
        pthread_mutex_lock(&server->lock);
        if (writes->released)
                tell_released(server, written ? 0 : -EIO);
        pthread_mutex_unlock(&server->lock);
        dhcp_writes_clear(writes);
}

void dhcp_wait_run(struct dhcp_server *server)
{
        CLEANUP_ERROR struct error err = {0};
        int r = dhcp_disk_end(server, &err);
        bool written = r > 0;

        if (r == 0)
                return;
        pthread_mutex_lock(&server->lock);
        server->counters.commits++;
        server->counters.write_errors += !written;
        if (!written) { /* and what was gathered meanwhile stands on what was not written */
                restore(server, dhcp_disk_last(server));
                restore(server, dhcp_disk_next(server));
        }
        pthread_mutex_unlock(&server->lock);
        tell_write_state(server, written, &err);
        finish(server, dhcp_disk_last(server), written);
        if (!written)
                finish(server, dhcp_disk_next(server), false);
        dhcp_disk_begin(server);
}
