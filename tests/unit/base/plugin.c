/* Finding and calling stand-alone executables: real scripts in a scratch folder. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/plugin.h"
#include "base/str.h"

#define DESCRIBE "case $1 in describe) echo '{\"version\": 1}';; "

static char folder[] = "/tmp/slipway-plugin.XXXXXX";

static void write_script(const char *name, const char *body, mode_t mode)
{
        CLEANUP_FREE char *path = path_join(folder, name), *text = xasprintf("#!/bin/sh\n%s\n", body);

        assert_int_equal(file_write(path, text, strlen(text), mode, NULL), 0);
}

static struct plugin *load(const char *name, const char *body)
{
        CLEANUP_FREE char *file = xasprintf("slipway-provisioner-%s", name);
        CLEANUP_ERROR struct error err = {0};
        struct plugin *plugin = NULL;

        write_script(file, body, 0755);
        if (plugin_load(PLUGIN_PROVISIONER, name, &plugin, &err) < 0)
                fail_msg("%s", error_message(&err));
        return plugin;
}

static int load_fails(const char *name, const char *body, const char *want)
{
        CLEANUP_FREE char *file = xasprintf("slipway-provisioner-%s", name);
        CLEANUP_ERROR struct error err = {0};
        struct plugin *plugin = NULL;
        int r;

        if (body)
                write_script(file, body, 0755);
        r = plugin_load(PLUGIN_PROVISIONER, name, &plugin, &err);
        assert_null(plugin);
        if (!strstr(error_message(&err), want) || !strstr(error_message(&err), name))
                fail_msg("no '%s' in: %s", want, error_message(&err));
        return r;
}

static int call(const struct plugin *plugin, const char *method, unsigned int timeout_ms, json_t **ret,
                const char *want)
{
        CLEANUP_ERROR struct error err = {0};
        int r = plugin_call(plugin, &(struct plugin_call){.method = method, .timeout_ms = timeout_ms}, ret, &err);

        if (!strstr(error_message(&err), want) || (r < 0 && !strstr(error_message(&err), plugin->path)))
                fail_msg("no '%s' in: %s", want, error_message(&err));
        return r;
}

static void test_find(void **state)
{
        CLEANUP_FREE char *slipway = NULL, *packer = NULL;

        (void)state;
        write_script("packer-post-processor-both", "exit 2", 0755);
        write_script("slipway-post-processor-both", "exit 2", 0755);
        write_script("packer-post-processor-old", "exit 2", 0755);
        slipway = plugin_find(PLUGIN_POST_PROCESSOR, "both");
        assert_true(slipway && strstr(slipway, "/slipway-post-processor-both"));
        packer = plugin_find(PLUGIN_POST_PROCESSOR, "old");
        assert_true(packer && strstr(packer, "/packer-post-processor-old"));
        assert_null(plugin_find(PLUGIN_PROVISIONER, "both"));
        assert_null(plugin_find(PLUGIN_PROVISIONER, "../both"));
        assert_null(plugin_find(PLUGIN_PROVISIONER, ""));
        assert_int_equal(load_fails("nowhere", NULL, "./plugins"), -ENOENT);
        write_script("slipway-provisioner-plain", "exit 2", 0644);
        assert_int_equal(load_fails("plain", NULL, "chmod +x"), -EACCES);
}

static void test_find_order(void **state)
{
        CLEANUP_FREE char *config = path_join(folder, "config"), *dir = path_join(config, "slipway/plugins"),
                          *found = NULL;

        (void)state;
        assert_int_equal(dir_make(dir, 0755, NULL), 0);
        write_script("config/slipway/plugins/slipway-provisioner-first", "exit 2", 0755);
        setenv("XDG_CONFIG_HOME", config, 1);
        found = plugin_find(PLUGIN_PROVISIONER, "first");
        assert_true(found && str_starts(found, dir));
        free(found);
        write_script("slipway-provisioner-first", "exit 2", 0755); /* in SLIPWAY_PLUGIN_PATH, which comes before */
        found = plugin_find(PLUGIN_PROVISIONER, "first");
        assert_true(found && !str_starts(found, dir));
        unsetenv("XDG_CONFIG_HOME");
}

static void test_describe(void **state)
{
        CLEANUP(plugin_freep)
        struct plugin *plugin = load("good", "echo '{\"version\": 1, \"kind\": \"provisioner\", \"keys\": "
                                             "{\"size\": {\"type\": \"size\", \"default\": \"1GiB\"}}}'");

        (void)state;
        assert_string_equal(plugin->name, "good");
        assert_non_null(json_object_get(json_object_get(plugin->description, "keys"), "size"));
        assert_int_equal(load_fails("rubbish", "echo hello", "hello"), -EBADMSG);
        assert_int_equal(load_fails("list", "echo '[1]'", "not an object"), -EBADMSG);
        assert_int_equal(load_fails("silent", "exit 0", "version"), -EBADMSG);
        assert_int_equal(load_fails("future", "echo '{\"version\": 7}'", "version 7"), -EPROTONOSUPPORT);
        assert_int_equal(load_fails("kind", "echo '{\"version\": 1, \"kind\": \"post-processor\"}'", "its name says"),
                         -EBADMSG);
        assert_int_equal(
                load_fails("type", "echo '{\"version\": 1, \"keys\": {\"a\": {\"type\": \"float\"}}}'", "'float'"),
                -EBADMSG);
        assert_int_equal(load_fails("guest", "echo '{\"version\": 1, \"guest\": \"all\"}'", "\"steps\""), -EBADMSG);
        assert_int_equal(load_fails("old", "echo 'This binary is a plugin' >&2; exit 1", "This binary is a plugin"),
                         -EIO);
        assert_int_equal(load_fails("unable", "exit 2", "slipway-plugin(7)"), -EOPNOTSUPP);
}

static void test_call(void **state)
{
        CLEANUP(plugin_freep)
        struct plugin *plugin =
                load("call", DESCRIBE "echo) cat;; silent) ;; fail) echo the reason >&2; exit 1;; "
                                      "mute) exit 1;; die) kill -KILL $$;; odd) exit 42;; "
                                      "slow) sleep 60;; long) yes;; two) echo '{}{}';; *) exit 2; esac");
        json_t *input = json_pack("{s:s}", "text", "\xc3\xa4 'quoted'\n"), *answer = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(plugin_call(plugin, &(struct plugin_call){.method = "echo", .input = input}, &answer, &err),
                         0);
        assert_true(json_equal(input, answer));
        json_decref(input);
        json_decref(answer);
        assert_int_equal(call(plugin, "silent", 0, &answer, ""), 0);
        assert_int_equal(json_object_size(answer), 0);
        json_decref(answer);
        answer = NULL;
        assert_int_equal(call(plugin, "fail", 0, &answer, "fail: the reason"), -EIO);
        assert_int_equal(call(plugin, "mute", 0, &answer, "did not say why"), -EIO);
        assert_int_equal(call(plugin, "die", 0, &answer, "signal 9"), -EIO);
        assert_int_equal(call(plugin, "odd", 0, &answer, "exit code 42"), -EIO);
        assert_int_equal(call(plugin, "slow", 100, &answer, "0.1 s"), -ETIMEDOUT);
        assert_int_equal(call(plugin, "two", 0, &answer, "one JSON object"), -EBADMSG);
        assert_int_equal(call(plugin, "unknown", 0, &answer, "not support"), -EOPNOTSUPP);
        assert_null(answer);
}

static void collect(void *arg, const char *line)
{
        str_addf(arg, "%s;", line);
}

static void test_messages_and_size(void **state)
{
        CLEANUP(plugin_freep)
        struct plugin *plugin =
                load("talk", DESCRIBE "talk) echo one >&2; echo two >&2;; "
                                      "big) printf '{\"a\": \"'; head -c 3000000 /dev/zero | tr '\\0' x; "
                                      "printf '\"}';; huge) head -c 20000000 /dev/zero | tr '\\0' x; esac");
        CLEANUP_STR struct str lines = {0};
        json_t *answer = NULL;

        (void)state;
        assert_int_equal(plugin_call(plugin,
                                     &(struct plugin_call){.method = "talk", .on_message = collect, .arg = &lines},
                                     &answer, NULL),
                         0);
        assert_string_equal(str_get(&lines), "one;two;");
        json_decref(answer);
        assert_int_equal(call(plugin, "big", 0, &answer, ""), 0);
        assert_int_equal(json_string_length(json_object_get(answer, "a")), 3000000);
        json_decref(answer);
        assert_int_equal(call(plugin, "huge", 0, &answer, "more than 16 MiB"), -EFBIG);
}

static void test_not_runnable(void **state)
{
        CLEANUP_FREE char *path = path_join(folder, "slipway-provisioner-lost");

        (void)state;
        assert_int_equal(file_write(path, "#!/no/such/interpreter\n", 23, 0755, NULL), 0);
        assert_int_equal(load_fails("lost", NULL, "interpreter"), -ENOEXEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_find_order),
                cmocka_unit_test(test_describe),
                cmocka_unit_test(test_call),
                cmocka_unit_test(test_messages_and_size),
                cmocka_unit_test(test_not_runnable),
        };
        int failed;

        if (!mkdtemp(folder))
                return 1;
        setenv("SLIPWAY_PLUGIN_PATH", folder, 1);
        unsetenv("XDG_CONFIG_HOME");
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        tree_remove(folder, NULL);
        return failed;
}
