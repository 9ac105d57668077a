/* Versions and constraints on them. */
#include "test.h"

#include "lang/version.h"

static bool satisfies(const char *version, const char *constraints)
{
        bool result;

        assert_int_equal(version_satisfies(version, constraints, &result, NULL), 0);
        return result;
}

static void test_order(void **state)
{
        (void)state;
        assert_true(version_is_valid("v0.3.2"));
        assert_true(version_is_valid("1"));
        assert_true(version_is_valid("1.2.3-rc1+build"));
        assert_false(version_is_valid(""));
        assert_false(version_is_valid("1."));
        assert_false(version_is_valid("1.2-"));
        assert_false(version_is_valid("1.2x"));
        assert_int_equal(version_compare("1.2", "1.2.0"), 0);
        assert_true(version_compare("1.10", "1.9.9") > 0);
        assert_true(version_compare("1.0-rc1", "1.0") < 0);
        assert_true(version_compare("1.0-rc1", "1.0-rc2") < 0);
        assert_true(version_compare("1.0-rc.2", "1.0-rc.10") < 0);
        assert_true(version_compare("1.0-rc.10", "1.0-rc.9+b.1") > 0);
        assert_true(version_compare("1.0-1", "1.0-a") < 0);
        assert_true(version_compare("1.0-a", "1.0-a.1") < 0);
        assert_int_equal(version_compare("1.0-a.01+x", "1.0-a.1"), 0);
}

static void test_constraints(void **state)
{
        (void)state;
        assert_true(version_wants_newer("1.1.6", ">= 1.2"));
        assert_true(version_wants_newer("1.1.6", "> 1.1.6"));
        assert_true(version_wants_newer("1.1.6", "1.1.7"));
        assert_true(version_wants_newer("1.1.6", "~> 2.0"));
        assert_true(version_wants_newer("1.1.6", "< 3, >= 2"));
        assert_false(version_wants_newer("1.1.6", ">= 1.1.6, < 2"));
        assert_false(version_wants_newer("1.1.6", "= 1.0.0"));
        assert_false(version_wants_newer("1.1.6", "~> 1.0"));
        assert_false(version_wants_newer("1.1.6", "~> 1.0.0"));
        assert_false(version_wants_newer("1.1.6", "nonsense"));
        assert_true(satisfies("1.16.0", ">= 1.7.0, < 2"));
        assert_false(satisfies("1.16.0", ">= 1.7.0, < 1.16"));
        assert_true(satisfies("1.16.0", "~> 1.8"));
        assert_false(satisfies("2.0.0", "~> 1.8"));
        assert_true(satisfies("1.8.5", "~> 1.8.1"));
        assert_false(satisfies("1.9.0", "~> 1.8.1"));
        assert_true(satisfies("1.2", "1.2.0"));
        assert_true(satisfies("1.2", "=1.2.0"));
        assert_false(satisfies("1.2", "!= 1.2"));
        assert_false(satisfies("1.3-rc1", ">= 1.2"));
        assert_true(satisfies("1.3-rc2", ">= 1.3-rc1"));
}

static void test_bad(void **state)
{
        bool result;

        (void)state;
        assert_true(version_satisfies("1", ">> 1", &result, NULL) < 0);
        assert_true(version_satisfies("1", "", &result, NULL) < 0);
        assert_true(version_satisfies("1", ">= 1,", &result, NULL) < 0);
        assert_true(version_satisfies("x", ">= 1", &result, NULL) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_constraints),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
