/* Post-processors over a finished build, and which files stay in the end:
 * as in Packer, an input is deleted unless its consumer or the template keeps it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"
#include "build/job.h"
#include "package/pass.h"

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

/* ---- what is to be run ---- */

struct post {
        const struct template_step *block;
        const struct post_processor_type *type;
        char *title; /* "manifest", "x (type manifest)" */
        struct value *value;
        void *config;
};
struct post_chain {
        VEC(struct post) list;
};
struct posts {
        struct post_chain *chains;
        size_t n;
};

static void posts_clear(struct posts *posts)
{
        for (size_t i = 0; i < posts->n; i++) {
                for (size_t j = 0; j < posts->chains[i].list.n; j++) {
                        struct post *post = &posts->chains[i].list.v[j];

                        schema_free(post->type->schema, post->config);
                        free(post->config);
                        free(post->title);
                        value_free(post->value);
                }
                vec_free(&posts->chains[i].list);
        }
        free(posts->chains);
}

/* As Packer calls it: in HCL2 one without a name has none, in JSON its type. */
static char *title_of(const struct job *job, const struct template_step *block)
{
        bool named = strcmp(block->name, block->type) != 0;

        if (!named && !job->template->hcl)
                return xstrdup(block->type);
        return xasprintf("%s (type %s)", named ? block->name : "", block->type);
}

static int prepare_one(const struct job *job, const struct template_step *block, struct post_chain *chain,
                       struct error *err)
{
        struct post post = {.block = block, .type = post_processor_find(block->type)};
        struct diags diags = {0};
        int r;

        if (!post.type)
                return error_set(err, ENOENT, "unknown post-processor '%s'", block->type);
        post.title = title_of(job, block);
        post.value = template_step_config(block, job->build->interp.build_name);
        post.config = xcalloc(1, post.type->schema->size);
        vec_push(&chain->list, post);
        r = schema_decode(post.type->schema, post.value, template_step_keys, &job->build->interp, post.config, &diags);
        if (r == 0 && post.type->check) /* which also completes the config of an executable */
                r = post.type->check(post.config, post.value, &diags);
        if (r < 0)
                error_set(err, EINVAL, "post-processor '%s': %s", block->type,
                          diags.list.n ? diags.list.v[0].summary : "invalid configuration");
        diags_clear(&diags);
        return r;
}

static int prepare(const struct job *job, struct posts *ret, struct error *err)
{
        const struct template_steps *steps = job->steps;
        int r = 0;

        ret->n = steps->n_post_processors;
        ret->chains = xcalloc(ret->n + 1, sizeof(*ret->chains));
        for (size_t i = 0; r == 0 && i < ret->n; i++)
                for (size_t j = 0; r == 0 && j < steps->post_processors[i].n; j++)
                        if (template_step_applies(&steps->post_processors[i].v[j], job->build->name))
                                r = prepare_one(job, &steps->post_processors[i].v[j], &ret->chains[i], err);
        return r;
}

/* All who will want the image's bytes: in each chain up to the first that makes something else of it. */
static struct pass *plan_pass(const struct posts *posts, const char *image)
{
        struct pass *pass = pass_new(image);

        for (size_t i = 0; i < posts->n; i++)
                for (size_t j = 0; j < posts->chains[i].list.n; j++) {
                        const struct post *post = &posts->chains[i].list.v[j];

                        if (post->type->reader && (j == 0 || post->type->gives_on))
                                pass_want(pass, post->type->reader, post->config);
                        if (!post->type->gives_on)
                                break;
                }
        return pass;
}

/* ---- running ---- */

static int run_one(const struct post *post, const struct package_context *context, const struct artifact *in,
                   struct artifact *ret, bool *ret_keep, struct error *err)
{
        CLEANUP_FREE char *target = NULL;
        struct package_context own = *context;
        struct ui ui;
        int r;

        if (context->ui) {
                ui_say(context->ui, "Running post-processor: %s", post->title);
                target = xasprintf("%s (%s)", context->ui->target, post->block->type);
                ui = *context->ui;
                ui.target = target;
                own.ui = &ui;
        }
        *ret_keep = true;
        r = post->type->run(post->config, &own, in, ret, ret_keep, err);
        if (post->block->keep_input_artifact >= 0)
                *ret_keep = post->block->keep_input_artifact;
        return r < 0 ? error_wrap(err, r, "post-processor '%s'", post->block->type) : 0;
}

static struct artifact copy_of(const struct artifact *artifact)
{
        return (struct artifact){xstrdup(artifact->builder_id), xstrdup(artifact->id), strv_dup(STRV(artifact->files))};
}

/* One chain. What the first one thinks of the build's own artifact goes to *keep_built. */
static int run_chain(const struct post_chain *chain, const struct package_context *context,
                     const struct artifact *built, struct artifacts *kept, bool *keep_built, struct error *err)
{
        CLEANUP(artifact_clear) struct artifact input = copy_of(built);

        for (size_t i = 0; i < chain->list.n; i++) {
                struct artifact output = {0};
                bool keep;
                int r = run_one(&chain->list.v[i], context, &input, &output, &keep, err);

                if (r < 0) {
                        artifact_clear(&output);
                        return r;
                }
                if (i == 0)
                        *keep_built = *keep_built || keep;
                else if (keep)
                        vec_push(&kept->list, steal(&input));
                else
                        destroy(&input, kept, &output);
                artifact_clear(&input);
                input = output;
        }
        if (chain->list.n > 0)
                vec_push(&kept->list, steal(&input));
        else
                *keep_built = true;
        return 0;
}

static int run_all(struct job *job, const struct posts *posts, const struct artifact *built, struct artifacts *kept,
                   bool *keep_built, struct error *err)
{
        CLEANUP(pass_freep) struct pass *pass = job->arm ? plan_pass(posts, job->arm->image_path) : NULL;
        struct package_context context = {
                .ui = job->ui,
                .build_name = job->build->interp.build_name,
                .builder_type = job->build->type,
                .interp = &job->build->interp,
                .run_uuid = job->run_uuid,
                .build_time = job->epoch >= 0 ? job->epoch : job->started,
                .force = job->options->force,
                .pass = pass,
        };
        int r = 0;

        /* a chain that fails does not keep the others from being run */
        for (size_t i = 0; i < posts->n && (r == 0 || !cancel_requested()); i++) {
                CLEANUP_ERROR struct error own = {0};
                int one = run_chain(&posts->chains[i], &context, built, kept, keep_built, r == 0 ? err : &own);

                if (one < 0 && r < 0)
                        error_append(err, r, "; %s", error_message(&own));
                r = r < 0 ? r : one;
        }
        return r;
}

int packages_run(struct job *job, struct artifacts *ret, struct error *err)
{
        struct artifact built = {.builder_id = xstrdup(job->build->builder->artifact_builder),
                                 .id = xstrdup(job->arm ? job->arm->image_path : "Null")};
        bool keep_built = job->steps->n_post_processors == 0;
        CLEANUP(posts_clear) struct posts posts = {0};
        struct artifacts kept = {0};
        int r;

        if (job->arm)
                strv_add(&built.files, job->arm->image_path);
        r = prepare(job, &posts, err);
        if (r == 0)
                r = run_all(job, &posts, &built, &kept, &keep_built, err);
        if (r < 0 || keep_built) {
                vec_push(&ret->list, built);
        } else {
                destroy(&built, &kept, NULL);
                artifact_clear(&built);
        }
        for (size_t i = 0; i < kept.list.n; i++)
                vec_push(&ret->list, kept.list.v[i]);
        vec_free(&kept.list);
        return r;
}
