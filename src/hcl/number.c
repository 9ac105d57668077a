/* Numbers: see value.h. Significands live in the arena, through MPFR's custom
 * interface, so that a value needs no clean-up of its own. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcl/value.h"

enum {
        LITERAL_PRECISION = 512, /* of every number that is read; none has more */
        INT_PRECISION = 64,
        MAX_DIGITS = 157, /* enough for every number of 512 bits */
};

static mpfr_ptr new_number(struct arena *arena, mpfr_prec_t precision)
{
        mpfr_ptr number = arena_alloc(arena, sizeof(*number));
        void *significand = arena_alloc(arena, mpfr_custom_get_size(precision));

        mpfr_custom_init(significand, precision);
        mpfr_custom_init_set(number, MPFR_ZERO_KIND, 0, precision, significand);
        return number;
}

static const struct hcl_value *new_value(struct arena *arena, mpfr_srcptr number)
{
        return arena_memdup(arena, &(struct hcl_value){.type = &hcl_number, .number = number},
                            sizeof(struct hcl_value));
}

const struct hcl_value *hcl_number_value(struct arena *arena, mpfr_srcptr number)
{
        mpfr_prec_t precision = mpfr_get_prec(number);
        mpfr_ptr copy = new_number(arena, precision < LITERAL_PRECISION ? precision : LITERAL_PRECISION);

        mpfr_set(copy, number, MPFR_RNDN);
        return new_value(arena, copy);
}

const struct hcl_value *hcl_int_value(struct arena *arena, int64_t n)
{
        mpfr_ptr number = new_number(arena, INT_PRECISION);

        mpfr_set_sj(number, n, MPFR_RNDN);
        return new_value(arena, number);
}

static const char *skip_digits(const char *s, size_t *n)
{
        for (; isdigit((unsigned char)*s); s++)
                ++*n;
        return s;
}

/* Is it a number as HCL's own implementation reads one? [sign] digits [. digits] [e [sign] digits] */
static bool is_number(const char *s, long *exponent)
{
        size_t digits = 0, exponent_digits = 0;

        s += *s == '+' || *s == '-';
        s = skip_digits(s, &digits);
        if (*s == '.')
                s = skip_digits(s + 1, &digits);
        if (digits > 0 && (*s == 'e' || *s == 'E')) {
                const char *start = s + 1;

                s = skip_digits(start + (*start == '+' || *start == '-'), &exponent_digits);
                if (exponent_digits == 0)
                        return false;
                *exponent = strtol(start, NULL, 10); /* what is too large becomes LONG_MAX */
        }
        return digits > 0 && *s == '\0';
}

const struct hcl_value *hcl_number_parse(struct arena *arena, const char *s)
{
        long exponent = 0;
        mpfr_ptr number;

        if (!is_number(s, &exponent) || exponent > HCL_MAX_EXPONENT || exponent < -HCL_MAX_EXPONENT)
                return NULL;
        number = new_number(arena, LITERAL_PRECISION);
        mpfr_strtofr(number, s, NULL, 10, MPFR_RNDN);
        return new_value(arena, number);
}

bool hcl_number_int(const struct hcl_value *value, int64_t *ret)
{
        if (value->state != HCL_KNOWN || value->type->kind != HCL_NUMBER || !mpfr_integer_p(value->number) ||
            !mpfr_fits_intmax_p(value->number, MPFR_RNDN))
                return false;
        *ret = mpfr_get_sj(value->number, MPFR_RNDN);
        return true;
}

/* `digits` digits of the number; false if they do not read back as the same number. */
static bool digits_of(mpfr_srcptr number, size_t digits, mpfr_rnd_t round, char *ret, mpfr_exp_t *exponent)
{
        mpfr_t back;
        bool same;

        mpfr_get_str(ret, exponent, 10, digits, number, round);
        CLEANUP_FREE char *text =
                xasprintf("%s0.%se%jd", *ret == '-' ? "-" : "", ret + (*ret == '-'), (intmax_t)*exponent);
        mpfr_init2(back, mpfr_get_prec(number));
        mpfr_strtofr(back, text, NULL, 10, MPFR_RNDN);
        same = mpfr_equal_p(back, number) != 0;
        mpfr_clear(back);
        return same;
}

/* The fewest digits that do. Below a power of two the gap is half as wide as
 * above it, so there the nearest text may fail where the next one up does. */
static bool fits(mpfr_srcptr number, size_t digits, char *ret, mpfr_exp_t *exponent)
{
        return digits_of(number, digits, MPFR_RNDN, ret, exponent) ||
               digits_of(number, digits, MPFR_RNDA, ret, exponent);
}

static void shortest(mpfr_srcptr number, char ret[static MAX_DIGITS + 2], mpfr_exp_t *exponent)
{
        size_t low = 1, high = mpfr_get_str_ndigits(10, mpfr_get_prec(number));

        while (low < high) { /* one more digit never makes it worse */
                size_t middle = (low + high) / 2;

                if (fits(number, middle, ret, exponent))
                        high = middle;
                else
                        low = middle + 1;
        }
        fits(number, low, ret, exponent);
}

static void add_zeros(struct str *text, mpfr_exp_t n)
{
        for (mpfr_exp_t i = 0; i < n; i++)
                str_addc(text, '0');
}

/* 0.DIGITS * 10^exponent */
static void add_decimal(struct str *text, const char *digits, mpfr_exp_t exponent)
{
        mpfr_exp_t n = (mpfr_exp_t)strlen(digits);

        if (exponent > HCL_MAX_EXPONENT + MAX_DIGITS || exponent < -HCL_MAX_EXPONENT - MAX_DIGITS) {
                str_addc(text, *digits);
                if (n > 1)
                        str_addf(text, ".%s", digits + 1);
                str_addf(text, "e%+jd", (intmax_t)exponent - 1);
        } else if (exponent <= 0) {
                str_add(text, "0.");
                add_zeros(text, -exponent);
                str_add(text, digits);
        } else if (exponent >= n) {
                str_add(text, digits);
                add_zeros(text, exponent - n);
        } else {
                str_addn(text, digits, (size_t)exponent);
                str_addf(text, ".%s", digits + exponent);
        }
}

const char *hcl_number_text(struct arena *arena, mpfr_srcptr number)
{
        CLEANUP_STR struct str text = {0};
        char buffer[MAX_DIGITS + 2], *digits = buffer;
        mpfr_exp_t exponent;

        if (!mpfr_number_p(number))
                return mpfr_nan_p(number) ? "NaN" : mpfr_sgn(number) < 0 ? "-Inf" : "+Inf";
        if (mpfr_zero_p(number))
                return mpfr_signbit(number) ? "-0" : "0";
        if (mpfr_integer_p(number) && mpfr_get_exp(number) <= mpfr_get_prec(number) &&
            mpfr_fits_intmax_p(number, MPFR_RNDN))
                return arena_printf(arena, "%jd", mpfr_get_sj(number, MPFR_RNDN)); /* nearly all of them */
        shortest(number, buffer, &exponent);
        if (*digits == '-')
                str_addc(&text, *digits++);
        for (size_t n = strlen(digits); n > 1 && digits[n - 1] == '0'; n--)
                digits[n - 1] = '\0';
        add_decimal(&text, digits, exponent);
        return arena_strdup(arena, str_get(&text));
}
