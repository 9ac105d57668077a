#include "test.h"

#include <errno.h>
#include <string.h>

#include "wire/dhcp_option.h"

static const struct row {
        const char *name, *value, *bytes; /* NULL: refused */
        const char *shown;                /* NULL: as value */
} rows[] = {
        {"subnet-mask", "255.255.255.0", "ff:ff:ff:00", NULL},
        {"subnet_mask", "255.255.255", NULL, NULL},
        {"subnet-mask", "1.2.3.256", NULL, NULL},
        {"time-offset", "-3600", "ff:ff:f1:f0", NULL},
        {"time-offset", "2147483648", NULL, NULL},
        {"host-name", "pi", "70:69", "\"pi\""},
        {"host-name", "", NULL, NULL},
        {"ip-forwarding", "true", "01", NULL},
        {"ip-forwarding", "perhaps", NULL, NULL},
        {"default-ip-ttl", "255", "ff", NULL},
        {"default-ip-ttl", "256", NULL, NULL},
        {"default-ip-ttl", "-1", NULL, NULL},
        {"default-ip-ttl", " 1", NULL, NULL},
        {"interface-mtu", "0x5dc", "05:dc", "1500"},
        {"interface-mtu", "1500x", NULL, NULL},
        {"arp-cache-timeout", "4294967295", "ff:ff:ff:ff", NULL},
        {"policy-filter", "10.0.0.0 255.0.0.0", "0a:00:00:00:ff:00:00:00", NULL},
        {"policy-filter", "10.0.0.0", NULL, NULL},
        {"domain-search", "lab.example", "03:6c:61:62:07:65:78:61:6d:70:6c:65:00", NULL},
        {"domain-search", "lab.example.", "03:6c:61:62:07:65:78:61:6d:70:6c:65:00", "lab.example"},
        {"domain-search", "lab..example", NULL, NULL},
        {"domain-search", ".", NULL, NULL},
        {"classless-static-routes", "0.0.0.0/0 10.0.0.1", "00:0a:00:00:01", NULL},
        {"classless-static-routes", "10.17.0.0/16 10.0.0.1", "10:0a:11:0a:00:00:01", NULL},
        {"classless-static-routes", "10.17.0.1/16 10.0.0.1", NULL, NULL},
        {"classless-static-routes", "10.0.0.0/33 10.0.0.1", NULL, NULL},
        {"224", "0102ff", "01:02:ff", "01:02:ff"},
        {"224", "01:02:f", NULL, NULL},
        {"vendor-encapsulated-options", "06-01-08", "06:01:08", "06:01:08"},
};

static void check_row(const struct row *row)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_STR struct str text = {0};
        struct dhcp_option option, plain;
        uint8_t buf[300];
        int n;

        assert_int_equal(dhcp_option_find(row->name, &option), 0);
        n = dhcp_option_encode(&option, &row->value, 1, buf, sizeof(buf), &err);
        if (!row->bytes) {
                assert_int_equal(n, -EINVAL);
                assert_non_null(strstr(error_message(&err), "option "));
                return;
        }
        assert_true(n >= 0);
        plain = (struct dhcp_option){.type = DHCP_BYTES};
        dhcp_option_format(&plain, buf, (size_t)n, &text);
        assert_string_equal(str_get(&text), row->bytes);
        str_clear(&text);
        dhcp_option_format(&option, buf, (size_t)n, &text);
        assert_string_equal(str_get(&text), row->shown ? row->shown : row->value);
}

static void test_values(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                check_row(&rows[i]);
}

static void test_lists(void **state)
{
        static const char *const two[] = {"192.0.2.1", "192.0.2.2"};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_STR struct str text = {0};
        struct dhcp_option option;
        uint8_t buf[8];

        (void)state;
        assert_int_equal(dhcp_option_find("routers", &option), 0);
        assert_int_equal(dhcp_option_encode(&option, two, 2, buf, sizeof(buf), &err), 8);
        dhcp_option_format(&option, buf, 8, &text);
        assert_string_equal(str_get(&text), "192.0.2.1, 192.0.2.2");
        assert_int_equal(dhcp_option_encode(&option, two, 2, buf, 7, &err), -EINVAL); /* no room */
        assert_int_equal(dhcp_option_find("subnet-mask", &option), 0);
        assert_int_equal(dhcp_option_encode(&option, two, 2, buf, sizeof(buf), &err), -EINVAL);
}

static void test_names(void **state)
{
        struct dhcp_option option;
        enum dhcp_option_type type;

        (void)state;
        assert_int_equal(dhcp_option_find("255", &option), -ENOENT);
        assert_int_equal(dhcp_option_find("0", &option), -ENOENT);
        assert_int_equal(dhcp_option_find("router", &option), -ENOENT);
        assert_string_equal(dhcp_option_nearest("router"), "routers");
        assert_int_equal(dhcp_option_find("6", &option), 0);
        assert_string_equal(option.name, "domain-name-servers");
        assert_true(dhcp_option_of(53).engine);
        assert_null(dhcp_option_of(224).name);
        assert_int_equal(dhcp_option_of(224).code, 224);
        assert_int_equal(dhcp_option_type_find("u16", &type), 0);
        assert_int_equal(type, DHCP_U16);
        assert_int_equal(dhcp_option_type_find("u17", &type), -ENOENT);
}

/* What is not of the type is shown as bytes, and nothing reaches a terminal. */
static void test_hostile(void **state)
{
        static const uint8_t bytes[] = {0x1b, '[', '"', 0, 0xff};
        struct dhcp_option text_option = dhcp_option_of(12), mask = dhcp_option_of(1), agent = dhcp_option_of(82);
        CLEANUP_STR struct str text = {0};

        (void)state;
        dhcp_option_format(&text_option, bytes, sizeof(bytes), &text);
        assert_string_equal(str_get(&text), "\"\\x1b[\\x22\\x00\\xff\"");
        str_clear(&text);
        dhcp_option_format(&mask, bytes, sizeof(bytes), &text);
        assert_string_equal(str_get(&text), "1b:5b:22:00:ff");
        str_clear(&text);
        dhcp_option_format(&agent, (const uint8_t *)"\1\2ab\2\5x", 7, &text);
        assert_string_equal(str_get(&text), "1=61:62 ?02:05:78");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
