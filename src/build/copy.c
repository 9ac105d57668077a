/* See copy.h. */
#include "build/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "build/job.h"

static int copy_base(const struct job *job, int to, struct error *err)
{
        CLEANUP_CLOSE int from = open(job->base.image, O_RDONLY | O_CLOEXEC);
        struct stat st, old;

        if (from < 0 || fstat(from, &st) < 0)
                return error_errno(err, errno, "open '%s'", job->base.image);
        /* Only what a failed try left is cut off: ext4 takes a file that was cut to nothing for one that is replaced,
         * and has the whole image written to the disk before the next close() returns. */
        if (fstat(to, &old) < 0 || (old.st_size > 0 && ftruncate(to, 0) < 0) || ftruncate(to, st.st_size) < 0)
                return error_errno(err, errno, "make the image %s large", size_show((uint64_t)st.st_size));
        return fd_copy_sparse(from, to, 0, (uint64_t)st.st_size, err);
}

void copy_start(struct job *job)
{
        CLEANUP_FREE char *dir = path_dir(job->arm->image_path);
        pid_t parent = getpid();

        if (!job->base.image || rootfs_wanted(job->arm->image_path) ||
            file_nameless(dir, 0644, &job->copy.fd, NULL) < 0)
                return;
        fflush(NULL);
        job->copy.pid = fork();
        if (job->copy.pid == 0) {
                cancel_reset();
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent)
                        _exit(1);
                _exit(copy_base(job, job->copy.fd, NULL) < 0);
        }
        if (job->copy.pid < 0)
                job->copy.pid = 0;
}

static bool copy_wait(struct copy *copy)
{
        int status = -1;
        pid_t pid = copy->pid;

        copy->pid = 0;
        if (pid == 0)
                return false;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status == 0;
}

int copy_take(struct job *job, int *ret_fd, struct error *err)
{
        CLEANUP_FILE_DROP int fd = -1;
        bool done = copy_wait(&job->copy);
        int r = 0;

        fd = steal_fd(&job->copy.fd);
        if (!done) {
                CLEANUP_FREE char *dir = path_dir(job->arm->image_path);

                if (fd < 0)
                        r = dir_make(dir, 0755, err);
                if (r == 0 && fd < 0)
                        r = file_nameless(dir, 0644, &fd, err);
                if (r == 0)
                        r = copy_base(job, fd, err);
        }
        if (r == 0)
                *ret_fd = steal_fd(&fd);
        return r;
}

void copy_stop(struct job *job)
{
        if (job->copy.pid > 0)
                kill(job->copy.pid, SIGKILL);
        copy_wait(&job->copy);
        file_drop(&job->copy.fd);
}
