/* Equality and order of values: see value.h. */
#include <string.h>

#include "hcl/value_internal.h"

enum { DIFFERENT = 0, EQUAL = 1, UNDECIDED = -1 };

/* A type with "any" in it belongs to a null or an unknown value, which may turn out to be of any type. */
static bool may_be_equal(const struct hcl_type *a, const struct hcl_type *b)
{
        if (a->kind == HCL_ANY || b->kind == HCL_ANY)
                return true;
        if (a->kind != b->kind || a->n != b->n)
                return false;
        if (a->element)
                return may_be_equal(a->element, b->element);
        for (size_t i = 0; i < a->n; i++) {
                bool tuple = a->kind == HCL_TUPLE;

                if (!tuple && hcl_string_compare(&(struct hcl_string){a->attrs[i].name, strlen(a->attrs[i].name)},
                                                 &(struct hcl_string){b->attrs[i].name, strlen(b->attrs[i].name)}))
                        return false;
                if (!may_be_equal(tuple ? a->members[i] : a->attrs[i].type, tuple ? b->members[i] : b->attrs[i].type))
                        return false;
        }
        return true;
}

/* Does nothing unknown leave the value's type open? */
static bool type_decided(const struct hcl_value *value)
{
        if (value->state == HCL_NULL || !hcl_type_has_any(value->type))
                return true;
        if (value->state == HCL_UNKNOWN)
                return false;
        for (size_t i = 0; i < value->list.n; i++)
                if (!type_decided(value->list.v[i]))
                        return false;
        return true;
}

static int elements_equality(const struct hcl_value *a, const struct hcl_value *b)
{
        int result = EQUAL;

        if (a->list.n != b->list.n)
                return DIFFERENT;
        if (a->list.keys)
                for (size_t i = 0; i < a->list.n; i++)
                        if (hcl_string_compare(&a->list.keys[i], &b->list.keys[i]) != 0)
                                return DIFFERENT;
        for (size_t i = 0; i < a->list.n; i++) {
                int r = hcl_value_equality(a->list.v[i], b->list.v[i]);

                if (r == DIFFERENT)
                        return DIFFERENT;
                if (r == UNDECIDED)
                        result = UNDECIDED;
        }
        return result;
}

static int known_equality(const struct hcl_value *a, const struct hcl_value *b)
{
        switch (a->type->kind) {
        case HCL_BOOL:
                return a->boolean == b->boolean;
        case HCL_NUMBER:
                return mpfr_equal_p(a->number, b->number) != 0;
        case HCL_STRING:
                return hcl_string_compare(&a->string, &b->string) == 0;
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
        case HCL_TUPLE:
        case HCL_OBJECT:
                return elements_equality(a, b);
        case HCL_ANY:
                break;
        }
        return EQUAL;
}

int hcl_value_equality(const struct hcl_value *a, const struct hcl_value *b)
{
        if (a->state == HCL_UNKNOWN || b->state == HCL_UNKNOWN) {
                if (a->state == HCL_NULL || b->state == HCL_NULL)
                        return UNDECIDED; /* null equals null of any type */
                return a->state == b->state || may_be_equal(a->type, b->type) ? UNDECIDED : DIFFERENT;
        }
        if (a->state == HCL_NULL || b->state == HCL_NULL)
                return a->state == b->state ? EQUAL : DIFFERENT;
        if (!hcl_type_equal(a->type, b->type))
                return (!type_decided(a) || !type_decided(b)) && may_be_equal(a->type, b->type) ? UNDECIDED : DIFFERENT;
        return a == b && hcl_value_known(a) ? EQUAL : known_equality(a, b);
}

bool hcl_value_equal(const struct hcl_value *a, const struct hcl_value *b)
{
        return hcl_value_equality(a, b) == EQUAL;
}

static int compare_types(const struct hcl_type *a, const struct hcl_type *b)
{
        int r = (a->kind > b->kind) - (a->kind < b->kind);

        if (r == 0 && a->element)
                r = compare_types(a->element, b->element);
        return r;
}

static int compare_elements(const struct hcl_value *a, const struct hcl_value *b)
{
        for (size_t i = 0; i < a->list.n && i < b->list.n; i++) {
                int r = a->list.keys ? hcl_string_compare(&a->list.keys[i], &b->list.keys[i]) : 0;

                if (r == 0)
                        r = hcl_value_compare(a->list.v[i], b->list.v[i]);
                if (r != 0)
                        return r;
        }
        return (a->list.n > b->list.n) - (a->list.n < b->list.n);
}

int hcl_value_compare(const struct hcl_value *a, const struct hcl_value *b)
{
        int r = (a->state > b->state) - (a->state < b->state);

        if (a == b)
                return 0;
        if (r == 0)
                r = compare_types(a->type, b->type);
        if (r != 0 || a->state != HCL_KNOWN)
                return r;
        switch (a->type->kind) {
        case HCL_BOOL:
                return a->boolean - b->boolean;
        case HCL_NUMBER:
                return mpfr_cmp(a->number, b->number);
        case HCL_STRING:
                return hcl_string_compare(&a->string, &b->string);
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
        case HCL_TUPLE:
        case HCL_OBJECT:
                return compare_elements(a, b);
        case HCL_ANY:
                break;
        }
        return 0;
}
