/* Many HTTP connections in one process, kept open: for bench/serve-http.
 *
 *     http_load SERVER PORT PATH CONNECTIONS REQUESTS [hold]
 *
 * A line at the end: requests, bytes of bodies, seconds, MB/s, requests a second. Bodies are dropped in the kernel.
 * With "hold" each connection gets its headers and then reads nothing more; "held" is said when all have, and it waits
 * to be killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

struct connection {
        int fd;
        uint64_t left; /* of the body */
        size_t n_head;
        char head[4096];
};

struct load {
        char request[512];
        uint64_t to_begin, to_end, bytes;
};

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
        fprintf(stderr, "http_load: %s\n", what);
        exit(1);
}

static void begin(struct load *load, struct connection *c)
{
        if (load->to_begin == 0)
                return;
        load->to_begin--;
        c->n_head = 0;
        c->left = 0;
        if (send(c->fd, load->request, strlen(load->request), MSG_NOSIGNAL) != (ssize_t)strlen(load->request))
                die("a request cannot be sent");
}

static void end(struct load *load, struct connection *c)
{
        load->to_end--;
        begin(load, c);
}

/* What came with the headers counts as body. */
static void take_head(struct load *load, struct connection *c)
{
        ssize_t n = recv(c->fd, c->head + c->n_head, sizeof(c->head) - 1 - c->n_head, MSG_DONTWAIT);
        char *body, *length;

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0)
                die("a connection was closed");
        c->n_head += (size_t)n;
        c->head[c->n_head] = '\0';
        body = strstr(c->head, "\r\n\r\n");
        if (!body)
                return;
        length = strcasestr(c->head, "\nContent-Length: ");
        if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || !length)
                die("no 200 with a length");
        c->left = strtoull(length + 17, NULL, 10);
        load->bytes += c->left;
        c->left -= c->n_head - (size_t)(body + 4 - c->head);
        if (c->left == 0)
                end(load, c);
}

static void take_body(struct load *load, struct connection *c)
{
        ssize_t n = recv(c->fd, NULL, c->left < 1 << 20 ? c->left : 1 << 20, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0)
                die("a connection was closed in a body");
        c->left -= (uint64_t)n;
        if (c->left == 0)
                end(load, c);
}

/* Until each has begun to get its file. */
static void hold(struct load *load, int epoll, uint64_t n)
{
        for (uint64_t held = 0; held < n;) {
                struct epoll_event event;
                struct connection *c = epoll_wait(epoll, &event, 1, 10000) == 1 ? event.data.ptr : NULL;

                if (!c)
                        die("nothing comes any more");
                take_head(load, c);
                if (c->left == 0)
                        continue;
                epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
                held++;
        }
        printf("held\n");
        fflush(stdout);
        pause();
}

int main(int argc, char **argv)
{
        struct sockaddr_in server = {.sin_family = AF_INET};
        struct load load = {0};
        struct connection *connections;
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        uint64_t n, requests;
        double start, seconds;

        if (argc != 6 && argc != 7)
                die("usage: http_load SERVER PORT PATH CONNECTIONS REQUESTS [hold]");
        server.sin_addr.s_addr = inet_addr(argv[1]);
        server.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
        snprintf(load.request, sizeof(load.request), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[3]);
        n = strtoull(argv[4], NULL, 10);
        load.to_begin = load.to_end = requests = strtoull(argv[5], NULL, 10);
        connections = xcalloc(n, sizeof(*connections));
        for (uint64_t i = 0; i < n; i++) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};

                connections[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (connect(connections[i].fd, (struct sockaddr *)&server, sizeof(server)) < 0 ||
                    epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) < 0)
                        die("no connection");
        }
        start = now();
        for (uint64_t i = 0; i < n; i++)
                begin(&load, &connections[i]);
        if (argc == 7)
                hold(&load, epoll, n);
        while (load.to_end > 0) {
                struct epoll_event events[64];
                int ready = epoll_wait(epoll, events, 64, 10000);

                if (ready <= 0)
                        die("nothing comes any more");
                for (int i = 0; i < ready; i++) {
                        struct connection *c = events[i].data.ptr;

                        if (c->left > 0)
                                take_body(&load, c);
                        else
                                take_head(&load, c);
                }
        }
        seconds = now() - start;
        printf("requests=%llu bytes=%llu seconds=%.3f rate=%.1f requests_per_s=%.0f\n", (unsigned long long)requests,
               (unsigned long long)load.bytes, seconds, (double)load.bytes / seconds / 1e6, (double)requests / seconds);
        return 0;
}
