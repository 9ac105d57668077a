/* slipway machine: machines that the running server knows, and their boots. */
#include "cmd/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/server.h"

struct options {
        struct server_options server;
        bool last;
};

static const struct option_spec specs[] = {
        {"last", OPTION_BOOL, offsetof(struct options, last), NULL, NULL, "show: the last boot only"},
        SERVER_OPTIONS(struct options, server),
};

static const char *const verbs[] = {"ls", "show", NULL};

static const char *const *verb_names(void)
{
        return verbs;
}

static int print_machine(void *arg, json_t *machine)
{
        bool *titled = arg;
        int64_t last = json_integer_value(json_object_get(machine, "last_us"));
        CLEANUP_FREE char *name = str_printable(server_text(machine, "machine"));
        char when[32] = "";

        if (!*titled)
                printf("%-16s  %-17s  %-15s  %-12s  %-8s  %s\n", "NAME", "MAC", "ADDRESS", "PLATFORM", "STATE", "LAST");
        *titled = true;
        if (last)
                server_time(last / 1000000, when, sizeof(when));
        printf("%-16s  %-17s  %-15s  %-12s  %-8s  %s\n", name, server_text(machine, "mac"),
               server_text(machine, "address"), server_text(machine, "platform"), server_text(machine, "state"), when);
        if (*server_text(machine, "diagnosis"))
                printf("    %s\n", server_text(machine, "diagnosis"));
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

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        bool titled = false;
        int exit_code = 0, r, next;
        const char *verb = server_verb(command, &argc, &argv, &options, &next, &exit_code);

        if (!verb)
                return exit_code;
        if (strcmp(verb, "ls") == 0 && argc == next)
                r = server_ask(&options.server, json_pack("{s:s}", "do", "machines"), print_machine, &titled, &err);
        else if (strcmp(verb, "show") == 0 && argc - next == 1)
                r = server_ask(&options.server,
                               json_pack("{s:s, s:s, s:b}", "do", "machine", "name", argv[next], "last", options.last),
                               print_boot, NULL, &err);
        else if (*verb && !strv_has(verbs, verb))
                return command_unknown("verb", verb, verbs);
        else {
                command_usage(command, false);
                return 2;
        }
        return r < 0 ? command_fail(&err) : 0;
}

const struct command command_machine = {
        .name = "machine",
        .arguments = "ls | show NAME-OR-MAC",
        .summary = "List machines of the running server, show their boots",
        .words = verb_names,
        OPTIONS(specs),
        .run = run,
};
