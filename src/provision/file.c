/* file: uploads to the guest, and downloads from it. Where things go follows
 * cp(1), as Packer's chroot communicators have it: a source folder with a
 * trailing slash means what is in it, one without means the folder itself; a
 * destination that is a folder takes things under their own names. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "provision/rows.h"

struct file_config {
        char *content, *source, **sources, *destination, *direction;
        bool generated;
};

#define KEY(key, kind, member, ...)                                                                                    \
        {                                                                                                              \
                .name = key, .type = kind, .offset = offsetof(struct file_config, member), __VA_ARGS__                 \
        }

static const char *const directions[] = {"upload", "download", NULL};

static const struct schema_key keys[] = {
        KEY("content", SCHEMA_STRING, content, .help = "text of the file; instead of a source"),
        KEY("source", SCHEMA_STRING, source,
            .help = "file or folder; with a trailing slash what is in the folder, without it the folder itself"),
        KEY("sources", SCHEMA_STRINGS, sources, .help = "several of them; the destination is a folder then"),
        KEY("destination", SCHEMA_STRING, destination, .flags = SCHEMA_REQUIRED,
            .help = "where to; with a trailing slash a folder"),
        KEY("direction", SCHEMA_STRING, direction, .choices = directions, .fallback = "upload",
            .help = "upload (to the guest) or download (from it)"),
        KEY("generated", SCHEMA_BOOL, generated, .help = "the source is made by an earlier step: no look at it before"),
};

static const struct schema schema = {.name = "the file provisioner",
                                     .size = sizeof(struct file_config),
                                     .keys = keys,
                                     .n_keys = sizeof(keys) / sizeof(keys[0])};

static bool is_download(const struct file_config *c)
{
        return strcasecmp(c->direction, "download") == 0;
}

/* sources and source as one list; borrowed strings, the list is the caller's. */
static const char **all_sources(const struct file_config *c)
{
        size_t n = strv_len(STRV(c->sources)), at = 0;
        const char **all = xcalloc(n + 2, sizeof(*all));

        for (size_t i = 0; i < n; i++)
                all[at++] = c->sources[i];
        if (!str_empty(c->source))
                all[at++] = c->source;
        return all;
}

static bool has_wildcard(const char *path)
{
        return strpbrk(path, "*?[") != NULL;
}

static void check_sources(const struct file_config *c, const struct value *value, struct diags *diags)
{
        CLEANUP_FREE const char **sources = all_sources(c);
        struct stat st = {0};

        for (const char **source = sources; *source; source++) {
                const char *key = *source == c->source ? "source" : "sources";

                if (**source == '\0')
                        diag_error(diags, schema_range(value, key), "a source is empty");
                else if (is_download(c) && has_wildcard(*source))
                        diag_error(diags, schema_range(value, key),
                                   "'%s': wildcards are not supported; expected a file or a folder", *source);
                else if (!is_download(c) && !c->generated && stat(*source, &st) < 0)
                        diag_error(diags, schema_range(value, key), "source '%s': %s", *source, strerror(errno));
                else if (!is_download(c) && !c->generated && str_ends(*source, "/") && !S_ISDIR(st.st_mode))
                        diag_error(diags, schema_range(value, key), "source '%s' is no folder", *source);
        }
}

static int check(void *config, const struct value *value, struct diags *diags)
{
        const struct file_config *c = config;
        CLEANUP_FREE const char **sources = all_sources(c);
        size_t before = diags->n_errors;

        if (!*sources && !c->content)
                diag_error(diags, value->range, "nothing to copy; expected one of content, source, sources");
        if (*sources && c->content)
                diag_error(diags, schema_range(value, "content"), "content and a source; expected one of the two");
        if (c->content && is_download(c))
                diag_error(diags, schema_range(value, "content"), "content cannot be downloaded; expected a source");
        if (c->content && str_ends(c->destination ?: "", "/"))
                diag_error(diags, schema_range(value, "destination"),
                           "'%s' is a folder; content needs the name of a file", c->destination);
        if (str_empty(c->destination) && value_get(value, "destination"))
                diag_error(diags, schema_range(value, "destination"), "the destination is empty");
        check_sources(c, value, diags);
        return diags->n_errors > before ? -EINVAL : 0;
}

static int inputs(const void *config, struct key *key, struct error *err)
{
        const struct file_config *c = config;
        CLEANUP_FREE const char **sources = all_sources(c);

        for (const char **source = sources; *source && !is_download(c); source++) {
                int r = provision_key_tree(*source, key, err);

                if (r < 0)
                        return error_wrap(err, r, "file source");
        }
        return 0;
}

static bool only_reads(const void *config)
{
        return is_download(config);
}

/* The last part of a path, without its trailing slashes; the caller frees. */
static char *last_part(const char *path)
{
        size_t n = strlen(path);
        const char *start;

        while (n > 1 && path[n - 1] == '/')
                n--;
        start = memrchr(path, '/', n);
        start = start && n > 1 ? start + 1 : path;
        return xstrndup(start, n - (size_t)(start - path));
}

/* `to`, or a name in it if it is a folder. The caller frees. */
static char *target_of(const char *from, const char *to, bool to_is_folder)
{
        CLEANUP_FREE char *name = NULL, *folder = NULL;
        size_t n = strlen(to);

        while (n > 1 && to[n - 1] == '/')
                n--;
        folder = xstrndup(to, n);
        if (!to_is_folder)
                return steal(&folder);
        name = last_part(from);
        return path_join(folder, name);
}

/* Relative paths in the guest start at its root. */
static char *guest_path(const char *path)
{
        return *path == '/' ? xstrdup(path) : xasprintf("/%s", path);
}

static int guest_is_folder(struct guest *guest, const char *path, bool *ret, struct error *err)
{
        struct stat st;
        int r = guest_stat(guest, path, &st, err);

        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        *ret = r == 0 && S_ISDIR(st.st_mode);
        return 0;
}

/* A mistake of the template that is worth more than "not a directory". */
static int check_target(struct guest *guest, const char *target, bool is_folder, struct error *err)
{
        bool there = false;
        int r = guest_is_folder(guest, target, &there, err);

        if (r < 0)
                return r;
        if (there && !is_folder)
                return error_set(err, EISDIR, "'%s' is a folder in the guest, and a file is to have that name", target);
        return 0;
}

static int upload(const struct file_config *c, const struct provision_context *context, const char *source,
                  bool to_is_folder, struct error *err)
{
        CLEANUP_FREE char *to = guest_path(c->destination), *real = realpath(source, NULL), *target = NULL;
        bool contents = str_ends(source, "/"), is_folder;
        struct stat st;
        int r;

        ui_say(context->ui, "Uploading %s => %s", source, c->destination);
        if (!real || stat(real, &st) < 0)
                return error_errno(err, errno, "source '%s'", source);
        is_folder = S_ISDIR(st.st_mode);
        if (contents && !is_folder)
                return error_set(err, ENOTDIR, "source '%s' is no folder", source);
        if (!is_folder && !S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "source '%s' is neither a file nor a folder", source);
        target = target_of(strcmp(source, ".") == 0 ? real : source, to, to_is_folder && !contents);
        r = check_target(context->guest, target, is_folder, err);
        return r < 0 ? r : guest_put(context->guest, real, target, err);
}

static int upload_content(const struct file_config *c, const struct provision_context *context, struct error *err)
{
        CLEANUP_FREE char *to = guest_path(c->destination);
        int r;

        ui_say(context->ui, "Uploading content => %s", c->destination);
        r = check_target(context->guest, to, false, err);
        return r < 0 ? r : guest_put_data(context->guest, c->content, strlen(c->content), to, 0644, err);
}

static int upload_all(const struct file_config *c, const struct provision_context *context, struct error *err)
{
        CLEANUP_FREE const char **sources = all_sources(c);
        CLEANUP_FREE char *to = guest_path(c->destination);
        bool folder = str_ends(to, "/") || (sources[0] && sources[1]);
        int r = 0;

        if (c->content)
                return upload_content(c, context, err);
        if (!folder)
                r = guest_is_folder(context->guest, to, &folder, err);
        for (const char **source = sources; *source && r == 0; source++)
                r = upload(c, context, *source, folder, err);
        return r;
}

static int download(const struct file_config *c, const struct provision_context *context, const char *source,
                    bool to_is_folder, struct error *err)
{
        CLEANUP_FREE char *from = guest_path(source), *target = NULL, *dir = NULL;
        bool contents = str_ends(source, "/");
        struct stat st;
        int r;

        ui_say(context->ui, "Downloading %s => %s", source, c->destination);
        r = guest_stat(context->guest, from, &st, err);
        if (r == -ENOENT)
                return error_set(err, ENOENT, "the guest has no '%s'", source);
        if (r < 0)
                return r;
        if (contents && !S_ISDIR(st.st_mode))
                return error_set(err, ENOTDIR, "'%s' is no folder in the guest", source);
        target = target_of(source, c->destination, to_is_folder && !contents);
        dir = path_dir(target);
        r = dir_make(dir, 0755, err);
        return r < 0 ? r : guest_get(context->guest, from, target, err);
}

static int download_all(const struct file_config *c, const struct provision_context *context, struct error *err)
{
        CLEANUP_FREE const char **sources = all_sources(c);
        struct stat st;
        bool folder =
                str_ends(c->destination, "/") || sources[1] || (stat(c->destination, &st) == 0 && S_ISDIR(st.st_mode));
        int r = 0;

        for (const char **source = sources; *source && r == 0; source++)
                r = download(c, context, *source, folder, err);
        return r;
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        const struct file_config *c = config;
        int r = is_download(c) ? download_all(c, context, err) : upload_all(c, context, err);

        return r < 0 ? error_wrap(err, r, is_download(c) ? "download" : "upload") : 0;
}

const struct provisioner_type provision_file = {
        .name = "file",
        .schema = &schema,
        .check = check,
        .inputs = inputs,
        .run = run,
        .only_reads = only_reads,
};
