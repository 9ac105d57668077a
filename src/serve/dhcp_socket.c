/* UDP sockets of the DHCP server: see dhcp_socket.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "serve/dhcp_socket.h"

enum { RECEIVE_BUFFER = 8 << 20, NAMES_MS = 2000 };

const char *dhcp_interface_name(struct dhcp_interfaces *interfaces, int ifindex, int64_t now_ms)
{
        char name[IF_NAMESIZE];

        if (now_ms >= interfaces->until_ms) {
                interfaces->n = 0;
                interfaces->until_ms = now_ms + NAMES_MS;
        }
        for (size_t i = 0; i < interfaces->n; i++)
                if (interfaces->v[i].ifindex == ifindex)
                        return interfaces->v[i].name;
        if (!if_indextoname((unsigned)ifindex, name))
                return "?";
        if (interfaces->n == sizeof(interfaces->v) / sizeof(interfaces->v[0]))
                interfaces->n = 0;
        interfaces->v[interfaces->n].ifindex = ifindex;
        memcpy(interfaces->v[interfaces->n].name, name, sizeof(name));
        return interfaces->v[interfaces->n++].name;
}

/* A larger buffer than the system allows others is asked for first: a hall
 * of machines that are switched on together gathers here. */
static void enlarge_buffer(int fd)
{
        int size = RECEIVE_BUFFER;

        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int dhcp_udp_open(uint16_t port, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
        int on = 1;

        if (fd < 0)
                return error_errno(err, errno, "UDP port %d", port);
        /* SO_REUSEADDR: beside a server that is bound to another interface, as libvirt's are. */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
            setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
                return error_errno(err, errno, "UDP port %d", port);
        enlarge_buffer(fd);
        if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
                return error_errno(err, errno, "UDP port %d", port);
        return steal_fd(&fd);
}

/* ---- receiving ---- */

union control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void read_origin(struct msghdr *header, struct dhcp_incoming *message)
{
        const struct sockaddr_in *from = header->msg_name;

        message->source = ntohl(from->sin_addr.s_addr);
        message->source_port = ntohs(from->sin_port);
        message->ifindex = 0;
        message->our = message->destination = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                struct in_pktinfo info;

                if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
                        continue;
                memcpy(&info, CMSG_DATA(c), sizeof(info));
                message->ifindex = info.ipi_ifindex;
                message->our = ntohl(info.ipi_spec_dst.s_addr);
                message->destination = ntohl(info.ipi_addr.s_addr);
        }
}

size_t dhcp_udp_receive(int fd, uint16_t port, struct dhcp_incoming *messages, size_t max)
{
        struct mmsghdr headers[DHCP_BATCH] = {0};
        struct iovec buffers[DHCP_BATCH];
        struct sockaddr_in from[DHCP_BATCH];
        union control control[DHCP_BATCH];
        int n;

        max = max < DHCP_BATCH ? max : DHCP_BATCH;
        for (size_t i = 0; i < max; i++) {
                buffers[i] = (struct iovec){messages[i].bytes, sizeof(messages[i].bytes)};
                headers[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                     .msg_namelen = sizeof(from[i]),
                                                     .msg_iov = &buffers[i],
                                                     .msg_iovlen = 1,
                                                     .msg_control = &control[i],
                                                     .msg_controllen = sizeof(control[i])};
        }
        n = recvmmsg(fd, headers, (unsigned)max, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
                messages[i].size = headers[i].msg_len;
                messages[i].port = port;
                messages[i].probes = 0;
                read_origin(&headers[i].msg_hdr, &messages[i]);
        }
        return n < 0 ? 0 : (size_t)n;
}

/* ---- sending ---- */

size_t dhcp_send_all(int fd, struct mmsghdr *headers, size_t n)
{
        size_t refused = 0;

        for (size_t done = 0; done < n;) {
                int sent = sendmmsg(fd, headers + done, (unsigned)(n - done), 0);

                if (sent <= 0) { /* the first of them is the one that cannot go */
                        sent = 1;
                        refused++;
                }
                done += (size_t)sent;
        }
        return refused;
}

size_t dhcp_send_batches(int fd, const struct dhcp_outgoing *messages, size_t n, dhcp_send_batch *send_batch)
{
        size_t refused = 0;

        for (size_t i = 0; i < n; i += DHCP_BATCH)
                refused += send_batch(fd, messages + i, n - i < DHCP_BATCH ? n - i : DHCP_BATCH);
        return refused;
}

static void set_source(struct msghdr *header, union control *control, const struct dhcp_outgoing *message)
{
        struct in_pktinfo info = {.ipi_ifindex = message->ifindex, .ipi_spec_dst.s_addr = htonl(message->from)};
        struct cmsghdr *c;

        memset(control, 0, sizeof(*control));
        header->msg_control = control;
        header->msg_controllen = sizeof(*control);
        c = CMSG_FIRSTHDR(header);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
}

static size_t send_some(int fd, const struct dhcp_outgoing *messages, size_t n)
{
        struct mmsghdr headers[DHCP_BATCH] = {0};
        struct iovec buffers[DHCP_BATCH];
        struct sockaddr_in to[DHCP_BATCH];
        union control control[DHCP_BATCH];

        for (size_t i = 0; i < n; i++) {
                to[i] = (struct sockaddr_in){.sin_family = AF_INET,
                                             .sin_port = htons(messages[i].to_port),
                                             .sin_addr.s_addr = htonl(messages[i].to)};
                buffers[i] = (struct iovec){(void *)messages[i].bytes, messages[i].size};
                headers[i].msg_hdr = (struct msghdr){
                        .msg_name = &to[i], .msg_namelen = sizeof(to[i]), .msg_iov = &buffers[i], .msg_iovlen = 1};
                set_source(&headers[i].msg_hdr, &control[i], &messages[i]);
        }
        return dhcp_send_all(fd, headers, n);
}

size_t dhcp_udp_send(int fd, const struct dhcp_outgoing *messages, size_t n)
{
        return dhcp_send_batches(fd, messages, n, send_some);
}

bool dhcp_interface_hw(const char *interface, uint8_t hw[6])
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {0};

        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
        if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0 || request.ifr_hwaddr.sa_family != 1)
                return false;
        memcpy(hw, request.ifr_hwaddr.sa_data, 6);
        return true;
}
