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
        CLEANUP(value_freep) struct value *value = template_step_config(step, build->name);
        CLEANUP_FREE void *config = xcalloc(1, schema->size);

        if (schema_decode(schema, value, template_step_keys, &build->interp, config, diags) == 0 && check)
                check(config, value, diags);
        schema_free(schema, config);
}

/* A kind of step: what its table row gives. schema NULL: no such type. */
struct step_kind {
        enum plugin_kind kind;
        const char *const *known;
        const struct schema *schema;
        int (*check)(void *config, const struct value *value, struct diags *diags);
};

static void check_step(const struct template *t, const struct template_step *step, const struct step_kind *kind,
                       struct diags *diags)
{
        size_t before = diags->n_errors;

        if (!kind->schema) {
                unknown_type(step, kind->kind, kind->known, diags);
                return;
        }
        /* One build's messages are enough: the next would say the same. */
        for (size_t i = 0; i < t->n_builds && diags->n_errors == before; i++)
                if (template_step_applies(step, t->builds[i].name))
                        check_decoded(kind->schema, kind->check, step, &t->builds[i], diags);
}

static void check_provisioner(const struct template *t, const struct template_step *step, struct diags *diags)
{
        const struct provisioner_type *type = provisioner_find(step->type);
        struct step_kind kind = {PLUGIN_PROVISIONER, provisioner_names(), type ? type->schema : NULL,
                                 type ? type->check : NULL};

        check_step(t, step, &kind, diags);
}

static void check_post_processor(const struct template *t, const struct template_step *step, struct diags *diags)
{
        const struct post_processor_type *type = post_processor_find(step->type);
        struct step_kind kind = {PLUGIN_POST_PROCESSOR, post_processor_names(), type ? type->schema : NULL,
                                 type ? type->check : NULL};

        check_step(t, step, &kind, diags);
}

int build_check(const struct template *t, struct diags *diags)
{
        size_t before = diags->n_errors;

        for (size_t i = 0; i < t->n_provisioners; i++)
                check_provisioner(t, &t->provisioners[i], diags);
        if (t->error_cleanup)
                check_provisioner(t, t->error_cleanup, diags);
        for (size_t i = 0; i < t->n_post_processors; i++)
                for (size_t j = 0; j < t->post_processors[i].n; j++)
                        check_post_processor(t, &t->post_processors[i].v[j], diags);
        return diags->n_errors > before ? -EINVAL : 0;
}
