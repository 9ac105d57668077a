/* Durations as Go's time.ParseDuration reads them ("1h15m30.5s"). See schema.h. */
#include <errno.h>
#include <string.h>

#include "lang/schema.h"

struct unit {
        const char *name;
        int64_t ns;
};

/* Longer names first. */
static const struct unit units[] = {
        {"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000},      {"\xce\xbcs", 1000},
        {"ms", 1000 * 1000}, {"s", 1000000000}, {"m", 60 * 1000000000LL}, {"h", 3600 * 1000000000LL},
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

/* A number and its unit, in nanoseconds, what is less cut off. Returns what follows, or NULL; *total may overflow. */
static const char *add_part(const char *s, __int128 *total)
{
        __int128 number = 0, scale = 1;
        size_t n = strspn(s, "0123456789."), digits = 0;
        const struct unit *unit = find_unit(s + n);
        bool fraction = false;

        if (!unit || n >= 32) /* which leaves room in 128 bits */
                return NULL;
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '.' && fraction)
                        return NULL;
                if (s[i] == '.') {
                        fraction = true;
                        continue;
                }
                digits++;
                if (fraction && scale > 1000000000000000000) /* no unit has as many digits */
                        continue;
                number = number * 10 + s[i] - '0';
                if (fraction)
                        scale *= 10;
                if (number > (__int128)1 << 80)
                        return NULL;
        }
        if (digits == 0)
                return NULL;
        *total += number * unit->ns / scale;
        return s + n + strlen(unit->name);
}

int duration_parse_ns(const char *s, int64_t *ret_ns, struct error *err)
{
        const char *p = s + (*s == '-' || *s == '+');
        __int128 total = 0;

        if (strcmp(p, "0") == 0) {
                *ret_ns = 0;
                return 0;
        }
        do {
                p = add_part(p, &total);
                if (!p)
                        return not_a_duration(s, err);
                if (total > INT64_MAX) /* about 292 years */
                        return error_set(err, ERANGE, "'%s' is too long for a duration", s);
        } while (*p);
        *ret_ns = *s == '-' ? -(int64_t)total : (int64_t)total;
        return 0;
}

int duration_parse(const char *s, int64_t *ret_ms, struct error *err)
{
        enum { NS = 1000 * 1000 };
        int64_t ns;
        int r = duration_parse_ns(s, &ns, err);

        if (r < 0)
                return r;
        /* Up, so that a duration that was given is never none. */
        *ret_ms = ns / NS + (ns % NS > 0) - (ns % NS < 0);
        return 0;
}
