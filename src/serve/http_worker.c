/* A thread of the HTTP server: waits for connections, for room and bytes in
 * their sockets, and for time. All threads accept, each for whoever has least to do. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/http_internal.h"

enum {
        ACCEPTED_AT_ONCE = 16,
        WITHOUT_FDS_MS = 100,
};

/* ---- the list, by deadline: all have the same time, so that it is the order of their last sign of life ---- */

static void link_last(struct http_connection *c)
{
        struct http_worker *w = c->worker;

        c->deadline_ms = w->now_ms + (int64_t)w->server->options.idle_sec * 1000;
        c->before = w->last;
        c->after = NULL;
        *(w->last ? &w->last->after : &w->first) = c;
        w->last = c;
}

static void unlink_from(struct http_connection *c)
{
        struct http_worker *w = c->worker;

        *(c->before ? &c->before->after : &w->first) = c->after;
        *(c->after ? &c->after->before : &w->last) = c->before;
}

void http_worker_touch(struct http_connection *c)
{
        unlink_from(c);
        link_last(c);
}

/* ---- limits ---- */

static _Atomic unsigned int *peers_of(struct http_server *server, uint32_t address)
{
        uint64_t mixed = (uint64_t)(address ^ server->seed) * 0x9e3779b97f4a7c15ULL;

        return &server->peers[mixed >> 32 & (HTTP_ADDRESSES - 1)];
}

static void uncount(struct http_server *server, uint32_t address)
{
        atomic_fetch_sub(peers_of(server, address), 1);
        atomic_fetch_sub(&server->count.connections, 1);
}

/* False: there are too many, of this address or in all. */
static bool count(struct http_server *server, uint32_t address)
{
        const unsigned int most = server->options.max_connections;
        uint64_t all = atomic_fetch_add(&server->count.connections, 1);
        unsigned int of_one = atomic_fetch_add(peers_of(server, address), 1);

        if (all < most && of_one < most - most / 4)
                return true;
        uncount(server, address);
        return false;
}

void http_worker_forget(struct http_connection *c)
{
        unlink_from(c);
        uncount(c->worker->server, c->peer);
        atomic_fetch_sub(&c->worker->load, 1);
}

/* ---- new connections ---- */

static void adopt(struct http_worker *w, struct http_connection *c)
{
        struct epoll_event event = {.events = c->watched = EPOLLIN, .data.ptr = c};

        link_last(c);
        if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                http_connection_end(c, "");
}

static void adopt_arrivals(struct http_worker *w)
{
        eventfd_t n;

        eventfd_read(w->wake, &n);
        pthread_mutex_lock(&w->mutex);
        for (size_t i = 0; i < w->arrivals.n; i++)
                adopt(w, w->arrivals.v[i]);
        w->arrivals.n = 0;
        pthread_mutex_unlock(&w->mutex);
}

static void give(struct http_worker *from, struct http_connection *c)
{
        struct http_server *server = from->server;
        struct http_worker *to = from;

        for (unsigned int i = 0; i < server->n_workers; i++)
                if (atomic_load(&server->workers[i].load) < atomic_load(&to->load))
                        to = &server->workers[i];
        c->worker = to;
        atomic_fetch_add(&to->load, 1);
        if (to == from) {
                adopt(to, c);
                return;
        }
        pthread_mutex_lock(&to->mutex);
        vec_push(&to->arrivals, c);
        pthread_mutex_unlock(&to->mutex);
        eventfd_write(to->wake, 1);
}

static struct http_connection *connection_new(struct http_server *server, int fd, uint32_t peer)
{
        struct http_connection *c = xcalloc(1, sizeof(*c));
        struct sockaddr_in address = {0};
        socklen_t n = sizeof(address);

        c->fd = fd;
        c->idle = true;
        c->peer = peer;
        if (getsockname(fd, (struct sockaddr *)&address, &n) == 0)
                c->server = ntohl(address.sin_addr.s_addr);
        http_input_begin(&c->in);
        if (!server->tls)
                return c;
        c->ssl = SSL_new(server->tls);
        if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1) {
                SSL_free(c->ssl);
                free(c);
                return NULL;
        }
        SSL_set_accept_state(c->ssl);
        return c;
}

static void watch_listener(struct http_worker *w, int operation)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = w->server};

        epoll_ctl(w->epoll, operation, w->server->listener, &event);
}

/* Without fds the listener would be ready all the time. */
static void rest(struct http_worker *w)
{
        watch_listener(w, EPOLL_CTL_DEL);
        w->listen_again_ms = w->now_ms + WITHOUT_FDS_MS;
}

static void accept_some(struct http_worker *w)
{
        for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
                struct sockaddr_in peer = {0};
                socklen_t n = sizeof(peer);
                struct http_connection *c = NULL;
                int fd = accept4(w->server->listener, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
                uint32_t address = ntohl(peer.sin_addr.s_addr);

                if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
                        rest(w);
                if (fd < 0)
                        return;
                if (count(w->server, address) && !(c = connection_new(w->server, fd, address)))
                        uncount(w->server, address);
                if (c)
                        give(w, c);
                else
                        close(fd);
        }
}

/* ---- the loop ---- */

static void expire(struct http_worker *w)
{
        while (w->first && w->first->deadline_ms <= w->now_ms)
                http_connection_expire(w->first);
        if (w->listen_again_ms != 0 && w->listen_again_ms <= w->now_ms) {
                w->listen_again_ms = 0;
                watch_listener(w, EPOLL_CTL_ADD);
        }
}

static int wait_ms(const struct http_worker *w)
{
        int64_t due = w->first ? w->first->deadline_ms : INT64_MAX, left;

        if (w->listen_again_ms != 0 && w->listen_again_ms < due)
                due = w->listen_again_ms;
        if (due == INT64_MAX)
                return -1;
        left = due - monotonic_ms();
        return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void run_once(struct http_worker *w)
{
        struct epoll_event events[HTTP_EVENTS];
        int n = epoll_wait(w->epoll, events, HTTP_EVENTS, wait_ms(w));

        w->now_ms = monotonic_ms();
        for (int i = 0; i < n; i++) {
                if (events[i].data.ptr == w)
                        adopt_arrivals(w);
                else if (events[i].data.ptr == w->server)
                        accept_some(w);
                else
                        http_connection_ready(events[i].data.ptr);
        }
        expire(w);
}

void *http_worker_run(void *worker)
{
        struct http_worker *w = worker;
        struct epoll_event wake = {.events = EPOLLIN, .data.ptr = w};
        sigset_t pipe;

        sigemptyset(&pipe); /* sendfile() and OpenSSL cannot be told not to send it */
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, NULL);
        w->now_ms = monotonic_ms();
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake, &wake);
        watch_listener(w, EPOLL_CTL_ADD);
        while (!atomic_load(&w->server->stopping))
                run_once(w);
        while (w->first)
                http_connection_end(w->first, "the server is stopping");
        return NULL;
}

int http_worker_open(struct http_server *server, struct http_worker *w, struct error *err)
{
        w->server = server;
        pthread_mutex_init(&w->mutex, NULL);
        w->buffer = xmalloc(HTTP_BUFFER);
        w->epoll = epoll_create1(EPOLL_CLOEXEC);
        w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return w->epoll < 0 || w->wake < 0 ? error_errno(err, errno, "set up a thread for HTTP") : 0;
}

/* All threads have ended: nobody else gives it connections. */
void http_worker_free(struct http_worker *w)
{
        adopt_arrivals(w);
        while (w->first)
                http_connection_end(w->first, "the server is stopping");
        close_p(&w->epoll);
        close_p(&w->wake);
        vec_free(&w->arrivals);
        free(w->buffer);
        pthread_mutex_destroy(&w->mutex);
}
