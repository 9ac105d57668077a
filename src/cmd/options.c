/* Options as Go's flag package reads them, since that is what scripts around
 * Packer are written for: -name, --name, -name=value, -name value. See cmd.h. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "base/ui.h"

static const char machine_readable[] = "machine-readable";
bool command_machine_readable;
const char *command_program = "slipway";

bool command_is_packer(void)
{
        return strcmp(path_name(command_program), "packer") == 0;
}

static int find_exact(const struct command *command, const char *name, size_t n)
{
        for (size_t i = 0; i < command->n_options; i++)
                if (strlen(command->options[i].name) == n && strncmp(command->options[i].name, name, n) == 0)
                        return (int)i;
        return -1;
}

static int usage_error(const struct command *command, const char *message, int *ret_exit)
{
        command_complain("slipway %s: %s\nTry 'slipway %s -help'.", command->name, message, command->name);
        *ret_exit = EXIT_USAGE;
        return -1;
}

static int unknown_option(const struct command *command, const char *word, int *ret_exit)
{
        CLEANUP_FREE char *name = xstrndup(word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *message = NULL;
        const char *nearest;

        for (size_t i = 0; i < command->n_options; i++)
                strv_add(&names, command->options[i].name);
        nearest = str_nearest(name, STRV(names));
        message = nearest ? xasprintf("unknown option '-%s'; did you mean '-%s'?", name, nearest)
                          : xasprintf("unknown option '-%s'", name);
        return usage_error(command, message, ret_exit);
}

static bool parse_bool(const char *value, bool *ret)
{
        static const char *const yes[] = {"true", "1", "t", "T", "TRUE", "True", NULL};
        static const char *const no[] = {"false", "0", "f", "F", "FALSE", "False", NULL};

        *ret = !value || strv_has(yes, value);
        return *ret || strv_has(no, value);
}

/* "a,b": both; a comma in braces belongs to a pattern. */
static void add_list(char ***list, const char *value)
{
        const char *start = value;
        int depth = 0;

        for (; *value; value++) {
                depth += (*value == '{') - (*value == '}' && depth > 0);
                if (*value == ',' && depth == 0) {
                        strv_take(list, xstrndup(start, (size_t)(value - start)));
                        start = value + 1;
                }
        }
        strv_add(list, start);
}

/* Store one value; the message of what is wrong with it, or NULL. The caller frees. */
static char *store(const struct option_spec *spec, const char *value, void *out)
{
        void *field = (char *)out + spec->offset;
        CLEANUP_FREE char *choices = NULL;
        char *end;

        if (value && spec->choices && !strv_has(spec->choices, value)) {
                choices = strv_join(spec->choices, ", ");
                return xasprintf("'-%s=%s': one of %s was expected", spec->name, value, choices);
        }
        switch (spec->type) {
        case OPTION_BOOL:
                if (!parse_bool(value, field))
                        return xasprintf("'-%s=%s': true or false was expected", spec->name, value);
                break;
        case OPTION_STRING:
                *(const char **)field = value;
                break;
        case OPTION_PAIRS:
                if (!value || !strchr(value, '='))
                        return xasprintf("'-%s %s': %s was expected", spec->name, value ? value : "", spec->argument);
                strv_add(field, value);
                break;
        case OPTION_STRINGS:
                strv_add(field, value);
                break;
        case OPTION_LIST:
                add_list(field, value ? value : "");
                break;
        case OPTION_INT:
                errno = 0;
                *(long *)field = strtol(value, &end, 10);
                if (errno || end == value || *end)
                        return xasprintf("'-%s=%s': a whole number was expected", spec->name, value);
                break;
        }
        return NULL;
}

/* One option word; *ret_next is advanced past a value in a word of its own. */
static int parse_one(const struct command *command, char **argv, int argc, int *next, void *out, int *ret_exit)
{
        const char *word = argv[*next], *name = word + (word[1] == '-' ? 2 : 1);
        const char *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);
        int index = find_exact(command, name, n);
        const char *value = equals ? equals + 1 : NULL;
        CLEANUP_FREE char *problem = NULL;

        if (index < 0 && !equals && (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)) {
                command_usage(command, true);
                *ret_exit = 0;
                return -1;
        }
        if (index < 0 && strcmp(name, machine_readable) == 0) {
                command_machine_readable = true;
                ++*next;
                return 0;
        }
        if (index < 0)
                return unknown_option(command, word, ret_exit);
        if (!value && command->options[index].type != OPTION_BOOL) {
                if (*next + 1 >= argc) {
                        problem = xasprintf("option '-%s' needs a value (%s)", command->options[index].name,
                                            command->options[index].argument);
                        return usage_error(command, problem, ret_exit);
                }
                value = argv[++*next];
        }
        ++*next;
        problem = store(&command->options[index], value, out);
        return problem ? usage_error(command, problem, ret_exit) : 0;
}

int options_parse(const struct command *command, int argc, char **argv, void *out, int *ret_exit)
{
        int next = 1, index = find_exact(command, machine_readable, strlen(machine_readable));
        bool *flag = index < 0 ? &command_machine_readable : (bool *)((char *)out + command->options[index].offset);

        *flag = command_machine_readable;
        while (next < argc && argv[next][0] == '-' && argv[next][1] != '\0') {
                if (strcmp(argv[next], "--") == 0)
                        return next + 1;
                if (parse_one(command, argv, argc, &next, out, ret_exit) < 0)
                        return -1;
        }
        command_machine_readable = *flag;
        return next;
}

int options_parse_anywhere(const struct command *command, int argc, char **argv, void *out, int *ret_exit)
{
        int n = 0, at = 0;
        bool literal = false; /* "--" was there: no options after it */

        while (at < argc - 1) {
                int next = literal ? 1 : options_parse(command, argc - at, argv + at, out, ret_exit);

                if (next < 0)
                        return -1;
                at += next;
                literal = literal || strcmp(argv[at - 1], "--") == 0;
                if (at < argc)
                        argv[++n] = argv[at]; /* in place of words that were read */
        }
        memmove(argv + argc - n, argv + 1, (size_t)n * sizeof(*argv));
        return argc - n;
}

void options_wrong_count(const char *name, int n, int min, int max)
{
        int wanted = n < min ? min : max;

        if (max == 0)
                command_complain("slipway %s: no arguments are expected", name);
        else
                command_complain("slipway %s: %s%d argument%s expected, and %d %s given", name,
                                 min == max ? ""
                                 : n < min  ? "at least "
                                            : "at most ",
                                 wanted, wanted == 1 ? " was" : "s were", n, n == 1 ? "was" : "were");
}

int options_count(const struct command *command, int argc, int first, int min, int max, int *ret_exit)
{
        int n = argc - first;

        if (first < 0 || (n >= min && n <= max))
                return first;
        options_wrong_count(command->name, n, min, max);
        command_usage(command, false);
        *ret_exit = EXIT_USAGE;
        return -1;
}

int options_parse_count(const struct command *command, int argc, char **argv, void *out, int min, int max,
                        int *ret_exit)
{
        int first = options_parse(command, argc, argv, out, ret_exit);
        CLEANUP_FREE char *late = NULL;

        for (int i = first + 1; first >= 0 && argc - first > max && i < argc && !late; i++)
                if (argv[i][0] == '-' && argv[i][1] != '\0')
                        late = xasprintf("options stand before the arguments; '%s' comes after '%s'", argv[i],
                                         argv[first]);
        return late ? usage_error(command, late, ret_exit) : options_count(command, argc, first, min, max, ret_exit);
}

int options_choice(const char *const *choices, const char *value)
{
        for (int i = 0; value && choices[i]; i++)
                if (strcmp(choices[i], value) == 0)
                        return i;
        return 0;
}

/* Those that have no effect, in one line. */
static void print_ignored(const struct command *command, FILE *stream)
{
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *joined = NULL;

        for (size_t i = 0; i < command->n_options; i++)
                if (!command->options[i].help)
                        strv_addf(&names, "-%s", command->options[i].name);
        joined = strv_join(STRV(names), ", ");
        if (names)
                fprintf(stream, "\n  Taken for Packer's sake, without effect: %s\n", joined);
}

static void print_options(const struct command *command, FILE *stream)
{
        bool any = false;

        for (size_t i = 0; i < command->n_options; i++) {
                const struct option_spec *spec = &command->options[i];
                CLEANUP_FREE char *left = xasprintf("-%s%s%s", spec->name, spec->argument ? "=" : "",
                                                    spec->argument ? spec->argument : "");

                if (!spec->help)
                        continue;
                fprintf(stream, "%s  %-28s %s\n", any ? "" : "\nOptions:\n\n", left, spec->help);
                any = true;
        }
        print_ignored(command, stream);
}

void command_usage(const struct command *command, bool full)
{
        FILE *stream = full ? stdout : ui_error_stream();

        fprintf(stream, "Usage: slipway %s%s%s%s\n\n  %s\n", command->name, command->n_options ? " [options]" : "",
                str_empty(command->arguments) ? "" : " ", command->arguments ? command->arguments : "",
                command->summary);
        if (command->help)
                fprintf(stream, "\n%s\n", command->help);
        if (command->more_help && full)
                command->more_help(stream);
        if (full && command->n_options > 0)
                print_options(command, stream);
        if (!full)
                fprintf(stream, "\nTry 'slipway %s -help'.\n", command->name);
}

/* ui_say(), ui_message() or ui_error(), as this command prints. */
__attribute__((format(printf, 2, 0))) static void tell(void (*with)(struct ui *ui, const char *format, ...),
                                                       const char *format, va_list ap)
{
        CLEANUP_FREE char *text = xvasprintf(format, ap);
        struct ui ui;

        ui_init(&ui, NULL);
        ui.color = false;
        ui.machine_readable = command_machine_readable;
        with(&ui, "%s", text);
}

void command_say(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        tell(ui_say, format, ap);
        va_end(ap);
}

void command_list(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        tell(ui_message, format, ap);
        va_end(ap);
}

void command_complain(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        tell(ui_error, format, ap);
        va_end(ap);
}

int command_fail(struct error *err)
{
        int signo = err->code == ECANCELED ? cancel_signal() : 0;

        command_complain("Error: %s", error_message(err));
        error_clear(err);
        return signo ? 128 + signo : 1;
}

const struct command *command_find(const char *name)
{
        for (const struct command *const *command = commands; *command; command++)
                if (strcmp((*command)->name, name) == 0)
                        return *command;
        return NULL;
}

int command_unknown(const char *noun, const char *name, const char *const *names)
{
        const char *nearest = str_nearest(name, names);

        command_complain("slipway: unknown %s '%s'%s%s%s\nTry 'slipway -help'.", noun, name,
                         nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return EXIT_USAGE;
}

int command_unknown_word(const struct command *command, const char *noun, const char *word, const char *const *words)
{
        CLEANUP_FREE char *all = strv_join(words, ", ");
        const char *nearest = str_nearest(word, words);

        command_complain("slipway %s: unknown %s '%s'%s%s%s There are: %s\nTry 'slipway %s -help'.", command->name,
                         noun, word, nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "",
                         all, command->name);
        return EXIT_USAGE;
}
