/* Many TFTP clients in one process, with windows: for bench/serve-tftp and the tests.
 *
 *     tftp_load SERVER PORT FILE [clients=N] [blksize=N] [windowsize=N] [timeout=SECONDS] [check=COPY] [loss=N]
 *
 * They all begin at once, each from a port of its own, and acknowledge as RFC 1350 and 7440 want. A line at
 * the end: how many completed, bytes, seconds, MB/s of all together, and of the clients' seconds the least, the median
 * and the most. `check` compares each block with the same file here; `loss` drops every Nth packet that comes in. Exit
 * code 1: some client did not complete. */
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
#include "wire/tftp.h"

enum { BATCH = 64, PACKET = TFTP_BLKSIZE_MAX + TFTP_HEADER, RETRY_MS = 1000 };

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
};

struct client {
        int fd;
        bool begun, ended, failed;
        struct sockaddr_in peer; /* the port that the server chose */
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
        close(c->fd);
}

static void request(const struct load *load, struct client *c)
{
        uint8_t packet[TFTP_SMALL_PACKET];
        ssize_t n = tftp_put_rrq(packet, load->file, TFTP_OCTET, &load->terms);

        if (n > 0 &&
            sendto(c->fd, packet, (size_t)n, 0, (const struct sockaddr *)&load->server, sizeof(load->server)) < 0)
                perror("tftp_load: send");
}

static void acknowledge(struct client *c)
{
        uint8_t packet[TFTP_SMALL_PACKET];
        size_t n = tftp_put_ack(packet, (uint16_t)c->got);

        c->acked = c->got;
        if (sendto(c->fd, packet, n, 0, (struct sockaddr *)&c->peer, sizeof(c->peer)) < 0)
                perror("tftp_load: send");
}

static void take_oack(struct load *load, struct client *c, const struct tftp_packet *packet)
{
        if (c->got > 0)
                return;
        if (packet->terms.has_blksize)
                c->blksize = packet->terms.blksize;
        if (packet->terms.has_windowsize)
                c->windowsize = packet->terms.windowsize;
        (void)load;
        acknowledge(c);
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
                        acknowledge(c);
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
                acknowledge(c);
                finish(load, c, load->copy && c->bytes != load->copy_len ? "wrong size" : NULL);
        } else if (c->got - c->acked >= c->windowsize) {
                acknowledge(c);
        }
}

static void take_packet(struct load *load, struct client *c, const struct sockaddr_in *from, const void *data, size_t n)
{
        struct tftp_packet packet;

        if (tftp_parse(data, n, &packet) < 0 || (load->loss > 0 && ++load->packets % load->loss == 0))
                return;
        if (!c->begun)
                c->peer = *from;
        c->begun = true;
        if (from->sin_port != c->peer.sin_port)
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
                take_packet(load, c, &from[i], iov[i].iov_base, messages[i].msg_len);
}

static void receive(struct load *load, struct client *c)
{
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t n;

        if (c->windowsize > 1) {
                receive_window(load, c);
                return;
        }
        n = recvfrom(c->fd, load->buffers, PACKET, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
        if (n > 0)
                take_packet(load, c, &from, load->buffers, (size_t)n);
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
                        acknowledge(c);
                else
                        request(load, c);
        }
}

static int begin(struct load *load, struct client *c)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        int size = 1 << 20;

        c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->fd < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                return -errno;
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        c->blksize = TFTP_BLKSIZE;
        c->windowsize = 1;
        c->start = c->last = now();
        request(load, c);
        return 0;
}

static int run(struct load *load, struct client *clients)
{
        double start = now(), looked = start;

        for (unsigned int i = 0; i < load->clients; i++) {
                int r = begin(load, &clients[i]);

                if (r < 0)
                        return r;
        }
        load->left = load->clients;
        while (load->left > 0) {
                struct epoll_event events[256];
                int n = epoll_wait(load->epoll, events, 256, RETRY_MS / 4);

                for (int i = 0; i < n; i++) {
                        struct client *c = events[i].data.ptr;

                        if (!c->ended)
                                receive(load, c);
                }
                if (now() - looked > 0.25) {
                        retry(load, clients, start);
                        looked = now();
                }
        }
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
        } else {
                return strncmp(argument, "check=", 6) == 0 && map_copy(load, argument + 6);
        }
        return true;
}

int main(int argc, char **argv)
{
        struct load load = {.clients = 1, .timeout_sec = 120};
        struct client *clients;
        struct rlimit limit;
        double start;

        for (int i = 4; i < argc; i++) {
                if (!take_argument(&load, argv[i])) {
                        fprintf(stderr, "tftp_load: bad argument '%s'\n", argv[i]);
                        return 2;
                }
        }
        if (argc < 4 || load.clients == 0) {
                fprintf(stderr, "usage: tftp_load SERVER PORT FILE [clients=N] [blksize=N] [windowsize=N] ...\n");
                return 2;
        }
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        load.server = (struct sockaddr_in){.sin_family = AF_INET,
                                           .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                           .sin_addr.s_addr = inet_addr(argv[1])};
        load.file = argv[3];
        load.epoll = epoll_create1(EPOLL_CLOEXEC);
        load.buffers = xmalloc((size_t)BATCH * (PACKET + 256));
        clients = xcalloc(load.clients, sizeof(*clients));
        start = now();
        if (run(&load, clients) < 0) {
                perror("tftp_load");
                return 2;
        }
        report(&load, clients, now() - start);
        return load.failed > 0;
}
