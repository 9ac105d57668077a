/* slipway doctor: does this host have what building needs? */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "guest/guest.h"

struct options {
        const char *output;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct option_spec specs[] = {
        {.name = "o",
         .type = OPTION_STRING,
         .offset = offsetof(struct options, output),
         .argument = "FORMAT",
         .choices = outputs,
         .help = "text or json"},
};

static void print_json(const struct guest_check *checks, size_t n, bool good)
{
        json_t *list = json_array(), *all;
        CLEANUP_FREE char *text = NULL;

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:s, s:s?}", "name", checks[i].name, "ok",
                                                      checks[i].ok, "required", checks[i].required, "found",
                                                      checks[i].found, "mend", checks[i].mend));
        all = json_pack("{s:b, s:o}", "ok", good, "checks", list);
        text = json_dumps(all, JSON_INDENT(2));
        puts(text ? text : "{}");
        json_decref(all);
}

/* A message of several lines stays beside its name. */
static void print_indented(const char *text)
{
        CLEANUP_FREE char *indented = str_replace(text, "\n", "\n                                ");

        puts(indented);
}

static void print_text(const struct guest_check *checks, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *word = checks[i].ok ? "ok" : checks[i].required ? "MISSING" : "optional";

                printf("%-8s  %-20s  ", word, checks[i].name);
                print_indented(checks[i].found);
                if (!checks[i].mend)
                        continue;
                printf("%-8s  %-20s  -> ", "", "");
                print_indented(checks[i].mend);
        }
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        struct guest_check *checks;
        size_t n, missing = 0;
        int exit_code, first = options_parse_count(command, argc, argv, &options, 0, 0, &exit_code);

        if (first < 0)
                return exit_code;
        checks = guest_doctor(&n);
        for (size_t i = 0; i < n; i++)
                missing += !checks[i].ok && checks[i].required;
        if (str_eq(options.output, "json"))
                print_json(checks, n, missing == 0);
        else
                print_text(checks, n);
        if (!str_eq(options.output, "json"))
                puts(missing == 0 ? "\nThis host can build images."
                                  : "\nThis host lacks something that building needs.");
        guest_checks_free(checks, n);
        return missing > 0;
}

const struct command command_doctor = {
        .name = "doctor",
        .summary = "Check that this host has what building needs, and say how to mend what it lacks",
        .help = "  Exit code 1 if something is missing without which no image can be built.",
        OPTIONS(specs),
        .run = run,
};
