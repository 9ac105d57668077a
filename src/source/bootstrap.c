/* source_bootstrap(): a Debian-like base made by mmdebstrap. It runs as
 * (namespace) root in a pid namespace of its own, made by unshare(1), so that
 * none of its processes outlives us; foreign programs run by the binfmt
 * registration that the caller has made in the user namespace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/str.h"
#include "source/mirror.h"
#include "source/source.h"

#define RECIPE  "bootstrap 1" /* change it when the same configuration gives another tree */
#define KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

enum { DEPTH_MAX = 200 };

static const char *const default_components[] = {"main", NULL};

/* Its own lines begin with "I:" and so on; the rest is apt's and dpkg's talk. */
struct talk {
        struct ui *ui;
        char **errors; /* "E: ..." */
};

static void talk_done(struct talk *talk)
{
        talk->errors = strv_free(talk->errors);
}

static bool has_any(const char *line, const char *const *parts)
{
        for (; *parts; parts++)
                if (strstr(line, *parts))
                        return true;
        return false;
}

static void on_line(void *arg, bool is_stderr, const char *line)
{
        /* What nobody can or need do anything about; that it failed, after why. */
        static const char *const idle[] = {"unsandboxed", "signed-by value", "skipping creation of ./dev/",
                                           "received signal", NULL};
        static const char *const aftermath[] = {"mmdebstrap failed to run", "Some index files failed to download",
                                                "apt-get update --error-on", "setup failed: ", NULL};
        struct talk *talk = arg;

        (void)is_stderr;
        log_debug("mmdebstrap: %s", line);
        if (str_starts(line, "E: ")) {
                if (!talk->errors || !has_any(line, aftermath))
                        strv_add(&talk->errors, line + 3);
                return;
        }
        if (!talk->ui || has_any(line, idle))
                return;
        if (str_starts(line, "W: "))
                ui_say(talk->ui, "warning: %s", line + 3);
        else if (str_starts(line, "I: ") && str_ends(line, "..."))
                ui_say(talk->ui, "%s", line + 3);
}

static void keep(char ***env, const char *name)
{
        const char *value = getenv(name);

        if (value)
                strv_setenv(env, name, value);
}

/* apt's own proxy setting, which mmdebstrap does not look at. */
static void keep_apt_proxy(char ***env, const char *option, const char *variable)
{
        const char *const argv[] = {"apt-config", "dump", "--no-empty", "--format=%v%n", option, NULL};
        CLEANUP_FREE char *text = NULL;

        if (getenv(variable) || spawn_capture(argv, &text, NULL) < 0)
                return;
        if (*str_trim(text) && !strchr(text, '\n'))
                strv_setenv(env, variable, str_trim(text));
}

/* The host's environment is not the guest's: packages' scripts see this one. */
static char **environment(void)
{
        static const char *const kept[] = {"http_proxy", "https_proxy", "ftp_proxy",         "no_proxy", "all_proxy",
                                           "HTTP_PROXY", "HTTPS_PROXY", "SOURCE_DATE_EPOCH", "QEMU_CPU", "NO_PROXY"};
        char **env = NULL;

        strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        strv_add(&env, "HOME=/root");
        strv_add(&env, "LANG=C.UTF-8");
        strv_add(&env, "TERM=dumb");
        strv_add(&env, "DEBIAN_FRONTEND=noninteractive");
        for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
                keep(&env, kept[i]);
        keep_apt_proxy(&env, "Acquire::http::Proxy", "http_proxy");
        keep_apt_proxy(&env, "Acquire::https::Proxy", "https_proxy");
        return env;
}

static void add_list_option(char ***argv, const char *option, const char *const *list)
{
        CLEANUP_FREE char *joined = list && *list ? strv_join(list, ",") : NULL;

        if (joined)
                strv_addf(argv, "%s=%s", option, joined);
}

static int mirror_lines(const struct source_bootstrap *bootstrap, struct mirror *ret, struct error *err)
{
        const char *const *components =
                bootstrap->components && *bootstrap->components ? bootstrap->components : default_components;
        CLEANUP_FREE char *all = strv_join(components, " ");

        if (str_empty(bootstrap->mirror))
                return mirror_find("/etc/apt", bootstrap->suite, components, ret, err);
        strv_addf(&ret->lines, "deb %s %s %s", bootstrap->mirror, bootstrap->suite, all);
        return 0;
}

static char **command(const struct source_bootstrap *bootstrap, const struct mirror *mirror, const char *dir)
{
        char **argv = NULL;

        strv_extend(&argv,
                    (const char *const[]){"unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                                          "mmdebstrap", "--mode=root", "--format=directory", "--verbose", NULL});
        strv_add(&argv, "--skip=check/qemu"); /* that check wants the package arch-test; the caller has seen to qemu */
        if (!str_empty(bootstrap->architecture))
                strv_addf(&argv, "--architectures=%s", bootstrap->architecture);
        if (!str_empty(bootstrap->variant))
                strv_addf(&argv, "--variant=%s", bootstrap->variant);
        add_list_option(&argv, "--components", bootstrap->components);
        add_list_option(&argv, "--include", bootstrap->packages);
        if (path_exists(KEYRING))
                strv_add(&argv, "--keyring=" KEYRING);
        for (char **keyring = mirror->keyrings; keyring && *keyring; keyring++)
                if (strcmp(*keyring, KEYRING) != 0)
                        strv_addf(&argv, "--keyring=%s", *keyring);
        strv_add(&argv, bootstrap->suite);
        strv_add(&argv, dir);
        for (char **line = mirror->lines; line && *line; line++)
                strv_add(&argv, *line);
        return argv;
}

/* It copies these two from the host, which has no business in the image. */
static int remove_copied(const char *dir, const char *path, struct error *err)
{
        CLEANUP_FREE char *inside = path_join(dir, path + 1), *ours = NULL, *theirs = NULL;
        struct stat st;

        if (lstat(inside, &st) < 0 || !S_ISREG(st.st_mode) || file_read(path, 0, &ours, NULL, NULL) < 0 ||
            file_read(inside, 0, &theirs, NULL, NULL) < 0 || strcmp(ours, theirs) != 0)
                return 0;
        return unlink(inside) < 0 ? error_errno(err, errno, "remove '%s'", inside) : 0;
}

/* Nothing is younger than SOURCE_DATE_EPOCH, as mmdebstrap itself does only in a tar. */
static int clamp_times(int parent, const char *name, time_t latest, int depth, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *stream = NULL;
        struct dirent *entry;
        struct stat st;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;

        if (fd < 0 || !(stream = fdopendir(fd)))
                return error_errno(err, errno, "open folder '%s'", name);
        while (r == 0 && (entry = readdir(stream))) {
                struct timespec times[2] = {{.tv_sec = latest}, {.tv_sec = latest}};

                if (strcmp(entry->d_name, "..") == 0 ||
                    fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISDIR(st.st_mode) && strcmp(entry->d_name, ".") != 0 && depth < DEPTH_MAX)
                        r = clamp_times(dirfd(stream), entry->d_name, latest, depth + 1, err);
                else if (st.st_mtime > latest &&
                         utimensat(dirfd(stream), entry->d_name, times, AT_SYMLINK_NOFOLLOW) < 0)
                        r = error_errno(err, errno, "set the times of '%s'", entry->d_name);
        }
        return r;
}

static int finish(const char *dir, struct error *err)
{
        int64_t epoch;
        int r = remove_copied(dir, "/etc/resolv.conf", err);

        if (r == 0)
                r = remove_copied(dir, "/etc/hostname", err);
        if (r == 0)
                r = epoch_read(&epoch, err);
        if (r == 0 && epoch >= 0)
                r = clamp_times(AT_FDCWD, dir, (time_t)epoch, 0, err);
        return r;
}

static int check_programs(struct error *err)
{
        static const char *const programs[][2] = {
                {"mmdebstrap", "mmdebstrap"}, {"apt-get", "apt"}, {"unshare", "util-linux"}};

        for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
                CLEANUP_FREE char *path = program_find(programs[i][0]);

                if (!path)
                        return error_set(err, ENOENT, "a bootstrap needs '%s': install the package %s", programs[i][0],
                                         programs[i][1]);
        }
        return 0;
}

/* What mmdebstrap and apt said; 404 is HTTP's. */
static int explain(const struct source_bootstrap *bootstrap, const struct talk *talk, struct error *err)
{
        static const char *const missing[] = {"404 ", "File not found", "Failed to stat",
                                              "does not have a Release file", NULL};
        CLEANUP_FREE char *errors = strv_join(STRV(talk->errors), "\n    ");
        CLEANUP_FREE char *suite = xasprintf("dists/%s", bootstrap->suite);
        CLEANUP_FREE char *named = xasprintf("%s Release", bootstrap->suite);

        for (char **line = talk->errors; *line; line++)
                if (has_any(*line, missing) && (strstr(*line, suite) || strstr(*line, named)))
                        return error_set(err, EIO,
                                         "the mirror has no suite '%s', or not these components of it:\n    %s",
                                         bootstrap->suite, errors);
        return error_set(err, EIO, "mmdebstrap: %s", errors);
}

static int run(const struct source_bootstrap *bootstrap, const struct mirror *mirror, const char *dir,
               struct talk *talk, struct error *err)
{
        CLEANUP_STRV char **argv = command(bootstrap, mirror, dir), **env = environment();
        struct spawn spawn = {.argv = STRV(argv), .env = STRV(env), .cwd = "/", .on_line = on_line, .arg = talk};
        int r = spawn_check(&spawn, err);

        return r == -EIO && talk->errors ? explain(bootstrap, talk, err) : r;
}

/* Was it an index of the updates or security updates that could not be had? */
static bool is_extra_missing(const struct source_bootstrap *bootstrap, const struct talk *talk)
{
        CLEANUP_FREE char *part = xasprintf("/dists/%s-", bootstrap->suite);

        for (char **line = talk->errors; line && *line; line++)
                if (str_starts(*line, "Failed to fetch ") && strstr(*line, part))
                        return true;
        return false;
}

static int empty_folder(const char *dir, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *stream = opendir(dir);
        struct dirent *entry;
        int r = 0;

        if (!stream)
                return error_errno(err, errno, "open folder '%s'", dir);
        while (r == 0 && (entry = readdir(stream))) {
                CLEANUP_FREE char *path = path_join(dir, entry->d_name);

                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = tree_remove(path, err);
        }
        return r;
}

/* A mirror that is just being synchronised has indexes that do not match. The
 * suite itself never changes between point releases, so it can do without the others. */
static int run_without_extras(const struct source_bootstrap *bootstrap, struct mirror *mirror, const char *dir,
                              struct talk *talk, struct error *err)
{
        int r = empty_folder(dir, err);

        if (r < 0)
                return r;
        if (talk->ui)
                ui_say(talk->ui,
                       "warning: the mirror's index of %s-updates or %s-security is not sound now: going on "
                       "without them",
                       bootstrap->suite, bootstrap->suite);
        for (size_t i = 1; mirror->lines && mirror->lines[i]; i++)
                free(steal(&mirror->lines[i]));
        talk->errors = strv_free(talk->errors);
        return run(bootstrap, mirror, dir, talk, err);
}

int source_bootstrap(const struct source_bootstrap *bootstrap, const char *dir, struct ui *ui, struct error *err)
{
        CLEANUP(mirror_clear) struct mirror mirror = {0};
        CLEANUP(talk_done) struct talk talk = {.ui = ui};
        int r = check_programs(err);

        if (r == 0)
                r = mirror_lines(bootstrap, &mirror, err);
        if (r < 0)
                return r;
        r = run(bootstrap, &mirror, dir, &talk, err);
        if (r == -EIO && is_extra_missing(bootstrap, &talk) && strv_len(STRV(mirror.lines)) > 1)
                r = run_without_extras(bootstrap, &mirror, dir, &talk, err);
        if (r == 0)
                r = finish(dir, err);
        return r < 0 ? error_wrap(err, r, "bootstrap of %s for %s", bootstrap->suite,
                                  bootstrap->architecture ? bootstrap->architecture : "this architecture")
                     : 0;
}

static void digest_list(struct digest *digest, const char *const *list)
{
        for (; list && *list; list++)
                digest_string(digest, *list);
        digest_string(digest, NULL);
}

void source_bootstrap_key(const struct source_bootstrap *bootstrap, char hex[65])
{
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        char full[DIGEST_HEX_MAX] = "";

        digest_string(digest, RECIPE);
        digest_string(digest, bootstrap->suite);
        digest_string(digest, bootstrap->architecture);
        digest_string(digest, bootstrap->variant);
        digest_string(digest, bootstrap->mirror);
        digest_list(digest, bootstrap->components);
        digest_list(digest, bootstrap->packages);
        digest_string(digest, getenv("SOURCE_DATE_EPOCH"));
        digest_final(digest, full);
        memcpy(hex, full, 65);
        hex[64] = '\0';
}
