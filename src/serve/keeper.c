/* See keeper.h. */
#include "serve/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"

enum {
        DELAY_FIRST_MS = 500,
        DELAY_MOST_MS = 30000,
        STEADY_MS = 60000, /* what ran so long begins with the first delay again */
        END_SEC = 10,      /* a program's own time to end is less: base/spawn.c */
};

void keeper_jobs_clear(struct keeper_jobs *jobs)
{
        for (size_t i = 0; i < jobs->list.n; i++) {
                free(jobs->list.v[i].key);
                free(jobs->list.v[i].name);
                free(jobs->list.v[i].folder);
                free(jobs->list.v[i].text);
        }
        vec_free(&jobs->list);
}

/* ---- the keeper's process ---- */

/* The way to the log; of the jobs' processes too. */
static int say_fd = -1;

void keeper_say(const char *format, ...)
{
        CLEANUP_STR struct str line = {0};
        va_list ap;

        va_start(ap, format);
        str_addvf(&line, format, ap);
        va_end(ap);
        for (size_t i = 0; i < line.len; i++) /* one call for one line: those of several processes do not mix */
                if (line.s[i] == '\n')
                        line.s[i] = ' ';
        str_addc(&line, '\n');
        (void)send(say_fd, line.s, line.len, MSG_NOSIGNAL);
}

struct kept {
        struct keeper_job job;
        struct child child; /* pid 0: to be begun at due_ms */
        int64_t begun_ms, due_ms, delay_ms;
        char *said; /* the last failure: it is not said again and again */
};

struct keeping {
        VEC(struct kept) jobs;
        keeper_list *list;
        void *arg;
};

static int job_run(void *arg, int sock, struct error *err)
{
        const struct keeper_job *job = arg;

        (void)sock;
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* its programs may have other users, and so outlive a SIGKILL of it */
        return job->run(job, err);
}

static void job_begin(struct kept *kept)
{
        CLEANUP_ERROR struct error err = {0};

        kept->begun_ms = monotonic_ms();
        if (child_start(&kept->child, job_run, &kept->job, &err) < 0) {
                keeper_say("%s: %s", kept->job.name, error_message(&err));
                kept->due_ms = kept->begun_ms + DELAY_MOST_MS;
        }
}

/* It has ended, or is about to. */
static void job_ended(struct kept *kept)
{
        CLEANUP_ERROR struct error err = {0};
        int r = child_receive(&kept->child, NULL, 0, NULL, &err);
        const char *why = r < 0 ? error_message(&err) : "it ended";

        child_done(&kept->child);
        if (monotonic_ms() - kept->begun_ms >= STEADY_MS)
                kept->delay_ms = 0;
        kept->delay_ms = kept->delay_ms ? kept->delay_ms * 2 : DELAY_FIRST_MS;
        if (kept->delay_ms > DELAY_MOST_MS)
                kept->delay_ms = DELAY_MOST_MS;
        kept->due_ms = monotonic_ms() + kept->delay_ms;
        if (!str_eq(why, kept->said))
                keeper_say("%s: %s; it is tried again", kept->job.name, why);
        free(kept->said);
        kept->said = xstrdup(why);
}

/* All of them are told first, so that they end side by side; each is told once. */
static void jobs_end(struct kept *jobs, size_t n)
{
        cancel_clear();
        for (size_t i = 0; i < n; i++)
                if (jobs[i].child.pid > 0)
                        kill(jobs[i].child.pid, SIGTERM);
        for (size_t i = 0; i < n; i++) {
                struct keeper_jobs one = {0};

                if (jobs[i].child.pid > 0)
                        (void)child_receive(&jobs[i].child, NULL, 0, NULL, NULL);
                child_done(&jobs[i].child);
                free(jobs[i].said);
                vec_push(&one.list, jobs[i].job);
                keeper_jobs_clear(&one);
        }
}

static struct keeper_job *job_of_key(struct keeper_jobs *jobs, const char *key)
{
        for (size_t i = 0; i < jobs->list.n; i++)
                if (str_eq(jobs->list.v[i].key, key))
                        return &jobs->list.v[i];
        return NULL;
}

/* What is no longer on the list ends; then what is new on it begins: it may want the same port. */
static void look(struct keeping *keeping)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(keeper_jobs_clear) struct keeper_jobs wanted = {0};
        VEC(struct kept) gone = {0};
        size_t n = 0;

        if (keeping->list(keeping->arg, &wanted, &err) < 0) {
                keeper_say("roots on the network stay as they are: %s", error_message(&err));
                return;
        }
        for (size_t i = 0; i < keeping->jobs.n; i++) {
                struct kept *kept = &keeping->jobs.v[i];
                struct keeper_job *same = job_of_key(&wanted, kept->job.key);

                if (!same) {
                        vec_push(&gone, *kept);
                        continue;
                }
                free(steal(&same->key)); /* NULL: nobody's any more */
                keeping->jobs.v[n++] = *kept;
        }
        keeping->jobs.n = n;
        jobs_end(gone.v, gone.n);
        vec_free(&gone);
        for (size_t i = 0; i < wanted.list.n; i++)
                if (wanted.list.v[i].key)
                        vec_push(&keeping->jobs, (struct kept){.job = steal(&wanted.list.v[i]), .child = {.sock = -1}});
}

/* Begins what is due; how long until something is, in ms; -1: nothing will be. */
static int begin_due(struct keeping *keeping)
{
        int64_t next = -1;

        for (size_t i = 0; i < keeping->jobs.n; i++) {
                struct kept *kept = &keeping->jobs.v[i];
                int64_t now = monotonic_ms();

                if (kept->child.pid == 0 && kept->due_ms <= now)
                        job_begin(kept);
                if (kept->child.pid == 0 && (next < 0 || kept->due_ms - now < next))
                        next = kept->due_ms > now ? kept->due_ms - now : 0;
        }
        return (int)next;
}

/* False: the daemon is gone. */
static bool wait_for_news(struct keeping *keeping, int sock)
{
        size_t n = keeping->jobs.n;
        CLEANUP_FREE struct pollfd *fds = xcalloc(n + 1, sizeof(*fds));
        int timeout = begin_due(keeping);
        char word[64];
        ssize_t got;

        fds[n] = (struct pollfd){.fd = sock, .events = POLLIN};
        for (size_t i = 0; i < n; i++)
                fds[i] = (struct pollfd){.fd = keeping->jobs.v[i].child.sock, .events = POLLIN};
        if (poll(fds, n + 1, timeout) <= 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (fds[i].revents)
                        job_ended(&keeping->jobs.v[i]);
        if (!fds[n].revents)
                return true;
        got = read(sock, word, sizeof(word));
        if (got > 0)
                look(keeping);
        return got > 0 || (got < 0 && errno == EINTR);
}

static int keep(void *arg, int sock, struct error *err)
{
        struct keeping *keeping = arg;

        (void)err;
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setsid();                  /* a terminal's signals are the daemon's business */
        unsetenv("NOTIFY_SOCKET"); /* and so is what systemd is told: nfs-ganesha would */
        say_fd = sock;
        while (!cancel_requested() && wait_for_news(keeping, sock))
                ;
        jobs_end(keeping->jobs.v, keeping->jobs.n);
        vec_free(&keeping->jobs);
        return 1; /* the socket is for lines, not for a report */
}

/* ---- the daemon's ---- */

struct keeper {
        struct child child;
        const struct event_sink *events;
        pthread_t listener;
        bool listens;
        atomic_bool ending;
};

int keeper_open(keeper_list *list, void *arg, struct keeper **ret, struct error *err)
{
        struct keeping keeping = {.list = list, .arg = arg};
        CLEANUP_FREE struct keeper *keeper = xcalloc(1, sizeof(*keeper));
        int r = child_start(&keeper->child, keep, &keeping, err);

        if (r == 0)
                *ret = steal(&keeper);
        return r;
}

static void *listen_to(void *arg)
{
        struct keeper *keeper = arg;
        CLEANUP_FCLOSE FILE *in = fdopen(fcntl(keeper->child.sock, F_DUPFD_CLOEXEC, 0), "r");
        CLEANUP_FREE char *line = NULL;
        size_t cap = 0;

        while (in && getline(&line, &cap, in) > 0) {
                line[strcspn(line, "\n")] = '\0';
                event_emit(keeper->events, &(struct event){.kind = EVENT_LOG, .text = line});
        }
        if (!atomic_load(&keeper->ending))
                event_emit(keeper->events,
                           &(struct event){.kind = EVENT_LOG,
                                           .text = "the process that serves roots on the network was ended; "
                                                   "they are served again after a restart"});
        return NULL;
}

int keeper_start(struct keeper *keeper, const struct event_sink *events, struct error *err)
{
        int r;

        keeper->events = events;
        r = pthread_create(&keeper->listener, NULL, listen_to, keeper);
        if (r != 0)
                return error_errno(err, r, "make a thread");
        keeper->listens = true;
        keeper_look(keeper);
        return 0;
}

void keeper_look(struct keeper *keeper)
{
        (void)send(keeper->child.sock, "l", 1, MSG_NOSIGNAL);
}

void keeper_free(struct keeper *keeper)
{
        struct timespec end;

        if (!keeper)
                return;
        atomic_store(&keeper->ending, true);
        shutdown(keeper->child.sock, SHUT_WR);
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += END_SEC;
        if (keeper->listens && pthread_timedjoin_np(keeper->listener, NULL, &end) != 0) {
                shutdown(keeper->child.sock, SHUT_RD); /* it does not heed it: it is told again when we end */
                pthread_join(keeper->listener, NULL);
        }
        child_done(&keeper->child);
        free(keeper);
}
