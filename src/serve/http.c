/* The HTTP server as others see it: socket, certificate, threads, counters. */
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/http_internal.h"

enum {
        CONNECTIONS_MAX = 16384,
        FDS_OF_OTHERS = 256, /* of the program, that connections must leave */
        BACKLOG = 4096,
};

/* ---- options ---- */

/* A connection may have a file open besides its socket. */
static unsigned int connections_allowed(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > CONNECTIONS_MAX + FDS_OF_OTHERS)
                return CONNECTIONS_MAX;
        return limit.rlim_cur > 4 * FDS_OF_OTHERS ? (unsigned int)limit.rlim_cur / 2 - FDS_OF_OTHERS : FDS_OF_OTHERS;
}

static void set_defaults(struct http_options *o)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);

        if (o->threads == 0)
                o->threads = processors < 1 ? 1 : processors > 4 ? 4 : (unsigned int)processors;
        if (o->threads > HTTP_THREADS_MAX)
                o->threads = HTTP_THREADS_MAX;
        if (o->port == 0 && !o->any_port)
                o->port = o->certificate ? 443 : 80;
        if (o->max_connections == 0)
                o->max_connections = connections_allowed();
        if (o->max_connections < o->threads)
                o->max_connections = o->threads;
        if (o->idle_sec == 0)
                o->idle_sec = 30;
}

/* ---- the socket ---- */

static int listen_on(struct http_server *server, struct error *err)
{
        const struct http_options *o = &server->options;
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(o->port), .sin_addr.s_addr = htonl(o->address)};
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t len = sizeof(address);
        int on = 1;

        /* Connections inherit TCP_NODELAY: the end of an answer does not wait for the client. */
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
                return error_errno(err, errno, "open a TCP socket");
        if (o->interface &&
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface, (socklen_t)strlen(o->interface)) < 0)
                return error_errno(err, errno, "bind to the interface '%s'", o->interface);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
                return error_errno(err, errno, "listen on TCP port %u of %s for HTTP%s", o->port,
                                   inet_ntoa(address.sin_addr), server->tls ? "S" : "");
        if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
                return error_errno(err, errno, "look at a TCP socket");
        server->port = ntohs(address.sin_port);
        server->listener = steal_fd(&fd);
        return 0;
}

/* ---- as others see it ---- */

static int open_all(struct http_server *server, const struct http_options *options, struct error *err)
{
        int r = 0;

        if (getrandom(&server->seed, sizeof(server->seed), 0) < 0)
                return error_errno(err, errno, "get a random number");
        if (options->certificate || options->key)
                r = http_tls_open(options->certificate, options->key, &server->tls, err);
        if (r == 0)
                r = listen_on(server, err);
        while (r == 0 && server->n_workers < server->options.threads)
                r = http_worker_open(server, &server->workers[server->n_workers++], err);
        return r;
}

int http_server_open(const struct http_options *options, struct http_server **ret, struct error *err)
{
        CLEANUP(http_server_freep) struct http_server *server = xcalloc(1, sizeof(*server));
        int r;

        server->listener = -1;
        server->options = *options;
        set_defaults(&server->options);
        r = open_all(server, options, err);
        /* borrowed for the call only */
        server->options.certificate = server->options.key = server->options.interface = NULL;
        if (r == 0)
                *ret = steal(&server);
        return r;
}

int http_server_start(struct http_server *server, const struct files *files, const struct event_sink *events,
                      struct error *err)
{
        if (files)
                server->files = *files;
        server->has_files = files;
        server->events = events;
        for (unsigned int i = 0; i < server->n_workers; i++) {
                struct http_worker *w = &server->workers[i];
                int r = pthread_create(&w->thread, NULL, http_worker_run, w);

                if (r != 0)
                        return error_errno(err, r, "start a thread for HTTP");
                w->started = true;
        }
        return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
        return server->port;
}

void http_server_counters(const struct http_server *server, struct http_counters *ret)
{
        *ret = (struct http_counters){server->count.requests, server->count.errors, server->count.bytes,
                                      server->count.connections};
}

struct http_server *http_server_free(struct http_server *server)
{
        if (!server)
                return NULL;
        atomic_store(&server->stopping, true);
        for (unsigned int i = 0; i < server->n_workers; i++)
                eventfd_write(server->workers[i].wake, 1);
        for (unsigned int i = 0; i < server->n_workers; i++)
                if (server->workers[i].started)
                        pthread_join(server->workers[i].thread, NULL);
        for (unsigned int i = 0; i < server->n_workers; i++)
                http_worker_free(&server->workers[i]);
        SSL_CTX_free(server->tls);
        close_p(&server->listener);
        free(server);
        return NULL;
}
