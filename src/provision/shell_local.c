/* shell-local: scripts on the host, beside the guest. */
#include "local/local.h"
#include "provision/rows.h"

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        struct script_context script = provision_script_context(context);

        return local_run(config, &script, err);
}

const struct provisioner_type provision_shell_local = {
        .name = "shell-local",
        .schema = &local_provisioner_schema,
        .check = local_check,
        .run = run,
        .on_host = true,
};
