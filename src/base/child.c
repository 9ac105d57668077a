/* See child.h. */
#include "base/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/file.h"

enum { GRACE_MS = 5000, MESSAGE_MAX = 64 << 10 };

/* What goes before the message's bytes. */
struct header {
        int32_t result;
        uint32_t length;
};

void child_bind_to_parent(pid_t parent)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(127);
}

int child_start(struct child *child, int (*fn)(void *arg, int sock, struct error *err), void *arg, struct error *err)
{
        pid_t parent = getpid();
        int pair[2], on = 1;

        child->pid = 0;
        child->sock = -1;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_errno(err, errno, "make a socket pair");
        setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
        fflush(NULL);
        child->pid = fork();
        if (child->pid < 0) {
                int code = errno;

                child->pid = 0;
                close(pair[0]);
                close(pair[1]);
                return error_errno(err, code, "fork");
        }
        if (child->pid == 0) {
                CLEANUP_ERROR struct error child_err = {0};
                int r;

                close(pair[0]);
                cancel_reset();
                cancel_install();
                child_bind_to_parent(parent);
                r = fn(arg, pair[1], &child_err);
                fflush(NULL);
                if (r <= 0)
                        child_report(pair[1], r, &child_err, NULL, 0);
                error_clear(&child_err);
                _exit(r < 0);
        }
        close(pair[1]);
        child->sock = pair[0];
        return 0;
}

int child_report(int sock, int r, const struct error *err, const int *fds, size_t n_fds)
{
        const char *message = r < 0 ? error_message(err) : "";
        size_t length = strnlen(message, MESSAGE_MAX);
        struct header header = {.result = r, .length = (uint32_t)length};
        char control[CMSG_SPACE(sizeof(int) * CHILD_FDS_MAX)] = {0};
        struct iovec iov = {.iov_base = &header, .iov_len = sizeof(header)};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;

        if (n_fds > 0) {
                struct cmsghdr *cmsg;

                msg.msg_control = control;
                msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                cmsg = CMSG_FIRSTHDR(&msg);
                cmsg->cmsg_level = SOL_SOCKET;
                cmsg->cmsg_type = SCM_RIGHTS;
                cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
        }
        do
                n = sendmsg(sock, &msg, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(header))
                return n < 0 ? -errno : -EIO;
        while (length > 0) {
                n = send(sock, message, length, MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                message += n;
                length -= (size_t)n;
        }
        return 0;
}

/* Take the fds out of a message: as many as are wanted, the rest is closed. */
static size_t take_control(struct msghdr *msg, int *fds, size_t n_fds, pid_t *ret_pid)
{
        size_t taken = 0;

        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
                if (cmsg->cmsg_level != SOL_SOCKET)
                        continue;
                if (cmsg->cmsg_type == SCM_CREDENTIALS && ret_pid) {
                        struct ucred cred;

                        memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
                        *ret_pid = cred.pid;
                }
                if (cmsg->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
                        if (taken < n_fds)
                                fds[taken++] = fd;
                        else
                                close(fd);
                }
        }
        return taken;
}

struct reception {
        struct child *child;
        int64_t kill_at; /* 0: not cancelled */
        bool exited, killed;
        int status;
};

/* Wait until the socket can be read. -EPIPE: the child is gone without a word. */
static int wait_readable(struct reception *rx)
{
        struct pollfd pfd = {.fd = rx->child->sock, .events = POLLIN};

        for (;;) {
                int n = poll(&pfd, 1, rx->exited ? 0 : 100);

                if (n > 0)
                        return 0;
                if (rx->exited && n == 0)
                        return -EPIPE;
                if (!rx->exited && waitpid(rx->child->pid, &rx->status, WNOHANG) == rx->child->pid) {
                        rx->exited = true;
                        rx->child->pid = 0;
                }
                if (cancel_requested() && !rx->exited && rx->kill_at == 0) {
                        rx->kill_at = monotonic_ms() + GRACE_MS;
                        kill(rx->child->pid, SIGTERM);
                }
                if (rx->kill_at != 0 && !rx->exited && !rx->killed && monotonic_ms() > rx->kill_at) {
                        rx->killed = true;
                        kill(rx->child->pid, SIGKILL);
                }
        }
}

static int no_report(struct reception *rx, struct error *err)
{
        if (!rx->exited && waitpid(rx->child->pid, &rx->status, 0) == rx->child->pid)
                rx->child->pid = 0;
        if (cancel_requested())
                return cancel_check(err);
        if (WIFSIGNALED(rx->status))
                return error_set(err, EIO, "a helper process of slipway was ended by signal %d (%s)",
                                 WTERMSIG(rx->status), strsignal(WTERMSIG(rx->status)));
        return error_set(err, EIO, "a helper process of slipway ended early with exit code %d",
                         WEXITSTATUS(rx->status));
}

static int read_text(struct reception *rx, char *text, size_t length)
{
        while (length > 0) {
                int r = wait_readable(rx);
                ssize_t n = r < 0 ? r : recv(rx->child->sock, text, length, 0);

                if (n < 0 && r == 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return -EIO;
                text += n;
                length -= (size_t)n;
        }
        return 0;
}

int child_receive(struct child *child, int *ret_fds, size_t n_fds, pid_t *ret_pid, struct error *err)
{
        struct reception rx = {.child = child};
        struct header header;
        char control[CMSG_SPACE(sizeof(int) * CHILD_FDS_MAX) + CMSG_SPACE(sizeof(struct ucred))];
        struct iovec iov = {.iov_base = &header, .iov_len = sizeof(header)};
        struct msghdr msg = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
        CLEANUP_FREE char *text = NULL;
        size_t taken;
        ssize_t n;

        do {
                if (wait_readable(&rx) < 0)
                        return no_report(&rx, err);
                n = recvmsg(child->sock, &msg, MSG_CMSG_CLOEXEC);
        } while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(header))
                return no_report(&rx, err);
        taken = take_control(&msg, ret_fds, n_fds, ret_pid);
        if (header.length > MESSAGE_MAX)
                return error_set(err, EIO, "a helper process of slipway sent nonsense");
        text = xcalloc(1, header.length + 1);
        if (read_text(&rx, text, header.length) < 0)
                return no_report(&rx, err);
        if (header.result >= 0 && taken == n_fds)
                return header.result;
        for (size_t i = 0; i < taken; i++)
                close_p(&ret_fds[i]);
        if (header.result >= 0)
                return error_set(err, EIO, "a helper process of slipway sent %zu files instead of %zu", taken, n_fds);
        return error_set(err, -header.result, "%s", text);
}

void child_done(struct child *child)
{
        close_p(&child->sock);
        if (child->pid > 0) {
                kill(child->pid, SIGKILL);
                while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        child->pid = 0;
}
