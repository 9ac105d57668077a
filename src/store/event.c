#include "store/event.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "store/database.h"

struct event_store {
        sqlite3 *db;
        sqlite3_stmt *insert, *update, *prune, *prune_all, *each;
        sqlite3_stmt *insert_packet, *prune_packets, *prune_all_packets, *each_packet;
};

/* synchronous=NORMAL: history may lose its last second in a power cut, and is never damaged. */
static const char schema[] = "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = NORMAL;"
                             "CREATE TABLE IF NOT EXISTS boots (id INTEGER PRIMARY KEY, mac BLOB NOT NULL,"
                             " started INTEGER NOT NULL, data TEXT NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS boots_mac ON boots (mac, started);"
                             "CREATE TABLE IF NOT EXISTS packets (id INTEGER PRIMARY KEY, mac BLOB NOT NULL,"
                             " data BLOB NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS packets_mac ON packets (mac, id);"
                             "PRAGMA user_version = 1;";

static int fail(struct event_store *store, const char *what, struct error *err)
{
        return error_set(err, database_errno(store->db), "events: %s: %s", what, sqlite3_errmsg(store->db));
}

static int prepare(struct event_store *store, struct error *err)
{
        const struct {
                sqlite3_stmt **statement;
                const char *text;
        } rows[] = {
                {&store->insert, "INSERT INTO boots (mac, started, data) VALUES (?, ?, ?)"},
                {&store->update, "UPDATE boots SET data = ? WHERE id = ? AND mac = ? AND started = ?"},
                {&store->prune, "DELETE FROM boots WHERE mac = ?1 AND id NOT IN"
                                " (SELECT id FROM boots WHERE mac = ?1 ORDER BY started DESC LIMIT ?2)"},
                {&store->prune_all, "DELETE FROM boots WHERE id <= ?"},
                {&store->each, "SELECT data FROM boots WHERE mac = ? ORDER BY started DESC LIMIT ?"},
                {&store->insert_packet, "INSERT INTO packets (mac, data) VALUES (?, ?)"},
                {&store->prune_packets, "DELETE FROM packets WHERE mac = ?1 AND id <="
                                        " (SELECT id FROM packets WHERE mac = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"},
                {&store->prune_all_packets, "DELETE FROM packets WHERE id <= ?"},
                {&store->each_packet, "SELECT data FROM packets WHERE mac = ? ORDER BY id"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (sqlite3_prepare_v2(store->db, rows[i].text, -1, rows[i].statement, NULL) != SQLITE_OK)
                        return fail(store, "prepare", err);
        return 0;
}

struct event_store *event_store_free(struct event_store *store)
{
        if (!store)
                return NULL;
        sqlite3_finalize(store->insert);
        sqlite3_finalize(store->update);
        sqlite3_finalize(store->prune);
        sqlite3_finalize(store->prune_all);
        sqlite3_finalize(store->each);
        sqlite3_finalize(store->insert_packet);
        sqlite3_finalize(store->prune_packets);
        sqlite3_finalize(store->prune_all_packets);
        sqlite3_finalize(store->each_packet);
        sqlite3_close(store->db);
        free(store);
        return NULL;
}

static int open_database(const char *path, struct event_store **ret, struct error *err)
{
        struct event_store *store = xcalloc(1, sizeof(*store));
        int r = 0;

        if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                            NULL) != SQLITE_OK ||
            sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
                r = fail(store, path, err);
        if (r == 0)
                r = prepare(store, err);
        if (r < 0) {
                event_store_free(store);
                return r;
        }
        *ret = store;
        return 0;
}

int event_store_open(const char *folder, struct event_store **ret, bool *ret_damaged, struct error *err)
{
        CLEANUP_FREE char *path = path_join(folder, "events.db");
        int r = open_database(path, ret, err);

        *ret_damaged = r == -EUCLEAN;
        if (!*ret_damaged)
                return r;
        database_move_aside(path);
        if (err)
                error_clear(err);
        return open_database(path, ret, err);
}

static int step(struct event_store *store, sqlite3_stmt *statement, const char *what, struct error *err)
{
        int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : fail(store, what, err);

        sqlite3_reset(statement);
        return r;
}

int event_store_begin(struct event_store *store, struct error *err)
{
        return sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                                         : fail(store, "begin", err);
}

int event_store_commit(struct event_store *store, struct error *err)
{
        int r = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(store, "commit", err);

        if (r < 0)
                sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        return r;
}

/* Rows up to this one: each new one has a larger number. */
static int prune_all(struct event_store *store, sqlite3_stmt *statement, int64_t up_to, struct error *err)
{
        sqlite3_bind_int64(statement, 1, up_to);
        return step(store, statement, "remove old rows", err);
}

int event_store_put(struct event_store *store, int64_t *id, const uint8_t mac[6], int64_t started_us, const char *json,
                    struct error *err)
{
        int r;

        if (*id) {
                sqlite3_bind_text(store->update, 1, json, -1, SQLITE_STATIC);
                sqlite3_bind_int64(store->update, 2, *id);
                sqlite3_bind_blob(store->update, 3, mac, 6, SQLITE_STATIC);
                sqlite3_bind_int64(store->update, 4, started_us);
                r = step(store, store->update, "write", err);
                if (r < 0 || sqlite3_changes(store->db) > 0)
                        return r;
        }
        sqlite3_bind_blob(store->insert, 1, mac, 6, SQLITE_STATIC);
        sqlite3_bind_int64(store->insert, 2, started_us);
        sqlite3_bind_text(store->insert, 3, json, -1, SQLITE_STATIC);
        r = step(store, store->insert, "write", err);
        if (r < 0)
                return r;
        *id = sqlite3_last_insert_rowid(store->db);
        sqlite3_bind_blob(store->prune, 1, mac, 6, SQLITE_STATIC);
        sqlite3_bind_int(store->prune, 2, EVENT_STORE_PER_MACHINE);
        r = step(store, store->prune, "remove old boots", err);
        return r < 0 ? r : prune_all(store, store->prune_all, *id - EVENT_STORE_BOOTS, err);
}

int event_store_each(struct event_store *store, const uint8_t mac[6], int limit,
                     int (*visit)(void *arg, const char *json), void *arg, struct error *err)
{
        int r = 0, code = SQLITE_DONE;

        sqlite3_bind_blob(store->each, 1, mac, 6, SQLITE_STATIC);
        sqlite3_bind_int(store->each, 2, limit);
        while (r >= 0 && (code = sqlite3_step(store->each)) == SQLITE_ROW)
                r = visit(arg, (const char *)sqlite3_column_text(store->each, 0));
        if (r >= 0 && code != SQLITE_DONE)
                r = fail(store, "read", err);
        sqlite3_reset(store->each);
        return r < 0 ? r : 0;
}

int event_store_put_packet(struct event_store *store, const uint8_t mac[6], const void *data, size_t size,
                           struct error *err)
{
        int r;

        sqlite3_bind_blob(store->insert_packet, 1, mac, 6, SQLITE_STATIC);
        sqlite3_bind_blob(store->insert_packet, 2, data, (int)size, SQLITE_STATIC);
        r = step(store, store->insert_packet, "write a packet", err);
        return r < 0 ? r
                     : prune_all(store, store->prune_all_packets,
                                 sqlite3_last_insert_rowid(store->db) - EVENT_STORE_ALL_PACKETS, err);
}

int event_store_prune_packets(struct event_store *store, const uint8_t mac[6], struct error *err)
{
        sqlite3_bind_blob(store->prune_packets, 1, mac, 6, SQLITE_STATIC);
        sqlite3_bind_int(store->prune_packets, 2, EVENT_STORE_PACKETS);
        return step(store, store->prune_packets, "remove old packets", err);
}

int event_store_each_packet(struct event_store *store, const uint8_t mac[6],
                            int (*visit)(void *arg, const void *data, size_t size), void *arg, struct error *err)
{
        sqlite3_stmt *each = store->each_packet;
        int r = 0, code = SQLITE_DONE;

        sqlite3_bind_blob(each, 1, mac, 6, SQLITE_STATIC);
        while (r >= 0 && (code = sqlite3_step(each)) == SQLITE_ROW)
                r = visit(arg, sqlite3_column_blob(each, 0), (size_t)sqlite3_column_bytes(each, 0));
        if (r >= 0 && code != SQLITE_DONE)
                r = fail(store, "read packets", err);
        sqlite3_reset(each);
        return r < 0 ? r : 0;
}
