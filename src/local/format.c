/* See format.h. */
#include "local/format.h"

#include <errno.h>
#include <stdbool.h>

#include "base/str.h"

static int bad(const char *format, const char *why, struct error *err)
{
        return error_set(
                err, EINVAL,
                "env_var_format \"%s\": %s; expected one %%s for the name and one for the value, as in \"%%s='%%s' \"",
                format, why);
}

int format_variable(const char *format, const char *name, const char *value, char **ret, struct error *err)
{
        const char *const words[] = {name, value};
        CLEANUP_STR struct str out = {0};
        bool used[2] = {false, false};
        size_t next = 0;

        for (const char *p = format; *p; p++) {
                if (*p != '%') {
                        str_addc(&out, *p);
                        continue;
                }
                p++;
                if (*p == '%') {
                        str_addc(&out, '%');
                        continue;
                }
                if (*p == '[') {
                        if ((p[1] != '1' && p[1] != '2') || p[2] != ']')
                                return bad(format, "only %[1]s and %[2]s can be chosen", err);
                        next = (size_t)(p[1] - '1');
                        p += 3;
                }
                if (*p != 's' && *p != 'v')
                        return bad(format, "a place that is neither %s nor %v", err);
                if (next > 1)
                        return bad(format, "more than two places", err);
                used[next] = true;
                str_add(&out, words[next++]);
        }
        if (!used[0] || !used[1])
                return bad(format, "the name or the value has no place", err);
        *ret = str_steal(&out);
        return 0;
}
