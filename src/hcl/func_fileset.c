/* fileset(): files whose paths match a pattern of shells with "**" and
 * {a,b}, as github.com/bmatcuk/doublestar has them. Hidden files count. */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "hcl/func.h"

enum { VISITS_MAX = 1 << 20, ALTERNATIVES_MAX = 4096, LEVELS_MAX = 128 };

struct search {
        struct hcl_call *call;
        const char *base; /* results are relative to it */
        VEC(const struct hcl_value *) found;
        VEC(char *) patterns; /* without {a,b} */
        size_t visits;
        bool failed;
};

static bool too_many(struct search *search)
{
        if (++search->visits <= VISITS_MAX || search->failed)
                return search->failed;
        func_fail(search->call, 0, "there are more than %d files and folders to look at", VISITS_MAX);
        return search->failed = true;
}

static void add_file(struct search *search, const char *path)
{
        const char *name = path;
        size_t n = strlen(search->base);
        struct stat st;

        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                return;
        if (strcmp(search->base, ".") != 0 && strncmp(path, search->base, n) == 0)
                name = path + n + (path[n] == '/');
        if (!func_valid_utf8(name, strlen(name))) {
                func_fail(search->call, 1, "the name of '%s' is no UTF-8 text", path);
                search->failed = true;
                return;
        }
        vec_push(&search->found, hcl_string_from(search->call->arena, name));
}

struct way;
static void walk(struct search *search, const char *folder, const char *pattern, const struct way *way, int level);

static const char *child(struct search *search, const char *folder, const char *name)
{
        if (!*folder)
                return name;
        return arena_printf(search->call->arena, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
}

/* A folder on the way to where the search is: "**" follows links, but not in circles. */
struct way {
        const struct way *up;
        dev_t dev;
        ino_t ino;
};

/* A folder, or a link to one, that is not on the way already. */
static bool leads_on(const char *path, const struct way *way, struct way *ret)
{
        struct stat st;

        if (stat(*path ? path : ".", &st) < 0 || !S_ISDIR(st.st_mode))
                return false;
        *ret = (struct way){.up = way, .dev = st.st_dev, .ino = st.st_ino};
        for (; way; way = way->up)
                if (way->dev == st.st_dev && way->ino == st.st_ino)
                        return false;
        return true;
}

/* An entry of a folder whose name the pattern's first part matches, or any folder for "**". */
static void visit(struct search *search, const char *path, bool any_depth, const char *rest, const struct way *way,
                  int level)
{
        struct stat st;

        if (any_depth) {
                if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                        walk(search, path, arena_printf(search->call->arena, "**/%s", rest), way, level + 1);
        } else if (*rest) {
                walk(search, path, rest, way, level + 1);
        } else {
                add_file(search, path);
        }
}

static void each_entry(struct search *search, const char *folder, const char *part, const char *rest,
                       const struct way *way, int level)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(*folder ? folder : ".");
        bool any_depth = strcmp(part, "**") == 0;
        const struct dirent *entry;

        while (dir && !search->failed && (entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || too_many(search))
                        continue;
                if (any_depth || fnmatch(part, entry->d_name, 0) == 0)
                        visit(search, child(search, folder, arena_strdup(search->call->arena, entry->d_name)),
                              any_depth, rest, way, level);
        }
}

/* The files below `folder` that match the pattern, part by part. */
static void walk(struct search *search, const char *folder, const char *pattern, const struct way *way, int level)
{
        size_t n = strcspn(pattern, "/");
        const char *part = arena_strndup(search->call->arena, pattern, n), *rest = pattern + n + (pattern[n] == '/');
        struct way here;
        struct stat st;

        if (search->failed || level > LEVELS_MAX)
                return;
        if (strcmp(part, "**") == 0) {
                while (strncmp(rest, "**/", 3) == 0) /* two of them are one */
                        rest += 3;
                rest = strcmp(rest, "**") == 0 ? "" : rest;
                if (!leads_on(folder, way, &here))
                        return;
                walk(search, folder, *rest ? rest : "*", &here, level + 1);
                each_entry(search, folder, part, rest, &here, level);
        } else if (strpbrk(part, "*?[\\")) {
                each_entry(search, folder, part, rest, way, level);
        } else if (*rest) {
                if (stat(child(search, folder, part), &st) == 0)
                        walk(search, child(search, folder, part), rest, way, level + 1);
        } else {
                add_file(search, child(search, folder, part));
        }
}

/* The "}" that closes the brace at s, or NULL. */
static const char *closing(const char *s)
{
        int depth = 0;

        for (; *s; s++) {
                if (*s == '\\' && s[1])
                        s++;
                else if (*s == '{')
                        depth++;
                else if (*s == '}' && --depth == 0)
                        return s;
        }
        return NULL;
}

/* The first of a text's parts between commas that stand in no inner braces. */
static size_t alternative_length(const char *s, const char *end)
{
        const char *p = s;
        int depth = 0;

        for (; p < end && (*p != ',' || depth > 0); p++) {
                if (*p == '\\' && p + 1 < end)
                        p++;
                depth += (*p == '{') - (*p == '}');
        }
        return (size_t)(p - s);
}

/* The patterns that one with {a,b} stands for. */
static bool add_patterns(struct search *search, const char *pattern, int depth)
{
        const char *open = pattern, *close;

        while (*open && *open != '{')
                open += 1 + (*open == '\\' && open[1]);
        if (search->patterns.n >= ALTERNATIVES_MAX || depth > LEVELS_MAX) {
                func_fail(search->call, 1, "the pattern stands for more than %d patterns", ALTERNATIVES_MAX);
                return false;
        }
        if (!*open) {
                vec_push(&search->patterns, (char *)pattern);
                return true;
        }
        close = closing(open);
        if (!close) {
                func_fail(search->call, 1, "a { in the pattern is not closed");
                return false;
        }
        for (const char *s = open + 1; s <= close;) {
                size_t n = alternative_length(s, close);

                if (!add_patterns(search,
                                  arena_printf(search->call->arena, "%.*s%.*s%s", (int)(open - pattern), pattern,
                                               (int)n, s, close + 1),
                                  depth + 1))
                        return false;
                s += n + 1;
        }
        return true;
}

/* The pattern for fnmatch(3), in which "!" negates a class as "^" does. NULL, with the error set, for an open class. */
static const char *for_fnmatch(struct search *search, const char *pattern)
{
        char *out = arena_alloc(search->call->arena, 2 * strlen(pattern) + 1), *to = out;
        const char *end;

        while (*pattern) {
                bool escaped = *pattern == '\\' && pattern[1];

                if (escaped)
                        *to++ = *pattern++;
                *to++ = *pattern++;
                if (escaped || pattern[-1] != '[')
                        continue;
                end = *pattern ? strchr(pattern + 1 + (*pattern == '^'), ']') : NULL;
                if (!end) {
                        func_fail(search->call, 1, "a [ in the pattern is not closed");
                        return NULL;
                }
                if (*pattern == '!')
                        *to++ = '\\';
                while (pattern < end)
                        *to++ = *pattern++;
        }
        return out;
}

/* Where the search begins; nothing for the working directory, so that it is no part of names. */
static void search_all(struct search *search)
{
        const char *folder = strcmp(search->base, ".") == 0 ? "" : search->base;

        for (size_t i = 0; i < search->patterns.n; i++)
                walk(search, folder,
                     func_clean(search->call->arena, search->patterns.v[i] + strspn(search->patterns.v[i], "/")), NULL,
                     0);
}

CALL(fileset)
{
        struct hcl_string folder = func_text(call, 0), pattern = func_text(call, 1);
        struct search search = {.call = call};
        const struct hcl_value *result = NULL;
        const char *glob;

        if (strlen(folder.s) != folder.len || strlen(pattern.s) != pattern.len)
                return func_fail(call, FUNC_WHOLE, "a path cannot contain a NUL byte");
        if (pattern.len > PATH_MAX)
                return func_fail(call, 1, "the pattern is longer than a path can be");
        search.base = *folder.s == '/' ? folder.s : arena_printf(call->arena, "%s/%s", call->env->base_dir, folder.s);
        search.base = func_clean(call->arena, search.base);
        glob = for_fnmatch(&search, pattern.s);
        if (glob && add_patterns(&search, glob, 0)) {
                search_all(&search);
                if (!search.failed)
                        result = hcl_set_value(
                                call->arena, &hcl_string,
                                arena_memdup(call->arena, search.found.v, search.found.n * sizeof(*search.found.v)),
                                search.found.n);
        }
        vec_free(&search.found);
        vec_free(&search.patterns);
        return result;
}

FUNCTION(fileset, .returns = &func_string_set, PARAMS({"path", &hcl_string}, {"pattern", &hcl_string}),
         .help = "The files in a folder whose paths match a pattern with *, ?, [abc], {a,b} and **.");
