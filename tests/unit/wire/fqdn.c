/* Option 81: names in labels and in ASCII, sound and not, and the answer. */
#include "test.h"

#include <string.h>

#include "wire/fqdn.h"

static void test_names(void **state)
{
        static const struct {
                const char *data;
                size_t len;
                const char *name; /* NULL: none */
        } rows[] = {
                {"\x04\0\0\x07kitchen\x03lab\0", 16, "kitchen.lab"},
                {"\x04\0\0\x07kitchen", 11, "kitchen"}, /* a part, without an end */
                {"\x04\0\0", 3, ""},
                {"\x04\0\0\0", 4, ""},
                {"\0\0\0kitchen.lab", 14, "kitchen.lab"},
                {"\0\0\0kitchen\0", 11, "kitchen"},
                {"\x04\0\0\x08kitchen", 11, NULL}, /* a label past the end */
                {"\x04\0\0\xc0\x0c", 5, NULL},     /* compressed */
                {"\x04\0\0\x03"
                 "a.b",
                 7, NULL},
                {"\x04\0\0\x03"
                 "a\0b",
                 7, NULL},
                {"\0\0\0a\0b", 6, NULL},
                {"\x04\0", 2, NULL},
                {"", 0, NULL},
        };
        struct fqdn fqdn;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_int_equal(fqdn_read((const uint8_t *)rows[i].data, rows[i].len, &fqdn), rows[i].name != NULL);
                if (rows[i].name)
                        assert_string_equal(fqdn.name, rows[i].name);
        }
}

static void test_longest(void **state)
{
        uint8_t data[3 + 255] = {4};
        struct fqdn fqdn;

        (void)state;
        memset(data + 3, 'x', sizeof(data) - 3);
        for (size_t i = 3; i < sizeof(data); i += 64)
                data[i] = 63;
        data[3 + 192] = 61;
        data[3 + 192 + 62] = 0;
        assert_true(fqdn_read(data, sizeof(data), &fqdn));
        assert_int_equal(strlen(fqdn.name), 253);
        data[3 + 192] = 62;
        assert_false(fqdn_read(data, sizeof(data), &fqdn));
}

static void test_answer(void **state)
{
        struct fqdn fqdn = {.encoded = true, .server_updates = true};
        char long_name[300];
        uint8_t buf[FQDN_SIZE];

        (void)state;
        assert_int_equal(fqdn_write(&fqdn, "kitchen.lab", buf), 16);
        assert_memory_equal(buf, "\x0e\xff\xff\x07kitchen\x03lab\0", 16);
        fqdn = (struct fqdn){0};
        assert_int_equal(fqdn_write(&fqdn, "kitchen.lab", buf), 14);
        assert_memory_equal(buf, "\x08\xff\xffkitchen.lab", 14);
        assert_int_equal(fqdn_write(&fqdn, "", buf), 3);
        fqdn.encoded = true;
        assert_int_equal(fqdn_write(&fqdn, "", buf), 3);
        assert_int_equal(fqdn_write(&fqdn, "a..b", buf), 0);
        memset(long_name, 'x', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        assert_int_equal(fqdn_write(&fqdn, long_name, buf), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
