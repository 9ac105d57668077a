/* The command table, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"

const struct command *const commands[] = {
        &command_build, &command_validate, &command_inspect, &command_fix,     &command_hcl2_upgrade,
        &command_boot,  &command_image,    &command_doctor,  &command_version, NULL,
};

static void usage(FILE *stream)
{
        fputs("Usage: slipway COMMAND [options] [arguments]\n\n"
              "  Builds bootable images for ARM boards and PCs from templates, without root.\n\n"
              "Commands:\n\n",
              stream);
        for (const struct command *const *command = commands; *command; command++)
                fprintf(stream, "  %-12s %s\n", (*command)->name, (*command)->summary);
        fputs("\n'slipway COMMAND -help' describes a command and its options.\n", stream);
}

static int unknown(const char *name)
{
        const char *names[sizeof(commands) / sizeof(commands[0])] = {0};

        for (size_t i = 0; commands[i]; i++)
                names[i] = commands[i]->name;
        return command_unknown("command", name, names);
}

/* Options before the command. Returns how many. */
static int global_options(char **argv)
{
        int n = 0;

        while (argv[n] && (strcmp(argv[n], "-machine-readable") == 0 || strcmp(argv[n], "--machine-readable") == 0)) {
                command_machine_readable = true;
                n++;
        }
        return n;
}

int main(int argc, char **argv)
{
        int skip = argc > 0 ? 1 + global_options(argv + 1) : 0;
        const char *name = skip < argc ? argv[skip] : NULL;
        const struct command *command;

        signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to report, not an end */
        if (!name) {
                usage(stderr);
                return 2;
        }
        name += str_starts(name, "--") ? 2 : str_starts(name, "-");
        if (strcmp(name, "help") == 0 && argc > skip + 1)
                return main(3, (char *[]){argv[0], argv[skip + 1], (char[]){"-help"}, NULL});
        if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0) {
                usage(stdout);
                return 0;
        }
        command = command_find(name);
        return command ? command->run(command, argc - skip, argv + skip) : unknown(argv[skip]);
}
