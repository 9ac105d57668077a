/* What the steps that run scripts have in common, be it in the guest (shell)
 * or on the host (shell-local): where the text comes from, the variables that
 * go before the command, the exit codes that are good. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/tail.h"
#include "base/ui.h"
#include "lang/schema.h"

/* Members of a config, read by its schema. Exactly one is given. */
struct script_sources {
        char **inline_lines;
        char *script, **scripts;
        char *command; /* shell-local's old name for one inline line */
};

struct script_vars {
        char **environment_vars; /* K=V */
        char **env;              /* K=V, sorted; wins */
        char *format;            /* of one variable: printf with the name and the escaped value */
};

struct script_context {
        struct ui *ui;
        const char *build_name, *builder_type;
        const struct interp *interp; /* may be NULL: nothing is known */
        int64_t timeout_ms;          /* for each command; 0: none */
};

/* Exactly one source; files that exist. `keys` lists the sources for the message. */
void script_check_sources(const struct script_sources *sources, const char *keys, const struct value *value,
                          struct diags *diags);
/* K=V, names that a shell takes, a format with two places. */
void script_check_vars(const struct script_vars *vars, const struct value *value, struct diags *diags);
/* Does `text` (of a SCHEMA_LATE key) use what there will be? `fields` are names, NULL-terminated. */
void script_check_template(const char *text, const char *key, const char *const *fields, const struct value *value,
                           struct diags *diags);
void script_check_exit_codes(const struct schema_ints *codes, const struct value *value, struct diags *diags);

/* script and scripts as one list, borrowed strings in a list that the caller frees with free(). */
const char **script_files(const struct script_sources *sources) __attribute__((warn_unused_result));
/* The inline lines (or the command) as one script; NULL in *ret if there are none.
 * `shebang` is put before them unless they begin with one. The caller frees. */
int script_inline(const struct script_sources *sources, const char *shebang, const struct interp *interp, char **ret,
                  struct error *err);
/* All variables, PACKER_* among them, as K=V, into *env, where they win; it is sorted by name. */
int script_environment(const struct script_vars *vars, const struct script_context *context, char ***env,
                       struct error *err);
/* The same in one text, each in the format. The caller frees. */
int script_flatten(const struct script_vars *vars, const struct script_context *context, char **ret, struct error *err);
/* Render with fields (ended by a NULL name) beside those of interp, which may be NULL. The caller frees. */
int script_render(const struct interp *interp, const struct interp_pair *fields, const char *text, char **ret,
                  struct error *err);

/* A schema_ints without members allows 0. */
bool script_status_good(const struct schema_ints *codes, int status);
/* -EIO: `what` ended with this status; which ones are good; its last lines. */
int script_status_error(const char *what, int status, const struct schema_ints *codes, const struct tail *tail,
                        struct error *err);

/* For on_line of a spawn: lines are shown and the last kept. */
struct script_output {
        struct ui *ui; /* NULL: not shown */
        struct tail tail;
};
void script_output_line(void *arg, bool is_stderr, const char *line);
static inline void script_output_clear(struct script_output *output)
{
        tail_clear(&output->tail);
}
