/* A connection: a request is read, answered, sent, and then the next. Each
 * step does what can be done without waiting, and says what to wait for. */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/http_internal.h"

enum { GONE = 0 }; /* instead of what to wait for: the connection is closed */

/* ---- events ---- */

static void emit(const struct http_connection *c, enum event_kind kind, const char *text)
{
        struct event event = {.kind = kind,
                              .time_us = event_now_us(),
                              .address = c->peer,
                              .path = c->in.path,
                              .text = text,
                              .status = c->reply.status,
                              .bytes = http_reply_sent(&c->reply)};

        if (kind != EVENT_HTTP_START)
                event.duration_us = event.time_us - c->start_us;
        event_emit(c->worker->server->events, &event);
}

static void exchange_begin(struct http_connection *c)
{
        c->begun = true;
        c->start_us = event_now_us();
        atomic_fetch_add(&c->worker->server->count.requests, 1);
        emit(c, EVENT_HTTP_START, c->in.method);
}

/* why: it was broken off; NULL: the answer is out. */
static void exchange_end(struct http_connection *c, const char *why)
{
        struct http_server *server = c->worker->server;

        atomic_fetch_add(&server->count.bytes, http_reply_sent(&c->reply));
        atomic_fetch_add(&server->count.errors, c->reply.status >= 400);
        if (c->begun && why)
                emit(c, EVENT_HTTP_ERROR, why);
        else if (c->begun)
                emit(c, c->reply.status < 400 ? EVENT_HTTP_END : EVENT_HTTP_ERROR, c->why ? c->why : c->in.method);
        c->begun = false;
        free(steal(&c->why));
        http_reply_clear(&c->reply);
        http_input_clear(&c->in);
}

/* ---- ending ---- */

void http_connection_end(struct http_connection *c, const char *why)
{
        exchange_end(c, why);
        http_worker_forget(c);
        SSL_free(c->ssl);
        close(c->fd);
        str_clear(&c->ahead);
        free(c);
}

/* The socket tells of room only when a third of it is free, which is megabytes. */
void http_connection_expire(struct http_connection *c)
{
        int before = c->queued;

        if (c->state == HTTP_SENDING && ioctl(c->fd, SIOCOUTQ, &c->queued) == 0 && c->queued != before)
                http_worker_touch(c);
        else
                http_connection_end(c, "the client fell silent");
}

static uint32_t end(struct http_connection *c, ssize_t r)
{
        http_connection_end(c, r == -ENODATA  ? "the file became shorter, or unreadable, while it was sent"
                               : r == -EPROTO ? "the client does not speak TLS as it should"
                                              : "the connection was closed");
        return GONE;
}

static uint32_t drain(struct http_connection *c)
{
        ssize_t n = recv(c->fd, c->worker->buffer, HTTP_BUFFER, MSG_DONTWAIT);

        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? EPOLLIN : end(c, 0);
}

/* ---- a request and its answer ---- */

/* The answer is out. */
static uint32_t next_request(struct http_connection *c)
{
        bool close = c->reply.close, refused = c->in.refused != 0;

        exchange_end(c, NULL);
        http_worker_touch(c);
        if (close) {
                http_shut(c);
                if (!refused)
                        return end(c, 0);
                c->state = HTTP_DRAINING;
                return EPOLLIN;
        }
        c->state = HTTP_READING;
        c->idle = true;
        http_input_begin(&c->in);
        return c->ahead.len > 0 ? EPOLLOUT : EPOLLIN; /* what waits here waits for its turn */
}

static uint32_t send_reply(struct http_connection *c)
{
        const struct http_reply before = c->reply;
        int r = http_send(c);

        if (r < 0)
                return end(c, r);
        if (r > 0)
                return next_request(c);
        if (c->reply.head_sent > before.head_sent || c->reply.left < before.left)
                http_worker_touch(c);
        return c->waits_for;
}

/* As much as there is; what is behind the request stays in c->ahead. */
static ssize_t receive(struct http_connection *c)
{
        CLEANUP_STR struct str came = steal(&c->ahead);
        const char *data = came.len > 0 ? came.s : c->worker->buffer;
        ssize_t n = came.len > 0 ? (ssize_t)came.len : http_receive(c, c->worker->buffer, HTTP_RECEIVE);
        size_t taken;

        if (n <= 0)
                return n;
        if (c->idle)
                http_worker_touch(c); /* and then no more: all of it must be here in time, not only some of it */
        c->idle = false;
        taken = http_input_feed(&c->in, data, (size_t)n);
        if (c->in.refused == 0 && taken < (size_t)n)
                str_addn(&c->ahead, data + taken, (size_t)n - taken);
        return n;
}

static uint32_t read_request(struct http_connection *c)
{
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        ssize_t n = receive(c);

        if (n == -EAGAIN)
                return c->waits_for;
        if (n <= 0 && n != -EINTR)
                return end(c, n);
        if (c->in.headed && !c->begun)
                exchange_begin(c);
        if (c->in.whole || c->in.refused != 0) {
                http_answer(c);
                c->state = HTTP_SENDING;
                return send_reply(c);
        }
        if (c->in.waits && http_transmit(c, go_on, sizeof(go_on) - 1, false) < 0)
                return end(c, 0);
        c->in.waits = false;
        return EPOLLIN;
}

void http_connection_ready(struct http_connection *c)
{
        static uint32_t (*const steps[])(struct http_connection * c) = {
                [HTTP_READING] = read_request, [HTTP_SENDING] = send_reply, [HTTP_DRAINING] = drain};
        uint32_t waits_for = steps[c->state](c);
        struct epoll_event event = {.events = waits_for, .data.ptr = c};

        if (waits_for == GONE || waits_for == c->watched)
                return;
        c->watched = waits_for;
        epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->fd, &event);
}
