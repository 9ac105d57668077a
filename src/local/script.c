/* See script.h. Names, defaults and the escaping of values follow Packer's
 * shell and shell-local provisioners. */
#include "local/script.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/vec.h"
#include "local/format.h"

static void check_file(const char *path, const char *key, const struct value *value, struct diags *diags)
{
        struct stat st;

        if (stat(path, &st) < 0)
                diag_error(diags, schema_range(value, key), "script '%s': %s", path, strerror(errno));
        else if (S_ISDIR(st.st_mode))
                diag_error(diags, schema_range(value, key), "script '%s' is a folder; expected a file", path);
}

void script_check_sources(const struct script_sources *sources, const char *keys, const struct value *value,
                          struct diags *diags)
{
        bool has_script = !str_empty(sources->script), has_command = !str_empty(sources->command);
        bool has_scripts = strv_len(STRV(sources->scripts)) > 0;
        int given = has_script + has_scripts + has_command + (strv_len(STRV(sources->inline_lines)) > 0);

        if (given == 0)
                diag_error(diags, value->range, "nothing to run; expected exactly one of %s", keys);
        else if (given > 1)
                diag_error(diags, value->range, "several things to run; expected exactly one of %s", keys);
        if (has_script)
                check_file(sources->script, "script", value, diags);
        for (char **script = sources->scripts; script && *script; script++)
                check_file(*script, "scripts", value, diags);
}

static bool is_name(const char *s, size_t n)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

        return n > 0 && !(*s >= '0' && *s <= '9') && strspn(s, letters) >= n;
}

static void check_vars(char **vars, const char *key, const struct value *value, struct diags *diags)
{
        for (; vars && *vars; vars++) {
                const char *equals = strchr(*vars, '=');

                if (!equals || equals == *vars)
                        diag_error(diags, schema_range(value, key),
                                   "'%s' is no environment variable; expected NAME=VALUE", *vars);
                else if (!is_name(*vars, (size_t)(equals - *vars)))
                        diag_warning(diags, schema_range(value, key), "a shell takes no variable of the name '%.*s'",
                                     (int)(equals - *vars), *vars);
        }
}

void script_check_vars(const struct script_vars *vars, const struct value *value, struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *out = NULL;

        check_vars(vars->environment_vars, "environment_vars", value, diags);
        check_vars(vars->env, "env", value, diags);
        if (!str_empty(vars->format) && format_variable(vars->format, "NAME", "value", &out, &err) < 0)
                diag_error(diags, schema_range(value, "env_var_format"), "%s", error_message(&err));
}

void script_check_template(const char *text, const char *key, const char *const *fields, const struct value *value,
                           struct diags *diags)
{
        struct interp_pair pairs[8] = {0};
        const struct interp_pair none = {0};
        struct interp interp = {.user = &none, .build_name = "", .build_type = "", .template_dir = "", .fields = pairs};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *out = NULL;

        for (size_t i = 0; fields[i] && i < 7; i++)
                pairs[i] = (struct interp_pair){.name = fields[i], .value = ""};
        if (!text || strstr(text, "user")) /* user variables are known only when it runs */
                return;
        if (interp_render(&interp, text, &out, &err) < 0)
                diag_error(diags, schema_range(value, key), "%s", error_message(&err));
}

void script_check_exit_codes(const struct schema_ints *codes, const struct value *value, struct diags *diags)
{
        for (size_t i = 0; i < codes->n; i++)
                if (codes->v[i] < 0 || (codes->v[i] > 255 && codes->v[i] != 2300218))
                        diag_error(diags, schema_range(value, "valid_exit_codes"),
                                   "%lld is no exit code; expected 0 to 255", (long long)codes->v[i]);
}

const char **script_files(const struct script_sources *sources)
{
        size_t n = strv_len(STRV(sources->scripts)), at = 0;
        const char **files = xcalloc(n + 2, sizeof(*files));

        if (!str_empty(sources->script))
                files[at++] = sources->script;
        for (size_t i = 0; i < n; i++)
                files[at++] = sources->scripts[i];
        return files;
}

/* {{build `ID`}} is known only when the build runs; all else was rendered when the template was read. */
static int render_build(const struct interp *interp, const char *text, char **ret, struct error *err)
{
        const char *at = text;

        while (interp && interp->build && (at = strstr(at, "{{"))) {
                at += 2;
                at += *at == '-';
                at += strspn(at, " \t(");
                if (str_starts(at, "build ") || str_starts(at, "build`"))
                        return interp_render(interp, text, ret, err);
        }
        *ret = xstrdup(text);
        return 0;
}

int script_inline(const struct script_sources *sources, const char *shebang, const struct interp *interp, char **ret,
                  struct error *err)
{
        char *const command[] = {sources->command, NULL};
        char *const *lines = str_empty(sources->command) ? sources->inline_lines : command;
        CLEANUP_STR struct str out = {0};

        if (!lines || !*lines) {
                *ret = NULL;
                return 0;
        }
        if (!str_starts(*lines, "#!"))
                str_addf(&out, "#!%s\n", shebang);
        for (; *lines; lines++) {
                CLEANUP_FREE char *line = NULL;
                int r = render_build(interp, *lines, &line, err);

                if (r < 0)
                        return error_wrap(err, r, "inline");
                str_add(&out, line);
                str_addc(&out, '\n');
        }
        *ret = str_steal(&out);
        return 0;
}

static int add_vars(char ***vars, char **more, const struct interp *interp, struct error *err)
{
        for (; more && *more; more++) {
                CLEANUP_FREE char *text = NULL;
                char *equals;
                int r = render_build(interp, *more, &text, err);

                if (r < 0)
                        return error_wrap(err, r, "environment variable");
                equals = strchr(text, '=');
                if (!equals)
                        return error_set(err, EINVAL, "'%s' is no environment variable; expected NAME=VALUE", text);
                *equals = '\0';
                strv_setenv(vars, text, equals + 1);
        }
        return 0;
}

static int by_name(const void *a, const void *b)
{
        const char *x = *(const char *const *)a, *y = *(const char *const *)b;
        size_t n = strcspn(x, "="), m = strcspn(y, "=");
        int r = memcmp(x, y, n < m ? n : m);

        return r ? r : (n > m) - (n < m);
}

int script_environment(const struct script_vars *vars, const struct script_context *context, char ***env,
                       struct error *err)
{
        int r;

        strv_setenv(env, "PACKER_BUILD_NAME", context->build_name ? context->build_name : "");
        strv_setenv(env, "PACKER_BUILDER_TYPE", context->builder_type ? context->builder_type : "");
        strv_setenv(env, "PACKER_HTTP_ADDR", ""); /* there is no server; set, so that `set -u` scripts can ask */
        strv_setenv(env, "PACKER_HTTP_IP", "");
        strv_setenv(env, "PACKER_HTTP_PORT", "0");
        r = add_vars(env, vars->environment_vars, context->interp, err);
        if (r == 0)
                r = add_vars(env, vars->env, context->interp, err);
        if (r == 0)
                qsort(*env, strv_len(STRV(*env)), sizeof(**env), by_name);
        return r;
}

int script_flatten(const struct script_vars *vars, const struct script_context *context, char **ret, struct error *err)
{
        CLEANUP_STRV char **all = NULL;
        CLEANUP_STR struct str out = {0};
        int r = script_environment(vars, context, &all, err);

        for (char **var = all; r == 0 && *var; var++) {
                char *equals = strchr(*var, '=');
                CLEANUP_FREE char *value = str_replace(equals + 1, "'", "'\"'\"'"), *one = NULL;

                *equals = '\0';
                r = format_variable(vars->format, *var, value, &one, err);
                if (r == 0)
                        str_add(&out, one);
        }
        if (r == 0)
                *ret = str_steal(&out);
        return r;
}

int script_render(const struct interp *interp, const struct interp_pair *fields, const char *text, char **ret,
                  struct error *err)
{
        struct interp with = interp ? *interp : (struct interp){0};
        VEC(struct interp_pair) all = {0};
        int r;

        for (const struct interp_pair *field = fields; field->name; field++)
                vec_push(&all, *field);
        for (const struct interp_pair *field = with.fields; field && field->name; field++)
                vec_push(&all, *field);
        vec_push(&all, (struct interp_pair){0});
        with.fields = all.v;
        r = interp_render(&with, text, ret, err);
        vec_free(&all);
        return r;
}

bool script_status_good(const struct schema_ints *codes, int status)
{
        for (size_t i = 0; i < codes->n; i++)
                if (codes->v[i] == status)
                        return true;
        return codes->n == 0 && status == 0;
}

int script_status_error(const char *what, int status, const struct schema_ints *codes, const struct tail *tail,
                        struct error *err)
{
        CLEANUP_STR struct str good = {0};

        for (size_t i = 0; i < codes->n; i++)
                str_addf(&good, "%s%lld", i ? ", " : "", (long long)codes->v[i]);
        if (status > 128 && status < 128 + 65)
                error_set(err, EIO, "%s: ended with exit code %d (signal %d: %s); expected %s", what, status,
                          status - 128, strsignal(status - 128), good.len ? good.s : "0");
        else
                error_set(err, EIO, "%s: ended with exit code %d; expected %s", what, status, good.len ? good.s : "0");
        if (tail->n)
                error_append(err, -EIO, ". Its last lines:");
        return tail_append(tail, err, -EIO);
}

void script_output_line(void *arg, bool is_stderr, const char *line)
{
        struct script_output *output = arg;

        (void)is_stderr;
        tail_add(&output->tail, line);
        if (output->ui)
                ui_say(output->ui, "%s", line);
}
