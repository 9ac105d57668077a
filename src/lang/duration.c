/* Durations as Go's time.ParseDuration reads them ("1h15m30.5s"). See schema.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/schema.h"

struct unit {
        const char *name;
        double ms;
};

/* Longer names first. */
static const struct unit units[] = {
        {"ns", 1e-6}, {"us", 1e-3}, {"\xc2\xb5s", 1e-3}, {"\xce\xbcs", 1e-3},
        {"ms", 1},    {"s", 1000},  {"m", 60 * 1000},    {"h", 3600 * 1000},
};

static const struct unit *find_unit(const char *s)
{
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                size_t n = strlen(units[i].name);

                if (strncmp(s, units[i].name, n) == 0)
                        return &units[i];
        }
        return NULL;
}

static int not_a_duration(const char *s, struct error *err)
{
        return error_set(err, EINVAL,
                         "'%s' is not a duration; write a number and a unit, such as \"90s\", \"1m30s\", \"500ms\" or "
                         "\"1.5h\"",
                         s);
}

int duration_parse(const char *s, int64_t *ret_ms, struct error *err)
{
        const char *p = s + (*s == '-' || *s == '+');
        double total = 0;

        if (strcmp(p, "0") == 0) {
                *ret_ms = 0;
                return 0;
        }
        do {
                size_t n = strspn(p, "0123456789.");
                const struct unit *unit;
                char number[32], *end;

                if (n == 0 || n >= sizeof(number))
                        return not_a_duration(s, err);
                memcpy(number, p, n);
                number[n] = '\0';
                unit = find_unit(p + n);
                if (!unit)
                        return not_a_duration(s, err);
                total += strtod(number, &end) * unit->ms;
                if (*end || strcmp(number, ".") == 0)
                        return not_a_duration(s, err);
                p += n + strlen(unit->name);
        } while (*p);
        /* Go counts nanoseconds in 63 bits: about 292 years. */
        if (total >= 0x1p63 / 1e6)
                return error_set(err, ERANGE, "'%s' is too long for a duration", s);
        /* Up, so that a duration that was given is never none; past the noise of fractions. */
        total = ceil(total - 1e-7);
        *ret_ms = *s == '-' ? -(int64_t)total : (int64_t)total;
        return 0;
}
