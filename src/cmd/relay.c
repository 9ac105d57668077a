/* slipway relay: a DHCP relay agent in the foreground. */
#include "cmd/cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"
#include "serve/relay.h"

struct options {
        char **interfaces, **servers;
        const char *untrusted, *remote_id;
        long hops, secs;
        bool no_agent_option, verbose;
};

static const struct option_spec specs[] = {
        {"interface", OPTION_LIST, offsetof(struct options, interfaces), "NAME", NULL,
         "listen to clients here; can be given many times"},
        {"server", OPTION_LIST, offsetof(struct options, servers), "ADDRESS", NULL,
         "send their messages to this server; can be given many times, and all are asked"},
        {"no-agent-option", OPTION_BOOL, offsetof(struct options, no_agent_option), NULL, NULL, "do not add option 82"},
        {"remote-id", OPTION_STRING, offsetof(struct options, remote_id), "TEXT", NULL,
         "the remote id of option 82 (none)"},
        {"untrusted", OPTION_STRING, offsetof(struct options, untrusted), "POLICY", relay_untrusted_names,
         "a client's message that has option 82 already: drop, keep, replace"},
        {"hops", OPTION_INT, offsetof(struct options, hops), "N", NULL, "drop what went through so many relays (16)"},
        {"secs", OPTION_INT, offsetof(struct options, secs), "N", NULL,
         "leave clients that began less than so many seconds ago to servers on their own wire (0)"},
        {"verbose", OPTION_BOOL, offsetof(struct options, verbose), NULL, NULL, "say why messages are dropped"},
};

static const char help[] = "  What DHCP clients broadcast on the interfaces is sent to servers elsewhere, and\n"
                           "  the answers are brought to the clients (RFC 1542, RFC 3046). It runs in the\n"
                           "  foreground until it is told to end (SIGTERM, Ctrl-C). Needs root to begin with.";

static int take_interfaces(const struct options *options, struct relay *relay, struct error *err)
{
        for (char **name = options->interfaces; name && *name; name++) {
                if (strlen(*name) >= IF_NAMESIZE)
                        return error_set(err, EINVAL, "-interface=%s: there is no interface with such a name", *name);
                if (relay->n_interfaces == RELAY_INTERFACES)
                        return error_set(err, EINVAL, "more than %d interfaces", RELAY_INTERFACES);
                memcpy(relay->interfaces[relay->n_interfaces++].name, *name, strlen(*name) + 1);
        }
        return relay->n_interfaces ? 0 : error_set(err, EINVAL, "-interface is missing: where are the clients?");
}

static int take_servers(const struct options *options, struct relay *relay, struct error *err)
{
        for (char **server = options->servers; server && *server; server++) {
                struct in_addr address;

                if (inet_pton(AF_INET, *server, &address) != 1)
                        return error_set(err, EINVAL, "-server=%s: an IPv4 address was expected", *server);
                if (relay->n_servers == RELAY_SERVERS)
                        return error_set(err, EINVAL, "more than %d servers", RELAY_SERVERS);
                relay->servers[relay->n_servers++] = ntohl(address.s_addr);
        }
        return relay->n_servers ? 0 : error_set(err, EINVAL, "-server is missing: who answers the clients?");
}

static int take_options(const struct options *options, struct relay *relay, struct error *err)
{
        int r = take_interfaces(options, relay, err);

        if (r == 0)
                r = take_servers(options, relay, err);
        if (r < 0)
                return r;
        if (options->hops < 0 || options->hops > RELAY_HOPS)
                return error_set(err, EINVAL, "-hops=%ld: a number from 1 to %d was expected", options->hops,
                                 RELAY_HOPS);
        if (options->secs < 0 || options->secs > UINT16_MAX)
                return error_set(err, EINVAL, "-secs=%ld: a number from 0 to 65535 was expected", options->secs);
        if (options->remote_id && strlen(options->remote_id) > RELAY_REMOTE_ID)
                return error_set(err, EINVAL, "-remote-id is longer than %d bytes", RELAY_REMOTE_ID);
        relay->hop_limit = options->hops ? (unsigned)options->hops : RELAY_HOPS;
        relay->min_secs = (unsigned)options->secs;
        relay->add_agent_option = !options->no_agent_option;
        relay->remote_id = options->remote_id;
        relay->untrusted = (enum relay_untrusted)options_choice(relay_untrusted_names, options->untrusted);
        return 0;
}

/* What is done from here on needs open sockets only. */
static int drop_privileges(struct error *err)
{
        cap_t none = cap_init();
        int r = none ? cap_set_proc(none) : -1;

        cap_free(none);
        if (r < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errno(err, errno, "give up privileges");
        return 0;
}

static void say(void *arg, bool detail, const char *text)
{
        const struct options *options = arg;

        if (!detail || options->verbose)
                fprintf(stderr, "relay: %s\n", text);
}

static int open_signals(struct error *err)
{
        sigset_t signals;
        int fd;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        fd = signalfd(-1, &signals, SFD_CLOEXEC);
        return fd < 0 ? error_errno(err, errno, "signals") : fd;
}

static int relay_all(struct options *options, struct error *err)
{
        struct relay relay = {0};
        CLEANUP(relay_close) struct relay_sockets sockets = {-1, -1};
        struct relay_counters counters = {0};
        const struct relay_events events = {say, options};
        CLEANUP_CLOSE int stop_fd = open_signals(err);
        int r = stop_fd < 0 ? stop_fd : take_options(options, &relay, err);

        if (r == 0)
                r = relay_look(&relay, err);
        if (r == 0)
                r = relay_open(&sockets, err);
        if (r == 0)
                r = drop_privileges(err);
        if (r < 0)
                return r;
        fprintf(stderr, "relay: ready\n");
        r = relay_run(&relay, &sockets, stop_fd, &events, &counters, err);
        fprintf(stderr, "relay: %llu requests, %llu replies, %llu dropped\n", (unsigned long long)counters.requests,
                (unsigned long long)counters.replies, (unsigned long long)counters.dropped);
        return r;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        int exit_code = 0, next = options_parse_count(command, argc, argv, &options, 0, 0, &exit_code);

        if (next >= 0)
                exit_code = relay_all(&options, &err) < 0 ? command_fail(&err) : 0;
        strv_free(options.interfaces);
        strv_free(options.servers);
        return exit_code;
}

const struct command command_relay = {
        .name = "relay",
        .arguments = "",
        .summary = "Bring DHCP clients and servers of other networks together",
        .help = help,
        OPTIONS(specs),
        .run = run,
};
