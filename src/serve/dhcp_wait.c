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

static void copy_lease(struct dhcp_write *write, const struct lease *lease)
{
        write->lease = *lease;
        memcpy(write->id, lease->id_len ? lease->id : (const uint8_t *)"", lease->id_len);
        if (lease->host_name)
                snprintf(write->host_name, sizeof(write->host_name), "%s", lease->host_name);
}

/* With room for n leases, and bytes. */
static struct dhcp_waiting *waiting_new(size_t n, size_t size)
{
        struct dhcp_waiting *waiting = xmalloc(sizeof(*waiting) + n * sizeof(waiting->writes[0]) + size);

        *waiting = (struct dhcp_waiting){0};
        return waiting;
}

void dhcp_wait_add(struct dhcp_server *server, const struct dhcp_job *job)
{
        size_t in_size = offsetof(struct dhcp_incoming, bytes) + job->in->size,
               result_size = offsetof(struct dhcp_result, bytes) + job->result.len;
        struct dhcp_waiting *waiting = waiting_new(job->result.n_writes, in_size + result_size);

        for (size_t i = 0; i < job->result.n_writes; i++) {
                const struct lease *lease = dhcp_engine_lease(server->engine, job->result.writes[i]);

                if (lease)
                        copy_lease(&waiting->writes[waiting->n_writes++], lease);
        }
        waiting->time_us = job->time_us;
        waiting->in_size = in_size;
        waiting->result_size = result_size;
        memcpy(dhcp_waiting_bytes(waiting), job->in, in_size);
        memcpy(dhcp_waiting_bytes(waiting) + in_size, &job->result, result_size);
        dhcp_disk_add(server, waiting);
}

/* The i-th job is that message's again, as it was. */
static void recall(struct dhcp_server *server, size_t i, struct dhcp_waiting *waiting)
{
        struct dhcp_job *job = &server->jobs[i];

        memcpy(&server->batch[i], dhcp_waiting_bytes(waiting), waiting->in_size);
        dhcp_job_prepare(job, &server->batch[i]);
        memcpy(&job->result, dhcp_waiting_bytes(waiting) + waiting->in_size, waiting->result_size);
        job->time_us = waiting->time_us;
}

/* Nothing could be written: who has a lease is served. */
static void handle_again(struct dhcp_server *server, size_t n)
{
        pthread_mutex_lock(&server->lock);
        dhcp_engine_read_only(server->engine, true);
        for (size_t i = 0; i < n; i++)
                dhcp_job_handle(server, &server->jobs[i]);
        pthread_mutex_unlock(&server->lock);
}

/* ---- the end of a lease by command ---- */

/* Returns -ENOENT, or 0: it goes to the disk. Under the lock. */
static int release(struct dhcp_server *server, uint32_t address)
{
        const struct lease *lease = dhcp_engine_lease(server->engine, address);
        struct dhcp_waiting *waiting;
        struct lease freed;

        if (!lease || lease->state == LEASE_FREE)
                return -ENOENT;
        freed = *lease;
        freed.state = LEASE_FREE;
        freed.end_sec = dhcp_now_ms(server) / 1000;
        waiting = waiting_new(1, 0);
        copy_lease(&waiting->writes[waiting->n_writes++], &freed);
        dhcp_disk_add(server, waiting);
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
static void restore(struct dhcp_server *server, const struct dhcp_waiting *waiting)
{
        for (size_t i = 0; i < waiting->n_writes; i++) {
                uint32_t address = waiting->writes[i].lease.address;

                if (lease_store_get(server->disk.store, address, restore_one, server->engine, NULL) == 0)
                        dhcp_engine_restore(server->engine, address, NULL);
        }
}

/* Those that were not written, and those that waited behind them, since they stand on what is not there. */
static void restore_all(struct dhcp_server *server)
{
        pthread_mutex_lock(&server->lock);
        for (size_t i = 0; i < server->disk.n_writing; i++)
                restore(server, server->disk.writing[i]);
        for (const struct dhcp_waiting *waiting = server->disk.first; waiting; waiting = waiting->next)
                restore(server, waiting);
        pthread_mutex_unlock(&server->lock);
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

/* Answer those in disk->writing. */
static void finish(struct dhcp_server *server, bool written)
{
        struct dhcp_disk *disk = &server->disk;
        size_t n = 0;

        for (size_t i = 0; i < disk->n_writing; i++) {
                if (disk->writing[i]->in_size > 0) {
                        recall(server, n++, disk->writing[i]);
                } else {
                        pthread_mutex_lock(&server->lock);
                        tell_released(server, written ? 0 : -EIO);
                        pthread_mutex_unlock(&server->lock);
                }
                free(disk->writing[i]);
        }
        disk->n_writing = 0;
        if (!written)
                handle_again(server, n);
        dhcp_jobs_finish(server, n);
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
        pthread_mutex_unlock(&server->lock);
        if (!written)
                restore_all(server);
        tell_write_state(server, written, &err);
        finish(server, written);
        while (!written && dhcp_disk_take(&server->disk))
                finish(server, false);
        dhcp_disk_begin(server);
}
