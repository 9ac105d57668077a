/* See glob.h. Instead of trying one way after the other, which takes
 * exponential time, all places of the text which the pattern so far can end at
 * are kept, and moved on together. */
#include "template/glob.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { MAX_DEPTH = 16 };

struct text {
        const char *s;
        size_t len;
};

/* Bytes of the UTF-8 character here; 1 at the end of the text. */
static size_t char_length(const char *s)
{
        size_t n = 1;

        while (*s && ((unsigned char)s[n] & 0xc0) == 0x80)
                n++;
        return n;
}

static bool same_char(const char *a, const char *b)
{
        size_t n = char_length(a);

        return char_length(b) == n && memcmp(a, b, n) == 0;
}

/* A character of UTF-8 is greater than another where its bytes are. */
static bool in_range(const char *c, const char *low, const char *high)
{
        return strncmp(c, low, char_length(low)) >= 0 && strncmp(c, high, char_length(high)) <= 0;
}

/* After the class that begins behind '['; NULL: it is not closed. *ret: is the character in it? */
static const char *match_class(const char *p, const char *c, bool *ret)
{
        bool inverted = *p == '!', found = false;

        for (p += inverted; *p && *p != ']';) {
                const char *low, *high;

                p += *p == '\\' && p[1];
                low = high = p;
                p += char_length(p);
                if (*p == '-' && p[1] && p[1] != ']') {
                        high = p + 1;
                        p = high + char_length(high);
                }
                found = found || in_range(c, low, high);
        }
        *ret = found != inverted;
        return *p ? p + 1 : NULL;
}

/* Behind one element of the pattern that stands for a character; NULL: it is not sound. */
static const char *match_char(const char *p, const char *c, bool *ret)
{
        if (*p == '[')
                return match_class(p + 1, c, ret);
        *ret = true;
        if (*p == '?')
                return p + 1;
        if (*p == '\\' && !*++p)
                return NULL;
        *ret = same_char(p, c);
        return p + char_length(p);
}

static const char *step(const char *p, const struct text *text, bool *places)
{
        const char *next;
        bool matches;

        places[text->len] = false;
        for (size_t i = text->len; i-- > 0;) { /* from behind: what moves on is not met again */
                bool here = places[i];

                places[i] = false;
                if (!here)
                        continue;
                next = match_char(p, text->s + i, &matches);
                if (next && matches)
                        places[i + char_length(text->s + i)] = true;
        }
        return match_char(p, text->s, &matches);
}

static void match_any(const struct text *text, bool *places)
{
        for (size_t i = 1; i <= text->len; i++)
                places[i] = places[i] || places[i - 1];
}

static const char *match_sequence(const char *p, const struct text *text, bool *places, int depth);

/* After "{a,b}", whose first alternative begins at p. */
static const char *match_alternatives(const char *p, const struct text *text, bool *places, int depth)
{
        CLEANUP_FREE bool *from = xcalloc(text->len + 1, sizeof(*from));
        CLEANUP_FREE bool *tried = xcalloc(text->len + 1, sizeof(*tried));

        memcpy(from, places, text->len + 1);
        memset(places, 0, text->len + 1);
        for (;; p++) {
                memcpy(tried, from, text->len + 1);
                p = match_sequence(p, text, tried, depth);
                if (!p || !*p)
                        return NULL;
                for (size_t i = 0; i <= text->len; i++)
                        places[i] = places[i] || tried[i];
                if (*p == '}')
                        return p + 1;
        }
}

/* Up to the end, or to the ',' or '}' of the alternatives around it, which is returned. NULL: not sound. */
static const char *match_sequence(const char *p, const struct text *text, bool *places, int depth)
{
        if (depth > MAX_DEPTH)
                return NULL;
        while (p && *p && (depth == 0 || (*p != ',' && *p != '}'))) {
                if (*p == '*') {
                        match_any(text, places);
                        p++;
                } else if (*p == '{') {
                        p = match_alternatives(p + 1, text, places, depth + 1);
                } else {
                        p = step(p, text, places);
                }
        }
        return p;
}

/* False: the pattern is not sound. *ret: does it match all of the text? */
static bool match(const char *pattern, const char *s, bool *ret)
{
        const struct text text = {s, strlen(s)};
        CLEANUP_FREE bool *places = xcalloc(text.len + 1, sizeof(*places));

        places[0] = true;
        if (!match_sequence(pattern, &text, places, 0))
                return false;
        *ret = places[text.len];
        return true;
}

bool glob_is_valid(const char *pattern)
{
        bool ignored;

        return match(pattern, "", &ignored);
}

bool glob_match(const char *pattern, const char *s)
{
        bool matches;

        return match(pattern, s, &matches) ? matches : strcmp(pattern, s) == 0;
}
