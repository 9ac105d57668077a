/* A prefix and what of it is ours: its lock, the rubbish of installations that
 * died, and changes by one rename. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "release/release_internal.h"

bool release_name_is_sound(const char *name)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
        size_t n = strlen(name);

        return n > 0 && n <= RELEASE_NAME_MAX && *name != '.' && *name != '-' && strspn(name, allowed) == n;
}

char *release_prefix(const struct release_place *place)
{
        return xasprintf("%s%s", place->root, place->prefix);
}

/* In a root that is somebody's system, a link may lead to a place of ours: what is there of the path must be in it. */
static int check_inside(const char *root, const char *path, struct error *err)
{
        CLEANUP_FREE char *at = xasprintf("%s%s", root, path), *real = NULL;
        size_t n = strlen(root);

        while (!(real = realpath(at, NULL)) && errno == ENOENT && strlen(at) > n) {
                CLEANUP_FREE char *below = steal(&at);

                if (path_exists(below))
                        break; /* a link that leads nowhere, as we see it */
                at = path_dir(below);
        }
        if (real && strncmp(real, root, n) == 0 && (real[n] == '/' || real[n] == '\0'))
                return 0;
        return error_set(err, EXDEV, "'%s%s' passes through a link that leads out of '%s'", root, path, root);
}

static int lock(struct release_site *site, struct error *err)
{
        bool told = false;

        site->lock = open(site->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (site->lock < 0)
                return error_errno(err, errno, "open '%s'", site->state);
        while (flock(site->lock, LOCK_EX | LOCK_NB) < 0) {
                int r = errno == EWOULDBLOCK || errno == EINTR ? cancel_check(err)
                                                               : error_errno(err, errno, "lock '%s'", site->state);

                if (r < 0)
                        return r;
                if (!told && site->place->ui)
                        ui_say(site->place->ui, "waiting for another process that changes '%s'", site->prefix);
                told = true;
                usleep(50 * 1000);
        }
        return 0;
}

/* What is still called so while we have the lock belongs to nobody. */
static int sweep(const struct release_site *site, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(site->state);
        const struct dirent *entry;
        int r = dir ? 0 : error_errno(err, errno, "read '%s'", site->state);

        while (r == 0 && (entry = readdir(dir))) {
                CLEANUP_FREE char *path = path_join(site->state, entry->d_name);

                if (str_starts(entry->d_name, "stage-"))
                        r = tree_remove(path, err);
        }
        return r;
}

int release_site_open(const struct release_place *place, struct release_site *ret, struct error *err)
{
        CLEANUP(release_site_close) struct release_site site = {.place = place, .lock = -1};
        int r;

        if (*place->prefix != '/')
                return error_set(err, EINVAL, "the prefix '%s' is not absolute", place->prefix);
        if (*place->root) {
                r = check_inside(place->root, place->prefix, err);
                if (r == 0 && place->profile)
                        r = check_inside(place->root, place->profile, err);
                if (r < 0)
                        return r;
        }
        site.prefix = release_prefix(place);
        site.state = path_join(site.prefix, RELEASE_STATE);
        r = dir_make(site.state, 0755, err);
        if (r == -EACCES || r == -EPERM || r == -EROFS)
                return error_append(err, r,
                                    "; become root for '%s', or install for yourself alone with -user, or to a -prefix",
                                    site.prefix);
        if (r == 0)
                r = lock(&site, err);
        if (r == 0)
                r = sweep(&site, err);
        if (r < 0)
                return r;
        *ret = steal(&site);
        site.lock = -1;
        return 0;
}

void release_site_close(struct release_site *site)
{
        free(site->prefix);
        free(site->state);
        close_p(&site->lock);
        site->prefix = site->state = NULL;
}

/* Where the file system cannot exchange two names (an overlay over a folder of a layer below): two renames. */
static int replace_folder(const char *temporary, const char *path, struct error *err)
{
        CLEANUP_FREE char *old = xasprintf("%s.old", temporary);

        if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
                return tree_remove(temporary, err);
        if (rename(path, old) < 0)
                return error_errno(err, errno, "replace '%s'", path);
        if (rename(temporary, path) < 0) {
                int code = errno;

                (void)rename(old, path);
                return error_errno(err, code, "replace '%s'", path);
        }
        return tree_remove(old, err);
}

int release_replace(const char *temporary, const char *path, struct error *err)
{
        struct stat new, old;

        if (lstat(temporary, &new) < 0)
                return error_errno(err, errno, "look at '%s'", temporary);
        if (lstat(path, &old) == 0 && (S_ISDIR(new.st_mode) || S_ISDIR(old.st_mode)))
                return replace_folder(temporary, path, err);
        return rename(temporary, path) < 0 ? error_errno(err, errno, "give '%s' its name", path) : 0;
}

int release_link_free(const struct release_site *site, const char *name, struct error *err)
{
        CLEANUP_FREE char *path = path_join(site->prefix, name), *ours = xasprintf("%s-", name);
        char target[RELEASE_NAME_MAX * 2 + 4];
        struct stat st;
        ssize_t n;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : error_errno(err, errno, "look at '%s'", path);
        n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof(target) - 1) : -1;
        if (n > 0) {
                target[n] = '\0';
                if (str_starts(target, ours) && !strchr(target, '/'))
                        return 0;
        }
        return error_set(err, EEXIST,
                         "'%s' is there, and slipway did not make it: move it away, or have it replaced with -force",
                         path);
}
