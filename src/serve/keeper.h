/* A process beside the daemon that keeps other programs running for it: each
 * job in a process of its own, begun again when it ends, later each time.
 *
 * It is forked while there are privileges, and before there are sockets that
 * it could inherit. Of the daemon it hears one thing only, "look again": what
 * is to run it finds out by itself, so that whoever takes over the daemon
 * has nothing to say here. All ends with the daemon, however that ends. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "serve/event.h"

struct keeper;

struct keeper_job {
        char *key;  /* all that it is made of: when the list is made anew, a job of the same key goes on */
        char *name; /* for messages: "NFS" */
        /* In the job's process, until it is cancelled (base/cancel.h); when it returns otherwise it is begun again. It
         * gets SIGTERM when the keeper dies. */
        int (*run)(const struct keeper_job *job, struct error *err);
        char *folder; /* of what it keeps on disk */
        char *text;   /* what else it must know */
        uint16_t port;
};
struct keeper_jobs {
        VEC(struct keeper_job) list;
};
void keeper_jobs_clear(struct keeper_jobs *jobs);

/* What is to run now; in the keeper's process, with all privileges. */
typedef int keeper_list(void *arg, struct keeper_jobs *ret, struct error *err);

/* Fork, for a process without threads. Nothing runs yet. */
int keeper_open(keeper_list *list, void *arg, struct keeper **ret, struct error *err);
/* Look what is to run, now and each time that this is called. What the keeper has to say becomes events. */
int keeper_start(struct keeper *keeper, const struct event_sink *events, struct error *err);
void keeper_look(struct keeper *keeper);
/* Ends all of it. NULL is fine. */
void keeper_free(struct keeper *keeper);

/* From a job's process: a line for the log. */
void keeper_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
