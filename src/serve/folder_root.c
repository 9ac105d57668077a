/* See folder_root.h. A few folders are kept in a list; who uses one holds it, so that it may leave the list meanwhile.
 */
#include "serve/folder_root.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { KEPT = 32 };

struct folder_root {
        _Atomic unsigned int users; /* the list is one */
        char *path;
        int fd;
        int64_t until_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct folder_root *kept[KEPT];
static unsigned int next_place;

int folder_root_fd(const struct folder_root *root)
{
        return root->fd;
}

void folder_root_release(struct folder_root *root)
{
        if (!root || atomic_fetch_sub(&root->users, 1) > 1)
                return;
        close_p(&root->fd);
        free(root->path);
        free(root);
}

/* Its place in the list, or NULL. */
static struct folder_root **place_of(const char *path)
{
        for (size_t i = 0; i < KEPT; i++)
                if (kept[i] && strcmp(kept[i]->path, path) == 0)
                        return &kept[i];
        return NULL;
}

static struct folder_root *find(const char *path)
{
        struct folder_root **place, *found = NULL;
        int64_t now = monotonic_ms();

        pthread_mutex_lock(&lock);
        place = place_of(path);
        if (place && now < (*place)->until_ms) {
                found = *place;
                atomic_fetch_add(&found->users, 1);
        }
        pthread_mutex_unlock(&lock);
        return found;
}

static void keep(struct folder_root *root)
{
        struct folder_root **place, *before;

        pthread_mutex_lock(&lock);
        place = place_of(root->path);
        if (!place)
                place = &kept[next_place++ % KEPT];
        before = *place;
        *place = root;
        pthread_mutex_unlock(&lock);
        folder_root_release(before);
}

int folder_root_get(const char *path, struct folder_root **ret)
{
        struct folder_root *root = find(path);
        int fd;

        if (!root) {
                fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
                root = xmalloc(sizeof(*root));
                *root = (struct folder_root){
                        .users = 2, .path = xstrdup(path), .fd = fd, .until_ms = monotonic_ms() + FOLDER_ROOT_MS};
                keep(root);
        }
        *ret = root;
        return 0;
}

void folder_roots_forget(void)
{
        for (size_t i = 0; i < KEPT; i++) {
                struct folder_root *root;

                pthread_mutex_lock(&lock);
                root = kept[i];
                kept[i] = NULL;
                pthread_mutex_unlock(&lock);
                folder_root_release(root);
        }
}
