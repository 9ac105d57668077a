/* Keys of named parts. */
#include "test.h"

#include <string.h>

#include "base/key.h"

static void final_of(const char *const *pairs, char hex[DIGEST_HEX_MAX])
{
        CLEANUP_KEY struct key key = {0};

        for (; *pairs; pairs += 2)
                key_text(&key, pairs[0], pairs[1]);
        key_final(&key, hex);
}

static void test_parts(void **state)
{
        static const char *const one[] = {"a", "1", "b", "2", NULL}, *const swapped[] = {"b", "2", "a", "1", NULL},
                                 *const renamed[] = {"a", "1", "c", "2", NULL}, *const none[] = {NULL};
        char hex[5][DIGEST_HEX_MAX];

        (void)state;
        final_of(one, hex[0]);
        final_of(one, hex[1]);
        final_of(swapped, hex[2]);
        final_of(renamed, hex[3]);
        final_of(none, hex[4]);
        assert_string_equal(hex[0], hex[1]);
        for (int i = 2; i < 5; i++)
                assert_string_not_equal(hex[0], hex[i]);
        assert_int_equal(strlen(hex[4]), 64);
}

/* Text that moves from one part to the next is another key. */
static void test_boundaries(void **state)
{
        CLEANUP_KEY struct key a = {0}, b = {0};
        char hex[2][DIGEST_HEX_MAX];

        (void)state;
        digest_string(key_part(&a, "x"), "1");
        digest_string(a.part, "2");
        key_part(&a, "y");
        key_final(&a, hex[0]);
        digest_string(key_part(&b, "x"), "1");
        digest_string(key_part(&b, "y"), "2");
        key_final(&b, hex[1]);
        assert_string_not_equal(hex[0], hex[1]);
        assert_int_equal(a.parts.n, 2);
        assert_string_equal(a.parts.v[1].name, "y");
        assert_string_not_equal(a.parts.v[0].hex, b.parts.v[0].hex);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_boundaries)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
