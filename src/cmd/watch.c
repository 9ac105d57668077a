/* slipway watch: every boot as it happens. On a terminal a list of machines
 * that is drawn again, elsewhere a line for each event. */
#include "cmd/cmd.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/vec.h"
#include "cmd/server.h"
#include "serve/control.h"

struct options {
        struct server_options server;
        bool lines;
};

static const struct option_spec specs[] = {
        {"lines", OPTION_BOOL, offsetof(struct options, lines), NULL, NULL, "a line for each event on a terminal too"},
        SERVER_OPTIONS(struct options, server),
};

enum { DRAW_MS = 250, IDLE_MS = 2000 };

/* ---- lines ---- */

static int print_event(void *arg, json_t *event)
{
        CLEANUP_FREE char *text = str_printable(server_text(event, "text")),
                          *path = str_printable(server_text(event, "path"));
        int64_t us = json_integer_value(json_object_get(event, "time_us"));
        char when[32];

        (void)arg;
        server_time(us / 1000000, when, sizeof(when));
        printf("%s.%03d  %-17s  %-15s  %-12s  %s%s%s", when, (int)(us / 1000 % 1000), server_text(event, "mac"),
               server_text(event, "address"), server_text(event, "event"), path, *path && *text ? ": " : "", text);
        if (json_object_get(event, "bytes"))
                printf("  %" PRId64 " bytes", (int64_t)json_integer_value(json_object_get(event, "bytes")));
        if (*server_text(event, "client"))
                printf("  (%s on %s)", server_text(event, "client"), server_text(event, "platform"));
        putchar('\n');
        fflush(stdout);
        return 0;
}

/* ---- the screen ---- */

struct screen {
        VEC(json_t *) machines;
};

static int collect(void *arg, json_t *machine)
{
        struct screen *screen = arg;

        if (json_object_get(machine, "last_us"))
                vec_push(&screen->machines, json_incref(machine));
        return 0;
}

static int newest_first(const void *a, const void *b)
{
        json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "last_us"));
        json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "last_us"));

        return (y > x) - (y < x);
}

static void draw_machine(const json_t *machine, int64_t now_us)
{
        static const struct {
                const char *state, *color;
        } colors[] = {{"up", "32"}, {"stopped", "31"}, {"booting", "33"}};
        CLEANUP_FREE char *name = str_printable(*server_text(machine, "machine") ? server_text(machine, "machine")
                                                                                 : server_text(machine, "mac"));
        const char *color = "0", *state = server_text(machine, "state");
        int64_t since = now_us - json_integer_value(json_object_get(machine, "started_us"));

        for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
                if (strcmp(colors[i].state, state) == 0)
                        color = colors[i].color;
        printf("%-18s %-15s %-12s \033[%sm%-8s\033[0m %4" PRId64 " s  %" PRId64 " files\033[K\n", name,
               server_text(machine, "address"), server_text(machine, "platform"), color, state, since / 1000000,
               (int64_t)json_integer_value(json_object_get(machine, "files")));
        if (*server_text(machine, "diagnosis")) {
                CLEANUP_FREE char *diagnosis = str_printable(server_text(machine, "diagnosis"));

                printf("    %s\033[K\n", diagnosis);
        }
}

static int draw(const struct server_options *options, struct error *err)
{
        struct screen screen = {0};
        struct winsize window;
        struct timespec now;
        int r = server_ask(options, json_pack("{s:s}", "do", "machines"), collect, &screen, err);

        clock_gettime(CLOCK_REALTIME, &now);
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row == 0) /* as some say that do not know it */
                window.ws_row = 24;
        if (screen.machines.n > 0)
                qsort(screen.machines.v, screen.machines.n, sizeof(screen.machines.v[0]), newest_first);
        printf("\033[H%-18s %-15s %-12s %-8s %6s\033[K\n", "MACHINE", "ADDRESS", "PLATFORM", "STATE", "SINCE");
        for (size_t i = 0; i < screen.machines.n; i++) {
                if ((i + 1) * 2 < window.ws_row)
                        draw_machine(screen.machines.v[i], (int64_t)now.tv_sec * 1000000);
                json_decref(screen.machines.v[i]);
        }
        fputs("\033[J", stdout);
        fflush(stdout);
        vec_free(&screen.machines);
        return r;
}

/* What is read of the stream is only that something happened. False: the server is gone. */
static bool wait_for_news(int fd)
{
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        char buf[65536];

        if (poll(&polled, 1, IDLE_MS) <= 0)
                return true;
        (void)poll(NULL, 0, DRAW_MS); /* for what comes with it */
        return read(fd, buf, sizeof(buf)) > 0;
}

static int screen(const struct server_options *options, struct error *err)
{
        CLEANUP_FCLOSE FILE *stream = NULL;
        int r = control_ask(server_control(options), json_pack("{s:s}", "do", "watch"), &stream, err);

        if (r < 0)
                return r;
        fputs("\033[2J", stdout);
        do {
                r = draw(options, err);
        } while (r == 0 && wait_for_news(fileno(stream)));
        return r;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        int exit_code = 0, r, next = options_parse_count(command, argc, argv, &options, 0, 0, &exit_code);

        if (next < 0)
                return exit_code;
        if (isatty(STDOUT_FILENO) && !options.lines && !options.server.json)
                r = screen(&options.server, &err);
        else
                r = server_ask(&options.server, json_pack("{s:s}", "do", "watch"), print_event, NULL, &err);
        return r < 0 ? command_fail(&err) : 0;
}

const struct command command_watch = {
        .name = "watch",
        .arguments = "",
        .summary = "Show every boot as it happens",
        .help = "  On a terminal a list of machines, what they boot and where they stopped; in a\n"
                "  pipe, or with -lines, a line for each event.",
        OPTIONS(specs),
        .run = run,
};
