/* What the files of the HTTP server share. Nothing outside http*.c includes this. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/str.h"
#include "base/vec.h"
#include "serve/http.h"
#include "serve/http_input.h"
#include "serve/http_reply.h"

enum {
        HTTP_THREADS_MAX = 16,
        HTTP_ADDRESSES = 4096,        /* places in the table of connections of an address */
        HTTP_RECEIVE = 16 << 10,      /* read of a socket at once; all of a TLS record has room */
        HTTP_BUFFER = 128 << 10,      /* copied of a file at once */
        HTTP_QUANTUM = 512 << 10,     /* sent to one client before it is the next one's turn: what is copied, */
        HTTP_PAGES_QUANTUM = 1 << 20, /* and what the kernel sends; */
        HTTP_ALONE = 4 << 20,         /* or where there is no next one: all that a socket takes */
        HTTP_TLS_RECORD = 16384,      /* bytes that one call encrypts */
        HTTP_EVENTS = 128,
};

struct http_worker;

struct http_connection {
        struct http_worker *worker;
        struct http_connection *before, *after; /* in worker->first..last */
        int64_t deadline_ms;
        int fd;
        SSL *ssl;              /* NULL: plain */
        uint32_t watched;      /* EPOLLIN or EPOLLOUT: what epoll tells of */
        uint32_t waits_for;    /* the same: what the last call had to wait for */
        uint32_t peer, server; /* addresses, host order */
        enum {
                HTTP_READING,  /* a request */
                HTTP_SENDING,  /* the answer */
                HTTP_DRAINING, /* the last answer is out; what still comes is dropped, or it would cut the answer off
                                * (RFC 9112 9.6) */
        } state;
        struct http_input in;
        struct str ahead; /* what came behind the request at hand */
        struct http_reply reply;
        int queued;  /* bytes that the client had not acknowledged when its time was last over */
        bool corked; /* only full segments leave */
        bool idle;   /* nothing of the next request has come */
        bool begun;  /* the request has a head, and an event told of it */
        int64_t start_us;
        char *why; /* it is refused, for the operator */
};

struct http_worker {
        struct http_server *server;
        pthread_t thread;
        bool started;
        int epoll, wake;                      /* wake: an eventfd */
        int64_t now_ms, listen_again_ms;      /* not 0: no fds were left */
        struct http_connection *first, *last; /* by deadline */
        _Atomic unsigned int load;            /* connections */
        pthread_mutex_t mutex;                /* of arrivals */
        VEC(struct http_connection *) arrivals;
        char *buffer; /* HTTP_BUFFER: what is received or copied, within one step */
};

struct http_server {
        struct http_options options;
        struct files files;
        bool has_files;
        const struct event_sink *events;
        SSL_CTX *tls; /* NULL: plain HTTP */
        int listener;
        uint16_t port;
        _Atomic bool stopping;
        unsigned int n_workers;
        struct http_worker workers[HTTP_THREADS_MAX];
        uint32_t seed;                              /* which addresses share a place is not to be guessed */
        _Atomic unsigned int peers[HTTP_ADDRESSES]; /* connections */
        struct {
                _Atomic uint64_t requests, errors, bytes, connections;
        } count;
};

/* ---- http_tls.c: the bytes of a connection, encrypted or not ---- */
int http_tls_open(const char *certificate, const char *key, SSL_CTX **ret, struct error *err);
/* As recv() and send(), but a negative errno; 0: the client has ended. With -EAGAIN waits_for is what to wait for.
 * More: what comes next is sent at once, and may share a segment with this. */
ssize_t http_receive(struct http_connection *c, void *buf, size_t n);
ssize_t http_transmit(struct http_connection *c, const void *buf, size_t n, bool more);
/* No more is sent; the client is told. */
void http_shut(struct http_connection *c);

/* ---- http_send.c ---- */
/* Send of the reply what the socket takes, at most a quantum. 1: all of it has left; 0: wait for waits_for; a negative
 * errno, -ENODATA: the file no longer has all its bytes. */
int http_send(struct http_connection *c);

/* ---- http_answer.c ---- */
/* Make c->reply for the request that c->in is. */
void http_answer(struct http_connection *c);

/* ---- http_connection.c ---- */
/* Do what has become possible. It may be closed and freed by that. */
void http_connection_ready(struct http_connection *c);
/* Its time is over: close and free it, unless it still takes what was sent. */
void http_connection_expire(struct http_connection *c);
/* Close and free it; a request under way ends with this reason. */
void http_connection_end(struct http_connection *c, const char *why);

/* ---- http_worker.c ---- */
void *http_worker_run(void *worker);
int http_worker_open(struct http_server *server, struct http_worker *w, struct error *err);
void http_worker_free(struct http_worker *w);
/* The time that it may now take until the next sign of life begins anew. */
void http_worker_touch(struct http_connection *c);
/* It is no longer the worker's, and no longer counted. */
void http_worker_forget(struct http_connection *c);
