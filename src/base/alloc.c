/* See alloc.h. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
        if (p)
                return p;
        fputs("slipway: out of memory\n", stderr);
        abort();
}

void *xmalloc(size_t size)
{
        return check(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
        return check(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
        return check(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
        return s ? check(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
        return s ? check(strndup(s, n)) : NULL;
}

char *xvasprintf(const char *format, va_list ap)
{
        char *s = NULL;

        if (vasprintf(&s, format, ap) < 0)
                s = NULL;
        return check(s);
}

char *xasprintf(const char *format, ...)
{
        va_list ap;
        char *s;

        va_start(ap, format);
        s = xvasprintf(format, ap);
        va_end(ap);
        return s;
}
