/* The command table, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"

static const struct command *const commands[] = {
        &command_build, &command_validate, &command_inspect, &command_boot,
        &command_image, &command_doctor,   &command_version,
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *stream)
{
        fputs("Usage: slipway COMMAND [options] [arguments]\n\n"
              "  Builds bootable images for ARM boards and PCs from templates, without root.\n\n"
              "Commands:\n\n",
              stream);
        for (size_t i = 0; i < N_COMMANDS; i++)
                fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
        fputs("\n'slipway COMMAND -help' describes a command and its options.\n", stream);
}

static int unknown(const char *name)
{
        const char *names[N_COMMANDS + 1] = {0};
        const char *nearest;

        for (size_t i = 0; i < N_COMMANDS; i++)
                names[i] = commands[i]->name;
        nearest = str_nearest(name, names);
        fprintf(stderr, "slipway: unknown command '%s'%s%s%s\n", name, nearest ? "; did you mean '" : "",
                nearest ? nearest : "", nearest ? "'?" : "");
        fputs("Try 'slipway -help'.\n", stderr);
        return 2;
}

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;

        signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to report, not an end */
        if (!name) {
                usage(stderr);
                return 2;
        }
        name += str_starts(name, "--") ? 2 : str_starts(name, "-");
        if (strcmp(name, "help") == 0 && argc > 2)
                return main(3, (char *[]){argv[0], argv[2], (char[]){"-help"}, NULL});
        if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0) {
                usage(stdout);
                return 0;
        }
        for (size_t i = 0; i < N_COMMANDS; i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i]->run(commands[i], argc - 1, argv + 1);
        return unknown(argv[1]);
}
