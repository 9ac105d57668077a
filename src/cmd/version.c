/* slipway version. Scripts that were written for Packer look for its version
 * in this command's output: called by the name packer, that is all it says. */
#include "base/ui.h"
#include "cmd/cmd.h"
#include "lang/interp.h"

static void print_machine(void)
{
        struct ui ui = {.machine_readable = true};

        ui_machine(&ui, "version", (const char *const[]){PACKER_COMPATIBLE, NULL});
        ui_machine(&ui, "version-prelease", (const char *const[]){"", NULL}); /* so spelt by Packer */
        ui_machine(&ui, "version-commit", (const char *const[]){"", NULL});
        ui_machine(&ui, "slipway-version", (const char *const[]){SLIPWAY_VERSION, NULL});
}

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code;

        if (options_parse(command, argc, argv, &nothing, &exit_code) < 0)
                return exit_code;
        if (command_machine_readable)
                print_machine();
        if (command_is_packer())
                command_say("Packer v" PACKER_COMPATIBLE);
        else
                command_say("slipway v" SLIPWAY_VERSION "\nreads templates as Packer v" PACKER_COMPATIBLE " does");
        return 0;
}

const struct command command_version = {
        .name = "version",
        .summary = "Print the version",
        .help = "  Called by the name of packer, it prints the version of Packer whose templates it reads.",
        .run = run,
};
