/* Expressions evaluated as a template would: HCL's with its variables,
 * locals and functions, or the {{ }} of a JSON template. */
#pragma once

#include "template/template.h"

enum console_language {
        CONSOLE_HCL,
        CONSOLE_JSON,
        CONSOLE_BOTH, /* no template: HCL, and where a text has {{ in it that of JSON templates */
};

struct console;

/* options->path NULL: no template; inspect: what has no value is unknown. Messages into diags; after errors (compare
 * diags->n_errors) expressions may lack what they refer to. Never NULL. */
struct console *console_new(enum console_language language, const struct template_options *options,
                            struct diags *diags);
struct console *console_free(struct console *console); /* returns NULL */
static inline void console_freep(struct console **console)
{
        *console = console_free(*console);
}

/* What the text amounts to, as Packer's console prints it; the caller frees.
 * NULL after errors, which are in diags. "variables" lists the template's
 * variables, "help" says what can be typed. */
char *console_eval(struct console *console, const char *text, struct diags *diags);
/* Does the expression go on in the next line: is a bracket, or a heredoc, open? */
bool console_is_open(const struct console *console, const char *text);
/* What must not be shown, NULL-terminated; borrowed, may be NULL. */
const char *const *console_secrets(const struct console *console);
/* Names that may begin an expression, sorted: functions, var, local, "var.name"...; the caller frees. */
char **console_words(const struct console *console);
