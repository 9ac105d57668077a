/* Packer's `null` builder: no image and no guest. Its provisioners run on the
 * host, its post-processors get no files. Machines that are reached over ssh
 * or WinRM are not built here. */
#include "template/null.h"

#include <errno.h>

#include "base/str.h"
#include "template/template_internal.h"

#define STRUCT struct null_builder
static const struct schema_key keys[] = {
        KEY("communicator", SCHEMA_STRING, SCHEMA_REQUIRED, communicator,
            .help = "\"none\": provisioners run on the host (shell-local, sleep, breakpoint)"),
};
#undef STRUCT

const struct schema null_schema = {
        .name = "the null builder",
        .size = sizeof(struct null_builder),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(keys[0]),
};

int null_check(void *config, const struct value *value, struct diags *diags)
{
        const struct null_builder *null = config;

        if (!null->communicator || str_eq(null->communicator, "none"))
                return 0;
        diag_error(diags, schema_range(value, "communicator"),
                   "the null builder connects to no machine: 'communicator' must be \"none\", not \"%s\"",
                   null->communicator);
        return -EINVAL;
}
