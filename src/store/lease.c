/* Leases on disk: see lease.h. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/database.h"
#include "store/lease.h"

struct lease_store {
        sqlite3 *db;
        sqlite3_stmt *begin, *put, *commit, *rollback, *each, *get;
        bool in_transaction;
        int failed; /* a write of this transaction did: its errno, negative */
        int lock_fd;
};

static const char *const state_names[LEASE_STATES] = {
        [LEASE_FREE] = "free",
        [LEASE_OFFERED] = "offered",
        [LEASE_ACTIVE] = "active",
        [LEASE_DECLINED] = "declined",
};

const char *lease_state_name(enum lease_state state)
{
        return state_names[state];
}

/* synchronous=FULL: a commit waits for the disk. With WAL it is one fsync of
 * one file, whatever the number of leases. */
static const char schema[] =
        "PRAGMA page_size = 1024;" /* leases lie scattered: a commit writes a page for each, and its checksum */
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA cache_size = -4096;" /* KiB */
        "PRAGMA wal_autocheckpoint = 16000;"
        "PRAGMA journal_size_limit = 33554432;"
        "CREATE TABLE IF NOT EXISTS leases ("
        " address INTEGER PRIMARY KEY, state INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,"
        " boot INTEGER NOT NULL, htype INTEGER NOT NULL, hw BLOB NOT NULL, id BLOB NOT NULL, name TEXT);"
        "PRAGMA user_version = 1;";

#define COLUMNS "address, state, start, end, boot, htype, hw, id, name"

static int fail(struct lease_store *store, const char *what, struct error *err)
{
        return error_set(err, database_errno(store->db), "leases: %s: %s", what, sqlite3_errmsg(store->db));
}

/* ---- opening ---- */

static int prepare(struct lease_store *store, struct error *err)
{
        const struct {
                sqlite3_stmt **statement;
                const char *text;
        } rows[] = {
                {&store->begin, "BEGIN IMMEDIATE"},
                {&store->put, "INSERT OR REPLACE INTO leases (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
                {&store->commit, "COMMIT"},
                {&store->rollback, "ROLLBACK"},
                {&store->each, "SELECT " COLUMNS " FROM leases"},
                {&store->get, "SELECT " COLUMNS " FROM leases WHERE address = ?"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (sqlite3_prepare_v3(store->db, rows[i].text, -1, SQLITE_PREPARE_PERSISTENT, rows[i].statement,
                                       NULL) != SQLITE_OK)
                        return fail(store, "prepare", err);
        return 0;
}

static void close_database(struct lease_store *store)
{
        sqlite3_finalize(store->begin);
        sqlite3_finalize(store->put);
        sqlite3_finalize(store->commit);
        sqlite3_finalize(store->rollback);
        sqlite3_finalize(store->each);
        sqlite3_finalize(store->get);
        sqlite3_close(store->db);
        store->begin = store->put = store->commit = store->rollback = store->each = store->get = NULL;
        store->db = NULL;
}

/* Every page is read once: damage shows now, not at a renewal. */
static int check(struct lease_store *store, struct error *err)
{
        sqlite3_stmt *statement = NULL;
        int r = 0;

        if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK ||
            sqlite3_step(statement) != SQLITE_ROW)
                r = fail(store, "check", err);
        else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
                r = error_set(err, EUCLEAN, "leases: %s", sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
        return r;
}

static int open_database(struct lease_store *store, const char *path, struct error *err)
{
        int r;

        if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK)
                return fail(store, path, err);
        sqlite3_extended_result_codes(store->db, 1);
        r = check(store, err);
        if (r == 0 && sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
                r = fail(store, path, err);
        return r < 0 ? r : prepare(store, err);
}

/* One server for each folder; the lock goes with the process. */
static int lock_folder(struct lease_store *store, const char *folder, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("%s/leases.lock", folder);

        store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (store->lock_fd < 0)
                return error_errno(err, errno, "leases: %s", path);
        if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return error_set(err, EBUSY, "leases: another server uses '%s'", folder);
        return 0;
}

int lease_store_open(const char *folder, struct lease_store **ret, bool *ret_damaged, struct error *err)
{
        CLEANUP(lease_store_freep) struct lease_store *store = xcalloc(1, sizeof(*store));
        CLEANUP_FREE char *path = xasprintf("%s/leases.db", folder);
        int r;

        store->lock_fd = -1;
        *ret_damaged = false;
        r = lock_folder(store, folder, err);
        if (r == 0)
                r = open_database(store, path, err);
        if (r == -EUCLEAN) {
                close_database(store);
                database_move_aside(path);
                *ret_damaged = true;
                r = open_database(store, path, err);
        }
        if (r < 0)
                return r;
        *ret = steal(&store);
        return 0;
}

struct lease_store *lease_store_free(struct lease_store *store)
{
        if (!store)
                return NULL;
        close_database(store);
        close_p(&store->lock_fd);
        free(store);
        return NULL;
}

/* ---- writing ---- */

static int step(struct lease_store *store, sqlite3_stmt *statement, const char *what, struct error *err)
{
        int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : fail(store, what, err);

        sqlite3_reset(statement);
        return r;
}

/* After an error SQLite may have rolled back by itself. */
static void roll_back(struct lease_store *store)
{
        if (!sqlite3_get_autocommit(store->db))
                step(store, store->rollback, "rollback", NULL);
        store->in_transaction = false;
}

static void bind(sqlite3_stmt *put, const struct lease *lease)
{
        sqlite3_bind_int64(put, 1, lease->address);
        sqlite3_bind_int(put, 2, (int)lease->state);
        sqlite3_bind_int64(put, 3, lease->start_sec);
        sqlite3_bind_int64(put, 4, lease->end_sec);
        sqlite3_bind_int(put, 5, lease->boot);
        sqlite3_bind_int(put, 6, lease->htype);
        sqlite3_bind_blob(put, 7, lease->hw, lease->hlen, SQLITE_STATIC);
        if (lease->id_len)
                sqlite3_bind_blob(put, 8, lease->id, lease->id_len, SQLITE_STATIC);
        else
                sqlite3_bind_zeroblob(put, 8, 0);
        sqlite3_bind_text(put, 9, lease->host_name, -1, SQLITE_STATIC);
}

int lease_store_put(struct lease_store *store, const struct lease *lease, struct error *err)
{
        int r = 0;

        if (store->failed)
                return error_set(err, -store->failed, "leases: an earlier write failed");
        if (!store->in_transaction)
                r = step(store, store->begin, "begin", err);
        if (r == 0) {
                store->in_transaction = true;
                bind(store->put, lease);
                r = step(store, store->put, "write", err);
                sqlite3_clear_bindings(store->put);
        }
        if (r < 0) {
                roll_back(store);
                store->failed = r;
        }
        return r;
}

int lease_store_commit(struct lease_store *store, struct error *err)
{
        int r = store->failed;

        store->failed = 0;
        if (r < 0)
                return error_set(err, -r, "leases: a write failed");
        if (!store->in_transaction)
                return 0;
        r = step(store, store->commit, "commit", err);
        if (r < 0)
                roll_back(store);
        store->in_transaction = false;
        return r;
}

/* ---- reading ---- */

static int visit_row(sqlite3_stmt *row, lease_visitor *visit, void *arg)
{
        struct lease lease = {
                .address = (uint32_t)sqlite3_column_int64(row, 0),
                .state = (enum lease_state)sqlite3_column_int(row, 1),
                .start_sec = sqlite3_column_int64(row, 2),
                .end_sec = sqlite3_column_int64(row, 3),
                .boot = sqlite3_column_int(row, 4) != 0,
                .htype = (uint8_t)sqlite3_column_int(row, 5),
                .id = sqlite3_column_blob(row, 7),
                .host_name = (const char *)sqlite3_column_text(row, 8),
        };
        const void *hw = sqlite3_column_blob(row, 6);
        int hlen = sqlite3_column_bytes(row, 6), id_len = sqlite3_column_bytes(row, 7);

        /* Rows that somebody else wrote. */
        if (lease.address == 0 || (unsigned)lease.state >= LEASE_STATES || hlen > LEASE_HW_MAX || id_len > UINT8_MAX)
                return 0;
        lease.hlen = (uint8_t)hlen;
        if (hlen)
                memcpy(lease.hw, hw, (size_t)hlen);
        lease.id_len = (uint8_t)id_len;
        return visit(arg, &lease);
}

static int visit_rows(struct lease_store *store, sqlite3_stmt *statement, lease_visitor *visit, void *arg, int *ret_n,
                      struct error *err)
{
        int r = 0, state;

        while ((state = sqlite3_step(statement)) == SQLITE_ROW && r >= 0) {
                r = visit_row(statement, visit, arg);
                ++*ret_n;
        }
        if (r >= 0 && state != SQLITE_DONE)
                r = fail(store, "read", err);
        sqlite3_reset(statement);
        return r < 0 ? r : 0;
}

int lease_store_each(struct lease_store *store, lease_visitor *visit, void *arg, struct error *err)
{
        int n = 0;

        return visit_rows(store, store->each, visit, arg, &n, err);
}

int lease_store_get(struct lease_store *store, uint32_t address, lease_visitor *visit, void *arg, struct error *err)
{
        int n = 0, r;

        sqlite3_bind_int64(store->get, 1, address);
        r = visit_rows(store, store->get, visit, arg, &n, err);
        return r < 0 ? r : n;
}
