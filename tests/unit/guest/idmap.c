/* Reading subuid(5) and uid_map texts. */
#include "test.h"

#include "guest/idmap.h"

static void test_subids_by_name_and_number(void **state)
{
        struct idmap map;

        (void)state;
        idmap_parse_subids(&map, "other:1:2\nship:100000:65536\n# a comment\nship:x:5\n\n1000:300000:10\n10001:1:1\n",
                           "ship", 1000, 1000);
        assert_int_equal(map.n, 3);
        assert_int_equal(map.ranges[0].inside, 0);
        assert_int_equal(map.ranges[0].outside, 1000);
        assert_int_equal(map.ranges[0].count, 1);
        assert_int_equal(map.ranges[1].inside, 1);
        assert_int_equal(map.ranges[1].outside, 100000);
        assert_int_equal(map.ranges[2].inside, 65537);
        assert_int_equal(map.ranges[2].outside, 300000);
        assert_int_equal(idmap_count(&map), 65547);
}

static void test_subids_that_overflow_are_left_out(void **state)
{
        struct idmap map;

        (void)state;
        idmap_parse_subids(&map, "ship:4294967290:100\nship:1:4294967295\nship:-5:9\nship:5:0\n", "ship", 1000, 1000);
        assert_int_equal(map.n, 1);
}

static void test_identity(void **state)
{
        struct idmap map;

        (void)state;
        idmap_parse_identity(&map, "         0     100000      1000\n      1000       5000         1\n");
        assert_int_equal(map.n, 2);
        assert_int_equal(map.ranges[1].inside, 1000);
        assert_int_equal(map.ranges[1].outside, 1000);
        assert_int_equal(idmap_count(&map), 1001);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_subids_by_name_and_number),
                cmocka_unit_test(test_subids_that_overflow_are_left_out),
                cmocka_unit_test(test_identity),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
