/* An HTTP server over loopback, and a client whose requests are written out byte for byte. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/http.h"
#include "serve/http_text.h"
#include "serve/site_files.h"
#include "test.h"

enum { WAIT_MS = 10000 };

static struct {
        char folder[64];
        struct files files;
        struct event_sink events;
        struct http_server *server;
        _Atomic unsigned int seen[EVENT_KINDS];
        pthread_mutex_t mutex;
        struct str errors; /* their texts, a line each */
} lab = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static inline void note_event(void *arg, const struct event *event)
{
        (void)arg;
        pthread_mutex_lock(&lab.mutex);
        if (event->kind == EVENT_HTTP_ERROR)
                str_addf(&lab.errors, "%s\n", event->text);
        pthread_mutex_unlock(&lab.mutex);
        lab.seen[event->kind]++;
}

/* Wait until that many events were seen. */
static inline void await_events(enum event_kind kind, unsigned int n)
{
        for (int i = 0; i < WAIT_MS && lab.seen[kind] < n; i++)
                usleep(1000);
        assert_int_equal(lab.seen[kind], n);
}

static inline void assert_error(const char *text)
{
        pthread_mutex_lock(&lab.mutex);
        if (!strstr(str_get(&lab.errors), text))
                fail_msg("no error '%s' in '%s'", text, str_get(&lab.errors));
        pthread_mutex_unlock(&lab.mutex);
}

/* "/calls/..." is read by a function, as what lies in pieces in an image is. */
static inline ssize_t read_digits(struct file *file, void *buf, size_t n, uint64_t offset)
{
        n = n < 7 ? n : 7;
        for (size_t i = 0; i < n; i++)
                ((char *)buf)[i] = (char)('0' + (offset + i) % 10);
        return offset + n <= (uint64_t)file->mtime_sec ? (ssize_t)n : -EIO;
}

static inline void free_file(struct file *file)
{
        free(file);
}

static inline int open_file(void *arg, const struct file_request *request, struct file **ret, struct error *err)
{
        assert_int_equal(request->peer, INADDR_LOOPBACK);
        assert_int_equal(request->server, INADDR_LOOPBACK);
        if (!str_starts(request->path, "/calls/"))
                return folder_file_open(arg, request->path, ret, err);
        *ret = xmalloc(sizeof(**ret));
        /* mtime: how much of it can be read */
        **ret = (struct file){.size = 200000,
                              .fd = -1,
                              .mtime_sec = strcmp(request->path, "/calls/broken") == 0 ? 100000 : 1000000,
                              .read = read_digits,
                              .close = free_file};
        return 0;
}

static inline void answer(void *arg, const struct http_request *request, struct http_answer *answer)
{
        struct str text = {0};
        const char *query = http_query(request, "q"), *header = http_header(request, "X-Test");

        str_addf(&text, "%s|%s|%s|%s|%s|%zu", (const char *)arg, request->method, request->path, query ? query : "-",
                 header ? header : "-", request->body_len);
        answer->status = 201;
        answer->content_type = "text/html";
        answer->body_len = text.len;
        answer->body = str_steal(&text);
}

static char metrics[] = "metrics", api[] = "api";
static const struct http_route routes[] = {{"/metrics", answer, metrics}, {"/api/", answer, api}};

static inline void serve(struct http_options options)
{
        CLEANUP_ERROR struct error err = {0};

        options.any_port = true;
        options.routes = routes;
        options.n_routes = 2;
        if (http_server_open(&options, &lab.server, &err) < 0 ||
            http_server_start(lab.server, &lab.files, &lab.events, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static inline int teardown(void **state)
{
        (void)state;
        lab.server = http_server_free(lab.server);
        for (int i = 0; i < EVENT_KINDS; i++)
                lab.seen[i] = 0;
        str_clear(&lab.errors);
        return 0;
}

/* ---- the client ---- */

static inline int connect_to(uint16_t port)
{
        struct sockaddr_in to = {
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
        return fd;
}

struct reply {
        int status;
        struct str head, body;
        bool closed; /* before all of it came */
};

static inline void reply_clear(struct reply *reply)
{
        str_clear(&reply->head);
        str_clear(&reply->body);
}

static inline bool read_some(int fd, struct str *to, size_t max)
{
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        char buf[65536];
        ssize_t n;

        assert_int_equal(poll(&pollfd, 1, WAIT_MS), 1);
        n = recv(fd, buf, max < sizeof(buf) ? max : sizeof(buf), 0);
        if (n > 0)
                str_addn(to, buf, (size_t)n);
        return n > 0;
}

/* The value of a header; the caller frees. */
static inline char *header_of(const struct reply *reply, const char *name)
{
        CLEANUP_FREE char *line = xasprintf("\n%s: ", name);
        const char *at = strcasestr(str_get(&reply->head), line);

        return at ? xstrndup(at + strlen(line), strcspn(at + strlen(line), "\r")) : NULL;
}

static inline void read_reply(int fd, bool head_only, struct reply *reply)
{
        CLEANUP_FREE char *length = NULL, *chunked = NULL;
        size_t n;

        while (!reply->closed && !strstr(str_get(&reply->head), "\r\n\r\n"))
                reply->closed = !read_some(fd, &reply->head, 1);
        if (reply->closed)
                return;
        assert_int_equal(sscanf(str_get(&reply->head), "HTTP/1.%*d %d", &reply->status), 1);
        length = header_of(reply, "Content-Length");
        chunked = header_of(reply, "Transfer-Encoding");
        assert_non_null(length);
        assert_null(chunked);
        n = strtoul(length, NULL, 10);
        while (!head_only && !reply->closed && reply->body.len < n)
                reply->closed = !read_some(fd, &reply->body, n - reply->body.len);
}

static inline void send_text(int fd, const char *text)
{
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void ask(int fd, const char *method, const char *path, const char *headers, struct reply *reply)
{
        CLEANUP_FREE char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, headers);

        *reply = (struct reply){0};
        send_text(fd, text);
        read_reply(fd, strcmp(method, "HEAD") == 0, reply);
}

/* One request on a connection of its own: its status. */
static inline int status_of(const char *method, const char *path, const char *headers)
{
        CLEANUP(reply_clear) struct reply reply = {0};
        CLEANUP_CLOSE int fd = connect_to(http_server_port(lab.server));

        ask(fd, method, path, headers, &reply);
        return reply.closed ? -1 : reply.status;
}

static inline void assert_header(const struct reply *reply, const char *name, const char *want)
{
        CLEANUP_FREE char *value = header_of(reply, name);

        if (!want)
                assert_null(value);
        else if (!value || strcmp(value, want) != 0)
                fail_msg("%s: '%s' instead of '%s'", name, value ? value : "(none)", want);
}

/* ---- files ---- */

static inline char pattern_at(size_t i)
{
        return (char)(i * 7 + i / 512);
}

static inline void put_file(const char *name, size_t n)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = xmalloc(n + 1);

        for (size_t i = 0; i < n; i++)
                data[i] = pattern_at(i);
        assert_int_equal(file_write(path, data, n, 0644, NULL), 0);
}

static inline void assert_pattern(const struct str *body, size_t first, size_t n)
{
        assert_int_equal(body->len, n);
        for (size_t i = 0; i < n; i++)
                if (body->s[i] != pattern_at(first + i))
                        fail_msg("byte %zu is wrong", first + i);
}

/* ---- */

static inline int setup(void **state)
{
        CLEANUP_FREE char *fifo = NULL, *sub = NULL, *out = NULL;

        (void)state;
        strcpy(lab.folder, "/tmp/slipway-http.XXXXXX");
        assert_non_null(mkdtemp(lab.folder));
        lab.files = (struct files){open_file, lab.folder};
        lab.events = (struct event_sink){note_event, NULL};
        fifo = path_join(lab.folder, "fifo");
        sub = path_join(lab.folder, "sub");
        out = path_join(lab.folder, "out");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(mkdir(sub, 0755), 0);
        assert_int_equal(symlink("/etc/passwd", out), 0);
        return 0;
}

static inline int remove_all(void **state)
{
        (void)state;
        return tree_remove(lab.folder, NULL);
}
