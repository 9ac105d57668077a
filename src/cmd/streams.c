/* The standard streams, before a command runs and after it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

void command_open_streams(void)
{
        int fd;

        signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to report, not an end */
        /* Where one is closed, the next file that is opened would be it, and get what is printed: so that is nothing's,
         * in programs that are run, too. */
        do {
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (fd <= STDERR_FILENO)
                        fcntl(fd, F_SETFD, 0);
        } while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                close(fd);
}

/* Is stdout a pipe that nobody reads any more? */
static bool is_unread(void)
{
        struct pollfd out = {.fd = STDOUT_FILENO};

        return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int command_flush(int code)
{
        bool flushed = fflush(stdout) == 0;
        const char *why = flushed ? NULL : strerror(errno);

        if (flushed && !ferror(stdout))
                return code;
        if (!is_unread())
                fprintf(stderr, "Error: not all of the output could be written%s%s\n", why ? ": " : "", why ? why : "");
        return code == 0 ? 1 : code;
}
