/* What the files of the TFTP server share. Nothing outside tftp*.c includes this. */
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/vec.h"
#include "serve/address_limit.h"
#include "serve/tftp.h"
#include "serve/tftp_transfer.h"

enum {
        TFTP_BATCH_BYTES = 512 * 1024, /* read and sent at once; two threads' take 1 MiB */
        TFTP_BATCH_BLOCKS = 128,
        TFTP_PACKETS_BYTES = 32 * 1024, /* read at once for windows of one block, */
        TFTP_PACKETS_MAX = 64,          /* but no more blocks */
        TFTP_PACKETS_HASH = 256,
        TFTP_RECEIVE = 32, /* packets received at once */
        TFTP_RECEIVE_BYTES = 1536,
        TFTP_EVENTS = 128,
        TFTP_HASH = 1024, /* chains of sessions, and of clients */
};

/* A client at an address and port, and the address of ours that it asked. */
struct tftp_peer {
        struct sockaddr_in address;
        struct in_addr server;
};

/* A socket that a worker waits for, and the transfer that it serves, if any. */
struct tftp_socket {
        int fd;
        struct tftp_session *session;
};

/* A transfer with its peer, file and sockets: two of them at a port of its own. One is connected to the peer, so that
 * the kernel looks for its route once and not for each block; the other hears whoever else sends to that port. */
struct tftp_session {
        struct tftp_transfer transfer;
        struct tftp_peer peer;
        struct tftp_socket connected, others;
        bool shared;                  /* single-port mode: neither; the worker's listener serves */
        bool gso;                     /* its windows may be segmented by the kernel */
        bool due;                     /* in worker->due */
        bool full;                    /* the socket took no more: the rest of the window goes when it does */
        struct file *file;            /* NULL: it has ended */
        struct tftp_packets *packets; /* those about the next block, or NULL */
        char *path;
        int64_t start_us;
        uint64_t bytes;
        size_t index;              /* in worker->sessions */
        struct tftp_session *next; /* in its chain */
};

struct tftp_worker {
        struct tftp_server *server;
        pthread_t thread;
        bool started;
        struct tftp_socket listener, stop, handed;
        int epoll, mtu_fd;
        unsigned int n_clients;          /* that it serves, or is about to; by the server's lock, as is: */
        VEC(struct tftp_handed *) inbox; /* requests that other threads received */
        VEC(struct tftp_session *) sessions;
        VEC(struct tftp_session *) due;   /* whose window is to be sent when the events at hand are done with, */
        VEC(struct tftp_session *) ended; /* and which are freed then */
        struct tftp_session *chains[TFTP_HASH];
        struct tftp_packets *packets[TFTP_PACKETS_HASH]; /* chains */
        struct address_limit limit;
        int64_t now_ms, due_ms; /* due: no session's deadline is before it */
        int vain;               /* waits that looking did not shorten, in a row; below 0: that are not looked at */
        uint8_t *batch;         /* TFTP_BATCH_BYTES */
        uint8_t *received;      /* TFTP_RECEIVE packets */
        struct {
                _Atomic uint64_t requests, refused, limited, completed, probes, failed, bytes, resent;
        } count;
};

struct tftp_server {
        struct tftp_options options;
        struct files files;
        const struct event_sink *events;
        uint16_t port;
        int stop; /* eventfd */
        _Atomic uint64_t active;
        pthread_mutex_t lock;                   /* of tftp_spread.c: who serves whom */
        struct tftp_client *clients[TFTP_HASH]; /* chains */
        unsigned int n_workers;
        struct tftp_worker workers[TFTP_THREADS_MAX];
};

static inline void tftp_count(_Atomic uint64_t *counter, uint64_t n)
{
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
static inline bool tftp_same_address(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
        return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}
int64_t tftp_now_us(void);                                  /* wall clock, as events have it */
unsigned int tftp_chain(const struct sockaddr_in *address); /* < TFTP_HASH */

/* ---- tftp_worker.c ---- */
void *tftp_worker_run(void *worker);
/* From now on what comes to the socket is seen to. */
void tftp_wait_for(struct tftp_worker *w, struct tftp_socket *socket);
void tftp_worker_free(struct tftp_worker *w);

/* ---- tftp_session.c ---- */
/* A request to read: begins a session, repeats the first packet of one, or is refused. */
void tftp_session_request(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request);
/* Any other packet of its peer's. */
void tftp_session_packet(struct tftp_worker *w, struct tftp_session *s, const struct tftp_packet *packet);
void tftp_session_expire(struct tftp_worker *w, struct tftp_session *s);
void tftp_session_writable(struct tftp_worker *w, struct tftp_session *s);
/* Ended by us: the client gets an ERROR. */
void tftp_session_abort(struct tftp_worker *w, struct tftp_session *s, const char *why);
struct tftp_session *tftp_session_find(const struct tftp_worker *w, const struct sockaddr_in *address);
/* The windows that are due, one after the other: the kernel's way out is a long one, and at hand for the next when it
 * was just gone. */
void tftp_sessions_send(struct tftp_worker *w);
/* Free those that have ended. */
void tftp_sessions_sweep(struct tftp_worker *w);

/* ---- tftp_spread.c ---- */
/* The thread that answers requests of a client's port: the one that has its transfer, else the one with fewest, which
 * is noted. w: who asks. */
struct tftp_worker *tftp_spread_choose(struct tftp_worker *w, const struct sockaddr_in *address);
/* A transfer of that client's port has begun; there is none (any more). */
void tftp_spread_keep(struct tftp_worker *w, const struct sockaddr_in *address);
void tftp_spread_forget(struct tftp_worker *w, const struct sockaddr_in *address);
/* A request, n <= TFTP_RECEIVE_BYTES, for another thread; and those that others have for this one. */
void tftp_spread_hand_on(struct tftp_worker *to, const struct tftp_peer *peer, const void *packet, size_t n);
void tftp_spread_receive(struct tftp_worker *w);
void tftp_spread_free(struct tftp_server *server);

/* ---- tftp_packets.c ---- */
/* The whole DATA packet of a block, ready to be sent; the session's until it asks for another. -EIO: the file is not
 * what it was. */
int tftp_packets_get(struct tftp_worker *w, struct tftp_session *s, uint64_t block, const uint8_t **ret);
/* The session needs none of them now. */
void tftp_packets_release(struct tftp_worker *w, struct tftp_session *s);

/* ---- tftp_send.c ---- */
/* A small packet from the port of fd: the listener's, or a transfer's. */
void tftp_send(struct tftp_worker *w, int fd, const struct tftp_peer *peer, const void *packet, size_t n);
void tftp_send_error(struct tftp_worker *w, int fd, const struct tftp_peer *peer, uint16_t code, const char *text);
int tftp_session_fd(const struct tftp_worker *w, const struct tftp_session *s);
/* [next, limit) of the session's window, as much as the socket takes (else s->full). -EIO: the
 * file is not what it was. */
int tftp_send_window(struct tftp_worker *w, struct tftp_session *s);
