/* Memory that is released at once: alignment, zeros, growth. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "test.h"

static void test_aligned_and_zero(void **state)
{
        struct arena arena = {0};

        (void)state;
        for (size_t size = 0; size < 3000; size += 7) {
                char *p = arena_alloc(&arena, size);

                assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
                for (size_t i = 0; i < size; i++)
                        assert_int_equal(p[i], 0);
                memset(p, 0xff, size);
        }
        arena_free(&arena);
        assert_null(arena.blocks);
}

static void test_large_between_small(void **state)
{
        struct arena arena = {0};
        char *first = arena_strdup(&arena, "first");
        char *large = arena_array(&arena, 1024, 1024);
        char *second = arena_printf(&arena, "%s-%d", "second", 2);

        (void)state;
        memset(large, 'x', (size_t)1024 * 1024);
        assert_string_equal(first, "first");
        assert_string_equal(second, "second-2");
        assert_true(arena.used >= (size_t)1024 * 1024);
        arena_free(&arena);
}

static void test_copies(void **state)
{
        struct arena arena = {0};

        (void)state;
        assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
        assert_string_equal(arena_strndup(&arena, NULL, 0), "");
        assert_memory_equal(arena_memdup(&arena, "a\0b", 3), "a\0b", 3);
        arena_free(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_aligned_and_zero),
                cmocka_unit_test(test_large_between_small),
                cmocka_unit_test(test_copies),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
