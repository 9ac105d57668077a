/* slipway reload: the running server reads its site file again. */
#include "cmd/cmd.h"

#include "cmd/server.h"

struct options {
        struct server_options server;
};

static const struct option_spec specs[] = {SERVER_OPTIONS(struct options, server)};

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        int exit_code = 0, next = options_parse_count(command, argc, argv, &options, 0, 0, &exit_code);

        if (next < 0)
                return exit_code;
        if (server_ask(&options.server, json_pack("{s:s}", "do", "reload"), NULL, NULL, &err) < 0)
                return command_fail(&err);
        return 0;
}

const struct command command_reload = {
        .name = "reload",
        .arguments = "",
        .summary = "Have the running server read its site file again",
        .help = "  A site file with mistakes changes nothing: they are in the server's log, and\n"
                "  the exit code is 1.",
        OPTIONS(specs),
        .run = run,
};
