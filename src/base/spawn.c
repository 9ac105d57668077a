/* See spawn.h. */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/tail.h"

enum { LINE_MAX_BYTES = 1 << 20, GRACE_MS = 3000 };

struct stream {
        int fd; /* -1: closed */
        bool is_stderr;
        struct str line;
};

struct running {
        const struct spawn *spawn;
        pid_t pid;
        int pidfd; /* readable when the child ends; -1: not to be had, we look again and again */
        struct stream streams[2];
        int report; /* {errno, text} from the child if exec failed */
        bool exited, enough;
        int status;
};

/* Child: fd becomes standard stream `target`. */
static int place(int fd, int target)
{
        if (fd == target)
                return fcntl(fd, F_SETFD, 0);
        return dup2(fd, target);
}

static int child_streams(const struct spawn *spawn, int out, int errfd)
{
        CLEANUP_CLOSE int null = -1;

        if (spawn->terminal)
                return 0;
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return -errno;
        if (place(spawn->stdin_plus1 ? spawn->stdin_plus1 - 1 : null, 0) < 0)
                return -errno;
        if (place(spawn->stdout_plus1 ? spawn->stdout_plus1 - 1 : out, 1) < 0)
                return -errno;
        if (place(spawn->stderr_plus1 ? spawn->stderr_plus1 - 1 : errfd, 2) < 0)
                return -errno;
        return 0;
}

static int child_setup(const struct spawn *spawn, pid_t parent, int out, int errfd, struct error *err)
{
        sigset_t none;
        int r;

        cancel_reset();
        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (!spawn->terminal)
                setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent && getppid() != 0)
                _exit(127); /* it died before we asked */
        r = child_streams(spawn, out, errfd);
        if (r < 0)
                return error_errno(err, -r, "set up standard streams");
        if (spawn->cwd && chdir(spawn->cwd) < 0)
                return error_errno(err, errno, "change to folder '%s'", spawn->cwd);
        if (spawn->enter) {
                r = spawn->enter(spawn->enter_arg, err);
                if (r < 0)
                        return r;
                prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of credentials cleared it */
        }
        return 0;
}

static void child_run(const struct spawn *spawn, const char *program, pid_t parent, int out, int errfd, int report)
{
        CLEANUP_ERROR struct error err = {0};
        int r = child_setup(spawn, parent, out, errfd, &err);

        if (r == 0) {
                execve(program, (char *const *)spawn->argv, spawn->env ? (char *const *)spawn->env : environ);
                r = error_errno(&err, errno, "run '%s'", program);
        }
        fd_write_all(report, &r, sizeof(r));
        fd_write_all(report, error_message(&err), strlen(error_message(&err)));
        _exit(127);
}

static int start(struct running *run, const char *program, struct error *err)
{
        CLEANUP_CLOSE int out_w = -1, err_w = -1, report_w = -1;
        pid_t parent = getpid();
        int pipes[3][2];

        for (int i = 0; i < 3; i++) {
                if (pipe2(pipes[i], O_CLOEXEC) < 0) {
                        int code = errno;

                        while (i-- > 0) {
                                close(pipes[i][0]);
                                close(pipes[i][1]);
                        }
                        return error_errno(err, code, "make a pipe");
                }
        }
        run->streams[0] = (struct stream){.fd = pipes[0][0]};
        run->streams[1] = (struct stream){.fd = pipes[1][0], .is_stderr = true};
        run->report = pipes[2][0];
        out_w = pipes[0][1];
        err_w = pipes[1][1];
        report_w = pipes[2][1];
        fflush(NULL);
        run->pid = fork();
        if (run->pid < 0)
                return error_errno(err, errno, "fork");
        if (run->pid == 0)
                child_run(run->spawn, program, parent, out_w, err_w, report_w);
        run->pidfd = pidfd_open(run->pid, 0);
        if (!run->spawn->terminal)
                setpgid(run->pid, run->pid);
        return 0;
}

/* Did the child fail before exec? Its own words then. */
static int read_report(struct running *run, struct error *err)
{
        char text[4096];
        ssize_t n;
        int r;

        do
                n = read(run->report, &r, sizeof(r));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(r))
                return 0;
        n = read(run->report, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        return error_set(err, r < 0 ? -r : EIO, "%s", text);
}

/* What a terminal would show of a line: a progress display goes back to its
 * beginning (CR) and writes it anew. */
static const char *overwritten(struct str *line)
{
        const char *last;

        while (line->len > 0 && line->s[line->len - 1] == '\r')
                line->s[--line->len] = '\0';
        last = line->s ? strrchr(line->s, '\r') : NULL;
        return last ? last + 1 : str_get(line);
}

static void emit(struct running *run, struct stream *stream)
{
        if (run->spawn->on_line)
                run->spawn->on_line(run->spawn->arg, stream->is_stderr, overwritten(&stream->line));
        stream->line.len = 0;
        if (stream->line.s)
                stream->line.s[0] = '\0';
}

static void finish_stream(struct running *run, struct stream *stream)
{
        if (stream->fd >= 0 && stream->line.len > 0)
                emit(run, stream);
        close_p(&stream->fd);
}

/* At most `max` bytes; how many there were. */
static size_t read_stream(struct running *run, struct stream *stream, size_t max)
{
        char buffer[8192];
        ssize_t n = read(stream->fd, buffer, max < sizeof(buffer) ? max : sizeof(buffer));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n <= 0) {
                finish_stream(run, stream);
                return 0;
        }
        if (run->spawn->on_output) {
                run->enough =
                        run->spawn->on_output(run->spawn->arg, stream->is_stderr, buffer, (size_t)n) || run->enough;
                return (size_t)n;
        }
        for (ssize_t i = 0; i < n; i++) {
                if (buffer[i] == '\n' || stream->line.len >= LINE_MAX_BYTES)
                        emit(run, stream);
                if (buffer[i] != '\n' && buffer[i] != '\0')
                        str_addc(&stream->line, buffer[i]);
        }
        return (size_t)n;
}

/* The child is gone: what it wrote is read. A grandchild that keeps a pipe
 * open, or even goes on writing, does not keep us. */
static void drain(struct running *run)
{
        for (int i = 0; i < 2; i++) {
                struct stream *stream = &run->streams[i];
                int left = 0;

                if (stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &left) < 0)
                        left = 0;
                while (stream->fd >= 0 && left > 0)
                        left -= (int)read_stream(run, stream, (size_t)left);
                finish_stream(run, stream);
        }
}

/* Wait up to ms for output or the end of the child. */
static void pump(struct running *run, int ms)
{
        struct pollfd fds[3] = {
                {.fd = run->streams[0].fd, .events = POLLIN},
                {.fd = run->streams[1].fd, .events = POLLIN},
                {.fd = run->pidfd, .events = POLLIN},
        };

        if (poll(fds, 3, ms) > 0) {
                for (int i = 0; i < 2; i++)
                        if (fds[i].revents)
                                read_stream(run, &run->streams[i], SIZE_MAX);
        }
        if (!run->exited && waitpid(run->pid, &run->status, WNOHANG) == run->pid) {
                run->exited = true;
                drain(run);
        }
}

static void signal_child(struct running *run, int signo)
{
        if (!run->spawn->terminal)
                kill(-run->pid, signo);
        kill(run->pid, signo);
}

static void end_child(struct running *run)
{
        int64_t deadline = monotonic_ms() + GRACE_MS;

        signal_child(run, SIGTERM);
        while (!run->exited && monotonic_ms() < deadline)
                pump(run, 20);
        signal_child(run, SIGKILL);
        if (!run->exited)
                waitpid(run->pid, &run->status, 0);
        run->exited = true;
}

static int drive(struct running *run, struct error *err)
{
        const struct spawn *spawn = run->spawn;
        int64_t deadline = spawn->timeout_ms ? monotonic_ms() + spawn->timeout_ms : 0;

        while (!run->exited) {
                pump(run, 100);
                if (run->exited)
                        break;
                if (run->enough) {
                        end_child(run);
                        return 0;
                }
                if (cancel_requested()) {
                        end_child(run);
                        return cancel_check(err);
                }
                if (deadline && monotonic_ms() > deadline) {
                        end_child(run);
                        return error_set(err, ETIMEDOUT, "'%s' did not end within %g s", spawn->argv[0],
                                         spawn->timeout_ms / 1000.0);
                }
        }
        return 0;
}

static void running_done(struct running *run)
{
        for (int i = 0; i < 2; i++) {
                close_p(&run->streams[i].fd);
                str_clear(&run->streams[i].line);
        }
        close_p(&run->report);
        close_p(&run->pidfd);
}

int spawn_run(const struct spawn *spawn, int *ret_status, struct error *err)
{
        CLEANUP(running_done)
        struct running run = {.spawn = spawn, .streams = {{.fd = -1}, {.fd = -1}}, .report = -1, .pidfd = -1};
        CLEANUP_FREE char *program = spawn->exec_only ? xstrdup(spawn->argv[0]) : program_find(spawn->argv[0]);
        int r = cancel_check(err);

        if (r < 0)
                return r;
        if (!program)
                return error_set(err, ENOENT, "'%s' is not installed (not found in PATH, /usr/sbin or /sbin)",
                                 spawn->argv[0]);
        if (log_enabled()) {
                CLEANUP_FREE char *line = strv_join(spawn->argv, " ");

                log_debug("run: %s", line);
        }
        r = start(&run, program, err);
        if (r < 0)
                return r;
        r = read_report(&run, err);
        if (r < 0) {
                waitpid(run.pid, &run.status, 0);
                return r;
        }
        r = drive(&run, err);
        if (r < 0)
                return r;
        *ret_status = WIFEXITED(run.status) ? WEXITSTATUS(run.status) : 128 + WTERMSIG(run.status);
        return 0;
}

struct checked {
        const struct spawn *spawn;
        struct tail out, err;
};

static void checked_line(void *arg, bool is_stderr, const char *line)
{
        struct checked *checked = arg;

        tail_add(is_stderr ? &checked->err : &checked->out, line);
        if (checked->spawn->on_line)
                checked->spawn->on_line(checked->spawn->arg, is_stderr, line);
}

static void checked_done(struct checked *checked)
{
        tail_clear(&checked->out);
        tail_clear(&checked->err);
}

int spawn_check(const struct spawn *spawn, struct error *err)
{
        CLEANUP(checked_done) struct checked checked = {.spawn = spawn};
        struct spawn watched = *spawn;
        int status = 0, r;

        watched.on_line = checked_line;
        watched.arg = &checked;
        r = spawn_run(&watched, &status, err);
        if (r < 0 || status == 0)
                return r;
        if (status > 128)
                r = error_set(err, EIO, "'%s' was ended by signal %d (%s)", spawn->argv[0], status - 128,
                              strsignal(status - 128));
        else
                r = error_set(err, EIO, "'%s' failed with exit code %d", spawn->argv[0], status);
        return tail_append(tail_last(&checked.err) ? &checked.err : &checked.out, err, r);
}

static void capture_line(void *arg, bool is_stderr, const char *line)
{
        struct str *out = arg;

        if (is_stderr || out->len > (16U << 20))
                return;
        str_add(out, line);
        str_addc(out, '\n');
}

int spawn_capture(const char *const *argv, char **ret_stdout, struct error *err)
{
        CLEANUP_STR struct str out = {0};
        int r = spawn_check(&(struct spawn){.argv = argv, .on_line = capture_line, .arg = &out}, err);

        if (r == 0)
                *ret_stdout = str_steal(&out);
        return r;
}
