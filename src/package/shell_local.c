/* The post-processor `shell-local`: scripts on the host (src/local), after
 * which the artifact is what it was. */
#include "local/local.h"
#include "package/post.h"

static int run(const void *config, const struct package_context *context, const struct artifact *in,
               struct artifact *ret, bool *ret_keep, struct error *err)
{
        const struct script_context script = {
                .ui = context->ui,
                .build_name = context->build_name,
                .builder_type = context->builder_type,
                .interp = context->interp,
        };
        int r = local_run(config, &script, err);

        if (r < 0)
                return r;
        artifact_copy(in, ret);
        *ret_keep = true;
        return 0;
}

const struct post_processor_type shell_local_post_processor = {
        .name = "shell-local",
        .schema = &local_post_processor_schema,
        .check = local_check,
        .run = run,
};
