#include "serve/capture.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/dhcp.h"
#include "wire/pcapng.h"

enum {
        INTERFACES = 64,
        FRAMES = 64,                               /* read at once; */
        REST_MS = FRAMES * 1000 / CAPTURE_PER_SEC, /* and so long nothing after that */
        SOCKET_BUFFER = 1 << 20,
        ETHERNET = 14,
        IPV4 = 20,
        UDP = 8,
        CHADDR = 28,         /* in a DHCP message */
        RECORD_HEAD = 6 + 4, /* of what waits: MAC, size of the block */
};

struct capture {
        int fd, wake_fd;
        int interfaces[INTERFACES];
        size_t n_interfaces;
        capture_owner *owner;
        void *arg;
        bool running;
        pthread_t thread;
        pthread_mutex_t mutex; /* of what waits */
        uint8_t *pending, *taken;
        size_t n_pending;
};

/* ---- opening ---- */

/* What of it a boot tells: libpcap's language. `udp[8:2]` is TFTP's operation, `tcp[12]` the length of its header; the
 * words are "GET ", "HEAD", "POST", "HTTP", and 22 is a handshake of TLS. */
static char *filter_text(uint16_t http, uint16_t https)
{
        return xasprintf("arp or icmp[0] = 3 or udp port 67 or udp port 4011"
                         " or udp[8:2] = 1 or udp[8:2] = 2 or udp[8:2] = 5 or udp[8:2] = 6"
                         " or ((udp[8:2] = 3 or udp[8:2] = 4) and udp[10:2] <= 1)"
                         " or (tcp and (port %u or port %u) and ((tcp[13] & 7) != 0"
                         " or tcp[(tcp[12] & 0xf0) >> 2:4] = 0x47455420 or tcp[(tcp[12] & 0xf0) >> 2:4] = 0x48454144"
                         " or tcp[(tcp[12] & 0xf0) >> 2:4] = 0x504f5354 or tcp[(tcp[12] & 0xf0) >> 2:4] = 0x48545450"
                         " or tcp[(tcp[12] & 0xf0) >> 2] = 22))",
                         http, https);
}

static int attach_filter(int fd, uint16_t http, uint16_t https, struct error *err)
{
        CLEANUP_FREE char *text = filter_text(http, https);
        pcap_t *dead = pcap_open_dead(DLT_EN10MB, PCAPNG_SNAP);
        struct bpf_program program = {0};
        int r = 0;

        /* The instructions of libpcap are those of the kernel. */
        _Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter), "one format");
        if (!dead || pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
                r = error_set(err, EINVAL, "the filter of captured packets: %s",
                              dead ? pcap_geterr(dead) : "no memory");
        } else {
                const struct sock_fprog attached = {(unsigned short)program.bf_len, (void *)program.bf_insns};

                if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof(attached)) < 0)
                        r = error_errno(err, errno, "the filter of captured packets");
        }
        pcap_freecode(&program);
        if (dead)
                pcap_close(dead);
        return r;
}

static int open_socket(uint16_t http, uint16_t https, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
        const int on = 1, size = SOCKET_BUFFER;
        int r;

        if (fd < 0)
                return error_errno(err, errno, "packet socket");
        r = attach_filter(fd, http, https, err); /* before it is bound: nothing else is to get in between */
        if (r < 0)
                return r;
        if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)) < 0 ||
            setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
            bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
                return error_errno(err, errno, "packet socket");
        return steal_fd(&fd);
}

/* A bridge's ports and the like have none: what goes through them is seen once, at the bridge. */
static void find_interfaces(struct capture *capture)
{
        struct ifaddrs *all = NULL;

        if (getifaddrs(&all) < 0)
                return;
        for (const struct ifaddrs *i = all; i && capture->n_interfaces < INTERFACES; i = i->ifa_next)
                if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && !(i->ifa_flags & IFF_LOOPBACK))
                        capture->interfaces[capture->n_interfaces++] = (int)if_nametoindex(i->ifa_name);
        freeifaddrs(all);
}

int capture_open(uint16_t http, uint16_t https, struct capture **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = open_socket(http, https, err);
        struct capture *capture;

        if (fd < 0)
                return fd;
        capture = xcalloc(1, sizeof(*capture));
        capture->fd = steal_fd(&fd);
        capture->wake_fd = eventfd(0, EFD_CLOEXEC);
        capture->pending = xmalloc(CAPTURE_PENDING);
        capture->taken = xmalloc(CAPTURE_PENDING);
        pthread_mutex_init(&capture->mutex, NULL);
        find_interfaces(capture);
        *ret = capture;
        return 0;
}

/* ---- whose a frame is ---- */

struct frame {
        const uint8_t *bytes;
        size_t kept, size;
        bool outgoing;
        int64_t time_us;
};

/* The hardware address that a DHCP message is about, whoever it is from. */
static bool dhcp_owner(const uint8_t *udp, size_t n, uint8_t mac[6])
{
        uint16_t from, to;

        if (n < UDP + CHADDR + 6)
                return false;
        from = get_be16(udp);
        to = get_be16(udp + 2);
        if (from != DHCP_SERVER_PORT && to != DHCP_SERVER_PORT && from != DHCP_BINL_PORT && to != DHCP_BINL_PORT)
                return false;
        if (udp[UDP + 1] != DHCP_ETHERNET || udp[UDP + 2] != 6)
                return false;
        memcpy(mac, udp + UDP + CHADDR, 6);
        return true;
}

/* A machine behind a router is known by its address alone. */
static bool ipv4_owner(const struct capture *capture, const struct frame *frame, uint8_t mac[6])
{
        const uint8_t *ip = frame->bytes + ETHERNET;
        size_t n = frame->kept - ETHERNET, head;

        if (n < IPV4)
                return false;
        head = (ip[0] & 15u) * 4;
        if (head < IPV4 || head > n)
                return false;
        if (ip[9] == IPPROTO_UDP && dhcp_owner(ip + head, n - head, mac))
                return true;
        return capture->owner && capture->owner(capture->arg, get_be32(ip + (frame->outgoing ? 16 : 12)), mac);
}

static bool frame_owner(const struct capture *capture, const struct frame *frame, uint8_t mac[6])
{
        const uint8_t *other = frame->bytes + (frame->outgoing ? 0 : 6);

        if (frame->kept < ETHERNET)
                return false;
        if (get_be16(frame->bytes + 12) == ETH_P_IP && ipv4_owner(capture, frame, mac))
                return true;
        memcpy(mac, other, 6);
        return !(other[0] & 1); /* to all */
}

/* ---- the thread ---- */

static void keep(struct capture *capture, const struct frame *frame)
{
        const struct pcapng_packet packet = {.time_us = frame->time_us,
                                             .outgoing = frame->outgoing,
                                             .frame = frame->bytes,
                                             .kept = frame->kept,
                                             .size = frame->size};
        uint8_t mac[6], *record;
        size_t size;

        if (!frame_owner(capture, frame, mac))
                return;
        pthread_mutex_lock(&capture->mutex);
        if (CAPTURE_PENDING - capture->n_pending >= RECORD_HEAD + PCAPNG_PACKET_OVERHEAD + frame->kept) {
                record = capture->pending + capture->n_pending;
                size = pcapng_packet(&packet, record + RECORD_HEAD);
                memcpy(record, mac, 6);
                put_le32(record + 6, (uint32_t)size);
                capture->n_pending += RECORD_HEAD + size;
        }
        pthread_mutex_unlock(&capture->mutex);
}

union control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct timeval)) + CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

/* One of ours, of Ethernet's form; of a VLAN it is seen once more at that VLAN's own interface. */
static bool read_frame(const struct capture *capture, struct msghdr *header, size_t n, struct frame *ret)
{
        const struct sockaddr_ll *from = header->msg_name;
        bool known = false;

        *ret = (struct frame){.bytes = header->msg_iov->iov_base,
                              .kept = n < PCAPNG_SNAP ? n : PCAPNG_SNAP,
                              .size = n,
                              .outgoing = from->sll_pkttype == PACKET_OUTGOING};
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMP) {
                        struct timeval at;

                        memcpy(&at, CMSG_DATA(c), sizeof(at));
                        ret->time_us = (int64_t)at.tv_sec * 1000000 + at.tv_usec;
                } else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
                        struct tpacket_auxdata aux;

                        memcpy(&aux, CMSG_DATA(c), sizeof(aux));
                        ret->size = aux.tp_len;
                        if (aux.tp_status & TP_STATUS_VLAN_VALID)
                                return false;
                }
        }
        for (size_t i = 0; i < capture->n_interfaces; i++)
                known = known || capture->interfaces[i] == from->sll_ifindex;
        return known && from->sll_hatype == ARPHRD_ETHER && from->sll_pkttype != PACKET_OTHERHOST;
}

/* Returns how many were read. */
static size_t receive(struct capture *capture)
{
        static _Thread_local uint8_t bytes[FRAMES][PCAPNG_SNAP];
        struct mmsghdr headers[FRAMES] = {0};
        struct iovec buffers[FRAMES];
        struct sockaddr_ll from[FRAMES];
        union control control[FRAMES];
        struct frame frame;
        int n;

        for (size_t i = 0; i < FRAMES; i++) {
                buffers[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
                headers[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                     .msg_namelen = sizeof(from[i]),
                                                     .msg_iov = &buffers[i],
                                                     .msg_iovlen = 1,
                                                     .msg_control = &control[i],
                                                     .msg_controllen = sizeof(control[i])};
        }
        n = recvmmsg(capture->fd, headers, FRAMES, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
                if (read_frame(capture, &headers[i].msg_hdr, headers[i].msg_len, &frame))
                        keep(capture, &frame);
        return n < 0 ? 0 : (size_t)n;
}

static void *loop(void *arg)
{
        struct capture *capture = arg;
        struct pollfd polled[] = {{.fd = capture->wake_fd, .events = POLLIN}, {.fd = capture->fd, .events = POLLIN}};

        while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
                if (polled[0].revents)
                        break;
                if (receive(capture) == FRAMES)
                        (void)poll(polled, 1, REST_MS); /* the kernel throws away what does not fit meanwhile */
        }
        return NULL;
}

int capture_start(struct capture *capture, capture_owner *owner, void *arg, struct error *err)
{
        int r;

        capture->owner = owner;
        capture->arg = arg;
        r = pthread_create(&capture->thread, NULL, loop, capture);
        capture->running = r == 0;
        return r ? error_errno(err, r, "start a thread") : 0;
}

int capture_take(struct capture *capture, capture_visitor *visit, void *arg)
{
        uint8_t *taken = capture->pending;
        size_t n, size;
        int r = 0;

        pthread_mutex_lock(&capture->mutex);
        n = capture->n_pending;
        capture->pending = capture->taken;
        capture->taken = taken;
        capture->n_pending = 0;
        pthread_mutex_unlock(&capture->mutex);
        for (size_t at = 0; r >= 0 && at < n; at += RECORD_HEAD + size) {
                size = get_le32(taken + at + 6);
                r = visit(arg, taken + at, taken + at + RECORD_HEAD, size);
        }
        return r < 0 ? r : 0;
}

void capture_stop(struct capture *capture)
{
        const uint64_t one = 1;

        if (capture && capture->running && write(capture->wake_fd, &one, sizeof(one)) == sizeof(one)) {
                pthread_join(capture->thread, NULL);
                capture->running = false;
        }
}

struct capture *capture_free(struct capture *capture)
{
        if (!capture)
                return NULL;
        capture_stop(capture);
        close(capture->fd);
        close(capture->wake_fd);
        pthread_mutex_destroy(&capture->mutex);
        free(capture->pending);
        free(capture->taken);
        free(capture);
        return NULL;
}
