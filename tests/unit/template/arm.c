/* The arm builder: what is read from a right block, and the table itself. The
 * messages about wrong ones are in tests/golden. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "template/arm.h"

static struct source_text *source; /* of the test that runs */

static int check(const char *text, struct arm_builder *arm, struct diags *diags, struct value **ret_value)
{
        int r;

        source = source_text_new("t", text, strlen(text));
        *ret_value = json_read(source, diags);
        assert_non_null(*ret_value);
        r = schema_decode(&arm_schema, *ret_value, NULL, NULL, arm, diags);
        if (arm_check(arm, *ret_value, diags) < 0)
                r = -1;
        return r;
}

static void done(struct arm_builder *arm, struct diags *diags, struct value *value)
{
        schema_free(&arm_schema, arm);
        diags_clear(diags);
        value_free(value);
        source = source_text_free(source);
}

static void test_new(void **state)
{
        struct diags diags = {0};
        struct arm_builder arm;
        struct value *value;
        const struct arm_partition *partitions;

        (void)state;
        assert_int_equal(
                check("{\"file_urls\": \"http://example.org/root.tar.gz\", \"file_checksum_url\": \"u\", "
                      "\"file_checksum_type\": \"MD5sum\", \"image_path\": \"o.img\", \"image_build_method\": \"new\", "
                      "\"image_size\": \"2GiB\", \"image_type\": \"gpt\", \"image_setup_extra\": [[\"ls\", \"-l\"]], "
                      "\"image_partitions\": [{\"name\": \"boot\", \"type\": \"ef00\", \"start_sector\": 2048, "
                      "\"size\": "
                      "\"256MiB\", \"filesystem\": \"vfat\", \"mountpoint\": \"/boot/\"}, {\"type\": "
                      "\"0FC63DAF-8483-4772-8E79-3D69D8477DE4\", \"size\": 0, \"filesystem\": \"btrfs\", "
                      "\"filesystem_make_options\": [\"-L\", \"root\"], \"mountpoint\": \"/\"}]}",
                      &arm, &diags, &value),
                0);
        assert_int_equal(arm.method, IMAGE_NEW);
        assert_int_equal(arm.gpt, 1);
        assert_int_equal(arm.image_size_bytes, 2147483648);
        assert_string_equal(arm.file_checksum_type, "md5");
        assert_string_equal(arm.image_setup_extra.v[0][1], "-l");
        assert_int_equal(arm.image_partitions.n, 2);
        partitions = arm.image_partitions.v;
        assert_int_equal(partitions[0].start_sector, 2048);
        assert_int_equal(partitions[0].size_bytes, 256 << 20);
        assert_string_equal(partitions[0].mountpoint, "/boot");
        assert_int_equal(partitions[1].start_sector, 0);
        assert_int_equal(partitions[1].size_bytes, 0);
        assert_string_equal(partitions[1].filesystem_make_options[1], "root");
        assert_non_null(partitions[1].value);
        done(&arm, &diags, value);
}

static void test_reuse(void **state)
{
        struct diags diags = {0};
        struct arm_builder arm;
        struct value *value;

        (void)state;
        assert_int_equal(check("{\"file_urls\": [\"base.img.xz\"], \"file_checksum\": "
                               "\"sha1:DA39a3ee5e6b4b0d3255bfef95601890afd80709\", \"image_path\": \"o.img\", "
                               "\"image_build_method\": \"REUSE\"}",
                               &arm, &diags, &value),
                         0);
        assert_int_equal(arm.method, IMAGE_REUSE);
        assert_int_equal(arm.gpt, -1);
        assert_int_equal(arm.image_size_bytes, 0);
        assert_string_equal(arm.file_checksum_type, "sha1");
        assert_string_equal(arm.file_checksum, "DA39a3ee5e6b4b0d3255bfef95601890afd80709");
        done(&arm, &diags, value);
        /* The length tells the type; none needs no digest. */
        assert_int_equal(check("{\"file_urls\": [\"b\"], \"file_checksum\": \"d41d8cd98f00b204e9800998ecf8427e\", "
                               "\"image_path\": \"o\", \"image_build_method\": \"reuse\"}",
                               &arm, &diags, &value),
                         0);
        assert_string_equal(arm.file_checksum_type, "md5");
        done(&arm, &diags, value);
        assert_int_equal(check("{\"file_urls\": [\"b\"], \"file_checksum_type\": \"NONE\", \"image_path\": \"o\", "
                               "\"image_build_method\": \"reuse\"}",
                               &arm, &diags, &value),
                         0);
        assert_string_equal(arm.file_checksum_type, "none");
        done(&arm, &diags, value);
}

static void test_resize_and_bootstrap(void **state)
{
        struct diags diags = {0};
        struct arm_builder arm;
        struct value *value;
        const struct arm_bootstrap *bootstrap;

        (void)state;
        assert_int_equal(check("{\"file_urls\": [\"b\"], \"file_checksum_type\": \"none\", \"image_path\": \"o\", "
                               "\"image_build_method\": \"resize\", \"image_size_bytes\": \"4000000001\"}",
                               &arm, &diags, &value),
                         0);
        assert_int_equal(arm.image_size_bytes, 4000000512); /* whole sectors */
        done(&arm, &diags, value);
        assert_int_equal(
                check("{\"bootstrap\": {\"suite\": \"bookworm\", \"architecture\": \"arm64\", \"packages\": "
                      "[\"openssh-server\"]}, \"image_path\": \"o\", \"image_build_method\": \"new\", "
                      "\"image_size\": \"1G\", \"image_partitions\": [{\"type\": \"83\", \"filesystem\": \"ext4\", "
                      "\"mountpoint\": \"/\"}]}",
                      &arm, &diags, &value),
                0);
        bootstrap = arm.bootstrap.v;
        assert_string_equal(bootstrap->variant, "minbase");
        assert_string_equal(bootstrap->components[0], "main");
        assert_string_equal(bootstrap->packages[0], "openssh-server");
        assert_null(bootstrap->mirror);
        done(&arm, &diags, value);
}

static void check_help(const struct schema *schema)
{
        for (size_t i = 0; i < schema->n_keys; i++) {
                const struct schema_key *key = &schema->keys[i];

                assert_non_null(key->help);
                assert_true(strlen(key->help) > 3 && strlen(key->help) < 110);
                assert_null(strchr(key->help, '\n'));
                if (key->type == SCHEMA_BLOCKS)
                        check_help(key->sub);
        }
}

static void test_help(void **state)
{
        (void)state;
        check_help(&arm_schema);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new),
                cmocka_unit_test(test_reuse),
                cmocka_unit_test(test_resize_and_bootstrap),
                cmocka_unit_test(test_help),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
