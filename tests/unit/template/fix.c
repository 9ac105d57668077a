/* The fixers, each with what it mends and what it must leave alone. */
#include "test.h"

#include "template/fix.h"

static void expect(const char *before, const char *after)
{
        json_t *root = json_loads(before, 0, NULL), *wanted = json_loads(after, 0, NULL);
        char *got;

        assert_non_null(root);
        assert_non_null(wanted);
        template_fix(root);
        got = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
        if (!json_equal(root, wanted))
                fail_msg("%s\n    wanted %s\n    got    %s", before, after, got);
        free(got);
        json_decref(root);
        json_decref(wanted);
}

static void test_iso(void **state)
{
        (void)state;
        expect("{\"builders\":[{\"iso_md5\":\"a\"}]}", "{\"builders\":[{\"iso_checksum\":\"md5:a\"}]}");
        expect("{\"builders\":[{\"iso_checksum\":\"a\",\"iso_checksum_type\":\"sha1\"}]}",
               "{\"builders\":[{\"iso_checksum\":\"sha1:a\"}]}");
        expect("{\"builders\":[{\"iso_checksum\":\"a\",\"iso_checksum_type\":\"sha1\",\"iso_checksum_url\":\"u\"}]}",
               "{\"builders\":[{\"iso_checksum\":\"file:u\"}]}");
        expect("{\"builders\":[{\"iso_checksum\":\"sha1:a\"}]}", "{\"builders\":[{\"iso_checksum\":\"sha1:a\"}]}");
        expect("{\"builders\":[{\"iso_checksum_type\":\"none\"}]}", "{\"builders\":[{}]}");
}

static void test_texts(void **state)
{
        (void)state;
        expect("{\"builders\":[{\"a\":\"x{{.CreateTime}}{{  .CreateTime }}{{ "
               ".CreateTime\",\"b\":\"{{.CreateTimes}}\"}]}",
               "{\"builders\":[{\"a\":\"x{{timestamp}}{{timestamp}}{{ .CreateTime\",\"b\":\"{{.CreateTimes}}\"}]}");
        expect("{\"builders\":[{\"a\":\"{{clean_image_name `x`}}{{clean_ami_name `y`}}\"}]}",
               "{\"builders\":[{\"a\":\"{{clean_resource_name `x`}}{{clean_resource_name `y`}}\"}]}");
}

static void test_steps(void **state)
{
        (void)state;
        expect("{\"post-processors\":[[{\"type\":\"manifest\",\"filename\":\"f\"}],\"x\"]}",
               "{\"post-processors\":[[{\"type\":\"manifest\",\"output\":\"f\"}],\"x\"]}");
        expect("{\"post-processors\":[{\"type\":\"other\",\"filename\":\"f\"}]}",
               "{\"post-processors\":[{\"type\":\"other\",\"filename\":\"f\"}]}");
        expect("{\"post-processors\":[{\"type\":\"docker-tag\",\"tag\":[\"b\",\"a\",\"b\"],\"tags\":\"a , c\"}]}",
               "{\"post-processors\":[{\"type\":\"docker-tag\",\"tags\":[\"b\",\"a\",\"c\"]}]}");
        expect("{\"post-processors\":[{\"type\":\"docker-push\",\"login_email\":\"a\"}]}",
               "{\"post-processors\":[{\"type\":\"docker-push\"}]}");
        expect("{\"provisioners\":[{\"type\":\"ansible-local\",\"galaxycommand\":\"g\"}]}",
               "{\"provisioners\":[{\"type\":\"ansible-local\",\"galaxy_command\":\"g\"}]}");
}

static void test_other_shapes(void **state)
{
        static const char *const same[] = {"{}", "{\"builders\":{},\"post-processors\":\"x\",\"provisioners\":null}",
                                           "{\"builders\":[1,null,[\"a\"],{\"iso_md5\":1}]}",
                                           "{\"post-processors\":[[[1]],{\"type\":7,\"filename\":\"f\"}]}"};

        (void)state;
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
                expect(same[i], same[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_iso),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_other_shapes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
