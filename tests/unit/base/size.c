#include "test.h"

#include <errno.h>

#include "base/size.h"

static void test_parse(void **state)
{
        static const struct {
                const char *text;
                uint64_t bytes;
        } good[] = {
                {"2G", 2000000000},     {"2GiB", 1ULL << 31},
                {"3.1G", 3100000000},   {"128M", 128000000},
                {"256 MiB", 256 << 20}, {"0", 0},
                {"4096", 4096},         {"1k", 1000},
                {"1KB", 1000},          {"18446744073709551615", UINT64_MAX},
        };
        static const char *const bad[] = {"", "G", "2X", "1.2.3G", "-1G", "9999999999999G", "2Gi B", NULL};
        uint64_t bytes;

        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                assert_int_equal(size_parse(good[i].text, &bytes, NULL), 0);
                assert_int_equal(bytes, good[i].bytes);
        }
        for (size_t i = 0; bad[i]; i++)
                assert_true(size_parse(bad[i], &bytes, NULL) < 0);
}

static void test_show(void **state)
{
        (void)state;
        assert_string_equal(size_show(512), "512 bytes");
        assert_string_equal(size_show(3 << 19), "1.5 MiB");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_show),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
