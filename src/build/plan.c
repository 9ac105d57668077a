/* What a build would do: the same keys as a build's, looked up in the cache. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "build/job.h"
#include "build/layer.h"
#include "build/layer_key.h"

struct planning {
        struct job *job;
        struct plan_record last; /* what the layers were made of */
        struct plan *plan;
        size_t n_layers;         /* so far */
        const char *unknown_why; /* NULL: job->key is the key of the layers so far */
};

void plan_clear(struct plan *plan)
{
        for (size_t i = 0; i < plan->lines.n; i++) {
                free(plan->lines.v[i].what);
                free(plan->lines.v[i].why);
        }
        vec_free(&plan->lines);
}

/* Takes both strings over. */
static void add_line(struct planning *planning, enum plan_state state, char *what, char *why)
{
        vec_push(&planning->plan->lines, (struct plan_line){state, what, why});
}

/* In words, why a layer is not in the cache. */
static char *reason(const struct planning *planning, const struct key *parts)
{
        bool known;
        CLEANUP_STRV char **changed = plan_record_changed(&planning->last, planning->n_layers, parts, &known);
        CLEANUP_STR struct str why = {0};

        if (!known)
                return xstrdup("it has not run before");
        if (!changed)
                return xstrdup("it did not end well, or is no longer in the cache");
        for (char **name = changed; *name; name++)
                if (strcmp(*name, layer_key_parent) != 0)
                        str_addf(&why, "%s%s", why.len ? ", " : "changed: ", *name);
        return why.len ? str_steal(&why) : xstrdup("a step before it has changed");
}

static char *why_unkept(const struct planning *planning)
{
        return xstrdup(layers_see_host(planning->job) ? "the guest sees a folder of the host" : "cache = false");
}

/* A layer that may be used for so long yet. */
static char *left(int64_t seconds)
{
        CLEANUP_FREE char *text = seconds < 0 ? NULL : duration_text(seconds);

        return text ? xasprintf("for %s more", text) : xstrdup("");
}

/* What is made anew has a key that nobody knows yet. */
static void add_unknown(struct planning *planning, enum plan_state state, char *what, char *why, const char *after)
{
        add_line(planning, state, what, why);
        planning->unknown_why = after;
}

/* `parts` is all that the layer is made of. */
static void add_layer(struct planning *planning, char *what, struct key *parts, const struct template_step *block)
{
        static const char anew[] = "a step before it is run again";
        struct job *job = planning->job;
        char key[DIGEST_HEX_MAX];

        key_final(parts, key);
        switch (layer_look(job, key, block)) {
        case LAYER_UNKEPT:
                add_unknown(planning, PLAN_ALWAYS, what, why_unkept(planning), anew);
                break;
        case LAYER_REFUSED:
                add_unknown(planning, PLAN_RUNS, what, xstrdup("-no-cache"), "-no-cache");
                break;
        case LAYER_OLD:
                add_unknown(planning, PLAN_RUNS, what, xstrdup("it is older than its cache_ttl"), anew);
                break;
        case LAYER_CACHED:
                add_line(planning, PLAN_CACHED, what, left(layer_left_sec(job, key, block)));
                break;
        case LAYER_MISSING:
                add_line(planning, PLAN_RUNS, what, reason(planning, parts));
                break;
        }
        memcpy(job->key, key, sizeof(job->key));
        planning->n_layers++;
}

/* The same on layers that are not known. */
static void add_later(struct planning *planning, char *what, const struct template_step *block)
{
        if (layer_is_kept(planning->job, block))
                add_line(planning, PLAN_RUNS, what, xstrdup(planning->unknown_why));
        else
                add_line(planning, PLAN_ALWAYS, what, why_unkept(planning));
}

static int plan_base(struct planning *planning, struct error *err)
{
        struct job *job = planning->job;
        bool ready = false;
        int r = base_plan(job, &ready, err);

        if (r < 0)
                return error_wrap(err, r, "the base system");
        if (r > 0)
                planning->unknown_why = "what comes before it is not known yet";
        else
                memcpy(job->key, job->base.key, sizeof(job->key));
        base_platform_load(job->cache.root, job->base.key, job->platform, sizeof(job->platform));
        add_line(planning, ready ? PLAN_CACHED : PLAN_RUNS, xstrdup("base"),
                 xstrdup(ready    ? ""
                         : r == 0 ? "it is fetched already, and unpacked"
                                  : "it is fetched and unpacked"));
        return 0;
}

static int plan_step(struct planning *planning, const struct template_step *block, size_t number, struct error *err)
{
        CLEANUP_KEY struct key key = {0};
        CLEANUP(build_step_clear) struct build_step step = {0};
        CLEANUP_ERROR struct error missing = {0};
        CLEANUP_FREE char *what = xasprintf("provisioner %zu (%s)", number, block->type);
        int r = build_step_decode(planning->job, block, &step, err);

        if (r < 0)
                return error_wrap(err, r, "%s", what);
        if (step.type->on_host)
                add_line(planning, PLAN_ALWAYS, steal(&what), xstrdup("it runs on the host"));
        else if (step.type->only_reads && step.type->only_reads(step.config))
                add_line(planning, PLAN_ALWAYS, steal(&what), xstrdup("it reads from the guest"));
        else if (planning->unknown_why)
                add_later(planning, steal(&what), block);
        else if (layer_key_step(planning->job, &step, &key, &missing) < 0)
                add_unknown(planning, PLAN_RUNS, steal(&what), xstrdup(error_message(&missing)),
                            "what comes before it is not known yet");
        else
                add_layer(planning, steal(&what), &key, block);
        return 0;
}

/* One that is no provisioner's. */
static void add_own_layer(struct planning *planning, const char *what, struct key *parts)
{
        if (planning->unknown_why)
                add_later(planning, xstrdup(what), NULL);
        else
                add_layer(planning, xstrdup(what), parts, NULL);
}

static int plan_setup(struct planning *planning, struct error *err)
{
        struct job *job = planning->job;

        if (setup_extra_wanted(job, false)) {
                CLEANUP_KEY struct key key = {0};

                layer_key_setup_extra(job, &key);
                add_own_layer(planning, "image_setup_extra", &key);
        }
        if (job->arm->resolv_conf != ARM_RESOLV_KEEP) {
                CLEANUP_KEY struct key key = {0};
                CLEANUP_FREE char *text = NULL;
                int r = layer_key_resolv_conf(job, &key, &text, err);

                if (r < 0)
                        return r;
                add_own_layer(planning, "resolv-conf", &key);
        }
        return 0;
}

static int plan_all(struct planning *planning, struct error *err)
{
        struct job *job = planning->job;
        const struct template_steps *steps = job->steps;
        int r = job->arm ? plan_base(planning, err) : 0;

        if (r == 0 && job->arm)
                r = plan_setup(planning, err);
        for (size_t i = 0; r == 0 && i < steps->n_provisioners; i++)
                if (template_step_applies(&steps->provisioners[i], job->build->name))
                        r = plan_step(planning, &steps->provisioners[i], i + 1, err);
        if (r == 0 && job->arm)
                add_line(planning, PLAN_ALWAYS, xstrdup("image"), xstrdup(job->arm->image_path));
        for (size_t i = 0; r == 0 && i < steps->n_post_processors; i++)
                for (size_t j = 0; j < steps->post_processors[i].n; j++)
                        if (template_step_applies(&steps->post_processors[i].v[j], job->build->name))
                                add_line(planning, PLAN_ALWAYS,
                                         xasprintf("post-processor %s", steps->post_processors[i].v[j].type),
                                         xstrdup(""));
        return r;
}

int build_plan(const struct template *t, size_t build, const struct build_options *options, struct plan *ret,
               struct error *err)
{
        struct interp_pair values[TEMPLATE_BUILD_VALUES];
        struct template_build own = t->builds[build];
        struct ui ui = options->ui;
        struct job job = job_begin(t, &own, values, options, &ui);
        CLEANUP(plan_clear) struct plan plan = {0};
        struct planning planning = {.job = &job, .plan = &plan};
        int r = cache_dir(&job.cache.root, err);

        if (r == 0) {
                plan_record_load(&planning.last, job.cache.root, t->path, own.name);
                r = plan_all(&planning, err);
        }
        plan_record_clear(&planning.last);
        base_clear(&job.base);
        free(job.cache.root);
        if (r == 0)
                *ret = steal(&plan);
        return r;
}
