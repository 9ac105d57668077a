/* Leases on disk. What is in here survives kill -9 and a power cut: a server
 * writes a lease, commits, and only then sends its ACK. Many leases share one
 * commit, and so one wait for the disk.
 *
 * An SQLite file, `leases.db`, in WAL mode; a row for each address. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum lease_state {
        LEASE_FREE,     /* released, or only offered before; whose it was is remembered */
        LEASE_OFFERED,  /* in memory only: held for a client until end_sec */
        LEASE_ACTIVE,   /* until end_sec; after that it is free */
        LEASE_DECLINED, /* not to be given to anybody until end_sec */
        LEASE_STATES,
};

enum { LEASE_HW_MAX = 16 };
#define LEASE_FOREVER INT64_MAX

struct lease {
        uint32_t address; /* host order; never 0 */
        enum lease_state state;
        int64_t start_sec, end_sec; /* of the wall clock; end LEASE_FOREVER: does not end */
        bool boot;                  /* it was a boot program (PXE, iPXE, U-Boot...) that asked last */
        uint8_t htype, hlen, hw[LEASE_HW_MAX];
        uint8_t id_len;        /* 0: nobody's */
        const uint8_t *id;     /* the client identifier */
        const char *host_name; /* or NULL */
};

const char *lease_state_name(enum lease_state state); /* "free", "active"... */

struct lease_store;

/* Open or make `leases.db` in the folder. A file that is damaged is moved
 * aside (`leases.db.damaged`), and *ret_damaged says so: a server without
 * memory is better than none, since it probes addresses. Only one process
 * opens it at a time: -EBUSY. */
int lease_store_open(const char *folder, struct lease_store **ret, bool *ret_damaged, struct error *err);
struct lease_store *lease_store_free(struct lease_store *store); /* returns NULL */
static inline void lease_store_freep(struct lease_store **store)
{
        *store = lease_store_free(*store);
}

/* Write a lease (in place of what its address had) as a part of the next
 * commit, which fails if this does. */
int lease_store_put(struct lease_store *store, const struct lease *lease, struct error *err);
/* Returns when all that was put is on disk. After an error (a full disk:
 * -ENOSPC) nothing of it is, and the store can be used as before. */
int lease_store_commit(struct lease_store *store, struct error *err);

/* Called for each lease; its pointers are valid during the call. A negative result ends it and is returned. */
typedef int lease_visitor(void *arg, const struct lease *lease);
int lease_store_each(struct lease_store *store, lease_visitor *visit, void *arg, struct error *err);
/* The one of an address, if there is one: returns how many (0 or 1). */
int lease_store_get(struct lease_store *store, uint32_t address, lease_visitor *visit, void *arg, struct error *err);
