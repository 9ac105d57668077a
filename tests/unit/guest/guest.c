/* A guest: what runs in it, what it sees, what is left of it. */
#include "test.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/spawn.h"
#include "guesttree.h"

static struct userns *ns;

static void test_runs_and_sees_itself_only(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);

        (void)state;
        tree_expect(guest, "echo hello; pwd; id -u; hostname", "hello\n/\n0\nvessel\n");
        tree_expect(
                guest, "echo $HOME $LANG $PATH; env | wc -l",
                "/root C.UTF-8 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n5\n"); /* and PWD, SHLVL */
        tree_expect(guest,
                    "echo x > /dev/null; ls /dev/fd/0; test -c /dev/pts/ptmx && test -w "
                    "/dev/shm; echo ok > /dev/stderr",
                    "/dev/fd/0\nE:ok\n");
        tree_expect(guest, "cat /proc/1/environ | wc -c; ls /proc/1/root", "0\nroot\n");
        tree_stop(guest);
        tree_upper_is(tree, "proc", "-");
        tree_upper_is(tree, "dev", "-");
        tree_upper_is(tree, "etc", "-");
        tree_free(tree);
}

/* A host whose cat is one of the names of busybox. */
static void test_host_of_busybox(void **state)
{
        CLEANUP_FREE char *before = xstrdup(getenv("PATH")), *dir = scratch_new(), *cat = path_join(dir, "cat");
        CLEANUP_FREE char *path = xasprintf("%s:%s", dir, before);
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest;

        (void)state;
        assert_int_equal(symlink("/usr/bin/busybox", cat), 0);
        setenv("PATH", path, 1);
        guest = tree_start(tree);
        tree_expect(guest, "echo up", "up\n");
        tree_stop(guest);
        setenv("PATH", before, 1);
        tree_free(tree);
        scratch_free(NULL, steal(&dir));
}

/* What init has mounted, and what a provisioner may mount. */
static void test_mounts(void **state)
{
        static const struct guest_mount more[] = {{"bind", "/usr/share", "/opt/deep/share"},
                                                  {"tmpfs", "tmpfs", "/scratch"}};
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start_with(tree, (struct guest_config){.more_mounts = more, .n_more_mounts = 2});

        (void)state;
        tree_expect(guest, "test -d /opt/deep/share/doc && echo yes; echo 1 > /scratch/x; cat /scratch/x", "yes\n1\n");
        tree_expect(guest, "mkdir /boot /boot-tmp; mount --bind /boot /boot-tmp; echo k > /boot-tmp/k; cat /boot/k",
                    "k\n");
        tree_expect(guest, "echo 1 2>/dev/null > /proc/sys/vm/drop_caches || echo refused", "refused\n");
        tree_expect(guest, "touch /sys/x 2>/dev/null || echo refused", "refused\n");
        tree_stop(guest);
        tree_upper_is(tree, "boot/k", "f:k\n");
        tree_upper_is(tree, "boot-tmp", "d");
        tree_upper_is(tree, "boot-tmp/k", "-");
        tree_upper_is(tree, "opt", "-");
        tree_upper_is(tree, "scratch", "-");
        tree_free(tree);
}

static void test_mount_that_cannot_be(void **state)
{
        static const struct guest_mount mounts[] = {{"ext4", "/dev/sda1", "/mnt"}};
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        const char *lowers[] = {tree->base, NULL};
        CLEANUP_ERROR struct error err = {0};
        struct guest *guest = NULL;
        struct guest_config config = {.lowers = lowers,
                                      .upper = tree->upper,
                                      .work = tree->work,
                                      .scratch = tree->scratch,
                                      .mounts = mounts,
                                      .n_mounts = 1};

        (void)state;
        assert_true(guest_start(ns, &config, &guest, &err) < 0);
        assert_non_null(strstr(err.message, "/mnt"));
        assert_non_null(strstr(err.message, "ext4"));
        tree_free(tree);
}

static void test_exit_codes(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        CLEANUP_ERROR struct error err = {0};
        const char *none[] = {"no-such-command", NULL}, *looked_up[] = {"true", NULL}, *text[] = {"/etc/passwd", NULL};
        int status = -1;

        (void)state;
        free(tree_sh(guest, "exit 7", 7));
        free(tree_sh(guest, "kill -TERM $$", 128 + SIGTERM));
        free(tree_sh(guest, "kill -KILL $$", 128 + SIGKILL));
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = looked_up}, &status, &err), 0);
        assert_int_equal(status, 0);
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = none}, &status, &err), -ENOENT);
        assert_non_null(strstr(err.message, "no-such-command"));
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = text}, &status, &err), -EACCES);
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = looked_up, .cwd = "/nowhere"}, &status, &err),
                         -ENOENT);
        assert_non_null(strstr(err.message, "/nowhere"));
        tree_stop(guest);
        tree_free(tree);
}

static void test_environment(void **state)
{
        static const char *const own[] = {"COLOR=red", "LANG=C", NULL};
        static const char *const more[] = {"COLOR=blue", "SIZE=3", NULL};
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start_with(tree, (struct guest_config){.env = own});
        const char *argv[] = {"sh", "-c", "echo $COLOR $LANG $SIZE; pwd", NULL};
        CLEANUP_STR struct str out = {0};
        int status;

        (void)state;
        tree_expect(guest, "echo $COLOR $LANG", "red C\n");
        assert_int_equal(guest_run(guest,
                                   &(struct guest_command){
                                           .argv = argv, .env = more, .cwd = "/tmp", .on_line = tree_line, .arg = &out},
                                   &status, NULL),
                         0);
        assert_string_equal(str_get(&out), "blue C 3\n/tmp\n");
        tree_stop(guest);
        tree_free(tree);
}

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_timeout_ends_all(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        const char *argv[] = {"sh", "-c", "setsid sleep 1234 & trap '' TERM; sleep 1234", NULL};
        CLEANUP_ERROR struct error err = {0};
        int status;

        (void)state;
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = argv, .timeout_ms = 300}, &status, &err),
                         -ETIMEDOUT);
        tree_expect(guest, "ps | grep -c '[s]leep 1234'; true", "0\n");
        tree_stop(guest);
        tree_free(tree);
}

static void test_background_keeps_nobody(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        int64_t start = now_ms();

        (void)state;
        tree_expect(guest, "sleep 1234 & echo done", "done\n");
        free(tree_sh(guest, "yes & true", 0));
        assert_true(now_ms() - start < 5000);
        tree_stop(guest);
        tree_free(tree);
}

static void test_zombies_are_reaped(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);

        (void)state;
        free(tree_sh(guest, "(sleep 0.1 & sleep 0.1 &) ; sleep 0.4", 0));
        tree_expect(guest, "grep -l '^State:.Z' /proc/[0-9]*/status; true", "");
        tree_stop(guest);
        tree_free(tree);
}

/* The next layer sees the first; a removed file stays removed; folders keep their modes. */
static void test_layers(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        CLEANUP_FREE char *first = path_join(tree->dir, "first");
        const char *lowers[] = {tree->base, first, NULL};

        (void)state;
        free(tree_sh(guest, "echo one > /one; rm /etc/group; chmod 700 /tmp; chown 33:44 /one", 0));
        tree_stop(guest);
        tree_upper_is(tree, "etc/group", "w");
        assert_int_equal(rename(tree->upper, first), 0);
        assert_int_equal(mkdir(tree->upper, 0700), 0);
        guest = tree_start_with(tree, (struct guest_config){.lowers = lowers});
        tree_expect(guest, "cat /one; ls /etc; stat -c '%a %u' / /tmp /one",
                    "one\nhostname\npasswd\nresolv.conf\n755 0\n700 0\n644 33\n");
        tree_stop(guest);
        /* The same folders serve again, although the overlay was volatile. */
        guest = tree_start_with(tree, (struct guest_config){.lowers = lowers});
        tree_stop(guest);
        tree_free(tree);
}

static void test_many_layers(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        CLEANUP_STRV char **lowers = NULL;
        struct guest *guest;

        (void)state;
        strv_add(&lowers, tree->base);
        for (int i = 0; i < 100; i++) {
                CLEANUP_FREE char *layer =
                        xasprintf("%s/a-layer-with-a-name-that-is-long-enough-to-fill-a-page-soon-%d", tree->dir, i);
                CLEANUP_FREE char *name = xasprintf("file%d", i);

                tree_write(layer, name, "x");
                strv_add(&lowers, layer);
        }
        guest = tree_start_with(tree, (struct guest_config){.lowers = STRV(lowers)});
        tree_expect(guest, "ls / | grep -c file", "100\n");
        tree_stop(guest);
        tree_free(tree);
}

static void test_hard_links(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);

        (void)state;
        /* Made in one layer they stay. */
        tree_expect(guest, "echo x > /a; ln /a /b; echo y >> /b; cat /a; stat -c %h /a", "x\ny\n2\n");
        tree_stop(guest);
        tree_free(tree);
}

static int first_of(const char *const *argv, struct guest *guest, struct str *out)
{
        struct spawn spawn = {
                .argv = argv, .enter = guest_enter_mounts, .enter_arg = guest, .on_line = tree_line, .arg = out};

        return spawn_check(&spawn, NULL);
}

/* Host programs see the root, with the guest's own mounts in it, and at mount_path. */
static void test_host_programs(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        CLEANUP_FREE char *fixed = path_join(tree->dir, "fixed/root"), *outer = path_join(tree->dir, "fixed");
        CLEANUP_FREE char *script = NULL;
        CLEANUP_STR struct str out = {0};
        struct guest *guest = tree_start_with(tree, (struct guest_config){.mount_path = fixed});
        const char *argv[] = {"sh", "-c", NULL, NULL};

        (void)state;
        free(tree_sh(guest, "mkdir /b1 /b2; echo f > /b1/f; mount --bind /b1 /b2", 0));
        script = xasprintf("cat %s/b2/f; cat %s/etc/hostname; echo h > %s/from-host; test -d %s/proc/1 && echo proc; "
                           "test -e /usr/bin/newuidmap && echo host",
                           guest_root(guest), fixed, fixed, guest_root(guest));
        argv[2] = script;
        assert_int_equal(first_of(argv, guest, &out), 0);
        assert_string_equal(str_get(&out), "f\nvessel\nproc\nhost\n");
        tree_expect(guest, "cat /from-host; test -e /usr/bin/newuidmap || echo no", "h\nno\n");
        tree_stop(guest);
        assert_false(path_exists(outer));
        tree_free(tree);
}

static void test_root_without_shell(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        CLEANUP_FREE char *empty = path_join(tree->dir, "empty");
        const char *lowers[] = {empty, NULL};
        CLEANUP_ERROR struct error err = {0};
        struct guest *guest = NULL;
        struct guest_config config = {
                .lowers = lowers, .upper = tree->upper, .work = tree->work, .scratch = tree->scratch};

        (void)state;
        assert_int_equal(mkdir(empty, 0755), 0);
        assert_int_equal(guest_start(ns, &config, &guest, &err), -ENOENT);
        assert_non_null(strstr(err.message, "/bin/sh"));
        tree_free(tree);
}

/* An interactive shell on a terminal: its exit code comes back, ^C is its own. */
static void test_terminal(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        const char *argv[] = {"sh", "-i", NULL};
        const char keys[] = "echo a$((1+1)) $TERM\nsleep 1234\n";
        CLEANUP_STR struct str out = {0};
        char buffer[512];
        int terminal, status;
        ssize_t n;
        pid_t pid;

        (void)state;
        pid = forkpty(&terminal, NULL, NULL, NULL);
        if (pid == 0) {
                setenv("TERM", "vt100", 1);
                if (guest_run(guest, &(struct guest_command){.argv = argv, .terminal = true}, &status, NULL) < 0)
                        _exit(99);
                _exit(status + (tcgetpgrp(0) == getpgrp()));
        }
        assert_int_equal(write(terminal, keys, strlen(keys)), strlen(keys));
        poll(NULL, 0, 1500);
        assert_int_equal(write(terminal, "\x03", 1), 1);
        poll(NULL, 0, 300);
        assert_int_equal(write(terminal, "exit 5\n", 7), 7);
        while ((n = read(terminal, buffer, sizeof(buffer))) > 0)
                str_addn(&out, buffer, (size_t)n);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(terminal);
        assert_non_null(strstr(str_get(&out), "a2 vt100"));
        assert_null(strstr(str_get(&out), "can't access tty"));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 6); /* and the terminal is its own again */
        tree_stop(guest);
        tree_free(tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_runs_and_sees_itself_only),
                cmocka_unit_test(test_host_of_busybox),
                cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_mount_that_cannot_be),
                cmocka_unit_test(test_exit_codes),
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_timeout_ends_all),
                cmocka_unit_test(test_background_keeps_nobody),
                cmocka_unit_test(test_zombies_are_reaped),
                cmocka_unit_test(test_layers),
                cmocka_unit_test(test_many_layers),
                cmocka_unit_test(test_hard_links),
                cmocka_unit_test(test_host_programs),
                cmocka_unit_test(test_root_without_shell),
                cmocka_unit_test(test_terminal),
        };
        int r;

        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
