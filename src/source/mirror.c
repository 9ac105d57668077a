/* See mirror.h. Formats: sources.list(5), one-line style and deb822 style. */
#include "source/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"

/* One entry, as both styles say it. */
struct entry {
        char **types, **uris, **suites, **components;
        char *signed_by;
        bool disabled;
};

struct entries {
        VEC(struct entry) list;
};

static void entry_clear(struct entry *entry)
{
        strv_free(entry->types);
        strv_free(entry->uris);
        strv_free(entry->suites);
        strv_free(entry->components);
        free(entry->signed_by);
        *entry = (struct entry){0};
}

static void entries_clear(struct entries *entries)
{
        for (size_t i = 0; i < entries->list.n; i++)
                entry_clear(&entries->list.v[i]);
        vec_free(&entries->list);
}

void mirror_clear(struct mirror *mirror)
{
        mirror->lines = strv_free(mirror->lines);
        mirror->keyrings = strv_free(mirror->keyrings);
}

static void add_words(char ***list, const char *text)
{
        CLEANUP_STRV char **words = str_split(text, " \t\n");

        for (char **word = words; *word; word++)
                if (**word)
                        strv_add(list, *word);
}

static void entries_add(struct entries *entries, struct entry *entry)
{
        if (!entry->disabled && entry->types && entry->uris && entry->suites && strv_has(STRV(entry->types), "deb"))
                vec_push(&entries->list, steal(entry));
        else
                entry_clear(entry);
}

/* "[arch=amd64 signed-by=/usr/share/keyrings/x.gpg]" */
static void read_options(struct entry *entry, const char *text)
{
        CLEANUP_STRV char **options = str_split(text, " \t");

        for (char **option = options; *option; option++)
                if (strncasecmp(*option, "signed-by=", 10) == 0 && !entry->signed_by)
                        entry->signed_by = xstrdup(*option + 10);
}

/* "deb [options] uri suite component..." */
static void read_line(struct entries *entries, char *line)
{
        CLEANUP(entry_clear) struct entry entry = {0};
        CLEANUP_STRV char **words = NULL;
        char *hash = strchr(line, '#'), *open, *close;

        if (hash)
                *hash = '\0';
        open = strchr(line, '[');
        close = open ? strchr(open, ']') : NULL;
        if (close) {
                *close = '\0';
                read_options(&entry, open + 1);
                memset(open, ' ', (size_t)(close - open) + 1);
        }
        add_words(&words, line);
        if (!words || strv_len(STRV(words)) < 3)
                return;
        strv_add(&entry.types, words[0]);
        strv_add(&entry.uris, words[1]);
        strv_add(&entry.suites, words[2]);
        strv_extend(&entry.components, STRV(words + 3));
        entries_add(entries, &entry);
}

static void read_field(struct entry *entry, const char *name, const char *value)
{
        if (strcasecmp(name, "Types") == 0)
                add_words(&entry->types, value);
        else if (strcasecmp(name, "URIs") == 0)
                add_words(&entry->uris, value);
        else if (strcasecmp(name, "Suites") == 0)
                add_words(&entry->suites, value);
        else if (strcasecmp(name, "Components") == 0)
                add_words(&entry->components, value);
        else if (strcasecmp(name, "Signed-By") == 0 && !entry->signed_by)
                entry->signed_by = xstrdup(value);
        else if (strcasecmp(name, "Enabled") == 0)
                entry->disabled = strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0;
}

/* Paragraphs of "Name: value", continued by lines that begin with a blank. */
static void read_deb822(struct entries *entries, char **lines)
{
        CLEANUP(entry_clear) struct entry entry = {0};
        CLEANUP_FREE char *name = NULL;

        for (; *lines; lines++) {
                char *line = *lines, *colon = strchr(line, ':');

                if (*line == '#')
                        continue;
                if (line[strspn(line, " \t\r")] == '\0') {
                        entries_add(entries, &entry);
                } else if (*line == ' ' || *line == '\t') {
                        if (name)
                                read_field(&entry, name, str_trim(line));
                } else if (colon) {
                        *colon = '\0';
                        free(name);
                        name = xstrdup(str_trim(line));
                        if (*str_trim(colon + 1))
                                read_field(&entry, name, str_trim(colon + 1));
                }
        }
        entries_add(entries, &entry);
}

static void read_source(struct entries *entries, const char *path)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_STRV char **lines = NULL;

        if (file_read(path, 0, &text, NULL, NULL) < 0)
                return;
        lines = str_split(text, "\n");
        if (str_ends(path, ".sources"))
                read_deb822(entries, lines);
        else
                for (char **line = lines; *line; line++)
                        read_line(entries, *line);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_all(struct entries *entries, const char *etc)
{
        CLEANUP_FREE char *list = path_join(etc, "sources.list"), *folder = path_join(etc, "sources.list.d");
        CLEANUP_CLOSEDIR DIR *stream = opendir(folder);
        CLEANUP_STRV char **paths = NULL;
        struct dirent *entry;

        read_source(entries, list);
        while (stream && (entry = readdir(stream)))
                if (str_ends(entry->d_name, ".sources") || str_ends(entry->d_name, ".list"))
                        strv_take(&paths, path_join(folder, entry->d_name));
        if (paths)
                qsort(paths, strv_len(STRV(paths)), sizeof(*paths), by_name);
        for (char **path = paths; path && *path; path++)
                read_source(entries, *path);
}

static bool usable_uri(const char *uri)
{
        return str_starts(uri, "http://") || str_starts(uri, "https://") || str_starts(uri, "file:") ||
               str_starts(uri, "copy:") || str_starts(uri, "mirror");
}

static bool last_part_is(const char *uri, const char *name)
{
        const char *last = path_name(uri);
        size_t n = strlen(name);

        return strncmp(last, name, n) == 0 && (last[n] == '\0' || last[n] == '/');
}

static bool has_suite(const struct entry *entry, const char *suite, const char *suffix)
{
        CLEANUP_FREE char *name = xasprintf("%s%s", suite, suffix);

        return strv_has(STRV(entry->suites), name);
}

static bool has_other_suites_only(const struct entry *entry)
{
        for (char **suite = entry->suites; *suite; suite++)
                if (!str_ends(*suite, "-security") && !str_ends(*suite, "-updates") &&
                    !str_ends(*suite, "-backports") && !strchr(*suite, '/'))
                        return false;
        return true;
}

/* How surely an entry is the Debian archive that has this suite; 0: it is not.
 * A third party's repository has a name and a key of its own. */
static int rank(const struct entry *entry, const char *suite)
{
        bool debian_key = entry->signed_by && strstr(entry->signed_by, "debian-archive-");
        bool debian_name = last_part_is(entry->uris[0], "debian");
        bool there = has_suite(entry, suite, "");

        if (!usable_uri(entry->uris[0]) || has_other_suites_only(entry) || !strv_has(STRV(entry->components), "main"))
                return 0;
        if (debian_key)
                return there ? 6 : 5;
        if (debian_name)
                return there ? 4 : 3;
        return there && !entry->signed_by ? 2 : 0;
}

static void add_line(struct mirror *mirror, const struct entry *entry, const char *suite, const char *suffix,
                     const char *components)
{
        strv_addf(&mirror->lines, "deb %s %s%s %s", entry->uris[0], suite, suffix, components);
        if (entry->signed_by && *entry->signed_by == '/' && path_exists(entry->signed_by) &&
            !strv_has(STRV(mirror->keyrings), entry->signed_by))
                strv_add(&mirror->keyrings, entry->signed_by);
}

int mirror_find(const char *etc, const char *suite, const char *const *components, struct mirror *ret,
                struct error *err)
{
        CLEANUP(entries_clear) struct entries entries = {0};
        CLEANUP_FREE char *all = strv_join(components, " ");
        const struct entry *best = NULL;

        read_all(&entries, etc);
        for (size_t i = 0; i < entries.list.n; i++)
                if (rank(&entries.list.v[i], suite) > (best ? rank(best, suite) : 0))
                        best = &entries.list.v[i];
        if (!best)
                return error_set(err, ENOENT,
                                 "the host's apt configuration (%s/sources.list and sources.list.d) names no Debian "
                                 "mirror: set `mirror` in the bootstrap block",
                                 etc);
        *ret = (struct mirror){0};
        add_line(ret, best, suite, "", all);
        for (const char *const *suffix = (const char *const[]){"-updates", "-security", NULL}; *suffix; suffix++) {
                for (size_t i = 0; i < entries.list.n; i++) {
                        const struct entry *entry = &entries.list.v[i];

                        if (!has_suite(entry, suite, *suffix) || !usable_uri(entry->uris[0]))
                                continue;
                        add_line(ret, entry, suite, *suffix, all);
                        break;
                }
        }
        log_debug("mirror of %s: %s", suite, best->uris[0]);
        return 0;
}
