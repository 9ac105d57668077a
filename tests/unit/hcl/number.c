/* Numbers: parsing, and the shortest text that reads back. */
#include <inttypes.h>
#include <string.h>

#include "hcl/value.h"
#include "test.h"

static void test_text(void **state)
{
        static const struct {
                const char *read, *text;
        } rows[] = {
                {"0", "0"},
                {"-0", "-0"},
                {"00012", "12"},
                {"+5", "5"},
                {"5.", "5"},
                {".5", "0.5"},
                {"-0.50", "-0.5"},
                {"0.1", "0.1"},
                {"3.14159", "3.14159"},
                {"1e3", "1000"},
                {"1E+3", "1000"},
                {"12e-3", "0.012"},
                {"9007199254740993", "9007199254740993"},
                {"9223372036854775807", "9223372036854775807"},
                {"-9223372036854775808", "-9223372036854775808"},
                {"18446744073709551616", "18446744073709551616"},
                {"123456789012345678901234567890.5", "123456789012345678901234567890.5"},
                {"1e40", "10000000000000000000000000000000000000000"},
                {"1e-10", "0.0000000001"},
                {"0.30000000000000004", "0.30000000000000004"},
        };
        struct arena arena = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct hcl_value *value = hcl_number_parse(&arena, rows[i].read);

                assert_non_null(value);
                assert_string_equal(hcl_number_text(&arena, value->number), rows[i].text);
        }
        arena_free(&arena);
}

static void test_no_numbers(void **state)
{
        static const char *const rows[] = {"",
                                           " 1",
                                           "1 ",
                                           "abc",
                                           "0x10",
                                           "1e",
                                           "e5",
                                           ".",
                                           "1.2.3",
                                           "--1",
                                           "inf",
                                           "Infinity",
                                           "nan",
                                           "@nan@",
                                           "1_000",
                                           "1e+",
                                           "1e999999999",
                                           "1e-100001",
                                           "1e99999999999999999999"};
        struct arena arena = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_null(hcl_number_parse(&arena, rows[i]));
        arena_free(&arena);
}

/* A third in 512, 64 and 53 bits: as many digits as tell it from its neighbours. */
static void test_precision(void **state)
{
        static const struct {
                mpfr_prec_t precision;
                const char *third;
        } rows[] = {
                {53, "0.3333333333333333"},
                {64, "0.33333333333333333334"},
                {512,
                 "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
                 "333333333333333333333333333333333333333333333333333333335"},
        };
        struct arena arena = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                mpfr_t third;

                mpfr_init2(third, rows[i].precision);
                mpfr_set_ui(third, 1, MPFR_RNDN);
                mpfr_div_ui(third, third, 3, MPFR_RNDN);
                assert_string_equal(hcl_number_text(&arena, hcl_number_value(&arena, third)->number), rows[i].third);
                mpfr_set_ui_2exp(third, 1, 60, MPFR_RNDN); /* in float64 the next number is 256 away */
                assert_string_equal(hcl_number_text(&arena, third),
                                    rows[i].precision == 53 ? "1152921504606847000" : "1152921504606846976");
                mpfr_clear(third);
        }
        arena_free(&arena);
}

/* Every text reads back as the same number, and one digit less does not. */
static void test_reads_back(void **state)
{
        struct arena arena = {0};
        mpfr_t number;
        gmp_randstate_t random;

        (void)state;
        mpfr_init2(number, 512);
        gmp_randinit_default(random);
        for (int i = 0; i < 300; i++) {
                const struct hcl_value *back;

                mpfr_urandomb(number, random);
                mpfr_mul_2si(number, number, (i % 40 - 20) * 8, MPFR_RNDN);
                if (i % 3 == 0) /* where the gap to the next number below is half as wide */
                        mpfr_set_ui_2exp(number, 1, i - 150, MPFR_RNDN);
                back = hcl_number_parse(&arena, hcl_number_text(&arena, number));
                assert_non_null(back);
                assert_true(mpfr_equal_p(back->number, number));
        }
        gmp_randclear(random);
        mpfr_clear(number);
        arena_free(&arena);
}

/* What only arithmetic reaches has a text of bounded length. */
static void test_huge(void **state)
{
        struct arena arena = {0};
        mpfr_t number;

        (void)state;
        assert_int_equal(strlen(hcl_number_text(&arena, hcl_number_parse(&arena, "25e99999")->number)), 100001);
        mpfr_init2(number, 512);
        mpfr_strtofr(number, "625e200000", NULL, 10, MPFR_RNDN);
        assert_string_equal(hcl_number_text(&arena, number), "6.25e+200002");
        mpfr_strtofr(number, "-16e-200000", NULL, 10, MPFR_RNDN);
        assert_string_equal(hcl_number_text(&arena, number), "-1.6e-199999");
        mpfr_clear(number);
        arena_free(&arena);
}

static void test_int(void **state)
{
        static const struct {
                const char *read;
                bool fits;
                int64_t n;
        } rows[] = {
                {"12", true, 12},
                {"-9223372036854775808", true, INT64_MIN},
                {"9223372036854775808", false, 0},
                {"1.5", false, 0},
                {"1e99", false, 0},
        };
        struct arena arena = {0};
        int64_t n = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_int_equal(hcl_number_int(hcl_number_parse(&arena, rows[i].read), &n), rows[i].fits);
                if (rows[i].fits)
                        assert_int_equal(n, rows[i].n);
        }
        assert_false(hcl_number_int(hcl_null(&arena, &hcl_number), &n));
        assert_false(hcl_number_int(&hcl_true, &n));
        assert_true(hcl_number_int(hcl_int_value(&arena, INT64_MIN), &n));
        assert_int_equal(n, INT64_MIN);
        arena_free(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),       cmocka_unit_test(test_no_numbers), cmocka_unit_test(test_precision),
                cmocka_unit_test(test_reads_back), cmocka_unit_test(test_huge),       cmocka_unit_test(test_int),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
