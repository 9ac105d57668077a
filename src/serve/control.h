/* The running server's control socket: a client connects, writes one JSON
 * object on a line, and reads lines of JSON until the end: first {"ok": true} or
 * {"error": TEXT}, then what it asked for. A watcher's connection stays
 * open, and gets each event. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct control;

/* Write the answer's lines to `out`, its first line among them. True: the client watches. */
typedef bool control_handler(void *arg, const json_t *request, FILE *out);

/* Bind the socket; an old one that nobody serves is replaced, else -EADDRINUSE. */
int control_open(const char *path, struct control **ret, struct error *err);
int control_start(struct control *control, control_handler *handle, void *arg, struct error *err);
/* To all watchers, from any thread. One that does not read is let go. */
void control_broadcast(struct control *control, const json_t *object);
bool control_watched(struct control *control);
/* Nobody is answered any more; watchers still hear what is broadcast. */
void control_stop(struct control *control);
struct control *control_free(struct control *control); /* returns NULL; removes the socket */

/* ---- the client's side ---- */

/* Connect and ask; *ret is what can be read line by line after the first, which said ok. Its error is ours. */
int control_ask(const char *path, json_t *request, FILE **ret, struct error *err);
/* One line; NULL at the end. A new reference. */
json_t *control_line(FILE *stream);
