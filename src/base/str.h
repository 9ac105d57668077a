/* Strings: a growing buffer (struct str), NULL-terminated lists (strv), and
 * the few tests and cuts that libc lacks. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A growing string. Zero-initialised is the empty string; s is NULL until
 * the first addition, then always NUL-terminated. */
struct str {
        char *s;
        size_t len, cap;
};

void str_add(struct str *str, const char *s);
void str_addn(struct str *str, const char *s, size_t n);
void str_addc(struct str *str, char c);
/* A Unicode code point, at most 0x10ffff, as UTF-8 (RFC 3629). */
void str_add_utf8(struct str *str, uint32_t c);
/* The next character of UTF-8, behind which *s then is; negative if there is none (RFC 3629). */
int32_t str_next_utf8(const char **s);
void str_addf(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_addvf(struct str *str, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
/* The contents, never NULL; str becomes empty. The caller frees the result. */
char *str_steal(struct str *str) __attribute__((returns_nonnull, warn_unused_result));
/* The contents as a C string, never NULL; still owned by str. */
const char *str_get(const struct str *str);
void str_clear(struct str *str);
#define CLEANUP_STR CLEANUP(str_clear)

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_empty(const char *s); /* NULL or "" */
/* Cut white space off both ends, in place; returns a pointer into s. */
char *str_trim(char *s);
/* Number of edits (insert, delete, replace, swap of neighbours) from a to b. */
size_t str_distance(const char *a, const char *b);
/* Of the NULL-terminated candidates the one nearest to `word`, if it is near
 * enough to be what was meant; else NULL. */
const char *str_nearest(const char *word, const char *const *candidates);
/* s with every `from` replaced by `to`; the caller frees. */
char *str_replace(const char *s, const char *from, const char *to) __attribute__((warn_unused_result));
/* s in single quotes for sh(1), each ' inside written '"'"'; the caller frees. */
char *str_shell_quote(const char *s) __attribute__((warn_unused_result));
/* s as it may be shown on one line, and be a string of JSON: control characters, and bytes that are no UTF-8, as \xNN;
 * the caller frees. */
char *str_printable(const char *s) __attribute__((warn_unused_result));

/* NULL-terminated lists of owned strings; NULL is the empty list. */
char **strv_free(char **strv); /* returns NULL */
static inline void strv_freep(char ***strv)
{
        *strv = strv_free(*strv);
}
#define CLEANUP_STRV CLEANUP(strv_freep)
size_t strv_len(const char *const *strv);
/* Append a copy of s (strv_add), or s itself (strv_take). */
void strv_add(char ***strv, const char *s);
void strv_take(char ***strv, char *s);
void strv_addf(char ***strv, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Append copies of all of `more`, which may be NULL. */
void strv_extend(char ***strv, const char *const *more);
char **strv_dup(const char *const *strv);
bool strv_has(const char *const *strv, const char *s);
/* Set K=V in an environment list, replacing an earlier K. */
void strv_setenv(char ***strv, const char *key, const char *value);
/* The parts of s between occurrences of any character of `separators`;
 * empty parts are kept. */
char **str_split(const char *s, const char *separators) __attribute__((warn_unused_result));
char *strv_join(const char *const *strv, const char *separator) __attribute__((warn_unused_result));

/* To pass a char** where a list of const is read. */
#define STRV(x) ((const char *const *)(x))
