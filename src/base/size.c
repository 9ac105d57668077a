/* See size.h. */
#include "base/size.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static const char prefixes[] = "kmgtpe";

/* The factor that a unit stands for, or 0 if there is no such unit. */
static double unit_factor(const char *unit)
{
        const char *prefix;
        double base = 1000;

        if (!*unit || strcasecmp(unit, "b") == 0)
                return 1;
        prefix = strchr(prefixes, tolower((unsigned char)*unit));
        if (!prefix)
                return 0;
        unit++;
        if (*unit == 'i' || *unit == 'I') {
                base = 1024;
                unit++;
        }
        if (*unit && strcasecmp(unit, "b") != 0)
                return 0;
        return pow(base, (double)(prefix - prefixes + 1));
}

int size_parse(const char *s, uint64_t *ret_bytes, struct error *err)
{
        const char *digits = s + strspn(s, " \t");
        size_t n = strspn(digits, "0123456789.");
        const char *unit = digits + n + strspn(digits + n, " \t");
        double factor = unit_factor(unit);
        char number[64], *end;
        double value;

        if (n == 0 || n >= sizeof(number) || factor == 0)
                return error_set(
                        err, EINVAL,
                        "'%s' is not a size; write a number and a unit, such as 512M, 4G (10^9) or 4GiB (2^30)", s);
        memcpy(number, digits, n);
        number[n] = '\0';
        value = strtod(number, &end);
        if (*end)
                return error_set(err, EINVAL, "'%s' is not a size: '%s' is not a number", s, number);
        if (!strchr(number, '.') && factor == 1) {
                errno = 0;
                *ret_bytes = strtoull(number, NULL, 10);
                return errno ? error_set(err, ERANGE, "'%s' is too large", s) : 0;
        }
        value *= factor;
        if (value >= 0x1p63)
                return error_set(err, ERANGE, "'%s' is too large", s);
        *ret_bytes = (uint64_t)value;
        return 0;
}

const char *size_show(uint64_t bytes)
{
        static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        static _Thread_local char ring[8][32];
        static _Thread_local unsigned int next;
        char *out = ring[next++ % 8];
        double value = (double)bytes;
        unsigned int unit = 0;

        while (value >= 1024 && unit < 6) {
                value /= 1024;
                unit++;
        }
        if (unit == 0 || value >= 100)
                snprintf(out, sizeof(ring[0]), "%.0f %s", value, units[unit]);
        else
                snprintf(out, sizeof(ring[0]), "%.1f %s", value, units[unit]);
        return out;
}
