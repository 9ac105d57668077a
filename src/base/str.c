/* See str.h. */
#include "base/str.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static void reserve(struct str *str, size_t more)
{
        size_t want;

        if (__builtin_add_overflow(str->len, more, &want) || __builtin_add_overflow(want, 1, &want))
                want = SIZE_MAX;
        if (want <= str->cap)
                return;
        str->cap = want > 2 * str->cap ? want : 2 * str->cap;
        str->s = xreallocarray(str->s, str->cap, 1);
}

void str_addn(struct str *str, const char *s, size_t n)
{
        reserve(str, n);
        memcpy(str->s + str->len, s, n);
        str->len += n;
        str->s[str->len] = '\0';
}

void str_add(struct str *str, const char *s)
{
        str_addn(str, s, strlen(s));
}

void str_addc(struct str *str, char c)
{
        str_addn(str, &c, 1);
}

void str_add_utf8(struct str *str, uint32_t c)
{
        if (c < 0x80) {
                str_addc(str, (char)c);
        } else if (c < 0x800) {
                str_addc(str, (char)(0xc0 | c >> 6));
                str_addc(str, (char)(0x80 | (c & 0x3f)));
        } else if (c < 0x10000) {
                str_addc(str, (char)(0xe0 | c >> 12));
                str_addc(str, (char)(0x80 | (c >> 6 & 0x3f)));
                str_addc(str, (char)(0x80 | (c & 0x3f)));
        } else {
                str_addc(str, (char)(0xf0 | c >> 18));
                str_addc(str, (char)(0x80 | (c >> 12 & 0x3f)));
                str_addc(str, (char)(0x80 | (c >> 6 & 0x3f)));
                str_addc(str, (char)(0x80 | (c & 0x3f)));
        }
}

int32_t str_next_utf8(const char **s)
{
        const uint8_t *p = (const uint8_t *)*s;
        unsigned int more = *p < 0x80 ? 0 : *p < 0xc2 ? 9 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 9;
        static const uint8_t mask[] = {0x7f, 0x1f, 0x0f, 0x07};
        static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
        int32_t c;

        if (more > 3)
                return -1;
        c = *p & mask[more];
        for (unsigned int i = 1; i <= more; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return -1;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return -1;
        *s += more + 1;
        return c;
}

void str_addvf(struct str *str, const char *format, va_list ap)
{
        CLEANUP_FREE char *s = xvasprintf(format, ap);

        str_add(str, s);
}

void str_addf(struct str *str, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        str_addvf(str, format, ap);
        va_end(ap);
}

char *str_steal(struct str *str)
{
        char *s = str->s ? str->s : xstrdup("");

        *str = (struct str){0};
        return s;
}

const char *str_get(const struct str *str)
{
        return str->s ? str->s : "";
}

void str_clear(struct str *str)
{
        free(str->s);
        *str = (struct str){0};
}

bool str_eq(const char *a, const char *b)
{
        if (!a || !b)
                return a == b;
        return strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool str_empty(const char *s)
{
        return !s || !*s;
}

char *str_trim(char *s)
{
        size_t n;

        while (isspace((unsigned char)*s))
                s++;
        n = strlen(s);
        while (n > 0 && isspace((unsigned char)s[n - 1]))
                s[--n] = '\0';
        return s;
}

static size_t min3(size_t a, size_t b, size_t c)
{
        size_t m = a < b ? a : b;

        return m < c ? m : c;
}

/* Optimal string alignment, with the three last rows of its table. */
size_t str_distance(const char *a, const char *b)
{
        size_t n = strlen(a), m = strlen(b), width = m + 1;
        CLEANUP_FREE size_t *rows = xcalloc(3 * width, sizeof(*rows));
        size_t *before = rows, *last = rows + width, *now = rows + 2 * width;

        for (size_t j = 0; j <= m; j++)
                now[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *oldest = before;

                before = last;
                last = now;
                now = oldest;
                now[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t replace = last[j - 1] + (a[i - 1] != b[j - 1]);

                        now[j] = min3(last[j] + 1, now[j - 1] + 1, replace);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            before[j - 2] + 1 < now[j])
                                now[j] = before[j - 2] + 1;
                }
        }
        return now[m];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
        size_t best = strlen(word) < 6 ? 2 : strlen(word) / 3 + 1; /* one more than may differ */
        const char *nearest = NULL;

        if (strlen(word) > 256)
                return NULL;
        for (; candidates && *candidates; candidates++) {
                size_t distance = str_distance(word, *candidates);

                if (distance < best && distance < strlen(*candidates)) {
                        best = distance;
                        nearest = *candidates;
                }
        }
        return nearest;
}

char *str_replace(const char *s, const char *from, const char *to)
{
        struct str out = {0};
        const char *hit;

        while (*from && (hit = strstr(s, from))) {
                str_addn(&out, s, (size_t)(hit - s));
                str_add(&out, to);
                s = hit + strlen(from);
        }
        str_add(&out, s);
        return str_steal(&out);
}

char *str_shell_quote(const char *s)
{
        CLEANUP_FREE char *inner = str_replace(s, "'", "'\"'\"'");

        return xasprintf("'%s'", inner);
}

char *str_printable(const char *s)
{
        struct str out = {0};

        while (*s) {
                const char *from = s;
                int32_t c = str_next_utf8(&s);

                if (c < 0) /* none: this byte */
                        s++;
                if (c < 0x20 || (c >= 0x7f && c < 0xa0))
                        for (; from < s; from++)
                                str_addf(&out, "\\x%02x", (unsigned char)*from);
                else
                        str_addn(&out, from, (size_t)(s - from));
        }
        return str_steal(&out);
}

char **strv_free(char **strv)
{
        for (char **s = strv; s && *s; s++)
                free(*s);
        free(strv);
        return NULL;
}

size_t strv_len(const char *const *strv)
{
        size_t n = 0;

        while (strv && strv[n])
                n++;
        return n;
}

void strv_take(char ***strv, char *s)
{
        size_t n = strv_len(STRV(*strv));

        *strv = xreallocarray(*strv, n + 2, sizeof(char *));
        (*strv)[n] = s;
        (*strv)[n + 1] = NULL;
}

void strv_add(char ***strv, const char *s)
{
        strv_take(strv, xstrdup(s));
}

void strv_addf(char ***strv, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        strv_take(strv, xvasprintf(format, ap));
        va_end(ap);
}

void strv_extend(char ***strv, const char *const *more)
{
        for (; more && *more; more++)
                strv_add(strv, *more);
}

char **strv_dup(const char *const *strv)
{
        char **copy = xcalloc(1, sizeof(*copy));

        strv_extend(&copy, strv);
        return copy;
}

bool strv_has(const char *const *strv, const char *s)
{
        for (; strv && *strv; strv++)
                if (strcmp(*strv, s) == 0)
                        return true;
        return false;
}

void strv_setenv(char ***strv, const char *key, const char *value)
{
        size_t n = strlen(key);

        for (char **s = *strv; s && *s; s++) {
                if (strncmp(*s, key, n) != 0 || (*s)[n] != '=')
                        continue;
                free(*s);
                *s = xasprintf("%s=%s", key, value);
                return;
        }
        strv_addf(strv, "%s=%s", key, value);
}

char **str_split(const char *s, const char *separators)
{
        char **parts = NULL;

        for (;;) {
                size_t n = strcspn(s, separators);

                strv_take(&parts, xstrndup(s, n));
                if (!s[n])
                        return parts;
                s += n + 1;
        }
}

char *strv_join(const char *const *strv, const char *separator)
{
        struct str out = {0};

        for (size_t i = 0; strv && strv[i]; i++) {
                if (i > 0)
                        str_add(&out, separator);
                str_add(&out, strv[i]);
        }
        return str_steal(&out);
}
