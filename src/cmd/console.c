/* slipway console: expressions tried out, one after the other. */
#include "template/console.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/ui.h"
#include "cmd/edit.h"
#include "cmd/template_args.h"
#include "template/module.h"

struct options {
        struct template_args template;
};

static const struct option_spec specs[] = {
        TEMPLATE_VALUE_OPTIONS(options, template),
        TEMPLATE_LANGUAGE_OPTION(options, template),
        TEMPLATE_IGNORED_BUILDS(options, template),
        TEMPLATE_IGNORED_OPTIONS(options, template),
};

struct session {
        struct console *console;
        struct ui ui;
        char *result; /* piped: what is printed at the end */
        bool failed, done;
        struct str text; /* lines so far of an expression that goes on */
};

/* A line of input: it ends an expression, or goes on with it. */
static char *take_line(struct session *session, const char *line, struct diags *diags)
{
        CLEANUP_FREE char *copy = xstrdup(line);
        const char *text;

        if (session->text.len > 0)
                str_addc(&session->text, '\n');
        str_add(&session->text, line);
        text = str_trim(copy);
        if (session->text.len == strlen(line) && strcmp(text, "exit") == 0)
                session->done = true;
        if (session->done || console_is_open(session->console, str_get(&session->text)))
                return NULL;
        /* A word of the console may have blanks around it; an expression goes as it is. */
        text = session->text.len == strlen(line) ? text : str_get(&session->text);
        return *text ? console_eval(session->console, text, diags) : NULL;
}

static void show_diags(struct session *session, struct diags *diags)
{
        session->failed = session->failed || diags->n_errors > 0;
        diags_hide(diags, console_secrets(session->console));
        diags_show(diags, diags_color());
        diags_clear(diags);
}

/* ---- from a pipe: the last result is printed, as Packer has it ---- */

static void evaluate_piped(struct session *session, const char *line)
{
        struct diags diags = {0};
        char *result = take_line(session, line, &diags);

        if (diags.n_errors > 0 || result) {
                free(session->result);
                session->result = result;
                str_clear(&session->text);
        }
        show_diags(session, &diags);
}

static int run_piped(struct session *session)
{
        CLEANUP_FREE char *line = NULL;
        struct diags diags = {0};
        size_t size = 0;
        ssize_t n;

        while (!session->done && (n = getline(&line, &size, stdin)) >= 0) {
                while (n > 0 && strchr("\n\r", line[n - 1]))
                        line[--n] = '\0';
                evaluate_piped(session, line);
                if (session->text.len > 0 && !console_is_open(session->console, str_get(&session->text)))
                        str_clear(&session->text);
        }
        if (session->text.len > 0 && !session->done) { /* a bracket was never closed: say so */
                free(console_eval(session->console, str_get(&session->text), &diags));
                show_diags(session, &diags);
        }
        ui_message(&session->ui, "%s", session->result ? session->result : "");
        return session->failed;
}

/* ---- at a terminal ---- */

static void evaluate_typed(struct session *session, struct edit *edit, const char *line)
{
        struct diags diags = {0};
        CLEANUP_FREE char *result = take_line(session, line, &diags);
        bool open = !session->done && console_is_open(session->console, str_get(&session->text));

        show_diags(session, &diags);
        if (result)
                ui_say(&session->ui, "%s", result);
        if (open)
                return;
        if (session->text.len > 0)
                edit_remember(edit, str_get(&session->text));
        str_clear(&session->text);
}

static int run_typed(struct session *session)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_STRV char **words = console_words(session->console);
        CLEANUP(edit_freep) struct edit *edit = NULL;

        if (edit_new("console_history", STRV(words), &edit, &err) < 0)
                return command_fail(&err);
        while (!session->done) {
                CLEANUP_FREE char *line = NULL;

                switch (edit_line(edit, session->text.len > 0 ? ". " : "> ", &line)) {
                case EDIT_LINE:
                        evaluate_typed(session, edit, line);
                        break;
                case EDIT_INTERRUPTED:
                        session->done = session->text.len == 0;
                        str_clear(&session->text);
                        break;
                case EDIT_CANCELLED:
                        str_clear(&session->text);
                        break;
                case EDIT_END:
                        session->done = true;
                        break;
                }
        }
        return 0;
}

static enum console_language language_of(const struct options *options, const char *path)
{
        if (options->template.config_type)
                return template_args_hcl(&options->template) ? CONSOLE_HCL : CONSOLE_JSON;
        if (!path)
                return CONSOLE_BOTH;
        return template_is_hcl(path) ? CONSOLE_HCL : CONSOLE_JSON;
}

static int console(const struct options *options, const char *path)
{
        struct diags diags = {0}, doubts = {0};
        const struct template_options load = {.path = path,
                                              .syntax_only = true,
                                              .inspect = true,
                                              .doubts = &doubts,
                                              .evaluate_data = true,
                                              .var_args = STRV(options->template.vars),
                                              .var_files = STRV(options->template.var_files)};
        CLEANUP(console_freep) struct console *console = console_new(language_of(options, path), &load, &diags);
        struct session session = {.console = console};
        int exit_code;

        show_diags(&session, &doubts);
        session.failed = false; /* what has no value is unknown */
        show_diags(&session, &diags);
        if (session.failed)
                return 1;
        ui_init(&session.ui, NULL);
        session.ui.color = false;
        session.ui.machine_readable = command_machine_readable;
        session.ui.secrets = console_secrets(console);
        exit_code = isatty(STDIN_FILENO) ? run_typed(&session) : run_piped(&session);
        free(session.result);
        str_clear(&session.text);
        return exit_code;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 0, 1, &exit_code);

        if (first >= 0)
                exit_code = console(&options, first < argc ? argv[first] : NULL);
        template_args_clear(&options.template);
        return exit_code;
}

const struct command command_console = {
        .name = "console",
        .arguments = "[TEMPLATE|FOLDER]",
        .summary = "Try out expressions, with a template's variables",
        .help = "  At a terminal each expression is answered at once; Tab completes names, Ctrl-D or \"exit\" ends.\n"
                "  From a pipe the value of the last expression is printed. \"help\" says what can be typed.",
        OPTIONS(specs),
        .run = run,
};
