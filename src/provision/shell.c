/* shell: scripts that run in the guest. Keys, defaults and the order of work
 * follow Packer's shell provisioner; what goes there over a network goes here
 * straight into the layer, and nothing of it stays. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "provision/rows.h"
#include "provision/upload.h"

struct shell_config {
        struct script_sources sources;
        struct script_vars vars;
        char *execute_command, *inline_shebang;
        char *remote_folder, *remote_file, *remote_path;
        struct schema_ints valid_exit_codes;
        int64_t start_retry_timeout_ms, pause_after_ms;
        bool use_env_var_file, binary, skip_clean, expect_disconnect;
};

#define KEY(key, kind, member, ...)                                                                                    \
        {                                                                                                              \
                .name = key, .type = kind, .offset = offsetof(struct shell_config, member), __VA_ARGS__                \
        }

static const struct schema_key keys[] = {
        KEY("inline", SCHEMA_STRINGS, sources.inline_lines, .help = "commands, joined into one script"),
        KEY("script", SCHEMA_STRING, sources.script, .help = "path of a script"),
        KEY("scripts", SCHEMA_STRINGS, sources.scripts, .help = "paths of scripts, run in this order"),
        KEY("environment_vars", SCHEMA_STRINGS, vars.environment_vars, .help = "variables, NAME=VALUE each"),
        KEY("env", SCHEMA_STRING_MAP, vars.env, .help = "variables by name; they win over environment_vars"),
        KEY("env_var_format", SCHEMA_STRING, vars.format,
            .help = "how one variable is written in {{.Vars}} or the file (default: \"%s='%s' \")"),
        KEY("use_env_var_file", SCHEMA_BOOL, use_env_var_file,
            .help = "write the variables to a file, {{.EnvVarFile}}, that the command reads"),
        KEY("execute_command", SCHEMA_STRING, execute_command, .flags = SCHEMA_LATE,
            .help = "how a script is run; {{.Vars}}, {{.Path}} and {{.EnvVarFile}} are filled in "
                    "(default: \"{{.Vars}} {{.Path}}\"; scripts are executable)"),
        KEY("inline_shebang", SCHEMA_STRING, inline_shebang, .fallback = "/bin/sh -e",
            .help = "interpreter of inline commands"),
        KEY("remote_folder", SCHEMA_STRING, remote_folder, .fallback = "/tmp",
            .help = "folder in the guest that scripts are put in while they run"),
        KEY("remote_file", SCHEMA_STRING, remote_file,
            .help = "name of the script in that folder (default: script_N.sh)"),
        KEY("remote_path", SCHEMA_STRING, remote_path, .help = "path of the script in the guest; instead of the two"),
        KEY("binary", SCHEMA_BOOL, binary, .help = "scripts are taken as they are; else CRLF becomes LF"),
        KEY("valid_exit_codes", SCHEMA_INTS, valid_exit_codes, .help = "exit codes that are no failure (default: 0)"),
        KEY("start_retry_timeout", SCHEMA_DURATION, start_retry_timeout_ms, .fallback = "5m",
            .help = "how long to try again when a command cannot be started for want of processes or memory"),
        KEY("skip_clean", SCHEMA_BOOL, skip_clean, .help = "leave the scripts in the guest"),
        KEY("expect_disconnect", SCHEMA_BOOL, expect_disconnect,
            .help = "a script that is ended by a signal (it asked for a reboot, say) is no failure"),
        KEY("pause_after", SCHEMA_DURATION, pause_after_ms, .help = "how long to wait afterwards"),
};

static const struct schema schema = {.name = "the shell provisioner",
                                     .size = sizeof(struct shell_config),
                                     .keys = keys,
                                     .n_keys = sizeof(keys) / sizeof(keys[0])};

enum { CODE_DISCONNECT = 2300218 /* Packer's name for it in valid_exit_codes */ };

static void check_remote(const struct shell_config *c, const struct value *value, struct diags *diags)
{
        const char *path = c->remote_path;

        if (!str_empty(path) && (*path != '/' || str_ends(path, "/")))
                diag_error(diags, schema_range(value, "remote_path"), "'%s' is no absolute path of a file", path);
        if (str_empty(path) && *c->remote_folder != '/')
                diag_error(diags, schema_range(value, "remote_folder"), "'%s' is no absolute path", c->remote_folder);
        if (c->remote_file && strchr(c->remote_file, '/'))
                diag_error(diags, schema_range(value, "remote_file"),
                           "'%s' has a slash in it; expected a name (remote_path takes a whole path)", c->remote_file);
}

static int check(void *config, const struct value *value, struct diags *diags)
{
        static const char *const fields[] = {"Vars", "Path", "EnvVarFile", NULL};
        const struct shell_config *c = config;
        size_t before = diags->n_errors;

        script_check_sources(&c->sources, "inline, script, scripts", value, diags);
        script_check_vars(&c->vars, value, diags);
        script_check_exit_codes(&c->valid_exit_codes, value, diags);
        script_check_template(c->execute_command, "execute_command", fields, value, diags);
        check_remote(c, value, diags);
        return diags->n_errors > before ? -EINVAL : 0;
}

static int inputs(const void *config, struct key *key, struct error *err)
{
        const struct shell_config *c = config;
        CLEANUP_FREE const char **files = script_files(&c->sources);

        for (const char **file = files; *file; file++) {
                CLEANUP_FREE char *name = xasprintf("file %s", *file);
                char hex[DIGEST_HEX_MAX];
                int r = digest_file("sha256", *file, hex, err);

                if (r < 0)
                        return error_wrap(err, r, "shell script");
                key_text(key, name, hex);
        }
        return 0;
}

/* One run of the provisioner. */
struct shell {
        const struct shell_config *config;
        const struct provision_context *context;
        struct script_vars vars; /* with the default format */
        struct upload var_file;
        char *flat; /* the variables in their format */
        char **env; /* K=V; NULL unless a script can be started without a shell */
};

static void shell_done(struct shell *shell)
{
        upload_clear(&shell->var_file);
        free(shell->flat);
        strv_free(shell->env);
}

/* Packer's default begins with chmod +x; our upload has done that, and under qemu it would
 * cost as much as some scripts. */
static const char *command_template(const struct shell_config *c)
{
        if (!str_empty(c->execute_command))
                return c->execute_command;
        return c->use_env_var_file ? ". {{.EnvVarFile}} && {{.Path}}" : "{{.Vars}} {{.Path}}";
}

static bool could_start_later(int r)
{
        return r == -EAGAIN || r == -ENOMEM || r == -ENFILE;
}

/* What cannot be started for want of something is tried again for a while. */
static int run_command(const struct shell *shell, const char *const *argv, const char *const *env,
                       struct script_output *output, int *ret_status, struct error *err)
{
        const struct guest_command guest_command = {.argv = argv,
                                                    .env = env,
                                                    .timeout_ms = provision_timeout(shell->context),
                                                    .on_line = script_output_line,
                                                    .arg = output};
        int64_t left = shell->config->start_retry_timeout_ms;
        int r;

        while (could_start_later(r = guest_run(shell->context->guest, &guest_command, ret_status, err)) && left > 0) {
                int64_t nap = left < 2000 ? left : 2000;
                int cancelled = provision_pause(nap, err);

                if (cancelled < 0)
                        return cancelled;
                left -= nap;
        }
        return r;
}

/* What the default command comes to for a script that names its interpreter, without the shell that would only set
 * variables and start it: under qemu that shell costs as much as some scripts. Like any shell it passes on PWD. 1: it
 * cannot be started so, and what a shell says of that is wanted. */
static int run_directly(const struct shell *shell, const char *text, const char *path, struct script_output *output,
                        int *ret_status, struct error *err)
{
        const char *const argv[] = {path, NULL};
        CLEANUP_ERROR struct error why = {0};
        int r;

        if (!shell->env || !str_starts(text, "#!"))
                return 1;
        r = run_command(shell, argv, STRV(shell->env), output, ret_status, &why);
        if (r == -ENOENT || r == -EACCES || r == -ENOEXEC)
                return 1;
        if (r < 0 && err)
                error_move(err, &why);
        return r;
}

/* The guest's shell runs the command. */
static int run_by_shell(const struct shell *shell, const char *path, struct script_output *output, int *ret_status,
                        struct error *err)
{
        const struct interp_pair fields[] = {
                {.name = "Vars", .value = shell->flat},
                {.name = "Path", .value = path},
                {.name = "EnvVarFile", .value = shell->var_file.path ? shell->var_file.path : ""},
                {0}};
        CLEANUP_FREE char *command = NULL;
        int r = script_render(shell->context->interp, fields, command_template(shell->config), &command, err);
        const char *const argv[] = {"/bin/sh", "-c", command, NULL};

        return r < 0 ? error_wrap(err, r, "execute_command") : run_command(shell, argv, NULL, output, ret_status, err);
}

/* "not found" (127) and "cannot be executed" (126) are often said of the script whose interpreter is missing. */
static int explain(const struct shell *shell, const char *text, int r, struct error *err)
{
        CLEANUP_FREE char *line = NULL, *path = NULL;
        struct stat st;
        char *word;
        bool crlf;

        if (!str_starts(text, "#!"))
                return error_append(err, r, "\n  The script has no first line that names its interpreter: #!/bin/sh");
        line = xstrndup(text + 2, strcspn(text + 2, "\n"));
        crlf = str_ends(line, "\r");
        word = str_trim(line);
        path = xstrndup(word, strcspn(word, " \t\r"));
        if (guest_stat(shell->context->guest, path, &st, NULL) == -ENOENT)
                return error_append(err, r,
                                    "\n  Its first line asks for '%s', which the guest does not have: install it in an "
                                    "earlier step, or write the script for an interpreter that is there (/bin/sh)",
                                    path);
        return crlf ? error_append(err, r, "\n  Its lines end in CRLF: leave out \"binary\"") : r;
}

static bool is_disconnect(const struct shell_config *c, int status)
{
        bool listed = false;

        for (size_t i = 0; i < c->valid_exit_codes.n; i++)
                listed = listed || c->valid_exit_codes.v[i] == CODE_DISCONNECT;
        return status > 128 && (c->expect_disconnect || listed);
}

static int judge(const struct shell *shell, const char *what, const char *text, int status,
                 const struct script_output *output, struct error *err)
{
        const struct shell_config *c = shell->config;
        int r;

        if (script_status_good(&c->valid_exit_codes, status))
                return 0;
        if (is_disconnect(c, status)) {
                ui_say(shell->context->ui, "The script was ended by signal %d, as expected.", status - 128);
                return 0;
        }
        r = script_status_error(what, status, &c->valid_exit_codes, &output->tail, err);
        if (status == 126 || status == 127)
                return explain(shell, text, r, err);
        return r;
}

static int run_uploaded(const struct shell *shell, const char *what, const char *text, const char *path,
                        struct error *err)
{
        CLEANUP(script_output_clear) struct script_output output = {.ui = shell->context->ui};
        int status = 0, r = run_directly(shell, text, path, &output, &status, err);

        if (r > 0)
                r = run_by_shell(shell, path, &output, &status, err);
        return r < 0 ? error_wrap(err, r, "%s", what) : judge(shell, what, text, status, &output, err);
}

/* Upload, run, remove. */
static int run_text(const struct shell *shell, const char *shown, const char *text, size_t n, struct error *err)
{
        const struct shell_config *c = shell->config;
        CLEANUP_FREE char *what = xasprintf("shell script '%s'", shown);
        CLEANUP(upload_clear) struct upload upload = {.guest = shell->context->guest};
        CLEANUP_ERROR struct error removing = {0};
        int r, removed = 0;

        ui_say(shell->context->ui, "Provisioning with shell script: %s", shown);
        if (!str_empty(c->remote_path))
                upload.path = xstrdup(c->remote_path);
        else if (!str_empty(c->remote_file))
                upload.path = path_join(c->remote_folder, c->remote_file);
        r = upload_put(&upload, c->remote_folder, "script", text, n, 0755, err);
        if (r == 0)
                r = run_uploaded(shell, what, text, upload.path, err);
        if (!c->skip_clean)
                removed = upload_remove(&upload, &removing);
        if (r == 0 && removed < 0) {
                error_move(err, &removing);
                r = error_wrap(err, removed, "%s", what);
        }
        return r;
}

static void unix_lines(char *text, size_t *n)
{
        size_t to = 0;

        for (size_t from = 0; from < *n; from++)
                if (text[from] != '\r' || from + 1 == *n || text[from + 1] != '\n')
                        text[to++] = text[from];
        text[to] = '\0';
        *n = to;
}

static int run_file(const struct shell *shell, const char *path, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        size_t n = 0;
        int r = file_read(path, 0, &text, &n, err);

        if (r < 0)
                return error_wrap(err, r, "shell script");
        if (!shell->config->binary)
                unix_lines(text, &n);
        return run_text(shell, path, text, n, err);
}

static int prepare_vars(struct shell *shell, struct error *err)
{
        const struct shell_config *c = shell->config;
        struct script_context script = provision_script_context(shell->context);
        int r;

        shell->vars = c->vars;
        if (str_empty(c->execute_command) && !c->use_env_var_file && str_empty(c->vars.format)) {
                strv_add(&shell->env, "PWD=/");
                r = script_environment(&c->vars, &script, &shell->env, err);
                if (r < 0)
                        return r;
        }
        if (str_empty(c->vars.format))
                shell->vars.format = c->use_env_var_file ? (char *)"export %s='%s'\n" : (char *)"%s='%s' ";
        r = script_flatten(&shell->vars, &script, &shell->flat, err);
        if (r < 0 || !c->use_env_var_file)
                return r;
        shell->var_file.guest = shell->context->guest;
        return upload_put(&shell->var_file, c->remote_folder, "varfile", shell->flat, strlen(shell->flat), 0600, err);
}

static int run_all(struct shell *shell, struct error *err)
{
        const struct shell_config *c = shell->config;
        CLEANUP_FREE const char **files = script_files(&c->sources);
        CLEANUP_FREE char *text = NULL;
        int r = script_inline(&c->sources, c->inline_shebang, shell->context->interp, &text, err);

        for (const char **file = files; *file && r == 0; file++)
                r = run_file(shell, *file, err);
        if (r == 0 && text)
                r = run_text(shell, "inline", text, strlen(text), err);
        return r;
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        CLEANUP(shell_done) struct shell shell = {.config = config, .context = context};
        int r = prepare_vars(&shell, err);

        if (r == 0)
                r = run_all(&shell, err);
        if (r == 0 && shell.var_file.path && !shell.config->skip_clean)
                r = upload_remove(&shell.var_file, err);
        if (r == 0 && shell.config->pause_after_ms > 0) {
                CLEANUP_FREE char *shown = provision_duration(shell.config->pause_after_ms);

                ui_say(context->ui, "Pausing %s after this provisioner...", shown);
                r = provision_pause(shell.config->pause_after_ms, err);
        }
        return r;
}

const struct provisioner_type provision_shell = {
        .name = "shell",
        .schema = &schema,
        .check = check,
        .inputs = inputs,
        .run = run,
};
