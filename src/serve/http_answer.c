/* Requests of HTTP: each is a file's or a route's, and is answered in one go. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "serve/http_internal.h"
#include "serve/http_text.h"

static int64_t now_us(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const char *http_header(const struct http_request *request, const char *name)
{
        return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
        return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- events ---- */

static void emit(const struct http_exchange *x, enum event_kind kind, const char *text)
{
        struct event event = {.kind = kind,
                              .time_us = now_us(),
                              .address = x->peer.address,
                              .path = x->path,
                              .text = text,
                              .status = x->status,
                              .bytes = x->bytes};

        if (kind != EVENT_HTTP_START)
                event.duration_us = event.time_us - x->start_us;
        event_emit(x->server->events, &event);
}

static void emit_end(const struct http_exchange *x, enum MHD_RequestTerminationCode code)
{
        if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
                emit(x, EVENT_HTTP_ERROR, "the client fell silent");
        else if (code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
                emit(x, EVENT_HTTP_ERROR, "the server is stopping");
        else if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
                emit(x, EVENT_HTTP_ERROR, "the connection was closed");
        else
                emit(x, x->status < 400 ? EVENT_HTTP_END : EVENT_HTTP_ERROR, x->why ? x->why : x->method);
}

/* ---- answers ---- */

static enum MHD_Result respond(struct MHD_Connection *connection, struct http_exchange *x,
                               struct MHD_Response *response, int status)
{
        enum MHD_Result r;

        if (!response)
                return MHD_NO; /* closes the connection */
        x->status = status;
        if (status >= 400)
                atomic_fetch_add(&x->server->count.errors, 1);
        r = MHD_queue_response(connection, (unsigned int)status, response);
        MHD_destroy_response(response);
        return r;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, struct http_exchange *x, int status,
                                    const char *text, const char *allow)
{
        struct MHD_Response *response = http_text_response(xstrdup(text), strlen(text), NULL);

        x->bytes = strlen(text);
        if (response && allow)
                MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
        return respond(connection, x, response, status);
}

/* What is said is no more than the status means: paths of ours are not the client's business. */
static enum MHD_Result respond_error(struct MHD_Connection *connection, struct http_exchange *x, int r,
                                     const struct error *err)
{
        x->why = xstrdup(error_message(err));
        if (r == -ENOENT || r == -ENOTDIR)
                return respond_text(connection, x, MHD_HTTP_NOT_FOUND, "No such file.\n", NULL);
        if (r == -EACCES || r == -EPERM || r == -EISDIR)
                return respond_text(connection, x, MHD_HTTP_FORBIDDEN, "This is not served.\n", NULL);
        return respond_text(connection, x, MHD_HTTP_INTERNAL_SERVER_ERROR, "The server cannot read it.\n", NULL);
}

static bool is_head(const struct http_exchange *x)
{
        return strcmp(x->method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result respond_file(struct MHD_Connection *connection, struct http_exchange *x, struct file **file,
                                    const char *type)
{
        int status = 0;
        struct MHD_Response *response =
                http_file_response(connection, x->path, is_head(x), file, type, &status, &x->bytes);

        if (!response)
                return respond_text(connection, x, MHD_HTTP_INTERNAL_SERVER_ERROR, "The server cannot read it.\n",
                                    NULL);
        return respond(connection, x, response, status);
}

static enum MHD_Result answer_file(struct MHD_Connection *connection, struct http_exchange *x)
{
        CLEANUP(files_closep) struct file *file = NULL;
        CLEANUP_ERROR struct error err = {0};
        struct http_server *server = x->server;
        struct file_request request = {.protocol = server->certificate ? FILE_HTTPS : FILE_HTTP,
                                       .path = x->path,
                                       .peer = x->peer.address,
                                       .server = x->peer.server};
        int r;

        if (!is_head(x) && strcmp(x->method, MHD_HTTP_METHOD_GET) != 0)
                return respond_text(connection, x, MHD_HTTP_METHOD_NOT_ALLOWED, "Files are read with GET.\n",
                                    "GET, HEAD");
        if (!server->has_files)
                return respond_text(connection, x, MHD_HTTP_NOT_FOUND, "No such file.\n", NULL);
        r = files_open(&server->files, &request, &file, &err);
        return r < 0 ? respond_error(connection, x, r, &err) : respond_file(connection, x, &file, NULL);
}

static enum MHD_Result answer_route(struct MHD_Connection *connection, struct http_exchange *x,
                                    const struct http_route *route)
{
        struct http_request request = {.method = x->method,
                                       .path = x->path,
                                       .body = str_get(&x->body),
                                       .body_len = x->body.len,
                                       .peer = x->peer.address,
                                       .server = x->peer.server,
                                       .tls = x->server->certificate,
                                       .connection = connection};
        struct http_answer answer = {.status = MHD_HTTP_OK};
        struct MHD_Response *response;
        enum MHD_Result r;

        route->handle(route->arg, &request, &answer);
        if (answer.file) {
                r = respond_file(connection, x, &answer.file, answer.content_type);
                files_close(answer.file);
                return r;
        }
        x->bytes = is_head(x) ? 0 : answer.body_len;
        response = http_text_response(answer.body ? answer.body : xstrdup(""), answer.body_len, answer.content_type);
        if (response && answer.allow)
                MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer.allow);
        return respond(connection, x, response, answer.status);
}

static const struct http_route *find_route(const struct http_server *server, const char *path)
{
        for (size_t i = 0; i < server->options.n_routes; i++) {
                const struct http_route *route = &server->options.routes[i];

                if (str_ends(route->path, "/") ? str_starts(path, route->path) : str_eq(path, route->path))
                        return route;
        }
        return NULL;
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct http_exchange *x)
{
        const struct http_route *route = find_route(x->server, x->path);

        if (x->too_large)
                return respond_text(connection, x, MHD_HTTP_CONTENT_TOO_LARGE, "Too much was sent.\n", NULL);
        if (*x->path != '/')
                return respond_text(connection, x, MHD_HTTP_BAD_REQUEST, "A path begins with '/'.\n", NULL);
        return route ? answer_route(connection, x, route) : answer_file(connection, x);
}

/* ---- callbacks ---- */

static struct http_exchange *exchange_new(struct http_server *server, struct MHD_Connection *connection,
                                          const char *url, const char *method)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        struct http_exchange *x = xcalloc(1, sizeof(*x));

        x->server = server;
        x->start_us = now_us();
        x->path = xstrdup(http_target_path(url));
        snprintf(x->method, sizeof(x->method), "%s", method);
        if (info && info->socket_context)
                x->peer = *(struct http_peer *)info->socket_context;
        return x;
}

enum MHD_Result http_on_request(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_size, void **exchange)
{
        struct http_exchange *x = *exchange;

        (void)version;
        if (!x) { /* headers are there, the body is to come */
                *exchange = x = exchange_new(server, connection, url, method);
                atomic_fetch_add(&x->server->count.requests, 1);
                emit(x, EVENT_HTTP_START, x->method);
                return MHD_YES;
        }
        if (*upload_size > 0) {
                x->too_large = x->too_large || *upload_size > HTTP_BODY_MAX - x->body.len;
                if (!x->too_large)
                        str_addn(&x->body, upload, *upload_size);
                *upload_size = 0;
                return MHD_YES;
        }
        return answer(connection, x);
}

void http_on_completed(void *server, struct MHD_Connection *connection, void **exchange,
                       enum MHD_RequestTerminationCode code)
{
        struct http_exchange *x = *exchange;

        (void)server;
        (void)connection;
        if (!x)
                return;
        if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
                atomic_fetch_add(&x->server->count.bytes, x->bytes);
        else
                x->bytes = 0; /* not known how much of it went */
        emit_end(x, code);
        str_clear(&x->body);
        free(x->path);
        free(x->why);
        free(x);
        *exchange = NULL;
}
