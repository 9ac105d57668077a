/* HTTP and HTTPS: files for UEFI HTTP Boot, iPXE and curl, and whatever else is
 * put on the same port as a route (`/metrics`, an API).
 *
 * As firmware wants it: HEAD is right, Content-Length is always there, nothing is
 * chunked, nothing redirects, connections stay open. Ranges are of one
 * piece; several are answered with the whole file, as RFC 9110 14.2 allows.
 *
 * http_server_open() binds and reads certificate and key, and may need
 * privileges; http_server_start() begins to serve and needs none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "serve/event.h"
#include "serve/files.h"

struct http_input;

struct http_request {
        const char *method; /* "GET", "HEAD", "POST"... */
        const char *path;   /* percent-decoded; begins with '/' */
        const char *body;   /* n bytes and a NUL; "" for GET */
        size_t body_len;
        uint32_t peer, server; /* addresses, host order */
        bool tls;
        const struct http_input *input; /* for http_header() and http_query() */
};
/* A header of the request, or an argument of its query, percent-decoded; NULL: it is not there. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);

struct http_answer {
        int status;               /* 200... */
        const char *content_type; /* static; NULL: text/plain */
        char *body;               /* malloc()ed, becomes the server's; NULL: empty */
        size_t body_len;
        struct file *file; /* instead of body: becomes the server's */
        const char *allow; /* static: for 405 */
};

/* What answers below a path. The first route that fits counts; paths that fit none are files. */
struct http_route {
        const char *path; /* "/metrics"; with '/' at its end all that begins so */
        /* Called from any thread of the server. Always answers. */
        void (*handle)(void *arg, const struct http_request *request, struct http_answer *answer);
        void *arg;
};

/* Zero means the default, given in brackets. */
struct http_options {
        uint32_t address;              /* host order; [any] */
        uint16_t port;                 /* [80, or 443 with a certificate] */
        bool any_port;                 /* one that the kernel chooses: for tests */
        const char *interface;         /* bind to this device; [all] */
        const char *certificate, *key; /* PEM files; both, or [plain HTTP] */
        unsigned int threads;          /* [as many as processors, at most 4] */
        unsigned int
                max_connections; /* of one address three quarters of them; [16384, and what the limit on fds allows] */
        unsigned int idle_sec;   /* a connection on which nothing moves is closed; [30] */
        const struct http_route *routes; /* borrowed until http_server_free() */
        size_t n_routes;
};

struct http_counters {
        uint64_t requests, errors; /* errors: answers of 400 and above */
        uint64_t bytes;            /* of bodies */
        uint64_t connections;      /* now */
};

struct http_server;

int http_server_open(const struct http_options *options, struct http_server **ret, struct error *err);
/* `files` (may be NULL: routes only) and `events` (may be NULL) are borrowed until http_server_free(). */
int http_server_start(struct http_server *server, const struct files *files, const struct event_sink *events,
                      struct error *err);
uint16_t http_server_port(const struct http_server *server);
void http_server_counters(const struct http_server *server, struct http_counters *ret);
struct http_server *http_server_free(struct http_server *server); /* returns NULL */
static inline void http_server_freep(struct http_server **server)
{
        *server = http_server_free(*server);
}
