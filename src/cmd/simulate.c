/* slipway simulate: clients that behave as firmware does, on a real network. */
#include "cmd/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"
#include "simulate/simulate.h"

struct options {
        const char *interface;
        long count, first, rate, timeout;
        bool hurry, json, verbose;
};

static const struct option_spec specs[] = {
        {"interface", OPTION_STRING, offsetof(struct options, interface), "NAME", NULL, "the network's interface"},
        {"count", OPTION_INT, offsetof(struct options, count), "N", NULL, "so many clients (1)"},
        {"rate", OPTION_INT, offsetof(struct options, rate), "N", NULL, "start so many of them a second (all at once)"},
        {"first", OPTION_INT, offsetof(struct options, first), "N", NULL,
         "number of the first one, which decides on its MAC (0)"},
        {"hurry", OPTION_BOOL, offsetof(struct options, hurry), NULL, NULL,
         "take the first answer that fits; firmware waits seconds for others"},
        {"timeout", OPTION_INT, offsetof(struct options, timeout), "SECONDS", NULL, "for all of it (120)"},
        {"verbose", OPTION_BOOL, offsetof(struct options, verbose), NULL, NULL, "show the stages of many clients too"},
        {"json", OPTION_BOOL, offsetof(struct options, json), NULL, NULL,
         "a line of JSON for each stage and the result"},
};

static const char help[] = "  Each client sends what firmware of its kind sends, option by option, takes or\n"
                           "  refuses answers by its rules, and loads its boot files by TFTP or HTTP, with a\n"
                           "  MAC and an address of its own: the host's configuration stays as it is. Nothing\n"
                           "  is started. Needs root (CAP_NET_RAW). The exit code is 1 if a client failed.";

static const char *const *kind_names(void)
{
        static const char *names[32];

        for (size_t i = 0; i < sim_n_kinds && i + 1 < sizeof(names) / sizeof(names[0]); i++)
                names[i] = sim_kinds[i].name;
        return names;
}

static void list_kinds(FILE *stream)
{
        fprintf(stream, "\nKinds of clients:\n\n");
        for (size_t i = 0; i < sim_n_kinds; i++)
                fprintf(stream, "  %-12s %s\n", sim_kinds[i].name, sim_kinds[i].what);
}

static const char *mac_text(const uint8_t mac[6], char buf[18])
{
        snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return buf;
}

static void print_json(json_t *object)
{
        CLEANUP_FREE char *line = json_dumps(object, JSON_COMPACT);

        json_decref(object);
        if (line)
                puts(line);
}

static void stage(void *arg, const struct sim *sim, int64_t at_ms, const char *text)
{
        const struct options *options = arg;
        char mac[18];

        mac_text(sim->who.mac, mac);
        if (options->json)
                print_json(json_pack("{s:s, s:I, s:s}", "mac", mac, "ms", (json_int_t)at_ms, "stage", text));
        else if (options->count == 1 || options->verbose || sim->state == SIM_FAILED)
                printf("%s %4" PRId64 ".%03" PRId64 "  %s\n", mac, at_ms / 1000, at_ms % 1000, text);
        fflush(stdout);
}

static void over(void *arg, const struct sim *sim, int64_t took_ms)
{
        if (!sim_over(sim))
                stage(arg, sim, took_ms, "was not done in time");
}

static void summary(const struct options *options, const struct simulate_result *result)
{
        if (options->json) {
                print_json(json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "done", (int)result->done, "failed",
                                     (int)result->failed, "bytes", (json_int_t)result->bytes, "median_ms",
                                     (json_int_t)result->median_ms, "slowest_ms", (json_int_t)result->slowest_ms,
                                     "took_ms", (json_int_t)result->took_ms));
        } else if (options->count > 1) {
                printf("%u of %u clients have all they asked for (%" PRIu64 " bytes) after %.3f s", result->done,
                       result->done + result->failed, result->bytes, (double)result->took_ms / 1000);
                if (result->done)
                        printf("; half of them within %.3f s, the slowest within %.3f s",
                               (double)result->median_ms / 1000, (double)result->slowest_ms / 1000);
                putchar('\n');
        }
}

static int check(const struct options *options, struct error *err)
{
        if (!options->interface)
                return error_set(err, EINVAL, "-interface is needed: the network that the clients are on");
        if (options->count < 1 || options->first < 0 || options->first > SIMULATE_MAX ||
            options->count > SIMULATE_MAX - options->first)
                return error_set(err, EINVAL, "-count and -first: from 1 to %d clients were expected", SIMULATE_MAX);
        if (options->rate < 0 || options->rate > 1000000)
                return error_set(err, EINVAL, "-rate=%ld: clients a second", options->rate);
        if (options->timeout < 1 || options->timeout > 100000)
                return error_set(err, EINVAL, "-timeout=%ld: a number of seconds was expected", options->timeout);
        return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct options options = {.count = 1, .timeout = 120};
        struct simulate_options simulate;
        struct simulate_result result;
        int exit_code = 0, next = options_parse_anywhere(command, argc, argv, &options, &exit_code);
        const struct sim_kind *kind;

        if (options_count(command, argc, next, 1, 1, &exit_code) < 0)
                return exit_code;
        kind = sim_kind_find(argv[next]);
        if (!kind)
                return command_unknown_word(command, "kind of client", argv[next], kind_names());
        if (check(&options, &err) < 0)
                return command_fail(&err);
        simulate = (struct simulate_options){.kind = kind,
                                             .interface = options.interface,
                                             .count = (unsigned int)options.count,
                                             .first = (unsigned int)options.first,
                                             .rate = (unsigned int)options.rate,
                                             .timeout_ms = (unsigned int)options.timeout * 1000,
                                             .hurry = options.hurry,
                                             .stage = stage,
                                             .over = over,
                                             .arg = &options};
        cancel_install();
        if (simulate_run(&simulate, &result, &err) < 0)
                return command_fail(&err);
        summary(&options, &result);
        return result.failed ? 1 : 0;
}

const struct command command_simulate = {
        .name = "simulate",
        .arguments = "KIND",
        .summary = "Boot simulated clients from a network",
        .help = help,
        .more_help = list_kinds,
        .words = kind_names,
        OPTIONS(specs),
        .run = run,
};
