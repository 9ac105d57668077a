/* See release_place.h. */
#include "cmd/release_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "guest/guest.h"
#include "release/manifest.h"
#include "release/profile.h"

void release_args_clear(struct release_args *args)
{
        strv_free(args->bin);
        strv_free(args->validate);
}

void release_paths_clear(struct release_paths *paths)
{
        free(paths->root);
        free(paths->prefix);
        free(paths->profile);
        free(paths->machine);
}

static int home(char **ret, struct error *err)
{
        const char *path = getenv("HOME");

        if (!path || *path != '/')
                return error_set(err, ENOENT, "HOME is not set, and -user installs below it");
        *ret = xstrdup(path);
        return 0;
}

static int find_root(const struct release_args *args, struct release_paths *paths, struct error *err)
{
        size_t n;

        paths->root = realpath(args->root, NULL);
        if (!paths->root)
                return error_errno(err, errno, "the root '%s'", args->root);
        for (n = strlen(paths->root); n > 0 && paths->root[n - 1] == '/'; n--)
                paths->root[n - 1] = '\0';
        if (*paths->root == '\0' || args->arch)
                return 0;
        return guest_platform(paths->root, &paths->machine, err);
}

/* A prefix of this system may not be there yet; in a root it is absolute. */
static int find_prefix(const struct release_args *args, struct release_paths *paths, struct error *err)
{
        CLEANUP_FREE char *cwd = NULL;
        size_t n;

        if (args->root && *args->prefix != '/')
                return error_set(err, EINVAL, "with -root the -prefix is a path in it: /usr/local, not '%s'",
                                 args->prefix);
        cwd = realpath(".", NULL);
        paths->prefix = *args->prefix == '/' || !cwd ? xstrdup(args->prefix) : path_join(cwd, args->prefix);
        for (n = strlen(paths->prefix); n > 1 && paths->prefix[n - 1] == '/'; n--)
                paths->prefix[n - 1] = '\0';
        return 0;
}

int release_paths_find(const struct release_args *args, struct release_paths *ret, struct error *err)
{
        CLEANUP_FREE char *folder = NULL;
        int r = 0;

        if (args->user && (args->prefix || args->root))
                return error_set(err, EINVAL, "-user, or -prefix and -root, not both");
        if (args->edit_profile && !args->user)
                return error_set(err, EINVAL, "-edit-profile is about your own files: it goes with -user");
        ret->machine = args->arch ? xstrdup(args->arch) : NULL;
        ret->user = args->user;
        if (args->root)
                r = find_root(args, ret, err);
        if (r == 0 && args->user)
                r = home(&folder, err);
        if (r == 0 && args->prefix)
                r = find_prefix(args, ret, err);
        if (r < 0)
                return r;
        if (!ret->root)
                ret->root = xstrdup("");
        if (!ret->prefix)
                ret->prefix = folder ? xasprintf("%s/.local/opt", folder) : xstrdup("/usr/local");
        if (folder)
                ret->profile = xasprintf("%s/.profile.d/%s", folder, path_name(RELEASE_SYSTEM_PROFILE));
        else if (args->root || !args->prefix)
                ret->profile = xstrdup(RELEASE_SYSTEM_PROFILE);
        ret->place = (struct release_place){.root = ret->root, .prefix = ret->prefix, .profile = ret->profile};
        return 0;
}

/* The file that the user's login shell reads: bash takes the first one of its own. */
static char *login_file(const char *folder)
{
        static const char *const bash[] = {".bash_profile", ".bash_login", NULL};
        const char *shell = getenv("SHELL");

        if (shell && strcmp(path_name(shell), "zsh") == 0)
                return path_join(folder, ".zprofile");
        for (const char *const *name = bash; shell && strcmp(path_name(shell), "bash") == 0 && *name; name++) {
                char *path = path_join(folder, *name);

                if (path_exists(path))
                        return path;
                free(path);
        }
        return path_join(folder, ".profile");
}

int release_place_edit_profile(const struct release_paths *paths, struct error *err)
{
        CLEANUP_FREE char *folder = NULL, *file = NULL;
        int r = home(&folder, err);

        if (r < 0)
                return r;
        file = login_file(folder);
        return release_edit_profile(file, paths->profile, err);
}

void release_place_hint(const struct release_paths *paths, bool edited, const char *name)
{
        if (*paths->root)
                return;
        if (paths->user && !edited)
                printf("For your shells add '. %s' to ~/.profile, or give -edit-profile.\n", paths->profile);
        else if (paths->profile)
                printf("New login shells have it on PATH; this one after '. %s'.\n", paths->profile);
        else
                printf("'. %s/.slipway-release/%s.sh' puts it on PATH.\n", paths->prefix, name);
}
