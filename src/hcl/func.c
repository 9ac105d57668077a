/* See func.h. */
#include "hcl/func.h"

#include <math.h>
#include <string.h>
#include <unictype.h>
#include <unigbrk.h>
#include <unistr.h>

const struct hcl_type func_any_list = {.kind = HCL_LIST, .element = &hcl_any};
const struct hcl_type func_any_set = {.kind = HCL_SET, .element = &hcl_any};
const struct hcl_type func_bool_list = {.kind = HCL_LIST, .element = &hcl_bool};
const struct hcl_type func_number_list = {.kind = HCL_LIST, .element = &hcl_number};
const struct hcl_type func_string_list = {.kind = HCL_LIST, .element = &hcl_string};
const struct hcl_type func_string_set = {.kind = HCL_SET, .element = &hcl_string};

const struct hcl_value *func_fail(struct hcl_call *call, size_t arg, const char *format, ...)
{
        CLEANUP_STR struct str text = {0};
        va_list ap;

        va_start(ap, format);
        str_addvf(&text, format, ap);
        va_end(ap);
        error_set(call->err, EINVAL, "%s", str_get(&text));
        call->bad_arg = arg;
        return NULL;
}

const struct hcl_value *func_unknown(struct hcl_call *call)
{
        return hcl_unknown(call->arena, call->function->returns);
}

struct hcl_string func_text(const struct hcl_call *call, size_t arg)
{
        return call->args[arg]->string;
}

bool func_int(struct hcl_call *call, size_t arg, int64_t *ret)
{
        if (hcl_number_int(call->args[arg], ret))
                return true;
        func_fail(call, arg, "a whole number of 64 bits is needed, not %.40s",
                  hcl_number_text(call->arena, call->args[arg]->number));
        return false;
}

bool func_double(struct hcl_call *call, size_t arg, double *ret)
{
        mpfr_srcptr number = call->args[arg]->number;

        *ret = mpfr_get_d(number, MPFR_RNDN);
        if (!isinf(*ret) || mpfr_inf_p(number))
                return true;
        func_fail(call, arg, "the number is too large: it must be between -1.8e308 and 1.8e308");
        return false;
}

const struct hcl_value *func_string(struct hcl_call *call, const struct str *text)
{
        if (text->len > FUNC_TEXT_MAX)
                return func_fail(call, FUNC_WHOLE, "the result would be longer than %d MiB", FUNC_TEXT_MAX >> 20);
        return hcl_string_value(call->arena, str_get(text), text->len);
}

const struct hcl_value *func_list_of_strings(struct hcl_call *call, const struct hcl_value *const *v, size_t n)
{
        return hcl_list_value(call->arena, &hcl_string, v, n);
}

const struct hcl_value *func_number(struct hcl_call *call, double number)
{
        CLEANUP_MPFR mpfr_t exact;

        mpfr_init2(exact, 53);
        mpfr_set_d(exact, number, MPFR_RNDN);
        if (mpfr_nan_p(exact))
                return func_fail(call, FUNC_WHOLE, "there is no such number");
        return hcl_number_value(call->arena, exact);
}

bool func_is_sequence(const struct hcl_value *value)
{
        enum hcl_kind kind = value->type->kind;

        return kind == HCL_LIST || kind == HCL_SET || kind == HCL_TUPLE;
}

bool func_is_mapping(const struct hcl_value *value)
{
        return value->type->kind == HCL_MAP || value->type->kind == HCL_OBJECT;
}

bool func_is_text(const struct hcl_value *value, const char *text, size_t len)
{
        return value->string.len == len && memcmp(value->string.s, text, len) == 0;
}

bool func_valid_utf8(const char *s, size_t len)
{
        return u8_check((const uint8_t *)s, len) == NULL;
}

/* libunistring 1.0 looks at two code points only; flags and joined emoji need more (UAX #29, GB11 to GB13). */
static const uint8_t *next_cluster(const uint8_t *p, const uint8_t *end)
{
        bool pictograph = false, joined = false, flag = false; /* ExtPict Extend*; that and ZWJ; an odd indicator */
        ucs4_t before, c;

        for (p += u8_mbtouc(&before, p, (size_t)(end - p)); p < end; before = c) {
                int n = u8_mbtouc(&c, p, (size_t)(end - p));

                joined = pictograph && before == 0x200d;
                pictograph = uc_is_property_extended_pictographic(before) ||
                             (pictograph && uc_graphemeclusterbreak_property(before) == GBP_EXTEND);
                joined = joined && uc_is_property_extended_pictographic(c);
                flag = !flag && uc_is_property_regional_indicator(before) && uc_is_property_regional_indicator(c);
                if (!joined && !flag && uc_is_grapheme_break(before, c))
                        break;
                p += n;
        }
        return p;
}

size_t func_clusters(struct hcl_string text, size_t n, size_t *ret_n)
{
        const uint8_t *start = (const uint8_t *)text.s, *p = start, *end = start + text.len;
        size_t count = 0;

        for (; count < n && p < end; count++)
                p = next_cluster(p, end);
        if (ret_n)
                *ret_n = count;
        return (size_t)(p - start);
}
