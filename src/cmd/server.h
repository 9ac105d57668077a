/* What the commands that ask the running server have in common. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/cmd.h"

struct server_options {
        const char *control; /* its socket; NULL: SLIPWAY_CONTROL, or the usual one */
        bool json;           /* an object on each line */
        const char *output;  /* "text" or "json": all as one list; NULL: text */
};

extern const char *const server_outputs[];

#define SERVER_OPTIONS(type, member)                                                                                   \
        {"control", OPTION_STRING, offsetof(type, member.control),                                                     \
         "SOCKET",  NULL,          "the server's control socket (SLIPWAY_CONTROL, or /var/lib/slipway/control)"},      \
        {                                                                                                              \
                "json", OPTION_BOOL, offsetof(type, member.json), NULL, NULL, "a JSON object on each line"             \
        }

/* Of commands whose answers have an end. */
#define SERVER_LIST_OPTIONS(type, member)                                                                              \
        SERVER_OPTIONS(type, member),                                                                                  \
        {                                                                                                              \
                "o", OPTION_STRING, offsetof(type, member.output), "FORMAT", server_outputs, "text or json: one list"  \
        }

const char *server_control(const struct server_options *options);
/* Ask, and hand each line of the answer to `visit` (may be NULL), or print it where JSON is wanted. `request` is
 * taken over. A negative result of `visit` ends it and is returned. */
int server_ask(const struct server_options *options, json_t *request, int (*visit)(void *arg, json_t *line), void *arg,
               struct error *err);
/* What a command can be told to do. */
struct server_verb {
        const char *name; /* NULL ends the table */
        int n_arguments;
        int (*run)(const void *options, char **arguments, struct error *err);
};
/* A command with verbs, carried out: options (read into `options`) may stand on both sides of the verb. command->words
 * lists the verbs' names. Returns the exit code. */
int server_run(const struct command *command, int argc, char **argv, void *options, const struct server_verb *verbs);
/* A text of an object; "" where it is missing. */
const char *server_text(const json_t *object, const char *key);
/* "12:30:05", with the day in front where it is not today. */
void server_time(int64_t sec, char *buf, size_t size);
