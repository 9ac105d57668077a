/* slipway serve: the servers that machines boot from. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/str.h"
#include "serve/daemon.h"

struct options {
        const char *quick, *interface, *state, *control, *log;
        bool proxy, check, verbose, no_sandbox;
};

static const char *const logs[] = {"text", "json", "brief", NULL};

static const struct option_spec specs[] = {
        {"n", OPTION_BOOL, offsetof(struct options, check), NULL, NULL, "check the site file, and do nothing"},
        {"quick", OPTION_STRING, offsetof(struct options, quick), "FOLDER", NULL,
         "no site file: boot every machine from what lies in this folder"},
        {"interface", OPTION_STRING, offsetof(struct options, interface), "NAME", NULL, "with -quick: the network"},
        {"proxy", OPTION_BOOL, offsetof(struct options, proxy), NULL, NULL,
         "with -quick: beside a DHCP server that gives the addresses"},
        {"state", OPTION_STRING, offsetof(struct options, state), "FOLDER", NULL,
         "where leases and history are kept (what the site file says, or /var/lib/slipway)"},
        {"control", OPTION_STRING, offsetof(struct options, control), "SOCKET", NULL,
         "for slipway watch and the like (`control` in the folder of -state)"},
        {"log", OPTION_STRING, offsetof(struct options, log), "FORMAT", logs,
         "text, json, or brief: without what clients do; on stderr"},
        {"verbose", OPTION_BOOL, offsetof(struct options, verbose), NULL, NULL, "log the beginning of transfers too"},
        {"no-sandbox", OPTION_BOOL, offsetof(struct options, no_sandbox), NULL, NULL,
         "keep all privileges: to find out whether it is the sandbox that is in the way"},
};

static const char help[] = "  DHCP or proxyDHCP, TFTP and HTTP by one site file (man slipway-site), until\n"
                           "  SIGTERM. SIGHUP or `slipway reload` reads the file again. It begins as root, or\n"
                           "  with CAP_NET_BIND_SERVICE and CAP_NET_RAW, and gives all privileges up before\n"
                           "  the first packet.";

static int check(const struct options *options, int n_arguments, struct error *err)
{
        if (options->quick && n_arguments)
                return error_set(err, EINVAL, "-quick takes the place of a site file");
        if (!options->quick && n_arguments != 1)
                return error_set(err, EINVAL, "a site file is needed, or -quick FOLDER");
        if (options->quick && !options->interface)
                return error_set(err, EINVAL, "-quick needs -interface: the network that is served");
        if (!options->quick && (options->interface || options->proxy))
                return error_set(err, EINVAL,
                                 "-interface and -proxy go with -quick; a site file has them in its networks");
        return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        struct daemon_options daemon = {0};
        int exit_code = 0, next = options_parse_anywhere(command, argc, argv, &options, &exit_code);

        if (next < 0)
                return exit_code;
        if (check(&options, argc - next, &err) < 0) {
                command_fail(&err);
                return EXIT_USAGE;
        }
        daemon = (struct daemon_options){
                .site = options.quick ? NULL : argv[next],
                .quick = options.quick,
                .interface = options.interface,
                .mode = options.proxy ? SITE_PROXY : SITE_DHCP,
                .state = options.state,
                .control = options.control,
                .log = (enum daemon_log)options_choice(logs, options.log),
                .check = options.check,
                .verbose = options.verbose,
                .no_sandbox = options.no_sandbox,
        };
        if (daemon_run(&daemon, &err) < 0)
                return err.message ? command_fail(&err) : 1;
        if (options.check)
                command_say("The site file is sound.");
        return 0;
}

const struct command command_serve = {
        .name = "serve",
        .arguments = "SITE",
        .summary = "Boot machines over the network",
        .help = help,
        OPTIONS(specs),
        .run = run,
};
