#include "cmd/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "serve/control.h"

const char *const server_outputs[] = {"text", "json", NULL};

const char *server_control(const struct server_options *options)
{
        const char *path = options->control ? options->control : getenv("SLIPWAY_CONTROL");

        return str_empty(path) ? "/var/lib/slipway/control" : path;
}

const char *server_text(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

void server_time(int64_t sec, char *buf, size_t size)
{
        time_t then = (time_t)sec, now = time(NULL);
        struct tm tm_then, tm_now;

        *buf = '\0';
        if (!localtime_r(&then, &tm_then) || !localtime_r(&now, &tm_now))
                return;
        (void)strftime(buf, size,
                       tm_then.tm_yday == tm_now.tm_yday && tm_then.tm_year == tm_now.tm_year ? "%H:%M:%S"
                                                                                              : "%Y-%m-%d %H:%M:%S",
                       &tm_then);
}

int server_run(const struct command *command, int argc, char **argv, void *options, const struct server_verb *verbs)
{
        CLEANUP_ERROR struct error err = {0};
        int exit_code = 0, first = options_parse_anywhere(command, argc, argv, options, &exit_code);

        if (first < 0)
                return exit_code;
        for (const struct server_verb *verb = verbs; first < argc && verb->name; verb++) {
                CLEANUP_FREE char *name = xasprintf("%s %s", command->name, verb->name);

                if (strcmp(argv[first], verb->name) != 0)
                        continue;
                if (argc - first - 1 == verb->n_arguments)
                        return verb->run(options, argv + first + 1, &err) < 0 ? command_fail(&err) : 0;
                options_wrong_count(name, argc - first - 1, verb->n_arguments, verb->n_arguments);
        }
        if (first < argc && !strv_has(command->words(), argv[first]))
                return command_unknown_word(command, "verb", argv[first], command->words());
        command_usage(command, false);
        return EXIT_USAGE;
}

int server_ask(const struct server_options *options, json_t *request, int (*visit)(void *arg, json_t *line), void *arg,
               struct error *err)
{
        CLEANUP_FCLOSE FILE *stream = NULL;
        json_t *line, *list = options->output && strcmp(options->output, "json") == 0 ? json_array() : NULL;
        int r = control_ask(server_control(options), request, &stream, err);

        while (r >= 0 && (line = control_line(stream))) {
                if (list) {
                        json_array_append(list, line);
                } else if (options->json) {
                        CLEANUP_FREE char *text = json_dumps(line, JSON_COMPACT);

                        puts(text ? text : "{}");
                        fflush(stdout);
                } else if (visit) {
                        r = visit(arg, line);
                }
                json_decref(line);
        }
        if (r >= 0 && list) {
                json_dumpf(list, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        json_decref(list);
        return r < 0 ? r : 0;
}
