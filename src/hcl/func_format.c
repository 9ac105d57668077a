/* format() and formatlist(): the verbs of go-cty's function of that name,
 * which prints numbers as Go's fmt does and measures text in characters. */
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "hcl/func.h"

enum { WIDTH_MAX = 1000000, ARGUMENT_MAX = 100000, BITS_MAX = 1 << 20 };

struct verb {
        const char *raw; /* from the % on */
        size_t len, offset;
        char letter;
        bool zero, sharp, plus, minus, blank;
        long width, precision; /* -1: none */
        size_t arg;            /* from 1 */
};

/* Where formatting has come to. */
struct formatter {
        struct hcl_call *call;
        struct hcl_string format;
        const struct hcl_value *const *args;
        size_t n_args;
        size_t at, next_arg, highest_arg;
        struct str out;
};

static bool bad_value(const struct formatter *f, const struct verb *verb, const char *why)
{
        func_fail(f->call, FUNC_WHOLE, "unsupported value for \"%.*s\" at %zu: %s", (int)verb->len, verb->raw,
                  verb->offset, why);
        return false;
}

static void add_repeated(struct str *out, char c, long n)
{
        char run[256];

        memset(run, c, sizeof(run));
        for (; n > 0; n -= (long)sizeof(run))
                str_addn(out, run, n < (long)sizeof(run) ? (size_t)n : sizeof(run));
}

/* Text in its width, measured in characters. */
static bool add_padded(struct formatter *f, const struct verb *verb, const char *s, size_t len)
{
        size_t n = 0;
        long missing;

        if (verb->width > 0)
                func_clusters((struct hcl_string){s, len}, SIZE_MAX, &n);
        missing = verb->width - (long)n;
        if (!verb->minus)
                add_repeated(&f->out, verb->zero ? '0' : ' ', missing);
        str_addn(&f->out, s, len);
        if (verb->minus)
                add_repeated(&f->out, verb->zero ? '0' : ' ', missing);
        return true;
}

/* A sign, and digits that fill a field: with zeros after the sign, or with blanks. */
static void add_number(struct formatter *f, const struct verb *verb, const char *sign, const char *digits, bool zeros)
{
        long missing = verb->width - (long)strlen(sign) - (long)strlen(digits);

        if (!verb->minus && !zeros)
                add_repeated(&f->out, ' ', missing);
        str_add(&f->out, sign);
        if (!verb->minus && zeros)
                add_repeated(&f->out, '0', missing);
        str_add(&f->out, digits);
        if (verb->minus)
                add_repeated(&f->out, ' ', missing);
}

static const char *sign_of(const struct verb *verb, bool negative)
{
        return negative ? "-" : verb->plus ? "+" : verb->blank ? " " : "";
}

static const char *prefix_of(const struct verb *verb)
{
        if (!verb->sharp)
                return "";
        switch (verb->letter) {
        case 'b':
                return "0b";
        case 'o':
                return "0";
        case 'x':
                return "0x";
        case 'X':
                return "0X";
        default:
                return "";
        }
}

static bool add_integer(struct formatter *f, const struct verb *verb, mpfr_srcptr number)
{
        int base = verb->letter == 'b' ? 2 : verb->letter == 'o' ? 8 : verb->letter == 'd' ? 10 : 16;
        CLEANUP_STR struct str sign = {0}, digits = {0};
        mpfr_exp_t exponent;
        char *text;

        if (!mpfr_integer_p(number))
                return bad_value(f, verb, "an integer is required");
        if (verb->precision == 0 && mpfr_zero_p(number))
                return true;
        text = mpfr_zero_p(number) ? NULL : mpfr_get_str(NULL, &exponent, base, 0, number, MPFR_RNDN);
        if (text) {
                const char *start = text + (*text == '-');
                long len = (long)strlen(start);

                str_addn(&digits, start, (size_t)(exponent < len ? exponent : len));
                add_repeated(&digits, '0', exponent - len);
                mpfr_free_str(text);
        } else {
                str_add(&digits, "0");
        }
        for (char *p = digits.s; *p && verb->letter == 'X'; p++)
                *p = (char)(*p >= 'a' && *p <= 'f' ? *p - 'a' + 'A' : *p);
        str_add(&sign, sign_of(verb, mpfr_sgn(number) < 0));
        str_add(&sign, prefix_of(verb));
        add_repeated(&sign, '0', verb->precision - (long)digits.len);
        add_number(f, verb, str_get(&sign), str_get(&digits), verb->zero && verb->precision < 0);
        return true;
}

/* The shortest digits, with an exponent where there are many zeros: Go's 'g' without a precision. */
static void add_shortest(struct str *out, struct arena *arena, mpfr_srcptr number, char e)
{
        const char *text = hcl_number_text(arena, number), *point, *first;
        CLEANUP_STR struct str digits = {0};
        size_t before;
        long exponent;

        text += *text == '-';
        before = strcspn(text, ".e");
        point = text[before] == '.' ? text + before + 1 : "";
        exponent = (long)before - 1 + (strchr(text, 'e') ? strtol(strchr(text, 'e') + 1, NULL, 10) : 0);
        str_addn(&digits, text, before);
        str_addn(&digits, point, strcspn(point, "e"));
        first = str_get(&digits) + strspn(str_get(&digits), "0");
        exponent -= first - digits.s;
        if (!*first ||
            (exponent >= -4 && exponent < 6 && !strchr(text, 'e'))) { /* Go decides as for "%g" with 6 digits */
                str_add(out, text);
                return;
        }
        while (digits.len > 1 && digits.s[digits.len - 1] == '0')
                digits.s[--digits.len] = '\0';
        str_addc(out, *first);
        if (first[1])
                str_addf(out, ".%s", first + 1);
        str_addf(out, "%c%c%02ld", e, exponent < 0 ? '-' : '+', labs(exponent));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a format with MPFR's own length modifier */
static void add_rounded(struct str *out, mpfr_srcptr number, char letter, long precision)
{
        char format[] = {'%', '.', '*', 'R', letter, '\0'}, *text;

        if (mpfr_asprintf(&text, format, (int)precision, number) < 0)
                abort();
        str_add(out, text + (*text == '-'));
        mpfr_free_str(text);
}
#pragma GCC diagnostic pop

static bool add_float(struct formatter *f, const struct verb *verb, mpfr_srcptr number)
{
        bool is_general = verb->letter == 'g' || verb->letter == 'G';
        CLEANUP_STR struct str digits = {0};

        if (!mpfr_number_p(number))
                str_add(&digits, "Inf");
        else if (is_general && verb->precision < 0)
                add_shortest(&digits, f->call->arena, number, verb->letter == 'g' ? 'e' : 'E');
        else
                add_rounded(&digits, number, verb->letter, verb->precision < 0 ? 6 : verb->precision);
        add_number(f, verb, mpfr_number_p(number) || mpfr_signbit(number) ? sign_of(verb, mpfr_signbit(number)) : "+",
                   str_get(&digits), verb->zero && mpfr_number_p(number));
        return true;
}

static bool add_text(struct formatter *f, const struct verb *verb, const struct hcl_value *value)
{
        CLEANUP_STR struct str json = {0};
        struct hcl_string text;

        if (hcl_convert(f->call->arena, value, &hcl_string, &value, NULL) < 0)
                return bad_value(f, verb, "string required");
        text = value->string;
        if (verb->precision > 0)
                text.len = func_clusters(text, (size_t)verb->precision, NULL);
        if (verb->letter == 's')
                return add_padded(f, verb, text.s, text.len);
        value = hcl_string_value(f->call->arena, text.s, text.len);
        if (func_json(&json, f->call->arena, value, f->call->err) < 0)
                return false;
        return add_padded(f, verb, str_get(&json), json.len);
}

static bool add_as_is(struct formatter *f, const struct verb *verb, const struct hcl_value *value)
{
        CLEANUP_STR struct str text = {0};

        if (!verb->sharp && value->state == HCL_KNOWN && value->type->kind == HCL_STRING)
                return add_padded(f, verb, value->string.s, value->string.len);
        if (!verb->sharp && value->state == HCL_KNOWN && value->type->kind == HCL_NUMBER) {
                bool negative = mpfr_signbit(value->number) != 0;

                if (negative || !mpfr_number_p(value->number))
                        str_addc(&text, negative ? '-' : '+');
                if (mpfr_number_p(value->number))
                        add_shortest(&text, f->call->arena, value->number, 'e');
                else
                        str_add(&text, "Inf");
        } else if (func_json(&text, f->call->arena, value, f->call->err) < 0) {
                return bad_value(f, verb, "infinity is no JSON");
        }
        return add_padded(f, verb, str_get(&text), text.len);
}

static bool add_value(struct formatter *f, struct verb *verb)
{
        const struct hcl_value *value;

        if (verb->arg > f->n_args) {
                func_fail(f->call, FUNC_WHOLE,
                          "not enough arguments for \"%.*s\" at %zu: need index %zu but have %zu total", (int)verb->len,
                          verb->raw, verb->offset, verb->arg, f->n_args);
                return false;
        }
        value = f->args[verb->arg - 1];
        if (verb->letter != 'v' && value->state == HCL_NULL)
                return bad_value(f, verb, "null value cannot be formatted");
        if (strchr("bdoxXeEfgG", verb->letter)) {
                if (verb->minus) /* zeros are only ever to the left */
                        verb->zero = false;
                if (hcl_convert(f->call->arena, value, &hcl_number, &value, NULL) < 0)
                        return bad_value(f, verb, "number required");
                if (strchr("bdoxXf", verb->letter) && mpfr_regular_p(value->number) &&
                    mpfr_get_exp(value->number) > BITS_MAX)
                        return bad_value(f, verb, "the number has too many digits");
                return strchr("bdoxX", verb->letter) ? add_integer(f, verb, value->number)
                                                     : add_float(f, verb, value->number);
        }
        switch (verb->letter) {
        case 'v':
                return add_as_is(f, verb, value);
        case 't':
                if (hcl_convert(f->call->arena, value, &hcl_bool, &value, NULL) < 0)
                        return bad_value(f, verb, "bool required");
                str_add(&f->out, value->boolean ? "true" : "false");
                return true;
        case 's':
        case 'q':
                return add_text(f, verb, value);
        default:
                func_fail(f->call, 0, "unsupported format verb '%c' in \"%.*s\" at offset %zu", verb->letter,
                          (int)verb->len, verb->raw, verb->offset);
                return false;
        }
}

static bool bad_character(const struct formatter *f)
{
        if (f->at >= f->format.len)
                func_fail(f->call, 0, "invalid format string starting at offset %zu", f->at);
        else
                func_fail(f->call, 0, "unrecognized format character '%.*s' at offset %zu",
                          u8_mblen((const uint8_t *)f->format.s + f->at, f->format.len - f->at), f->format.s + f->at,
                          f->at);
        return false;
}

/* Digits, the first of which is not 0 unless `zeros`; no digits leave *ret alone. */
static bool read_digits(struct formatter *f, long max, long *ret)
{
        long n = 0;
        size_t start = f->at;

        for (; f->format.s[f->at] >= '0' && f->format.s[f->at] <= '9'; f->at++) {
                n = n * 10 + f->format.s[f->at] - '0';
                if (n > max) {
                        func_fail(f->call, 0, "the number at offset %zu is too large: at most %ld", start, max);
                        return false;
                }
        }
        if (f->at > start)
                *ret = n;
        return true;
}

static void read_flags(struct formatter *f, struct verb *verb)
{
        for (;; f->at++) {
                char c = f->format.s[f->at];

                if (c == '0')
                        verb->zero = true;
                else if (c == '#')
                        verb->sharp = true;
                else if (c == '+')
                        verb->plus = true;
                else if (c == '-')
                        verb->minus = true;
                else if (c == ' ')
                        verb->blank = true;
                else
                        return;
        }
}

/* After the %: flags, width, .precision, [argument], letter. */
static bool read_verb(struct formatter *f, struct verb *verb)
{
        long arg = 0;

        read_flags(f, verb);
        if (!read_digits(f, WIDTH_MAX, &verb->width))
                return false;
        if (f->format.s[f->at] == '.') {
                f->at++;
                verb->precision = 0;
                if (!read_digits(f, WIDTH_MAX, &verb->precision))
                        return false;
        }
        if (f->format.s[f->at] == '[') {
                f->at++;
                if (f->format.s[f->at] == '0')
                        return bad_character(f);
                if (!read_digits(f, ARGUMENT_MAX, &arg))
                        return false;
                if (arg == 0 || f->format.s[f->at] != ']')
                        return bad_character(f);
                f->at++;
                verb->arg = (size_t)arg;
        }
        verb->letter = f->format.s[f->at];
        if (!((verb->letter >= 'a' && verb->letter <= 'z') || (verb->letter >= 'A' && verb->letter <= 'Z')))
                return bad_character(f);
        f->at++;
        verb->len = f->at - verb->offset;
        return true;
}

static bool add_verb(struct formatter *f)
{
        struct verb verb = {
                .raw = f->format.s + f->at, .offset = f->at, .width = -1, .precision = -1, .arg = f->next_arg};

        f->at++;
        if (f->format.s[f->at] == '%') {
                str_addc(&f->out, '%');
                f->at++;
                return true;
        }
        if (!read_verb(f, &verb))
                return false;
        if (verb.arg > f->highest_arg)
                f->highest_arg = verb.arg;
        f->next_arg = verb.arg + 1;
        return add_value(f, &verb);
}

/* The text; NULL with the error set. */
static const struct hcl_value *format(struct hcl_call *call, const struct hcl_value *const *args, size_t n)
{
        struct formatter f = {.call = call, .format = func_text(call, 0), .args = args, .n_args = n, .next_arg = 1};
        const struct hcl_value *result = NULL;
        bool good = true;

        while (good && f.at < f.format.len && f.out.len <= FUNC_TEXT_MAX) {
                if (f.format.s[f.at] == '%')
                        good = add_verb(&f);
                else
                        str_addc(&f.out, f.format.s[f.at++]);
        }
        if (good && f.out.len <= FUNC_TEXT_MAX && f.highest_arg < n)
                func_fail(call, f.highest_arg + 1,
                          f.highest_arg == 0 ? "too many arguments; no verbs in format string"
                                             : "too many arguments; only %zu used by format string",
                          f.highest_arg);
        else if (good)
                result = func_string(call, &f.out);
        str_clear(&f.out);
        return result;
}

CALL(format)
{
        return format(call, call->args + 1, call->n - 1);
}

/* How many times to format: the length of the lists among the arguments, 1 without any; -1 with the error set. */
static int64_t repetitions(struct hcl_call *call)
{
        size_t chooser = 0;

        for (size_t i = 1; i < call->n; i++) {
                if (call->args[i]->state != HCL_KNOWN || !func_is_sequence(call->args[i]))
                        continue;
                if (chooser > 0 && call->args[i]->list.n != call->args[chooser]->list.n) {
                        func_fail(call, i,
                                  "argument %zu has length %zu, which is inconsistent with argument %zu of length %zu",
                                  i, call->args[i]->list.n, chooser, call->args[chooser]->list.n);
                        return -1;
                }
                if (chooser == 0)
                        chooser = i;
        }
        return chooser == 0 ? 1 : (int64_t)call->args[chooser]->list.n;
}

CALL(formatlist)
{
        const struct hcl_value **args = arena_array(call->arena, call->n, sizeof(const struct hcl_value *)), **v;
        int64_t n = repetitions(call);
        size_t total = 0;

        if (n < 0)
                return NULL;
        for (size_t i = 1; i < call->n; i++)
                if (call->args[i]->state == HCL_UNKNOWN)
                        return func_unknown(call);
        v = arena_array(call->arena, (size_t)n, sizeof(const struct hcl_value *));
        for (size_t k = 0; k < (size_t)n; k++) {
                bool known = true;

                for (size_t i = 1; i < call->n; i++) {
                        bool is_list = call->args[i]->state == HCL_KNOWN && func_is_sequence(call->args[i]);

                        args[i - 1] = is_list ? call->args[i]->list.v[k] : call->args[i];
                        known = known && hcl_value_known(args[i - 1]);
                }
                v[k] = known ? format(call, args, call->n - 1) : hcl_unknown(call->arena, &hcl_string);
                if (!v[k]) {
                        error_wrap(call->err, -EINVAL, "element %zu", k);
                        return NULL;
                }
                total += v[k]->state == HCL_KNOWN ? v[k]->string.len : 0;
                if (total > FUNC_TEXT_MAX)
                        return func_fail(call, FUNC_WHOLE, "the result would be longer than %d MiB",
                                         FUNC_TEXT_MAX >> 20);
        }
        return func_list_of_strings(call, v, (size_t)n);
}

FUNCTION(format, .returns = &hcl_string, PARAMS({"format", &hcl_string}), VARIADIC("args", &hcl_any, HCL_ALLOW_NULL),
         .help = "Text with values in place of verbs: %s, %q, %d, %x, %o, %b, %f, %e, %g, %t, %v, %#v, %%.");
FUNCTION(formatlist, .returns = &func_string_list, PARAMS({"format", &hcl_string}),
         VARIADIC("args", &hcl_any, HCL_ALLOW_NULL | HCL_ALLOW_UNKNOWN),
         .help = "format() once for each element of the lists among its arguments.");
