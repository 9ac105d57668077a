/* See segment.h. The ring is of packet(7)'s TPACKET_V2: a slot is ours as soon as its frame is there, where V3 hands
 * over whole blocks, which a client that waits for each answer cannot wait for. */
#include "segment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum {
        SLOT = 2048,
        BLOCK = 64 * 1024, /* of the ring's memory */
        SLOTS_EACH = BLOCK / SLOT,
        ARP_TRIES = 30,
        ARP_WAIT_MS = 100,
};

static const uint8_t our_mac[6] = {2, 0x73, 0x6c, 0x69, 0x70, 1}; /* locally administered */
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* ---- out ---- */

void segment_flush(struct segment *s)
{
        struct mmsghdr messages[SEGMENT_BATCH] = {0};
        struct iovec iov[SEGMENT_BATCH];
        int n;

        for (size_t i = 0; i < s->n_out; i++) {
                iov[i] = (struct iovec){s->out[i], s->len[i]};
                messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        for (size_t i = 0; i<s->n_out; i += n> 0 ? (size_t)n : 1) /* what is not taken is lost, as on any wire */
                n = sendmmsg(s->fd, messages + i, (unsigned int)(s->n_out - i), 0);
        s->n_out = 0;
}

static void put(struct segment *s, struct frame *frame)
{
        memcpy(frame->from_mac, our_mac, 6);
        frame->from = s->address;
        frame->to = s->peer;
        s->len[s->n_out] = frame_write(frame, s->out[s->n_out], SEGMENT_SMALL);
        if (s->len[s->n_out] > 0 && ++s->n_out == SEGMENT_BATCH)
                segment_flush(s);
}

void segment_send(struct segment *s, uint16_t from_port, uint16_t to_port, const void *data, size_t n)
{
        struct frame frame = {.kind = FRAME_UDP, .from_port = from_port, .to_port = to_port, .data = data, .n = n};

        memcpy(frame.to_mac, s->peer_mac, 6);
        put(s, &frame);
}

static void arp(struct segment *s, bool reply, const uint8_t *to_mac)
{
        struct frame frame = {.kind = FRAME_ARP, .arp_reply = reply};

        memcpy(frame.to_mac, to_mac, 6);
        put(s, &frame);
        segment_flush(s);
}

/* ---- in ---- */

static struct tpacket2_hdr *slot(const struct segment *s, size_t i)
{
        return (void *)(s->ring + i % s->slots * SLOT);
}

void segment_wait(const struct segment *s, int timeout_ms)
{
        struct pollfd pollfd = {.fd = s->fd, .events = POLLIN};

        poll(&pollfd, 1, timeout_ms);
}

/* The next frame of any kind that can be read. */
static bool next_frame(struct segment *s, struct frame *ret)
{
        struct tpacket2_hdr *header;

        for (;;) {
                if (s->held)
                        __atomic_store_n(&slot(s, s->next++)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
                header = slot(s, s->next);
                s->held = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
                if (!s->held)
                        return false;
                if (header->tp_snaplen == header->tp_len &&
                    frame_parse((uint8_t *)header + header->tp_mac, header->tp_snaplen, ret))
                        return true;
        }
}

static void take_arp(struct segment *s, const struct frame *frame)
{
        if (frame->from != s->peer || frame->to != s->address)
                return;
        memcpy(s->peer_mac, frame->from_mac, 6);
        if (!frame->arp_reply)
                arp(s, true, frame->from_mac);
}

bool segment_next(struct segment *s, struct frame *ret)
{
        while (next_frame(s, ret)) {
                if (ret->kind == FRAME_ARP)
                        take_arp(s, ret);
                else if (ret->kind == FRAME_UDP && ret->from == s->peer && ret->to == s->address)
                        return true;
        }
        return false;
}

/* ---- the beginning ---- */

static int open_socket(struct segment *s, const char *interface, struct error *err)
{
        struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
        struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};
        struct tpacket_req request = {.tp_block_size = BLOCK,
                                      .tp_block_nr = (unsigned int)(s->slots * SLOT / BLOCK),
                                      .tp_frame_size = SLOT,
                                      .tp_frame_nr = (unsigned int)s->slots};
        int on = 1, version = TPACKET_V2;

        s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (s->fd < 0)
                return error_errno(err, errno, "open a packet socket");
        address.sll_ifindex = promiscuous.mr_ifindex = (int)if_nametoindex(interface);
        if (setsockopt(s->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
            setsockopt(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
            setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0 ||
            setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0 ||
            setsockopt(s->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0)
                return error_errno(err, errno, "set up a packet socket");
        s->ring = mmap(NULL, s->slots * SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
        if (s->ring == MAP_FAILED)
                return error_errno(err, errno, "map a packet socket's ring");
        if (bind(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return error_errno(err, errno, "bind to interface '%s'", interface);
        return 0;
}

int segment_open(struct segment *s, const char *interface, uint32_t address, uint32_t peer, size_t frames,
                 struct error *err)
{
        static const uint8_t unknown[6];
        struct frame frame;
        int r;

        *s = (struct segment){
                .fd = -1, .address = address, .peer = peer, .slots = (frames / SLOTS_EACH + 1) * SLOTS_EACH};
        r = open_socket(s, interface, err);
        if (r < 0)
                return r;
        for (int i = 0; i < ARP_TRIES && memcmp(s->peer_mac, unknown, 6) == 0; i++) {
                arp(s, false, everybody);
                segment_wait(s, ARP_WAIT_MS);
                while (segment_next(s, &frame))
                        ; /* nobody has been asked for anything yet */
        }
        if (memcmp(s->peer_mac, unknown, 6) == 0)
                return error_set(err, ETIMEDOUT, "nobody answers ARP for the server's address");
        return 0;
}
