/* The table of provisioners. A new one is a file with its row, and a line here. */
#include "provision/provision.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "provision/rows.h"

static const struct provisioner_type *const types[] = {
        &provision_ansible, &provision_breakpoint,  &provision_file,  &provision_release,
        &provision_shell,   &provision_shell_local, &provision_sleep,
};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

const char *const *provisioner_names(void)
{
        static const char *names[N_TYPES + 1];

        for (size_t i = 0; i < N_TYPES; i++)
                names[i] = types[i]->name;
        return names;
}

int provisioner_lookup(const char *name, const struct provisioner_type **ret, struct error *err)
{
        const char *nearest;
        int r;

        for (size_t i = 0; i < N_TYPES; i++)
                if (strcmp(types[i]->name, name) == 0) {
                        *ret = types[i];
                        return 0;
                }
        r = provision_external(name, ret, err);
        if (r != -ENOENT)
                return r;
        nearest = str_nearest(name, provisioner_names());
        if (nearest)
                return error_append(err, r, "; did you mean '%s'?", nearest);
        return r;
}

const struct provisioner_type *provisioner_find(const char *name)
{
        const struct provisioner_type *type = NULL;

        return provisioner_lookup(name, &type, NULL) < 0 ? NULL : type;
}

unsigned int provision_timeout(const struct provision_context *context)
{
        return context->timeout_ms > INT_MAX ? INT_MAX : (unsigned int)context->timeout_ms;
}

struct script_context provision_script_context(const struct provision_context *context)
{
        return (struct script_context){.ui = context->ui,
                                       .build_name = context->build_name,
                                       .builder_type = context->builder_type,
                                       .interp = context->interp,
                                       .timeout_ms = context->timeout_ms};
}
