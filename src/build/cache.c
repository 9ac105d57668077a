/* See cache.h. */
#include "build/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "build/seal.h"

static const char *const kinds[] = {"images", "bases",   "layers", "current", "packages",
                                    "plans",  "staging", "locks",  NULL};

char *cache_place(const struct cache *cache, const char *kind, const char *key)
{
        return xasprintf("%s/%s/%s", cache->root, kind, key);
}

static int remove_inside(void *path, struct error *err)
{
        return tree_remove(path, err);
}

int cache_remove(struct userns *ns, const char *path, struct error *err)
{
        if (!path_exists(path))
                return 0;
        return userns_call(ns, remove_inside, (void *)(uintptr_t)path, err);
}

/* A staging folder whose lock nobody holds belongs to a build that was killed. */
static void sweep_one(struct cache *cache, struct userns *ns, const char *lock_name)
{
        CLEANUP_FREE char *lock = cache_place(cache, "staging", lock_name);
        CLEANUP_FREE char *folder = xstrndup(lock, strlen(lock) - strlen(".lock"));
        CLEANUP_CLOSE int fd = open(lock, O_RDWR | O_CLOEXEC);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
                return;
        log_debug("remove what a killed build left: %s", folder);
        if (cache_remove(ns, folder, NULL) == 0)
                unlink(lock);
}

static void sweep(struct cache *cache, struct userns *ns)
{
        CLEANUP_FREE char *path = xasprintf("%s/staging", cache->root);
        CLEANUP_CLOSEDIR DIR *dir = opendir(path);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (str_ends(entry->d_name, ".lock"))
                        sweep_one(cache, ns, entry->d_name);
}

/* The lock file may be swept away between its creation and its lock: then again. */
static int lock_staging(struct cache *cache, const char *lock, struct error *err)
{
        for (;;) {
                CLEANUP_CLOSE int fd = -1;
                struct stat mine, now;
                int r = file_lock(lock, NULL, NULL, &fd, err);

                if (r < 0)
                        return r;
                if (fstat(fd, &mine) == 0 && stat(lock, &now) == 0 && mine.st_ino == now.st_ino) {
                        cache->staging_lock = steal_fd(&fd);
                        return 0;
                }
        }
}

int cache_open(struct cache *cache, struct userns *ns, struct error *err)
{
        CLEANUP_FREE char *lock = NULL;
        char id[37];
        uuid_t uuid;
        int r;

        cache->staging_lock = -1;
        r = cache_dir(&cache->root, err);
        if (r < 0)
                return r;
        for (const char *const *kind = kinds; *kind; kind++) {
                CLEANUP_FREE char *path = path_join(cache->root, *kind);

                r = dir_make(path, 0755, err);
                if (r < 0)
                        return error_wrap(err, r, "cache");
        }
        sweep(cache, ns);
        uuid_generate(uuid);
        uuid_unparse_lower(uuid, id);
        cache->staging = cache_place(cache, "staging", id);
        lock = xasprintf("%s.lock", cache->staging);
        r = lock_staging(cache, lock, err);
        return r < 0 ? r : dir_make(cache->staging, 0755, err);
}

void cache_close(struct cache *cache, struct userns *ns)
{
        CLEANUP_FREE char *lock = cache->staging ? xasprintf("%s.lock", cache->staging) : NULL;

        if (lock && cache_remove(ns, cache->staging, NULL) == 0)
                unlink(lock);
        close_p(&cache->staging_lock);
        free(cache->staging);
        free(cache->root);
        *cache = (struct cache){.staging_lock = -1};
}

int cache_stage(const struct cache *cache, const char *name, char **ret, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("%s/%s.XXXXXX", cache->staging, name);

        if (!mkdtemp(path))
                return error_errno(err, errno, "create folder '%s'", path);
        if (chmod(path, 0755) < 0)
                return error_errno(err, errno, "change the mode of '%s'", path);
        *ret = steal(&path);
        return 0;
}

int cache_commit(const char *staged, const char *place, struct error *err)
{
        if (rename(staged, place) == 0 || errno == EEXIST || errno == ENOTEMPTY)
                return 0;
        return error_errno(err, errno, "move '%s' to '%s'", staged, place);
}

static int seal_inside(void *staged, struct error *err)
{
        return seal_make(staged, err);
}

int cache_seal(struct userns *ns, const char *staged, struct error *err)
{
        return userns_call(ns, seal_inside, (void *)(uintptr_t)staged, err);
}

static int check_inside(void *place, struct error *err)
{
        return seal_check(place, false, err);
}

int cache_take(const struct cache *cache, struct userns *ns, const char *place, const char *what, struct ui *ui,
               struct error *err)
{
        CLEANUP_ERROR struct error problem = {0};
        CLEANUP_FREE char *aside = NULL, *target = NULL;
        struct stat st;
        int r = 0;

        if (lstat(place, &st) < 0)
                return 0;
        r = userns_call(ns, check_inside, (void *)(uintptr_t)place, &problem);
        if (r == 0 || (r == -ENOENT && S_ISREG(st.st_mode)))
                return 1;
        if (r != -EBADMSG && r != -ENOENT)
                return error_set(err, -r, "%s", error_message(&problem));
        ui_error(ui, "%s in the cache is damaged, and made anew: '%s': %s", what, place, error_message(&problem));
        r = cache_stage(cache, "damaged", &aside, err);
        if (r < 0)
                return r;
        target = path_join(aside, "it");
        seal_remove(place);
        return rename(place, target) < 0 ? error_errno(err, errno, "move '%s' away", place) : 0;
}

static void say_waiting(void *ui)
{
        ui_say(ui, "Waiting for another build that makes the same thing");
}

int cache_lock(const struct cache *cache, const char *key, struct ui *ui, int *ret_fd, struct error *err)
{
        CLEANUP_FREE char *path = cache_place(cache, "locks", key);
        int r = file_lock(path, say_waiting, ui, ret_fd, err);

        if (r == 0)
                futimens(*ret_fd, NULL); /* it is used now */
        return r;
}

void cache_describe(int lock_fd, const char *what)
{
        if (ftruncate(lock_fd, 0) < 0 || fd_pwrite_all(lock_fd, what, strlen(what), 0) < 0)
                log_debug("'%s' is not described in the cache", what);
}
