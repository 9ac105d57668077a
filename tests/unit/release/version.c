/* Which versions a selector means. */
#include "helper.h"

#include "release/release_internal.h"

static void test_fits(void **state)
{
        static const struct {
                const char *selector, *version;
                bool fits;
        } rows[] = {
                {"1.22.1", "1.22.1", true},    {"v1.22.1", "1.22.1", true},  {"1.22.1", "1.22.10", false},
                {"latest", "1.22.1", true},    {"latest", "1.23rc1", false}, {"latest", "1.23.0-rc.1", false},
                {"~> 1.22.0", "1.22.9", true}, {"~> 1.22.0", "1.23", false}, {"~> 1.22", "1.30.2", true},
                {">= 20, < 21", "20.9", true}, {">= 20, < 21", "21", false}, {"1.23rc1", "1.23rc1", true},
                {">= 1.20", "1.23rc1", false},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                bool fits = !rows[i].fits;

                assert_int_equal(release_selector_fits(rows[i].selector, rows[i].version, &fits, NULL), 0);
                if (fits != rows[i].fits)
                        fail_msg("%s of %s", rows[i].version, rows[i].selector);
        }
}

static void test_unreadable(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        bool fits;

        (void)state;
        assert_int_equal(release_selector_fits("~> x", "1.0", &fits, &err), -EINVAL);
        assert_contains(error_message(&err), "'~> x'");
        assert_int_equal(release_selector_fits("~> x", "1rc", &fits, NULL), -EINVAL);
}

static void test_sort(void **state)
{
        CLEANUP_STRV char **versions = str_split("1.9,1.23rc1,1.10,1.22.1,2.0-beta1,2.0,1.23rc2", ",");
        CLEANUP_FREE char *sorted = NULL;

        (void)state;
        release_sort_versions(versions);
        sorted = strv_join(STRV(versions), " ");
        assert_string_equal(sorted, "2.0 2.0-beta1 1.22.1 1.10 1.9 1.23rc2 1.23rc1");
        release_sort_versions(NULL);
}

static void test_machines(void **state)
{
        (void)state;
        assert_string_equal(release_machine("amd64"), "x86_64");
        assert_string_equal(release_machine("armhf"), "armv7l");
        assert_string_equal(release_machine("arm64"), "aarch64");
        assert_null(release_machine("pdp11"));
        assert_true(release_machine_runs("armv7l", "armv6l"));
        assert_false(release_machine_runs("armv6l", "armv7l"));
        assert_false(release_machine_runs("x86_64", "aarch64"));
        assert_non_null(release_machine(release_host_machine()));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fits),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_sort),
                cmocka_unit_test(test_machines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
