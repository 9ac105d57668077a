/* What commands that take a template have in common: options for values and
 * for the choice of builds, loading, messages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/cmd.h"
#include "template/template.h"

struct template_args {
        char **vars, **var_files, **only, **except;
};

#define TEMPLATE_OPTION(options, member, field, option, kind, ...)                                                     \
        {                                                                                                              \
                .name = (option), .type = (kind),                                                                      \
                .offset = offsetof(struct options, member) + offsetof(struct template_args, field), __VA_ARGS__        \
        }
/* Rows for a table of option_spec; `member` of `struct options` is the struct template_args. */
#define TEMPLATE_VALUE_OPTIONS(options, member)                                                                        \
        TEMPLATE_OPTION(options, member, vars, "var", OPTION_STRINGS, .argument = "NAME=VALUE",                        \
                        .help = "Set a variable of the template; may be repeated"),                                    \
                TEMPLATE_OPTION(options, member, var_files, "var-file", OPTION_STRINGS, .argument = "FILE",            \
                                .help = "Set variables from a JSON file; may be repeated")
#define TEMPLATE_BUILD_OPTIONS(options, member)                                                                        \
        TEMPLATE_OPTION(options, member, only, "only", OPTION_LIST, .argument = "BUILD,...",                           \
                        .help = "These builds only (patterns with * and ?)"),                                          \
                TEMPLATE_OPTION(options, member, except, "except", OPTION_LIST, .argument = "BUILD,...",               \
                                .help = "Leave these builds and post-processors out")

void template_args_clear(struct template_args *args);
/* template_load() with what the options say. */
struct template *template_args_load(const struct template_args *args, const char *path, bool syntax_only,
                                    struct diags *diags);

/* Are colours wanted on standard error? */
bool diags_color(void);
/* Show all messages on standard error, in the order of their places; with -machine-readable as `ui,error` on stdout. */
void diags_show(struct diags *diags, bool color);
