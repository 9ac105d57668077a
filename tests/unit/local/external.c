/* Stand-alone executables: their keys as a table, configs as JSON, check. */
#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "local/external.h"
#include "step.h"

static char folder[] = "/tmp/slipway-external.XXXXXX";

static const char program[] =
        "#!/bin/sh\n"
        "case $1 in\n"
        "describe) cat <<'EOF'\n"
        "{\"version\": 1, \"keys\": {\n"
        " \"text\": {\"type\": \"string\", \"required\": true, \"help\": \"some text\"},\n"
        " \"mode\": {\"type\": \"string\", \"choices\": [\"fast\", \"slow\"], \"default\": \"fast\"},\n"
        " \"flag\": {\"type\": \"bool\"}, \"flag2\": {\"type\": \"bool\", \"default\": \"true\"},\n"
        " \"count\": {\"type\": \"int\"}, \"zero\": {\"type\": \"int\"}, \"size\": {\"type\": \"size\", \"default\": "
        "\"1KiB\"},\n"
        " \"wait\": {\"type\": \"duration\"}, \"list\": {\"type\": \"strings\"}, \"empty\": {\"type\": \"strings\"},\n"
        " \"codes\": {\"type\": \"ints\", \"default\": \"[1, 2]\"},\n"
        " \"map\": {\"type\": \"string_map\"}, \"any\": {\"type\": \"value\"}}}\n"
        "EOF\n"
        ";;\n"
        "check) case $(cat) in\n"
        "  *'\"text\":\"bad\"'*) echo '{\"errors\": [{\"key\": \"text\", \"message\": \"text is bad\"}, \"so is "
        "all\"]}';;\n"
        "  *'\"text\":\"die\"'*) echo 'cannot go on' >&2; exit 1;;\n"
        "  *'\"text\":\"warn\"'*) echo '{\"warnings\": [{\"message\": \"mind the step\"}]}';;\n"
        "  esac;;\n"
        "*) exit 2;; esac\n";

static const struct external *load(const char *name)
{
        const struct external *external = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (external_load(PLUGIN_POST_PROCESSOR, name, &external, &err) < 0)
                fail_msg("%s", error_message(&err));
        return external;
}

static void test_config(void **state)
{
        const struct external *external = load("test");
        CLEANUP_STEP struct step step = {0};
        CLEANUP_FREE char *text = NULL;
        json_t *config;

        (void)state;
        assert_ptr_equal(load("test"), external);
        assert_reads(&step, &external->schema, external_check,
                     "{\"text\": \"{{upper `x`}}\", \"flag\": false, \"zero\": 0, \"wait\": \"1m\", \"empty\": [], "
                     "\"list\": [\"a\", \"b\"], \"map\": {\"B\": \"2=3\", \"A\": \"1\"}, \"any\": {\"x\": [1, null]}, "
                     "\"_note\": 1}");
        assert_ptr_equal(external_of(step.config), external);
        config = external_config(step.config);
        text = json_dumps(config, JSON_COMPACT);
        assert_string_equal(text, "{\"text\":\"X\",\"mode\":\"fast\",\"flag\":false,\"flag2\":true,\"zero\":0,"
                                  "\"size\":1024,\"wait\":60000,\"list\":[\"a\",\"b\"],\"empty\":[],\"codes\":[1,2],"
                                  "\"map\":{\"A\":\"1\",\"B\":\"2=3\"},\"any\":{\"x\":[1,null]}}");
        json_decref(config);
}

static void test_check(void **state)
{
        const struct schema *schema = &load("test")->schema;
        CLEANUP_STEP struct step step = {0};

        (void)state;
        assert_refused(&step, schema, external_check, "{\"text\": \"bad\"}", "text is bad\nso is all\n");
        assert_refused(&step, schema, external_check, "{\"text\": \"die\"}", "check: cannot go on");
        assert_reads(&step, schema, external_check, "{\"text\": \"warn\"}");
        assert_string_equal(step.messages, "mind the step\n");
        assert_refused(&step, schema, external_check, "{}", "the test post-processor needs the key 'text'");
        assert_refused(&step, schema, external_check, "{\"text\": \"x\", \"mod\": \"\"}", "did you mean 'mode'");
        assert_refused(&step, schema, external_check, "{\"text\": \"x\", \"mode\": \"fats\"}", "did you mean \"fast\"");
        assert_refused(&step, schema, external_check, "{\"text\": \"x\", \"_executable\": \"/bin/false\"}",
                       "_executable");
}

static void test_missing(void **state)
{
        const struct external *external = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(external_load(PLUGIN_PROVISIONER, "test", &external, &err), -ENOENT);
        assert_null(external);
        assert_non_null(strstr(error_message(&err), "slipway-provisioner-test"));
}

/* The bundled post-processor: what it gets, and what it gives back. */
static void test_example(void **state)
{
        const struct external *external;
        CLEANUP_STEP struct step step = {0};
        CLEANUP_FREE char *report = path_join(folder, "sizes.txt"), *image = path_join(folder, "disk.img"),
                          *config = xasprintf("{\"output\": \"%s\", \"bytes\": true}", report), *text = NULL;
        CLEANUP_ERROR struct error err = {0};
        json_t *input, *answer = NULL, *files;
        struct plugin_call call = {.method = "run"};

        (void)state;
        setenv("PACKER_PLUGIN_PATH", EXAMPLES, 1);
        external = load("size-report");
        assert_int_equal(file_write(image, "12345", 5, 0644, NULL), 0);
        assert_reads(&step, &external->schema, external_check, config);
        input = json_pack("{s:o, s:{s:[s]}}", "config", external_config(step.config), "artifact", "files", image);
        call.input = input;
        if (plugin_call(external->plugin, &call, &answer, &err) < 0)
                fail_msg("%s", error_message(&err));
        files = json_object_get(json_object_get(answer, "artifact"), "files");
        assert_int_equal(json_array_size(files), 2);
        assert_string_equal(json_string_value(json_array_get(files, 1)), report);
        assert_int_equal(file_read(report, 0, &text, NULL, NULL), 0);
        assert_non_null(strstr(text, "              5 "));
        assert_non_null(strstr(text, image));
        json_decref(answer);
        json_decref(input);
        assert_refused(&step, &external->schema, external_check, "{\"output\": \"x/\"}", "x/ is a folder");
        unsetenv("PACKER_PLUGIN_PATH");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_config), cmocka_unit_test(test_check),
                                           cmocka_unit_test(test_missing), cmocka_unit_test(test_example)};
        CLEANUP_FREE char *path = NULL;
        int failed;

        if (!mkdtemp(folder))
                return 1;
        path = path_join(folder, "slipway-post-processor-test");
        if (file_write(path, program, strlen(program), 0755, NULL) < 0)
                return 1;
        setenv("SLIPWAY_PLUGIN_PATH", folder, 1);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        tree_remove(folder, NULL);
        return failed;
}
