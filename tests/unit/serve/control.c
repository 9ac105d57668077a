/* The control socket: requests and answers of several clients at once. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/control.h"

enum { MANY = 100, LARGE_LINES = 300000 };

static char folder[64];
static char *path;
static struct control *control;

/* "watch", "large", or anything else, which is said back. */
static bool handle(void *arg, const json_t *request, FILE *out)
{
        const char *what = json_string_value(json_object_get(request, "do"));

        (void)arg;
        fputs("{\"ok\":true}\n", out);
        if (str_eq(what, "watch"))
                return true;
        for (int i = 0; str_eq(what, "large") && i < LARGE_LINES; i++)
                fprintf(out, "{\"line\":%d}\n", i);
        fprintf(out, "{\"said\":\"%s\"}\n", what ? what : "");
        return false;
}

static int setup(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        strcpy(folder, "/tmp/slipway-control-XXXXXX");
        if (!mkdtemp(folder))
                return -1;
        path = path_join(folder, "control");
        if (control_open(path, &control, &err) < 0 || control_start(control, handle, NULL, &err) < 0)
                fail_msg("%s", error_message(&err));
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        control = control_free(control);
        free(path);
        return tree_remove(folder, NULL);
}

static int connected(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strcpy(address.sun_path, path);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void say(int fd, const char *text)
{
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static FILE *ask(const char *what)
{
        CLEANUP_ERROR struct error err = {0};
        FILE *stream = NULL;

        if (control_ask(path, json_pack("{s:s}", "do", what), &stream, &err) < 0)
                fail_msg("%s: %s", what, error_message(&err));
        return stream;
}

static void assert_said(FILE *stream, const char *what)
{
        json_t *line = control_line(stream);

        assert_string_equal(json_string_value(json_object_get(line, "said")), what);
        json_decref(line);
}

static void assert_answered(const char *what)
{
        FILE *stream = ask(what);

        assert_said(stream, what);
        assert_null(control_line(stream));
        fclose(stream);
}

/* All that comes until the end. */
static void assert_reads(int fd, const char *expected)
{
        char buf[256];
        size_t n = 0;
        ssize_t got;

        while (n < sizeof(buf) - 1 && (got = recv(fd, buf + n, sizeof(buf) - 1 - n, 0)) > 0)
                n += (size_t)got;
        buf[n] = '\0';
        assert_string_equal(buf, expected);
}

static void test_who_says_nothing_holds_nobody_up(void **state)
{
        int silent = connected(), slow = connected();
        char c;

        (void)state;
        say(slow, "{\"do\":");
        assert_answered("one");
        assert_answered("two");
        assert_int_equal(recv(silent, &c, 1, MSG_DONTWAIT), -1); /* it may still ask */
        assert_int_equal(errno, EAGAIN);
        say(slow, "\"slow\"}\n");
        assert_reads(slow, "{\"ok\":true}\n{\"said\":\"slow\"}\n");
        close(silent);
        close(slow);
}

static void test_nor_do_many(void **state)
{
        int fds[MANY];

        (void)state;
        for (int i = 0; i < MANY; i++)
                fds[i] = connected();
        assert_answered("one");
        for (int i = 0; i < MANY; i++)
                close(fds[i]);
        assert_answered("two");
}

static void test_who_does_not_read_holds_nobody_up(void **state)
{
        FILE *large = ask("large");

        (void)state;
        assert_answered("one");
        for (int i = 0; i < LARGE_LINES; i++) {
                json_t *line = control_line(large);

                assert_int_equal(json_integer_value(json_object_get(line, "line")), i);
                json_decref(line);
        }
        assert_said(large, "large");
        fclose(large);
}

static void test_what_is_no_request(void **state)
{
        static const char complaint[] = "{\"error\":\"a JSON object on a line was expected\"}\n";
        char buf[5000];
        int fd = connected();

        (void)state;
        say(fd, "hello\n");
        assert_reads(fd, complaint);
        close(fd);
        fd = connected();
        memset(buf, 'x', sizeof(buf));
        buf[sizeof(buf) - 1] = '\0';
        (void)!send(fd, buf, sizeof(buf), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        assert_answered("one");
        close(fd);
        fd = connected();
        say(fd, "{\"do\":");
        shutdown(fd, SHUT_WR); /* it ends in the middle */
        assert_reads(fd, complaint);
        close(fd);
}

static void test_watchers(void **state)
{
        FILE *watcher = ask("watch"), *gone = ask("watch");
        json_t *event = json_pack("{s:s}", "said", "event");

        (void)state;
        while (!control_watched(control))
                ;
        assert_answered("one"); /* and both are watchers by now */
        assert_answered("two");
        fclose(gone);
        control_broadcast(control, event);
        control_stop(control);
        control_broadcast(control, event);
        json_decref(event);
        assert_said(watcher, "event");
        assert_said(watcher, "event");
        control = control_free(control);
        assert_null(control_line(watcher));
        fclose(watcher);
}

static void test_two_servers(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct control *second = NULL;

        (void)state;
        assert_int_equal(control_open(path, &second, &err), -EADDRINUSE);
        assert_non_null(strstr(error_message(&err), "a server runs already"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_who_says_nothing_holds_nobody_up, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nor_do_many, setup, teardown),
                cmocka_unit_test_setup_teardown(test_who_does_not_read_holds_nobody_up, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_no_request, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watchers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_two_servers, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
