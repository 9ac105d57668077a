/* Steps held against their own tables, before anything runs. See build.h. */
#include <errno.h>

#include "base/alloc.h"
#include "base/str.h"
#include "build/build.h"
#include "build/job.h"
#include "local/external.h"

static void unknown_type(const struct template_step *step, enum plugin_kind kind, const char *const *known,
                         struct diags *diags)
{
        const char *nearest = str_nearest(step->type, known), *what = plugin_kind_name(kind);
        CLEANUP_FREE char *names = strv_join(known, ", ");
        CLEANUP_ERROR struct error err = {0};
        const struct external *external;

        /* There may be a stand-alone executable that does not keep to the contract. */
        if (external_load(kind, step->type, &external, &err) != -ENOENT) {
                diag_error(diags, schema_range(step->config, "type"), "%s", error_message(&err));
                return;
        }
        if (nearest)
                diag_error(diags, schema_range(step->config, "type"), "unknown %s '%s'; did you mean '%s'?", what,
                           step->type, nearest);
        else
                diag_error(diags, schema_range(step->config, "type"), "unknown %s '%s'", what, step->type);
        diag_detail(diags, "Built in are: %s.\nAn executable slipway-%s-%s would be one too: see slipway-plugin(7).",
                    names, what, step->type);
}

/* One step for one build: decoded, checked, and forgotten. */
static void check_decoded(const struct schema *schema,
                          int (*check)(void *config, const struct value *value, struct diags *diags),
                          const struct template_step *step, const struct template_build *build, struct diags *diags)
{
        CLEANUP(value_freep) struct value *value = template_step_config(step, build->interp.build_name);
        CLEANUP_FREE void *config = xcalloc(1, schema->size);

        if (schema_decode(schema, value, template_step_keys, &build->interp, config, diags) == 0 && check &&
            !value->unknown)
                check(config, value, diags);
        schema_free(schema, config);
}

/* A kind of step: what its table row gives. schema NULL: no such type. */
struct step_kind {
        enum plugin_kind kind;
        const char *const *known;
        const struct schema *schema;
        int (*check)(void *config, const struct value *value, struct diags *diags);
        bool needs_guest;
};

/* The steps of one list, and the builds that they are for. */
struct check {
        const struct template *t;
        const struct template_steps *steps;
        struct diags *diags;
};

/* A warning, as Packer has it: the build, which cannot go on, says it as an error. */
static void no_guest(const struct template_step *step, const struct template_build *build, struct diags *diags)
{
        diag_warning(diags, step->range, "the provisioner '%s' needs a guest, and the build '%s' has none", step->type,
                     build->name);
        diag_detail(diags, "The builder %s makes no image; shell-local, sleep and breakpoint run on the host.",
                    build->type);
}

static void check_step(const struct check *check, const struct template_step *step, const struct step_kind *kind)
{
        const struct template *t = check->t;
        size_t before = check->diags->n_errors;

        if (!step->type) /* said when it was read */
                return;
        if (!kind->schema) {
                unknown_type(step, kind->kind, kind->known, check->diags);
                return;
        }
        /* One build's messages are enough: the next would say the same. */
        for (size_t i = 0; i < t->n_builds && check->diags->n_errors == before; i++) {
                const struct template_build *build = &t->builds[i];

                if (build->steps != check->steps || !template_step_applies(step, build->name))
                        continue;
                if (kind->needs_guest && build->builder && !build->builder->image)
                        no_guest(step, build, check->diags);
                check_decoded(kind->schema, kind->check, step, build, check->diags);
        }
}

static void check_provisioner(const struct check *check, const struct template_step *step)
{
        const struct provisioner_type *type = step->type ? provisioner_find(step->type) : NULL;
        struct step_kind kind = {PLUGIN_PROVISIONER, provisioner_names(), type ? type->schema : NULL,
                                 type ? type->check : NULL, type && !type->on_host};

        check_step(check, step, &kind);
}

static void check_post_processor(const struct check *check, const struct template_step *step)
{
        const struct post_processor_type *type = step->type ? post_processor_find(step->type) : NULL;
        struct step_kind kind = {PLUGIN_POST_PROCESSOR, post_processor_names(), type ? type->schema : NULL,
                                 type ? type->check : NULL, false};

        check_step(check, step, &kind);
}

static void check_steps(const struct check *check)
{
        const struct template_steps *steps = check->steps;

        for (size_t i = 0; i < steps->n_provisioners; i++)
                check_provisioner(check, &steps->provisioners[i]);
        if (steps->error_cleanup)
                check_provisioner(check, steps->error_cleanup);
        for (size_t i = 0; i < steps->n_post_processors; i++)
                for (size_t j = 0; j < steps->post_processors[i].n; j++)
                        check_post_processor(check, &steps->post_processors[i].v[j]);
}

int build_check(const struct template *t, struct diags *diags)
{
        size_t before = diags->n_errors;

        if (!t->values_known)
                return -EINVAL;
        for (size_t i = 0; i < t->n_steps; i++)
                check_steps(&(struct check){t, &t->steps[i], diags});
        return diags->n_errors > before ? -EINVAL : 0;
}
