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

static const struct option_spec specs[] = {SERVER_LIST_OPTIONS(struct options, server)};

static const char *const *verb_names(void)
{
        static const char *const names[] = {"ls", "release", NULL};

        return names;
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

static int ls(const void *arg, char **arguments, struct error *err)
{
        const struct options *options = arg;
        bool titled = false;

        (void)arguments;
        return server_ask(&options->server, json_pack("{s:s}", "do", "leases"), print, &titled, err);
}

static int release(const void *arg, char **arguments, struct error *err)
{
        const struct options *options = arg;
        struct in_addr address;

        if (inet_pton(AF_INET, arguments[0], &address) != 1)
                return error_set(err, EINVAL, "'%s' is no IPv4 address", arguments[0]);
        return server_ask(&options->server,
                          json_pack("{s:s, s:I}", "do", "release", "address", (json_int_t)ntohl(address.s_addr)), NULL,
                          NULL, err);
}

static const struct server_verb verbs[] = {{"ls", 0, ls}, {"release", 1, release}, {0}};

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};

        return server_run(command, argc, argv, &options, verbs);
}

const struct command command_lease = {
        .name = "lease",
        .arguments = "ls | release ADDRESS",
        .summary = "List or end leases of the running server",
        .words = verb_names,
        OPTIONS(specs),
        .run = run,
};
