#include "test.h"

#include <string.h>

#include "wire/pxe.h"

static void test_forms(void **state)
{
        static const char pi[] = "\x06\x01\x03\x0a\x04\x00PXE\x09\x17\x00\x00\x14Raspberry Pi Boot   \xff";
        uint8_t buf[PXE_SIZE];
        struct pxe_vendor vendor;
        size_t n = pxe_direct(buf);

        (void)state;
        assert_int_equal(n, 4);
        assert_memory_equal(buf, "\x06\x01\x08\xff", 4);
        assert_true(pxe_read(buf, n, &vendor));
        assert_true(vendor.has_control);
        assert_int_equal(vendor.control, PXE_USE_FILE);

        n = pxe_raspberry_pi(buf);
        assert_int_equal(n, sizeof(pi) - 1);
        assert_memory_equal(buf, pi, n);
        assert_true(pxe_read(buf, n, &vendor));
        assert_int_equal(vendor.control, PXE_NO_BROADCAST | PXE_NO_MULTICAST);
        assert_int_equal(vendor.n_menu, 1);
        assert_int_equal(vendor.menu[0].type, 0);
        assert_int_equal(vendor.menu[0].len, 20);
        assert_memory_equal(vendor.menu[0].text, "Raspberry Pi Boot   ", 20);
        assert_true(vendor.has_prompt);
        assert_int_equal(vendor.prompt_sec, 0);
}

static void test_damaged(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
                bool whole;
        } rows[] = {
                {"", 0, true},
                {"\xff\x06\x09", 3, true},         /* nothing is read after the end */
                {"\x00\x00\x06\x01\x08", 5, true}, /* padding, no end */
                {"\x06", 1, false},                /* no length */
                {"\x06\x02\x08", 3, false},        /* cut off */
                {"\x06\x00", 2, false},            /* no value */
                {"\x08\x07\x00\x01\x01\x0a\x00\x00\x01", 9, true},
                {"\x08\x07\x00\x01\x02\x0a\x00\x00\x01", 9, false}, /* two addresses said, one there */
                {"\x09\x03\x00\x00\x09", 5, false},                 /* a text that is longer than the option */
                {"\x0a\x00", 2, false},
                {"\x47\x03\x00\x01\x00", 5, false},
                {"\x47\x04\x00\x01\x00\x02", 6, true},
                {"\xfe\x01\x01", 3, true}, /* unknown */
        };
        struct pxe_vendor vendor;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_int_equal(pxe_read((const uint8_t *)rows[i].bytes, rows[i].len, &vendor), rows[i].whole);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
