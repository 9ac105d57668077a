#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "boot/boot.h"

static void test_kernel_arch(void **state)
{
        unsigned char head[1024] = {0};

        (void)state;
        assert_int_equal(boot_kernel_arch(head, sizeof(head)), BOOT_UNKNOWN);
        memcpy(head + 56, "ARM\x64", 4);
        assert_int_equal(boot_kernel_arch(head, sizeof(head)), BOOT_ARM64);
        assert_int_equal(boot_kernel_arch(head, 59), BOOT_UNKNOWN);
        memset(head, 0, sizeof(head));
        memcpy(head + 36, "\x18\x28\x6f\x01", 4);
        assert_int_equal(boot_kernel_arch(head, sizeof(head)), BOOT_ARMHF);
        memset(head, 0, sizeof(head));
        memcpy(head + 514, "HdrS", 4);
        assert_int_equal(boot_kernel_arch(head, sizeof(head)), BOOT_X86);
        assert_int_equal(boot_kernel_arch(head, 517), BOOT_UNKNOWN);
}

static void test_version_compare(void **state)
{
        (void)state;
        assert_true(boot_version_compare("6.1.0-9-arm64", "6.1.0-30-arm64") < 0);
        assert_true(boot_version_compare("6.10.0", "6.9.9") > 0);
        assert_int_equal(boot_version_compare("6.1.0-30-arm64", "6.1.0-30-arm64"), 0);
        assert_true(boot_version_compare("6.1.0-30", "6.1.0-30-arm64") < 0);
        assert_true(boot_version_compare("", "1") < 0);
}

static void expect_refused(const char *bytes, size_t n, const char *words)
{
        char path[] = "/tmp/slipway-boot-XXXXXX";
        struct boot_system *system = NULL;
        struct error err = {0};
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, bytes, n), 0);
        assert_int_equal(ftruncate(fd, 4096), 0);
        close(fd);
        assert_true(boot_find(path, &system, &err) < 0);
        assert_null(system);
        if (!strstr(error_message(&err), words))
                fail_msg("'%s' does not say '%s'", error_message(&err), words);
        error_clear(&err);
        unlink(path);
}

static void test_compressed(void **state)
{
        (void)state;
        expect_refused("\xfd"
                       "7zXZ\0",
                       6, "is compressed (xz)");
        expect_refused("\x1f\x8b\x08", 3, "is compressed (gzip)");
        expect_refused("PK\x03\x04", 4, "is compressed (zip)");
}

static void test_missing(void **state)
{
        struct boot_system *system = NULL;
        struct error err = {0};

        (void)state;
        assert_true(boot_find("/nonexistent/x.img", &system, &err) < 0);
        assert_non_null(strstr(error_message(&err), "/nonexistent/x.img"));
        error_clear(&err);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kernel_arch),
                cmocka_unit_test(test_version_compare),
                cmocka_unit_test(test_compressed),
                cmocka_unit_test(test_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
