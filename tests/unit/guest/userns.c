/* The namespaces of a build: entering, ids, errors, being cancelled and killed. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "base/spawn.h"
#include "guesttest.h"

static struct userns *ns;

static int chown_it(void *arg, struct error *err)
{
        struct stat st;

        if (getuid() != 0 || getgid() != 0 || getgroups(0, NULL) != 0)
                return error_set(err, EPERM, "not root");
        if (file_write(arg, "x", 1, 0640, err) < 0)
                return -EIO;
        if (chown(arg, 33, 65534) < 0 || stat(arg, &st) < 0)
                return error_errno(err, errno, "chown");
        return st.st_uid == 33 && st.st_gid == 65534 ? 5 : -EINVAL;
}

static void test_call_may_chown(void **state)
{
        char *dir = scratch_new();
        CLEANUP_FREE char *path = path_join(dir, "file");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(userns_call(ns, chown_it, path, &err), 5);
        scratch_free(ns, dir);
}

static int give_reason(void *arg, struct error *err)
{
        (void)arg;
        return error_set(err, ENOTTY, "the %s reason", "true");
}

static int die(void *arg, struct error *err)
{
        (void)arg;
        (void)err;
        raise(SIGKILL);
        return 0;
}

static void test_errors_come_back(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(userns_call(ns, give_reason, NULL, &err), -ENOTTY);
        assert_string_equal(err.message, "the true reason");
        assert_int_equal(userns_call(ns, die, NULL, &err), -EIO);
        assert_non_null(strstr(err.message, "signal 9"));
}

static int mount_something(void *arg, struct error *err)
{
        (void)arg;
        return mount("slipway-test", "/mnt", "tmpfs", 0, NULL) < 0 ? error_errno(err, errno, "mount") : 0;
}

static int see_mount(void *arg, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        int r = file_read("/proc/self/mounts", 0, &text, NULL, err);

        (void)arg;
        return r < 0 ? r : strstr(text, "slipway-test") != NULL;
}

static void test_mounts_stay_inside(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(userns_call(ns, mount_something, NULL, &err), 0);
        assert_int_equal(userns_call(ns, see_mount, NULL, &err), 1);
        assert_int_equal(see_mount(NULL, &err), 0);
}

static int nested(void *arg, struct error *err)
{
        (void)arg;
        return userns_call(ns, see_mount, NULL, err);
}

static void test_calls_nest(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(userns_call(ns, nested, NULL, &err), 1);
}

static void first_line(void *arg, bool is_stderr, const char *line)
{
        char **to = arg;

        if (!is_stderr && !*to)
                *to = xstrdup(line);
}

static void test_spawn_enters(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *line = NULL, *cwd = getcwd(NULL, 0), *want = xasprintf("0 %s", cwd);
        const char *argv[] = {"sh", "-c", "echo $(id -u) $(pwd)", NULL};
        struct spawn spawn = {
                .argv = argv, .enter = userns_enter, .enter_arg = ns, .on_line = first_line, .arg = &line};

        (void)state;
        assert_int_equal(spawn_check(&spawn, &err), 0);
        assert_string_equal(line, want);
}

static int wait_for_cancel(void *arg, struct error *err)
{
        int *pipe_w = arg;

        if (write(*pipe_w, "r", 1) != 1)
                return -EIO;
        for (int i = 0; i < 200 && !cancel_requested(); i++)
                poll(NULL, 0, 50);
        if (write(*pipe_w, "c", 1) != 1)
                return -EIO;
        return cancel_check(err);
}

/* A process that calls and is then cancelled: the call's own clean-up runs. */
static void test_cancel_reaches_the_call(void **state)
{
        int pipes[2], status;
        char byte;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                cancel_install();
                _exit(userns_call(ns, wait_for_cancel, &pipes[1], NULL) == -ECANCELED ? 9 : 1);
        }
        close(pipes[1]);
        assert_int_equal(read(pipes[0], &byte, 1), 1);
        kill(pid, SIGTERM);
        assert_int_equal(read(pipes[0], &byte, 1), 1);
        assert_int_equal(byte, 'c');
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
        close(pipes[0]);
}

static int hang(void *arg, struct error *err)
{
        (void)err;
        if (write(*(int *)arg, "r", 1) == 1)
                for (;;)
                        pause();
        return 0;
}

/* kill -9 of the caller ends the call: its end of the pipe closes. */
static void test_kill_ends_the_call(void **state)
{
        int pipes[2];
        char byte;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                userns_call(ns, hang, &pipes[1], NULL);
                _exit(0);
        }
        close(pipes[1]);
        assert_int_equal(read(pipes[0], &byte, 1), 1);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(poll(&(struct pollfd){.fd = pipes[0]}, 1, 5000), 1);
        assert_int_equal(read(pipes[0], &byte, 1), 0);
        close(pipes[0]);
}

/* Inside a user namespace whose own limit is 0, none can be made: the message names the switch. */
static int without_namespaces(void *arg, struct error *err)
{
        CLEANUP_CLOSE int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
        struct userns *inner = NULL;
        CLEANUP_ERROR struct error why = {0};

        (void)arg;
        if (fd < 0 || write(fd, "0\n", 2) != 2)
                return error_errno(err, errno, "write max_user_namespaces");
        if (userns_new(&inner, &why) == 0)
                return error_set(err, EEXIST, "a user namespace was made");
        return strstr(error_message(&why), "sysctl -w user.max_user_namespaces")
                       ? 0
                       : error_set(err, EINVAL, "%s", why.message);
}

static void test_switched_off(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct userns *own = userns_or_skip();
        int r = userns_call(own, without_namespaces, NULL, &err);

        (void)state;
        userns_free(own);
        if (r == -EACCES || r == -EROFS)
                skip();
        if (r < 0)
                fprintf(stderr, "%s\n", err.message);
        assert_int_equal(r, 0);
}

/* In a user namespace with two ids, as root inside: identity of both. */
static int inner_namespace(void *arg, struct error *err)
{
        struct userns *inner = NULL;
        int r = userns_new(&inner, err);

        (void)arg;
        if (r == 0)
                r = userns_call(inner, give_reason, NULL, err) == -ENOTTY ? 3 : -EINVAL;
        userns_free(inner);
        return r;
}

static void test_namespaces_nest(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(userns_call(ns, inner_namespace, NULL, &err), 3);
}

/* In a child: an ordinary user with this PATH and uid; the message of userns_new. */
static void refused(const char *path, uid_t uid, const char *want)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                struct userns *none = NULL;
                struct error err = {0};

                if (path)
                        setenv("PATH", path, 1);
                if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
                        _exit(2);
                if (userns_new(&none, &err) == 0)
                        _exit(3);
                fprintf(stderr, "# %s\n", err.message);
                _exit(strstr(err.message, want) ? 0 : 4);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_user_without_subids(void **state)
{
        (void)state;
        if (getuid() != 0)
                skip();
        refused(NULL, 54321, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 54321");
}

static void test_without_newuidmap(void **state)
{
        (void)state;
        /* program_find also looks in /usr/sbin and /sbin, where it is not. */
        if (getuid() == 0 || access("/usr/sbin/newuidmap", F_OK) == 0)
                skip();
        refused("/nonexistent", 0, "apt-get install uidmap");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_call_may_chown),     cmocka_unit_test(test_errors_come_back),
                cmocka_unit_test(test_mounts_stay_inside), cmocka_unit_test(test_calls_nest),
                cmocka_unit_test(test_spawn_enters),       cmocka_unit_test(test_cancel_reaches_the_call),
                cmocka_unit_test(test_kill_ends_the_call), cmocka_unit_test(test_switched_off),
                cmocka_unit_test(test_namespaces_nest),    cmocka_unit_test(test_user_without_subids),
                cmocka_unit_test(test_without_newuidmap),
        };
        int r;

        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
