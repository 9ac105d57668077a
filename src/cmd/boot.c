/* slipway boot: an image in QEMU, on this terminal. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/str.h"
#include "boot/boot.h"

struct options {
        const char *machine, *firmware, *cpu, *append, *until;
        long memory, cpus, ssh, timeout;
        bool persist, print;
};

static const struct option_spec specs[] = {
        {"machine", OPTION_STRING, offsetof(struct options, machine), "NAME", boot_machine_names,
         "the machine: auto, virt, pc, raspi3b"},
        {"firmware", OPTION_STRING, offsetof(struct options, firmware), "NAME", boot_firmware_names,
         "who starts the kernel: auto, none (QEMU itself), bios, uefi"},
        {"memory", OPTION_INT, offsetof(struct options, memory), "MIB", NULL, "memory in MiB (1024)"},
        {"cpus", OPTION_INT, offsetof(struct options, cpus), "N", NULL, "processors (2)"},
        {"cpu", OPTION_STRING, offsetof(struct options, cpu), "MODEL", NULL, "QEMU's -cpu"},
        {"append", OPTION_STRING, offsetof(struct options, append), "WORDS", NULL,
         "more for the kernel's command line"},
        {"persist", OPTION_BOOL, offsetof(struct options, persist), NULL, NULL,
         "write to the image (else it stays as it is)"},
        {"ssh", OPTION_INT, offsetof(struct options, ssh), "PORT", NULL,
         "forward this port of 127.0.0.1 to the machine's SSH"},
        {"until", OPTION_STRING, offsetof(struct options, until), "TEXT", NULL,
         "stop, with success, when the console shows this"},
        {"timeout", OPTION_INT, offsetof(struct options, timeout), "SECONDS", NULL,
         "stop, with failure, after this time"},
        {"print", OPTION_BOOL, offsetof(struct options, print), NULL, NULL, "print the commands that would be run"},
};

static const char help[] = "  The image's own kernel and initrd are started, found in its root file system or\n"
                           "  boot partition; a PC's disk is started by its boot loader. Nothing is written to\n"
                           "  the image unless -persist is given. Ctrl-A x ends the machine.";

static int boot(const char *image, const struct options *options, int *ret_status, struct error *err)
{
        CLEANUP(boot_system_freep) struct boot_system *system = NULL;
        CLEANUP_STRV char **argv = NULL;
        CLEANUP_FREE char *script = NULL;
        CLEANUP_CLOSE int disk_fd = -1;
        struct boot_options boot_options = {
                .machine = options->machine,
                .cpu = options->cpu,
                .firmware = (enum boot_firmware)options_choice(boot_firmware_names, options->firmware),
                .append = options->append,
                .memory_mib = options->memory,
                .cpus = options->cpus,
                .persist = options->persist,
                .ssh_port = options->ssh,
                .watched = options->until != NULL,
                .until = options->until,
                .timeout_sec = options->timeout,
        };
        int r = boot_find(image, &system, err);

        if (r < 0)
                return r;
        if (options->print) {
                r = boot_script(system, &boot_options, &script, err);
                if (r == 0)
                        fputs(script, stdout);
                return r;
        }
        r = boot_command(system, &boot_options, &argv, &disk_fd, err);
        if (r < 0)
                return r;
        if (!options->until && isatty(STDIN_FILENO))
                fprintf(stderr, "Ctrl-A x ends the machine, Ctrl-A h shows more.\n");
        if (options->until)
                cancel_install();
        fflush(stdout);
        return boot_run(system, &boot_options, argv, disk_fd, ret_status, err);
}

static int check(const struct options *options, struct error *err)
{
        if (options->until && !*options->until)
                return error_set(err, EINVAL, "-until needs a text");
        if (options->memory < 0 || options->cpus < 0)
                return error_set(err, EINVAL, "-memory and -cpus are positive numbers");
        if (options->ssh < 0 || options->ssh > 65535)
                return error_set(err, EINVAL, "-ssh=%ld: a port is a number from 1 to 65535", options->ssh);
        if (options->timeout < 0 || options->timeout > 1000000)
                return error_set(err, EINVAL, "-timeout=%ld: a number of seconds was expected", options->timeout);
        return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        int exit_code = 0, next = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        if (next < 0)
                return exit_code;
        if (check(&options, &err) < 0 || boot(argv[next], &options, &exit_code, &err) < 0)
                return command_fail(&err);
        return exit_code;
}

const struct command command_boot = {
        .name = "boot",
        .arguments = "IMAGE",
        .summary = "Start an image in QEMU, on this terminal",
        .help = help,
        OPTIONS(specs),
        .run = run,
};
