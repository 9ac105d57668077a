/* Folders that files are served from, each kept open for a moment: a path of several parts is not walked anew for each
 * of thousands of requests, and a folder that is replaced is noticed all the same. For any thread. */
#pragma once

#include "base/cleanup.h"

struct folder_root;

enum { FOLDER_ROOT_MS = 100 }; /* that it is kept */

/* The folder at the path, open for names beneath it; a negative errno: it cannot be opened. The caller releases it. */
int folder_root_get(const char *path, struct folder_root **ret);
int folder_root_fd(const struct folder_root *root); /* O_PATH; the root's */
void folder_root_release(struct folder_root *root); /* or NULL */
static inline void folder_root_releasep(struct folder_root **root)
{
        folder_root_release(*root);
}
/* The next to ask has each opened anew. */
void folder_roots_forget(void);
