/* What was installed, file by file: PREFIX/NAME-VERSION/.slipway-release.json.
 * It is written before the folder has its name, so that a folder with one is
 * whole, and ours. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/file.h"
#include "release/release_internal.h"

enum { MANIFEST_FORMAT = 1, MANIFEST_BYTES = 256 << 20 };

/* ---- one file ---- */

static int file_entry(int folder_fd, const char *path, const struct stat *st, json_t **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = openat(folder_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char hex[DIGEST_HEX_MAX], mode[16];
        int r = fd < 0 ? error_errno(err, errno, "open '%s'", path) : digest_fd("sha256", fd, hex, err);

        if (r < 0)
                return r;
        snprintf(mode, sizeof(mode), "%04o", st->st_mode & 07777);
        *ret = json_pack("{s:s, s:s, s:I, s:s}", "type", "file", "mode", mode, "size", (json_int_t)st->st_size,
                         "sha256", hex);
        return 0;
}

int release_manifest_entry(int folder_fd, const char *path, json_t **ret, struct error *err)
{
        char target[PATH_MAX];
        struct stat st;
        ssize_t n;

        if (fstatat(folder_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "look at '%s'", path);
        if (S_ISREG(st.st_mode))
                return file_entry(folder_fd, path, &st, ret, err);
        if (S_ISDIR(st.st_mode)) {
                *ret = json_pack("{s:s}", "type", "folder");
                return 0;
        }
        n = readlinkat(folder_fd, path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        *ret = json_pack("{s:s, s:s}", "type", n < 0 ? "other" : "link", "target", target);
        return 0;
}

/* ---- all of them ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk_entry(const FTSENT *entry, size_t skip, int (*visit)(void *arg, const char *path, bool is_folder),
                      void *arg, struct error *err)
{
        const char *path = entry->fts_path + skip;
        int r = cancel_check(err);

        if (r < 0 || entry->fts_level == 0 || entry->fts_info == FTS_D)
                return r;
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
                return error_errno(err, entry->fts_errno, "read '%s'", entry->fts_path);
        if (entry->fts_level == 1 && strcmp(path, RELEASE_MANIFEST) == 0)
                return 0;
        return visit(arg, path, entry->fts_info == FTS_DP);
}

int release_manifest_walk(const char *folder, int (*visit)(void *arg, const char *path, bool is_folder), void *arg,
                          struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(folder);
        char *const roots[] = {copy, NULL};
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
        const FTSENT *entry;
        int r = 0;

        if (!fts)
                return error_errno(err, errno, "read '%s'", folder);
        while (r == 0 && (errno = 0, entry = fts_read(fts)))
                r = walk_entry(entry, strlen(folder) + 1, visit, arg, err);
        if (r == 0 && errno)
                r = error_errno(err, errno, "read '%s'", folder);
        fts_close(fts);
        return r;
}

/* ---- the document ---- */

static json_t *texts(char *const *list)
{
        json_t *array = json_array();

        for (; list && *list; list++)
                json_array_append_new(array, json_string(*list));
        return array;
}

static json_t *begin(const struct release *release, const char *sha256)
{
        return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:o, s:o, s:b}", "slipway-release",
                         MANIFEST_FORMAT, "name", release->name, "version", release->version, "selector",
                         release->selector, "machine", release->machine, "url", release->url, "sha256", sha256, "title",
                         release->title, "homepage", release->homepage, "license", release->license, "bin",
                         texts(release->bin), "env", texts(release->env), "signed", release->signature_url != NULL);
}

struct writing {
        int folder_fd;
        json_t *files;
        struct error *err;
};

static int add_file(void *arg, const char *path, bool is_folder)
{
        struct writing *writing = arg;
        json_t *entry = NULL;
        int r = release_manifest_entry(writing->folder_fd, path, &entry, writing->err);

        (void)is_folder;
        if (r == 0 && json_object_set_new(writing->files, path, entry) < 0)
                r = error_set(writing->err, EILSEQ, "the name of '%s' is not UTF-8", path);
        return r;
}

int release_manifest_write(const struct release *release, const char *sha256, const char *folder, struct error *err)
{
        CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_FREE char *path = path_join(folder, RELEASE_MANIFEST), *text = NULL;
        struct writing writing = {.folder_fd = fd, .err = err};
        json_t *manifest;
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", folder);
        manifest = begin(release, sha256);
        writing.files = json_object();
        json_object_set_new(manifest, "files", writing.files);
        r = release_manifest_walk(folder, add_file, &writing, err);
        text = r == 0 ? json_dumps(manifest, JSON_COMPACT) : NULL;
        json_decref(manifest);
        if (r == 0 && !text)
                r = error_set(err, EINVAL, "the list of files cannot be written as JSON");
        return r < 0 ? r : file_write(path, text, strlen(text), 0644, err);
}

int release_manifest_parse(const char *path, const char *text, json_t **ret, struct error *err)
{
        json_error_t problem;
        json_t *manifest = json_loads(text, 0, &problem);

        if (!json_is_object(json_object_get(manifest, "files")) ||
            json_integer_value(json_object_get(manifest, "slipway-release")) != MANIFEST_FORMAT) {
                json_decref(manifest);
                return error_set(err, EBADMSG, "'%s' is damaged, or of a later slipway", path);
        }
        *ret = manifest;
        return 0;
}

int release_manifest_read(const char *folder, json_t **ret, struct error *err)
{
        CLEANUP_FREE char *path = path_join(folder, RELEASE_MANIFEST), *text = NULL;
        int r = file_read(path, MANIFEST_BYTES, &text, NULL, err);

        return r < 0 ? r : release_manifest_parse(path, text, ret, err);
}

const char *release_manifest_text(const json_t *manifest, const char *key)
{
        const char *text = json_string_value(json_object_get(manifest, key));

        return text ? text : "";
}

char **release_manifest_texts(const json_t *manifest, const char *key)
{
        const json_t *list = json_object_get(manifest, key);
        char **out = NULL;

        for (size_t i = 0; i < json_array_size(list); i++)
                if (json_is_string(json_array_get(list, i)))
                        strv_add(&out, json_string_value(json_array_get(list, i)));
        return out;
}
