/* The command table, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/ui.h"
#include "cmd/cmd.h"

/* In the order in which `slipway help` lists them. */
const struct command *const commands[] = {
        &command_build,
        &command_validate,
        &command_plan,
        &command_inspect,
        &command_init,
        &command_console,
        &command_fix,
        &command_fmt,
        &command_hcl2_upgrade,
        &command_boot,
        &command_image,
        &command_cache,
        &command_release,
        &command_sbom,
        /* network boot */
        &command_serve,
        &command_watch,
        &command_machine,
        &command_lease,
        &command_reload,
        &command_explain,
        &command_relay,
        &command_simulate,
        &command_doctor,
        &command_plugins,
        &command_schema,
        &command_completion,
        &command_help,
        &command_version,
        NULL,
};

/* -help, --version and the like are commands too, and some have a second name. */
static const char *command_word(const char *word)
{
        static const char *const others[][2] = {{"h", "help"}, {"v", "version"}, {"plugin", "plugins"}};

        word += str_starts(word, "--") ? 2 : str_starts(word, "-");
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (strcmp(word, others[i][0]) == 0)
                        return others[i][1];
        return word;
}

static int unknown(const char *name)
{
        const char *names[sizeof(commands) / sizeof(commands[0])] = {0};

        if (str_starts(command_word(name), "autocomplete-")) {
                fputs("slipway: completion is installed with slipway; 'slipway help completion' says more\n", stderr);
                return EXIT_USAGE;
        }
        for (size_t i = 0; commands[i]; i++)
                names[i] = commands[i]->name;
        command_unknown("command", name, names);
        return EXIT_NO_COMMAND;
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
        const struct command *command;

        command_open_streams();
        command_program = argc > 0 ? argv[0] : "slipway";
        ui_errors_on_stdout = command_is_packer();
        if (skip >= argc) {
                commands_usage(ui_error_stream());
                return EXIT_NO_COMMAND;
        }
        command_inner(argc - skip, argv + skip);
        command = command_find(command_word(argv[skip]));
        log_debug("slipway v" SLIPWAY_VERSION ": %s", argv[skip]);
        return command_flush(command ? command->run(command, argc - skip, argv + skip) : unknown(argv[skip]));
}
