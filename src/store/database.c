#include "store/database.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int database_errno(sqlite3 *db)
{
        switch (sqlite3_errcode(db) & 0xff) {
        case SQLITE_FULL:
                return ENOSPC;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
                return EUCLEAN;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return EBUSY;
        case SQLITE_READONLY:
                return EROFS;
        case SQLITE_IOERR:
                return sqlite3_system_errno(db) == ENOSPC ? ENOSPC : EIO;
        default:
                return EIO;
        }
}

void database_move_aside(const char *path)
{
        CLEANUP_FREE char *damaged = xasprintf("%s.damaged", path), *wal = xasprintf("%s-wal", path),
                          *shm = xasprintf("%s-shm", path);

        rename(path, damaged);
        unlink(wal);
        unlink(shm);
}
