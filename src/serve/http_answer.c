/* What a request is answered with: each is a route's or a file's. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/http_internal.h"
#include "serve/http_text.h"

const char *http_header(const struct http_request *request, const char *name)
{
        return http_input_header(request->input, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
        return http_input_argument(request->input, name);
}

static void answer_text(struct http_connection *c, int status, const char *text, const char *allow)
{
        http_reply_text(&c->reply, &c->in, status, text, strlen(text), &(struct http_content){.allow = allow});
}

/* What is said is no more than the status means: paths of ours are not the client's business. */
static void answer_error(struct http_connection *c, int r, const char *why)
{
        c->why = xstrdup(why);
        if (r == -ENOENT || r == -ENOTDIR)
                answer_text(c, HTTP_STATUS_NOT_FOUND, "No such file.\n", NULL);
        else if (r == -EACCES || r == -EPERM || r == -EISDIR)
                answer_text(c, HTTP_STATUS_FORBIDDEN, "This is not served.\n", NULL);
        else
                answer_text(c, HTTP_STATUS_INTERNAL_SERVER_ERROR, "The server cannot read it.\n", NULL);
}

static void answer_with(struct http_connection *c, struct file **file, const char *type)
{
        int r = http_reply_file(&c->reply, &c->in, file, type);

        if (r < 0)
                answer_error(c, r, strerror(-r));
}

static void answer_file(struct http_connection *c)
{
        CLEANUP(files_closep) struct file *file = NULL;
        CLEANUP_ERROR struct error err = {0};
        const struct http_server *server = c->worker->server;
        struct file_request request = {.protocol = server->tls ? FILE_HTTPS : FILE_HTTP,
                                       .path = c->in.path,
                                       .peer = c->peer,
                                       .server = c->server};
        int r;

        if (!str_eq(c->in.method, "GET") && !str_eq(c->in.method, "HEAD")) {
                answer_text(c, HTTP_STATUS_METHOD_NOT_ALLOWED, "Files are read with GET.\n", "GET, HEAD");
                return;
        }
        r = server->has_files ? files_open(&server->files, &request, &file, &err)
                              : error_set(&err, ENOENT, "no files are served here");
        if (r < 0)
                answer_error(c, r, error_message(&err));
        else
                answer_with(c, &file, http_content_type(c->in.path));
}

static void answer_route(struct http_connection *c, const struct http_route *route)
{
        struct http_request request = {.method = c->in.method,
                                       .path = c->in.path,
                                       .body = str_get(&c->in.body),
                                       .body_len = c->in.body.len,
                                       .peer = c->peer,
                                       .server = c->server,
                                       .tls = c->ssl,
                                       .input = &c->in};
        struct http_answer answer = {.status = HTTP_STATUS_OK};

        route->handle(route->arg, &request, &answer);
        if (answer.file)
                answer_with(c, &answer.file, answer.content_type ? answer.content_type : http_content_type(c->in.path));
        else
                http_reply_text(&c->reply, &c->in, answer.status, answer.body ? answer.body : "", answer.body_len,
                                &(struct http_content){answer.content_type, answer.allow});
        files_close(answer.file);
        free(answer.body);
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

void http_answer(struct http_connection *c)
{
        const struct http_route *route;

        if (c->in.refused == HTTP_STATUS_PAYLOAD_TOO_LARGE)
                answer_text(c, c->in.refused, "Too much was sent.\n", NULL);
        else if (c->in.refused != 0)
                answer_text(c, c->in.refused, "This is no request that can be answered.\n", NULL);
        else if (*c->in.path != '/')
                answer_text(c, HTTP_STATUS_BAD_REQUEST, "A path begins with '/'.\n", NULL);
        else if ((route = find_route(c->worker->server, c->in.path)))
                answer_route(c, route);
        else
                answer_file(c);
}
