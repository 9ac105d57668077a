/* Sessions of the TFTP server: a transfer with its peer, file and socket, from
 * the request to its end. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "serve/netascii.h"
#include "serve/tftp_internal.h"

int64_t tftp_now_us(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- events ---- */

static void emit(const struct tftp_worker *w, const struct tftp_peer *peer, struct event *event)
{
        event->time_us = tftp_now_us();
        event->address = ntohl(peer->address.sin_addr.s_addr);
        event_emit(w->server->events, event);
}

static void emit_end(const struct tftp_worker *w, const struct tftp_session *s, enum event_kind kind, int status,
                     const char *text)
{
        struct event event = {.kind = kind,
                              .path = s->path,
                              .text = text,
                              .bytes = s->bytes,
                              .status = status,
                              .duration_us = tftp_now_us() - s->start_us};

        emit(w, &s->peer, &event);
}

/* ---- the table ---- */

unsigned int tftp_chain(const struct sockaddr_in *address)
{
        uint64_t key = (uint64_t)address->sin_addr.s_addr << 16 | address->sin_port;

        return (unsigned int)(key * 0x9e3779b97f4a7c15ULL >> 40) % TFTP_HASH;
}

struct tftp_session *tftp_session_find(const struct tftp_worker *w, const struct sockaddr_in *address)
{
        struct tftp_session *s = w->chains[tftp_chain(address)];

        while (s && !tftp_same_address(&s->peer.address, address))
                s = s->next;
        return s;
}

static void session_add(struct tftp_worker *w, struct tftp_session *s)
{
        struct tftp_session **chain = &w->chains[tftp_chain(&s->peer.address)];

        s->next = *chain;
        *chain = s;
        s->index = w->sessions.n;
        vec_push(&w->sessions, s);
        tftp_spread_keep(w, &s->peer.address);
}

static void session_close(struct tftp_session *s)
{
        close_p(&s->connected.fd);
        close_p(&s->others.fd);
        s->file = files_close(s->file);
}

static void session_free(struct tftp_session *s)
{
        session_close(s);
        free(s->path);
        free(s);
}

/* Out of the table, its sockets and file closed. Events at hand may still point to it. */
static void session_end(struct tftp_worker *w, struct tftp_session *s)
{
        struct tftp_session **link = &w->chains[tftp_chain(&s->peer.address)];

        while (*link != s)
                link = &(*link)->next;
        *link = s->next;
        w->sessions.v[s->index] = w->sessions.v[--w->sessions.n];
        w->sessions.v[s->index]->index = s->index;
        tftp_packets_release(w, s);
        session_close(s);
        tftp_spread_forget(w, &s->peer.address);
        atomic_fetch_sub(&w->server->active, 1);
        vec_push(&w->ended, s);
}

void tftp_sessions_sweep(struct tftp_worker *w)
{
        for (size_t i = 0; i < w->ended.n; i++)
                session_free(w->ended.v[i]);
        w->ended.n = 0;
}

static void session_fail(struct tftp_worker *w, struct tftp_session *s, int status, const char *why)
{
        tftp_count(&w->count.failed, 1);
        emit_end(w, s, EVENT_TFTP_ERROR, status, why);
        session_end(w, s);
}

void tftp_session_abort(struct tftp_worker *w, struct tftp_session *s, const char *why)
{
        tftp_send_error(w, tftp_session_fd(w, s), &s->peer, TFTP_ERROR_UNDEFINED, why);
        session_fail(w, s, TFTP_ERROR_UNDEFINED, why);
}

/* ---- steps ---- */

static void watch(struct tftp_worker *w, struct tftp_session *s, bool full)
{
        struct epoll_event event = {.events = EPOLLIN | (full ? EPOLLOUT : 0), .data.ptr = &s->connected};

        if (!s->shared) /* the shared socket is full for a moment only: the deadline serves */
                epoll_ctl(w->epoll, EPOLL_CTL_MOD, s->connected.fd, &event);
}

static void send_window(struct tftp_worker *w, struct tftp_session *s)
{
        bool was_full = s->full;
        uint64_t before = s->bytes;
        int r = tftp_send_window(w, s);

        tftp_count(&w->count.bytes, s->bytes - before);
        if (r < 0)
                tftp_session_abort(w, s, r == -EIO ? "the file became shorter" : "the file cannot be read");
        else if (was_full != s->full)
                watch(w, s, s->full);
}

void tftp_sessions_send(struct tftp_worker *w)
{
        for (size_t i = 0; i < w->due.n; i++) {
                struct tftp_session *s = w->due.v[i];

                s->due = false;
                if (s->file) /* else it has ended meanwhile */
                        send_window(w, s);
        }
        w->due.n = 0;
}

static void send_oack(struct tftp_worker *w, struct tftp_session *s)
{
        uint8_t packet[TFTP_SMALL_PACKET];

        tftp_send(w, tftp_session_fd(w, s), &s->peer, packet, tftp_put_oack(packet, &s->transfer.granted));
}

static void complete(struct tftp_worker *w, struct tftp_session *s, const char *text)
{
        tftp_count(&w->count.completed, 1);
        emit_end(w, s, EVENT_TFTP_END, 0, text);
        session_end(w, s);
}

static void take_step(struct tftp_worker *w, struct tftp_session *s, enum tftp_step step)
{
        switch (step) {
        case TFTP_WAIT:
                break;
        case TFTP_SEND_OACK:
                send_oack(w, s);
                break;
        case TFTP_SEND_BLOCKS:
                if (!s->due)
                        vec_push(&w->due, s);
                s->due = true;
                break;
        case TFTP_COMPLETE:
                complete(w, s, NULL);
                return;
        case TFTP_GAVE_UP:
                if (tftp_transfer_all_sent(&s->transfer))
                        complete(w, s, "the last block was not acknowledged");
                else
                        session_fail(w, s, 0, s->transfer.answered ? "the client fell silent" : "no answer");
                return;
        case TFTP_PROBED:
        case TFTP_REFUSED:
                return; /* see client_error() */
        }
        if (s->file && s->transfer.deadline_ms < w->due_ms)
                w->due_ms = s->transfer.deadline_ms;
}

static void client_error(struct tftp_worker *w, struct tftp_session *s, enum tftp_step step,
                         const struct tftp_packet *packet)
{
        if (step != TFTP_PROBED) {
                session_fail(w, s, packet->code, *packet->text ? packet->text : "the client sent an error");
                return;
        }
        tftp_count(&w->count.probes, 1);
        emit_end(w, s, EVENT_TFTP_PROBE, packet->code, NULL);
        session_end(w, s);
}

void tftp_session_packet(struct tftp_worker *w, struct tftp_session *s, const struct tftp_packet *packet)
{
        bool answered = s->transfer.answered;
        enum tftp_step step = tftp_transfer_handle(&s->transfer, packet, w->now_ms);

        /* Whoever sends from the right place to the right port has received something: not a forged address. */
        if (!answered && (s->transfer.answered || step == TFTP_PROBED || step == TFTP_REFUSED))
                address_limit_give_back(&w->limit, s->peer.address.sin_addr.s_addr);
        if (packet->opcode == TFTP_ERROR)
                client_error(w, s, step, packet);
        else
                take_step(w, s, step);
}

void tftp_session_expire(struct tftp_worker *w, struct tftp_session *s)
{
        take_step(w, s, tftp_transfer_expire(&s->transfer, w->now_ms));
}

void tftp_session_writable(struct tftp_worker *w, struct tftp_session *s)
{
        send_window(w, s);
}

/* ---- the beginning ---- */

static void refuse(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request,
                   uint16_t code, const char *text, const char *why)
{
        struct event event = {.kind = EVENT_TFTP_ERROR, .path = request->path, .text = why, .status = code};

        tftp_count(&w->count.refused, 1);
        tftp_send_error(w, w->listener.fd, peer, code, text);
        emit(w, peer, &event);
}

/* What the client is told is no more than the code means: paths of ours are not its business. */
static void refuse_open(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request, int r,
                        const struct error *err)
{
        if (r == -ENOENT || r == -ENOTDIR)
                refuse(w, peer, request, TFTP_ERROR_NOT_FOUND, "File not found", error_message(err));
        else if (r == -EACCES || r == -EPERM || r == -EISDIR)
                refuse(w, peer, request, TFTP_ERROR_ACCESS, "Access violation", error_message(err));
        else
                refuse(w, peer, request, TFTP_ERROR_UNDEFINED, "The server cannot read it", error_message(err));
}

static int open_file(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request,
                     struct file **ret, struct error *err)
{
        struct file_request what = {.protocol = FILE_TFTP,
                                    .path = request->path,
                                    .peer = ntohl(peer->address.sin_addr.s_addr),
                                    .server = ntohl(peer->server.s_addr)};
        int r = files_open(&w->server->files, &what, ret, err);

        if (r == 0 && request->mode == TFTP_NETASCII)
                r = file_netascii(ret, err);
        return r;
}

/* Bound to the address, at a port that nobody else has where its port is 0: it is set then. SO_REUSEPORT is on when it
 * is returned, so that the next may share it. */
static int bind_socket(const struct tftp_worker *w, struct sockaddr_in *address, int *ret, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const char *device = w->server->options.interface;
        bool first = address->sin_port == 0;
        socklen_t len = sizeof(*address);
        int on = 1;

        if (fd < 0)
                return error_errno(err, errno, "open a socket");
        if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
                return error_errno(err, errno, "bind to '%s'", device);
        if ((!first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
            bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 ||
            (first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
            getsockname(fd, (struct sockaddr *)address, &len) < 0)
                return error_errno(err, errno, "bind a port");
        *ret = steal_fd(&fd);
        return 0;
}

/* A port of its own at the address that was asked. */
static int open_port(struct tftp_worker *w, struct tftp_session *s, struct error *err)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = s->peer.server};
        const struct sockaddr *peer = (const struct sockaddr *)&s->peer.address;
        int r = bind_socket(w, &address, &s->others.fd, err);

        if (r == 0)
                r = bind_socket(w, &address, &s->connected.fd, err);
        if (r == 0 && connect(s->connected.fd, peer, sizeof(s->peer.address)) < 0)
                r = error_errno(err, errno, "connect to the client");
        if (r < 0)
                return r;
        tftp_wait_for(w, &s->others);
        tftp_wait_for(w, &s->connected);
        return 0;
}

/* Of the path to the peer, as the kernel knows it. */
static unsigned int path_mtu(const struct tftp_worker *w, const struct tftp_peer *peer)
{
        socklen_t len = sizeof(int);
        int mtu = 0;

        if (connect(w->mtu_fd, (const struct sockaddr *)&peer->address, sizeof(peer->address)) < 0 ||
            getsockopt(w->mtu_fd, IPPROTO_IP, IP_MTU, &mtu, &len) < 0 || mtu < 576)
                return 576; /* what every path carries */
        return (unsigned int)mtu;
}

static int session_new(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request,
                       struct tftp_session **ret, struct error *err)
{
        struct tftp_session *s = xcalloc(1, sizeof(*s));
        int r;

        *s = (struct tftp_session){.peer = *peer,
                                   .connected = {-1, s},
                                   .others = {-1, s},
                                   .shared = w->server->options.single_port,
                                   .path = xstrdup(request->path),
                                   .start_us = tftp_now_us()};
        r = open_file(w, peer, request, &s->file, err);
        if (r == 0 && !s->shared)
                r = open_port(w, s, err);
        if (r < 0) {
                session_free(s);
                return r;
        }
        atomic_fetch_add(&w->server->active, 1);
        session_add(w, s);
        *ret = s;
        return 0;
}

static void session_begin(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request)
{
        struct tftp_path path = {.mtu = path_mtu(w, peer), .fragment = w->server->options.fragment};
        struct event event = {.kind = EVENT_TFTP_START, .path = request->path};
        CLEANUP_ERROR struct error err = {0};
        struct tftp_session *s = NULL;
        enum tftp_step step;
        int r = session_new(w, peer, request, &s, &err);

        if (r < 0) {
                refuse_open(w, peer, request, r, &err);
                return;
        }
        event.bytes = s->file->size;
        emit(w, peer, &event);
        step = tftp_transfer_start(&s->transfer, request, s->file->size, &path, w->now_ms);
        s->gso = s->transfer.blksize + 32U <= path.mtu;
        take_step(w, s, step);
}

/* The request that a session began with, once more: its answer was lost, or is still on its way. Anything
 * else from the same port means that the client has begun anew. */
static bool repeats(struct tftp_worker *w, struct tftp_session *s, const struct tftp_packet *request)
{
        if (s->transfer.answered || strcmp(s->path, request->path) != 0)
                return false;
        take_step(w, s, tftp_transfer_again(&s->transfer, w->now_ms));
        return true;
}

static void take_request(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request)
{
        struct tftp_session *s = tftp_session_find(w, &peer->address);

        tftp_count(&w->count.requests, 1);
        if (!address_limit_take(&w->limit, peer->address.sin_addr.s_addr, w->now_ms)) {
                tftp_count(&w->count.limited, 1);
                return;
        }
        if (s && repeats(w, s, request))
                return;
        if (s)
                session_fail(w, s, 0, "the client began anew");
        if (atomic_load(&w->server->active) >= w->server->options.max_transfers) {
                tftp_count(&w->count.limited, 1); /* silently: it asks again, and there may be room then */
                return;
        }
        if (request->mode == TFTP_OTHER_MODE)
                refuse(w, peer, request, TFTP_ERROR_ILLEGAL, "Unknown mode",
                       "neither octet nor netascii was asked for");
        else
                session_begin(w, peer, request);
}

void tftp_session_request(struct tftp_worker *w, const struct tftp_peer *peer, const struct tftp_packet *request)
{
        take_request(w, peer, request);
        if (!tftp_session_find(w, &peer->address))
                tftp_spread_forget(w, &peer->address);
}
