/* The arm-image builder: what its keys are in terms of the arm builder. The
 * messages about wrong ones are in tests/golden. */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/arm_image.h"

#define HEAD                                                                                                           \
        "{\"iso_url\": \"http://example.org/2024-raspios.img.xz\", \"output_filename\": \"o.img\", "                   \
        "\"iso_checksum\": "

static struct source_text *source; /* of the test that runs */

static struct value *check(const char *text, struct arm_image_builder *config, struct diags *diags)
{
        struct value *value;

        source = source_text_new("t", text, strlen(text));
        value = json_read(source, diags);
        assert_non_null(value);
        assert_int_equal(schema_decode(&arm_image_schema, value, NULL, NULL, config, diags), 0);
        assert_int_equal(arm_image_check(config, value, diags), 0);
        assert_int_equal(diags->n_errors, 0);
        return value;
}

static void done(struct arm_image_builder *config, struct diags *diags, struct value *value)
{
        arm_image_clear(config);
        schema_free(&arm_image_schema, config);
        diags_clear(diags);
        value_free(value);
        source = source_text_free(source);
}

static void test_checksums(void **state)
{
        static const struct {
                const char *text, *digest, *url, *type;
        } rows[] = {
                {"none", NULL, NULL, "none"},
                {"md5:d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e", NULL, "md5"},
                {"DA39a3ee5e6b4b0d3255bfef95601890afd80709", "DA39a3ee5e6b4b0d3255bfef95601890afd80709", NULL, "sha1"},
                {"file:http://example.org/SHA256SUMS", NULL, "http://example.org/SHA256SUMS", NULL},
                {"file:///srv/sums", NULL, "file:///srv/sums", NULL},
                {"file:./sums", NULL, "./sums", NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct diags diags = {0};
                struct arm_image_builder config;
                CLEANUP_FREE char *text = xasprintf(HEAD "\"%s\"}", rows[i].text);
                struct value *value = check(text, &config, &diags);

                assert_true(str_eq(config.arm.file_checksum, rows[i].digest));
                assert_true(str_eq(config.arm.file_checksum_url, rows[i].url));
                assert_true(str_eq(config.arm.file_checksum_type, rows[i].type));
                assert_string_equal(config.arm.file_urls[0], "http://example.org/2024-raspios.img.xz");
                assert_string_equal(config.arm.image_path, "o.img");
                assert_int_equal(config.arm.method, IMAGE_REUSE);
                assert_int_equal(config.arm.image_partitions.n, 0);
                done(&config, &diags, value);
        }
}

static void test_image(void **state)
{
        struct diags diags = {0};
        struct arm_image_builder config;
        const struct arm_partition *partitions;
        const struct arm_mount *mounts;
        struct value *value = check(HEAD "\"none\", \"image_type\": \"Ubuntu\", \"target_image_size\": 4000000001, "
                                         "\"additional_chroot_mounts\": [[\"bind\", \"/srv\", \"/mnt\"]], "
                                         "\"resolv-conf\": \"copy-host\", \"mount_path\": \"/tmp/pi\"}",
                                    &config, &diags);

        (void)state;
        partitions = config.arm.image_partitions.v;
        assert_int_equal(config.arm.image_partitions.n, 2);
        assert_string_equal(partitions[0].mountpoint, "/boot/firmware");
        assert_string_equal(partitions[1].mountpoint, "/");
        assert_int_not_equal(partitions[0].size_bytes, 0); /* it does not grow */
        assert_int_equal(partitions[1].size_bytes, 0);
        assert_int_equal(config.arm.method, IMAGE_RESIZE);
        assert_int_equal(config.arm.image_size_bytes, 4000000512);
        mounts = config.arm.additional_chroot_mounts.v;
        assert_string_equal(mounts[0].source_path, "/srv");
        assert_int_equal(config.arm.resolv_conf, ARM_RESOLV_COPY_HOST);
        assert_string_equal(config.arm.image_mount_path, "/tmp/pi");
        done(&config, &diags, value);
}

static void test_qemu(void **state)
{
        struct diags diags = {0};
        struct arm_image_builder config;
        struct value *value = check(HEAD "\"none\", \"qemu_args\": [\"-cpu\", \"cortex-a9\", \"--strace\"], "
                                         "\"last_partition_extra_size\": 1024}",
                                    &config, &diags);

        (void)state;
        assert_string_equal(config.arm.image_chroot_env[0], "QEMU_CPU=cortex-a9");
        assert_string_equal(config.arm.image_chroot_env[1], "QEMU_STRACE=1");
        assert_int_equal(config.arm.method, IMAGE_RESIZE);
        assert_int_equal(config.arm.image_grow_bytes, 1024);
        done(&config, &diags, value);
        value = check(
                "{\"iso_urls\": [\"bone-debian.img.xz\", \"b\"], \"iso_checksum\": \"none\", \"output_directory\": "
                "\"out\"}",
                &config, &diags);
        assert_string_equal(config.arm.image_chroot_env[0], "QEMU_CPU=cortex-a8");
        assert_string_equal(config.arm.image_path, "out/image");
        assert_string_equal(config.arm.file_urls[1], "b");
        done(&config, &diags, value);
}

static void test_help(void **state)
{
        (void)state;
        for (size_t i = 0; i < arm_image_schema.n_keys; i++) {
                const char *help = arm_image_schema.keys[i].help;

                assert_non_null(help);
                assert_true(strlen(help) > 3 && strlen(help) < 140);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_checksums),
                cmocka_unit_test(test_image),
                cmocka_unit_test(test_qemu),
                cmocka_unit_test(test_help),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
