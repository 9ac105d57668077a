/* shell-local: scripts on the host, as the user who builds. Provisioner and
 * post-processor are the same but for what comes before them, so both rooms'
 * rows point here. */
#pragma once

#include "local/script.h"

struct local_config {
        struct script_sources sources;
        struct script_vars vars;
        char **execute_command; /* argv, each word rendered with .Vars, .Script and .Command */
        char *inline_shebang;
        char **only_on; /* operating systems, as Go names them */
        char *tempfile_extension;
        struct schema_ints valid_exit_codes;
        bool use_linux_pathing; /* for Windows; nothing here */
};

extern const struct schema local_provisioner_schema, local_post_processor_schema;

/* For a row's check. */
int local_check(void *config, const struct value *value, struct diags *diags);
int local_run(const struct local_config *config, const struct script_context *context, struct error *err);
