/* Sends an answer: its head, then a file's bytes. Of a file that has an fd the
 * kernel sends the pages (sendfile), the others are copied. Nothing is held back that the socket did not take: it is
 * read again, so that thousands of slow clients cost no memory. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "serve/http_internal.h"

/* 1: all of it has left. */
static int send_head(struct http_connection *c)
{
        struct http_reply *reply = &c->reply;
        const bool more = reply->file; /* it leaves together with the first of the body */

        while (reply->head_sent < reply->head.len) {
                size_t left = reply->head.len - reply->head_sent;
                ssize_t n = http_transmit(c, reply->head.s + reply->head_sent, left, more);

                if (n < 0)
                        return n == -EAGAIN ? 0 : (int)n;
                reply->head_sent += (size_t)n;
        }
        return 1;
}

static ssize_t send_pages(struct http_connection *c, uint64_t n)
{
        off_t offset = (off_t)(c->reply.file->fd_offset + c->reply.offset);
        ssize_t sent = sendfile(c->fd, c->reply.file->fd, &offset, n);

        if (sent == 0)
                return -ENODATA;
        c->waits_for = EPOLLOUT;
        return sent < 0 ? -errno : sent;
}

static ssize_t send_copy(struct http_connection *c, uint64_t n)
{
        int r = files_read(c->reply.file, c->worker->buffer, n, c->reply.offset);

        return r < 0 ? -ENODATA : http_transmit(c, c->worker->buffer, n, n < c->reply.left);
}

static uint64_t least(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* The only client of its thread, at the moment. */
static bool is_alone(const struct http_connection *c)
{
        return atomic_load_explicit(&c->worker->load, memory_order_relaxed) <= 1;
}

/* As much of the body as the socket takes, at most a quantum. */
static int send_body(struct http_connection *c)
{
        struct http_reply *reply = &c->reply;
        const bool pages = reply->file && reply->file->fd >= 0 && !c->ssl;
        uint64_t quantum = !pages ? HTTP_QUANTUM : is_alone(c) ? HTTP_ALONE : HTTP_PAGES_QUANTUM;
        const uint64_t most = pages ? quantum : c->ssl ? HTTP_TLS_RECORD : HTTP_BUFFER;

        while (reply->file && reply->left > 0 && quantum > 0) {
                uint64_t n = least(most, least(reply->left, quantum));
                ssize_t sent = pages ? send_pages(c, n) : send_copy(c, n);

                if (sent < 0)
                        return sent == -EAGAIN || sent == -EINTR ? 0 : (int)sent;
                reply->offset += (uint64_t)sent;
                reply->left -= (uint64_t)sent;
                quantum -= (uint64_t)sent;
                if ((uint64_t)sent < n) /* it is full */
                        break;
        }
        c->waits_for = EPOLLOUT; /* if there is more: the others first */
        return reply->left == 0;
}

/* While it is on, only full segments leave: else each piece that a socket took would end with one that is not. With one
 * client that is no loss: it has the end of a piece the sooner. */
static void cork(struct http_connection *c, bool on)
{
        const int value = on;

        if (on == c->corked)
                return;
        setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
        c->corked = on;
}

int http_send(struct http_connection *c)
{
        int r;

        if (!c->ssl && c->reply.left > HTTP_QUANTUM && !is_alone(c))
                cork(c, true);
        r = send_head(c);
        if (r > 0)
                r = send_body(c);
        if (r > 0)
                cork(c, false);
        return r;
}
