/* The HTTP server over loopback, by requests written out byte for byte. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
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
} lab;

static void count_event(void *arg, const struct event *event)
{
        (void)arg;
        lab.seen[event->kind]++;
}

/* "/calls/..." is read by a function, as what lies in pieces in an image is. */
static ssize_t read_digits(struct file *file, void *buf, size_t n, uint64_t offset)
{
        n = n < 7 ? n : 7;
        for (size_t i = 0; i < n; i++)
                ((char *)buf)[i] = (char)('0' + (offset + i) % 10);
        return offset + n <= (uint64_t)file->mtime_sec ? (ssize_t)n : -EIO;
}

static void free_file(struct file *file)
{
        free(file);
}

static int open_file(void *arg, const struct file_request *request, struct file **ret, struct error *err)
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

static void answer(void *arg, const struct http_request *request, struct http_answer *answer)
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

static void serve(struct http_options options)
{
        CLEANUP_ERROR struct error err = {0};

        options.any_port = true;
        options.routes = routes;
        options.n_routes = 2;
        if (http_server_open(&options, &lab.server, &err) < 0 ||
            http_server_start(lab.server, &lab.files, &lab.events, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static int teardown(void **state)
{
        (void)state;
        lab.server = http_server_free(lab.server);
        for (int i = 0; i < EVENT_KINDS; i++)
                lab.seen[i] = 0;
        return 0;
}

/* ---- the client ---- */

static int connect_to(uint16_t port)
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

static void reply_clear(struct reply *reply)
{
        str_clear(&reply->head);
        str_clear(&reply->body);
}

static bool read_some(int fd, struct str *to, size_t max)
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
static char *header_of(const struct reply *reply, const char *name)
{
        CLEANUP_FREE char *line = xasprintf("\n%s: ", name);
        const char *at = strcasestr(str_get(&reply->head), line);

        return at ? xstrndup(at + strlen(line), strcspn(at + strlen(line), "\r")) : NULL;
}

static void read_reply(int fd, bool head_only, struct reply *reply)
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

static void send_text(int fd, const char *text)
{
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(int fd, const char *method, const char *path, const char *headers, struct reply *reply)
{
        CLEANUP_FREE char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, headers);

        *reply = (struct reply){0};
        send_text(fd, text);
        read_reply(fd, strcmp(method, "HEAD") == 0, reply);
}

/* One request on a connection of its own: its status. */
static int status_of(const char *method, const char *path, const char *headers)
{
        CLEANUP(reply_clear) struct reply reply = {0};
        CLEANUP_CLOSE int fd = connect_to(http_server_port(lab.server));

        ask(fd, method, path, headers, &reply);
        return reply.closed ? -1 : reply.status;
}

static void assert_header(const struct reply *reply, const char *name, const char *want)
{
        CLEANUP_FREE char *value = header_of(reply, name);

        if (!want)
                assert_null(value);
        else if (!value || strcmp(value, want) != 0)
                fail_msg("%s: '%s' instead of '%s'", name, value ? value : "(none)", want);
}

/* ---- files ---- */

static char pattern_at(size_t i)
{
        return (char)(i * 7 + i / 512);
}

static void put_file(const char *name, size_t n)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = xmalloc(n + 1);

        for (size_t i = 0; i < n; i++)
                data[i] = pattern_at(i);
        assert_int_equal(file_write(path, data, n, 0644, NULL), 0);
}

static void assert_pattern(const struct str *body, size_t first, size_t n)
{
        assert_int_equal(body->len, n);
        for (size_t i = 0; i < n; i++)
                if (body->s[i] != pattern_at(first + i))
                        fail_msg("byte %zu is wrong", first + i);
}

static void test_get_and_head(void **state)
{
        static const size_t sizes[] = {0, 1, 70000, 3000000};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) { /* all on one connection */
                CLEANUP(reply_clear) struct reply head = {0}, get = {0};
                CLEANUP_FREE char *length = xasprintf("%zu", sizes[i]);

                put_file("file.efi", sizes[i]);
                ask(fd, "HEAD", "/file.efi", "", &head);
                assert_int_equal(head.status, 200);
                assert_header(&head, "Content-Length", length);
                assert_header(&head, "Content-Type", "application/efi");
                assert_header(&head, "Accept-Ranges", "bytes");
                assert_header(&head, "Connection", NULL);
                ask(fd, "GET", "/file.efi", "", &get);
                assert_int_equal(get.status, 200);
                assert_header(&get, "Content-Length", length);
                assert_pattern(&get.body, 0, sizes[i]);
        }
}

static void check_range(int fd, const char *range, int status, const char *content_range, size_t first, size_t n)
{
        CLEANUP_FREE char *header = xasprintf("Range: %s\r\n", range);
        CLEANUP(reply_clear) struct reply reply = {0};

        ask(fd, "GET", "/ranges", header, &reply);
        assert_int_equal(reply.status, status);
        assert_header(&reply, "Content-Range", content_range);
        if (status < 400)
                assert_pattern(&reply.body, first, n);
}

static void test_ranges(void **state)
{
        CLEANUP_CLOSE int fd = -1;
        CLEANUP(reply_clear) struct reply reply = {0};

        (void)state;
        put_file("ranges", 200000);
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        check_range(fd, "bytes=0-0", 206, "bytes 0-0/200000", 0, 1);
        check_range(fd, "bytes=100-199999", 206, "bytes 100-199999/200000", 100, 199900);
        check_range(fd, "bytes=100-", 206, "bytes 100-199999/200000", 100, 199900);
        check_range(fd, "bytes=199999-300000", 206, "bytes 199999-199999/200000", 199999, 1);
        check_range(fd, "bytes=-10", 206, "bytes 199990-199999/200000", 199990, 10);
        check_range(fd, "bytes=-1000000", 206, "bytes 0-199999/200000", 0, 200000);
        check_range(fd, "bytes=200000-", 416, "bytes */200000", 0, 0);
        check_range(fd, "bytes=-0", 416, "bytes */200000", 0, 0);
        check_range(fd, "bytes=0-1,5-6", 200, NULL, 0, 200000);
        check_range(fd, "bytes=9-1", 200, NULL, 0, 200000);
        check_range(fd, "bytes=x", 200, NULL, 0, 200000);
        check_range(fd, "lines=0-1", 200, NULL, 0, 200000);
        check_range(fd, "bytes=0-99999999999999999999", 200, NULL, 0, 200000);
        ask(fd, "GET", "/ranges", "Range: bytes=0-1\r\nIf-Range: \"another\"\r\n", &reply);
        assert_int_equal(reply.status, 200);
        assert_pattern(&reply.body, 0, 200000);
}

static void test_refused(void **state)
{
        static const struct {
                const char *method, *path;
                int status;
        } rows[] = {{"GET", "/nothing", 404},
                    {"HEAD", "/nothing", 404},
                    {"GET", "/", 404},
                    {"GET", "/%2e%2e/etc/passwd", 403},
                    {"GET", "/..%2fetc/passwd", 403},
                    {"GET", "/..%5cetc/passwd", 403},
                    {"GET", "/sub/../../etc/passwd", 403},
                    {"GET", "//etc/passwd", 404},
                    {"GET", "/file%00.efi", 404},
                    {"GET", "/%", 404},
                    {"GET", "/%zz", 404},
                    {"GET", "/sub", 403},
                    {"GET", "/out", 403},
                    {"GET", "/fifo", 403},
                    {"PUT", "/file", 405},
                    {"POST", "/file", 405},
                    {"DELETE", "/file", 405},
                    {"OPTIONS", "*", 400},
                    {"GET", "http://elsewhere/a%20file", 200},
                    {"GET", "/a%20file?v=1", 200},
                    {"GET", "/SUB/A", 200}};

        (void)state;
        put_file("a file", 10);
        put_file("sub/a", 10);
        serve((struct http_options){0});
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                int status = status_of(rows[i].method, rows[i].path, "");

                if (status != rows[i].status)
                        fail_msg("%s %s: %d", rows[i].method, rows[i].path, status);
        }
}

static void test_reasons_are_plain(void **state)
{
        CLEANUP(reply_clear) struct reply reply = {0};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        ask(fd, "GET", "/<script>", "", &reply);
        assert_header(&reply, "Content-Type", "text/plain");
        assert_null(strstr(str_get(&reply.body), "<"));
        assert_null(strstr(str_get(&reply.body), lab.folder));
}

static void test_file_by_calls(void **state)
{
        CLEANUP(reply_clear) struct reply whole = {0}, part = {0}, broken = {0};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        ask(fd, "GET", "/calls/whole", "", &whole);
        assert_int_equal(whole.body.len, 200000);
        assert_memory_equal(whole.body.s + 199990, "0123456789", 10);
        ask(fd, "GET", "/calls/whole", "Range: bytes=5-14\r\n", &part);
        assert_string_equal(str_get(&part.body), "5678901234");
        ask(fd, "GET", "/calls/broken", "", &broken); /* no wrong bytes in place of those that cannot be read */
        assert_true(broken.closed);
        assert_true(broken.body.len <= 100000);
}

/* libmicrohttpd waits for bytes that are gone, as for a slow client: the connection ends, and nothing wrong was sent.
 */
static void test_shrinks(void **state)
{
        CLEANUP_FREE char *path = path_join(lab.folder, "shrinks");
        CLEANUP(reply_clear) struct reply reply = {0};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        put_file("shrinks", 64 << 20);
        serve((struct http_options){.idle_sec = 1});
        fd = connect_to(http_server_port(lab.server));
        send_text(fd, "GET /shrinks HTTP/1.1\r\nHost: x\r\n\r\n");
        while (!strstr(str_get(&reply.head), "\r\n\r\n"))
                assert_true(read_some(fd, &reply.head, 1));
        assert_int_equal(truncate(path, 1000), 0);
        while (read_some(fd, &reply.body, 1 << 20))
                ;
        assert_true(reply.body.len < 64 << 20);
        assert_int_equal(status_of("GET", "/shrinks", ""), 200);
}

/* ---- routes ---- */

static void test_routes(void **state)
{
        CLEANUP(reply_clear) struct reply a = {0}, b = {0};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        ask(fd, "GET", "/metrics?q=a%20b%26", "X-Test: yes\r\n", &a);
        assert_int_equal(a.status, 201);
        assert_string_equal(str_get(&a.body), "metrics|GET|/metrics|a b&|yes|0");
        assert_header(&a, "Content-Type", "text/html");
        send_text(fd, "POST /api/boots HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        read_reply(fd, false, &b);
        assert_string_equal(str_get(&b.body), "api|POST|/api/boots|-|-|5");
}

static void test_large_body(void **state)
{
        CLEANUP_CLOSE int fd = -1;
        CLEANUP(reply_clear) struct reply reply = {0};
        static char piece[65536];

        (void)state;
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        send_text(fd, "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6553600\r\n\r\n");
        for (int i = 0; i < 100; i++)
                assert_int_equal(send(fd, piece, sizeof(piece), MSG_NOSIGNAL), sizeof(piece));
        read_reply(fd, false, &reply);
        assert_int_equal(reply.status, 413);
}

/* ---- bad clients ---- */

static void test_bad_requests(void **state)
{
        CLEANUP_FREE char *long_line = xmalloc(70000), *request = NULL, *path = NULL;
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        put_file("file", 10);
        serve((struct http_options){0});
        memset(long_line, 'a', 69999);
        long_line[69999] = '\0';
        request = xasprintf("X-Long: %s\r\n", long_line);
        path = xasprintf("/%s", long_line);
        assert_in_range(status_of("GET", "/file", request), 400, 499);
        assert_in_range(status_of("GET", path, ""), 400, 499);
        for (int i = 0; i < 4; i++) {
                static const char *const texts[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
                                                    "GET / HTTP/9.9\r\n\r\n"};

                fd = connect_to(http_server_port(lab.server));
                send_text(fd, texts[i]);
                close_p(&fd);
        }
        assert_int_equal(status_of("GET", "/file", ""), 200);
}

static void test_silent_client_is_dropped(void **state)
{
        CLEANUP_CLOSE int fd = -1;
        struct str rest = {0};

        (void)state;
        put_file("file", 10);
        serve((struct http_options){.idle_sec = 1});
        fd = connect_to(http_server_port(lab.server));
        send_text(fd, "GET /fi");
        while (read_some(fd, &rest, 1000)) /* an error, or nothing; then the end */
                ;
        str_clear(&rest);
        assert_int_equal(status_of("GET", "/file", ""), 200);
}

/* Thousands that connect and say nothing do not keep others out. */
static void test_idle_connections(void **state)
{
        struct rlimit limit;
        struct http_counters counters;
        int *fds, n = 10000;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < 2 * 10000 + 1000) /* both ends are ours */
                n = (int)limit.rlim_cur / 2 - 1000;
        if (n < 100)
                skip();
        put_file("file", 10);
        serve((struct http_options){.max_connections = 16000});
        fds = xcalloc((size_t)n, sizeof(*fds));
        for (int i = 0; i < n; i++)
                fds[i] = connect_to(http_server_port(lab.server));
        assert_int_equal(status_of("GET", "/file", ""), 200);
        http_server_counters(lab.server, &counters);
        assert_true(counters.connections >= (uint64_t)n - 100);
        for (int i = 0; i < n; i++)
                close(fds[i]);
        assert_int_equal(status_of("GET", "/file", ""), 200);
        free(fds);
}

static void test_events_and_counters(void **state)
{
        struct http_counters counters;

        (void)state;
        put_file("file", 10);
        serve((struct http_options){0});
        assert_int_equal(status_of("GET", "/file", ""), 200);
        assert_int_equal(status_of("GET", "/nothing", ""), 404);
        for (int i = 0; i < WAIT_MS && lab.seen[EVENT_HTTP_ERROR] == 0; i++)
                usleep(1000);
        assert_int_equal(lab.seen[EVENT_HTTP_START], 2);
        assert_int_equal(lab.seen[EVENT_HTTP_END], 1);
        assert_int_equal(lab.seen[EVENT_HTTP_ERROR], 1);
        http_server_counters(lab.server, &counters);
        assert_int_equal(counters.requests, 2);
        assert_int_equal(counters.errors, 1);
}

/* ---- certificates ---- */

static void test_certificate_errors(void **state)
{
        CLEANUP_FREE char *text = path_join(lab.folder, "no.pem");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(file_write(text, "no\n", 3, 0600, NULL), 0);
        assert_int_equal(
                http_server_open(&(struct http_options){.any_port = true, .certificate = text}, &lab.server, &err),
                -EINVAL);
        assert_int_equal(http_server_open(&(struct http_options){.any_port = true, .certificate = text, .key = text},
                                          &lab.server, &err),
                         -EINVAL);
        assert_non_null(strstr(error_message(&err), "certificate"));
        assert_int_equal(
                http_server_open(&(struct http_options){.any_port = true, .certificate = "/nowhere", .key = text},
                                 &lab.server, &err),
                -ENOENT);
}

static void test_text(void **state)
{
        char text[] = "/a%2Fb%2e%%41%4";

        (void)state;
        assert_int_equal(http_decode(text), 9);
        assert_string_equal(text, "/a/b.%A%4");
        assert_string_equal(http_target_path("http://host/x"), "/x");
        assert_string_equal(http_target_path("http://host"), "/");
        assert_string_equal(http_content_type("a.ISO"), "application/vnd.efi-iso");
        assert_string_equal(http_content_type(".efi"), "application/octet-stream");
}

/* ---- */

static int setup(void **state)
{
        CLEANUP_FREE char *fifo = NULL, *sub = NULL, *out = NULL;

        (void)state;
        strcpy(lab.folder, "/tmp/slipway-http.XXXXXX");
        assert_non_null(mkdtemp(lab.folder));
        lab.files = (struct files){open_file, lab.folder};
        lab.events = (struct event_sink){count_event, NULL};
        fifo = path_join(lab.folder, "fifo");
        sub = path_join(lab.folder, "sub");
        out = path_join(lab.folder, "out");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(mkdir(sub, 0755), 0);
        assert_int_equal(symlink("/etc/passwd", out), 0);
        return 0;
}

static int remove_all(void **state)
{
        (void)state;
        return tree_remove(lab.folder, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_get_and_head, teardown),
                cmocka_unit_test_teardown(test_ranges, teardown),
                cmocka_unit_test_teardown(test_refused, teardown),
                cmocka_unit_test_teardown(test_reasons_are_plain, teardown),
                cmocka_unit_test_teardown(test_file_by_calls, teardown),
                cmocka_unit_test_teardown(test_shrinks, teardown),
                cmocka_unit_test_teardown(test_routes, teardown),
                cmocka_unit_test_teardown(test_large_body, teardown),
                cmocka_unit_test_teardown(test_bad_requests, teardown),
                cmocka_unit_test_teardown(test_silent_client_is_dropped, teardown),
                cmocka_unit_test_teardown(test_idle_connections, teardown),
                cmocka_unit_test_teardown(test_events_and_counters, teardown),
                cmocka_unit_test(test_certificate_errors),
                cmocka_unit_test(test_text),
        };

        return cmocka_run_group_tests(tests, setup, remove_all);
}
