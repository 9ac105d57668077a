/* Leases on their way to the disk. A thread of its own writes those of many
 * messages with one wait for the disk; meanwhile the server's thread goes on
 * answering, and what has to be written for that waits its turn. See dhcp.h.
 *
 * What is under way, and the store, are the writing thread's from
 * DHCP_DISK_WRITING on until DHCP_DISK_WRITTEN; all else is the server's thread's own. */
#include <stdlib.h>

#include "base/alloc.h"
#include "serve/dhcp_internal.h"

/* ---- the writing thread ---- */

static int put_leases(struct lease_store *store, const struct dhcp_waiting *waiting, struct error *err)
{
        int r = 0;

        for (size_t i = 0; i < waiting->n_writes && r == 0; i++) {
                const struct dhcp_write *write = &waiting->writes[i];
                struct lease lease = write->lease;

                lease.id = write->id;
                lease.host_name = lease.host_name ? write->host_name : NULL;
                r = lease_store_put(store, &lease, err);
        }
        return r;
}

static int write_leases(struct dhcp_disk *disk, struct error *err)
{
        CLEANUP_ERROR struct error commit_err = {0};
        int put = 0, r;

        for (size_t i = 0; i < disk->n_writing && put == 0; i++)
                put = put_leases(disk->store, disk->writing[i], err);
        r = lease_store_commit(disk->store, put < 0 ? &commit_err : err); /* after a failed put it only forgets */
        return put < 0 ? put : r;
}

static void *run(void *arg)
{
        struct dhcp_server *server = arg;
        struct dhcp_disk *disk = &server->disk;

        pthread_mutex_lock(&disk->mutex);
        for (;;) {
                CLEANUP_ERROR struct error err = {0};
                int r;

                while (disk->state != DHCP_DISK_WRITING && !disk->stop)
                        pthread_cond_wait(&disk->changed, &disk->mutex);
                if (disk->state != DHCP_DISK_WRITING)
                        break;
                pthread_mutex_unlock(&disk->mutex);
                r = write_leases(disk, &err);
                pthread_mutex_lock(&disk->mutex);
                disk->result = r;
                error_move(&disk->err, &err);
                disk->state = DHCP_DISK_WRITTEN;
                pthread_cond_broadcast(&disk->changed);
                dhcp_wake(server);
        }
        pthread_mutex_unlock(&disk->mutex);
        return NULL;
}

/* ---- the server's thread ---- */

void dhcp_disk_add(struct dhcp_server *server, struct dhcp_waiting *waiting)
{
        struct dhcp_disk *disk = &server->disk;

        waiting->next = NULL;
        *disk->last = waiting;
        disk->last = &waiting->next;
        disk->n++;
}

bool dhcp_disk_take(struct dhcp_disk *disk)
{
        for (disk->n_writing = 0; disk->first && disk->n_writing < WRITING_MAX; disk->n--) {
                disk->writing[disk->n_writing++] = disk->first;
                disk->first = disk->first->next;
        }
        if (!disk->first)
                disk->last = &disk->first;
        return disk->n_writing > 0;
}

static enum dhcp_disk_state state_of(struct dhcp_disk *disk)
{
        enum dhcp_disk_state state;

        pthread_mutex_lock(&disk->mutex);
        state = disk->state;
        pthread_mutex_unlock(&disk->mutex);
        return state;
}

static void set_state(struct dhcp_disk *disk, enum dhcp_disk_state state)
{
        pthread_mutex_lock(&disk->mutex);
        disk->state = state;
        pthread_cond_broadcast(&disk->changed);
        pthread_mutex_unlock(&disk->mutex);
}

void dhcp_disk_begin(struct dhcp_server *server)
{
        struct dhcp_disk *disk = &server->disk;

        if (state_of(disk) == DHCP_DISK_IDLE && dhcp_disk_take(disk))
                set_state(disk, DHCP_DISK_WRITING);
}

int dhcp_disk_end(struct dhcp_server *server, struct error *err)
{
        struct dhcp_disk *disk = &server->disk;

        if (state_of(disk) != DHCP_DISK_WRITTEN)
                return 0;
        error_move(err, &disk->err);
        set_state(disk, DHCP_DISK_IDLE);
        return disk->result < 0 ? disk->result : 1;
}

bool dhcp_disk_wait(struct dhcp_server *server)
{
        struct dhcp_disk *disk = &server->disk;
        bool written;

        pthread_mutex_lock(&disk->mutex);
        while (disk->state == DHCP_DISK_WRITING)
                pthread_cond_wait(&disk->changed, &disk->mutex);
        written = disk->state == DHCP_DISK_WRITTEN;
        pthread_mutex_unlock(&disk->mutex);
        return written;
}

/* ---- life ---- */

void dhcp_disk_init(struct dhcp_disk *disk)
{
        disk->last = &disk->first;
        pthread_mutex_init(&disk->mutex, NULL);
        pthread_cond_init(&disk->changed, NULL);
}

int dhcp_disk_start(struct dhcp_server *server, struct error *err)
{
        int r = pthread_create(&server->disk.thread, NULL, run, server);

        if (r != 0)
                return error_errno(err, r, "DHCP: thread");
        server->disk.started = true;
        return 0;
}

void dhcp_disk_clear(struct dhcp_disk *disk)
{
        pthread_mutex_lock(&disk->mutex);
        disk->stop = true;
        pthread_cond_broadcast(&disk->changed);
        pthread_mutex_unlock(&disk->mutex);
        if (disk->started)
                pthread_join(disk->thread, NULL);
        do
                for (size_t i = 0; i < disk->n_writing; i++)
                        free(disk->writing[i]);
        while (dhcp_disk_take(disk));
        error_clear(&disk->err);
        lease_store_free(disk->store);
        pthread_mutex_destroy(&disk->mutex);
        pthread_cond_destroy(&disk->changed);
}
