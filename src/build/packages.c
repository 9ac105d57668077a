/* Post-processors over a finished build, and which files stay in the end:
 * as in Packer, an input is deleted unless its consumer or the template keeps it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "build/job.h"

void artifacts_clear(struct artifacts *artifacts)
{
        for (size_t i = 0; i < artifacts->list.n; i++)
                artifact_clear(&artifacts->list.v[i]);
        vec_free(&artifacts->list);
}

static bool is_listed(const struct artifacts *kept, const struct artifact *also, const char *file)
{
        if (also && strv_has(STRV(also->files), file))
                return true;
        for (size_t i = 0; i < kept->list.n; i++)
                if (strv_has(STRV(kept->list.v[i].files), file))
                        return true;
        return false;
}

/* Delete what an artifact alone names. */
static void destroy(const struct artifact *artifact, const struct artifacts *kept, const struct artifact *also)
{
        for (char **file = artifact->files; file && *file; file++)
                if (!is_listed(kept, also, *file))
                        unlink(*file);
}

static int run_one(struct job *job, const struct template_step *block, const struct artifact *in, struct artifact *ret,
                   bool *ret_keep, struct error *err)
{
        const struct post_processor_type *type = post_processor_find(block->type);
        CLEANUP(value_freep) struct value *value = template_step_config(block, job->build->interp.build_name);
        CLEANUP_FREE void *config = NULL;
        struct package_context context = {
                .ui = job->ui,
                .build_name = job->build->interp.build_name,
                .builder_type = job->build->type,
                .interp = &job->build->interp,
                .run_uuid = job->run_uuid,
                .build_time = job->epoch >= 0 ? job->epoch : job->started,
                .force = job->options->force,
        };
        struct diags diags = {0};
        int r;

        if (!type)
                return error_set(err, ENOENT, "unknown post-processor '%s'", block->type);
        ui_say(job->ui, "Running post-processor: %s", block->type);
        config = xcalloc(1, type->schema->size);
        r = schema_decode(type->schema, value, template_step_keys, &job->build->interp, config, &diags);
        if (r == 0 && type->check) /* which also completes the config of an executable */
                r = type->check(config, value, &diags);
        if (r < 0)
                error_set(err, EINVAL, "%s", diags.list.n ? diags.list.v[0].summary : "invalid configuration");
        *ret_keep = true;
        if (r == 0)
                r = type->run(config, &context, in, ret, ret_keep, err);
        if (block->keep_input_artifact >= 0)
                *ret_keep = block->keep_input_artifact;
        schema_free(type->schema, config);
        diags_clear(&diags);
        return r < 0 ? error_wrap(err, r, "post-processor '%s'", block->type) : 0;
}

static struct artifact copy_of(const struct artifact *artifact)
{
        return (struct artifact){xstrdup(artifact->builder_id), xstrdup(artifact->id), strv_dup(STRV(artifact->files))};
}

/* One chain. What the first one thinks of the build's own artifact goes to *keep_built. */
static int run_chain(struct job *job, const struct template_chain *chain, const struct artifact *built,
                     struct artifacts *kept, bool *keep_built, struct error *err)
{
        CLEANUP(artifact_clear) struct artifact input = copy_of(built);
        bool any = false;

        for (size_t i = 0; i < chain->n; i++) {
                struct artifact output = {0};
                bool keep;
                int r;

                if (!template_step_applies(&chain->v[i], job->build->name))
                        continue;
                r = run_one(job, &chain->v[i], &input, &output, &keep, err);
                if (r < 0) {
                        artifact_clear(&output);
                        return r;
                }
                if (!any)
                        *keep_built = *keep_built || keep;
                else if (keep)
                        vec_push(&kept->list, steal(&input));
                else
                        destroy(&input, kept, &output);
                artifact_clear(&input);
                input = output;
                any = true;
        }
        if (any)
                vec_push(&kept->list, steal(&input));
        else
                *keep_built = true;
        return 0;
}

static bool same_files(const struct artifact *a, const struct artifact *b)
{
        if (strv_len(STRV(a->files)) != strv_len(STRV(b->files)))
                return false;
        for (char **file = a->files; file && *file; file++)
                if (!strv_has(STRV(b->files), *file))
                        return false;
        return true;
}

/* One that names the same files as another (a manifest's input) is told once. */
static void push_new(struct artifacts *list, struct artifact *artifact)
{
        for (size_t i = 0; i < list->list.n; i++)
                if (same_files(&list->list.v[i], artifact)) {
                        artifact_clear(artifact);
                        return;
                }
        vec_push(&list->list, *artifact);
}

int packages_run(struct job *job, struct artifacts *ret, struct error *err)
{
        struct artifact built = {.builder_id = xstrdup(job->build->builder->artifact_builder),
                                 .id = xstrdup(job->arm ? job->arm->image_path : "Null")};
        bool keep_built = job->steps->n_post_processors == 0;
        struct artifacts kept = {0};
        int r = 0;

        if (job->arm)
                strv_add(&built.files, job->arm->image_path);
        for (size_t i = 0; r == 0 && i < job->steps->n_post_processors; i++)
                r = run_chain(job, &job->steps->post_processors[i], &built, &kept, &keep_built, err);
        if (r < 0 || keep_built) {
                vec_push(&ret->list, built);
        } else {
                destroy(&built, &kept, NULL);
                artifact_clear(&built);
        }
        for (size_t i = 0; i < kept.list.n; i++)
                push_new(ret, &kept.list.v[i]);
        vec_free(&kept.list);
        return r;
}
