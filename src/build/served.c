/* See served.h. */
#include "build/served.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "build/job.h"

enum { MESSAGE_MAX = 2048 };

bool served_wanted(const struct job *job)
{
        return str_empty(getenv("SLIPWAY_EXTRACT")) && job->base.mounts[0].type->serve;
}

/* ---- the process that serves ---- */

static void tell(void *arg, const struct error *err)
{
        const int *to = arg;

        if (write(*to, error_message(err), strnlen(error_message(err), MESSAGE_MAX)) < 0)
                log_debug("the error of the served image could not be told: %s", error_message(err));
}

/* It must outlast what the user's terminal sends to all of us, and hold nothing of the
 * build (locks, namespaces) but its two ends. */
static void keep_only(int *fuse_fd, int *errors)
{
        static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
        int low = dup2(*fuse_fd, 3) < 0 || dup2(*errors, 4) < 0 ? -errno : 0;

        for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
                signal(ignored[i], SIG_IGN);
        if (low < 0)
                _exit(1);
        *fuse_fd = 3;
        *errors = 4;
        close_range(5, ~0U, 0);
}

static void serve(const struct job *job, int fuse_fd, int errors)
{
        const struct job_mount *root = &job->base.mounts[0];
        CLEANUP_FREE char *name = xasprintf("partition %u (/)", root->number);
        struct fs_volume volume = {job->base.image, root->start_bytes, root->size_bytes, name};
        CLEANUP_ERROR struct error err = {0};

        keep_only(&fuse_fd, &errors);
        if (root->type->serve(&volume, fuse_fd, tell, &errors, &err) < 0)
                tell(&errors, &err);
}

/* ---- the build's side ---- */

static int start_process(struct job *job, int fuse_fd, struct error *err)
{
        pid_t parent = getpid();
        int pipes[2], both[2] = {-1, -1};

        if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_errno(err, errno, "make a pipe");
        fflush(NULL);
        job->served.pid = fork();
        if (job->served.pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent)
                        _exit(1);
                /* out of the way of 3 and 4 */
                both[0] = fcntl(fuse_fd, F_DUPFD_CLOEXEC, 16);
                both[1] = fcntl(pipes[1], F_DUPFD_CLOEXEC, 16);
                serve(job, both[0], both[1]);
                _exit(0);
        }
        close(pipes[1]);
        if (job->served.pid < 0) {
                job->served.pid = 0;
                close(pipes[0]);
                return error_errno(err, errno, "fork");
        }
        job->served.errors = pipes[0];
        return 0;
}

int served_start(struct job *job, struct error *err)
{
        CLEANUP_FREE char *place = path_join(job->cache.staging, "base");
        CLEANUP_ERROR struct error why = {0};
        CLEANUP_CLOSE int fuse_fd = -1;
        int r;

        if (mkdir(place, 0755) < 0)
                return error_errno(err, errno, "create folder '%s'", place);
        r = userns_mount_fuse(job->ns, place, &fuse_fd, &why);
        if (r == -ECANCELED)
                return error_set(err, ECANCELED, "%s", error_message(&why));
        if (r < 0) {
                log_debug("the base is extracted, and not read in place: %s", error_message(&why));
                return 0;
        }
        job->served.place = steal(&place);
        r = start_process(job, fuse_fd, err);
        if (r < 0) {
                served_stop(job);
                return r;
        }
        log_debug("the base is read in place, on %s", job->served.place);
        return 1;
}

int served_check(const struct job *job, int r, struct error *err)
{
        struct pollfd pfd = {.fd = job->served.errors, .events = POLLIN};
        char text[MESSAGE_MAX + 1];
        ssize_t n;

        if (job->served.pid == 0 || r == -ECANCELED || poll(&pfd, 1, 0) <= 0)
                return r;
        n = read(job->served.errors, text, MESSAGE_MAX);
        text[n > 0 ? n : 0] = '\0';
        if (n > 0)
                return error_set(err, EIO, "read the base image: %s", text);
        return error_set(err, EIO, "the process of slipway that reads the base image has ended");
}

void served_stop(struct job *job)
{
        struct served *served = &job->served;

        if (served->pid > 0) {
                kill(served->pid, SIGKILL);
                while (waitpid(served->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                close_p(&served->errors);
        }
        if (served->place && userns_unmount(job->ns, served->place, NULL) == 0)
                rmdir(served->place);
        free(served->place);
        *served = (struct served){.errors = -1};
}
