/* Where entries are found: a folder that the caller names, the user's own, the
 * machine's, and those that are built in (releases/ of the source). A file is
 * called NAME.hcl; the first that is found counts. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/catalogue.h"
#include "release/release_internal.h"

static const struct built_in {
        const char *name, *title, *text;
} built_in[] = {
#include "releases.inc"
};
enum { N_BUILT_IN = sizeof(built_in) / sizeof(built_in[0]), ENTRY_BYTES = 1 << 20 };

static char **folders(const char *first)
{
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        char **list = NULL;

        if (!str_empty(first))
                strv_add(&list, first);
        if (!str_empty(config))
                strv_addf(&list, "%s/slipway/releases.d", config);
        else if (!str_empty(home))
                strv_addf(&list, "%s/.config/slipway/releases.d", home);
        strv_add(&list, "/etc/slipway/releases.d");
        return list;
}

static const struct built_in *find_built_in(const char *name)
{
        for (size_t i = 0; i < N_BUILT_IN; i++)
                if (strcmp(built_in[i].name, name) == 0)
                        return &built_in[i];
        return NULL;
}

static int unknown(const char *name, const char *catalogue, struct error *err)
{
        CLEANUP_STRV char **names = release_names(catalogue), **places = folders(catalogue);
        CLEANUP_FREE char *all = strv_join(STRV(names), ", "), *where = strv_join(STRV(places), ", ");
        const char *nearest = str_nearest(name, STRV(names));

        return error_set(
                err, ENOENT,
                "no release of '%s' is known%s%s%s (known: %s). Write %s.hcl in one of %s, or give its address "
                "as url",
                name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", all, name, where);
}

int release_entry_text(const char *name, const char *catalogue, char **ret_text, char **ret_path, struct error *err)
{
        CLEANUP_STRV char **list = folders(catalogue);
        const struct built_in *found;

        if (!release_name_is_sound(name))
                return error_set(err, EINVAL, "'%s' is no name of a tool: letters, digits and . _ + - are expected",
                                 name);
        for (char **folder = list; *folder; folder++) {
                CLEANUP_FREE char *path = xasprintf("%s/%s.hcl", *folder, name);
                int r = path_exists(path) ? file_read(path, ENTRY_BYTES, ret_text, NULL, err) : -ENOENT;

                if (r == 0)
                        *ret_path = steal(&path);
                if (r != -ENOENT)
                        return r;
        }
        found = find_built_in(name);
        if (!found)
                return unknown(name, catalogue, err);
        *ret_text = xstrdup(found->text);
        *ret_path = xasprintf("releases/%s.hcl", name);
        return 0;
}

void catalogue_beside(const char *name, const char *suffix, const char *catalogue, char **ret, char **ret_wanted)
{
        CLEANUP_STRV char **list = folders(catalogue);

        *ret_wanted = xasprintf("%s/%s.%s", list[str_empty(catalogue) ? 0 : 1], name, suffix);
        for (char **folder = list; *folder && !*ret; folder++) {
                CLEANUP_FREE char *path = xasprintf("%s/%s.%s", *folder, name, suffix);

                if (path_exists(path))
                        *ret = steal(&path);
        }
}

int catalogue_find(const char *name, const char *catalogue, struct entry **ret, struct error *err)
{
        CLEANUP_FREE char *text = NULL, *path = NULL;
        int r = release_entry_text(name, catalogue, &text, &path, err);

        return r < 0 ? r : entry_load(path, text, name, ret, err);
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

char **release_names(const char *catalogue)
{
        CLEANUP_STRV char **list = folders(catalogue);
        char **names = NULL;

        for (size_t i = 0; i < N_BUILT_IN; i++)
                strv_add(&names, built_in[i].name);
        for (char **folder = list; *folder; folder++) {
                CLEANUP_CLOSEDIR DIR *dir = opendir(*folder);
                const struct dirent *entry;

                while (dir && (entry = readdir(dir))) {
                        size_t n = strlen(entry->d_name);
                        CLEANUP_FREE char *name = xstrndup(entry->d_name, n > 4 ? n - 4 : 0);

                        if (str_ends(entry->d_name, ".hcl") && release_name_is_sound(name) &&
                            !strv_has(STRV(names), name))
                                strv_add(&names, name);
                }
        }
        qsort(names, strv_len(STRV(names)), sizeof(*names), by_text);
        return names;
}

char *release_title(const char *name, const char *catalogue)
{
        CLEANUP(entry_freep) struct entry *entry = NULL;
        char *title = NULL;

        if (catalogue_find(name, catalogue, &entry, NULL) < 0 ||
            entry_text(entry, ENTRY_TOP, "title", &title, NULL) < 0)
                return NULL;
        return title;
}
