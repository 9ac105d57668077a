/* What commands that take a template have in common: options for values and
 * for the choice of builds, loading, messages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/cmd.h"
#include "template/template.h"

struct template_args {
        char **vars, **var_files, **only, **except;
        const char *config_type; /* one of template_config_types, or NULL */
        bool ignored;            /* what Packer takes and means nothing here */
};

#define TEMPLATE_OPTION(options, member, field, option, kind, ...)                                                     \
        {                                                                                                              \
                .name = (option), .type = (kind),                                                                      \
                .offset = offsetof(struct options, member) + offsetof(struct template_args, field), __VA_ARGS__        \
        }
/* Rows for a table of option_spec; `member` of `struct options` is the struct template_args. */
#define TEMPLATE_VALUE_OPTIONS(options, member)                                                                        \
        TEMPLATE_OPTION(options, member, vars, "var", OPTION_PAIRS, .argument = "NAME=VALUE",                          \
                        .help = "Set a variable of the template; may be repeated"),                                    \
                TEMPLATE_OPTION(options, member, var_files, "var-file", OPTION_STRINGS, .argument = "FILE",            \
                                .help = "Set variables from a file; may be repeated")
#define TEMPLATE_BUILD_OPTIONS(options, member)                                                                        \
        TEMPLATE_OPTION(options, member, only, "only", OPTION_LIST, .argument = "BUILD,...",                           \
                        .help = "These builds only (patterns with *, ?, [a-z], {a,b})"),                               \
                TEMPLATE_OPTION(options, member, except, "except", OPTION_LIST, .argument = "BUILD,...",               \
                                .help = "Leave these builds and post-processors out")

#define TEMPLATE_LANGUAGE_OPTION(options, member)                                                                      \
        TEMPLATE_OPTION(options, member, config_type, "config-type", OPTION_STRING, .argument = "TYPE",                \
                        .choices = template_config_types,                                                              \
                        .help = "json or hcl2: the language, where the template's name does not tell it")

/* For the order in which Packer evaluates, and for its plug-ins. (-skip-enforcement, of build alone, is for its
 * registry.) */
#define TEMPLATE_IGNORED_OPTIONS(options, member)                                                                      \
        TEMPLATE_OPTION(options, member, ignored, "use-sequential-evaluation", OPTION_BOOL, ),                         \
                TEMPLATE_OPTION(options, member, ignored, "ignore-prerelease-plugins", OPTION_BOOL, )
/* Packer takes these for every command that has a template, though some make nothing of them. */
#define TEMPLATE_IGNORED_BUILDS(options, member)                                                                       \
        TEMPLATE_OPTION(options, member, only, "only", OPTION_LIST, .argument = "BUILD,..."),                          \
                TEMPLATE_OPTION(options, member, except, "except", OPTION_LIST, .argument = "BUILD,...")
#define TEMPLATE_IGNORED_VALUES(options, member)                                                                       \
        TEMPLATE_OPTION(options, member, vars, "var", OPTION_PAIRS, .argument = "NAME=VALUE"),                         \
                TEMPLATE_OPTION(options, member, var_files, "var-file", OPTION_STRINGS, .argument = "FILE"),           \
                TEMPLATE_OPTION(options, member, config_type, "config-type", OPTION_STRING, .argument = "TYPE",        \
                                .choices = template_config_types)
#define TEMPLATE_ALL_IGNORED(options, member)                                                                          \
        TEMPLATE_IGNORED_VALUES(options, member), TEMPLATE_IGNORED_BUILDS(options, member),                            \
                TEMPLATE_IGNORED_OPTIONS(options, member)

extern const char *const template_config_types[];
void template_args_clear(struct template_args *args);
/* -config-type=hcl2 */
bool template_args_hcl(const struct template_args *args);
/* template_load() with what the options say; `load` has the path and what else the command wants. */
struct template *template_args_load(const struct template_args *args, struct template_options load,
                                    struct diags *diags);

/* The same for a command that carries the builds out: they are checked, and at
 * least one must be left to do; everything secret is hidden in `diags`. */
struct template *template_args_load_builds(const struct template_args *args, struct template_options load,
                                           struct diags *diags);

/* Are colours wanted on standard error? */
bool diags_color(void);
/* Show all messages on standard error, in the order of their places; with -machine-readable as `ui,error` on stdout. */
void diags_show(struct diags *diags, bool color);
