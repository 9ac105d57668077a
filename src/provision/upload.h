/* A script on its short visit to the guest: a name that nothing there has,
 * found without chance, and a folder that looks afterwards as before. Private to the room. */
#pragma once

#include <sys/stat.h>

#include "base/error.h"
#include "guest/guest.h"

struct upload {
        struct guest *guest;
        char *path;         /* in the guest; owned; set before upload_put: that path */
        char *folder;       /* of the path */
        char **made;        /* folders that were not there before, the deepest first */
        bool there;         /* the file is */
        struct stat before; /* the folder's, unless it was made */
};

/* Put n bytes as FOLDER/KIND_N.sh (or at upload->path), N from the text's digest. */
int upload_put(struct upload *upload, const char *folder, const char *kind, const void *data, size_t n, mode_t mode,
               struct error *err);
/* Remove what was put, and give the folder the time it had. */
int upload_remove(struct upload *upload, struct error *err);
/* Frees; does not remove. */
void upload_clear(struct upload *upload);
