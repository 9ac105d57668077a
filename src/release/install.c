/* Installing: everything is made in a folder beside, judged there, and then
 * named. See release.h for what lies where. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "release/release_internal.h"
#include "source/source.h"

enum { MERGE_DEPTH = 64, CHECK_MS = 60 * 1000 };

/* ---- the archive as the release has it ---- */

/* The one folder in a folder. */
static int only_folder(const char *folder, char **ret, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
        CLEANUP_FREE char *found = NULL;
        const struct dirent *entry;
        struct stat st;

        if (!dir)
                return error_errno(err, errno, "read '%s'", folder);
        while ((entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (found || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                        return error_set(err, EINVAL,
                                         "the archive has not one folder at its top (but '%s'): 'strip' is too large",
                                         entry->d_name);
                found = path_join(folder, entry->d_name);
        }
        *ret = steal(&found);
        return *ret ? 0 : error_set(err, EINVAL, "the archive is empty, or 'strip' too large");
}

static int merge_entry(const char *from, const char *to, int depth, struct error *err);

/* All of the folder's entries into another that is there. */
static int merge_folder(const char *from, const char *to, int depth, struct error *err) /* NOLINT(misc-no-recursion) */
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(from);
        CLEANUP_STRV char **names = NULL;
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return error_errno(err, errno, "the archive's folder '%s'", path_name(from));
        while ((entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        strv_add(&names, entry->d_name);
        for (char **name = names; r == 0 && name && *name; name++) {
                CLEANUP_FREE char *below = path_join(from, *name), *target = path_join(to, *name);

                r = merge_entry(below, target, depth + 1, err);
        }
        return r;
}

static int merge_entry(const char *from, const char *to, int depth, struct error *err) /* NOLINT(misc-no-recursion) */
{
        struct stat a, b;

        if (depth > MERGE_DEPTH)
                return error_set(err, ELOOP, "the archive's folders are nested deeper than %d", MERGE_DEPTH);
        if (lstat(to, &b) == 0 && S_ISDIR(b.st_mode) && lstat(from, &a) == 0 && S_ISDIR(a.st_mode))
                return merge_folder(from, to, depth, err);
        return rename(from, to) < 0 ? error_errno(err, errno, "move '%s'", path_name(from)) : 0;
}

/* A folder of the archive, by its own name: what a link in the archive leads to is somebody else's, and is not moved.
 */
static int find_folder(const char *top, const char *folder, char **ret, struct error *err)
{
        CLEANUP_FREE char *real_top = realpath(top, NULL), *path = path_join(top, folder), *real = NULL;
        size_t n = real_top ? strlen(real_top) : 0;

        real = real_top ? realpath(path, NULL) : NULL;
        if (!real)
                return error_errno(err, errno, "the archive's folder '%s'", folder);
        if (strncmp(real, real_top, n) != 0 || (real[n] != '/' && real[n] != '\0'))
                return error_set(err, EPERM, "the archive's folder '%s' is a link that leads out of the archive",
                                 folder);
        *ret = steal(&real);
        return 0;
}

static int merge(const struct release *release, const char *stage, char **top, struct error *err)
{
        CLEANUP_FREE char *merged = path_join(stage, "merged");
        int r = mkdir(merged, 0755) < 0 ? error_errno(err, errno, "create '%s'", merged) : 0;

        for (char **folder = release->merge; r == 0 && *folder; folder++) {
                CLEANUP_FREE char *from = NULL;

                r = find_folder(*top, *folder, &from, err);
                if (r == 0)
                        r = merge_folder(from, merged, 0, err);
        }
        if (r == 0) {
                free(*top);
                *top = steal(&merged);
        }
        return r;
}

static int unpack_program(const struct release *release, const struct release_archive *archive, const char *tree,
                          struct ui *ui, struct error *err)
{
        CLEANUP_FREE char *path = path_join(tree, release->file);
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        int r = fd < 0 ? error_errno(err, errno, "create '%s'", path)
                       : source_unpack_file(archive->fd, archive->name, fd, ui, err);

        return r == 0 && fchmod(fd, 0755) < 0 ? error_errno(err, errno, "the mode of '%s'", path) : r;
}

/* *ret: the folder that is to become NAME-VERSION. */
static int unpack(const struct release *release, const struct release_archive *archive, const char *stage,
                  struct ui *ui, char **ret, struct error *err)
{
        CLEANUP_FREE char *top = path_join(stage, "tree");
        int r;

        if (mkdir(top, 0755) < 0)
                return error_errno(err, errno, "create '%s'", top);
        r = release->file ? unpack_program(release, archive, top, ui, err)
                          : source_unpack_plain(archive->fd, archive->name, top, ui, err);
        for (int64_t i = 0; r == 0 && i < release->strip; i++) {
                CLEANUP_FREE char *below = NULL;

                r = only_folder(top, &below, err);
                if (r == 0) {
                        free(top);
                        top = steal(&below);
                }
        }
        if (r == 0 && release->merge)
                r = merge(release, stage, &top, err);
        if (r == 0 && chmod(top, 0755) < 0)
                r = error_errno(err, errno, "the mode of '%s'", top);
        if (r == 0)
                *ret = steal(&top);
        return r;
}

/* ---- the release's own check ---- */

void release_check_command(const struct release *release, const char *dir, const char *path, char ***ret_argv,
                           char ***ret_env)
{
        CLEANUP_STR struct str search = {0};

        for (char **folder = release->bin; folder && *folder; folder++)
                str_addf(&search, "%s/%s:", dir, *folder);
        str_add(&search, path);
        strv_setenv(ret_env, "PATH", str_get(&search));
        for (char **pair = release->env; pair && *pair; pair++) {
                CLEANUP_FREE char *name = xstrndup(*pair, strcspn(*pair, "="));
                CLEANUP_FREE char *value = str_replace(*pair + strlen(name) + 1, "${dir}", dir);

                strv_setenv(ret_env, name, value);
        }
        for (char **word = release->validate; word && *word; word++)
                strv_take(ret_argv,
                          word == release->validate ? path_join(dir, *word) : str_replace(*word, "${dir}", dir));
}

void release_check_line(struct release_check *check, const char *line)
{
        check->met = check->met || (check->release->expect && strstr(line, check->release->expect));
        tail_add(&check->tail, line);
}

int release_check_result(struct release_check *check, int status, const char *where, struct error *err)
{
        const struct release *release = check->release;
        int r = 0;

        if (status != 0)
                r = error_set(err, EIO, "it ends with status %d", status);
        else if (release->expect && !check->met)
                r = error_set(err, EIO, "it does not say '%s'", release->expect);
        if (r < 0) {
                r = tail_append(&check->tail, err, r);
                r = error_wrap(err, r, "%s %s does not run %s: '%s'", release->name, release->version, where,
                               release->validate[0]);
        }
        tail_clear(&check->tail);
        return r;
}

static void on_line(void *arg, bool is_stderr, const char *line)
{
        (void)is_stderr;
        release_check_line(arg, line);
}

static int validate(const struct release *release, const char *dir, struct error *err)
{
        CLEANUP_STRV char **argv = NULL, **env = strv_dup(STRV(environ));
        const char *path = getenv("PATH");
        struct release_check check = {.release = release};
        int status = 0, r;

        if (!release->validate)
                return 0;
        release_check_command(release, dir, path ? path : "/usr/bin:/bin", &argv, &env);
        if (argv && !path_exists(argv[0]))
                return error_set(err, ENOENT, "the release has no file '%s', by which it is to be tried",
                                 release->validate[0]);
        r = spawn_run(&(struct spawn){.argv = STRV(argv),
                                      .env = STRV(env),
                                      .cwd = dir,
                                      .timeout_ms = CHECK_MS,
                                      .on_line = on_line,
                                      .arg = &check},
                      &status, err);
        if (r < 0) {
                tail_clear(&check.tail);
                return error_wrap(err, r, "the check of %s %s", release->name, release->version);
        }
        return release_check_result(&check, status, "here", err);
}

/* A tree for another root, or another processor, cannot be tried. */
static bool can_validate(const struct release *release, const struct release_place *place)
{
        return *place->root == '\0' && release_machine_runs(release_host_machine(), release->machine);
}

/* What goes on PATH must be there: else the archive is laid out otherwise than was thought. */
static int check_bin(const struct release *release, const char *tree, struct error *err)
{
        for (char **folder = release->bin; folder && *folder; folder++) {
                CLEANUP_FREE char *path = path_join(tree, *folder);

                if (!path_exists(path))
                        return error_set(err, ENOENT, "the release has no folder '%s' to go on PATH; is 'strip' right?",
                                         *folder);
        }
        return 0;
}

/* ---- naming it ---- */

/* 1: the version is there, of the same archive. */
static int look_for(const struct release_site *site, const struct release *release, const char *folder,
                    const char *sha256, bool force, struct error *err)
{
        CLEANUP_FREE char *path = path_join(site->prefix, folder);
        json_t *manifest = NULL;
        bool same;
        int r = force ? 0 : release_link_free(site, release->name, err);

        if (r < 0 || !path_exists(path) || force)
                return r;
        if (release_manifest_read(path, &manifest, NULL) < 0)
                return error_set(err, EEXIST,
                                 "'%s' is there, and slipway did not make it: move it away, or have it replaced "
                                 "with -force",
                                 path);
        same = strcmp(release_manifest_text(manifest, "sha256"), sha256) == 0;
        json_decref(manifest);
        return same ? 1
                    : error_set(err, EEXIST,
                                "%s %s is installed, from another archive than '%s' gives now: have it replaced with "
                                "-force",
                                release->name, release->version, release->url);
}

static int make(const struct release_site *site, const struct release *release, const struct release_archive *archive,
                const struct release_options *options, const char *folder, const char *stage, struct error *err)
{
        CLEANUP_FREE char *tree = NULL, *path = path_join(site->prefix, folder);
        int r = unpack(release, archive, stage, site->place->ui, &tree, err);

        if (r == 0)
                r = check_bin(release, tree, err);
        if (r == 0)
                r = release_manifest_write(release, archive->sha256, tree, err);
        if (r == 0 && options->validate && can_validate(release, site->place))
                r = validate(release, tree, err);
        if (r == 0 && syncfs(site->lock) < 0)
                r = error_errno(err, errno, "write '%s' to the disk", path);
        return r == 0 ? release_replace(tree, path, err) : r;
}

static int stage_and_make(const struct release_site *site, const struct release *release,
                          const struct release_archive *archive, const struct release_options *options,
                          const char *folder, struct error *err)
{
        CLEANUP_FREE char *stage = path_join(site->state, "stage-XXXXXX");
        int r;

        if (!mkdtemp(stage))
                return error_errno(err, errno, "create a folder in '%s'", site->state);
        r = make(site, release, archive, options, folder, stage, err);
        tree_remove(stage, NULL);
        return r;
}

int release_install(const struct release *release, const struct release_archive *archive,
                    const struct release_place *place, const struct release_options *options, bool *ret_was_there,
                    struct error *err)
{
        CLEANUP(release_site_close) struct release_site site = {.lock = -1};
        CLEANUP_FREE char *folder = xasprintf("%s-%s", release->name, release->version);
        int r = release_site_open(place, &site, err);

        if (r == 0)
                r = look_for(&site, release, folder, archive->sha256, options->force, err);
        if (ret_was_there)
                *ret_was_there = r == 1;
        if (r == 0)
                r = stage_and_make(&site, release, archive, options, folder, err);
        if (r < 0 && site.state)
                rmdir(site.state); /* where nothing else is installed */
        return r < 0 ? r : release_switch(&site, release->name, folder, options->force, err);
}

int release_use(const struct release_place *place, const struct release_installed *installed, bool force,
                struct error *err)
{
        CLEANUP(release_site_close) struct release_site site = {.lock = -1};
        int r = release_site_open(place, &site, err);

        return r < 0 ? r : release_switch(&site, installed->name, installed->folder, force, err);
}
