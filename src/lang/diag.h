/* Source text, positions in it, and messages about it. A message names file,
 * line and column, shows the line with the place underlined, and says what
 * would be right. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/vec.h"

/* A file that was read. Values point into it and must not outlive it; every
 * message holds a reference of its own, and can be printed at any time. */
struct source_text {
        char *path; /* as the user gave it; "<stdin>" for "-" */
        char *text; /* NUL-terminated */
        size_t len;
        unsigned int refs;
        struct source_span *hidden; /* bytes that messages do not show */
        size_t n_hidden;
};
struct source_span {
        size_t start, end;
};

/* The whole file (at most 64 MiB); "-" is standard input. */
int source_text_read(const char *path, struct source_text **ret, struct error *err);
struct source_text *source_text_new(const char *path, const char *text, size_t len);
struct source_text *source_text_ref(const struct source_text *source); /* returns it */
struct source_text *source_text_free(struct source_text *source);      /* drops a reference; returns NULL */
/* Messages show these bytes as asterisks from now on: a secret stands there. */
void source_text_hide(const struct source_text *source, size_t start, size_t end);
/* The same, wherever one of the words stands (NULL-terminated; may be NULL). */
void source_text_hide_words(const struct source_text *source, const char *const *words);
static inline void source_text_freep(struct source_text **source)
{
        *source = source_text_free(*source);
}

/* A range of bytes of a source; source NULL: no place (a -var option, say). */
struct range {
        const struct source_text *source; /* borrowed */
        size_t start, end;
};
#define NO_RANGE ((struct range){0})

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diag {
        enum severity severity;
        struct range range;
        char *summary; /* one line: unknown key 'image_sizes'; did you mean 'image_size'? */
        char *detail;  /* more lines, or NULL */
        char *meant;   /* the key that was meant by an unknown one, or NULL */
};

/* Messages in the order in which they were found. Zero-initialised is empty. */
struct diags {
        VEC(struct diag) list;
        size_t n_errors;
};

void diag_error(struct diags *diags, struct range at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(struct diags *diags, struct range at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Add a detail to the message added last. */
void diag_detail(struct diags *diags, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Say which key was meant by the unknown one that the message added last is about. */
void diag_meant(struct diags *diags, const char *key);
void diags_print(const struct diags *diags, FILE *stream, bool color);
void diags_clear(struct diags *diags);
/* None of them names a place any more: the text is not one that anybody has written. */
void diags_forget_places(struct diags *diags);
/* Move all messages of src to the end of dst's. */
void diags_move(struct diags *dst, struct diags *src);

/* Replace each of the secrets (NULL-terminated; may be NULL) in what the messages say by <sensitive>. */
void diags_hide(struct diags *diags, const char *const *secrets);

/* In the order of their places, those without a place first. What is said twice of one place is kept once. */
void diags_sort(struct diags *diags);

/* The length of the UTF-8 character at s (NUL-terminated), or 0 if it is none:
 * a bad lead byte, a missing continuation, an overlong form, a surrogate,
 * past U+10FFFF. */
size_t utf8_length(const char *s);

/* Line and column, both from 1; the column counts characters (UTF-8), a tab as one. */
void range_position(const struct range *range, unsigned int *ret_line, unsigned int *ret_column);
/* The same for many places, one after the other: what lies between two of a source is read once where they come in
 * its order. Zero-initialised is before the first. */
struct range_cursor {
        const struct source_text *source;
        size_t at;
        unsigned int line, column;
};
void range_locate(const struct range *range, struct range_cursor *cursor);
