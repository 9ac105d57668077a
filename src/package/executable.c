/* See executable.h: the method `run` of the contract in base/plugin.h, with an
 * artifact in and an artifact out. */
#include "package/executable.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "local/external.h"
#include "package/post.h"

static void json_done(json_t **json)
{
        json_decref(*json);
}

static void show_line(void *arg, const char *line)
{
        struct ui *ui = arg;

        if (ui)
                ui_say(ui, "%s", line);
}

static json_t *strings_json(char **strings)
{
        json_t *list = json_array();

        for (; strings && *strings; strings++)
                json_array_append_new(list, json_string(*strings));
        return list;
}

static json_t *input_json(const void *config, const struct package_context *context, const struct artifact *in)
{
        const char *dir = context->interp ? context->interp->template_dir : NULL;

        return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:b, s:o, s:{s:s, s:s, s:o}}", "version", PLUGIN_VERSION,
                         "build_name", context->build_name, "builder_type", context->builder_type, "run_uuid",
                         context->run_uuid ?: "", "template_dir", dir ?: ".", "build_time",
                         (json_int_t)context->build_time, "force", context->force, "config", external_config(config),
                         "artifact", "builder_id", in->builder_id ?: "", "id", in->id ?: "", "files",
                         strings_json(in->files));
}

/* A list of strings; anything else is the executable's mistake. */
static int read_files(const json_t *files, const struct plugin *plugin, char ***ret, struct error *err)
{
        CLEANUP_STRV char **list = NULL;
        const json_t *file;
        size_t i;

        if (!json_is_array(files))
                return error_set(err, EPROTO, "'%s': run: artifact.files must be a list of strings", plugin->path);
        json_array_foreach(files, i, file)
        {
                if (!json_is_string(file))
                        return error_set(err, EPROTO, "'%s': run: artifact.files[%zu] must be a string", plugin->path,
                                         i);
                strv_add(&list, json_string_value(file));
        }
        *ret = steal(&list);
        return 0;
}

static int read_answer(const json_t *answer, const struct plugin *plugin, const struct artifact *in,
                       struct artifact *ret, bool *ret_keep, struct error *err)
{
        const json_t *artifact = json_object_get(answer, "artifact"), *keep = json_object_get(answer, "keep_input");
        const json_t *id = json_object_get(artifact, "id"), *files = json_object_get(artifact, "files");
        CLEANUP_STRV char **list = NULL;
        int r = files ? read_files(files, plugin, &list, err) : 0;

        if (r < 0)
                return r;
        if ((artifact && !json_is_object(artifact)) || (id && !json_is_string(id)) || (keep && !json_is_boolean(keep)))
                return error_set(
                        err, EPROTO,
                        "'%s': run: expected {\"artifact\": {\"id\": text, \"files\": list}, \"keep_input\": bool}",
                        plugin->path);
        ret->builder_id = xasprintf("slipway.post-processor.%s", plugin->name);
        ret->id = xstrdup(id ? json_string_value(id) : in->id);
        ret->files = files ? steal(&list) : strv_dup(STRV(in->files));
        *ret_keep = keep ? json_is_true(keep) : true;
        return 0;
}

static int run(const void *config, const struct package_context *context, const struct artifact *in,
               struct artifact *ret, bool *ret_keep, struct error *err)
{
        const struct plugin *plugin = external_of(config)->plugin;
        CLEANUP(json_done) json_t *input = input_json(config, context, in), *answer = NULL;
        struct plugin_call call = {.method = "run", .input = input, .on_message = show_line, .arg = context->ui};
        int r;

        if (!input)
                return error_set(err, EINVAL, "'%s': a name or text is not UTF-8", plugin->path);
        r = plugin_call(plugin, &call, &answer, err);
        return r < 0 ? r : read_answer(answer, plugin, in, ret, ret_keep, err);
}

const struct post_processor_type *executable_find(const char *name)
{
        static VEC(struct post_processor_type *) known;
        CLEANUP_ERROR struct error err = {0};
        const struct external *external;
        struct post_processor_type *type;

        for (size_t i = 0; i < known.n; i++)
                if (str_eq(known.v[i]->name, name))
                        return known.v[i];
        if (external_load(PLUGIN_POST_PROCESSOR, name, &external, &err) < 0) {
                log_debug("post-processor '%s': %s", name, error_message(&err));
                return NULL;
        }
        type = xmalloc(sizeof(*type));
        *type = (struct post_processor_type){
                .name = xstrdup(name), .schema = &external->schema, .check = external_check, .run = run};
        vec_push(&known, type);
        return type;
}
