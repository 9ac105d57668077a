/* A growing array of any type:
 *
 *     VEC(struct thing) things = {0};
 *     vec_push(&things, (struct thing){.name = name});
 *     for (size_t i = 0; i < things.n; i++) ... things.v[i] ...
 *     vec_free(&things);
 *
 * The elements' own resources are the caller's to release. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define VEC(type)                                                                                                      \
        struct {                                                                                                       \
                type *v;                                                                                               \
                size_t n, cap;                                                                                         \
        }

#define vec_reserve(vec, count)                                                                                        \
        do {                                                                                                           \
                size_t _want = (count);                                                                                \
                if (_want > (vec)->cap) {                                                                              \
                        (vec)->cap = _want > 2 * (vec)->cap ? _want : 2 * (vec)->cap;                                  \
                        (vec)->v = xreallocarray((vec)->v, (vec)->cap, sizeof(*(vec)->v));                             \
                }                                                                                                      \
        } while (0)

#define vec_push(vec, ...)                                                                                             \
        do {                                                                                                           \
                vec_reserve((vec), (vec)->n + 1);                                                                      \
                (vec)->v[(vec)->n++] = __VA_ARGS__;                                                                    \
        } while (0)

#define vec_free(vec)                                                                                                  \
        do {                                                                                                           \
                free((vec)->v);                                                                                        \
                (vec)->v = NULL;                                                                                       \
                (vec)->n = (vec)->cap = 0;                                                                             \
        } while (0)
