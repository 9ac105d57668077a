/* See arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BLOCK_SIZE = 64 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
        struct arena_block *next;
        alignas(max_align_t) char bytes[];
};

static void *add_block(struct arena *arena, size_t size)
{
        struct arena_block *block = xcalloc(1, sizeof(*block) + size);

        block->next = arena->blocks;
        arena->blocks = block;
        return block->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
        size_t rounded = size > SIZE_MAX - 2 * (size_t)BLOCK_SIZE ? size : (size + ALIGN - 1) / ALIGN * ALIGN;
        void *p;

        arena->used += rounded;
        if (rounded > BLOCK_SIZE / 4) /* a block of its own; what is left of the other one stays in use */
                return add_block(arena, rounded);
        if (rounded > arena->left || !arena->next) {
                arena->next = add_block(arena, BLOCK_SIZE);
                arena->left = BLOCK_SIZE;
        }
        p = arena->next;
        arena->next += rounded;
        arena->left -= rounded;
        return p;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
        size_t total;

        if (__builtin_mul_overflow(n, size, &total))
                total = SIZE_MAX; /* which no machine has: ends with the usual message */
        return arena_alloc(arena, total);
}

void *arena_memdup(struct arena *arena, const void *p, size_t size)
{
        void *copy = arena_alloc(arena, size);

        if (size > 0)
                memcpy(copy, p, size);
        return copy;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
        char *copy = arena_alloc(arena, n + 1);

        if (n > 0)
                memcpy(copy, s, n);
        return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
        return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
        va_list ap;
        char *text, *copy;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        copy = arena_strdup(arena, text);
        free(text);
        return copy;
}

void arena_free(struct arena *arena)
{
        while (arena->blocks) {
                struct arena_block *next = arena->blocks->next;

                free(arena->blocks);
                arena->blocks = next;
        }
        *arena = (struct arena){0};
}
