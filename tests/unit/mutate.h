/* Texts damaged at random, by a fixed sequence: the same mutants on every machine. */
#pragma once

#include <stdint.h>
#include <string.h>

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

static inline uint32_t random_below(uint32_t n)
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return (uint32_t)(random_state >> 32) % n;
}

/* Room for n bytes at `at`; false if the text would get longer than max - 1. */
static inline int make_room(char *text, size_t *len, size_t at, size_t n, size_t max)
{
        if (*len + n >= max)
                return 0;
        memmove(text + at + n, text + at, *len - at);
        *len += n;
        return 1;
}

/* A few edits: a byte changed, a piece removed, doubled, or a telling token put in.
 * Returns the new length, which is less than max; the text ends with a NUL. */
static inline size_t mutate(char *text, size_t len, size_t max, const char *const *tokens, uint32_t n_tokens)
{
        for (uint32_t edits = 1 + random_below(4); edits > 0; edits--) {
                size_t at = random_below((uint32_t)len + 1), n = random_below(12);
                const char *token = tokens[random_below(n_tokens)];

                n = n > len - at ? len - at : n;
                switch (random_below(4)) {
                case 0:
                        if (at < len)
                                text[at] = (char)random_below(256);
                        break;
                case 1:
                        memmove(text + at, text + at + n, len - at - n);
                        len -= n;
                        break;
                case 2: /* what stood there stands there once more */
                        make_room(text, &len, at, n, max);
                        break;
                default:
                        if (make_room(text, &len, at, strlen(token), max))
                                memcpy(text + at, token, strlen(token));
                }
        }
        text[len] = '\0';
        return len;
}
