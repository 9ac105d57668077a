/* What went wrong, in words for a person. Every function that can fail takes
 * a `struct error *err` as its last argument, returns a negative errno, and
 * sets *err only then. Each layer adds its context once, with error_wrap():
 * "outer: inner". Nobody logs and returns.
 *
 * err may be NULL where the caller wants the code only. */
#pragma once

#include "base/cleanup.h"

struct error {
        int code;      /* positive errno, or 0: no error */
        char *message; /* owned */
};

/* Set a message of our own. `code` is a positive errno and gives the return
 * value -code; its text is not appended. A previous message is replaced. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: ": <strerror(code)>" is appended. */
int error_errno(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Put "<context>: " before the message. Returns r, which is what failed. */
int error_wrap(struct error *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Append text (a hint, a line of output) after the message. Returns r. */
int error_append(struct error *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The message, never NULL. libcom_err, which libext2fs calls, has a function
 * error_message() of its own that ours would take the place of at run time:
 * hence the name beneath. */
const char *error_text(const struct error *err);
#define error_message(err) error_text(err)

/* Move src to dst; src becomes empty. */
void error_move(struct error *dst, struct error *src);

void error_clear(struct error *err);

#define CLEANUP_ERROR CLEANUP(error_clear)

/* What clang's analyser cannot see: these never return 0. */
#ifdef __clang_analyzer__
#define error_set(...)            (error_set(__VA_ARGS__), -5)
#define error_errno(...)          (error_errno(__VA_ARGS__), -5)
#define error_wrap(err, r, ...)   (error_wrap(err, r, __VA_ARGS__), r)
#define error_append(err, r, ...) (error_append(err, r, __VA_ARGS__), r)
#endif
