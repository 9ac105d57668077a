/* Starting User-Mode Linux. It lets helper processes and a control folder
 * behind when it is killed, so it gets a pid namespace, which ends with it, and a
 * tmpfs in a mount namespace of its own. Its words are the same each time, since they become part of
 * its random numbers: it gets what differs by links in that folder. See kernel.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/tail.h"
#include "disk/kernel.h"
#include "disk/kernel_words.h"
#include "disk/steady.h"

/* Hides nothing that the kernel or its pid 1 needs. */
#define CONTROL_DIR "/sys"

/* Leaves out the benchmarks of RAID's algorithms and of the delay loop: they wait for a clock that moves by itself. */
#define NO_BENCHMARKS "lpj=1000000", "initcall_blacklist=raid6_select_algo,calibrate_xor_blocks"

struct place {
        int fs_fd, log_fd;
};

static int make_links(const struct place *place)
{
        char self[PATH_MAX], fs[32], log[32];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

        if (n < 0)
                return -errno;
        self[n] = '\0';
        snprintf(fs, sizeof(fs), "/proc/self/fd/%d", place->fs_fd);
        snprintf(log, sizeof(log), "/proc/self/fd/%d", place->log_fd);
        if (symlink(self, CONTROL_DIR "/init") < 0 || symlink(fs, CONTROL_DIR "/image") < 0 ||
            symlink(log, CONTROL_DIR "/log") < 0)
                return -errno;
        return 0;
}

static int own_namespaces(const struct place *place, struct error *err)
{
        if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
                return error_errno(err, errno, "make namespaces for the kernel that writes the file system");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", CONTROL_DIR, "tmpfs", 0, "mode=0700") < 0 || make_links(place) < 0)
                return error_errno(err, errno, "mount a folder for the kernel that writes the file system");
        return 0;
}

/* For spawn: two processes, since who makes a pid namespace does not enter it. */
static int enter(void *arg, struct error *err)
{
        int r = own_namespaces(arg, err), status = 0;
        pid_t outer = getpid(), pid;

        if (r < 0)
                return r;
        pid = fork();
        if (pid < 0)
                return error_errno(err, errno, "fork");
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != 0 && getppid() != outer) /* 0: seen from the namespace, our parent is outside */
                        _exit(127);
                personality(ADDR_NO_RANDOMIZE); /* its memory begins where its heap ends */
                return 0;
        }
        close_range(0, ~0U, 0);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

struct console {
        struct tail tail; /* of what the kernel said */
        char *result;     /* what pid 1 said, or NULL */
};

static void on_line(void *arg, bool is_stderr, const char *line)
{
        struct console *console = arg;
        const char *word = strstr(line, KERNEL_RESULT);

        (void)is_stderr;
        if (!word) {
                tail_add(&console->tail, line);
                return;
        }
        free(console->result);
        console->result = xstrdup(word + strlen(KERNEL_RESULT));
        console->result[strcspn(console->result, "\r")] = '\0';
}

static void console_clear(struct console *console)
{
        tail_clear(&console->tail);
        free(console->result);
}

/* "CODE message", CODE being an errno or 0. */
static int judge(const struct console *console, int status, struct error *err)
{
        char *end;
        long code;

        if (console->result) {
                code = strtol(console->result, &end, 10);
                return code == 0 ? 0 : error_set(err, (int)code, "%s", end + strspn(end, " "));
        }
        return tail_append(
                &console->tail, err,
                error_set(err, EIO,
                          "the kernel that writes the file system (linux.uml, exit code %d) ended without a result",
                          status));
}

static void command_line(char ***argv, const char *fs, int64_t epoch)
{
        strv_extend(argv, (const char *const[]){"linux.uml", "mem=128M", "root=/dev/root", "rootfstype=hostfs",
                                                "rootflags=/", "ro", "quiet", "umid=slipway", "con=null",
                                                "con0=null,fd:1", NO_BENCHMARKS, NULL});
        strv_addf(argv, "uml_dir=%s/", CONTROL_DIR);
        strv_addf(argv, "ubd0=%s/image", CONTROL_DIR);
        strv_addf(argv, "ubd1r=%s/log", CONTROL_DIR);
        strv_addf(argv, "init=%s/init", CONTROL_DIR);
        strv_extend(argv, (const char *const[]){"--", KERNEL_INIT, fs, NULL});
        strv_addf(argv, "%lld", (long long)epoch);
}

int kernel_run(int fs_fd, int log_fd, const char *fs, int64_t epoch, struct error *err)
{
        CLEANUP_FREE char *program = program_find("linux.uml");
        CLEANUP(console_clear) struct console console = {0};
        CLEANUP_STRV char **argv = NULL, **env = strv_dup(STRV(environ));
        CLEANUP_CLOSE int steady = -1;
        struct place place = {fs_fd, log_fd};
        int status = 0, r;

        if (!program)
                return error_set(err, ENOENT,
                                 "the program 'linux.uml' is missing, a Linux kernel that runs as a process and "
                                 "writes %s; install the package 'user-mode-linux'",
                                 fs);
        if (fcntl(fs_fd, F_SETFD, 0) < 0 || fcntl(log_fd, F_SETFD, 0) < 0)
                return error_errno(err, errno, "fcntl");
        command_line(&argv, fs, epoch);
        strv_setenv(&env, "TMPDIR", CONTROL_DIR); /* its memory is a file there: /dev/shm may be small */
        r = steady_env(&env, epoch, epoch >= 0 ? "" : NULL, &steady, err);
        if (r == 0)
                r = spawn_run(&(struct spawn){.argv = STRV(argv),
                                              .env = STRV(env),
                                              .on_line = on_line,
                                              .arg = &console,
                                              .enter = enter,
                                              .enter_arg = &place},
                              &status, err);
        return r < 0 ? r : judge(&console, status, err);
}
