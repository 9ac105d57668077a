/* Memory that is released all at once: for trees and values that live exactly
 * as long as one job (a template, one request). Nothing in it is freed alone,
 * so error paths have nothing to forget. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

/* Zero-initialised is an empty arena. */
struct arena {
        struct arena_block *blocks;
        char *next;
        size_t left;
        size_t used; /* bytes handed out, for limits and measurements */
};

/* Zeroed bytes, aligned for any type; never NULL, also for size 0. Running out of memory ends the program. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* n elements of `size` bytes; an overflowing product counts as out of memory. */
void *arena_array(struct arena *arena, size_t n, size_t size)
        __attribute__((malloc, returns_nonnull, warn_unused_result));
char *arena_strndup(struct arena *arena, const char *s, size_t n) __attribute__((returns_nonnull, warn_unused_result));
char *arena_strdup(struct arena *arena, const char *s) __attribute__((returns_nonnull, warn_unused_result));
char *arena_printf(struct arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3), returns_nonnull, warn_unused_result));
void *arena_memdup(struct arena *arena, const void *p, size_t size)
        __attribute__((returns_nonnull, warn_unused_result));
/* Release everything; the arena is empty again. */
void arena_free(struct arena *arena);
