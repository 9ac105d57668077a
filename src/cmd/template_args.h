/* What commands that take a template have in common: options for values and
 * for the choice of builds, loading, messages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/cmd.h"
#include "template/template.h"

struct template_args {
        char **vars, **var_files, **only, **except;
        bool ignored; /* what Packer takes and means nothing here */
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
                                .help = "Set variables from a file; may be repeated")
#define TEMPLATE_BUILD_OPTIONS(options, member)                                                                        \
        TEMPLATE_OPTION(options, member, only, "only", OPTION_LIST, .argument = "BUILD,...",                           \
                        .help = "These builds only (patterns with * and ?)"),                                          \
                TEMPLATE_OPTION(options, member, except, "except", OPTION_LIST, .argument = "BUILD,...",               \
                                .help = "Leave these builds and post-processors out")

/* For the order in which Packer evaluates, and for its plug-ins. */
#define TEMPLATE_IGNORED_OPTIONS(options, member)                                                                      \
        TEMPLATE_OPTION(options, member, ignored, "use-sequential-evaluation", OPTION_BOOL,                            \
                        .help = "Taken as Packer takes it; locals and data sources are always evaluated in order"),    \
                TEMPLATE_OPTION(options, member, ignored, "ignore-prerelease-plugins", OPTION_BOOL,                    \
                                .help = "Taken as Packer takes it; there are no such plug-ins here")

void template_args_clear(struct template_args *args);
/* template_load() with what the options say; `load` has the path and what else the command wants. */
struct template *template_args_load(const struct template_args *args, struct template_options load,
                                    struct diags *diags);

/* Are colours wanted on standard error? */
bool diags_color(void);
/* Show all messages on standard error, in the order of their places; with -machine-readable as `ui,error` on stdout. */
void diags_show(struct diags *diags, bool color);
