/* What an ansible step depends on besides its keys: the playbook and what it
 * may read. Where the playbook lies in a folder of its own, that is the whole
 * folder. In the working folder, to which builds write their images, it is
 * what Ansible looks for by its conventions, and what the playbooks name. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "provision/ansible.h"

static const char *const usual_folders[] = {
        "roles",
        "files",
        "templates",
        "vars",
        "tasks",
        "handlers",
        "defaults",
        "meta",
        "library",
        "module_utils",
        "group_vars",
        "host_vars",
        "playbooks",
        "collections",
        "action_plugins",
        "lookup_plugins",
        "filter_plugins",
        "test_plugins",
        "callback_plugins",
        "vars_plugins",
        "strategy_plugins",
        "inventory",
        NULL,
};
static const char *const usual_endings[] = {".yml", ".yaml", ".j2", ".cfg", ".ini", NULL};

static bool is_text(const char *name)
{
        for (const char *const *ending = usual_endings; *ending; ending++)
                if (str_ends(name, *ending))
                        return true;
        return false;
}

/* A file or folder, with its name; what is not there is noted as that. */
static int feed_path(const char *path, struct digest *key, struct error *err)
{
        digest_string(key, path);
        if (access(path, F_OK) < 0) {
                digest_string(key, NULL);
                return 0;
        }
        return provision_digest_tree(path, key, err);
}

static int no_dots(const struct dirent *entry)
{
        return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

struct listing {
        struct dirent **v;
        int n;
};

static void listing_clear(struct listing *listing)
{
        for (int i = 0; i < listing->n; i++)
                free(listing->v[i]);
        free(listing->v);
}

static int list(const char *dir, struct listing *ret, struct error *err)
{
        ret->n = scandir(dir, &ret->v, no_dots, alphasort);
        if (ret->n >= 0)
                return 0;
        ret->n = 0;
        return error_errno(err, errno, "read the folder '%s'", dir);
}

/* All that the texts of the folder say, in which names are looked for. */
static char *texts_of(const char *dir, const struct listing *listing)
{
        struct str all = {0};

        for (int i = 0; i < listing->n; i++) {
                CLEANUP_FREE char *path = path_join(dir, listing->v[i]->d_name), *text = NULL;

                if (is_text(listing->v[i]->d_name) && file_read(path, 0, &text, NULL, NULL) == 0)
                        str_addf(&all, "%s\n", text);
        }
        return str_steal(&all);
}

static int feed_mixed(const char *dir, struct digest *key, struct error *err)
{
        CLEANUP(listing_clear) struct listing listing = {0};
        CLEANUP_FREE char *texts = NULL;
        int r = list(dir, &listing, err);

        if (r < 0)
                return r;
        texts = texts_of(dir, &listing);
        for (int i = 0; r == 0 && i < listing.n; i++) {
                const char *name = listing.v[i]->d_name;
                CLEANUP_FREE char *path = path_join(dir, name);

                if (strv_has(usual_folders, name) || is_text(name) || strstr(texts, name))
                        r = feed_path(path, key, err);
        }
        return r;
}

/* Is `dir` the working folder, or above it? */
static bool holds_cwd(const char *dir)
{
        CLEANUP_FREE char *real = realpath(dir, NULL), *cwd = getcwd(NULL, 0);
        size_t n = real ? strlen(real) : 0;

        if (!real || !cwd || strncmp(real, cwd, n) != 0)
                return false;
        return n == 1 || cwd[n] == '/' || cwd[n] == '\0';
}

static int feed_playbook(const char *playbook, struct digest *key, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(playbook);
        int r = feed_path(playbook, key, err);

        if (r < 0)
                return r;
        return holds_cwd(dir) ? feed_mixed(dir, key, err) : feed_path(dir, key, err);
}

/* "-e", "@vars.yml"; "--extra-vars=@vars.yml"; "-e@vars.yml" */
static int feed_arguments(char *const *words, struct digest *key, struct error *err)
{
        int r = 0;

        for (; r == 0 && words && *words; words++) {
                const char *at = strchr(*words, '@');

                if (at && (at == *words || str_starts(*words, "-e") || str_starts(*words, "--extra-vars")))
                        r = feed_path(at + 1, key, err);
        }
        return r;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ansible's own settings: of the environment, and of the first file that it finds. */
static int feed_settings(struct digest *key, struct error *err)
{
        const char *home = getenv("HOME"), *given = getenv("ANSIBLE_CONFIG");
        CLEANUP_FREE char *of_home = home ? path_join(home, ".ansible.cfg") : NULL;
        const char *const files[] = {given ? given : "", "ansible.cfg", of_home ? of_home : "",
                                     "/etc/ansible/ansible.cfg"};
        CLEANUP_STRV char **settings = NULL;

        for (char **entry = environ; entry && *entry; entry++)
                if (str_starts(*entry, "ANSIBLE_"))
                        strv_add(&settings, *entry);
        if (settings)
                qsort(settings, strv_len(STRV(settings)), sizeof(*settings), by_text);
        for (char **entry = settings; entry && *entry; entry++)
                digest_string(key, *entry);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                if (*files[i] && access(files[i], R_OK) == 0)
                        return feed_path(files[i], key, err);
        return 0;
}

static int feed_part(const char *path, struct key *key, struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("file %s", path);

        return feed_path(path, key_part(key, name), err);
}

int ansible_inputs(const void *config, struct key *key, struct error *err)
{
        const struct ansible_config *c = config;
        const char *const paths[] = {c->galaxy_file, c->inventory_file, c->inventory_directory, c->roles_path,
                                     c->collections_path};
        int r = feed_playbook(c->playbook_file, key_part(key, "playbook"), err);

        for (size_t i = 0; r == 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
                if (!str_empty(paths[i]))
                        r = feed_part(paths[i], key, err);
        if (r == 0)
                r = feed_arguments(c->extra_arguments, key_part(key, "files of extra_arguments"), err);
        if (r == 0)
                r = feed_settings(key_part(key, "settings of Ansible"), err);
        return r < 0 ? error_wrap(err, r, "ansible's files") : 0;
}
