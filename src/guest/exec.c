/* Running commands in a guest: entering its namespaces and root, between
 * spawn's fork and exec. A pid namespace is entered by what is forked after, so there are two
 * processes: the outer, which spawn knows, waits for the inner, passes
 * signals to it and ends as it ended; each dies when the one before dies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/inside.h"
#include "guest/ns.h"

struct entry {
        const struct guest *guest;
        const struct guest_command *command;
        const char *const *env;
        pid_t parent;
};

static int enter_namespaces(const struct guest *guest, bool clear_groups, struct error *err)
{
        int r = userns_enter_user(guest->ns, clear_groups, err);

        if (r == 0)
                r = ns_join(guest->fds[GUEST_FD_IPC], CLONE_NEWIPC, "/proc/self/ns/ipc", err);
        if (r == 0)
                r = ns_join(guest->fds[GUEST_FD_UTS], CLONE_NEWUTS, "/proc/self/ns/uts", err);
        if (r == 0 && setns(guest->fds[GUEST_FD_PID], CLONE_NEWPID) < 0)
                r = error_errno(err, errno, "enter the guest's pid namespace");
        if (r == 0 && setns(guest->fds[GUEST_FD_MNT], CLONE_NEWNS) < 0)
                r = error_errno(err, errno, "enter the guest's mount namespace");
        return r;
}

static pid_t inner_pid;

static void forward(int signo)
{
        kill(inner_pid, signo);
}

/* The outer process from here on; does not return. */
static void wait_for_inner(pid_t pid, bool terminal)
{
        struct sigaction pass = {.sa_handler = forward, .sa_flags = SA_RESTART};
        int status = 0;

        inner_pid = pid;
        signal(SIGINT, SIG_IGN); /* those of the terminal go to the inner process anyway */
        signal(SIGQUIT, SIG_IGN);
        sigaction(SIGTERM, &pass, NULL);
        sigaction(SIGHUP, &pass, NULL);
        close_range(terminal ? 3 : 0, ~0U, 0);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Why execve() of a path that is there fails. */
static int explain_exec(const char *path, int code, struct error *err)
{
        struct stat st;

        if (code == ENOENT && stat(path, &st) == 0)
                return error_set(err, code,
                                 "run '%s' in the guest: the program is there, but not what runs it (the #! line or "
                                 "the loader it names)",
                                 path);
        if (code == ENOEXEC)
                return error_set(err, code,
                                 "run '%s' in the guest: it is neither a program for the image's processor nor a "
                                 "script with a #! line",
                                 path);
        return error_errno(err, code, "run '%s' in the guest", path);
}

static const char *find_env(const char *const *env, const char *key)
{
        size_t n = strlen(key);

        for (size_t i = 0; env && env[i]; i++)
                if (strncmp(env[i], key, n) == 0 && env[i][n] == '=')
                        return env[i] + n + 1;
        return NULL;
}

static int exec_in(const char *const *argv, const char *const *env, struct error *err)
{
        const char *search = find_env(env, "PATH");
        CLEANUP_STRV char **folders = NULL;

        if (strchr(argv[0], '/')) {
                execve(argv[0], (char *const *)argv, (char *const *)env);
                return explain_exec(argv[0], errno, err);
        }
        folders = str_split(search ? search : "/usr/bin:/bin", ":");
        for (size_t i = 0; folders && folders[i]; i++) {
                CLEANUP_FREE char *path = path_join(folders[i], argv[0]);
                struct stat st;

                if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
                        continue;
                execve(path, (char *const *)argv, (char *const *)env);
                return explain_exec(path, errno, err);
        }
        return error_set(err, ENOENT, "'%s' is not in the guest (looked in %s)", argv[0],
                         search ? search : "/usr/bin:/bin");
}

static int inner(const struct entry *entry, struct error *err)
{
        const char *cwd = entry->command->cwd ? entry->command->cwd : "/";

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != 0) /* the outer process is outside; somebody else means that it is gone */
                _exit(127);
        if (fchdir(entry->guest->fds[GUEST_FD_ROOT]) < 0 || chroot(".") < 0)
                return error_errno(err, errno, "go to the guest's root");
        if (chdir(cwd) < 0)
                return error_errno(err, errno, "change to folder '%s' in the guest", cwd);
        umask(022);
        return exec_in(entry->command->argv, entry->env, err);
}

static int enter(void *arg, struct error *err)
{
        const struct entry *entry = arg;
        pid_t pid;
        int r = enter_namespaces(entry->guest, true, err);

        if (r < 0)
                return r;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != entry->parent)
                _exit(127);
        pid = fork();
        if (pid < 0 && errno == ENOMEM) /* the kernel's word for a pid namespace without its first process */
                return error_set(err, ESRCH, "the guest has ended");
        if (pid < 0)
                return error_errno(err, errno, "fork into the guest");
        if (pid > 0)
                wait_for_inner(pid, entry->command->terminal);
        return inner(entry, err);
}

/* After a time-out or a cancel: end what the command left, even in sessions of its own. */
static void kill_rest(const struct guest *guest)
{
        pid_t pid = fork();

        if (pid == 0) {
                cancel_reset();
                if (enter_namespaces(guest, false, NULL) < 0)
                        _exit(1);
                pid = fork();
                if (pid == 0) {
                        /* All but pid 1 and us, until there is nobody. */
                        for (int i = 0; i < 400 && kill(-1, SIGKILL) == 0; i++)
                                poll(NULL, 0, 5);
                        _exit(0);
                }
                while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                _exit(0);
        }
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

/* A shell may leave the terminal in any state, and to a process group that is gone. */
static void restore_terminal(const struct termios *saved)
{
        sigset_t ttou, old;

        sigemptyset(&ttou);
        sigaddset(&ttou, SIGTTOU);
        sigprocmask(SIG_BLOCK, &ttou, &old);
        tcsetpgrp(0, getpgrp());
        tcsetattr(0, TCSADRAIN, saved);
        sigprocmask(SIG_SETMASK, &old, NULL);
}

int guest_run(struct guest *guest, const struct guest_command *command, int *ret_status, struct error *err)
{
        CLEANUP_STRV char **env = strv_dup(STRV(guest->env));
        struct entry entry = {.guest = guest, .command = command, .parent = getpid()};
        struct spawn spawn = {
                .argv = command->argv,
                .exec_only = true,
                .terminal = command->terminal,
                .timeout_ms = command->timeout_ms,
                .on_line = command->on_line,
                .arg = command->arg,
                .enter = enter,
                .enter_arg = &entry,
        };
        struct termios saved;
        bool tty = command->terminal && isatty(0) && tcgetattr(0, &saved) == 0 && tcgetpgrp(0) == getpgrp();
        int r;

        if (guest->init == 0)
                return error_set(err, ESRCH, "the guest has ended");
        if (command->terminal && getenv("TERM"))
                strv_setenv(&env, "TERM", getenv("TERM"));
        for (size_t i = 0; command->env && command->env[i]; i++) {
                CLEANUP_FREE char *key = xstrndup(command->env[i], strcspn(command->env[i], "="));

                if (command->env[i][strlen(key)] == '=')
                        strv_setenv(&env, key, command->env[i] + strlen(key) + 1);
        }
        entry.env = STRV(env);
        r = spawn_run(&spawn, ret_status, err);
        if (tty)
                restore_terminal(&saved);
        if (r == -ETIMEDOUT || r == -ECANCELED)
                kill_rest(guest);
        return r;
}
