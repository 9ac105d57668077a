/* Simulated clients on a real interface: frames with MACs and addresses of
 * their own, through a packet socket, so that nothing of the host's
 * configuration changes and thousands run at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "simulate/sim.h"

enum { SIMULATE_MAX = 65536 };

struct simulate_options {
        const struct sim_kind *kind;
        const char *interface;
        unsigned int count;      /* at least 1 */
        unsigned int first;      /* number of the first, which gives its MAC */
        unsigned int rate;       /* new ones a second; 0: all at once */
        unsigned int timeout_ms; /* of the whole run; what is not done then has failed */
        bool hurry;              /* take the first answer that fits, without the firmware's waiting for others */
        /* May be NULL. `at_ms` counts from the client's start. */
        void (*stage)(void *arg, const struct sim *sim, int64_t at_ms, const char *text);
        void (*over)(void *arg, const struct sim *sim, int64_t took_ms);
        void *arg;
};

struct simulate_result {
        unsigned int done, failed;
        uint64_t bytes;
        int64_t median_ms, slowest_ms; /* of those that are done */
        int64_t took_ms;
};

/* Needs CAP_NET_RAW. */
int simulate_run(const struct simulate_options *options, struct simulate_result *ret, struct error *err);
