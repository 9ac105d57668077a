/* Functions of numbers. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "hcl/func.h"

CALL(abs)
{
        mpfr_srcptr number = call->args[0]->number;
        CLEANUP_MPFR mpfr_t result;

        mpfr_init2(result, mpfr_get_prec(number));
        mpfr_abs(result, number, MPFR_RNDN);
        return hcl_number_value(call->arena, result);
}

/* Whole numbers near it are exact in the number's own precision. */
static const struct hcl_value *whole(struct hcl_call *call, int (*round)(mpfr_ptr, mpfr_srcptr))
{
        mpfr_srcptr number = call->args[0]->number;
        CLEANUP_MPFR mpfr_t result;

        mpfr_init2(result, mpfr_get_prec(number));
        round(result, number);
        if (mpfr_zero_p(result)) /* whole numbers have no negative one */
                mpfr_set_zero(result, 1);
        return hcl_number_value(call->arena, result);
}

CALL(ceil)
{
        return whole(call, mpfr_ceil);
}

CALL(floor)
{
        return whole(call, mpfr_floor);
}

CALL(log)
{
        double number, base;

        if (!func_double(call, 0, &number) || !func_double(call, 1, &base))
                return NULL;
        if (number < 0)
                return func_fail(call, 0, "a negative number has no logarithm");
        if (base < 0)
                return func_fail(call, 1, "there is no logarithm to a negative base");
        return func_number(call, log(number) / log(base));
}

/* x^y as Go's math.Pow rounds it: the whole part of the exponent by squaring
 * the significand again and again, the rest through logarithms. */
static double go_pow(double x, double y)
{
        double whole_part, fraction = modf(fabs(y), &whole_part), result = 1;
        int step, exponent = 0;

        if (x == 0 || !isfinite(x) || !isfinite(y) || fabs(y) >= 0x1p63 || (x < 0 && fraction != 0))
                return pow(x, y);
        if (fabs(y) == 0.5)
                return y > 0 ? sqrt(x) : 1 / sqrt(x);
        if (fraction > 0.5) {
                fraction--;
                whole_part++;
        }
        if (fraction != 0)
                result = exp(fraction * log(x));
        x = frexp(x, &step);
        for (uint64_t n = (uint64_t)whole_part; n > 0; n >>= 1) {
                if (step > 1 << 12 || step < -(1 << 12)) { /* too large, or too small, whatever follows */
                        exponent += step;
                        break;
                }
                if (n & 1) {
                        result *= x;
                        exponent += step;
                }
                x *= x;
                step *= 2;
                if (x < 0.5) {
                        x += x;
                        step--;
                }
        }
        return y < 0 ? ldexp(1 / result, -exponent) : ldexp(result, exponent);
}

CALL(pow)
{
        double number, exponent;

        if (!func_double(call, 0, &number) || !func_double(call, 1, &exponent))
                return NULL;
        return func_number(call, go_pow(number, exponent));
}

CALL(signum)
{
        int64_t number;

        if (!func_int(call, 0, &number))
                return NULL;
        return hcl_int_value(call->arena, (number > 0) - (number < 0));
}

static const struct hcl_value *extreme(struct hcl_call *call, int sign)
{
        const struct hcl_value *best;

        if (call->n == 0)
                return func_fail(call, FUNC_WHOLE, "at least one number is needed");
        best = call->args[0];
        for (size_t i = 1; i < call->n; i++)
                if (mpfr_cmp(call->args[i]->number, best->number) * sign > 0)
                        best = call->args[i];
        return best;
}

CALL(min)
{
        return extreme(call, -1);
}

CALL(max)
{
        return extreme(call, 1);
}

CALL(sum)
{
        const struct hcl_value *list = call->args[0];
        CLEANUP_MPFR mpfr_t total;
        bool first = true;

        mpfr_init2(total, MPFR_PREC_MIN);
        if (!func_is_sequence(list))
                return func_fail(call, 0, "a list, set or tuple of numbers is needed, not %s",
                                 hcl_type_friendly(call->arena, list->type));
        if (list->list.n == 0)
                return func_fail(call, 0, "an empty list has no sum");
        for (size_t i = 0; i < list->list.n; i++) {
                const struct hcl_value *number;

                if (list->list.v[i]->state == HCL_NULL ||
                    hcl_convert(call->arena, list->list.v[i], &hcl_number, &number, NULL) < 0)
                        return func_fail(call, 0, "element %zu is not a number", i);
                if (mpfr_get_prec(number->number) > mpfr_get_prec(total))
                        mpfr_prec_round(total, mpfr_get_prec(number->number), MPFR_RNDN);
                if (first)
                        mpfr_set(total, number->number, MPFR_RNDN);
                else
                        mpfr_add(total, total, number->number, MPFR_RNDN);
                first = false;
        }
        if (mpfr_nan_p(total))
                return func_fail(call, 0, "opposite infinities have no sum");
        return hcl_number_value(call->arena, total);
}

/* The value of a digit in bases to 62: 0-9, a-z, A-Z; capitals are small letters to base 36. */
static int digit_value(char c, int64_t base)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'Z')
                return c - 'A' + (base <= 36 ? 10 : 36);
        return INT_MAX;
}

CALL(parseint)
{
        enum { DIGITS_MAX = 4096 };
        struct hcl_string text;
        CLEANUP_MPFR mpfr_t number;
        int64_t base;
        size_t first;

        mpfr_init2(number, 6 * DIGITS_MAX);
        mpfr_set_zero(number, 1);
        if (call->args[0]->type->kind != HCL_STRING)
                return func_fail(call, 0, "a string is needed, not %s",
                                 hcl_type_friendly(call->arena, call->args[0]->type));
        text = func_text(call, 0);
        first = text.len > 0 && (*text.s == '-' || *text.s == '+');
        if (!func_int(call, 1, &base))
                return NULL;
        if (base < 2 || base > 62)
                return func_fail(call, 1, "the base must be a whole number between 2 and 62");
        if (text.len > DIGITS_MAX)
                return func_fail(call, 0, "the number has more than %d digits", DIGITS_MAX);
        for (size_t i = first; i < text.len; i++) {
                int digit = digit_value(text.s[i], base);

                if (digit >= base)
                        return func_fail(call, 0, "\"%s\" is no whole number in base %d", text.s, (int)base);
                mpfr_mul_si(number, number, base, MPFR_RNDN);
                mpfr_add_si(number, number, digit, MPFR_RNDN);
        }
        if (text.len == first)
                return func_fail(call, 0, "\"%s\" is no whole number in base %d", text.s, (int)base);
        if (*text.s == '-' && !mpfr_zero_p(number))
                mpfr_neg(number, number, MPFR_RNDN);
        mpfr_prec_round(number, mpfr_zero_p(number) || mpfr_get_exp(number) < 64 ? 64 : mpfr_get_exp(number),
                        MPFR_RNDN);
        return hcl_number_value(call->arena, number);
}

#define NUMBER .returns = &hcl_number

FUNCTION(abs, NUMBER, PARAMS({"num", &hcl_number}), .help = "The number without its sign.");
FUNCTION(ceil, NUMBER, PARAMS({"num", &hcl_number}), .help = "The least whole number that is not less.");
FUNCTION(floor, NUMBER, PARAMS({"num", &hcl_number}), .help = "The greatest whole number that is not greater.");
FUNCTION(log, NUMBER, PARAMS({"num", &hcl_number}, {"base", &hcl_number}),
         .help = "The logarithm of a number to a base.");
FUNCTION(max, NUMBER, VARIADIC("numbers", &hcl_number), .help = "The greatest of the numbers.");
FUNCTION(min, NUMBER, VARIADIC("numbers", &hcl_number), .help = "The least of the numbers.");
FUNCTION(parseint, NUMBER, PARAMS({"number", &hcl_any}, {"base", &hcl_number}),
         .help = "The whole number that a text is in a base from 2 to 62.");
FUNCTION(pow, NUMBER, PARAMS({"num", &hcl_number}, {"power", &hcl_number}), .help = "A number raised to a power.");
FUNCTION(signum, NUMBER, PARAMS({"num", &hcl_number}), .help = "-1, 0 or 1: the sign of a whole number.");
FUNCTION(sum, NUMBER, PARAMS({"list", &hcl_any}), .help = "The sum of a list's numbers.");
