/* Functions of time. Times are RFC 3339 texts; what Go's time package takes
 * beyond that is taken too: hours of one digit, fractions of any length. */
#include <string.h>

#include "base/alloc.h"
#include "hcl/func.h"
#include "lang/gotime.h"
#include "lang/schema.h"

struct cursor {
        const char *s;
        size_t left;
};

/* A number of min to max digits; false if there are fewer. */
static bool take_number(struct cursor *c, size_t min, size_t max, int *ret)
{
        size_t n = 0;

        *ret = 0;
        for (; n < max && n < c->left && c->s[n] >= '0' && c->s[n] <= '9'; n++)
                *ret = *ret * 10 + c->s[n] - '0';
        c->s += n;
        c->left -= n;
        return n >= min;
}

static bool take(struct cursor *c, char expected)
{
        if (c->left == 0 || *c->s != expected)
                return false;
        c->s++;
        c->left--;
        return true;
}

/* What stands after a point, in nanoseconds; the rest of the digits is passed over. */
static bool take_fraction(struct cursor *c, int64_t *ret_ns)
{
        int64_t unit = 100000000;
        size_t n = 0;

        *ret_ns = 0;
        if (!take(c, '.') && !take(c, ','))
                return true;
        for (; c->left > 0 && *c->s >= '0' && *c->s <= '9'; n++, c->s++, c->left--) {
                *ret_ns += (*c->s - '0') * unit;
                unit /= 10;
        }
        return n > 0;
}

static const char *take_zone(struct cursor *c, int *ret_offset_s)
{
        int sign = c->left > 0 && *c->s == '-' ? -1 : 1, hours, minutes;

        *ret_offset_s = 0;
        if (take(c, 'Z'))
                return NULL;
        if ((!take(c, '+') && !take(c, '-')) || !take_number(c, 2, 2, &hours) || !take(c, ':') ||
            !take_number(c, 2, 2, &minutes))
                return "the zone must be \"Z\", or an offset such as \"+01:00\"";
        if (hours > 24 || minutes > 59)
                return "the offset of the zone is too large";
        *ret_offset_s = sign * (hours * 3600 + minutes * 60);
        return NULL;
}

const char *func_time_parse(struct hcl_string text, char separator, struct func_time *ret)
{
        struct cursor c = {text.s, text.len};
        struct tm tm = {0}, back;
        const char *why;
        time_t when;

        if (!take_number(&c, 4, 4, &tm.tm_year) || !take(&c, '-'))
                return "it must begin with a year of four digits and \"-\"";
        if (!take_number(&c, 2, 2, &tm.tm_mon) || !take(&c, '-') || tm.tm_mon < 1 || tm.tm_mon > 12)
                return "after the year, a month from \"01\" to \"12\" and \"-\" must follow";
        if (!take_number(&c, 2, 2, &tm.tm_mday) || !take(&c, separator))
                return "after the month, a day of two digits and \"T\" must follow";
        if (!take_number(&c, 1, 2, &tm.tm_hour) || !take(&c, ':') || tm.tm_hour > 23)
                return "after the \"T\", an hour from \"00\" to \"23\" and \":\" must follow";
        if (!take_number(&c, 2, 2, &tm.tm_min) || !take(&c, ':') || tm.tm_min > 59)
                return "after the hour, a minute from \"00\" to \"59\" and \":\" must follow";
        if (!take_number(&c, 2, 2, &tm.tm_sec) || !take_fraction(&c, &ret->ns) || tm.tm_sec > 59)
                return "after the minute, a second from \"00\" to \"59\" must follow";
        why = take_zone(&c, &ret->offset_s);
        if (why)
                return why;
        if (c.left > 0)
                return "something follows after its end";
        tm.tm_year -= 1900;
        tm.tm_mon--;
        back = tm;
        when = timegm(&back);
        if (back.tm_mday != tm.tm_mday)
                return "the month has no such day";
        ret->unix_s = when - ret->offset_s;
        return NULL;
}

/* Its fields in its own zone; false for years that no struct tm holds. */
static bool local(const struct func_time *time, struct tm *ret)
{
        time_t when;

        return !__builtin_add_overflow(time->unix_s, time->offset_s, &when) && gmtime_r(&when, ret) != NULL;
}

static const char *zone_text(const struct func_time *time, const char *utc, const char *separator, char ret[16])
{
        int minutes = abs(time->offset_s) / 60;

        if (time->offset_s == 0 && utc)
                return utc;
        snprintf(ret, 16, "%c%02d%s%02d", time->offset_s < 0 ? '-' : '+', minutes / 60, separator, minutes % 60);
        return ret;
}

const struct hcl_value *func_time_value(struct hcl_call *call, const struct func_time *time)
{
        char zone[16];
        struct tm tm;

        if (!local(time, &tm))
                return func_fail(call, 0, "the year is too large");
        return hcl_string_from(call->arena, arena_printf(call->arena, "%04lld-%02d-%02dT%02d:%02d:%02d%s",
                                                         tm.tm_year + 1900LL, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                                                         tm.tm_min, tm.tm_sec, zone_text(time, "Z", ":", zone)));
}

static bool parse(struct hcl_call *call, size_t arg, struct func_time *ret)
{
        const char *why = func_time_parse(func_text(call, arg), 'T', ret);

        if (why)
                func_fail(call, arg, "\"%s\" is no RFC 3339 time such as \"2006-01-02T15:04:05Z\": %s",
                          func_text(call, arg).s, why);
        return !why;
}

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* One or two letters: the number, in two digits if two. */
static bool add_digits(struct str *out, size_t n, int number)
{
        if (n > 2)
                return false;
        str_addf(out, n == 2 ? "%02d" : "%d", number);
        return true;
}

static bool add_name(struct str *out, size_t n, const char *name)
{
        if (n != 3 && n != 4)
                return false;
        str_addn(out, name, n == 3 ? 3 : strlen(name));
        return true;
}

static bool add_zone(struct str *out, size_t n, const struct func_time *time)
{
        char buffer[16];

        switch (n) {
        case 1:
                str_add(out, zone_text(time, "Z", ":", buffer));
                return true;
        case 3:
                str_add(out, zone_text(time, "UTC", "", buffer));
                return true;
        case 4:
                str_add(out, zone_text(time, NULL, "", buffer));
                return true;
        case 5:
                str_add(out, zone_text(time, NULL, ":", buffer));
                return true;
        default:
                return false;
        }
}

static bool add_year(struct str *out, size_t n, int year)
{
        if (n != 2 && n != 4)
                return false;
        str_addf(out, n == 2 ? "%02d" : "%04d", n == 2 ? year % 100 : year);
        return true;
}

/* n times the letter; false if that is no verb. */
static bool add_verb(struct str *out, char letter, size_t n, const struct tm *tm, const struct func_time *time)
{
        switch (letter) {
        case 'Y':
                return add_year(out, n, tm->tm_year + 1900);
        case 'M':
                return n <= 2 ? add_digits(out, n, tm->tm_mon + 1) : add_name(out, n, months[tm->tm_mon]);
        case 'D':
                return add_digits(out, n, tm->tm_mday);
        case 'E':
                return add_name(out, n, weekdays[tm->tm_wday]);
        case 'h':
                return add_digits(out, n, tm->tm_hour);
        case 'H':
                return add_digits(out, n, tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12);
        case 'A':
        case 'a':
                if (n == 2)
                        str_addf(out, letter == 'A' ? "%cM" : "%cm", (letter == 'A' ? "AP" : "ap")[tm->tm_hour / 12]);
                return n == 2;
        case 'm':
                return add_digits(out, n, tm->tm_min);
        case 's':
                return add_digits(out, n, tm->tm_sec);
        case 'Z':
                return add_zone(out, n, time);
        default:
                return false;
        }
}

/* 'text', with '' for a quote; alone, '' is one too. Returns its length, 0 if it is not closed. */
static size_t add_quoted(struct str *out, const char *s, size_t left)
{
        if (left >= 2 && s[1] == '\'') {
                str_addc(out, '\'');
                return 2;
        }
        for (size_t i = 1; i < left; i++) {
                if (s[i] == '\'' && (i + 1 == left || s[i + 1] != '\''))
                        return i + 1;
                str_addc(out, s[i]);
                i += s[i] == '\'';
        }
        return 0;
}

CALL(formatdate)
{
        struct hcl_string format = func_text(call, 0);
        CLEANUP_STR struct str out = {0};
        struct func_time time;
        struct tm tm;
        size_t n;

        if (!parse(call, 1, &time))
                return NULL;
        if (!local(&time, &tm))
                return func_fail(call, 1, "the year is too large");
        for (size_t i = 0; i < format.len; i += n) {
                char c = format.s[i];

                n = 1;
                if (c == '\'') {
                        n = add_quoted(&out, format.s + i, format.len - i);
                        if (n == 0)
                                return func_fail(call, 0, "a literal that begins with ' is not closed");
                } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
                        while (i + n < format.len && format.s[i + n] == c)
                                n++;
                        if (!add_verb(&out, c, n, &tm, &time))
                                return func_fail(
                                        call, 0,
                                        "\"%.*s\" is no verb; the verbs are YYYY YY MMMM MMM MM M DD D EEEE EEE "
                                        "hh h HH H AA aa mm m ss s ZZZZZ ZZZZ ZZZ Z, and letters that are "
                                        "meant as they are stand in 'single quotes'",
                                        n > 20 ? 20 : (int)n, format.s + i);
                } else {
                        str_addc(&out, c);
                }
        }
        return func_string(call, &out);
}

CALL(timeadd)
{
        enum { SECOND = 1000000000 };
        struct func_time time;
        CLEANUP_ERROR struct error err = {0};
        int64_t ns;

        if (!parse(call, 0, &time))
                return NULL;
        if (duration_parse_ns(func_text(call, 1).s, &ns, &err) < 0)
                return func_fail(call, 1, "%s", error_message(&err));
        time.unix_s += ns / SECOND;
        time.ns += ns % SECOND;
        if (time.ns < 0)
                time.unix_s--;
        if (time.ns >= SECOND)
                time.unix_s++;
        return func_time_value(call, &time);
}

CALL(timestamp)
{
        return func_time_value(call, &(struct func_time){.unix_s = call->env->start});
}

/* The layout that is the only argument, or NULL; false, with the error set, if there are more. */
static bool layout(struct hcl_call *call, const char **ret)
{
        if (call->n > 1) {
                func_fail(call, 1, "there is one argument at most, the layout");
                return false;
        }
        *ret = call->n > 0 ? func_text(call, 0).s : NULL;
        return true;
}

CALL(legacy_isotime)
{
        CLEANUP_FREE char *text = NULL;
        const char *go_layout;

        if (!layout(call, &go_layout))
                return NULL;
        if (!go_layout)
                return call_timestamp(call);
        text = gotime_format(call->env->start, go_layout);
        return hcl_string_from(call->arena, text);
}

CALL(legacy_strftime)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_ERROR struct error err = {0};
        const char *format;

        if (!layout(call, &format))
                return NULL;
        if (!format)
                return call_timestamp(call);
        if (gotime_strftime(call->env->start, format, &text, &err) < 0)
                return func_fail(call, 0, "%s", error_message(&err));
        return hcl_string_from(call->arena, text);
}

struct field {
        const char *name;
        const struct hcl_value *value;
};

/* ISO 8601's year and week: those of the week's Thursday. */
static void iso_week(const struct tm *tm, int64_t *ret_year, int64_t *ret_week)
{
        struct tm thursday = *tm;

        thursday.tm_mday += 4 - (tm->tm_wday == 0 ? 7 : tm->tm_wday);
        timegm(&thursday);
        *ret_year = thursday.tm_year + 1900LL;
        *ret_week = thursday.tm_yday / 7 + 1;
}

/* The parts of a time as an object, with one more that differs between the two functions. */
static const struct hcl_value *parts(struct hcl_call *call, const struct func_time *time, struct field other)
{
        struct arena *arena = call->arena;
        int64_t year, week;
        struct tm tm;

        if (!local(time, &tm) || !other.value)
                return func_fail(call, 0, "the year is too large");
        iso_week(&tm, &year, &week);
        {
                const struct field fields[] = {
                        {"year", hcl_int_value(arena, tm.tm_year + 1900LL)},
                        {"year_day", hcl_int_value(arena, tm.tm_yday + 1)},
                        {"day", hcl_int_value(arena, tm.tm_mday)},
                        {"month", hcl_int_value(arena, tm.tm_mon + 1)},
                        {"month_name", hcl_string_from(arena, months[tm.tm_mon])},
                        {"weekday", hcl_int_value(arena, tm.tm_wday)},
                        {"weekday_name", hcl_string_from(arena, weekdays[tm.tm_wday])},
                        {"hour", hcl_int_value(arena, tm.tm_hour)},
                        {"minute", hcl_int_value(arena, tm.tm_min)},
                        {"second", hcl_int_value(arena, tm.tm_sec)},
                        {"iso_year", hcl_int_value(arena, year)},
                        {"iso_week", hcl_int_value(arena, week)},
                        other,
                };
                enum { N = sizeof(fields) / sizeof(fields[0]) };
                struct hcl_string *keys = arena_array(arena, N, sizeof(*keys));
                const struct hcl_value **v = arena_array(arena, N, sizeof(const struct hcl_value *));

                for (size_t i = 0; i < N; i++) {
                        keys[i] = (struct hcl_string){fields[i].name, strlen(fields[i].name)};
                        v[i] = fields[i].value;
                }
                return hcl_object_value(arena, keys, v, N);
        }
}

CALL(rfc3339_parse)
{
        struct func_time time;

        if (func_time_parse(func_text(call, 0), ' ', &time) && !parse(call, 0, &time))
                return NULL;
        return parts(call, &time, (struct field){"unix", hcl_int_value(call->arena, time.unix_s)});
}

CALL(unix_timestamp_parse)
{
        struct func_time time = {0};

        if (!func_int(call, 0, &time.unix_s))
                return NULL;
        return parts(call, &time, (struct field){"rfc3339", func_time_value(call, &time)});
}

#define TEXT .returns = &hcl_string

FUNCTION(formatdate, TEXT, PARAMS({"format", &hcl_string}, {"time", &hcl_string}), .help = "A time in another format.");
FUNCTION(legacy_isotime, TEXT, VARIADIC("format", &hcl_string), .flags = HCL_IMPURE,
         .help = "The time at which the run began, in a layout of Go's time package.");
FUNCTION(legacy_strftime, TEXT, VARIADIC("format", &hcl_string), .flags = HCL_IMPURE,
         .help = "The time at which the run began, in a format of strftime.");
FUNCTION(rfc3339_parse, .returns = &hcl_any, PARAMS({"timestamp", &hcl_string}),
         .help = "The parts of a time as an object; \"unix\" counts seconds since 1970.");
FUNCTION(timeadd, TEXT, PARAMS({"timestamp", &hcl_string}, {"duration", &hcl_string}),
         .help = "A time that is later by a duration, or earlier by a negative one.");
FUNCTION(timestamp, TEXT, .flags = HCL_IMPURE, .help = "The time at which the run began.");
FUNCTION(unix_timestamp_parse, .returns = &hcl_any, PARAMS({"unix_timestamp", &hcl_number}),
         .help = "The parts of a time that is given in seconds since 1970, as an object.");
