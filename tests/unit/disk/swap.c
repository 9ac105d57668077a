/* Swap, and the names of file systems. */
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/disk.h"
#include "disk/fs.h"

#define MIB (1024 * 1024ULL)

/* A swap area in the second MiB and on; the digest of the whole file. The caller frees. */
static char *make_swap(const char *image)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct fs_volume volume = {image, MIB, 16 * MIB, "partition 1 (swap)"};
        struct fs_make make = {.label = "LABEL", .id_seed = "seed", .epoch = 1600000000};
        char *out = NULL;

        assert_int_equal(ftruncate(fd, 18 * MIB), 0);
        if (fs_type_find("swap")->make(&volume, &make, &err) < 0 ||
            spawn_capture((const char *const[]){"sha256sum", image, NULL}, &out, &err) < 0)
                fail_msg("%s", error_message(&err));
        return out;
}

static void test_swap(void **state)
{
        char dir[] = "/tmp/slipway-test.XXXXXX";
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *image = NULL, *first = NULL, *second = NULL, *probed = NULL;

        (void)state;
        assert_non_null(mkdtemp(dir));
        image = path_join(dir, "disk.img");
        first = make_swap(image);
        if (spawn_capture((const char *const[]){"blkid", "-p", "-O", "1048576", image, NULL}, &probed, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_non_null(strstr(probed, "TYPE=\"swap\""));
        assert_non_null(strstr(probed, "LABEL=\"LABEL\""));
        second = make_swap(image);
        assert_string_equal(first, second);
        assert_int_equal(tree_remove(dir, NULL), 0);
}

static void test_names(void **state)
{
        (void)state;
        assert_string_equal(fs_type_find("fat")->name, "vfat");
        assert_string_equal(fs_type_find("")->name, "raw");
        assert_null(fs_type_find("zfs"));
        assert_true(strv_has(fs_type_names(), "ext4"));
        assert_true(strv_has(fs_type_names(), "fat"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_swap),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
