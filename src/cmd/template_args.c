/* See template_args.h. */
#include "cmd/template_args.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/ui.h"
#include "build/build.h"

const char *const template_config_types[] = {"json", "hcl2", NULL};

bool template_args_hcl(const struct template_args *args)
{
        return str_eq(args->config_type, "hcl2");
}

void template_args_clear(struct template_args *args)
{
        strv_free(args->vars);
        strv_free(args->var_files);
        strv_free(args->only);
        strv_free(args->except);
        *args = (struct template_args){0};
}

struct template *template_args_load(const struct template_args *args, struct template_options load, struct diags *diags)
{
        load.var_args = STRV(args->vars);
        load.var_files = STRV(args->var_files);
        load.only = STRV(args->only);
        load.except = STRV(args->except);
        load.hcl = template_args_hcl(args);
        return template_load(&load, diags);
}

struct template *template_args_load_builds(const struct template_args *args, struct template_options load,
                                           struct diags *diags)
{
        struct template *t;

        build_name_run();
        t = template_args_load(args, load, diags);
        if (!t)
                return NULL;
        build_check(t, diags);
        if (diags->n_errors == 0 && t->n_builds == 0) {
                CLEANUP_FREE char *names = strv_join(STRV(t->build_names), ", ");

                diag_error(diags, NO_RANGE, "%s: -only and -except leave no build", load.path);
                diag_detail(diags, "There are: %s", names);
        }
        diags_hide(diags, STRV(t->secrets));
        return t;
}

bool diags_color(void)
{
        return isatty(STDERR_FILENO) && !getenv("NO_COLOR") && !getenv("PACKER_NO_COLOR");
}

void diags_show(struct diags *diags, bool color)
{
        struct ui ui = {.machine_readable = true};
        CLEANUP_FREE char *text = NULL;
        FILE *stream;
        size_t n;

        diags_sort(diags);
        fflush(stdout);
        stream = command_machine_readable ? open_memstream(&text, &n) : NULL;
        diags_print(diags, stream ? stream : ui_error_stream(), color && !stream);
        if (stream)
                fclose(stream);
        if (!str_empty(text))
                ui_error(&ui, "%s", text);
}
