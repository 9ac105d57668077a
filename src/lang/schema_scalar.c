/* Single values by a schema, converted as weakly as mapstructure's
 * WeaklyTypedInput does for Packer: numbers, booleans and strings stand for
 * each other where the meaning is plain. See schema_internal.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/size.h"
#include "base/str.h"
#include "lang/schema_internal.h"

void schema_wrong_type(const struct decode *decode, const struct value *value, const char *wanted)
{
        const char *name = decode->key->name;

        if (value->type == VALUE_STRING && strlen(value->string) <= 60)
                diag_error(decode->diags, value->range, "'%s' must be %s, not \"%s\"", name, wanted, value->string);
        else if (value->type == VALUE_NUMBER && strlen(value->string) <= 60)
                diag_error(decode->diags, value->range, "'%s' must be %s, not %s", name, wanted, value->string);
        else if (value->type == VALUE_BOOL)
                diag_error(decode->diags, value->range, "'%s' must be %s, not %s", name, wanted,
                           value->boolean ? "true" : "false");
        else
                diag_error(decode->diags, value->range, "'%s' must be %s, not %s", name, wanted,
                           value_type_name(value->type));
}

/* A number as text: its digits as written, but without an exponent. */
static char *number_text(const char *digits)
{
        double value = strtod(digits, NULL);

        if (!strpbrk(digits, "eE") || value != floor(value) || fabs(value) >= 0x1p63)
                return xstrdup(digits);
        return xasprintf("%.0f", value);
}

char *schema_text(const struct decode *decode, const struct value *value)
{
        CLEANUP_ERROR struct error err = {0};
        char *text;

        switch (value->type) {
        case VALUE_BOOL:
                if (value->typed)
                        return xstrdup(value->boolean ? "true" : "false");
                return xstrdup(value->boolean ? "1" : "0");
        case VALUE_NUMBER:
                return number_text(value->string);
        case VALUE_STRING:
                if (!decode->interp || (decode->key->flags & SCHEMA_LATE))
                        return xstrdup(value->string);
                if (interp_render(decode->interp, value->string, &text, &err) == 0)
                        return text;
                diag_error(decode->diags, value->range, "in '%s': %s", decode->key->name, error_message(&err));
                return NULL;
        case VALUE_NULL:
        case VALUE_LIST:
        case VALUE_OBJECT:
                break;
        }
        schema_wrong_type(decode, value, "a string");
        return NULL;
}

static bool read_string(const struct decode *decode, const struct value *value, const char *text, char **field)
{
        const char *const *choices = decode->key->choices;
        CLEANUP_FREE char *all = NULL;
        const char *nearest;

        for (size_t i = 0; choices && choices[i]; i++) {
                if (strcasecmp(choices[i], text) != 0)
                        continue;
                *field = xstrdup(choices[i]);
                return true;
        }
        if (!choices) {
                *field = xstrdup(text);
                return true;
        }
        nearest = str_nearest(text, choices);
        all = strv_join(choices, ", ");
        if (nearest)
                diag_error(decode->diags, value->range, "'%s' cannot be \"%s\"; did you mean \"%s\"?",
                           decode->key->name, text, nearest);
        else
                diag_error(decode->diags, value->range, "'%s' cannot be \"%s\"", decode->key->name, text);
        diag_detail(decode->diags, "It is one of: %s", all);
        return false;
}

/* As strconv.ParseBool, and "" is false. */
static int parse_bool(const char *text)
{
        static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
        static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", "", NULL};

        return strv_has(yes, text) ? 1 : strv_has(no, text) ? 0 : -1;
}

static bool read_bool(const struct decode *decode, const struct value *value, const char *text, int *ret)
{
        *ret = value->type == VALUE_NUMBER ? strtod(text, NULL) != 0 : parse_bool(text);
        if (*ret >= 0)
                return true;
        schema_wrong_type(decode, value, "true or false");
        return false;
}

/* Whole numbers of 64 bits, exactly; "2.0" and "2e3" are whole. */
static bool read_int(const struct decode *decode, const struct value *value, const char *text, int64_t *field)
{
        char *end;
        double real;

        errno = 0;
        *field = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0)
                return true; /* "" is 0, as in Packer */
        if (*end == '\0' && errno == ERANGE) {
                diag_error(decode->diags, value->range, "'%s': %.40s is too large", decode->key->name, text);
                return false;
        }
        real = strtod(text, &end);
        if (*end == '\0' && real == floor(real) && fabs(real) < 0x1p63) {
                *field = (int64_t)real;
                return true;
        }
        schema_wrong_type(decode, value, "a whole number");
        return false;
}

static bool read_size(const struct decode *decode, const struct value *value, const char *text, uint64_t *field)
{
        CLEANUP_ERROR struct error err = {0};

        if (size_parse(text, field, &err) == 0)
                return true;
        diag_error(decode->diags, value->range, "'%s': %s", decode->key->name, error_message(&err));
        return false;
}

static bool read_duration(const struct decode *decode, const struct value *value, const char *text, int64_t *field)
{
        CLEANUP_ERROR struct error err = {0};

        if (duration_parse(text, field, &err) == 0)
                return true;
        if (value->type == VALUE_NUMBER)
                diag_error(decode->diags, value->range, "'%s' needs a unit: \"%ss\" are seconds, \"%sm\" minutes",
                           decode->key->name, text, text);
        else
                diag_error(decode->diags, value->range, "'%s': %s", decode->key->name, error_message(&err));
        return false;
}

bool schema_scalar(const struct decode *decode, const struct value *value, void *field)
{
        enum schema_type type = decode->key->type;
        CLEANUP_FREE char *text = NULL;
        int truth;

        if (value->type == VALUE_LIST || value->type == VALUE_OBJECT || value->type == VALUE_NULL) {
                schema_wrong_type(decode, value,
                                  type == SCHEMA_STRING                            ? "a string"
                                  : type == SCHEMA_BOOL || type == SCHEMA_TRISTATE ? "true or false"
                                  : type == SCHEMA_INT                             ? "a whole number"
                                  : type == SCHEMA_SIZE                            ? "a size, such as \"4GiB\""
                                                                                   : "a duration, such as \"1m30s\"");
                return false;
        }
        text = schema_text(decode, value);
        if (!text)
                return false;
        if (type == SCHEMA_STRING)
                return read_string(decode, value, text, field);
        if (type == SCHEMA_INT)
                return read_int(decode, value, text, field);
        if (type == SCHEMA_SIZE)
                return read_size(decode, value, text, field);
        if (type == SCHEMA_DURATION)
                return read_duration(decode, value, text, field);
        if (!read_bool(decode, value, text, &truth))
                return false;
        if (type == SCHEMA_BOOL)
                *(bool *)field = truth;
        else
                *(int *)field = truth;
        return true;
}
