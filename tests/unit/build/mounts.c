/* A template's partitions held against a real image. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "build/job.h"

/* A literal where the struct owns its strings: nothing here frees them. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))

enum { MIB = 1 << 20 };

static char path[] = "/tmp/slipway-mounts.XXXXXX";

static void make(const struct disk_partition *partition, const char *fs)
{
        struct fs_volume volume = {path, partition->start_bytes, partition->size_bytes, "partition"};

        assert_int_equal(fs_type_find(fs)->make(&volume, &(struct fs_make){.epoch = -1}, NULL), 0);
}

static int setup(void **state)
{
        const struct disk_layout_partition layout[] = {{NULL, "c", 4 * MIB, 32 * MIB}, {NULL, "83", 0, 0}};
        int fd = mkostemp(path, O_CLOEXEC);
        struct disk_table *table = NULL;

        (void)state;
        if (fd < 0 || ftruncate(fd, 96 * MIB) < 0 || close(fd) < 0)
                return -1;
        if (disk_table_create(path, DISK_DOS, layout, 2, NULL, NULL, NULL) < 0)
                return -1;
        if (disk_table_read(path, &table, NULL) < 0 || table->n != 2)
                return -1;
        make(&table->v[0], "vfat");
        make(&table->v[1], "ext4");
        disk_table_free(table);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        return unlink(path);
}

static int find(struct arm_partition *partitions, size_t n, int gpt, struct base *base, struct error *err)
{
        struct arm_builder arm = {.gpt = gpt, .image_partitions = {partitions, n}};
        struct job job = {.arm = &arm};

        return mounts_find(&job, path, base, err);
}

static void test_agreeing(void **state)
{
        struct arm_partition wanted[] = {
                {.filesystem = TEXT("fat"), .mountpoint = TEXT("/boot"), .start_sector = 8192},
                {.filesystem = TEXT("ext4"), .mountpoint = TEXT("/")},
        };
        CLEANUP(base_clear) struct base base = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        if (find(wanted, 2, 0, &base, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(base.n_mounts, 2);
        assert_string_equal(base.mounts[0].mountpoint, "/");
        assert_int_equal(base.mounts[0].number, 2);
        assert_string_equal(base.mounts[1].mountpoint, "/boot");
        assert_int_equal(base.mounts[1].start_bytes, 4 * MIB);
}

/* Each disagreement is named, with both tables. */
static void assert_refused(struct arm_partition *wanted, size_t n, int gpt, const char *part)
{
        CLEANUP(base_clear) struct base base = {0};
        CLEANUP_ERROR struct error err = {0};

        assert_int_equal(find(wanted, n, gpt, &base, &err), -EINVAL);
        if (!strstr(err.message, part))
                fail_msg("'%s' is not in: %s", part, err.message);
}

static void test_disagreeing(void **state)
{
        struct arm_partition other_start[] = {
                {.filesystem = TEXT("vfat"), .mountpoint = TEXT("/boot"), .start_sector = 2048},
                {.filesystem = TEXT("ext4"), .mountpoint = TEXT("/")}};
        struct arm_partition other_fs[] = {{.filesystem = TEXT("ext4"), .mountpoint = TEXT("/")},
                                           {.filesystem = TEXT("ext4"), .mountpoint = TEXT("/data")}};
        struct arm_partition too_many[] = {
                {.mountpoint = TEXT("")}, {.mountpoint = TEXT("/")}, {.mountpoint = TEXT("/data")}};
        struct arm_partition no_root[] = {{.filesystem = TEXT("vfat"), .mountpoint = TEXT("/boot")}};

        (void)state;
        assert_refused(other_start, 2, -1, "sector 2048 in the template and at sector 8192 in the image");
        assert_refused(other_start, 2, -1, "2: start_sector 73728, filesystem ext4");
        assert_refused(other_fs, 2, -1, "is ext4 in the template and vfat in the image");
        assert_refused(too_many, 3, -1, "has 3 partitions and the image 2");
        assert_refused(no_root, 1, -1, "mountpoint \"/\"");
        assert_refused(other_fs, 2, 1, "image_type is gpt in the template, and the image has a dos table");
}

/* The list goes by numbers, wherever the partitions lie (Jetson Nano's first is the last). Changes the table. */
static void test_by_number(void **state)
{
        const struct disk_layout_partition layout[] = {{NULL, "83", 36 * MIB, 60 * MIB},
                                                       {NULL, "c", 4 * MIB, 32 * MIB}};
        struct arm_partition wanted[] = {{.filesystem = TEXT("ext4"), .mountpoint = TEXT("/"), .start_sector = 73728},
                                         {.filesystem = TEXT("vfat"), .mountpoint = TEXT("/boot")}};
        CLEANUP(base_clear) struct base base = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(disk_table_create(path, DISK_DOS, layout, 2, NULL, NULL, NULL), 0);
        if (find(wanted, 2, 0, &base, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(base.mounts[0].number, 1);
        assert_int_equal(base.mounts[0].start_bytes, 36 * MIB);
        assert_int_equal(base.mounts[1].start_bytes, 4 * MIB);
}

static void test_archives_by_name(void **state)
{
        (void)state;
        assert_true(rootfs_wanted("out/armv7.tar.gz"));
        assert_true(rootfs_wanted("x.img.gz"));
        assert_false(rootfs_wanted("x.img"));
        assert_false(rootfs_wanted("x"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_agreeing),
                cmocka_unit_test(test_disagreeing),
                cmocka_unit_test(test_archives_by_name),
                cmocka_unit_test(test_by_number),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
