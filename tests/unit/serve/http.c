/* What the HTTP server answers. */
#include "http_lab.h"

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
                    {"GET", "/%252e%252e/etc/passwd", 404},
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

/* At once, not when the client has been silent for 30 s; and nothing wrong in place of what is gone. */
static void test_shrinks(void **state)
{
        CLEANUP_FREE char *path = path_join(lab.folder, "shrinks");
        CLEANUP(reply_clear) struct reply reply = {0};
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        put_file("shrinks", 64 << 20);
        serve((struct http_options){0});
        fd = connect_to(http_server_port(lab.server));
        send_text(fd, "GET /shrinks HTTP/1.1\r\nHost: x\r\n\r\n");
        while (!strstr(str_get(&reply.head), "\r\n\r\n"))
                assert_true(read_some(fd, &reply.head, 1));
        assert_int_equal(truncate(path, 1000), 0);
        while (read_some(fd, &reply.body, 1 << 20)) /* which waits 10 s at most */
                ;
        assert_true(reply.body.len < 64 << 20);
        await_events(EVENT_HTTP_ERROR, 1);
        assert_error("became shorter");
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

static void test_events_and_counters(void **state)
{
        struct http_counters counters;

        (void)state;
        put_file("file", 10);
        serve((struct http_options){0});
        assert_int_equal(status_of("GET", "/file", ""), 200);
        assert_int_equal(status_of("GET", "/nothing", ""), 404);
        await_events(EVENT_HTTP_ERROR, 1);
        assert_int_equal(lab.seen[EVENT_HTTP_START], 2);
        assert_int_equal(lab.seen[EVENT_HTTP_END], 1);
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
                cmocka_unit_test_teardown(test_events_and_counters, teardown),
                cmocka_unit_test_teardown(test_certificate_errors, teardown),
                cmocka_unit_test_teardown(test_text, teardown),
        };

        return cmocka_run_group_tests(tests, setup, remove_all);
}
