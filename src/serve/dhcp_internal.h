/* What the files of the DHCP server share: see dhcp.h. */
#pragma once

#include <pthread.h>

#include "base/vec.h"
#include "serve/dhcp.h"
#include "serve/dhcp_socket.h"
#include "serve/engine.h"

enum {
        DELAYED_MAX = 64, /* at once; beyond, answers leave early */
        PROBES_MAX = 64,  /* at once; beyond, addresses are offered unasked */
        PROBE_MS = 500,   /* somebody who is there answers within */
        PROBE_TRIES = 4,  /* addresses for one message */
        PEERS = 4096,     /* a power of two */
        OTHERS_MAX = 16,  /* other servers that were seen */
        OTHERS_AGAIN_MS = 60000,
        UNSENT_AGAIN_MS = 60000,
        WRITE_AGAIN_MS = 1000,    /* after the disk refused */
        WAITING_MAX = 8192,       /* messages that wait for the disk; beyond, others wait in the socket */
        WRITING_MAX = DHCP_BATCH, /* of them, written by one commit: answers that leave at once fit a relay's socket */
};

/* An address that is being asked for, and the message that waits for it. */
struct dhcp_probe {
        uint32_t address; /* 0: free */
        int64_t until_ms;
        bool in_use;
        struct dhcp_incoming message;
};

/* An answer that waits. */
struct dhcp_delayed {
        int64_t until_ms;
        int fd;
        bool packet;
        struct dhcp_outgoing out; /* of size 0: free */
        uint8_t bytes[DHCP_SIZE_MAX];
};

struct dhcp_other {
        uint32_t server;
        int64_t until_ms; /* not told again before */
};

/* What a boot program at an address said. */
struct dhcp_known_peer {
        uint32_t address;
        struct client client;
};

/* One message of a batch, and its answer. */
struct dhcp_job {
        const struct dhcp_incoming *in;
        int64_t time_us; /* that it was read at, by the wall clock */
        struct dhcp_received received;
        struct dhcp_message message;
        struct dhcp_result result;
        bool parsed;
        bool deferred; /* the answer waits for the disk */
};

/* A lease to be written, as it was after its message. */
struct dhcp_write {
        struct lease lease; /* host_name: not NULL if there is one */
        uint8_t id[UINT8_MAX];
        char host_name[CLIENT_TEXT];
};

/* What is kept of a job while its answer waits for the disk: its leases, and behind them `in` and `result`, as much as
 * is used of them. */
struct dhcp_waiting {
        struct dhcp_waiting *next;
        int64_t time_us;
        size_t in_size, result_size; /* 0: it is no message, but dhcp_server_release() that waits */
        size_t n_writes;
        struct dhcp_write writes[];
};
static inline uint8_t *dhcp_waiting_bytes(struct dhcp_waiting *waiting)
{
        return (uint8_t *)&waiting->writes[waiting->n_writes];
}

struct dhcp_disk {
        struct lease_store *store;
        pthread_t thread;
        bool started;
        struct dhcp_waiting *first, **last; /* that are not yet under way */
        size_t n;
        struct dhcp_waiting *writing[WRITING_MAX];
        size_t n_writing;

        /* Under the mutex. */
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool stop;
        enum dhcp_disk_state { DHCP_DISK_IDLE, DHCP_DISK_WRITING, DHCP_DISK_WRITTEN } state;
        int result;
        struct error err;
};

struct dhcp_server {
        const struct event_sink *events;
        int udp, binl, packet, arp, icmp, watch; /* -1: not open */
        int wake[2];                             /* a pipe: written to, the thread looks up */
        pthread_t thread;
        bool started;
        int64_t wall_ms, boot_ms; /* the same moment by both clocks: see dhcp_now_ms() */

        /* The thread's own. */
        struct dhcp_disk disk;
        struct dhcp_interfaces interfaces;
        struct dhcp_incoming *batch;
        struct dhcp_job *jobs;
        struct dhcp_outgoing *out;
        struct dhcp_probe *probes;
        struct dhcp_delayed *delayed;
        int64_t unsent_again_ms; /* not told again before */
        int64_t write_again_ms;  /* nothing is written before; 0: all is well */

        /* Under the lock. */
        pthread_mutex_t lock;
        pthread_cond_t done;
        bool stop;
        bool serves; /* the thread does */
        struct dhcp_engine *engine;
        const struct site *site;
        struct dhcp_counters counters;
        struct dhcp_known_peer *peers;
        struct dhcp_other others[OTHERS_MAX];
        pthread_mutex_t release_lock; /* of those who want a release: one at a time */
        uint32_t release;             /* an address to be released by the thread; 0: none */
        bool releasing;               /* it waits for the disk */
        int release_result;
};

/* Milliseconds since 1970 when the server was opened, and steadily from there, whatever is done to the clock. */
int64_t dhcp_now_ms(const struct dhcp_server *server);
/* An event with no client. */
void dhcp_tell(const struct dhcp_server *server, enum event_kind kind, uint32_t address, const char *text);

/* The thread looks up; from any thread. */
void dhcp_wake(struct dhcp_server *server);

/* ---- dhcp_disk.c ---- */

/* It waits its turn; owned from here on. */
void dhcp_disk_add(struct dhcp_server *server, struct dhcp_waiting *waiting);
/* Put the first of those that wait into disk->writing, as many as there is room for, and write their leases; unless the
 * disk is busy. */
void dhcp_disk_begin(struct dhcp_server *server);
/* How that went, said once: 1, all is on disk; a negative errno, nothing of it is; 0, there is no news. With news
 * disk->writing is the caller's, who empties it. */
int dhcp_disk_end(struct dhcp_server *server, struct error *err);
/* All that wait for their turn are moved to disk->writing, as far as there is room. False: none does. */
bool dhcp_disk_take(struct dhcp_disk *disk);
/* Until the disk is no longer busy; whether there is news. */
bool dhcp_disk_wait(struct dhcp_server *server);
void dhcp_disk_init(struct dhcp_disk *disk);
int dhcp_disk_start(struct dhcp_server *server, struct error *err);
/* Ends the thread, and frees the store. */
void dhcp_disk_clear(struct dhcp_disk *disk);

/* ---- dhcp_batch.c ---- */

/* A job for the message: read, not yet answered. */
void dhcp_job_prepare(struct dhcp_job *job, const struct dhcp_incoming *in);
/* What the engine says to it. Under the lock. */
void dhcp_job_handle(struct dhcp_server *server, struct dhcp_job *job);
/* The first n jobs' answers leave, but those that wait for the disk, and events tell of them. */
void dhcp_jobs_finish(struct dhcp_server *server, size_t n);
/* Send on one of the sockets, and tell if the kernel refuses. */
void dhcp_send(struct dhcp_server *server, int fd, bool packet, const struct dhcp_outgoing *out, size_t n);
/* Answer these messages; those whose leases are to be written first wait for the disk. */
void dhcp_batch_run(struct dhcp_server *server, const struct dhcp_incoming *messages, size_t n);

/* ---- dhcp_wait.c ---- */

/* The job's answer waits for its leases, which are those of now. Under the lock. */
void dhcp_wait_add(struct dhcp_server *server, const struct dhcp_job *job);
/* If the disk has news, answer those who wait for it. */
void dhcp_wait_run(struct dhcp_server *server);
/* A lease that dhcp_server_release() is to end. */
void dhcp_release_run(struct dhcp_server *server);

/* ---- dhcp_probe.c ---- */

/* Ask for the address that the job's result names; the message waits. False:
 * that cannot be done, and the address counts as free. Under the lock. */
bool dhcp_probe_start(struct dhcp_server *server, const struct dhcp_job *job);
/* Read answers; messages whose probe is over are answered. */
void dhcp_probe_run(struct dhcp_server *server);
/* When that is due; INT64_MAX: nothing is. */
int64_t dhcp_probe_next_ms(const struct dhcp_server *server);

/* ---- dhcp_delay.c ---- */

/* False: too many wait. */
bool dhcp_delay_add(struct dhcp_server *server, int fd, bool packet, const struct dhcp_outgoing *out,
                    unsigned int delay_ms);
/* Send those whose time has come. */
void dhcp_delay_run(struct dhcp_server *server);
/* When that is due; INT64_MAX: nothing is. */
int64_t dhcp_delay_next_ms(const struct dhcp_server *server);

/* ---- dhcp_peer.c ---- */

/* Remember what a boot program said that has, or gets, an address; under the lock. */
void dhcp_peer_note(struct dhcp_server *server, const struct dhcp_job *job);
/* What other servers send to clients here. */
void dhcp_watch_run(struct dhcp_server *server);
