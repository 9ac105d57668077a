/* See error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"

/* What the analyser is told instead (error.h). */
#undef error_set
#undef error_errno
#undef error_wrap
#undef error_append

static int store(struct error *err, int code, char *message)
{
        if (!err) {
                free(message);
                return -code;
        }
        free(err->message);
        err->code = code;
        err->message = message;
        return -code;
}

int error_set(struct error *err, int code, const char *format, ...)
{
        va_list ap;
        char *message;

        va_start(ap, format);
        message = xvasprintf(format, ap);
        va_end(ap);
        return store(err, code, message);
}

int error_errno(struct error *err, int code, const char *format, ...)
{
        CLEANUP_FREE char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = xvasprintf(format, ap);
        va_end(ap);
        return store(err, code, xasprintf("%s: %s", what, strerror(code)));
}

int error_wrap(struct error *err, int r, const char *format, ...)
{
        CLEANUP_FREE char *context = NULL;
        va_list ap;

        if (!err)
                return r;
        va_start(ap, format);
        context = xvasprintf(format, ap);
        va_end(ap);
        store(err, -r, xasprintf("%s: %s", context, error_message(err)));
        return r;
}

int error_append(struct error *err, int r, const char *format, ...)
{
        CLEANUP_FREE char *more = NULL;
        va_list ap;

        if (!err)
                return r;
        va_start(ap, format);
        more = xvasprintf(format, ap);
        va_end(ap);
        store(err, -r, xasprintf("%s%s", error_message(err), more));
        return r;
}

const char *error_text(const struct error *err)
{
        return err && err->message ? err->message : "unknown error";
}

void error_move(struct error *dst, struct error *src)
{
        if (dst) {
                free(dst->message);
                *dst = steal(src);
        } else {
                error_clear(src);
        }
}

void error_clear(struct error *err)
{
        free(err->message);
        *err = (struct error){0};
}
