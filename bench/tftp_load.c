/* Many TFTP clients in one process, with windows: for bench/serve-tftp and the tests.
 *
 *     tftp_load SERVER PORT FILE [clients=N] [blksize=N] [windowsize=N] [timeout=SECONDS] [check=COPY] [loss=N]
 *               [interface=NAME address=IPV4]
 *
 * They all begin at once, each from a port of its own, and acknowledge as RFC 1350 and 7440 want. A line at
 * the end: how many completed, bytes, seconds, MB/s of all together, and of the clients' seconds the least, the median
 * and the most. `check` compares each block with the same file here; `loss` drops every Nth packet that comes in. Exit
 * code 1: some client did not complete.
 *
 * Each client has a socket; or, given an interface and an address that nobody has, all of them are ports of one host
 * made here (segment.h). A client then costs so little that servers of many at once are measured rather than itself.
 * That is for windows of one block, since only these come as they were on the wire. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "segment.h"
#include "wire/tftp.h"

enum {
        BATCH = 64,
        PACKET = TFTP_BLKSIZE_MAX + TFTP_HEADER,
        RETRY_MS = 1000,
        FIRST_PORT = 20000, /* of the host made here */
        CLIENTS_MAX = 40000,
};

struct load {
        struct sockaddr_in server;
        const char *file;
        unsigned int clients, timeout_sec, loss;
        struct tftp_terms terms;
        const uint8_t *copy; /* what is served, or NULL */
        size_t copy_len;
        int epoll;
        unsigned int left, failed;
        uint64_t bytes, packets, retries;
        uint8_t *buffers;
        const char *interface; /* NULL: sockets */
        uint32_t address;
        struct segment segment;
};

struct client {
        int fd;        /* or -1, and ... */
        uint16_t port; /* ... its port of the segment's host */
        bool begun, ended, failed;
        uint16_t peer_port; /* that the server chose */
        unsigned int blksize, windowsize;
        uint64_t got; /* blocks in order */
        uint64_t acked;
        uint64_t bytes;
        bool gap; /* told already */
        double start, end, last;
};

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void finish(struct load *load, struct client *c, const char *why)
{
        c->ended = true;
        c->end = now();
        c->failed = why;
        load->left--;
        if (why) {
                load->failed++;
                fprintf(stderr, "tftp_load: after %llu bytes: %s\n", (unsigned long long)c->bytes, why);
        }
        if (c->fd >= 0)
                close(c->fd);
}

static void send_to(struct load *load, const struct client *c, uint16_t port, const void *packet, size_t n)
{
        struct sockaddr_in to = load->server;

        if (load->interface) {
                segment_send(&load->segment, c->port, port, packet, n);
                return;
        }
        to.sin_port = htons(port);
        if (sendto(c->fd, packet, n, 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
                perror("tftp_load: send");
}

static void request(struct load *load, struct client *c)
{
        uint8_t packet[TFTP_SMALL_PACKET];
        ssize_t n = tftp_put_rrq(packet, load->file, TFTP_OCTET, &load->terms);

        if (n > 0)
                send_to(load, c, ntohs(load->server.sin_port), packet, (size_t)n);
}

static void acknowledge(struct load *load, struct client *c)
{
        uint8_t packet[TFTP_SMALL_PACKET];
        size_t n = tftp_put_ack(packet, (uint16_t)c->got);

        c->acked = c->got;
        send_to(load, c, c->peer_port, packet, n);
}

static void take_oack(struct load *load, struct client *c, const struct tftp_packet *packet)
{
        if (c->got > 0)
                return;
        if (packet->terms.has_blksize)
                c->blksize = packet->terms.blksize;
        if (packet->terms.has_windowsize)
                c->windowsize = packet->terms.windowsize;
        acknowledge(load, c);
}

static bool is_right(const struct load *load, const struct client *c, const struct tftp_packet *packet)
{
        if (!load->copy)
                return true;
        return packet->n_data <= load->copy_len - c->bytes &&
               memcmp(load->copy + c->bytes, packet->data, packet->n_data) == 0;
}

static void take_data(struct load *load, struct client *c, const struct tftp_packet *packet)
{
        if (packet->block != (uint16_t)(c->got + 1)) {
                /* What was lost is told once; a duplicate of what is there is not answered. */
                if (!c->gap && c->windowsize > 1 && (uint16_t)(packet->block - (uint16_t)c->got) <= c->windowsize) {
                        c->gap = true;
                        acknowledge(load, c);
                }
                return;
        }
        if (!is_right(load, c, packet)) {
                finish(load, c, "wrong content");
                return;
        }
        c->gap = false;
        c->got++;
        c->bytes += packet->n_data;
        load->bytes += packet->n_data;
        if (packet->n_data < c->blksize) {
                acknowledge(load, c);
                finish(load, c, load->copy && c->bytes != load->copy_len ? "wrong size" : NULL);
        } else if (c->got - c->acked >= c->windowsize) {
                acknowledge(load, c);
        }
}

/* From this port of the server. */
static void take_packet(struct load *load, struct client *c, uint16_t from, const void *data, size_t n)
{
        struct tftp_packet packet;

        if (tftp_parse(data, n, &packet) < 0 || (load->loss > 0 && ++load->packets % load->loss == 0))
                return;
        if (!c->begun)
                c->peer_port = from;
        c->begun = true;
        if (from != c->peer_port)
                return;
        c->last = now();
        if (packet.opcode == TFTP_DATA)
                take_data(load, c, &packet);
        else if (packet.opcode == TFTP_OACK)
                take_oack(load, c, &packet);
        else if (packet.opcode == TFTP_ERROR)
                finish(load, c, packet.text);
}

static void receive_window(struct load *load, struct client *c)
{
        static struct mmsghdr messages[BATCH];
        static struct iovec iov[BATCH];
        static struct sockaddr_in from[BATCH];
        size_t slot = (size_t)c->blksize + TFTP_HEADER + 256;
        int n;

        for (int i = 0; i < BATCH; i++) {
                iov[i] = (struct iovec){load->buffers + (size_t)i * slot, slot};
                messages[i].msg_hdr = (struct msghdr){
                        .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &iov[i], .msg_iovlen = 1};
        }
        n = recvmmsg(c->fd, messages, c->windowsize < BATCH ? c->windowsize : BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n && !c->ended; i++)
                take_packet(load, c, ntohs(from[i].sin_port), iov[i].iov_base, messages[i].msg_len);
}

static void receive(struct load *load, struct client *c)
{
        struct sockaddr_in from = {0};
        socklen_t len = sizeof(from);
        ssize_t n;

        if (c->windowsize > 1) {
                receive_window(load, c);
                return;
        }
        n = recvfrom(c->fd, load->buffers, PACKET, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
        if (n > 0)
                take_packet(load, c, ntohs(from.sin_port), load->buffers, (size_t)n);
}

static void retry(struct load *load, struct client *clients, double start)
{
        double t = now();

        for (unsigned int i = 0; i < load->clients; i++) {
                struct client *c = &clients[i];

                if (!c->ended && t - start > load->timeout_sec)
                        finish(load, c, "time is over");
                if (c->ended || t - c->last < RETRY_MS / 1000.0)
                        continue;
                c->last = t;
                c->gap = false;
                load->retries++;
                if (c->begun)
                        acknowledge(load, c);
                else
                        request(load, c);
        }
}

static int open_port(struct load *load, struct client *c)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        int size = 1 << 20;

        c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->fd < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                return -errno;
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        return 0;
}

static int begin(struct load *load, struct client *clients, unsigned int i)
{
        struct client *c = &clients[i];
        int r;

        c->fd = -1;
        c->port = (uint16_t)(FIRST_PORT + i);
        c->blksize = TFTP_BLKSIZE;
        c->windowsize = 1;
        r = load->interface ? 0 : open_port(load, c);
        if (r < 0)
                return r;
        c->start = c->last = now();
        request(load, c);
        return 0;
}

static void wait_for_sockets(struct load *load)
{
        struct epoll_event events[256];
        int n = epoll_wait(load->epoll, events, 256, RETRY_MS / 4);

        for (int i = 0; i < n; i++) {
                struct client *c = events[i].data.ptr;

                if (!c->ended)
                        receive(load, c);
        }
}

static void wait_for_frames(struct load *load, struct client *clients)
{
        struct frame frame;

        segment_flush(&load->segment);
        segment_wait(&load->segment, RETRY_MS / 4);
        for (unsigned int i = 0; i < SEGMENT_BATCH && segment_next(&load->segment, &frame); i++) {
                unsigned int who = (unsigned int)frame.to_port - FIRST_PORT;

                if (who < load->clients && !clients[who].ended)
                        take_packet(load, &clients[who], frame.from_port, frame.data, frame.n);
        }
}

static int run(struct load *load, struct client *clients)
{
        double start = now(), looked = start;

        for (unsigned int i = 0; i < load->clients; i++) {
                int r = begin(load, clients, i);

                if (r < 0)
                        return r;
        }
        load->left = load->clients;
        while (load->left > 0) {
                if (load->interface)
                        wait_for_frames(load, clients);
                else
                        wait_for_sockets(load);
                if (now() - looked > 0.25) {
                        retry(load, clients, start);
                        looked = now();
                }
        }
        if (load->interface)
                segment_flush(&load->segment);
        return 0;
}

static int by_number(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

static void report(const struct load *load, const struct client *clients, double seconds)
{
        double *times = xcalloc(load->clients, sizeof(*times));

        for (unsigned int i = 0; i < load->clients; i++)
                times[i] = clients[i].end - clients[i].start;
        qsort(times, load->clients, sizeof(*times), by_number);
        printf("completed=%u/%u bytes=%llu seconds=%.3f rate=%.1f min=%.3f median=%.3f max=%.3f retries=%llu\n",
               load->clients - load->failed, load->clients, (unsigned long long)load->bytes, seconds,
               (double)load->bytes / seconds / 1e6, times[0], times[load->clients / 2], times[load->clients - 1],
               (unsigned long long)load->retries);
        free(times);
}

static bool take_number(const char *argument, const char *name, unsigned int *ret)
{
        size_t n = strlen(name);

        if (strncmp(argument, name, n) != 0 || argument[n] != '=')
                return false;
        *ret = (unsigned int)strtoul(argument + n + 1, NULL, 10);
        return true;
}

static bool map_copy(struct load *load, const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return false;
        load->copy_len = (size_t)st.st_size;
        load->copy = st.st_size == 0 ? (const void *)"" : mmap(NULL, load->copy_len, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        return load->copy != MAP_FAILED;
}

static bool take_argument(struct load *load, const char *argument)
{
        unsigned int value;

        if (take_number(argument, "clients", &load->clients) || take_number(argument, "timeout", &load->timeout_sec) ||
            take_number(argument, "loss", &load->loss))
                return true;
        if (take_number(argument, "blksize", &value)) {
                load->terms.has_blksize = true;
                load->terms.blksize = (uint16_t)value;
        } else if (take_number(argument, "windowsize", &value)) {
                load->terms.has_windowsize = value > 1;
                load->terms.windowsize = (uint16_t)value;
        } else if (strncmp(argument, "interface=", 10) == 0) {
                load->interface = argument + 10;
        } else if (strncmp(argument, "address=", 8) == 0) {
                load->address = ntohl(inet_addr(argument + 8));
        } else {
                return strncmp(argument, "check=", 6) == 0 && map_copy(load, argument + 6);
        }
        return true;
}

static bool sensible(const struct load *load)
{
        if (load->clients == 0 || load->clients > CLIENTS_MAX)
                return false;
        return !load->interface || (load->address != 0 && !load->terms.has_windowsize &&
                                    load->terms.blksize <= SEGMENT_DATAGRAM_MAX - TFTP_HEADER);
}

static int open_ports(struct load *load, struct error *err)
{
        struct rlimit limit;

        if (load->interface)
                return segment_open(&load->segment, load->interface, load->address, ntohl(load->server.sin_addr.s_addr),
                                    (size_t)load->clients * 2, err);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        load->epoll = epoll_create1(EPOLL_CLOEXEC);
        load->buffers = xmalloc((size_t)BATCH * (PACKET + 256));
        return load->epoll < 0 ? error_errno(err, errno, "make an epoll") : 0;
}

int main(int argc, char **argv)
{
        static struct load load = {.clients = 1, .timeout_sec = 120};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE struct client *clients = NULL;
        double start;

        for (int i = 4; i < argc; i++) {
                if (!take_argument(&load, argv[i])) {
                        fprintf(stderr, "tftp_load: bad argument '%s'\n", argv[i]);
                        return 2;
                }
        }
        if (argc < 4 || !sensible(&load)) {
                fprintf(stderr, "usage: tftp_load SERVER PORT FILE [clients=N] [blksize=N] [windowsize=N] ...\n");
                return 2;
        }
        load.server = (struct sockaddr_in){.sin_family = AF_INET,
                                           .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                           .sin_addr.s_addr = inet_addr(argv[1])};
        load.file = argv[3];
        if (open_ports(&load, &err) < 0) {
                fprintf(stderr, "tftp_load: %s\n", error_message(&err));
                return 2;
        }
        clients = xcalloc(load.clients, sizeof(*clients));
        start = now();
        if (run(&load, clients) < 0) {
                perror("tftp_load");
                return 2;
        }
        report(&load, clients, now() - start);
        return load.failed > 0;
}
