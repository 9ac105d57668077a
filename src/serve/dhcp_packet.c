/* Packet sockets of the DHCP server: IPv4 without ARP, ARP itself, ICMP echo,
 * and what other servers say. See dhcp_socket.h. RFC 791, 768, 826, 792. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "serve/dhcp_socket.h"

enum {
        IP_HEADER = 20,
        UDP_HEADER = 8,
        ARP_SIZE = 28,
        ARP_REQUEST = 1,
        ARP_REPLY = 2,
        ICMP_HEADER = 8,
        ICMP_ECHO_REQUEST = 8,
        ICMP_ECHO_REPLY = 0,
        ICMP_MARK = 0x5151, /* the identifier of our echoes */
        ICMP_FILTER_OPTION = 1,
};

static int open_packet(uint16_t protocol, const struct sock_filter *filter, size_t n, const char *what,
                       struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sock_fprog program = {(unsigned short)n, (struct sock_filter *)filter};
        struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};

        if (fd < 0)
                return error_errno(err, errno, "packet socket %s", what);
        /* The filter goes first: nothing else is to get in between. */
        if (filter && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return error_errno(err, errno, "packet socket %s", what);
        if (protocol && bind(fd, (struct sockaddr *)&all, sizeof(all)) < 0)
                return error_errno(err, errno, "packet socket %s", what);
        return steal_fd(&fd);
}

int dhcp_packet_open(struct error *err)
{
        return open_packet(0, NULL, 0, "for clients without an address", err);
}

int dhcp_arp_open(struct error *err)
{
        static const struct sock_filter replies[] = {
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* operation */
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARP_REPLY, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, ARP_SIZE),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };

        return open_packet(ETH_P_ARP, replies, sizeof(replies) / sizeof(replies[0]), "for ARP", err);
}

int dhcp_watch_open(struct error *err)
{
        static const struct sock_filter to_clients[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* offset of the fragment */
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
                BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* length of the IP header */
                BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),  /* both ports */
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_SERVER_PORT << 16 | DHCP_CLIENT_PORT, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, 0xffff),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };

        return open_packet(ETH_P_IP, to_clients, sizeof(to_clients) / sizeof(to_clients[0]), "for other servers", err);
}

/* ---- IPv4 and UDP ---- */

static uint32_t sum(uint32_t start, const uint8_t *p, size_t n)
{
        for (; n > 1; p += 2, n -= 2)
                start += get_be16(p);
        return n ? start + ((uint32_t)p[0] << 8) : start;
}

static uint16_t checksum(uint32_t total)
{
        while (total >> 16)
                total = (total & 0xffff) + (total >> 16);
        return (uint16_t)~total;
}

static void write_headers(const struct dhcp_outgoing *message, uint8_t p[IP_HEADER + UDP_HEADER])
{
        uint8_t *udp = p + IP_HEADER;
        size_t udp_size = UDP_HEADER + message->size;
        uint16_t check;

        memset(p, 0, IP_HEADER + UDP_HEADER);
        p[0] = 0x45;
        put_be16(p + 2, (uint16_t)(IP_HEADER + udp_size));
        p[8] = 64;
        p[9] = IPPROTO_UDP;
        put_be32(p + 12, message->from);
        put_be32(p + 16, message->to);
        put_be16(p + 10, checksum(sum(0, p, IP_HEADER)));
        put_be16(udp, message->from_port);
        put_be16(udp + 2, message->to_port);
        put_be16(udp + 4, (uint16_t)udp_size);
        check = checksum(sum(sum(sum(IPPROTO_UDP + (uint32_t)udp_size, p + 12, 8), udp, UDP_HEADER), message->bytes,
                             message->size));
        put_be16(udp + 6, check ? check : 0xffff);
}

static size_t send_some(int fd, const struct dhcp_outgoing *messages, size_t n)
{
        struct mmsghdr headers[DHCP_BATCH] = {0};
        struct iovec parts[DHCP_BATCH][2];
        struct sockaddr_ll to[DHCP_BATCH];
        uint8_t heads[DHCP_BATCH][IP_HEADER + UDP_HEADER];

        for (size_t i = 0; i < n; i++) {
                write_headers(&messages[i], heads[i]);
                to[i] = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                             .sll_protocol = htons(ETH_P_IP),
                                             .sll_ifindex = messages[i].ifindex,
                                             .sll_halen = 6};
                memcpy(to[i].sll_addr, messages[i].hw, 6);
                parts[i][0] = (struct iovec){heads[i], sizeof(heads[i])};
                parts[i][1] = (struct iovec){(void *)messages[i].bytes, messages[i].size};
                headers[i].msg_hdr = (struct msghdr){
                        .msg_name = &to[i], .msg_namelen = sizeof(to[i]), .msg_iov = parts[i], .msg_iovlen = 2};
        }
        return dhcp_send_all(fd, headers, n);
}

size_t dhcp_packet_send(int fd, const struct dhcp_outgoing *messages, size_t n)
{
        return dhcp_send_batches(fd, messages, n, send_some);
}

bool dhcp_watch_receive(int fd, struct dhcp_incoming *ret)
{
        uint8_t packet[IP_HEADER * 3 + UDP_HEADER + DHCP_SIZE_MAX];
        struct sockaddr_ll from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t n;

        while ((n = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len)) >= 0) {
                size_t size = (size_t)n, head = size ? (packet[0] & 15u) * 4 : 0;

                if (from.sll_pkttype == PACKET_OUTGOING || head < IP_HEADER || size < head + UDP_HEADER ||
                    size - head - UDP_HEADER > sizeof(ret->bytes))
                        continue;
                ret->source = get_be32(packet + 12);
                ret->destination = get_be32(packet + 16);
                ret->source_port = DHCP_SERVER_PORT;
                ret->port = DHCP_CLIENT_PORT;
                ret->ifindex = from.sll_ifindex;
                ret->size = size - head - UDP_HEADER;
                memcpy(ret->bytes, packet + head + UDP_HEADER, ret->size);
                return true;
        }
        return false;
}

/* ---- is somebody there? ---- */

bool dhcp_arp_ask(int fd, int ifindex, const uint8_t hw[6], uint32_t address)
{
        struct sockaddr_ll all = {
                .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = ifindex, .sll_halen = 6};
        uint8_t p[ARP_SIZE] = {0, 1, 8, 0, 6, 4, 0, ARP_REQUEST};

        memset(all.sll_addr, 0xff, 6);
        memcpy(p + 8, hw, 6); /* the sender's address stays 0: a probe claims nothing */
        put_be32(p + 24, address);
        return sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&all, sizeof(all)) == sizeof(p);
}

uint32_t dhcp_arp_receive(int fd)
{
        uint8_t p[ARP_SIZE];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), 0)) >= 0)
                if (n == ARP_SIZE && get_be16(p + 2) == ETH_P_IP && p[5] == 4 && get_be32(p + 14))
                        return get_be32(p + 14);
        return 0;
}

int dhcp_icmp_open(struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
        uint32_t others = ~(1u << ICMP_ECHO_REPLY);

        if (fd < 0 || setsockopt(fd, SOL_RAW, ICMP_FILTER_OPTION, &others, sizeof(others)) < 0)
                return error_errno(err, errno, "socket for ICMP");
        return steal_fd(&fd);
}

bool dhcp_icmp_ask(int fd, uint32_t address)
{
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
        uint8_t p[ICMP_HEADER] = {ICMP_ECHO_REQUEST};

        put_be16(p + 4, ICMP_MARK);
        put_be16(p + 2, checksum(sum(0, p, sizeof(p))));
        return sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(p);
}

uint32_t dhcp_icmp_receive(int fd)
{
        uint8_t p[128];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), 0)) >= 0) {
                size_t head = n > 0 ? (p[0] & 15u) * 4 : 0;

                if (head >= IP_HEADER && (size_t)n >= head + ICMP_HEADER && get_be16(p + head + 4) == ICMP_MARK)
                        return get_be32(p + 12);
        }
        return 0;
}
