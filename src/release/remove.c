/* What is installed against its manifest: compared, or removed by it. Paths
 * are resolved beneath the release's folder without following links: somebody
 * may have put one there since. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/release_internal.h"

/* ---- verify ---- */

struct verifying {
        const json_t *files;
        release_finding finding;
        void *arg;
};

static int find_added(void *arg, const char *path, bool is_folder)
{
        struct verifying *verifying = arg;

        if (!json_object_get(verifying->files, path))
                verifying->finding(verifying->arg, is_folder ? "added folder" : "added", path);
        return 0;
}

static bool is_as_installed(int folder_fd, const char *path, const json_t *wanted)
{
        json_t *found = NULL;
        bool same = release_manifest_entry(folder_fd, path, &found, NULL) == 0 && json_equal(found, (json_t *)wanted);

        json_decref(found);
        return same;
}

static int compare(const char *folder, const json_t *manifest, struct verifying *verifying, struct error *err)
{
        CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const char *path;
        json_t *wanted;
        struct stat st;
        int n = 0, r;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", folder);
        verifying->files = json_object_get(manifest, "files");
        json_object_foreach((json_t *)verifying->files, path, wanted)
        {
                bool there = fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;

                if (there && is_as_installed(fd, path, wanted))
                        continue;
                verifying->finding(verifying->arg, there ? "changed" : "missing", path);
                n++;
        }
        r = release_manifest_walk(folder, find_added, verifying, err);
        return r < 0 ? r : n;
}

static char *folder_of(const struct release_place *place, const struct release_installed *installed)
{
        CLEANUP_FREE char *prefix = release_prefix(place);

        return path_join(prefix, installed->folder);
}

int release_verify(const struct release_place *place, const struct release_installed *installed,
                   release_finding finding, void *arg, struct error *err)
{
        CLEANUP_FREE char *folder = folder_of(place, installed);
        struct verifying verifying = {.finding = finding, .arg = arg};
        json_t *manifest;
        int r = release_manifest_read(folder, &manifest, err);

        if (r < 0)
                return r;
        r = compare(folder, manifest, &verifying, err);
        json_decref(manifest);
        return r;
}

/* ---- rm ---- */

/* The folder that holds a path, reached without a link. */
static int open_parent(int folder_fd, const char *path, const char **ret_name)
{
        CLEANUP_FREE char *parent = path_dir(path);
        struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

        *ret_name = path_name(path);
        return (int)syscall(SYS_openat2, folder_fd, parent, &how, sizeof(how));
}

static int remove_one(int folder_fd, const char *path, const json_t *entry, struct error *err)
{
        bool is_folder = strcmp(release_manifest_text(entry, "type"), "folder") == 0;
        const char *name;
        CLEANUP_CLOSE int parent = open_parent(folder_fd, path, &name);

        if (parent >= 0 && unlinkat(parent, name, is_folder ? AT_REMOVEDIR : 0) == 0)
                return 0;
        switch (errno) {
        case ENOENT:
        case ENOTDIR: /* something else has the name now, or the one of its folder */
        case EISDIR:
        case ENOTEMPTY:
        case ELOOP:
        case EXDEV:
                return 0;
        default:
                return error_errno(err, errno, "remove '%s'", path);
        }
}

static int count_left(void *arg, const char *path, bool is_folder)
{
        (void)path;
        *(size_t *)arg += !is_folder;
        return 0;
}

static int remove_files(const char *folder, const json_t *manifest, size_t *ret_left, struct error *err)
{
        CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const char *path;
        json_t *entry;
        int r = 0;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", folder);
        json_object_foreach(json_object_get(manifest, "files"), path, entry)
        {
                r = remove_one(fd, path, entry, err);
                if (r < 0)
                        return r;
        }
        if (unlinkat(fd, RELEASE_MANIFEST, 0) < 0)
                return error_errno(err, errno, "remove the list of files of '%s'", folder);
        *ret_left = 0;
        if (rmdir(folder) == 0)
                return 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
                return error_errno(err, errno, "remove '%s'", folder);
        return release_manifest_walk(folder, count_left, ret_left, err);
}

/* First out of use, then file by file, the manifest last: what is interrupted is done by doing it again. */
int release_remove(const struct release_place *place, const struct release_installed *installed, size_t *ret_left,
                   struct error *err)
{
        CLEANUP(release_site_close) struct release_site site = {.lock = -1};
        CLEANUP_FREE char *folder = folder_of(place, installed);
        json_t *manifest = NULL;
        int r = release_site_open(place, &site, err);

        if (r == 0)
                r = release_manifest_read(folder, &manifest, err);
        if (r == 0 && installed->in_use)
                r = release_unlink(&site, installed->name, err);
        if (r == 0)
                r = remove_files(folder, manifest, ret_left, err);
        json_decref(manifest);
        if (r == 0)
                rmdir(site.state); /* where it was the last */
        return r;
}
