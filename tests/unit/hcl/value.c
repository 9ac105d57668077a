/* Values without the language: normal forms, order, marks, text, types. */
#include "hcl/value.h"

#include <string.h>

#include "test.h"

static struct arena arena;

static int free_arena(void **state)
{
        (void)state;
        arena_free(&arena);
        return 0;
}

static const struct hcl_value *string(const char *s)
{
        return hcl_string_from(&arena, s);
}

static const struct hcl_value *number(int64_t n)
{
        return hcl_int_value(&arena, n);
}

/* A tuple of values, to the NULL at the end. */
static const struct hcl_value *tuple(const struct hcl_value *first, ...)
{
        const struct hcl_value **v = arena_array(&arena, 16, sizeof(const struct hcl_value *));
        size_t n = 0;
        va_list ap;

        va_start(ap, first);
        for (const struct hcl_value *value = first; value; value = va_arg(ap, const struct hcl_value *))
                v[n++] = value;
        va_end(ap);
        return hcl_tuple_value(&arena, v, n);
}

static const struct hcl_value *object(const char *a, const struct hcl_value *x, const char *b,
                                      const struct hcl_value *y)
{
        const struct hcl_value **v = arena_array(&arena, 2, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(&arena, 2, sizeof(*keys));

        v[0] = x;
        v[1] = y;
        keys[0] = (struct hcl_string){a, strlen(a)};
        keys[1] = (struct hcl_string){b, strlen(b)};
        return hcl_object_value(&arena, keys, v, 2);
}

static const struct hcl_value *convert(const struct hcl_value *value, const struct hcl_type *type)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *ret = NULL;

        if (hcl_convert(&arena, value, type, &ret, &err) < 0)
                fail_msg("%s", error_message(&err));
        return ret;
}

static const struct hcl_type *set_of_strings(void)
{
        return hcl_type_set(&arena, &hcl_string);
}

static void test_strings(void **state)
{
        const struct hcl_value *composed = string("\xc3\xa9"), *decomposed = string("e\xcc\x81");

        (void)state;
        assert_true(hcl_value_equal(composed, decomposed));
        assert_string_equal(decomposed->string.s, "\xc3\xa9");
        assert_string_equal(string("a\xff"
                                   "b")
                                    ->string.s,
                            "a\xef\xbf\xbd"
                            "b"); /* no UTF-8 */
        assert_int_equal(hcl_string_value(&arena, "a\0b", 3)->string.len, 3);
        assert_false(hcl_value_equal(hcl_string_value(&arena, "a\0b", 3), hcl_string_value(&arena, "a\0c", 3)));
        assert_int_equal(string("")->string.len, 0);
}

static void test_objects(void **state)
{
        const struct hcl_value *value = object("b", number(1), "a", string("x"));

        (void)state;
        assert_string_equal(value->list.keys[0].s, "a");
        assert_true(hcl_value_equal(hcl_member(value, "b"), number(1)));
        assert_null(hcl_member(value, "c"));
        assert_null(hcl_member(number(1), "a"));
        assert_string_equal(hcl_type_text(&arena, value->type), "object({a=string,b=number})");
        assert_int_equal(object("k", number(1), "k", number(2))->list.n, 1); /* the last one counts */
        assert_true(hcl_value_equal(hcl_member(object("k", number(1), "k", number(2)), "k"), number(2)));
        assert_string_equal(hcl_type_text(&arena, object("a b", number(1), "x", &hcl_true)->type),
                            "object({\"a b\"=number,x=bool})");
}

static void test_sets(void **state)
{
        const struct hcl_value *set = convert(tuple(string("b"), string("a"), string("b"), NULL), set_of_strings());

        (void)state;
        assert_int_equal(set->list.n, 2);
        assert_string_equal(set->list.v[0]->string.s, "a");
        /* What is not known may be equal to another element. */
        set = convert(tuple(string("b"), hcl_unknown(&arena, &hcl_string), NULL), set_of_strings());
        assert_int_equal(set->state, HCL_UNKNOWN);
        /* The mark of an element becomes the set's. */
        set = convert(tuple(string("b"), hcl_mark_sensitive(&arena, string("a")), NULL), set_of_strings());
        assert_true(set->sensitive);
        assert_false(set->list.v[0]->sensitive);
}

static void test_equality(void **state)
{
        const struct hcl_value *unknown = hcl_unknown(&arena, &hcl_string), *null = hcl_null(&arena, &hcl_string);

        (void)state;
        assert_int_equal(hcl_value_equality(string("a"), string("a")), 1);
        assert_int_equal(hcl_value_equality(string("1"), number(1)), 0);
        assert_int_equal(hcl_value_equality(null, &hcl_null_any), 1);
        assert_int_equal(hcl_value_equality(null, string("")), 0);
        assert_int_equal(hcl_value_equality(unknown, string("a")), -1);
        assert_int_equal(hcl_value_equality(unknown, unknown), -1);
        assert_int_equal(hcl_value_equality(unknown, number(1)), 0); /* of another type */
        assert_int_equal(hcl_value_equality(&hcl_unknown_any, number(1)), -1);
        assert_int_equal(hcl_value_equality(unknown, null), -1);
        assert_int_equal(hcl_value_equality(tuple(unknown, number(1), NULL), tuple(string("a"), number(1), NULL)), -1);
        assert_int_equal(hcl_value_equality(tuple(unknown, number(1), NULL), tuple(string("a"), number(2), NULL)), 0);
        assert_int_equal(hcl_value_equality(tuple(&hcl_null_any, NULL), tuple(string("a"), NULL)), 0);
        assert_int_equal(hcl_value_equality(tuple(&hcl_unknown_any, NULL), tuple(string("a"), NULL)), -1);
        assert_int_equal(hcl_value_equality(tuple(string("a"), NULL), tuple(string("a"), string("b"), NULL)), 0);
        assert_int_equal(
                hcl_value_equality(object("a", number(1), "b", number(2)), object("b", number(2), "a", number(1))), 1);
        assert_int_equal(
                hcl_value_equality(object("a", number(1), "b", number(2)), object("a", number(1), "c", number(2))), 0);
}

static void test_marks(void **state)
{
        const struct hcl_value *secret = hcl_mark_sensitive(&arena, string("s"));
        const struct hcl_value *value = tuple(number(1), object("a", secret, "b", number(2)), NULL);

        (void)state;
        assert_false(value->sensitive);
        assert_true(hcl_value_sensitive(value));
        assert_false(hcl_value_sensitive(hcl_unmark(&arena, value)));
        assert_true(hcl_value_sensitive(value)); /* values do not change */
        assert_ptr_equal(hcl_mark_sensitive(&arena, secret), secret);
        assert_ptr_equal(hcl_unmark(&arena, number(3)->type == &hcl_number ? &hcl_true : NULL), &hcl_true);
        value = convert(tuple(secret, string("t"), NULL), hcl_type_list(&arena, &hcl_string));
        assert_true(value->list.v[0]->sensitive);
        assert_false(value->list.v[1]->sensitive);
        assert_false(value->sensitive);
        value = convert(hcl_mark_sensitive(&arena, tuple(string("7"), NULL)), hcl_type_list(&arena, &hcl_number));
        assert_true(value->sensitive);
}

static void test_text(void **state)
{
        const struct hcl_value *value =
                object("list", tuple(number(1), string("two\n\"${x}\" %{y} $5"), &hcl_null_any, NULL), "empty",
                       &hcl_empty_object);

        (void)state;
        assert_string_equal(hcl_value_text(&arena, value), "{\n"
                                                           "  \"empty\" = {}\n"
                                                           "  \"list\" = [\n"
                                                           "    1,\n"
                                                           "    \"two\\n\\\"$${x}\\\" %%{y} $5\",\n"
                                                           "    null,\n"
                                                           "  ]\n"
                                                           "}");
        assert_string_equal(hcl_value_text(&arena, string("a\tb\x01\xc3\xa9")), "\"a\\tb\\u0001\xc3\xa9\"");
        assert_string_equal(hcl_console_text(&arena, string("a\"b")), "a\"b");
        assert_string_equal(hcl_console_text(&arena, &hcl_true), "true");
        assert_string_equal(hcl_console_text(&arena, hcl_mark_sensitive(&arena, string("a"))), "<sensitive>");
        assert_string_equal(
                hcl_value_text(&arena, tuple(&hcl_unknown_any, hcl_mark_sensitive(&arena, number(1)), NULL)),
                "[\n  <unknown>,\n  <sensitive>,\n]");
        assert_string_equal(hcl_value_text(&arena, &hcl_empty_tuple), "[]");
        assert_string_equal(hcl_value_text(&arena, &hcl_empty_string), "\"\"");
}

static void test_friendly(void **state)
{
        (void)state;
        assert_string_equal(hcl_type_friendly(&arena, hcl_type_list(&arena, hcl_type_map(&arena, &hcl_string))),
                            "list of map of string");
        assert_string_equal(hcl_type_friendly(&arena, hcl_type_set(&arena, &hcl_any)), "set of any single type");
        assert_string_equal(hcl_type_friendly(&arena, hcl_empty_tuple.type), "tuple");
}

static void test_depth(void **state)
{
        const struct hcl_value *value = number(1);

        (void)state;
        for (int i = 0; i < 40; i++)
                value = i % 2 == 0 ? tuple(value, NULL) : object("a", value, "b", number(1));
        assert_int_equal(value->type->depth, 40);
        assert_int_equal(hcl_type_list(&arena, &hcl_string)->depth, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strings),  cmocka_unit_test(test_objects), cmocka_unit_test(test_sets),
                cmocka_unit_test(test_equality), cmocka_unit_test(test_marks),   cmocka_unit_test(test_text),
                cmocka_unit_test(test_friendly), cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, free_arena);
}
