/* Partition tables, with sfdisk and sgdisk as judges. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/disk.h"
#include "disk/table.h"

#define MIB (1024 * 1024ULL)

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image;

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "disk.img");
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        return tree_remove(dir, NULL);
}

static void empty_image(uint64_t size)
{
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static char *judge(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        if (spawn_capture(argv, &out, &err) < 0)
                fail_msg("%s", error_message(&err));
        return out;
}

static void assert_sound(bool gpt)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *sfdisk = judge((const char *const[]){"sfdisk", "--verify", image, NULL}), *sgdisk = NULL;

        assert_non_null(strstr(sfdisk, "No errors detected"));
        if (gpt) {
                sgdisk = judge((const char *const[]){"sgdisk", "-v", image, NULL});
                assert_non_null(strstr(sgdisk, "No problems found"));
        }
        if (disk_verify(image, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static struct disk_table *read_table(void)
{
        CLEANUP_ERROR struct error err = {0};
        struct disk_table *table = NULL;

        if (disk_table_read(image, &table, &err) < 0)
                fail_msg("%s", error_message(&err));
        return table;
}

static void create(enum disk_label label, const struct disk_layout_partition *v, size_t n, unsigned int *numbers)
{
        CLEANUP_ERROR struct error err = {0};

        if (disk_table_create(image, label, v, n, "seed", numbers, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_sound(label == DISK_GPT);
}

static void test_dos(void **state)
{
        static const struct disk_layout_partition v[] = {{"boot", "c", 0, 64 * MIB}, {"root", "83", 0, 0}};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL, *again = NULL;

        (void)state;
        empty_image(256 * MIB);
        create(DISK_DOS, v, 2, NULL);
        table = read_table();
        assert_int_equal(table->label, DISK_DOS);
        assert_int_equal(table->n, 2);
        assert_string_equal(table->v[0].type, "c");
        assert_int_equal(table->v[0].start_bytes, MIB);
        assert_int_equal(table->v[1].start_bytes, 65 * MIB);
        assert_int_equal(table->v[1].size_bytes, 191 * MIB);
        assert_int_equal(strlen(table->v[1].uuid), 11);
        empty_image(256 * MIB);
        create(DISK_DOS, v, 2, NULL);
        again = read_table();
        assert_string_equal(table->id, again->id);
}

static void test_dos_logical(void **state)
{
        static const struct disk_layout_partition v[] = {{"boot", "c", 4096 * 512, 16 * MIB},
                                                         {"all", "f", 0, 0},
                                                         {"a", "83", 0, 32 * MIB},
                                                         {"b", "0x82", 0, 16 * MIB},
                                                         {"c", "83", 0, 0}};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        CLEANUP_ERROR struct error err = {0};
        unsigned int numbers[5];

        (void)state;
        empty_image(256 * MIB);
        create(DISK_DOS, v, 5, numbers);
        assert_int_equal(numbers[1], 2);
        assert_int_equal(numbers[2], 5);
        assert_int_equal(numbers[4], 7);
        table = read_table();
        assert_int_equal(table->n, 5);
        assert_true(disk_table_find(table, 2)->extended);
        assert_int_equal(disk_table_find(table, 5)->size_bytes, 32 * MIB);
        assert_int_equal(disk_table_find(table, 7)->start_bytes + disk_table_find(table, 7)->size_bytes, 256 * MIB);
        if (disk_grow(image, 300 * MIB, 0, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_sound(false);
        table = disk_table_free(table);
        table = read_table();
        assert_int_equal(disk_table_find(table, 7)->start_bytes + disk_table_find(table, 7)->size_bytes, 300 * MIB);
        assert_int_equal(disk_table_find(table, 2)->start_bytes + disk_table_find(table, 2)->size_bytes, 300 * MIB);
        assert_int_equal(disk_table_find(table, 5)->size_bytes, 32 * MIB);
        assert_int_equal(disk_table_find(table, 6)->size_bytes, 16 * MIB);
}

static void test_gpt(void **state)
{
        static const struct disk_layout_partition v[] = {
                {"loader1", "8301", 64 * 512, 4 * MIB},
                {"esp", "ef00", 16 * MIB, 64 * MIB},
                {"boot", "c", 0, 8 * MIB},
                {"bios", "EF02", 0, MIB},
                {"root", "b921b045-1df0-41c3-af44-4c6f280d3fae", 0, 0},
        };
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        CLEANUP_FREE char *first = NULL, *second = NULL;

        (void)state;
        empty_image(256 * MIB);
        create(DISK_GPT, v, 5, NULL);
        table = read_table();
        assert_int_equal(table->label, DISK_GPT);
        assert_int_equal(table->n, 5);
        assert_int_equal(table->v[0].start_bytes, 64 * 512);
        assert_string_equal(table->v[1].type, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
        assert_string_equal(table->v[2].type, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");
        assert_string_equal(table->v[4].name, "root");
        assert_int_equal(table->v[4].start_bytes + table->v[4].size_bytes, 256 * MIB - 33 * 512);
        first = judge((const char *const[]){"sfdisk", "--dump", image, NULL});
        empty_image(256 * MIB);
        create(DISK_GPT, v, 5, NULL);
        second = judge((const char *const[]){"sfdisk", "--dump", image, NULL});
        assert_string_equal(first, second);
}

static void test_grow_gpt(void **state)
{
        static const struct disk_layout_partition v[] = {
                {"a", "ef00", 0, 16 * MIB}, {"b", "8300", 0, 32 * MIB}, {"c", "8300", 0, 16 * MIB}};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;

        (void)state;
        empty_image(100 * MIB);
        create(DISK_GPT, v, 3, NULL);
        assert_int_equal(disk_grow(image, 400 * MIB, 3, NULL), 0);
        assert_sound(true);
        table = read_table();
        assert_int_equal(table->disk_bytes, 400 * MIB);
        assert_int_equal(table->v[2].start_bytes + table->v[2].size_bytes, 400 * MIB - 33 * 512);
        assert_string_equal(table->v[2].name, "c");
        assert_int_equal(disk_grow(image, 400 * MIB, 2, NULL), 0); /* nothing free behind it: stays */
        assert_sound(true);
}

static void test_grow_dos(void **state)
{
        static const struct disk_layout_partition v[] = {
                {"a", "c", 0, 16 * MIB}, {"b", "83", 0, 32 * MIB}, {"c", "83", 100 * MIB, 16 * MIB}};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        empty_image(128 * MIB);
        create(DISK_DOS, v, 3, NULL);
        assert_int_equal(disk_grow(image, 128 * MIB, 2, &err), 0);
        assert_int_equal(disk_grow(image, 200 * MIB, 0, &err), 0);
        assert_sound(false);
        table = read_table();
        assert_int_equal(table->v[1].size_bytes, 83 * MIB);
        assert_int_equal(table->v[2].size_bytes, 100 * MIB);
        assert_true(disk_grow(image, 100 * MIB, 0, &err) < 0);
        assert_non_null(strstr(error_message(&err), "cannot shrink"));
        assert_true(disk_grow(image, 300 * MIB, 9, &err) < 0);
        assert_non_null(strstr(error_message(&err), "no partition 9"));
}

/* Shrink the last partition to 20 MiB, and have the image end behind it. */
static void shrink(enum disk_label label, const struct disk_layout_partition *v, size_t n, uint64_t want_bytes)
{
        CLEANUP(disk_table_freep) struct disk_table *before = NULL, *table = NULL;
        CLEANUP_ERROR struct error err = {0};
        uint64_t bytes;

        empty_image(256 * MIB);
        create(label, v, n, NULL);
        before = read_table();
        if (disk_shrink(image, 20 * MIB - 5, &bytes, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_sound(label == DISK_GPT);
        table = read_table();
        assert_int_equal(table->disk_bytes, bytes);
        assert_int_equal(bytes, want_bytes);
        assert_int_equal(table->n, before->n);
        assert_string_equal(table->id, before->id);
        assert_int_equal(disk_table_last(table)->size_bytes, 20 * MIB);
        assert_int_equal(disk_table_last(table)->start_bytes, disk_table_last(before)->start_bytes);
        assert_string_equal(disk_table_last(table)->uuid, disk_table_last(before)->uuid);
        /* Once more, and larger than it is: it stays. */
        assert_int_equal(disk_shrink(image, 100 * MIB, &bytes, &err), 0);
        assert_int_equal(bytes, want_bytes);
        assert_sound(label == DISK_GPT);
        /* And it grows again. */
        assert_int_equal(disk_grow(image, 300 * MIB, 0, &err), 0);
        assert_sound(label == DISK_GPT);
}

static void test_shrink(void **state)
{
        static const struct disk_layout_partition plain[] = {{"a", "c", 0, 16 * MIB}, {"b", "83", 0, 0}};
        static const struct disk_layout_partition logical[] = {
                {"a", "c", 0, 16 * MIB}, {"all", "f", 0, 0}, {"b", "83", 0, 32 * MIB}, {"c", "83", 0, 0}};

        (void)state;
        shrink(DISK_DOS, plain, 2, 37 * MIB);
        shrink(DISK_DOS, logical, 4, 71 * MIB);
        shrink(DISK_GPT, plain, 2, 37 * MIB + 34 * 512);
}

static void test_shrink_nothing(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        uint64_t bytes;

        (void)state;
        empty_image(10 * MIB);
        assert_int_equal(disk_shrink(image, MIB, &bytes, &err), -ENOENT);
        assert_non_null(strstr(error_message(&err), "no partition to shrink"));
}

struct bad {
        enum disk_label label;
        struct disk_layout_partition v[6];
        const char *words[3];
};

static void test_refused(void **state)
{
        static const struct bad cases[] = {
                {DISK_DOS,
                 {{"a", "c", MIB, 16 * MIB}, {"b", "83", 8 * MIB, 16 * MIB}},
                 {"partition 2 'b' (sectors 16384 to 49151, 16.0 MiB)", "overlaps partition 1 'a'", "16.0 MiB"}},
                {DISK_DOS,
                 {{"a", "c", 0, 200 * MIB}},
                 {"past the end of the image", "last usable sector is 204799", "101 MiB"}},
                {DISK_GPT, {{"a", "8300", 0, 100 * MIB}}, {"past the end", "100 MiB", ""}},
                {DISK_GPT, {{"a", "8300", 512, MIB}}, {"partition table", "first free sector is 34", ""}},
                {DISK_GPT, {{"a", "8300", 100, MIB}}, {"multiple of 512", "", ""}},
                {DISK_DOS, {{"a", "linux", 0, MIB}}, {"'linux' is not a partition type", "partition 1 'a'", ""}},
                {DISK_GPT, {{"a", "ffee", 0, MIB}}, {"'ffee' is not known", "", ""}},
                {DISK_DOS, {{"a", "83", 0, 0}, {"b", "83", 0, 0}}, {"partition 2 'b'", "no room is left", ""}},
                {DISK_DOS,
                 {{"a", "83", 0, MIB},
                  {"b", "83", 0, MIB},
                  {"c", "83", 0, MIB},
                  {"d", "83", 0, MIB},
                  {"e", "83", 0, MIB}},
                 {"partition 5 'e'", "extended", "gpt"}},
                {DISK_DOS,
                 {{"a", "5", 0, 16 * MIB}, {"b", "83", 0, 32 * MIB}},
                 {"partition 5 'b'", "does not fit into the extended partition 1 'a'", ""}},
                {DISK_DOS, {{"a", "5", 0, 16 * MIB}, {"b", "f", 0, 16 * MIB}}, {"one extended", "", ""}},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                size_t n = 0;

                while (n < 6 && cases[i].v[n].type)
                        n++;
                empty_image(100 * MIB);
                assert_true(disk_table_create(image, cases[i].label, cases[i].v, n, NULL, NULL, &err) < 0);
                for (size_t k = 0; k < 3; k++)
                        if (!strstr(error_message(&err), cases[i].words[k]))
                                fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].words[k], error_message(&err));
        }
}

static void test_bare(void **state)
{
        CLEANUP(disk_table_freep) struct disk_table *table = NULL, *none = NULL;
        CLEANUP_FREE char *out = NULL;

        (void)state;
        empty_image(16 * MIB);
        none = read_table();
        assert_int_equal(none->label, DISK_NONE);
        assert_int_equal(none->n, 0);
        out = judge((const char *const[]){"mkfs.fat", "-n", "HELLO", image, NULL});
        table = read_table();
        assert_int_equal(table->label, DISK_NONE);
        assert_int_equal(table->n, 1);
        assert_string_equal(table->v[0].fs, "vfat");
        assert_string_equal(table->v[0].fs_label, "HELLO");
        assert_int_equal(table->v[0].size_bytes, 16 * MIB);
}

static void damage(off_t offset, size_t n)
{
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CLOEXEC);
        CLEANUP_FREE char *junk = xcalloc(1, n);

        memset(junk, 0x5a, n);
        assert_int_equal(fd_pwrite_all(fd, junk, n, offset), 0);
}

static void test_damaged(void **state)
{
        static const struct disk_layout_partition v[] = {{"a", "ef00", 0, 16 * MIB}, {"b", "8300", 0, 0}};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        empty_image(64 * MIB);
        create(DISK_GPT, v, 2, NULL);
        damage(512, 512); /* the backup serves */
        table = read_table();
        assert_int_equal(table->n, 2);
        assert_true(disk_verify(image, &err) < 0);
        damage(64 * MIB - 512, 512);
        table = disk_table_free(table);
        assert_true(disk_table_read(image, &table, &err) < 0);
        assert_non_null(strstr(error_message(&err), "damaged gpt"));
}

static void test_cut_short(void **state)
{
        static const struct disk_layout_partition v[] = {{"a", "c", 0, 16 * MIB}, {"b", "83", 0, 0}};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        empty_image(64 * MIB);
        create(DISK_DOS, v, 2, NULL);
        assert_int_equal(truncate(image, 32 * MIB), 0);
        assert_true(disk_verify(image, &err) < 0);
        assert_non_null(strstr(error_message(&err), "past the end of the image"));
        empty_image(64 * MIB);
        create(DISK_GPT, v, 2, NULL);
        assert_int_equal(truncate(image, 32 * MIB), 0);
        assert_true(disk_verify(image, &err) < 0);
}

static void test_types(void **state)
{
        const char *guid;
        unsigned int type;

        (void)state;
        assert_int_equal(gpt_type_parse("8200", &guid, NULL), 0);
        assert_string_equal(guid, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F");
        assert_int_equal(gpt_type_parse("83", &guid, NULL), 0);
        assert_string_equal(guid, "0FC63DAF-8483-4772-8E79-3D69D8477DE4");
        assert_int_equal(gpt_type_parse("0c00", &guid, NULL), 0);
        assert_string_equal(guid, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");
        assert_int_equal(dos_type_parse("0X0C", &type, NULL), 0);
        assert_int_equal(type, 0xc);
        assert_int_equal(dos_type_parse("8300", &type, NULL), 0);
        assert_int_equal(type, 0x83);
        assert_true(dos_type_parse("0", &type, NULL) < 0);
        assert_true(dos_type_parse("", &type, NULL) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dos),
                cmocka_unit_test(test_dos_logical),
                cmocka_unit_test(test_gpt),
                cmocka_unit_test(test_grow_gpt),
                cmocka_unit_test(test_grow_dos),
                cmocka_unit_test(test_shrink),
                cmocka_unit_test(test_shrink_nothing),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_bare),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_cut_short),
                cmocka_unit_test(test_types),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
