/* Stand-alone executables as provisioners (base/plugin.h): `run` is called,
 * and the steps that it answers with are carried out in the guest. */
#include "local/external.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "provision/rows.h"

enum { INPUTS_MS = 30000 };

/* One step carried out; `arg` is the member that names its kind. */
struct step {
        const char *name;
        /* What is wrong with it, or NULL. */
        const char *(*problem)(const json_t *arg);
        int (*run)(const struct provision_context *context, const json_t *step, const json_t *arg, struct error *err);
};

static const char *string_problem(const json_t *arg)
{
        return json_is_string(arg) ? NULL : "expected text";
}

static const char *path_problem(const json_t *arg)
{
        const char *path = json_string_value(arg);

        return path && *path == '/' ? NULL : "expected an absolute path in the guest";
}

static const char *argv_problem(const json_t *arg)
{
        const json_t *word;
        size_t i;

        if (json_array_size(arg) == 0)
                return "expected a list of words";
        json_array_foreach(arg, i, word)
        {
                if (!json_is_string(word))
                        return "expected a list of words, each of them text";
        }
        return NULL;
}

static int parse_mode(const char *text, mode_t *ret)
{
        char *end;
        unsigned long mode = strtoul(text, &end, 8);

        if (!*text || *end || mode > 07777)
                return -EINVAL;
        *ret = (mode_t)mode;
        return 0;
}

static const char *put_problem(const json_t *arg)
{
        const json_t *mode = json_object_get(arg, "mode");
        bool content = json_is_string(json_object_get(arg, "content"));
        bool source = json_is_string(json_object_get(arg, "source"));
        mode_t parsed;

        if (path_problem(json_object_get(arg, "path")))
                return "'path' must be an absolute path in the guest";
        if (content == source)
                return "expected one of 'content' and 'source', as text";
        if (mode && (!json_is_string(mode) || parse_mode(json_string_value(mode), &parsed) < 0))
                return "'mode' must be octal digits in quotes, such as \"0644\"";
        if (mode && source)
                return "'mode' goes with 'content'; a source keeps its own";
        return NULL;
}

static char **step_env(const json_t *step)
{
        char **env = NULL;
        const char *name;
        json_t *value;

        json_object_foreach(json_object_get(step, "env"), name, value)
        {
                if (json_is_string(value))
                        strv_setenv(&env, name, json_string_value(value));
        }
        return env;
}

static int run_argv(const struct provision_context *context, const json_t *step, const char *const *argv,
                    struct error *err)
{
        CLEANUP(script_output_clear) struct script_output output = {.ui = context->ui};
        CLEANUP_STRV char **env = step_env(step);
        const struct schema_ints codes = {0};
        int status = 0;
        int r = guest_run(context->guest,
                          &(struct guest_command){.argv = argv,
                                                  .env = STRV(env),
                                                  .timeout_ms = provision_timeout(context),
                                                  .on_line = script_output_line,
                                                  .arg = &output},
                          &status, err);

        if (r < 0 || status == 0)
                return r;
        return script_status_error("the command", status, &codes, &output.tail, err);
}

static int run_shell(const struct provision_context *context, const json_t *step, const json_t *arg, struct error *err)
{
        return run_argv(context, step, (const char *const[]){"/bin/sh", "-e", "-c", json_string_value(arg), NULL}, err);
}

static int run_command(const struct provision_context *context, const json_t *step, const json_t *arg,
                       struct error *err)
{
        CLEANUP_FREE const char **argv = xcalloc(json_array_size(arg) + 1, sizeof(*argv));

        for (size_t i = 0; i < json_array_size(arg); i++)
                argv[i] = json_string_value(json_array_get(arg, i));
        return run_argv(context, step, argv, err);
}

static int run_put(const struct provision_context *context, const json_t *step, const json_t *arg, struct error *err)
{
        const char *path = json_string_value(json_object_get(arg, "path"));
        const json_t *content = json_object_get(arg, "content"), *mode_text = json_object_get(arg, "mode");
        CLEANUP_FREE char *source = NULL;
        mode_t mode = 0644;

        (void)step;
        if (mode_text)
                parse_mode(json_string_value(mode_text), &mode);
        if (content)
                return guest_put_data(context->guest, json_string_value(content), json_string_length(content), path,
                                      mode, err);
        source = realpath(json_string_value(json_object_get(arg, "source")), NULL);
        if (!source)
                return error_errno(err, errno, "source '%s'", json_string_value(json_object_get(arg, "source")));
        return guest_put(context->guest, source, path, err);
}

static int run_remove(const struct provision_context *context, const json_t *step, const json_t *arg, struct error *err)
{
        struct stat st;
        int r = guest_stat(context->guest, json_string_value(arg), &st, err);

        (void)step;
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : guest_remove(context->guest, json_string_value(arg), err);
}

static const struct step steps[] = {
        {"shell", string_problem, run_shell},
        {"run", argv_problem, run_command},
        {"put", put_problem, run_put},
        {"remove", path_problem, run_remove},
};

enum { N_STEPS = sizeof(steps) / sizeof(steps[0]) };

/* NULL and *ret_problem if there is none that fits. */
static const struct step *find_step(const json_t *step, const char **ret_problem)
{
        const struct step *found = NULL;

        for (size_t i = 0; i < N_STEPS; i++) {
                const json_t *arg = json_object_get(step, steps[i].name);

                if (!arg)
                        continue;
                *ret_problem = found ? "it is of several kinds; expected one" : steps[i].problem(arg);
                if (*ret_problem)
                        return NULL;
                found = &steps[i];
        }
        if (!found)
                *ret_problem = "expected an object with one of shell, run, put, remove";
        return found;
}

static int bad_step(const json_t *step, size_t i, int r, struct error *err)
{
        CLEANUP_FREE char *text = json_dumps(step, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        bool is_long = text && strlen(text) > 80;

        return error_wrap(err, r, "step %zu, %.*s%s", i + 1, is_long ? 77 : 80, text ? text : "?",
                          is_long ? "..." : "");
}

/* All are looked at before the first is carried out. */
static int run_steps(const struct provision_context *context, const json_t *list, struct error *err)
{
        const char *problem = NULL;
        const json_t *step;
        size_t i;

        if (list && !json_is_array(list))
                return error_set(err, EBADMSG, "it answered with \"steps\" that is no list");
        json_array_foreach(list, i, step)
        {
                if (!find_step(step, &problem))
                        return bad_step(step, i, error_set(err, EBADMSG, "%s", problem), err);
        }
        json_array_foreach(list, i, step)
        {
                const struct step *found = find_step(step, &problem);
                int r = found->run(context, step, json_object_get(step, found->name), err);

                if (r < 0)
                        return bad_step(step, i, r, err);
        }
        return 0;
}

static bool wants_root(const struct external *external)
{
        return str_eq(json_string_value(json_object_get(external->plugin->description, "guest")), "root");
}

static void set(json_t *object, const char *key, const char *text)
{
        if (text)
                json_object_set_new(object, key, json_string(text));
}

static json_t *run_input(const void *config, const struct provision_context *context)
{
        json_t *input = json_pack("{s:i, s:o, s:b}", "version", PLUGIN_VERSION, "config", external_config(config),
                                  "debug", context->debug);

        set(input, "build_name", context->build_name);
        set(input, "builder_type", context->builder_type);
        set(input, "run_uuid", context->run_uuid);
        set(input, "template_dir", context->interp ? context->interp->template_dir : NULL);
        if (wants_root(external_of(config)))
                set(input, "root", guest_root(context->guest));
        return input;
}

static void show(void *arg, const char *line)
{
        ui_say(arg, "%s", line);
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        const struct external *external = external_of(config);
        json_t *input = run_input(config, context), *answer = NULL;
        struct plugin_call call = {.method = "run",
                                   .input = input,
                                   .timeout_ms = provision_timeout(context),
                                   .on_message = show,
                                   .arg = context->ui};
        int r;

        if (wants_root(external)) {
                call.enter = guest_enter_mounts;
                call.enter_arg = context->guest;
        }
        ui_say(context->ui, "Provisioning with %s...", external->plugin->path);
        r = plugin_call(external->plugin, &call, &answer, err);
        json_decref(input);
        if (r < 0)
                return r;
        r = run_steps(context, json_object_get(answer, "steps"), err);
        json_decref(answer);
        return r < 0 ? error_wrap(err, r, "provisioner '%s'", external->plugin->path) : 0;
}

static int feed_files(const struct external *external, const json_t *files, struct key *key, struct error *err)
{
        const json_t *file;
        size_t i;

        json_array_foreach(files, i, file)
        {
                const char *path = json_string_value(file);
                int r = path ? provision_key_tree(path, key, err)
                             : error_set(err, EBADMSG, "it answered with \"files\" that are no paths");

                if (r < 0)
                        return error_wrap(err, r, "provisioner '%s': inputs", external->plugin->path);
        }
        return 0;
}

static int inputs(const void *config, struct key *key, struct error *err)
{
        const struct external *external = external_of(config);
        CLEANUP_ERROR struct error failure = {0};
        json_t *input, *answer = NULL;
        int r = provision_key_tree(external->plugin->path, key, err);

        if (r < 0)
                return error_wrap(err, r, "provisioner '%s'", external->plugin->path);
        input = json_pack("{s:o}", "config", external_config(config));
        r = plugin_call(external->plugin,
                        &(struct plugin_call){.method = "inputs", .input = input, .timeout_ms = INPUTS_MS}, &answer,
                        &failure);
        json_decref(input);
        if (r == -EOPNOTSUPP)
                return 0;
        if (r < 0) {
                error_move(err, &failure);
                return r;
        }
        r = feed_files(external, json_object_get(answer, "files"), key, err);
        json_decref(answer);
        return r;
}

/* Rows made at first use; they live until the program ends. */
static struct row {
        struct provisioner_type type;
        const struct external *external;
        struct row *next;
} * rows;

int provision_external(const char *name, const struct provisioner_type **ret, struct error *err)
{
        const struct external *external = NULL;
        struct row *row;
        int r = external_load(PLUGIN_PROVISIONER, name, &external, err);

        if (r < 0)
                return r;
        for (row = rows; row && row->external != external; row = row->next)
                ;
        if (!row) {
                row = xcalloc(1, sizeof(*row));
                *row = (struct row){.type = {.name = external->plugin->name,
                                             .schema = &external->schema,
                                             .check = external_check,
                                             .inputs = inputs,
                                             .run = run},
                                    .external = external,
                                    .next = rows};
                rows = row;
        }
        *ret = &row->type;
        return 0;
}
