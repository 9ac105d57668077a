/* File systems that lie in the middle of an image: the tools that make and
 * grow them must heed neither its size nor what lies behind. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "disk/fs.h"

enum { MIB = 1 << 20, IMAGE_MIB = 640, START_MIB = 32 };

static char path[] = "/tmp/slipway-inside.XXXXXX";
static int fd = -1;

static int setup(void **state)
{
        (void)state;
        fd = mkostemp(path, O_CLOEXEC);
        return fd < 0 || ftruncate(fd, (off_t)IMAGE_MIB * MIB) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        (void)state;
        close(fd);
        return unlink(path);
}

static struct fs_volume volume(uint64_t mib)
{
        return (struct fs_volume){path, (uint64_t)START_MIB * MIB, mib * MIB, "partition 1 (test)"};
}

static void put_end_mark(void)
{
        assert_int_equal(fd_pwrite_all(fd, "the end", 7, (off_t)IMAGE_MIB * MIB - 7), 0);
}

static void assert_end_mark(void)
{
        char back[8] = "";
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, (off_t)IMAGE_MIB * MIB);
        assert_int_equal(fd_pread_all(fd, back, 7, (off_t)IMAGE_MIB * MIB - 7), 0);
        assert_string_equal(back, "the end");
}

static void test_fat_goes_by_the_partition(void **state)
{
        struct fs_volume v = volume(128);
        const struct fs_type *fat = fs_type_find("vfat");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        put_end_mark();
        if (fat->make(&v, &(struct fs_make){.epoch = -1}, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(fat->check(&v, false, &err), 0);
        assert_end_mark();
}

static void test_grow_keeps_what_lies_behind(void **state)
{
        struct fs_volume small = volume(64), large = volume(512);
        const struct fs_type *ext4 = fs_type_find("ext4");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        put_end_mark();
        if (ext4->make(&small, &(struct fs_make){.epoch = -1}, &err) < 0 || ext4->grow(&large, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(ext4->check(&large, false, &err), 0);
        assert_end_mark();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fat_goes_by_the_partition),
                cmocka_unit_test(test_grow_keeps_what_lies_behind),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
