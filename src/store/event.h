/* Boots of machines on disk: one row for each, as JSON, so that what happened
 * yesterday can be read today; and packets that they sent and got, a row for
 * each. SQLite, `events.db`; what is lost in a crash is the last second. One
 * thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct event_store;

/* Rows past these are removed, the oldest first: of a machine, and of all, so that nobody fills the disk who invents
 * machines. */
enum {
        EVENT_STORE_PER_MACHINE = 50,
        EVENT_STORE_PACKETS = 1000,
        EVENT_STORE_BOOTS = 50000,
        EVENT_STORE_ALL_PACKETS = 200000,
};

/* Open or make `events.db` in the folder. A file that is damaged is moved aside (`events.db.damaged`), and *ret_damaged
 * says so. */
int event_store_open(const char *folder, struct event_store **ret, bool *ret_damaged, struct error *err);
struct event_store *event_store_free(struct event_store *store); /* returns NULL */
/* Several rows in one commit: begin, put..., commit. */
int event_store_begin(struct event_store *store, struct error *err);
/* *id is 0 for a new row, and then set. A row that is not there (any more) is made anew: its commit failed. */
int event_store_put(struct event_store *store, int64_t *id, const uint8_t mac[6], int64_t started_us, const char *json,
                    struct error *err);
int event_store_commit(struct event_store *store, struct error *err);
/* The rows of a machine, the newest first, at most `limit`. A negative result of `visit` ends it and is returned. */
int event_store_each(struct event_store *store, const uint8_t mac[6], int limit,
                     int (*visit)(void *arg, const char *json), void *arg, struct error *err);
/* A packet in whatever form the caller gives it, as a part of the next commit. */
int event_store_put_packet(struct event_store *store, const uint8_t mac[6], const void *data, size_t size,
                           struct error *err);
/* Remove a machine's packets but the last EVENT_STORE_PACKETS; a part of the next commit too. */
int event_store_prune_packets(struct event_store *store, const uint8_t mac[6], struct error *err);
/* A machine's packets, the oldest first. A negative result of `visit` ends it and is returned. */
int event_store_each_packet(struct event_store *store, const uint8_t mac[6],
                            int (*visit)(void *arg, const void *data, size_t size), void *arg, struct error *err);
