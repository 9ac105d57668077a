/* The post-processor `manifest`: what was built, appended to a JSON file in
 * Packer's form. Several builds, and several runs, may write to the same file:
 * under a lock, and by rename. */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "package/post.h"

struct manifest_config {
        char *output, **custom_data;
        bool strip_path, strip_time;
};

static void json_done(json_t **json)
{
        json_decref(*json);
}

static json_t *files_json(const struct manifest_config *config, const struct artifact *in)
{
        json_t *files = json_array();

        for (char **path = in->files; path && *path; path++) {
                struct stat st = {0};
                json_t *file = json_object();

                if (stat(*path, &st) < 0)
                        st.st_size = 0;
                json_object_set_new(file, "name", json_string(config->strip_path ? path_name(*path) : *path));
                json_object_set_new(file, "size", json_integer(st.st_size));
                json_array_append_new(files, file);
        }
        return files;
}

static int custom_json(const struct manifest_config *config, const struct package_context *context, json_t **ret,
                       struct error *err)
{
        CLEANUP(json_done) json_t *custom = json_object();

        if (!config->custom_data) {
                *ret = json_null();
                return 0;
        }
        for (char **pair = config->custom_data; *pair; pair++) {
                const char *equals = strchr(*pair, '=');
                CLEANUP_FREE char *key = xstrndup(*pair, (size_t)(equals - *pair)), *text = NULL;
                int r = post_render(context, equals + 1, NULL, &text, err);

                if (r < 0)
                        return error_wrap(err, r, "key '%s' of 'custom_data'", key);
                json_object_set_new(custom, key, json_string(text));
        }
        *ret = json_incref(custom);
        return 0;
}

/* In the order of Packer's own struct. */
static int build_json(const struct manifest_config *config, const struct package_context *context,
                      const struct artifact *in, json_t **ret, struct error *err)
{
        json_t *build, *custom = NULL;
        int r = custom_json(config, context, &custom, err);

        if (r < 0)
                return r;
        build = json_object();
        json_object_set_new(build, "name", json_string(context->build_name));
        json_object_set_new(build, "builder_type", json_string(context->builder_type));
        if (!config->strip_time)
                json_object_set_new(build, "build_time", json_integer(context->build_time));
        json_object_set_new(build, "files", files_json(config, in));
        json_object_set_new(build, "artifact_id", json_string(in->id ?: ""));
        json_object_set_new(build, "packer_run_uuid", json_string(context->run_uuid ?: ""));
        json_object_set_new(build, "custom_data", custom);
        *ret = build;
        return 0;
}

/* What the file holds already: {} if there is none or it is empty. */
static int read_old(const char *path, json_t **ret, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        json_error_t where = {0};
        json_t *old, *builds;
        int r = 0;

        if (path_exists(path))
                r = file_read(path, 0, &text, NULL, err);
        if (r < 0)
                return r;
        old = str_empty(text) ? json_object() : json_loads(text, 0, &where);
        if (!old)
                return error_set(err, EINVAL, "'%s' exists and is not JSON: line %d, column %d: %s", path, where.line,
                                 where.column, where.text);
        builds = json_object_get(old, "builds");
        if (!json_is_object(old) || (builds && !json_is_array(builds) && !json_is_null(builds))) {
                json_decref(old);
                return error_set(err, EINVAL, "'%s' exists and is not a manifest: expected {\"builds\": [...]}", path);
        }
        *ret = old;
        return 0;
}

/* -force starts anew, but only what another run has left. */
static json_t *merged(json_t *old, json_t *build, const struct package_context *context)
{
        const char *last = json_string_value(json_object_get(old, "last_run_uuid"));
        json_t *all = json_object(), *builds = json_object_get(old, "builds");
        bool anew = context->force && !str_eq(last, context->run_uuid);

        builds = json_is_array(builds) && !anew ? json_incref(builds) : json_array();
        json_array_append(builds, build);
        json_object_set_new(all, "builds", builds);
        json_object_set_new(all, "last_run_uuid", json_string(context->run_uuid ?: ""));
        return all;
}

static int write_manifest(const struct manifest_config *config, const struct package_context *context, json_t *build,
                          struct error *err)
{
        CLEANUP(json_done) json_t *old = NULL, *all = NULL;
        CLEANUP_FREE char *text = NULL;
        CLEANUP_CLOSE int lock = -1;
        int r = output_lock(config->output, &lock, err);

        if (r == 0)
                r = read_old(config->output, &old, err);
        if (r < 0)
                return r;
        all = merged(old, build, context);
        text = json_dumps(all, JSON_INDENT(2));
        if (!text)
                return error_set(err, EINVAL, "the manifest has text that is not UTF-8");
        return file_write(config->output, text, strlen(text), 0644, err);
}

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        const struct manifest_config *config = arg;
        CLEANUP(json_done) json_t *build = NULL;
        int r = build_json(config, context, in, &build, err);

        if (r == 0)
                r = output_not_input(config->output, in, err);
        if (r == 0)
                r = write_manifest(config, context, build, err);
        if (r < 0)
                return r;
        if (context->ui)
                ui_say(context->ui, "Added to %s", config->output);
        artifact_copy(in, ret);
        *ret_keep = true;
        return 0;
}

#define AT(field) offsetof(struct manifest_config, field)

static const struct schema_key keys[] = {
        {"output", SCHEMA_STRING, 0, AT(output), .fallback = "packer-manifest.json", .help = "the JSON file to add to"},
        {"strip_path", SCHEMA_BOOL, 0, AT(strip_path), .fallback = "false",
         .help = "names of files without their folder"},
        {"strip_time", SCHEMA_BOOL, 0, AT(strip_time), .fallback = "false", .help = "leave build_time out"},
        {"custom_data", SCHEMA_STRING_MAP, SCHEMA_LATE, AT(custom_data), .help = "texts of your own to add"},
};

static const struct schema schema = {
        .name = "the manifest post-processor",
        .size = sizeof(struct manifest_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type manifest_post_processor = {
        .name = "manifest",
        .schema = &schema,
        .gives_on = true,
        .run = run,
};
