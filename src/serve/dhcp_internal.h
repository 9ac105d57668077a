/* What the files of the DHCP server share: see dhcp.h. */
#pragma once

#include <pthread.h>

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
        WRITE_AGAIN_MS = 1000, /* after the disk refused */
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
        struct dhcp_received received;
        struct dhcp_message message;
        struct dhcp_result result;
        bool parsed;
        bool deferred; /* the answer waits for the disk */
};

struct dhcp_server {
        const struct event_sink *events;
        int udp, binl, packet, arp, icmp, watch; /* -1: not open */
        int wake[2];                             /* a pipe: written to, the thread looks up */
        pthread_t thread;
        bool started;
        int64_t wall_ms, boot_ms; /* the same moment by both clocks: see dhcp_now_ms() */

        /* The thread's own. */
        struct lease_store *store;
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
        struct dhcp_engine *engine;
        const struct site *site;
        struct dhcp_counters counters;
        struct dhcp_known_peer *peers;
        struct dhcp_other others[OTHERS_MAX];
        uint32_t release; /* an address to be released by the thread; 0: none */
        int release_result;
};

/* Milliseconds since 1970 when the server was opened, and steadily from there, whatever is done to the clock. */
int64_t dhcp_now_ms(const struct dhcp_server *server);
/* An event with no client. */
void dhcp_tell(const struct dhcp_server *server, enum event_kind kind, uint32_t address, const char *text);

/* ---- dhcp_batch.c ---- */

/* Send on one of the sockets, and tell if the kernel refuses. */
void dhcp_send(struct dhcp_server *server, int fd, bool packet, const struct dhcp_outgoing *out, size_t n);
/* Answer these messages: engine, disk, network. */
void dhcp_batch_run(struct dhcp_server *server, const struct dhcp_incoming *messages, size_t n);
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
