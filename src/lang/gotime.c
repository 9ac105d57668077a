/* Times by Go's reference layout ("2006-01-02T15:04:05Z07:00"), after the
 * rules of Go's time.Format (package time, format.go), and by strftime
 * conversions as github.com/lestrrat-go/strftime, which Packer uses, has
 * them. See gotime.h. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/gotime.h"

/* What stands in a layout, and the strftime conversion that prints it; NULL:
 * see below. Of two that begin alike the longer comes first. */
struct element {
        const char *layout, *conversion;
};

static const struct element elements[] = {
        {"January", "%B"},
        {"Jan", "%b"},
        {"Monday", "%A"},
        {"Mon", "%a"},
        {"MST", "UTC"},
        {"2006", "%Y"},
        {"01", "%m"},
        {"002", "%j"},
        {"02", "%d"},
        {"03", "%I"},
        {"04", "%M"},
        {"05", "%S"},
        {"06", "%y"},
        {"15", "%H"},
        {"__2", NULL},
        {"_2", "%e"},
        {"PM", "%p"},
        {"pm", NULL},
        {"Z07:00:00", "Z"},
        {"Z070000", "Z"},
        {"Z07:00", "Z"},
        {"Z0700", "Z"},
        {"Z07", "Z"},
        {"-07:00:00", "+00:00:00"},
        {"-070000", "+000000"},
        {"-07:00", "+00:00"},
        {"-0700", "+0000"},
        {"-07", "+00"},
        {"1", NULL},
        {"2", NULL},
        {"3", NULL},
        {"4", NULL},
        {"5", NULL},
};

/* Go does not take "Jan" in "January's" place: a lower-case letter after "Jan" or "Mon" makes it a word. */
static bool matches(const char *p, const char *layout)
{
        size_t n = strlen(layout);

        if (strncmp(p, layout, n) != 0)
                return false;
        if ((strcmp(layout, "Jan") == 0 || strcmp(layout, "Mon") == 0) && p[n] >= 'a' && p[n] <= 'z')
                return false;
        /* "_2006" is an underscore and a year. */
        return !(strcmp(layout, "_2") == 0 && str_starts(p, "_2006"));
}

static const struct element *element_at(const char *p)
{
        for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
                if (matches(p, elements[i].layout))
                        return &elements[i];
        return NULL;
}

static void add_unpadded(struct str *out, const char *layout, const struct tm *tm)
{
        int hour = tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;

        if (strcmp(layout, "__2") == 0)
                str_addf(out, "%3d", tm->tm_yday + 1);
        else if (strcmp(layout, "pm") == 0)
                str_add(out, tm->tm_hour >= 12 ? "pm" : "am");
        else
                str_addf(out, "%d",
                         *layout == '1'   ? tm->tm_mon + 1
                         : *layout == '2' ? tm->tm_mday
                         : *layout == '3' ? hour
                         : *layout == '4' ? tm->tm_min
                                          : tm->tm_sec);
}

/* A fraction of a second, ".000" or ",999": its length, or 0. Nines vanish, since ours are whole seconds. */
static size_t fraction_length(const char *p)
{
        size_t n;

        if ((*p != '.' && *p != ',') || (p[1] != '0' && p[1] != '9'))
                return 0;
        n = strspn(p + 1, p[1] == '0' ? "0" : "9");
        return p[n + 1] >= '0' && p[n + 1] <= '9' ? 0 : n + 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* conversions come from the tables here */
static void add_conversion(struct str *out, const char *conversion, const struct tm *tm)
{
        char buffer[64];

        if (strftime(buffer, sizeof(buffer), conversion, tm) > 0)
                str_add(out, buffer);
}
#pragma GCC diagnostic pop

char *gotime_format(time_t when, const char *layout)
{
        CLEANUP_STR struct str out = {0};
        struct tm tm = {0};

        gmtime_r(&when, &tm);
        while (*layout) {
                const struct element *element = element_at(layout);
                size_t fraction = fraction_length(layout);

                if (fraction > 0) {
                        if (layout[1] == '0')
                                str_addn(&out, layout, fraction);
                        layout += fraction;
                } else if (!element) {
                        str_addc(&out, *layout++);
                } else {
                        if (element->conversion)
                                add_conversion(&out, element->conversion, &tm);
                        else
                                add_unpadded(&out, element->layout, &tm);
                        layout += strlen(element->layout);
                }
        }
        return str_steal(&out);
}

int gotime_strftime(time_t when, const char *format, char **ret, struct error *err)
{
        static const char known[] = "AaBbCcDdeFHIjklMmnpRrSTtUuVvWwXxYyZzh%";
        CLEANUP_STR struct str out = {0};
        struct tm tm = {0};

        gmtime_r(&when, &tm);
        for (const char *p = format; *p; p++) {
                char conversion[3] = {'%', p[0] == '%' ? p[1] : '\0', '\0'};

                if (*p != '%') {
                        str_addc(&out, *p);
                        continue;
                }
                if (!conversion[1] || !strchr(known, conversion[1]))
                        return error_set(err, EINVAL, "strftime does not know '%%%c'", conversion[1] ? p[1] : ' ');
                p++;
                if (*p == 'Z')
                        str_add(&out, "UTC");
                else if (*p == 'v')
                        add_conversion(&out, "%e-%b-%Y", &tm);
                else
                        add_conversion(&out, conversion, &tm);
        }
        *ret = str_steal(&out);
        return 0;
}
