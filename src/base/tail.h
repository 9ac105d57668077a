/* The last lines that a program wrote, kept for the error message. */
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { TAIL_LINES = 12 };

/* A ring; zero-initialised is empty. */
struct tail {
        char *lines[TAIL_LINES];
        size_t n; /* lines ever added */
};

void tail_add(struct tail *tail, const char *line);
/* Append the lines to the message, oldest first, each on a line of its own. Returns r. */
int tail_append(const struct tail *tail, struct error *err, int r);
/* The newest line, or NULL. */
const char *tail_last(const struct tail *tail);
void tail_clear(struct tail *tail);
#define CLEANUP_TAIL CLEANUP(tail_clear)
