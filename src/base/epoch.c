/* See epoch.h. */
#include "base/epoch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

int epoch_read(int64_t *ret_sec, struct error *err)
{
        const char *text = getenv("SOURCE_DATE_EPOCH");
        long long sec;
        char *end;

        *ret_sec = -1;
        if (str_empty(text))
                return 0;
        errno = 0;
        sec = strtoll(text, &end, 10);
        if (errno || end == text || *end || sec < 0)
                return error_set(err, EINVAL, "SOURCE_DATE_EPOCH='%s': seconds since 1970 were expected", text);
        *ret_sec = sec;
        return 0;
}
