/* What the files of the HTTP server share. Nothing outside http*.c includes this. */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <microhttpd.h>

#include "base/str.h"
#include "serve/http.h"

enum {
        HTTP_BODY_MAX = 4 << 20,          /* of a request */
        HTTP_CONNECTION_BYTES = 16 << 10, /* of a connection: its headers have room in it */
        HTTP_SMALL_FILE = 64 << 10,       /* one that is read whole and leaves with its headers */
};

struct http_server {
        struct http_options options;
        struct files files;
        bool has_files;
        const struct event_sink *events;
        char *certificate, *key; /* PEM; NULL: no TLS */
        int listener;            /* -1: the daemon's */
        uint16_t port;
        struct MHD_Daemon *daemon;
        struct {
                _Atomic uint64_t requests, errors, bytes, connections;
        } count;
};

/* Of a connection, while it lasts. */
struct http_peer {
        uint32_t address, server; /* host order */
};

/* A request and its answer. */
struct http_exchange {
        struct http_server *server;
        int64_t start_us;
        char *path;
        char method[16];
        struct http_peer peer;
        struct str body;
        bool too_large;
        char *why;      /* it is refused, for the operator */
        int status;     /* 0: not answered yet */
        uint64_t bytes; /* of the answer */
};

/* ---- http_answer.c: callbacks of libmicrohttpd ---- */
enum MHD_Result http_on_request(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_size, void **exchange);
void http_on_completed(void *server, struct MHD_Connection *connection, void **exchange,
                       enum MHD_RequestTerminationCode code);
/* ---- http_file.c ---- */
/* The file's answer to a request; *file becomes the answer's. *ret_status, *ret_bytes: what it is. */
struct MHD_Response *http_file_response(struct MHD_Connection *connection, const char *path, bool head,
                                        struct file **file, const char *type, int *ret_status, uint64_t *ret_bytes);
struct MHD_Response *http_text_response(char *text, size_t len, const char *type);
