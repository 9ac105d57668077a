/* Allocation that does not fail: a program of this kind cannot go on without
 * memory, so running out ends it with a message. The caller owns the result
 * and releases it with free(). */
#pragma once

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Room for n elements of `size` bytes; an overflowing product counts as out of memory. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((warn_unused_result));
/* NULL gives NULL. */
char *xstrdup(const char *s) __attribute__((warn_unused_result));
char *xstrndup(const char *s, size_t n) __attribute__((warn_unused_result));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull, warn_unused_result));
char *xvasprintf(const char *format, va_list ap)
        __attribute__((format(printf, 1, 0), returns_nonnull, warn_unused_result));
