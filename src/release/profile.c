/* Which version is in use, and what its users' shells are told: PREFIX/NAME,
 * PREFIX/.slipway-release/NAME.sh, and the one file of the system or the user
 * that reads all of those. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/profile.h"
#include "release/release_internal.h"

enum { PROFILE_BYTES = 1 << 20 };

static const char head[] =
        "# Written by slipway: puts on PATH what 'slipway release' installed. A line for each prefix.\n";

/* ---- NAME.sh ---- */

static void add_path(struct str *out, const char *dir, const char *folder)
{
        CLEANUP_FREE char *path = strcmp(folder, ".") == 0 ? xstrdup(dir) : path_join(dir, folder);
        CLEANUP_FREE char *quoted = str_shell_quote(path);

        str_addf(out, "case :$PATH: in *:%s:*) ;; *) PATH=%s${PATH:+:$PATH} ;; esac\n", quoted, quoted);
}

static char *shell_text(const json_t *manifest, const char *dir)
{
        CLEANUP_STRV char **bin = release_manifest_texts(manifest, "bin"),
                          **env = release_manifest_texts(manifest, "env");
        struct str out = {0};

        str_addf(&out, "# %s %s, by slipway release\n", release_manifest_text(manifest, "name"),
                 release_manifest_text(manifest, "version"));
        for (char **folder = bin; folder && *folder; folder++)
                add_path(&out, dir, *folder);
        for (char **pair = env; pair && *pair; pair++) {
                CLEANUP_FREE char *name = xstrndup(*pair, strcspn(*pair, "="));
                CLEANUP_FREE char *value = str_replace(*pair + strlen(name) + 1, "${dir}", dir);
                CLEANUP_FREE char *quoted = str_shell_quote(value);

                str_addf(&out, "export %s=%s\n", name, quoted);
        }
        return str_steal(&out);
}

/* ---- the one file ---- */

static const char line_begin[] = "for release in ", line_middle[] = "/" RELEASE_STATE "/*.sh; do";

static char *profile_line(const struct release_place *place)
{
        CLEANUP_FREE char *quoted = str_shell_quote(place->prefix);

        return xasprintf("%s%s%s if [ -r \"$release\" ]; then . \"$release\"; fi; done; unset release\n", line_begin,
                         quoted, line_middle);
}

char *release_profile_prefix(const char *line)
{
        const char *end = str_starts(line, line_begin) ? strstr(line, line_middle) : NULL;
        CLEANUP_FREE char *quoted = NULL, *plain = NULL;
        size_t n;

        if (!end)
                return NULL;
        line += strlen(line_begin);
        quoted = xstrndup(line, (size_t)(end - line));
        plain = str_replace(quoted, "'\"'\"'", "'"); /* as str_shell_quote() wrote it */
        n = strlen(plain);
        return n > 2 && plain[0] == '\'' && plain[n - 1] == '\'' ? xstrndup(plain + 1, n - 2) : NULL;
}

static int read_if_there(const char *path, char **ret, struct error *err)
{
        int r = path_exists(path) ? file_read(path, PROFILE_BYTES, ret, NULL, err) : 0;

        if (r == 0 && !*ret)
                *ret = xstrdup("");
        return r;
}

/* Where the text lies: people keep such files elsewhere, with a link in the usual place, which is to stay one. */
static char *follow(const char *path)
{
        char *real = realpath(path, NULL);

        return real ? real : xstrdup(path);
}

static int add_line(const char *path, const char *first, const char *line, struct error *err)
{
        CLEANUP_FREE char *text = NULL, *folder = path_dir(path), *place = follow(path);
        CLEANUP_STR struct str out = {0};
        struct stat st;
        mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;
        int r = read_if_there(path, &text, err);

        if (r < 0 || strstr(text, line))
                return r;
        str_add(&out, *text ? text : first);
        if (out.len && out.s[out.len - 1] != '\n')
                str_addc(&out, '\n');
        str_add(&out, line);
        r = dir_make(folder, 0755, err);
        return r < 0 ? r : file_write(place, out.s, out.len, mode, err);
}

/* With the last line the file goes. */
static int remove_line(const char *path, const char *line, struct error *err)
{
        CLEANUP_FREE char *text = NULL, *rest = NULL, *place = follow(path);
        int r = read_if_there(path, &text, err);

        if (r < 0 || !strstr(text, line))
                return r;
        rest = str_replace(text, line, "");
        if (strcmp(rest, head) == 0)
                return unlink(path) < 0 ? error_errno(err, errno, "remove '%s'", path) : 0;
        return file_write(place, rest, strlen(rest), 0644, err);
}

static char *profile_path(const struct release_place *place)
{
        return place->profile ? xasprintf("%s%s", place->root, place->profile) : NULL;
}

int release_edit_profile(const char *login_file, const char *profile, struct error *err)
{
        CLEANUP_FREE char *quoted = str_shell_quote(profile);
        CLEANUP_FREE char *line = xasprintf("if [ -r %s ]; then . %s; fi # slipway release\n", quoted, quoted);

        return add_line(login_file, "", line, err);
}

/* ---- into use, and out of it ---- */

static int write_shell(const struct release_site *site, const char *name, const char *folder, struct error *err)
{
        CLEANUP_FREE char *tree = path_join(site->prefix, folder), *dir = path_join(site->place->prefix, name);
        CLEANUP_FREE char *path = xasprintf("%s/%s.sh", site->state, name), *text = NULL, *profile = NULL, *line = NULL;
        json_t *manifest;
        int r = release_manifest_read(tree, &manifest, err);

        if (r < 0)
                return r;
        text = shell_text(manifest, dir);
        json_decref(manifest);
        r = file_write(path, text, strlen(text), 0644, err);
        profile = profile_path(site->place);
        line = profile_line(site->place);
        return r < 0 || !profile ? r : add_line(profile, head, line, err);
}

int release_switch(const struct release_site *site, const char *name, const char *folder, bool force, struct error *err)
{
        CLEANUP_FREE char *link = path_join(site->prefix, name), *temporary = path_join(site->state, "stage-link");
        int r = force ? 0 : release_link_free(site, name, err);

        if (r < 0)
                return r;
        if (symlink(folder, temporary) < 0)
                return error_errno(err, errno, "make the link '%s'", temporary);
        r = release_replace(temporary, link, err);
        return r < 0 ? r : write_shell(site, name, folder, err);
}

static bool has_shell_files(const char *state)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(state);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (str_ends(entry->d_name, ".sh"))
                        return true;
        return false;
}

int release_unlink(const struct release_site *site, const char *name, struct error *err)
{
        CLEANUP_FREE char *link = path_join(site->prefix, name), *shell = xasprintf("%s/%s.sh", site->state, name);
        CLEANUP_FREE char *profile = profile_path(site->place), *line = profile_line(site->place);

        if (unlink(link) < 0 && errno != ENOENT)
                return error_errno(err, errno, "remove '%s'", link);
        if (unlink(shell) < 0 && errno != ENOENT)
                return error_errno(err, errno, "remove '%s'", shell);
        return profile && !has_shell_files(site->state) ? remove_line(profile, line, err) : 0;
}
