/* shell: every key and every error, in a real guest. */
#include "fixture.h"

static void test_inline(void **state)
{
        struct fixture *f = *state;

        assert_runs(f, "shell", "{\"inline\": [\"x=1\", \"echo $x >/marker\", \"echo shown\", \"echo warned >&2\"]}");
        assert_guest_file(f, "/marker", "1\n");
        assert_shows(f, "==> test: Provisioning with shell script: inline\n");
        assert_shows(f, "==> test: shown\n");
        assert_shows(f, "==> test: warned\n");
        assert_fails(f, "shell", "{\"inline\": [\"echo the reason\", \"false\", \"echo >/never\"]}",
                     "shell script 'inline': ended with exit code 1; expected 0. Its last lines:\n    the reason");
        assert_guest_file(f, "/never", NULL);
        assert_runs(f, "shell", "{\"inline\": [\"false\", \"true\"], \"inline_shebang\": \"/bin/sh\"}");
        assert_runs(f, "shell", "{\"inline\": [\"#!/bin/awk -f\", \"BEGIN { print 6 * 7 >\\\"/answer\\\" }\"]}");
        assert_guest_file(f, "/answer", "42\n");
        assert_runs(f, "shell", "{\"inline\": [\"echo {{user `name`}} {{build_name}} {{build `ID`}} >/late\"]}");
        assert_guest_file(f, "/late", "value pi the-id\n");
}

static void test_scripts(void **state)
{
        struct fixture *f = *state;

        fixture_file(f, "one.sh", "#!/bin/sh\necho one >>/order\n", 0644);
        fixture_file(f, "two.sh", "#!/bin/sh\r\necho two >>/order\r\n", 0644);
        assert_runs(f, "shell", "{\"script\": \"%s/one.sh\"}");
        assert_runs(f, "shell", "{\"scripts\": [\"%s/two.sh\", \"%s/one.sh\"]}");
        assert_guest_file(f, "/order", "one\ntwo\none\n");
        assert_shows(f, "two.sh\n");
        assert_fails(f, "shell", "{\"script\": \"%s/two.sh\", \"binary\": true}", "Its lines end in CRLF");
        assert_fails(f, "shell",
                     "{\"script\": \"%s/two.sh\", \"binary\": true, \"execute_command\": \"sh {{.Path}}\", "
                     "\"valid_exit_codes\": [9]}",
                     "expected 9");
}

/* Whether a shell starts it or not, a script sees the same environment, but for how deep shells are nested. */
static void test_environment(void **state)
{
        struct fixture *f = *state;

        assert_runs(f, "shell",
                    "{\"inline\": [\"tr '\\\\0' '\\\\n' </proc/$$/environ | grep -v ^SHLVL= | sort >/direct\"], "
                    "\"environment_vars\": [\"A=it's\", \"PWD=/srv\"]}");
        assert_runs(f, "shell",
                    "{\"inline\": [\"tr '\\\\0' '\\\\n' </proc/$$/environ | grep -v ^SHLVL= | sort >/by-shell\"], "
                    "\"environment_vars\": [\"A=it's\", \"PWD=/srv\"], \"execute_command\": \"{{.Vars}} {{.Path}}\"}");
        assert_runs(f, "shell", "{\"inline\": [\"diff /direct /by-shell\", \"grep -q ^A=it.s /direct\"]}");
}

static void test_vars(void **state)
{
        struct fixture *f = *state;

        assert_runs(f, "shell",
                    "{\"inline\": [\"echo $A $B $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE "
                    "${PACKER_HTTP_ADDR?}${PACKER_HTTP_IP?}${PACKER_HTTP_PORT?} >/vars\"], "
                    "\"environment_vars\": [\"A=it's\", \"B=1\"], \"env\": {\"B\": \"$x {{build `ID`}}\"}}");
        assert_guest_file(f, "/vars", "it's $x the-id pi arm 0\n");
        assert_runs(f, "shell",
                    "{\"inline\": [\"echo $A >/vars; ls /tmp >/tmp.list\"], \"environment_vars\": [\"A=a b\"], "
                    "\"use_env_var_file\": true}");
        assert_guest_file(f, "/vars", "a b\n");
        assert_runs(f, "shell",
                    "{\"inline\": [\"true\"], \"environment_vars\": [\"A=1\"], \"env_var_format\": \"%[2]s:%[1]s \", "
                    "\"execute_command\": \"echo '{{.Vars}}' >/vars\"}");
        assert_guest_file(f, "/vars",
                          "1:A arm:PACKER_BUILDER_TYPE pi:PACKER_BUILD_NAME :PACKER_HTTP_ADDR :PACKER_HTTP_IP "
                          "0:PACKER_HTTP_PORT \n");
        assert_runs(f, "shell",
                    "{\"inline\": [\"true\"], \"use_env_var_file\": true, \"environment_vars\": [\"A=1\"], "
                    "\"execute_command\": \"cat {{.EnvVarFile}} >/vars; stat -c %a {{.EnvVarFile}} >/mode\"}");
        assert_guest_file(f, "/mode", "600\n");
        assert_guest_file(f, "/vars",
                          "export A='1'\nexport PACKER_BUILDER_TYPE='arm'\nexport PACKER_BUILD_NAME='pi'\n"
                          "export PACKER_HTTP_ADDR=''\nexport PACKER_HTTP_IP=''\nexport PACKER_HTTP_PORT='0'\n");
}

static void test_host_is_not_seen(void **state)
{
        struct fixture *f = *state;

        setenv("SECRET_OF_THE_HOST", "x", 1);
        assert_runs(f, "shell", "{\"inline\": [\"env >/env\"]}");
        assert_runs(f, "shell", "{\"inline\": [\"! grep SECRET_OF_THE_HOST /env\"]}");
        unsetenv("SECRET_OF_THE_HOST");
}

static void test_remote(void **state)
{
        struct fixture *f = *state;
        CLEANUP_FREE char *path = NULL;

        assert_runs(f, "shell", "{\"inline\": [\"echo $0 >/path\"]}");
        path = fixture_cat(f, "/path");
        assert_true(str_starts(path, "/tmp/script_"));
        assert_runs(f, "shell", "{\"inline\": [\"echo $0 >/path\"], \"skip_clean\": true}");
        assert_guest_file(f, "/path", path); /* the same bytes: the same name */
        assert_runs(f, "shell", "{\"inline\": [\"echo $0 >/path\"]}");
        free(path);
        path = fixture_cat(f, "/path"); /* that name is taken now: the next one */
        assert_runs(f, "shell", "{\"inline\": [\"ls /tmp >/tmp.list\"]}");
        assert_runs(f, "shell",
                    "{\"inline\": [\"echo $0 >/path\"], \"remote_folder\": \"/root\", \"remote_file\": \"a\"}");
        assert_guest_file(f, "/path", "/root/a\n");
        assert_runs(f, "shell", "{\"inline\": [\"echo $0 >/path\"], \"remote_path\": \"/home/b\"}");
        assert_guest_file(f, "/path", "/home/b\n");
        assert_guest_file(f, "/home/b", NULL);
        assert_guest_file(f, "/root/a", NULL);
        assert_runs(f, "shell", "{\"inline\": [\"rm $0\"]}");
        assert_runs(f, "shell", "{\"inline\": [\"pwd >/path\"], \"remote_folder\": \"/not/there\"}");
        assert_guest_file(f, "/path", "/\n");
        assert_runs(f, "shell", "{\"inline\": [\"test ! -e /not\"]}");
}

static void test_exit_codes(void **state)
{
        struct fixture *f = *state;

        assert_runs(f, "shell", "{\"inline\": [\"exit 3\"], \"valid_exit_codes\": [0, 3]}");
        assert_fails(f, "shell", "{\"inline\": [\"exit 4\"], \"valid_exit_codes\": [0, 3]}",
                     "exit code 4; expected 0, 3");
        assert_fails(f, "shell", "{\"inline\": [\"kill -9 $$\"]}", "signal 9");
        assert_runs(f, "shell", "{\"inline\": [\"kill -9 $$\"], \"expect_disconnect\": true}");
        assert_runs(f, "shell", "{\"inline\": [\"kill -9 $$\"], \"valid_exit_codes\": [0, 2300218]}");
        assert_fails(f, "shell", "{\"inline\": [\"exit 1\"], \"expect_disconnect\": true}", "exit code 1");
        assert_fails(f, "shell", "{\"inline\": [\"#!/bin/bash\", \"true\"]}",
                     "asks for '/bin/bash', which the guest does not have");
        assert_fails(f, "shell", "{\"inline\": [\"no-such-command\"]}", "exit code 127");
        f->context.timeout_ms = 500;
        assert_fails(f, "shell", "{\"inline\": [\"sleep 60\"]}", "shell script 'inline': ");
        f->context.timeout_ms = 60000;
        assert_runs(f, "shell", "{\"inline\": [\"true\"], \"pause_after\": \"20ms\", \"start_retry_timeout\": \"1s\"}");
        assert_shows(f, "Pausing 20ms after this provisioner...");
}

static void test_leaves_nothing(void **state)
{
        struct fixture *f = *state;
        CLEANUP_FREE char *layer = NULL, *tmp = path_join(f->base, "tmp"), *upper_tmp = path_join(f->upper, "tmp");
        struct stat before, after;

        assert_int_equal(stat(tmp, &before), 0);
        assert_runs(f, "shell", "{\"inline\": [\"echo >/marker\"], \"use_env_var_file\": true}");
        fixture_stop(f);
        layer = fixture_layer(f);
        if (!str_eq(layer, "./marker ./tmp ") && !str_eq(layer, "./marker "))
                fail_msg("the layer holds %s", layer);
        if (stat(upper_tmp, &after) == 0) {
                assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
                assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
                assert_int_equal(before.st_mode, after.st_mode);
        }
}

static void test_refused(void **state)
{
        struct fixture *f = *state;

        assert_check_refuses(f, "shell", "{}", "expected exactly one of inline, script, scripts");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"script\": \"%s\"}", "several things to run");
        assert_check_refuses(f, "shell", "{\"script\": \"%s/missing\"}", "No such file");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"environment_vars\": [\"A\"]}", "NAME=VALUE");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"execute_command\": \"{{.Script}}\"}", "Script");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"execute_command\": \"{{.Path\"}", "Path");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"remote_path\": \"x\"}", "no absolute path");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"remote_folder\": \"x\"}", "no absolute path");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"remote_file\": \"x/y\"}", "has a slash");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"valid_exit_codes\": [-1]}", "no exit code");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"pause_after\": 5}", "needs a unit");
        assert_check_refuses(f, "shell", "{\"inline\": [\"a\"], \"exec_command\": \"\"}", "'execute_command'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_inline, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_scripts, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_environment, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_vars, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_host_is_not_seen, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_remote, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_exit_codes, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_leaves_nothing, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
        };
        int skip = fixture_main_skip();

        return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}
