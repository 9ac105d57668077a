/* What the ansible provisioner reads out of Ansible's output, and what of the
 * host's files a layer's key depends on. Whole runs are in tests/cli/ansible.bats. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "provision/ansible.h"

struct row {
        const char *lines[6];
        int status;
        const char *expected[3]; /* parts of the message */
};

static const struct row rows[] = {
        {{"PLAY [all] ***", "TASK [web : install] ****",
          "fatal: [pi]: FAILED! => {\"msg\": \"non-zero return code\", \"stderr\": \"no such package\\n\", \"stdout\": "
          "\"x\"}",
          "PLAY RECAP ***"},
         2,
         {"ansible-playbook: the task 'web : install' failed on the host 'pi': non-zero return code\n  no such "
          "package"}},
        {{"TASK [one] ***", "fatal: [pi]: FAILED! => {\"msg\": \"first\"}", "...ignoring", "TASK [two] ***",
          "failed: [pi] (item=a) => {\"msg\": \"second\"}"},
         2,
         {"the task 'two' failed on the host 'pi': second"}},
        {{"TASK [facts] ***",
          "fatal: [pi]: FAILED! => {\"msg\": \"failed\", \"failed_modules\": {\"setup\": {\"module_stderr\": "
          "\"/bin/sh: /usr/bin/python: not found\\n\"}}}"},
         2,
         {"failed\n  /bin/sh: /usr/bin/python: not found", "need Python in the image"}},
        {{"ERROR! the connection plugin 'chroot' was not found", "", "more of it"},
         4,
         {"ansible-playbook: the connection plugin 'chroot' was not found\n  more of it", "community.general"}},
        {{"RUNNING HANDLER [restart] ***", "fatal: [pi]: UNREACHABLE! => not JSON"},
         4,
         {"the task 'restart'", "not JSON"}},
        {{"TASK [empty] ***", "fatal: [pi]: FAILED! => {\"msg\": \"\\n\\n\", \"stderr\": \"why\\n\"}"},
         2,
         {"failed on the host 'pi': why"}},
        {{"something else", "a last line"}, 1, {"ansible-playbook: ended with exit code 1", "a last line"}},
};

static void test_output(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(ansible_output_clear) struct ansible_output output = {0};
                CLEANUP_ERROR struct error err = {0};

                for (size_t j = 0; j < 6 && rows[i].lines[j]; j++)
                        ansible_output_line(&output, false, rows[i].lines[j]);
                assert_int_equal(ansible_output_error(&output, "ansible-playbook", rows[i].status, &err), -EIO);
                for (size_t j = 0; j < 3 && rows[i].expected[j]; j++)
                        if (!strstr(error_message(&err), rows[i].expected[j]))
                                fail_msg("'%s' is not in '%s'", rows[i].expected[j], error_message(&err));
        }
}

static void write_text(const char *path, const char *text)
{
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static void key_of(const struct ansible_config *config, char hex[DIGEST_HEX_MAX])
{
        CLEANUP_KEY struct key key = {0};
        CLEANUP_ERROR struct error err = {0};

        if (ansible_inputs(config, &key, &err) < 0)
                fail_msg("%s", error_message(&err));
        key_final(&key, hex);
}

/* Does writing `path` change the key? */
static bool counts(const struct ansible_config *config, const char *path)
{
        char before[DIGEST_HEX_MAX], after[DIGEST_HEX_MAX];

        key_of(config, before);
        write_text(path, "changed");
        key_of(config, after);
        return strcmp(before, after) != 0;
}

static void test_inputs(void **state)
{
        char dir[] = "/tmp/slipway-test-XXXXXX", *arguments[] = {(char[]){"-e"}, (char[]){"@more/extra.yml"}, NULL};
        struct ansible_config config = {.playbook_file = (char[]){"play.yml"}, .extra_arguments = arguments};

        (void)state;
        assert_non_null(mkdtemp(dir));
        assert_int_equal(chdir(dir), 0);
        assert_int_equal(dir_make("roles/web/tasks", 0755, NULL), 0);
        assert_int_equal(dir_make("own", 0755, NULL), 0);
        assert_int_equal(dir_make("more", 0755, NULL), 0);
        write_text("play.yml", "- copy: src=named.bin");
        write_text("more/extra.yml", "a: 1");
        write_text("out.img", "1");
        assert_true(counts(&config, "roles/web/tasks/main.yml"));
        assert_true(counts(&config, "vars.yaml"));
        assert_true(counts(&config, "ansible.cfg"));
        assert_true(counts(&config, "named.bin"));
        assert_true(counts(&config, "more/extra.yml"));
        assert_false(counts(&config, "out.img"));
        assert_false(counts(&config, "packer-manifest.json"));
        /* In a folder of its own, everything counts. */
        write_text("own/play.yml", "-");
        config.playbook_file = (char[]){"own/play.yml"};
        assert_true(counts(&config, "own/some.bin"));
        assert_false(counts(&config, "named.bin"));
        assert_int_equal(tree_remove(dir, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output),
                cmocka_unit_test(test_inputs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
