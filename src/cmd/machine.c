/* slipway machine: machines that the running server knows, and their boots. */
#include "cmd/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/server.h"

struct options {
        struct server_options server;
        bool last;
};

static const struct option_spec specs[] = {
        {"last", OPTION_BOOL, offsetof(struct options, last), NULL, NULL, "show: the last boot only"},
        SERVER_LIST_OPTIONS(struct options, server),
};

static const char *const *verb_names(void)
{
        static const char *const names[] = {"ls", "show", "pcap", NULL};

        return names;
}

static int print_machine(void *arg, json_t *machine)
{
        bool *titled = arg;
        int64_t last = json_integer_value(json_object_get(machine, "last_us"));
        CLEANUP_FREE char *name = str_printable(server_text(machine, "machine")),
                          *diagnosis = str_printable(server_text(machine, "diagnosis"));
        char when[32] = "";

        if (!*titled)
                printf("%-16s  %-17s  %-15s  %-12s  %-8s  %s\n", "NAME", "MAC", "ADDRESS", "PLATFORM", "STATE", "LAST");
        *titled = true;
        if (last)
                server_time(last / 1000000, when, sizeof(when));
        printf("%-16s  %-17s  %-15s  %-12s  %-8s  %s\n", name, server_text(machine, "mac"),
               server_text(machine, "address"), server_text(machine, "platform"), server_text(machine, "state"), when);
        if (*diagnosis)
                printf("    %s\n", diagnosis);
        return 0;
}

static int print_boot(void *arg, json_t *boot)
{
        json_t *stage;
        size_t i;
        char when[32];

        (void)arg;
        server_time(json_integer_value(json_object_get(boot, "started_us")) / 1000000, when, sizeof(when));
        printf("%s  %s  %s  %s  %s\n", when, server_text(boot, "mac"), server_text(boot, "address"),
               server_text(boot, "platform"), server_text(boot, "state"));
        json_array_foreach(json_object_get(boot, "stages"), i, stage)
        {
                json_int_t ms = json_integer_value(json_object_get(stage, "ms"));
                json_int_t times = json_integer_value(json_object_get(stage, "times"));
                CLEANUP_FREE char *text = str_printable(server_text(stage, "text"));

                printf("  %5" PRId64 ".%03" PRId64 "  %s", (int64_t)ms / 1000, (int64_t)ms % 1000, text);
                if (times > 1)
                        printf(" (%" PRId64 " times)", (int64_t)times);
                putchar('\n');
        }
        if (*server_text(boot, "diagnosis")) {
                CLEANUP_FREE char *diagnosis = str_printable(server_text(boot, "diagnosis"));

                printf("  stopped: %s\n", diagnosis);
        }
        return 0;
}

static int ls(const void *arg, char **arguments, struct error *err)
{
        const struct options *options = arg;
        bool titled = false;

        (void)arguments;
        return server_ask(&options->server, json_pack("{s:s}", "do", "machines"), print_machine, &titled, err);
}

static int show(const void *arg, char **arguments, struct error *err)
{
        const struct options *options = arg;

        return server_ask(&options->server,
                          json_pack("{s:s, s:s, s:b}", "do", "machine", "name", arguments[0], "last", options->last),
                          print_boot, NULL, err);
}

static int digit(char c)
{
        return c <= '9' ? c - '0' : c - 'a' + 10;
}

static int write_bytes(void *arg, json_t *line)
{
        const char *hex = server_text(line, "pcapng");

        (void)arg;
        for (; hex[0] && hex[1]; hex += 2)
                putchar(digit(hex[0]) << 4 | digit(hex[1]));
        return 0;
}

static int pcap(const void *arg, char **arguments, struct error *err)
{
        const struct options *options = arg;

        if (isatty(STDOUT_FILENO) && !options->server.json && !options->server.output)
                return error_set(err, EINVAL, "packets are not for a terminal: slipway machine pcap %s >FILE.pcapng",
                                 arguments[0]);
        return server_ask(&options->server, json_pack("{s:s, s:s}", "do", "packets", "name", arguments[0]), write_bytes,
                          NULL, err);
}

static const struct server_verb verbs[] = {{"ls", 0, ls}, {"show", 1, show}, {"pcap", 1, pcap}, {0}};

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};

        return server_run(command, argc, argv, &options, verbs);
}

const struct command command_machine = {
        .name = "machine",
        .arguments = "ls | show NAME-OR-MAC | pcap NAME-OR-MAC",
        .summary = "List machines of the running server, show their boots and packets",
        .words = verb_names,
        OPTIONS(specs),
        .run = run,
};
