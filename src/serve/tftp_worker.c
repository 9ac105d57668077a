/* A thread of the TFTP server: waits for packets, time and room in sockets,
 * and hands them to the sessions. */
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/tftp_internal.h"

enum {
        LOOK_NS = 40000,
        LOOK_VAIN = 8,   /* times in a row, and then ... */
        LOOK_PAUSE = 50, /* ... this many waits without */
};

/* ---- packets ---- */

/* From a port that no transfer knows: it gets an error, and what it hit goes on (RFC 1350, 4). */
static void refuse_stranger(struct tftp_worker *w, int fd, const struct tftp_peer *peer,
                            const struct tftp_packet *packet)
{
        if (packet->opcode != TFTP_ERROR && address_limit_take(&w->limit, peer->address.sin_addr.s_addr, w->now_ms))
                tftp_send_error(w, fd, peer, TFTP_ERROR_UNKNOWN_TID, "Unknown transfer ID");
}

static void refuse_write(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *packet)
{
        struct event event = {.kind = EVENT_TFTP_ERROR,
                              .time_us = tftp_now_us(),
                              .address = ntohl(peer->address.sin_addr.s_addr),
                              .path = packet->path,
                              .text = "a request to write: the server only reads",
                              .status = TFTP_ERROR_ACCESS};

        if (!address_limit_take(&w->limit, peer->address.sin_addr.s_addr, w->now_ms)) {
                tftp_count(&w->count.limited, 1);
                return;
        }
        tftp_count(&w->count.refused, 1);
        tftp_send_error(w, w->listener.fd, peer, TFTP_ERROR_ACCESS, "This server is read-only");
        event_emit(w->server->events, &event);
}

/* In single-port mode all of a client's packets come to this thread. */
static void listener_request(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request,
                             const void *data, size_t n)
{
        struct tftp_worker *to = w->server->options.single_port ? w : tftp_spread_choose(w, &peer->address);

        if (to == w)
                tftp_session_request(w, peer, request);
        else
                tftp_spread_hand_on(to, peer, data, n);
}

static void listener_packet(struct tftp_worker *w, const struct tftp_peer *peer, const void *data, size_t n)
{
        struct tftp_session *s = NULL;
        struct tftp_packet packet;

        if (tftp_parse(data, n, &packet) < 0) {
                if (address_limit_take(&w->limit, peer->address.sin_addr.s_addr, w->now_ms))
                        tftp_send_error(w, w->listener.fd, peer, TFTP_ERROR_ILLEGAL, "Illegal TFTP operation");
                return;
        }
        if (packet.opcode == TFTP_RRQ) {
                listener_request(w, peer, &packet, data, n);
                return;
        }
        if (packet.opcode == TFTP_WRQ) {
                refuse_write(w, peer, &packet);
                return;
        }
        if (w->server->options.single_port)
                s = tftp_session_find(w, &peer->address);
        if (s)
                tftp_session_packet(w, s, &packet);
        else
                refuse_stranger(w, w->listener.fd, peer, &packet);
}

static struct in_addr asked_address(struct msghdr *message)
{
        struct in_pktinfo info = {0};

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
                        memcpy(&info, CMSG_DATA(c), sizeof(info));
        return info.ipi_spec_dst;
}

static void receive(struct tftp_worker *w)
{
        struct mmsghdr messages[TFTP_RECEIVE];
        struct sockaddr_in from[TFTP_RECEIVE];
        struct iovec iov[TFTP_RECEIVE];
        char control[TFTP_RECEIVE][CMSG_SPACE(sizeof(struct in_pktinfo))] __attribute__((aligned(8)));
        int n;

        for (int i = 0; i < TFTP_RECEIVE; i++) {
                iov[i] = (struct iovec){w->received + (size_t)i * TFTP_RECEIVE_BYTES, TFTP_RECEIVE_BYTES};
                messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                      .msg_namelen = sizeof(from[i]),
                                                      .msg_iov = &iov[i],
                                                      .msg_iovlen = 1,
                                                      .msg_control = control[i],
                                                      .msg_controllen = sizeof(control[i])};
        }
        n = recvmmsg(w->listener.fd, messages, TFTP_RECEIVE, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
                struct tftp_peer peer = {from[i], asked_address(&messages[i].msg_hdr)};

                listener_packet(w, &peer, iov[i].iov_base, messages[i].msg_len);
        }
}

/* An error that is received instead is an ICMP message of the way to the peer. It may be forged, and the silence of a
 * client that is gone ends its transfer as well. */
static void receive_session(struct tftp_worker *w, struct tftp_session *s)
{
        ssize_t n = recv(s->connected.fd, w->received, TFTP_RECEIVE_BYTES, MSG_DONTWAIT);
        struct tftp_packet packet;

        if (n >= 0 && tftp_parse(w->received, (size_t)n, &packet) == 0)
                tftp_session_packet(w, s, &packet);
}

static void receive_others(struct tftp_worker *w, const struct tftp_socket *socket)
{
        struct tftp_peer from = {.server = socket->session->peer.server};
        socklen_t len = sizeof(from.address);
        ssize_t n = recvfrom(socket->fd, w->received, TFTP_RECEIVE_BYTES, MSG_DONTWAIT,
                             (struct sockaddr *)&from.address, &len);
        struct tftp_packet packet;

        if (n >= 0 && tftp_parse(w->received, (size_t)n, &packet) == 0)
                refuse_stranger(w, socket->fd, &from, &packet);
}

/* ---- time ---- */

/* Deadlines mostly move on with each packet: so they are looked at only when the earliest that
 * there once was has come. */
static void expire(struct tftp_worker *w)
{
        w->due_ms = INT64_MAX;
        for (size_t i = w->sessions.n; i-- > 0;) { /* one that ends is replaced by the last */
                struct tftp_session *s = w->sessions.v[i];

                if (s->transfer.deadline_ms <= w->now_ms)
                        tftp_session_expire(w, s);
                else if (s->transfer.deadline_ms < w->due_ms)
                        w->due_ms = s->transfer.deadline_ms;
        }
}

static int wait_ms(const struct tftp_worker *w)
{
        int64_t left = w->due_ms - monotonic_ms();

        if (w->due_ms == INT64_MAX)
                return -1;
        return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* ---- the loop ---- */

static uint64_t sent_to(const struct epoll_event *event)
{
        const struct tftp_socket *socket = event->data.ptr;

        return socket->session ? socket->session->bytes : 0;
}

/* Who has least goes first, so that of many that began together the last is not far behind. */
static int stragglers_first(const void *a, const void *b)
{
        uint64_t x = sent_to(a), y = sent_to(b);

        return x < y ? -1 : x > y;
}

/* Its session may have ended by an event before this one. */
static void handle_session(struct tftp_worker *w, struct tftp_socket *socket, uint32_t events)
{
        struct tftp_session *s = socket->session;

        if (s->file && socket == &s->others) {
                receive_others(w, socket);
                return;
        }
        if (s->file && events & (EPOLLIN | EPOLLERR))
                receive_session(w, s);
        if (s->file && events & EPOLLOUT)
                tftp_session_writable(w, s);
}

/* With windows of one block each block is a round trip, and where the client is near, the largest part of that is
 * falling asleep and being woken. So we look for a moment before we sleep, but not for long where it was in vain. */
static int look(struct tftp_worker *w, struct epoll_event *events)
{
        int64_t until = monotonic_ns() + LOOK_NS;
        int n = 0;

        if (w->sessions.n == 0 || ++w->vain <= 0)
                return 0;
        while (n == 0 && monotonic_ns() < until) {
                n = epoll_wait(w->epoll, events, TFTP_EVENTS, 0);
                if (n == 0)
                        sched_yield(); /* the client may be waiting for this processor */
        }
        if (n > 0)
                w->vain = 0;
        else if (w->vain == LOOK_VAIN)
                w->vain = -LOOK_PAUSE;
        return n;
}

/* False: to stop. */
static bool run_once(struct tftp_worker *w)
{
        struct epoll_event events[TFTP_EVENTS];
        int n = look(w, events);

        if (n == 0)
                n = epoll_wait(w->epoll, events, TFTP_EVENTS, wait_ms(w));

        w->now_ms = monotonic_ms();
        if (n > 2)
                qsort(events, (size_t)n, sizeof(*events), stragglers_first);
        for (int i = 0; i < n; i++) {
                struct tftp_socket *socket = events[i].data.ptr;

                if (socket == &w->stop)
                        return false;
                if (socket == &w->listener)
                        receive(w);
                else if (socket == &w->handed)
                        tftp_spread_receive(w);
                else
                        handle_session(w, socket, events[i].events);
        }
        if (w->now_ms >= w->due_ms)
                expire(w);
        tftp_sessions_send(w);
        tftp_sessions_sweep(w);
        return true;
}

void tftp_wait_for(struct tftp_worker *w, struct tftp_socket *socket)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};

        epoll_ctl(w->epoll, EPOLL_CTL_ADD, socket->fd, &event);
}

void *tftp_worker_run(void *worker)
{
        struct tftp_worker *w = worker;

        tftp_wait_for(w, &w->listener);
        tftp_wait_for(w, &w->handed);
        tftp_wait_for(w, &w->stop);
        w->due_ms = INT64_MAX;
        while (run_once(w))
                ;
        while (w->sessions.n > 0)
                tftp_session_abort(w, w->sessions.v[w->sessions.n - 1], "The server is stopping");
        tftp_sessions_sweep(w);
        return NULL;
}

void tftp_worker_free(struct tftp_worker *w)
{
        close_p(&w->listener.fd);
        close_p(&w->handed.fd);
        close_p(&w->epoll);
        close_p(&w->mtu_fd);
        vec_free(&w->sessions);
        vec_free(&w->due);
        vec_free(&w->ended);
        free(w->batch);
        free(w->received);
}
