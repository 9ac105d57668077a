/* Sending of TFTP: blocks are read straight to their places behind the
 * headers, and a window leaves with one system call: as datagrams that the
 * kernel cuts off a large one (UDP_SEGMENT) where they fit the path, else as many
 * messages of sendmmsg(). */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/bytes.h"
#include "serve/tftp_internal.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
        SEGMENTS_MAX = 64,    /* of one message: UDP_MAX_SEGMENTS of older kernels */
        DATAGRAM_MAX = 65507, /* IPv4 */
};

union control {
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
};

static void add_control(struct msghdr *message, int level, int type, const void *data, size_t n)
{
        struct cmsghdr *c = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);

        c->cmsg_level = level;
        c->cmsg_type = type;
        c->cmsg_len = CMSG_LEN(n);
        memcpy(CMSG_DATA(c), data, n);
        message->msg_controllen += CMSG_SPACE(n);
}

/* The listener is bound to any address: the answer must come from the one that was asked. */
static void from_server(struct msghdr *message, const struct tftp_peer *peer)
{
        struct in_pktinfo info = {.ipi_spec_dst = peer->server};

        add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static ssize_t send_to(const struct tftp_worker *w, int fd, const struct tftp_peer *peer, const void *packet, size_t n)
{
        struct iovec iov = {(void *)packet, n};
        union control control;
        struct msghdr message = {.msg_name = (void *)&peer->address,
                                 .msg_namelen = sizeof(peer->address),
                                 .msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control};

        if (fd == w->listener.fd)
                from_server(&message, peer);
        else
                message.msg_control = NULL;
        return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void tftp_send(struct tftp_worker *w, int fd, const struct tftp_peer *peer, const void *packet, size_t n)
{
        (void)send_to(w, fd, peer, packet, n);
}

int tftp_session_fd(const struct tftp_worker *w, const struct tftp_session *s)
{
        return s->shared ? w->listener.fd : s->connected.fd;
}

void tftp_send_error(struct tftp_worker *w, int fd, const struct tftp_peer *peer, uint16_t code, const char *text)
{
        uint8_t packet[TFTP_SMALL_PACKET];

        tftp_send(w, fd, peer, packet, tftp_put_error(packet, code, text));
}

/* ---- batches ---- */

/* n blocks from `first` on, with their headers, each at its slot of the batch. */
static int read_blocks(struct tftp_worker *w, struct tftp_session *s, uint64_t first, unsigned int n)
{
        struct iovec iov[TFTP_BATCH_BLOCKS];
        size_t slot = (size_t)TFTP_HEADER + s->transfer.blksize;

        for (unsigned int i = 0; i < n; i++) {
                tftp_put_data_header(w->batch + i * slot, (uint16_t)(first + i));
                iov[i].iov_base = w->batch + i * slot + TFTP_HEADER;
                iov[i].iov_len = tftp_block_len(&s->transfer, first + i);
        }
        return files_readv(s->file, iov, (int)n, tftp_block_offset(&s->transfer, first));
}

struct batch {
        struct mmsghdr messages[TFTP_BATCH_BLOCKS];
        struct iovec iov[TFTP_BATCH_BLOCKS];
        union control control[TFTP_BATCH_BLOCKS];
        unsigned int n, blocks_each;
};

/* `each` blocks in a message, n blocks in all, the last of them `last_len` long. */
static void fill_batch(struct batch *b, struct tftp_worker *w, struct tftp_session *s, unsigned int n, size_t last_len)
{
        size_t slot = (size_t)TFTP_HEADER + s->transfer.blksize;
        uint16_t segment = (uint16_t)slot;

        b->n = (n + b->blocks_each - 1) / b->blocks_each;
        for (unsigned int i = 0; i < b->n; i++) {
                struct msghdr *message = &b->messages[i].msg_hdr;
                unsigned int first = i * b->blocks_each,
                             count = n - first < b->blocks_each ? n - first : b->blocks_each;
                size_t len = count * slot;

                if (first + count == n)
                        len = len - s->transfer.blksize + last_len;
                b->iov[i] = (struct iovec){w->batch + first * slot, len};
                *message = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1, .msg_control = &b->control[i]};
                if (s->shared) {
                        message->msg_name = &s->peer.address;
                        message->msg_namelen = sizeof(s->peer.address);
                        from_server(message, &s->peer);
                }
                if (count > 1)
                        add_control(message, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
                if (message->msg_controllen == 0)
                        message->msg_control = NULL;
        }
}

/* n blocks out of the batch; how many went, 0: the socket is full. */
static unsigned int send_blocks(struct tftp_worker *w, struct tftp_session *s, unsigned int n, size_t last_len)
{
        size_t slot = (size_t)TFTP_HEADER + s->transfer.blksize;
        struct batch b;
        int sent;

        b.blocks_each = 1;
        if (s->gso && n > 1)
                b.blocks_each = DATAGRAM_MAX / slot < SEGMENTS_MAX ? (unsigned int)(DATAGRAM_MAX / slot) : SEGMENTS_MAX;
        fill_batch(&b, w, s, n, last_len);
        sent = sendmmsg(tftp_session_fd(w, s), b.messages, b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && b.blocks_each > 1 && errno != EAGAIN && errno != ENOBUFS) {
                s->gso = false; /* a device without checksums of its own, an older kernel */
                return send_blocks(w, s, n, last_len);
        }
        if (sent < 0) /* what cannot be sent is as good as lost: the client's silence ends it */
                return errno == EAGAIN || errno == ENOBUFS ? 0 : n;
        return (unsigned int)sent * b.blocks_each < n ? (unsigned int)sent * b.blocks_each : n;
}

/* ---- windows of one block ---- */

/* Most firmware asks for no more, and each block costs a round trip: so the system calls count. */

/* False: the socket is full. What else cannot be sent is as good as lost on the way: the client's silence ends it. */
static bool send_block(const struct tftp_worker *w, const struct tftp_session *s, const void *packet, size_t n)
{
        ssize_t r = s->shared ? send_to(w, w->listener.fd, &s->peer, packet, n)
                              : send(s->connected.fd, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        return r >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static int send_one(struct tftp_worker *w, struct tftp_session *s)
{
        uint64_t block = s->transfer.next;
        size_t n = tftp_block_len(&s->transfer, block);
        const uint8_t *packet = NULL;
        int r = tftp_packets_get(w, s, block, &packet);

        if (r < 0)
                return r;
        s->full = !send_block(w, s, packet, TFTP_HEADER + n);
        tftp_transfer_sent(&s->transfer, s->full ? 0 : 1, w->now_ms);
        s->bytes += s->full ? 0 : n;
        return 0;
}

/* ---- windows of several ---- */

static int send_batches(struct tftp_worker *w, struct tftp_session *s)
{
        struct tftp_transfer *t = &s->transfer;
        uint64_t max = TFTP_BATCH_BYTES / ((uint64_t)TFTP_HEADER + t->blksize);

        max = max < TFTP_BATCH_BLOCKS ? max : TFTP_BATCH_BLOCKS;
        s->full = false;
        while (t->next < t->limit && !s->full) {
                uint64_t left = t->limit - t->next;
                unsigned int n = (unsigned int)(left < max ? left : max), sent;
                int r = read_blocks(w, s, t->next, n);

                if (r < 0)
                        return r;
                sent = send_blocks(w, s, n, tftp_block_len(t, t->next + n - 1));
                s->full = sent < n;
                for (unsigned int i = 0; i < sent; i++)
                        s->bytes += tftp_block_len(t, t->next + i);
                tftp_transfer_sent(t, sent, w->now_ms);
        }
        return 0;
}

int tftp_send_window(struct tftp_worker *w, struct tftp_session *s)
{
        uint64_t resent = s->transfer.resent;
        bool one = s->transfer.windowsize == 1 && s->transfer.blksize <= TFTP_PACKETS_BYTES / 2;
        int r = one ? send_one(w, s) : send_batches(w, s);

        tftp_count(&w->count.resent, s->transfer.resent - resent);
        return r;
}
