/* slipway version */
#include "cmd/cmd.h"

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code;

        if (options_parse(command, argc, argv, &nothing, &exit_code) < 0)
                return exit_code;
        puts("slipway v" SLIPWAY_VERSION);
        return 0;
}

const struct command command_version = {
        .name = "version",
        .summary = "Print the version",
        .run = run,
};
