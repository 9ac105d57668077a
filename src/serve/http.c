/* The HTTP server as others see it: socket, certificate, libmicrohttpd's threads. */
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "serve/http_internal.h"
#include "serve/http_text.h"

enum {
        CONNECTIONS_MAX = 16384,
        FDS_OF_OTHERS = 256, /* of the program, that connections must leave */
        BACKLOG = 4096,
        PEM_MAX = 1 << 20,
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
        if (o->port == 0 && !o->any_port)
                o->port = o->certificate ? 443 : 80;
        if (o->max_connections == 0)
                o->max_connections = connections_allowed();
        if (o->max_connections < o->threads)
                o->max_connections = o->threads;
        if (o->idle_sec == 0)
                o->idle_sec = 30;
}

/* libmicrohttpd would only say that it does not start. */
static int check_pair(const struct http_server *server, const struct http_options *o, struct error *err)
{
        BIO *certificate_bio = BIO_new_mem_buf(server->certificate, -1), *key_bio = BIO_new_mem_buf(server->key, -1);
        X509 *certificate = PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, (void *)""); /* no question for a passphrase */
        int r = 0;

        if (!certificate)
                r = error_set(err, EINVAL, "'%s' is no certificate in PEM form", o->certificate);
        else if (!key)
                r = error_set(err, EINVAL, "'%s' is no private key in PEM form without a passphrase", o->key);
        else if (X509_check_private_key(certificate, key) != 1)
                r = error_set(err, EINVAL, "the key '%s' is not that of the certificate '%s'", o->key, o->certificate);
        EVP_PKEY_free(key);
        X509_free(certificate);
        BIO_free(key_bio);
        BIO_free(certificate_bio);
        return r;
}

static int read_certificate(struct http_server *server, const struct http_options *o, struct error *err)
{
        size_t n;
        int r;

        if (!o->certificate && !o->key)
                return 0;
        if (!o->certificate || !o->key)
                return error_set(err, EINVAL, "HTTPS needs both a certificate and its key");
        r = file_read(o->certificate, PEM_MAX, &server->certificate, &n, err);
        if (r == 0)
                r = file_read(o->key, PEM_MAX, &server->key, &n, err);
        return r < 0 ? r : check_pair(server, o, err);
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

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return error_errno(err, errno, "open a TCP socket");
        if (o->interface &&
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface, (socklen_t)strlen(o->interface)) < 0)
                return error_errno(err, errno, "bind to the interface '%s'", o->interface);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
                return error_errno(err, errno, "listen on TCP port %u of %s for HTTP%s", o->port,
                                   inet_ntoa(address.sin_addr), server->certificate ? "S" : "");
        if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
                return error_errno(err, errno, "look at a TCP socket");
        server->port = ntohs(address.sin_port);
        server->listener = steal_fd(&fd);
        return 0;
}

int http_server_open(const struct http_options *options, struct http_server **ret, struct error *err)
{
        CLEANUP(http_server_freep) struct http_server *server = xcalloc(1, sizeof(*server));
        int r;

        server->listener = -1;
        server->options = *options;
        set_defaults(&server->options);
        r = read_certificate(server, options, err);
        if (r == 0)
                r = listen_on(server, err);
        /* borrowed for the call only */
        server->options.certificate = server->options.key = server->options.interface = NULL;
        if (r == 0)
                *ret = steal(&server);
        return r;
}

/* ---- libmicrohttpd ---- */

static size_t on_unescape(void *arg, struct MHD_Connection *connection, char *text)
{
        (void)arg;
        (void)connection;
        return http_decode(text);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_server *server = arg;
        struct sockaddr_in peer = {0}, local = {0};
        socklen_t n_peer = sizeof(peer), n_local = sizeof(local);

        if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
                atomic_fetch_sub(&server->count.connections, 1);
                free(*context);
                *context = NULL;
                return;
        }
        atomic_fetch_add(&server->count.connections, 1);
        *context = xcalloc(1, sizeof(struct http_peer));
        if (info && getpeername(info->connect_fd, (struct sockaddr *)&peer, &n_peer) == 0 &&
            getsockname(info->connect_fd, (struct sockaddr *)&local, &n_local) == 0)
                *(struct http_peer *)*context =
                        (struct http_peer){ntohl(peer.sin_addr.s_addr), ntohl(local.sin_addr.s_addr)};
}

static void on_log(void *arg, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *format, va_list ap)
{
        char line[512];

        (void)arg;
        vsnprintf(line, sizeof(line), format, ap);
        log_debug("http: %s", line);
}

int http_server_start(struct http_server *server, const struct files *files, const struct event_sink *events,
                      struct error *err)
{
        const struct http_options *o = &server->options;
        unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ERROR_LOG;
        struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate},
                                       {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
                                       {MHD_OPTION_END, 0, NULL}};

        if (files)
                server->files = *files;
        server->has_files = files;
        server->events = events;
        server->daemon = MHD_start_daemon(
                server->certificate ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, http_on_request, server,
                MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, server->listener,
                MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? o->threads : 0, MHD_OPTION_CONNECTION_LIMIT,
                o->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_connections - o->max_connections / 4,
                MHD_OPTION_CONNECTION_TIMEOUT, o->idle_sec, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                (size_t)HTTP_CONNECTION_BYTES, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
                MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed,
                server, MHD_OPTION_ARRAY, server->certificate ? tls : tls + 2, MHD_OPTION_END);
        if (!server->daemon)
                return error_set(err, errno > 0 ? errno : EIO, "libmicrohttpd does not start to serve port %u",
                                 server->port);
        server->listener = -1;
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
        if (server->daemon)
                MHD_stop_daemon(server->daemon);
        close_p(&server->listener);
        if (server->key)
                explicit_bzero(server->key, strlen(server->key));
        free(server->certificate);
        free(server->key);
        free(server);
        return NULL;
}
