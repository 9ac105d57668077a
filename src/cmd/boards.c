/* See boards.h. */
#include "cmd/boards.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

const struct board boards[] = {
#include "boards.inc"
};
const size_t boards_n = sizeof(boards) / sizeof(boards[0]);

const struct board *board_find(const char *name)
{
        for (size_t i = 0; i < boards_n; i++)
                if (strcmp(boards[i].name, name) == 0)
                        return &boards[i];
        return NULL;
}

const char *board_nearest(const char *name)
{
        const char *names[sizeof(boards) / sizeof(boards[0]) + 1] = {0};

        for (size_t i = 0; i < boards_n; i++)
                names[i] = boards[i].name;
        return str_nearest(name, names);
}

int board_write(const struct board *board, const char *folder, bool force, char **ret_path, struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("%s.pkr.hcl", board->name);
        CLEANUP_FREE char *path = strcmp(folder, ".") == 0 ? xstrdup(name) : path_join(folder, name);
        int r = 0;

        if (path_exists(path) && !force)
                return error_set(err, EEXIST, "'%s' is there already; use -force to replace it", path);
        if (strcmp(folder, ".") != 0)
                r = dir_make(folder, 0755, err);
        if (r == 0)
                r = file_write(path, board->text, strlen(board->text), 0644, err);
        if (r < 0)
                return r;
        *ret_path = steal(&path);
        return 0;
}
