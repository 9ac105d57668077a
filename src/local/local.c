/* See local.h. The keys, their defaults and the order of work follow Packer's shell-local. */
#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"

#define KEY(key, kind, member, ...)                                                                                    \
        {                                                                                                              \
                .name = key, .type = kind, .offset = offsetof(struct local_config, member), __VA_ARGS__                \
        }

static const struct schema_key keys[] = {
        KEY("inline", SCHEMA_STRINGS, sources.inline_lines, .help = "commands, joined into one script"),
        KEY("script", SCHEMA_STRING, sources.script, .help = "path of a script"),
        KEY("scripts", SCHEMA_STRINGS, sources.scripts, .help = "paths of scripts, run in this order"),
        KEY("command", SCHEMA_STRING, sources.command, .help = "one command (older name; better: inline)"),
        KEY("execute_command", SCHEMA_STRINGS, execute_command, .flags = SCHEMA_LATE,
            .help = "argv that runs a script; {{.Vars}} and {{.Script}} are filled in "
                    "(default: /bin/sh, -c, \"{{.Vars}} {{.Script}}\")"),
        KEY("environment_vars", SCHEMA_STRINGS, vars.environment_vars, .help = "variables, NAME=VALUE each"),
        KEY("env", SCHEMA_STRING_MAP, vars.env, .help = "variables by name; they win over environment_vars"),
        KEY("env_var_format", SCHEMA_STRING, vars.format, .fallback = "%s='%s' ",
            .help = "how one variable is written in {{.Vars}}"),
        KEY("inline_shebang", SCHEMA_STRING, inline_shebang, .fallback = "/bin/sh -e",
            .help = "interpreter of inline commands"),
        KEY("only_on", SCHEMA_STRINGS, only_on, .help = "run only on these operating systems (\"linux\", ...)"),
        KEY("tempfile_extension", SCHEMA_STRING, tempfile_extension,
            .help = "extension of the file that inline commands are written to"),
        KEY("valid_exit_codes", SCHEMA_INTS, valid_exit_codes, .help = "exit codes that are no failure (default: 0)"),
        KEY("use_linux_pathing", SCHEMA_BOOL, use_linux_pathing, .help = "for Windows hosts; has no effect"),
};

enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

const struct schema local_provisioner_schema = {
        .name = "the shell-local provisioner", .size = sizeof(struct local_config), .keys = keys, .n_keys = N_KEYS};
const struct schema local_post_processor_schema = {
        .name = "the shell-local post-processor", .size = sizeof(struct local_config), .keys = keys, .n_keys = N_KEYS};

static const char *const systems[] = {"darwin", "freebsd", "linux", "openbsd", "solaris", "windows", NULL};
static const char *const default_command[] = {"/bin/sh", "-c", "{{.Vars}} {{.Script}}", NULL};

int local_check(void *config, const struct value *value, struct diags *diags)
{
        static const char *const fields[] = {"Vars", "Script", "Command", NULL};
        const struct local_config *c = config;
        size_t before = diags->n_errors;

        script_check_sources(&c->sources, "inline, script, scripts, command", value, diags);
        script_check_vars(&c->vars, value, diags);
        script_check_exit_codes(&c->valid_exit_codes, value, diags);
        for (char **word = c->execute_command; word && *word; word++)
                script_check_template(*word, "execute_command", fields, value, diags);
        for (char **system = c->only_on; system && *system; system++)
                if (!strv_has(systems, *system)) {
                        CLEANUP_FREE char *known = strv_join(systems, ", ");

                        diag_error(diags, schema_range(value, "only_on"),
                                   "unknown operating system '%s'; expected one of %s", *system, known);
                }
        if (c->tempfile_extension && strchr(c->tempfile_extension, '/'))
                diag_error(diags, schema_range(value, "tempfile_extension"), "'%s' has a slash in it",
                           c->tempfile_extension);
        return diags->n_errors > before ? -EINVAL : 0;
}

/* A script in $TMPDIR that only we can read. */
static int write_script(const char *text, const char *extension, char **ret, struct error *err)
{
        const char *dir = getenv("TMPDIR");
        CLEANUP_FREE char *path = NULL;
        CLEANUP_CLOSE int fd = -1;
        size_t suffix = 0;
        int r;

        extension = extension && *extension == '.' ? extension + 1 : extension;
        if (str_empty(extension)) {
                path = xasprintf("%s/packer-shellXXXXXX", str_empty(dir) ? "/tmp" : dir);
        } else {
                path = xasprintf("%s/packer-shellXXXXXX.%s", str_empty(dir) ? "/tmp" : dir, extension);
                suffix = strlen(extension) + 1;
        }
        if (suffix > NAME_MAX)
                return error_set(err, ENAMETOOLONG, "tempfile_extension is too long");
        fd = mkostemps(path, (int)suffix, O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "create '%s'", path);
        r = fd_write_all(fd, text, strlen(text));
        if (r == 0 && fchmod(fd, 0700) < 0)
                r = -errno;
        if (r < 0) {
                unlink(path);
                return error_errno(err, -r, "write '%s'", path);
        }
        *ret = steal(&path);
        return 0;
}

/* The argv: each word rendered. A path with blanks is quoted where the command is ours. */
static int make_argv(const struct local_config *config, const struct script_context *context, const char *vars,
                     const char *script, char ***ret, struct error *err)
{
        bool ours = strv_len(STRV(config->execute_command)) == 0;
        const char *const *words = ours ? default_command : STRV(config->execute_command);
        CLEANUP_FREE char *path = realpath(script, NULL), *quoted = NULL;
        CLEANUP_STRV char **argv = NULL;

        if (!path)
                return error_errno(err, errno, "find");
        quoted = ours && path[strcspn(path, " \t\n'\"\\$`&;|<>()*?[]#~!{}")] ? str_shell_quote(path) : xstrdup(path);
        for (; *words; words++) {
                const struct interp_pair fields[] = {{.name = "Vars", .value = vars},
                                                     {.name = "Script", .value = quoted},
                                                     {.name = "Command", .value = quoted},
                                                     {0}};
                char *word = NULL;
                int r = script_render(context->interp, fields, *words, &word, err);

                if (r < 0)
                        return error_wrap(err, r, "execute_command");
                strv_take(&argv, word);
        }
        *ret = steal(&argv);
        return 0;
}

static int run_script(const struct local_config *config, const struct script_context *context, const char *vars,
                      const char *script, const char *shown, struct error *err)
{
        CLEANUP(script_output_clear) struct script_output output = {.ui = context->ui};
        CLEANUP_FREE char *what = xasprintf("local script '%s'", shown);
        CLEANUP_STRV char **argv = NULL;
        struct spawn spawn = {.on_line = script_output_line, .arg = &output};
        int status = 0, r = make_argv(config, context, vars, script, &argv, err);

        if (r < 0)
                return error_wrap(err, r, "%s", what);
        spawn.argv = STRV(argv);
        spawn.timeout_ms = context->timeout_ms > INT_MAX ? INT_MAX : (unsigned int)context->timeout_ms;
        if (context->ui)
                ui_say(context->ui, "Running local shell script: %s", shown);
        r = spawn_run(&spawn, &status, err);
        if (r < 0)
                return error_wrap(err, r, "%s", what);
        if (script_status_good(&config->valid_exit_codes, status))
                return 0;
        r = script_status_error(what, status, &config->valid_exit_codes, &output.tail, err);
        if (status == 126 && access(script, X_OK) < 0)
                error_append(err, r, "\n  It is not executable: chmod +x %s", shown);
        return r;
}

static bool is_for_us(char **only_on)
{
        return strv_len(STRV(only_on)) == 0 || strv_has(STRV(only_on), "linux");
}

static int run_inline(const struct local_config *config, const struct script_context *context, const char *vars,
                      const char *text, struct error *err)
{
        CLEANUP_FREE char *path = NULL;
        int r = write_script(text, config->tempfile_extension, &path, err);

        if (r < 0)
                return error_wrap(err, r, "inline commands");
        r = run_script(config, context, vars, path, "inline", err);
        unlink(path);
        return r;
}

int local_run(const struct local_config *config, const struct script_context *context, struct error *err)
{
        CLEANUP_FREE const char **files = script_files(&config->sources);
        CLEANUP_FREE char *text = NULL, *vars = NULL;
        int r;

        if (!is_for_us(config->only_on)) {
                if (context->ui)
                        ui_say(context->ui, "Skipping shell-local due to runtime OS");
                return 0;
        }
        r = script_flatten(&config->vars, context, &vars, err);
        if (r == 0)
                r = script_inline(&config->sources, config->inline_shebang, context->interp, &text, err);
        if (r < 0)
                return error_wrap(err, r, "shell-local");
        for (const char **file = files; *file && r == 0; file++)
                r = run_script(config, context, vars, *file, *file, err);
        if (r == 0 && text)
                r = run_inline(config, context, vars, text, err);
        return r;
}
