/* shell-local: every key, on the real shell. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "local/local.h"
#include "step.h"

static int64_t timeout_ms = 30000;
static char folder[] = "/tmp/slipway-local.XXXXXX";

/* Run a config; what it printed is in *out. */
static int run(const char *json, char **out, const char *want_error)
{
        CLEANUP_STEP struct step step = {0};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = path_join(folder, "output");
        const struct interp_pair none = {0};
        const struct interp interp = {.user = &none};
        const struct script_context context = {
                .build_name = "pi", .builder_type = "arm", .interp = &interp, .timeout_ms = timeout_ms};
        int r;

        assert_reads(&step, &local_provisioner_schema, local_check, json);
        unlink(path);
        setenv("OUT", path, 1);
        r = local_run(step.config, &context, &err);
        if (!strstr(error_message(&err), want_error ? want_error : "") || (r == 0) != !want_error)
                fail_msg("%s: %d, no '%s' in: %s", json, r, want_error ? want_error : "success", error_message(&err));
        if (out && file_read(path, 0, out, NULL, NULL) < 0)
                *out = xstrdup("");
        return r;
}

static void gives(const char *json, const char *want)
{
        CLEANUP_FREE char *out = NULL;

        run(json, &out, NULL);
        if (strcmp(out, want) != 0)
                fail_msg("%s: gives '%s'; expected '%s'", json, out, want);
}

static void script(const char *name, const char *text, mode_t mode)
{
        assert_int_equal(file_write(name, text, strlen(text), mode, NULL), 0);
}

static void test_inline(void **state)
{
        (void)state;
        gives("{\"inline\": [\"x=1\", \"echo $x >$OUT\"]}", "1\n");
        gives("{\"command\": \"echo two >$OUT\"}", "two\n");
        gives("{\"inline\": [\"false\", \"echo >$OUT\"], \"inline_shebang\": \"/bin/sh\"}", "\n");
        gives("{\"inline\": [\"#!/bin/sh\", \"false\", \"echo >$OUT\"]}", "\n");
        run("{\"inline\": [\"echo why; false\", \"echo >$OUT\"]}", NULL,
            "local script 'inline': ended with exit code 1");
        run("{\"inline\": [\"echo why; false\"]}", NULL, "\n    why");
        gives("{\"inline\": [\"echo ${0##*.} >$OUT\"], \"tempfile_extension\": \".py\"}", "py\n");
        gives("{\"inline\": [\"echo ${0##*.} >$OUT\"], \"tempfile_extension\": \"sh\"}", "sh\n");
        gives("{\"inline\": [\"exit 3\"], \"valid_exit_codes\": [0, 3]}", "");
        run("{\"inline\": [\"exit 2\"], \"valid_exit_codes\": [0, 3]}", NULL, "expected 0, 3");
}

static void test_vars(void **state)
{
        (void)state;
        gives("{\"inline\": [\"echo $A $B $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $PACKER_HTTP_PORT >$OUT\"], "
              "\"environment_vars\": [\"A=it's\", \"B=1\"], \"env\": {\"B\": \"2 3\"}}",
              "it's 2 3 pi arm 0\n");
        gives("{\"inline\": [\"echo $A >$OUT\"], \"env\": {\"A\": \"x\"}, \"env_var_format\": \"%s=%s.sh \"}",
              "x.sh\n");
        gives("{\"inline\": [\"true\"], \"execute_command\": [\"sh\", \"-c\", \"cat $1 >$OUT\", \"sh\", "
              "\"{{.Script}}\"]}",
              "#!/bin/sh -e\ntrue\n");
        gives("{\"inline\": [\"true\"], \"env\": {\"A\": \"x\"}, \"env_var_format\": \"%s-%s,\", "
              "\"execute_command\": [\"sh\", \"-c\", \"echo $1 | cut -c1-4 >$OUT\", \"sh\", \"{{.Vars}}\"]}",
              "A-x,\n");
}

static void test_scripts(void **state)
{
        char cwd[4096];

        (void)state;
        assert_non_null(getcwd(cwd, sizeof(cwd)));
        assert_int_equal(chdir(folder), 0);
        script("one.sh", "#!/bin/sh\necho one >>$OUT\n", 0755);
        script("it is two.sh", "#!/bin/sh\necho two >>$OUT\n", 0755);
        script("plain.sh", "#!/bin/sh\n", 0644);
        gives("{\"script\": \"one.sh\"}", "one\n");
        gives("{\"scripts\": [\"one.sh\", \"./it is two.sh\"]}", "one\ntwo\n");
        run("{\"script\": \"plain.sh\"}", NULL, "chmod +x plain.sh");
        timeout_ms = 300;
        run("{\"inline\": [\"sleep 60\"]}", NULL, "did not end within 0.3 s");
        timeout_ms = 30000;
        assert_int_equal(chdir(cwd), 0);
}

static void test_only_on(void **state)
{
        (void)state;
        gives("{\"inline\": [\"echo x >$OUT\"], \"only_on\": [\"windows\", \"darwin\"]}", "");
        gives("{\"inline\": [\"echo x >$OUT\"], \"only_on\": [\"windows\", \"linux\"]}", "x\n");
}

static void refused(const char *json, const char *want)
{
        CLEANUP_STEP struct step step = {0};

        assert_refused(&step, &local_post_processor_schema, local_check, json, want);
}

static void test_refused(void **state)
{
        (void)state;
        refused("{}", "exactly one of inline, script, scripts, command");
        refused("{\"inline\": [\"a\"], \"command\": \"b\"}", "several things to run");
        refused("{\"script\": \"/no/such/file\"}", "script '/no/such/file': No such file");
        refused("{\"scripts\": [\"/tmp\"]}", "is a folder");
        refused("{\"inline\": [\"a\"], \"only_on\": [\"plan9\"]}", "unknown operating system 'plan9'");
        refused("{\"inline\": [\"a\"], \"environment_vars\": [\"=x\"]}", "expected NAME=VALUE");
        refused("{\"inline\": [\"a\"], \"environment_vars\": [\"x\"]}", "expected NAME=VALUE");
        refused("{\"inline\": [\"a\"], \"env_var_format\": \"%s\"}", "env_var_format");
        refused("{\"inline\": [\"a\"], \"execute_command\": [\"{{.Path}}\"]}", "Path");
        refused("{\"inline\": [\"a\"], \"execute_command\": [\"{{nonsense}}\"]}", "nonsense");
        refused("{\"inline\": [\"a\"], \"valid_exit_codes\": [256]}", "256 is no exit code");
        refused("{\"inline\": [\"a\"], \"tempfile_extension\": \"a/b\"}", "slash");
        refused("{\"inlin\": [\"a\"]}", "did you mean 'inline'");
}

static void test_leaves_nothing(void **state)
{
        CLEANUP_FREE char *dir = path_join(folder, "scratch");
        CLEANUP_FREE char *missing = path_join(folder, "missing");

        (void)state;
        assert_int_equal(mkdir(dir, 0700), 0);
        setenv("TMPDIR", dir, 1);
        gives("{\"inline\": [\"echo x >$OUT\"]}", "x\n");
        run("{\"inline\": [\"false\"]}", NULL, "exit code 1");
        assert_int_equal(rmdir(dir), 0);
        setenv("TMPDIR", missing, 1);
        run("{\"inline\": [\"true\"]}", NULL, "create '");
        unsetenv("TMPDIR");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_inline),  cmocka_unit_test(test_vars),    cmocka_unit_test(test_scripts),
                cmocka_unit_test(test_only_on), cmocka_unit_test(test_refused), cmocka_unit_test(test_leaves_nothing),
        };
        int failed;

        if (!mkdtemp(folder))
                return 1;
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        tree_remove(folder, NULL);
        return failed;
}
