/* The TFTP server as others see it: sockets, threads, counters. Each thread
 * has a socket of its own at the same address and port (SO_REUSEPORT), and transfers of
 * its own, of which no other knows anything. */
#include "serve/tftp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "serve/tftp_internal.h"

static void set_defaults(struct tftp_options *o)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);

        if (o->threads == 0)
                o->threads = processors < 1 ? 1 : processors > 4 ? 4 : (unsigned int)processors;
        if (o->threads > TFTP_THREADS_MAX)
                o->threads = TFTP_THREADS_MAX;
        if (o->port == 0 && !o->any_port)
                o->port = TFTP_PORT;
        if (o->max_transfers == 0)
                o->max_transfers = 4096;
        if (o->requests_burst == 0)
                o->requests_burst = 256;
        if (o->requests_rate == 0)
                o->requests_rate = 32;
}

static int set_flag(int fd, int level, int option)
{
        int on = 1;

        return setsockopt(fd, level, option, &on, sizeof(on));
}

static int bind_to(const struct tftp_server *server, int fd, struct error *err)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(server->port),
                                      .sin_addr.s_addr = htonl(server->options.address)};
        const char *device = server->options.interface;

        if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
                return error_errno(err, errno, "bind to the interface '%s'", device);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return error_errno(err, errno, "bind UDP port %u of %s for TFTP", server->port,
                                   inet_ntoa(address.sin_addr));
        return 0;
}

/* Bound to server->port, or to one that the kernel chooses, which becomes server->port. */
static int bind_listener(struct tftp_server *server, int fd, struct error *err)
{
        struct sockaddr_in address = {0};
        socklen_t len = sizeof(address);
        int r;

        if (set_flag(fd, SOL_SOCKET, SO_REUSEPORT) < 0 || set_flag(fd, IPPROTO_IP, IP_PKTINFO) < 0)
                return error_errno(err, errno, "set up a UDP socket");
        r = bind_to(server, fd, err);
        if (r == 0 && getsockname(fd, (struct sockaddr *)&address, &len) < 0)
                return error_errno(err, errno, "look at a UDP socket");
        if (r == 0)
                server->port = ntohs(address.sin_port);
        return r;
}

/* Our threads share the port; with somebody else it must not be. */
static int check_free(const struct tftp_server *server, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd < 0 ? error_errno(err, errno, "open a UDP socket") : bind_to(server, fd, err);
}

static int worker_open(struct tftp_server *server, struct tftp_worker *w, struct error *err)
{
        w->server = server;
        w->stop.fd = server->stop;
        w->listener.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        w->mtu_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        w->handed.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        w->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (w->listener.fd < 0 || w->handed.fd < 0 || w->mtu_fd < 0 || w->epoll < 0)
                return error_errno(err, errno, "open a UDP socket");
        w->limit.burst = server->options.requests_burst;
        w->limit.rate = server->options.requests_rate;
        if (getrandom(&w->limit.seed, sizeof(w->limit.seed), 0) < 0)
                return error_errno(err, errno, "get a random number");
        w->batch = xmalloc(TFTP_BATCH_BYTES);
        w->received = xmalloc((size_t)TFTP_RECEIVE * TFTP_RECEIVE_BYTES);
        return bind_listener(server, w->listener.fd, err);
}

int tftp_server_open(const struct tftp_options *options, struct tftp_server **ret, struct error *err)
{
        CLEANUP(tftp_server_freep) struct tftp_server *server = xcalloc(1, sizeof(*server));
        int r = 0;

        server->options = *options;
        pthread_mutex_init(&server->lock, NULL);
        set_defaults(&server->options);
        if (server->options.interface)
                server->options.interface = xstrdup(server->options.interface);
        server->port = server->options.port;
        server->n_workers = server->options.threads;
        for (unsigned int i = 0; i < server->n_workers; i++)
                server->workers[i].listener.fd = server->workers[i].handed.fd = server->workers[i].epoll =
                        server->workers[i].mtu_fd = -1;
        server->stop = eventfd(0, EFD_CLOEXEC);
        if (server->stop < 0)
                return error_errno(err, errno, "make an eventfd");
        if (server->port != 0)
                r = check_free(server, err);
        for (unsigned int i = 0; i < server->n_workers && r == 0; i++)
                r = worker_open(server, &server->workers[i], err);
        if (r == 0)
                *ret = steal(&server);
        return r;
}

int tftp_server_start(struct tftp_server *server, const struct files *files, const struct event_sink *events,
                      struct error *err)
{
        server->files = *files;
        server->events = events;
        for (unsigned int i = 0; i < server->n_workers; i++) {
                struct tftp_worker *w = &server->workers[i];
                int r = pthread_create(&w->thread, NULL, tftp_worker_run, w);

                if (r != 0)
                        return error_errno(err, r, "start a thread for TFTP");
                w->started = true;
        }
        return 0;
}

uint16_t tftp_server_port(const struct tftp_server *server)
{
        return server->port;
}

void tftp_server_counters(const struct tftp_server *server, struct tftp_counters *ret)
{
        *ret = (struct tftp_counters){.active = atomic_load(&server->active)};
        for (unsigned int i = 0; i < server->n_workers; i++) {
                const struct tftp_worker *w = &server->workers[i];

                ret->requests += w->count.requests;
                ret->refused += w->count.refused;
                ret->limited += w->count.limited;
                ret->completed += w->count.completed;
                ret->probes += w->count.probes;
                ret->failed += w->count.failed;
                ret->bytes += w->count.bytes;
                ret->resent += w->count.resent;
        }
}

struct tftp_server *tftp_server_free(struct tftp_server *server)
{
        uint64_t stop = 1;

        if (!server)
                return NULL;
        if (server->stop >= 0 && write(server->stop, &stop, sizeof(stop)) < 0)
                return server; /* cannot be */
        for (unsigned int i = 0; i < server->n_workers; i++) {
                if (server->workers[i].started)
                        pthread_join(server->workers[i].thread, NULL);
                tftp_worker_free(&server->workers[i]);
        }
        tftp_spread_free(server);
        close_p(&server->stop);
        free((char *)server->options.interface);
        free(server);
        return NULL;
}
