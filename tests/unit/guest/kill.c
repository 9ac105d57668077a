/* kill -9 of whoever has the guest, at several moments: no process, no mount, and
 * the same folders serve again. */
#include "test.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "guesttree.h"

static struct userns *ns;

/* Processes whose command line has the mark. */
static int count_marked(const char *mark)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir("/proc");
        const struct dirent *entry;
        int count = 0;

        while (dir && (entry = readdir(dir))) {
                CLEANUP_FREE char *path = xasprintf("/proc/%s/cmdline", entry->d_name), *text = NULL;
                size_t n = 0;

                if (file_read(path, 0, &text, &n, NULL) == 0 && memmem(text, n, mark, strlen(mark)))
                        count++;
        }
        return count;
}

/* The guest's first process has a pipe of ours open: whether one is left is seen by the pipe's end. */
static void killed_after(int ms)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        CLEANUP_FREE char *mark = xasprintf("9%d", getpid()), *mounts = NULL;
        CLEANUP_FREE char *script = xasprintf("setsid sleep %s & sleep %s", mark, mark);
        CLEANUP_FREE char *needle = xasprintf("sleep%c%s", 0, mark);
        struct guest *guest;
        int pipes[2];
        pid_t pid;
        char byte;

        (void)needle;
        assert_int_equal(pipe(pipes), 0); /* inherited by everything that is not exec'ed with O_CLOEXEC */
        pid = fork();
        if (pid == 0) {
                guest = tree_start(tree);
                free(tree_sh(guest, script, 0));
                _exit(0);
        }
        close(pipes[1]);
        poll(NULL, 0, ms);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(poll(&(struct pollfd){.fd = pipes[0]}, 1, 5000), 1);
        assert_int_equal(read(pipes[0], &byte, 1), 0);
        close(pipes[0]);
        assert_int_equal(count_marked(mark), 0);
        assert_int_equal(file_read("/proc/self/mounts", 0, &mounts, NULL, NULL), 0);
        assert_null(strstr(mounts, tree->dir));
        guest = tree_start(tree);
        tree_expect(guest, "echo again", "again\n");
        tree_stop(guest);
        tree_free(tree);
}

static void test_kill(void **state)
{
        (void)state;
        for (int ms = 0; ms < 60; ms += 4)
                killed_after(ms);
        killed_after(300);
}

/* The guest's own first process killed: commands say so, and it can be stopped. */
static void test_init_killed(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        const char *argv[] = {"true", NULL};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *children = NULL, *path = xasprintf("/proc/self/task/%d/children", getpid());
        int status;

        (void)state;
        assert_int_equal(file_read(path, 0, &children, NULL, NULL), 0);
        assert_int_equal(kill(atoi(children), SIGKILL), 0);
        poll(NULL, 0, 100);
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = argv}, &status, &err), -ESRCH);
        assert_non_null(strstr(err.message, "has ended"));
        tree_stop(guest);
        tree_free(tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kill),
                cmocka_unit_test(test_init_killed),
        };
        int r;

        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
