/* Subcommands. One file for each, one row in main.c's table for each; help,
 * usage errors and completion come from the tables of options. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Exit codes beside 0, as Packer's. */
enum {
        EXIT_USAGE = 1,
        EXIT_NO_COMMAND = 127, /* none was given, or one that is not there */
};

enum option_type {
        OPTION_BOOL,    /* bool *: -force, -force=false */
        OPTION_STRING,  /* const char ** */
        OPTION_STRINGS, /* char ***: may be given many times (strv) */
        OPTION_PAIRS,   /* the same, each NAME=VALUE */
        OPTION_LIST,    /* char ***: a,b,c and many times */
        OPTION_INT,     /* long * */
};

/* Options as Packer's: -name, --name, -name=value, -name value. */
struct option_spec {
        const char *name;
        enum option_type type;
        size_t offset;              /* in the command's options struct */
        const char *argument;       /* "NAME=VALUE": for the help; NULL for a bool */
        const char *const *choices; /* NULL: any */
        const char *help;           /* NULL: taken for Packer's sake, without effect */
};

struct command {
        const char *name;
        const char *arguments;             /* "TEMPLATE" */
        const char *summary;               /* one line */
        const char *help;                  /* paragraphs, or NULL */
        void (*more_help)(FILE *stream);   /* lists made from a table, below it; or NULL */
        const char *const *(*words)(void); /* what the first argument may be, for completion; NULL: a file */
        const struct option_spec *options;
        size_t n_options;
        /* argv[0] is the command's name. Returns the exit code. */
        int (*run)(const struct command *command, int argc, char **argv);
};

#define OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

/* Read argv into *out. Returns the index of the first argument, or -1 after
 * having printed help (*ret_exit 0) or a usage error (*ret_exit EXIT_USAGE). */
int options_parse(const struct command *command, int argc, char **argv, void *out, int *ret_exit);
/* The same where options may also stand behind and between arguments: argv is reordered, so that all arguments are at
 * its end. Packer's verbs end their options at the first argument. */
int options_parse_anywhere(const struct command *command, int argc, char **argv, void *out, int *ret_exit);
/* Whether from `min` to `max` arguments are there: returns `first`, which one of the two above gave, or -1 after
 * having said that any other number is a usage error. */
int options_count(const struct command *command, int argc, int first, int min, int max, int *ret_exit);
/* Complains that n arguments are another number than that, of the command or verb of this name. */
void options_wrong_count(const char *name, int n, int min, int max);
/* options_parse() and that. */
int options_parse_count(const struct command *command, int argc, char **argv, void *out, int min, int max,
                        int *ret_exit);
/* Which of an option's choices this is; 0 (the default) for NULL. */
int options_choice(const char *const *choices, const char *value);
/* In full on stdout, as -help asks for; or without the options, where the command line was wrong: so that what was said
 * of it stays in view. */
void command_usage(const struct command *command, bool full);
/* Complains "Error: message"; the exit code 1, or 128 and the number of the signal that stopped it. Clears err. */
int command_fail(struct error *err);

/* -machine-readable was given, before the command's name or after it: every command takes it. */
extern bool command_machine_readable;
/* argv[0]: the name by which the program was called. */
extern const char *command_program;
/* Was it called by Packer's name? Then it says its version, and has its errors on standard output, as Packer. */
bool command_is_packer(void);
/* A text for stdout and a line break; with -machine-readable a line `ui,say`. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for an entry of a list: `ui,message`. */
void command_list(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what went wrong: to ui_error_stream(), or a line `ui,error`. */
void command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* All commands, ended by NULL: main.c's table. */
extern const struct command *const commands[];
/* By name, or NULL. */
const struct command *command_find(const char *name);
/* "slipway: unknown NOUN 'NAME'; did you mean ...?" is complained; EXIT_USAGE. */
int command_unknown(const char *noun, const char *name, const char *const *names);
/* The same for a word that the command itself does not know ("slipway cache: unknown ..."), with all that it does. */
int command_unknown_word(const struct command *command, const char *noun, const char *word, const char *const *words);

/* Once, at the start: 0, 1 and 2 are open, and a pipe that is closed does not end the program. */
void command_open_streams(void);
/* In the end, with the command's exit code: the program's, which is not 0 if something that was printed got lost. That
 * is said, unless it is a pipe that nobody reads any more (`| head`). */
int command_flush(int code);

/* Words that are not for people: the program runs itself by them. Does not return where argv[0] is one. */
void command_inner(int argc, char **argv);

/* "Usage: slipway COMMAND ..." and the list of commands. */
void commands_usage(FILE *stream);

extern const struct command command_boot;
extern const struct command command_build;
extern const struct command command_cache;
extern const struct command command_completion;
extern const struct command command_console;
extern const struct command command_doctor;
extern const struct command command_explain;
extern const struct command command_fix;
extern const struct command command_fmt;
extern const struct command command_hcl2_upgrade;
extern const struct command command_help;
extern const struct command command_image;
extern const struct command command_init;
extern const struct command command_inspect;
extern const struct command command_plan;
extern const struct command command_plugins;
extern const struct command command_relay;
extern const struct command command_release;
extern const struct command command_sbom;
extern const struct command command_schema;
extern const struct command command_lease;
extern const struct command command_machine;
extern const struct command command_reload;
extern const struct command command_serve;
extern const struct command command_simulate;
extern const struct command command_validate;
extern const struct command command_version;
extern const struct command command_watch;
