/* See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static FILE *stream;
static bool opened;

static const char *setting(const char *ours, const char *packers)
{
        const char *value = getenv(ours);

        return value ? value : getenv(packers);
}

static void open_once(void)
{
        const char *on = setting("SLIPWAY_LOG", "PACKER_LOG");
        const char *path = setting("SLIPWAY_LOG_PATH", "PACKER_LOG_PATH");

        opened = true;
        if (!on || !*on || strcmp(on, "0") == 0)
                return;
        stream = path && *path ? fopen(path, "ae") : stderr;
        if (!stream)
                stream = stderr;
        setvbuf(stream, NULL, _IOLBF, 0);
}

bool log_enabled(void)
{
        if (!opened)
                open_once();
        return stream != NULL;
}

void log_debug(const char *format, ...)
{
        char stamp[32];
        struct tm tm;
        time_t now = time(NULL);
        va_list ap;

        if (!log_enabled())
                return;
        localtime_r(&now, &tm);
        strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S", &tm);
        fprintf(stream, "%s [DEBUG] ", stamp);
        va_start(ap, format);
        vfprintf(stream, format, ap);
        va_end(ap);
        fputc('\n', stream);
}
