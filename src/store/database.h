/* What the stores share of SQLite. */
#pragma once

#include <sqlite3.h>

/* The errno that comes nearest to what went wrong last; EUCLEAN: the file is damaged. */
int database_errno(sqlite3 *db);
/* Rename the file to *.damaged, and remove what belongs to it. Nobody has it open. */
void database_move_aside(const char *path);
