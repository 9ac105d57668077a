/* A file beneath a folder: see site_files.h. The kernel keeps to the folder
 * (RESOLVE_BENEATH): neither "..", nor a symlink, nor a rename meanwhile leads out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "serve/folder_root.h"
#include "serve/site_files.h"
#include "site/path.h"

enum {
        DEPTH_MAX = 64,       /* of folders in a path that is looked for in other case */
        ENTRIES_MAX = 100000, /* of a folder that is */
        RACES_MAX = 16,
};

static int open_beneath(int root, const char *path, int flags)
{
        struct open_how how = {.flags = (unsigned int)flags | O_CLOEXEC,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
        long fd = -1;

        for (int i = 0; i < RACES_MAX && fd < 0; i++) {
                fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
                if (fd < 0 && errno != EAGAIN && errno != EINTR) /* something was renamed on the way */
                        break;
        }
        return fd < 0 ? -errno : (int)fd;
}

/* ---- other case ---- */

/* The name in a folder that differs from `name` in case only; of several the first by their bytes. */
static char *name_in_other_case(int root, const char *folder, const char *name)
{
        int fd = open_beneath(root, *folder ? folder : ".", O_RDONLY | O_DIRECTORY);
        CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        char *best = NULL;

        if (fd >= 0 && !dir)
                close(fd);
        for (int i = 0; dir && i < ENTRIES_MAX; i++) {
                const struct dirent *entry = readdir(dir);

                if (!entry)
                        break;
                if (strcasecmp(entry->d_name, name) != 0 || (best && strcmp(best, entry->d_name) <= 0))
                        continue;
                free(best);
                best = xstrdup(entry->d_name);
        }
        return best;
}

/* The path that is there instead of this one, or NULL. */
static char *path_in_other_case(int root, const char *path)
{
        CLEANUP_STR struct str found = {0};
        CLEANUP_STRV char **parts = str_split(path, "/");
        struct stat st;

        if (strv_len(STRV(parts)) > DEPTH_MAX)
                return NULL;
        for (char **part = parts; *part; part++) {
                CLEANUP_FREE char *other = NULL,
                                  *exact = xasprintf("%s%s%s", str_get(&found), found.len ? "/" : "", *part);
                int fd = open_beneath(root, exact, O_PATH);

                if (fd >= 0)
                        close(fd);
                else
                        other = name_in_other_case(root, str_get(&found), *part);
                if (fd < 0 && !other)
                        return NULL;
                str_addf(&found, "%s%s", found.len ? "/" : "", other ? other : *part);
        }
        return fstatat(root, str_get(&found), &st, 0) == 0 ? str_steal(&found) : NULL;
}

/* ---- opening ---- */

static int say_why(int r, const char *path, struct error *err)
{
        if (r == -ENOENT || r == -ENOTDIR || r == -ENAMETOOLONG)
                return error_set(err, ENOENT, "'%s' is not there", path);
        if (r == -EXDEV || r == -ELOOP)
                return error_set(err, EACCES, "'%s' is a symlink that leads out of the folder, or in a circle", path);
        return error_errno(err, -r, "open '%s'", path);
}

static int check_regular(int fd, const char *path, struct stat *st, struct error *err)
{
        if (fstat(fd, st) < 0)
                return error_errno(err, errno, "look at '%s'", path);
        if (S_ISDIR(st->st_mode))
                return error_set(err, EISDIR, "'%s' is a folder", path);
        if (!S_ISREG(st->st_mode))
                return error_set(err, EACCES, "'%s' is no file", path);
        return 0;
}

int folder_file_open(const char *root, const char *path, struct file **ret, struct error *err)
{
        CLEANUP(folder_root_releasep) struct folder_root *folder = NULL;
        CLEANUP_FREE char *clean = NULL, *other = NULL;
        CLEANUP_CLOSE int fd = -1;
        int r = folder_root_get(root, &folder), root_fd;
        struct stat st;

        if (r < 0)
                return error_errno(err, -r, "open the folder '%s'", root);
        r = site_path_clean(path, &clean, err);
        if (r < 0)
                return r;
        root_fd = folder_root_fd(folder);
        fd = open_beneath(root_fd, clean, O_RDONLY | O_NONBLOCK | O_NOCTTY); /* a FIFO does not hold us up */
        if (fd == -ENOENT)
                other = path_in_other_case(root_fd, clean);
        if (other)
                fd = open_beneath(root_fd, other, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return say_why(fd, path, err);
        r = check_regular(fd, path, &st, err);
        if (r == 0)
                *ret = file_of_fd(steal_fd(&fd), &st);
        return r;
}
