/* Provisioners that need no guest: sleep, breakpoint, shell-local; and the table of all. */
#include "fixture.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cancel.h"

static void test_names(void **state)
{
        const struct provisioner_type *type = NULL;
        CLEANUP_ERROR struct error err = {0};
        size_t n = 0;

        (void)state;
        for (const char *const *name = provisioner_names(); *name; name++, n++) {
                type = provisioner_find(*name);
                assert_non_null(type);
                assert_string_equal(type->name, *name);
                assert_non_null(type->run);
                for (size_t i = 0; i < type->schema->n_keys; i++)
                        assert_false(str_empty(type->schema->keys[i].help));
        }
        assert_int_equal(n, 7);
        assert_null(provisioner_find("no-such-type"));
        assert_int_equal(provisioner_lookup("shel", &type, &err), -ENOENT);
        assert_non_null(strstr(error_message(&err), "did you mean 'shell'?"));
}

static void test_sleep(void **state)
{
        struct fixture *f = *state;

        assert_true(provisioner_find("sleep")->on_host);
        assert_runs(f, "sleep", "{\"duration\": \"30ms\"}");
        assert_shows(f, "Sleeping for 30ms...");
        assert_check_refuses(f, "sleep", "{}", "needs the key 'duration'");
        assert_check_refuses(f, "sleep", "{\"duration\": \"-1s\"}", "negative");
        assert_check_refuses(f, "sleep", "{\"duration\": 5}", "needs a unit");
}

static void test_breakpoint(void **state)
{
        struct fixture *f = *state;
        int was = dup(0), null = open("/dev/null", O_RDONLY);

        dup2(null, 0);
        assert_runs(f, "breakpoint", "{\"note\": \"look here\"}");
        assert_shows(f, "Pausing at breakpoint provisioner with note \"look here\".");
        assert_shows(f, "no terminal");
        assert_runs(f, "breakpoint", "{}");
        assert_shows(f, "Pausing at breakpoint provisioner.");
        assert_runs(f, "breakpoint", "{\"note\": \"x\", \"disable\": true}");
        assert_shows(f, "with note \"x\" disabled; continuing...");
        assert_runs(f, "breakpoint", "{\"disable\": \"true\"}");
        dup2(was, 0);
        close(was);
        close(null);
}

/* On a terminal it waits until Enter is pressed. */
static void test_breakpoint_terminal(void **state)
{
        struct fixture *f = *state;
        int master = -1, was = dup(0), slave = -1, status = 0;
        pid_t pid;

        assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
        dup2(slave, 0);
        fflush(stdout);
        pid = fork();
        if (pid == 0)
                _exit(fixture_run(f, "breakpoint", "{}") == 0 ? 0 : 1);
        usleep(150 * 1000);
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it waits */
        assert_int_equal(write(master, "x\n", 2), 2);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        dup2(was, 0);
        close(was);
        close(slave);
        close(master);
}

/* Ctrl-C ends a pause at once. */
static void test_cancel(void **state)
{
        struct fixture *f = *state;
        int status = 0;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                cancel_install();
                raise(SIGINT);
                _exit(fixture_run(f, "sleep", "{\"duration\": \"1h\"}") == -ECANCELED ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void test_shell_local(void **state)
{
        struct fixture *f = *state;

        assert_true(provisioner_find("shell-local")->on_host);
        assert_runs(f, "shell-local", "{\"inline\": [\"echo $PACKER_BUILD_NAME {{build `ID`}}\", \"id -u\"]}");
        assert_shows(f, "==> test: Running local shell script: inline\n");
        assert_shows(f, "==> test: pi the-id\n");
        assert_fails(f, "shell-local", "{\"inline\": [\"echo the reason; exit 3\"]}", "exit code 3; expected 0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup_teardown(test_sleep, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_breakpoint, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_breakpoint_terminal, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_cancel, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_shell_local, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
