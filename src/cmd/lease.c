/* slipway lease: the running server's leases. */
#include "cmd/cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/server.h"

struct options {
        struct server_options server;
};

static const struct option_spec specs[] = {SERVER_OPTIONS(struct options, server)};

static const char *const verbs[] = {"ls", "release", NULL};

static const char *const *verb_names(void)
{
        return verbs;
}

static int print(void *arg, json_t *lease)
{
        bool *titled = arg;
        const char *name = server_text(lease, "machine");
        int64_t end = json_integer_value(json_object_get(lease, "end_sec"));
        char until[32] = "for ever";
        CLEANUP_FREE char *shown = str_printable(*name ? name : server_text(lease, "host_name"));

        if (!*titled)
                printf("%-15s  %-17s  %-8s  %-19s  %s\n", "ADDRESS", "MAC", "STATE", "UNTIL", "NAME");
        *titled = true;
        if (end)
                server_time(end, until, sizeof(until));
        printf("%-15s  %-17s  %-8s  %-19s  %s\n", server_text(lease, "address"), server_text(lease, "mac"),
               server_text(lease, "state"), until, shown);
        return 0;
}

static int release(const struct options *options, const char *text, struct error *err)
{
        struct in_addr address;

        if (inet_pton(AF_INET, text, &address) != 1)
                return error_set(err, EINVAL, "'%s' is no IPv4 address", text);
        return server_ask(&options->server,
                          json_pack("{s:s, s:I}", "do", "release", "address", (json_int_t)ntohl(address.s_addr)), NULL,
                          NULL, err);
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
                r = server_ask(&options.server, json_pack("{s:s}", "do", "leases"), print, &titled, &err);
        else if (strcmp(verb, "release") == 0 && argc - next == 1)
                r = release(&options, argv[next], &err);
        else if (*verb && !strv_has(verbs, verb))
                return command_unknown("verb", verb, verbs);
        else {
                command_usage(command, false);
                return 2;
        }
        return r < 0 ? command_fail(&err) : 0;
}

const struct command command_lease = {
        .name = "lease",
        .arguments = "ls | release ADDRESS",
        .summary = "List or end leases of the running server",
        .words = verb_names,
        OPTIONS(specs),
        .run = run,
};
