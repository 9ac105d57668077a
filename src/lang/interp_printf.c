/* Go's formatting of values (package fmt): Print's, and the verbs of Printf
 * that make sense for strings, numbers and booleans. See interp_internal.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lang/interp_internal.h"

enum { WIDTH_MAX = 10000 };

/* Like strconv.FormatFloat with 'g' and the fewest digits that read back as the same number, which is %v. */
static void print_float(struct str *out, double value)
{
        char buffer[64];
        int precision = 0, exponent;
        char *e;

        if (!isfinite(value)) {
                str_add(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
                return;
        }
        do
                snprintf(buffer, sizeof(buffer), "%.*e", precision, value);
        while (strtod(buffer, NULL) != value && ++precision < 17);
        e = strchr(buffer, 'e');
        exponent = (int)strtol(e + 1, NULL, 10);
        if (exponent >= -4 && exponent < 6)
                snprintf(buffer, sizeof(buffer), "%.*f", precision > exponent ? precision - exponent : 0, value);
        str_add(out, buffer);
}

void term_print(struct str *out, const struct term *term)
{
        switch (term->type) {
        case TERM_NIL:
                str_add(out, "<nil>");
                break;
        case TERM_BOOL:
                str_add(out, term->boolean ? "true" : "false");
                break;
        case TERM_INT:
                str_addf(out, "%lld", (long long)term->integer);
                break;
        case TERM_FLOAT:
                print_float(out, term->real);
                break;
        case TERM_STRING:
                str_add(out, term->string);
                break;
        }
}

static void add_quoted(struct str *out, const char *s)
{
        static const char names[] = "\"\\abfnrtv", values[] = "\"\\\a\b\f\n\r\t\v";

        str_addc(out, '"');
        for (; *s; s++) {
                const char *hit = strchr(values, *s);

                if (hit)
                        str_addf(out, "\\%c", names[hit - values]);
                else if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        str_addf(out, "\\x%02x", (unsigned char)*s);
                else
                        str_addc(out, *s);
        }
        str_addc(out, '"');
}

struct verb {
        char flags[8];
        int width, precision; /* -1: not given */
        char verb;
};

/* libc's format for this verb with `length` ("ll" or ""); of its flags those that libc defines for it. */
static void libc_format(const struct verb *verb, const char *length, char letter, char out[24])
{
        const char *allowed = letter == 's' ? "-" : letter == 'd' ? "+- 0" : strchr("xXo", letter) ? "-#0" : "+-# 0";
        char flags[8];
        size_t n = 0;

        for (const char *f = verb->flags; *f; f++)
                if (strchr(allowed, *f))
                        flags[n++] = *f;
        flags[n] = '\0';
        snprintf(out, 24, "%%%s%s%s%s%c", flags, verb->width >= 0 ? "*" : "", verb->precision >= 0 ? ".*" : "", length,
                 letter);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* made by libc_format() from checked parts */
#define ADD_FORMATTED(out, verb, format, value)                                                                        \
        do {                                                                                                           \
                if ((verb)->width >= 0 && (verb)->precision >= 0)                                                      \
                        str_addf(out, format, (verb)->width, (verb)->precision, value);                                \
                else if ((verb)->width >= 0)                                                                           \
                        str_addf(out, format, (verb)->width, value);                                                   \
                else if ((verb)->precision >= 0)                                                                       \
                        str_addf(out, format, (verb)->precision, value);                                               \
                else                                                                                                   \
                        str_addf(out, format, value);                                                                  \
        } while (0)

static void add_text(struct str *out, const struct verb *verb, const char *text)
{
        char format[24];

        libc_format(verb, "", 's', format);
        ADD_FORMATTED(out, verb, format, text);
}

static bool add_integer(struct str *out, const struct verb *verb, int64_t value)
{
        char format[24], c[2] = {(char)value, '\0'};
        struct verb plain = *verb;

        switch (verb->verb) {
        case 'v':
        case 'd':
                libc_format(verb, "ll", 'd', format);
                break;
        case 'x':
        case 'X':
        case 'o':
                if (value < 0) {
                        str_addc(out, '-');
                        value = value == INT64_MIN ? value : -value;
                }
                libc_format(verb, "ll", verb->verb, format);
                break;
        case 'c':
                plain.precision = -1;
                add_text(out, &plain, value > 0 && value < 0x80 ? c : "?");
                return true;
        default:
                return false;
        }
        ADD_FORMATTED(out, verb, format, (long long)value);
        return true;
}

static bool add_real(struct str *out, const struct verb *verb, double value)
{
        CLEANUP_STR struct str text = {0};
        struct verb plain = *verb;
        char format[24];

        if (verb->verb == 'v') {
                print_float(&text, value);
                plain.precision = -1;
                add_text(out, &plain, str_get(&text));
                return true;
        }
        if (!strchr("feEgGF", verb->verb))
                return false;
        libc_format(verb, "", verb->verb, format);
        ADD_FORMATTED(out, verb, format, value);
        return true;
}
#pragma GCC diagnostic pop

static bool add_string(struct str *out, const struct verb *verb, const char *s)
{
        CLEANUP_STR struct str text = {0};

        switch (verb->verb) {
        case 'v':
        case 's':
                str_add(&text, s);
                break;
        case 'q':
                add_quoted(&text, s);
                break;
        case 'x':
        case 'X':
                for (; *s; s++)
                        str_addf(&text, verb->verb == 'x' ? "%02x" : "%02X", (unsigned char)*s);
                break;
        default:
                return false;
        }
        add_text(out, verb, str_get(&text));
        return true;
}

static void add_term(struct str *out, const struct verb *verb, const struct term *term)
{
        CLEANUP_STR struct str text = {0};
        bool done = false;

        if (verb->verb == 'T') {
                add_text(out, verb, term_type_name(term));
                return;
        }
        if (term->type == TERM_STRING)
                done = add_string(out, verb, term->string);
        else if (term->type == TERM_INT)
                done = add_integer(out, verb, term->integer);
        else if (term->type == TERM_FLOAT)
                done = add_real(out, verb, term->real);
        else if (verb->verb == 'v' || (verb->verb == 't' && term->type == TERM_BOOL))
                done = true, term_print(&text, term), add_text(out, verb, str_get(&text));
        if (done)
                return;
        str_addf(out, "%%!%c(%s=", verb->verb, term_type_name(term));
        term_print(out, term);
        str_addc(out, ')');
}

static int parse_number(const char **p, int *ret)
{
        size_t n = strspn(*p, "0123456789");

        *ret = n > 0 && n < 9 ? (int)strtol(*p, NULL, 10) : n > 0 ? WIDTH_MAX + 1 : 0;
        *p += n;
        return *ret > WIDTH_MAX ? -1 : 0;
}

/* After the '%'. */
static int parse_verb(const char **p, struct verb *ret, struct error *err)
{
        size_t n = strspn(*p, "+-# 0");
        const char *digits;

        *ret = (struct verb){.width = -1, .precision = -1};
        if (n >= sizeof(ret->flags))
                return error_set(err, EINVAL, "printf: too many flags in '%%%s'", *p);
        memcpy(ret->flags, *p, n);
        *p += n;
        digits = *p;
        if (parse_number(p, &ret->width) < 0)
                return error_set(err, EINVAL, "printf: a width of more than %d", WIDTH_MAX);
        if (*p == digits)
                ret->width = -1;
        if (**p == '.' && (++*p, parse_number(p, &ret->precision)) < 0)
                return error_set(err, EINVAL, "printf: a precision of more than %d", WIDTH_MAX);
        ret->verb = **p;
        if (!ret->verb)
                return error_set(err, EINVAL, "printf: the format ends after '%%'");
        ++*p;
        return 0;
}

int interp_printf(const struct term *args, size_t n, struct str *out, struct error *err)
{
        const char *p = args[0].string;
        size_t next = 1;

        while (*p) {
                struct verb verb;

                if (*p != '%') {
                        str_addc(out, *p++);
                        continue;
                }
                if (*++p == '%') {
                        str_addc(out, *p++);
                        continue;
                }
                if (parse_verb(&p, &verb, err) < 0)
                        return -EINVAL;
                if (out->len > INTERP_TEXT_MAX)
                        return error_set(err, E2BIG, "printf: the text becomes too long");
                if (next < n)
                        add_term(out, &verb, &args[next++]);
                else
                        str_addf(out, "%%!%c(MISSING)", verb.verb);
        }
        if (next >= n)
                return 0;
        str_add(out, "%!(EXTRA ");
        for (; next < n; next++) {
                str_addf(out, "%s=", term_type_name(&args[next]));
                term_print(out, &args[next]);
                str_add(out, next + 1 < n ? ", " : ")");
        }
        return 0;
}
