/* See http_text.h. */
#include "serve/http_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)(c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that %XX at p stands for; 0: it is none that counts. */
static char triplet(const char *p)
{
        int high = p[0] == '%' ? hex_digit(p[1]) : -1, low = high < 0 ? -1 : hex_digit(p[2]);

        return low < 0 ? '\0' : (char)(high << 4 | low);
}

size_t http_decode(char *text)
{
        char *out = text;

        for (const char *p = text; *p;) {
                char c = triplet(p);

                *out++ = c ? c : *p;
                p += c ? 3 : 1;
        }
        *out = '\0';
        return (size_t)(out - text);
}

const char *http_target_path(const char *target)
{
        const char *host = strstr(target, "://"), *path;

        if (*target == '/' || !host)
                return target;
        path = strchr(host + 3, '/');
        return path ? path : "/";
}

/* ---- ranges ---- */

/* Digits at *p, which moves past them. False: there is none, or too many. */
static bool take_number(const char **p, uint64_t *ret)
{
        const char *start = *p;
        uint64_t value = 0;

        for (; **p >= '0' && **p <= '9'; ++*p)
                if (__builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, (unsigned int)(**p - '0'), &value))
                        return false;
        *ret = value;
        return *p > start;
}

static enum http_range_kind last_bytes(const char *p, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
        uint64_t n;

        if (!take_number(&p, &n) || *p)
                return HTTP_RANGE_NONE;
        if (n == 0 || size == 0)
                return HTTP_RANGE_OUTSIDE;
        *ret_first = n < size ? size - n : 0;
        *ret_last = size - 1;
        return HTTP_RANGE_PART;
}

enum http_range_kind http_range(const char *value, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
        const char *p = value;
        uint64_t first, last = UINT64_MAX;

        if (!p || strncasecmp(p, "bytes=", 6) != 0)
                return HTTP_RANGE_NONE;
        p += 6;
        if (*p == '-')
                return last_bytes(p + 1, size, ret_first, ret_last);
        if (!take_number(&p, &first) || *p++ != '-')
                return HTTP_RANGE_NONE;
        if (*p && (!take_number(&p, &last) || *p || last < first))
                return HTTP_RANGE_NONE;
        if (first >= size)
                return HTTP_RANGE_OUTSIDE;
        *ret_first = first;
        *ret_last = last < size ? last : size - 1;
        return HTTP_RANGE_PART;
}

/* ---- dates ---- */

void http_date(int64_t sec, char buf[HTTP_DATE])
{
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t t = (time_t)sec;
        struct tm tm = {0};

        gmtime_r(&t, &tm);
        snprintf(buf, HTTP_DATE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + (ptrdiff_t)3 * tm.tm_wday,
                 tm.tm_mday, months + (ptrdiff_t)3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
                 tm.tm_sec);
}

/* ---- types ---- */

const char *http_content_type(const char *path)
{
        static const struct {
                const char *ending, *type;
        } types[] = {
                {".efi", "application/efi"}, /* UEFI 2.10, 24.7.2.2, and the next two */
                {".iso", "application/vnd.efi-iso"},
                {".img", "application/vnd.efi-img"},
                {".ipxe", "text/plain"},
                {".cfg", "text/plain"},
                {".conf", "text/plain"},
                {".txt", "text/plain"},
                {".yaml", "text/plain"},
                {".json", "application/json"},
                {".html", "text/html"},
                {".xml", "application/xml"},
                {".gz", "application/gzip"},
                {".xz", "application/x-xz"},
                {".zst", "application/zstd"},
        };
        size_t n = strlen(path);

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                size_t len = strlen(types[i].ending);

                if (n > len && strcasecmp(path + n - len, types[i].ending) == 0)
                        return types[i].type;
        }
        return "application/octet-stream";
}
