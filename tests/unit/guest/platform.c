/* The oldest machine of a tree: ELF files made here, with the build attributes that compilers write. */
#include "test.h"

#include <elf.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "guest/guest.h"
#include "guesttest.h"

enum { HEAD = 52, SECTION = 40, AT = HEAD + SECTION };

/* A shell for 32-bit ARM with one section of attributes, or (n 0) none. */
static void write_shell(const char *dir, const uint8_t *attributes, size_t n)
{
        CLEANUP_FREE char *path = path_join(dir, "bin/sh"), *folder = path_join(dir, "bin");
        uint8_t file[AT + 128] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT};

        assert_true(n <= 128);
        put_le16(file + 16, ET_DYN);
        put_le16(file + 18, EM_ARM);
        put_le32(file + 32, HEAD); /* e_shoff */
        put_le16(file + 46, SECTION);
        put_le16(file + 48, n > 0);
        put_le32(file + HEAD + 4, SHT_ARM_ATTRIBUTES);
        put_le32(file + HEAD + 16, AT);
        put_le32(file + HEAD + 20, (uint32_t)n);
        if (n > 0)
                memcpy(file + AT, attributes, n);
        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, file, AT + n, 0755, NULL), 0);
}

/* As gcc writes them: Tag_CPU_name "6", Tag_CPU_arch ARCH, Tag_ARM_ISA_use 1. */
static size_t attributes_of(uint8_t arch, uint8_t out[32])
{
        static const uint8_t begin[] = {'A', 22, 0, 0, 0, 'a', 'e', 'a', 'b', 'i', 0, 1, 12, 0, 0, 0, 5, '6', 0, 6};

        memcpy(out, begin, sizeof(begin));
        out[20] = arch;
        out[21] = 8;
        out[22] = 1;
        return 23;
}

/* Until it is asked again. */
static const char *platform(const char *dir)
{
        CLEANUP_ERROR struct error err = {0};
        static char last[32];
        char *name = NULL;

        if (guest_platform(dir, &name, &err) < 0)
                fail_msg("%s", error_message(&err));
        snprintf(last, sizeof(last), "%s", name);
        free(name);
        return last;
}

static void test_arm(void **state)
{
        static const struct {
                uint8_t arch;
                const char *name;
        } rows[] = {{4, "armv5l"},  {6, "armv6l"},  {7, "armv6l"}, {9, "armv6l"},
                    {10, "armv7l"}, {14, "armv7l"}, {2, "armv5l"}};
        char *dir = scratch_new();
        uint8_t attributes[32];

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                write_shell(dir, attributes, attributes_of(rows[i].arch, attributes));
                assert_string_equal(platform(dir), rows[i].name);
        }
        write_shell(dir, NULL, 0);
        assert_string_equal(platform(dir), "armv5l");
        scratch_free(NULL, dir);
}

/* Damaged attributes say nothing, and nothing is read past them. */
static void test_damaged(void **state)
{
        char *dir = scratch_new();
        uint8_t attributes[32], mutated[32];
        size_t n = attributes_of(10, attributes);

        (void)state;
        for (size_t i = 0; i < n; i++) {
                write_shell(dir, attributes, i);
                (void)platform(dir);
                for (unsigned int byte = 0; byte < 256; byte += 5) {
                        memcpy(mutated, attributes, n);
                        mutated[i] = (uint8_t)byte;
                        write_shell(dir, mutated, n);
                        (void)platform(dir);
                }
        }
        scratch_free(NULL, dir);
}

static void test_this_host(void **state)
{
        (void)state;
        assert_non_null(platform("/"));
}

static void add_file(const char *dir, const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name), *folder = path_dir(path);

        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, "x", 1, 0755, NULL), 0);
}

/* Programs for glibc start where its loader is, be it beside musl's. */
static void test_musl(void **state)
{
        char *dir = scratch_new();
        uint8_t attributes[32];

        (void)state;
        write_shell(dir, attributes, attributes_of(6, attributes));
        add_file(dir, "lib/libc.so.6");
        assert_string_equal(platform(dir), "armv6l");
        add_file(dir, "lib/ld-musl-armhf.so.1");
        assert_string_equal(platform(dir), "armv6l-musl");
        add_file(dir, "lib64/ld64.so.2");
        assert_string_equal(platform(dir), "armv6l");
        scratch_free(NULL, dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arm),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_musl),
                cmocka_unit_test(test_this_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
