/* slipway inspect: what a template is made of, in the form of Packer's command. */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/ui.h"
#include "cmd/inspect.h"
#include "cmd/template_args.h"

struct options {
        struct template_args template;
        bool machine_readable;
        const char *output;
};

static const char *const outputs[] = {"text", "json", NULL};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        TEMPLATE_VALUE_OPTIONS(options, template),
        TEMPLATE_LANGUAGE_OPTION(options, template),
        TEMPLATE_IGNORED_BUILDS(options, template),
        TEMPLATE_IGNORED_OPTIONS(options, template),
        OPTION("machine-readable", OPTION_BOOL, machine_readable,
               .help = "Lines for scripts: template-variable, template-builder, template-provisioner, ui"),
        OPTION("o", OPTION_STRING, output, .argument = "FORMAT", .choices = outputs, .help = "text or json"),
};

static int compare_variables(const void *a, const void *b)
{
        const struct template_variable *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static int compare_builds(const void *a, const void *b)
{
        const struct template_build *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static const char *shown_default(const struct template_variable *variable)
{
        return variable->sensitive ? "<sensitive>" : variable->fallback ? variable->fallback : "";
}

/* ---- for scripts ---- */

static void tell_variable(struct ui *ui, const struct template_variable *variable)
{
        ui_machine(
                ui, "template-variable",
                (const char *const[]){variable->name, shown_default(variable), variable->required ? "1" : "0", NULL});
}

static void tell_builder(struct ui *ui, const struct template_build *build)
{
        ui_machine(ui, "template-builder", (const char *const[]){build->name, build->type, NULL});
}

static void tell_provisioner(struct ui *ui, const char *type)
{
        ui_machine(ui, "template-provisioner", (const char *const[]){type, NULL});
}

/* Of HCL2, where Packer has the texts alone. */
static void tell_all(struct ui *ui, const struct template *t)
{
        for (size_t i = 0; i < t->n_declared; i++)
                tell_variable(ui, &t->variables[i]);
        for (size_t i = 0; i < t->n_builds; i++)
                tell_builder(ui, &t->builds[i]);
        for (size_t i = 0; i < t->n_blocks; i++)
                for (char **name = t->blocks[i].provisioners; name && *name; name++)
                        tell_provisioner(ui, *name);
}

static json_t *variables_to_json(const struct template *t)
{
        json_t *list = json_array();

        for (size_t i = 0; i < t->n_declared; i++) {
                const struct template_variable *variable = &t->variables[i];

                json_array_append_new(list, json_pack("{s:s, s:s?, s:b, s:b}", "name", variable->name, "default",
                                                      variable->required ? NULL : shown_default(variable), "required",
                                                      variable->required, "sensitive", variable->sensitive));
        }
        return list;
}

static void print_json(const struct template *t)
{
        json_t *builders = json_array(), *provisioners = json_array(), *post_processors = json_array();
        json_t *json;

        for (size_t i = 0; i < t->n_builds; i++)
                json_array_append_new(builders,
                                      json_pack("{s:s, s:s}", "name", t->builds[i].name, "type", t->builds[i].type));
        for (size_t i = 0; i < t->steps->n_provisioners; i++)
                json_array_append_new(provisioners, json_pack("{s:s}", "type", t->steps->provisioners[i].type));
        for (size_t i = 0; i < t->steps->n_post_processors; i++) {
                const struct template_chain *chain = &t->steps->post_processors[i];
                json_t *list = json_array();

                for (size_t j = 0; j < chain->n; j++)
                        json_array_append_new(
                                list, json_pack("{s:s, s:s}", "name", chain->v[j].name, "type", chain->v[j].type));
                json_array_append_new(post_processors, list);
        }
        json = json_pack("{s:s?, s:s?, s:o, s:o, s:o, s:o}", "description", t->description, "min_packer_version",
                         t->min_packer_version, "variables", variables_to_json(t), "builders", builders, "provisioners",
                         provisioners, "post-processors", post_processors);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
}

/* ---- texts: of Packer's words and in its order; each thing for scripts stands before its own line ---- */

static void print_required(struct ui *ui, const struct template *t)
{
        bool any = false;

        for (size_t i = 0; i < t->n_declared; i++) {
                if (!t->variables[i].required)
                        continue;
                if (!any)
                        ui_say(ui, "Required variables:\n");
                any = true;
                tell_variable(ui, &t->variables[i]);
                ui_say(ui, "  %s", t->variables[i].name);
        }
        if (any)
                ui_say(ui, "%s", "");
}

static void print_variables(struct ui *ui, const struct template *t)
{
        int width = 0;

        if (t->n_declared == 0) {
                ui_say(ui, "Variables:\n");
                ui_say(ui, "  <No variables>");
                return;
        }
        print_required(ui, t);
        ui_say(ui, "Optional variables and their defaults:\n");
        for (size_t i = 0; i < t->n_declared; i++)
                if (!t->variables[i].required && (int)strlen(t->variables[i].name) > width)
                        width = (int)strlen(t->variables[i].name);
        for (size_t i = 0; i < t->n_declared; i++) {
                if (t->variables[i].required)
                        continue;
                tell_variable(ui, &t->variables[i]);
                ui_say(ui, "  %-*s = %s", width, t->variables[i].name, shown_default(&t->variables[i]));
        }
}

static void print_builders(struct ui *ui, const struct template *t)
{
        int width = 0;

        ui_say(ui, "Builders:\n");
        for (size_t i = 0; i < t->n_builds; i++)
                if ((int)strlen(t->builds[i].name) > width)
                        width = (int)strlen(t->builds[i].name);
        for (size_t i = 0; i < t->n_builds; i++) {
                const struct template_build *build = &t->builds[i];

                tell_builder(ui, build);
                if (strcmp(build->name, build->type) == 0)
                        ui_say(ui, "  %s", build->name);
                else
                        ui_say(ui, "  %-*s (%s)", width, build->name, build->type);
        }
}

static void print_provisioners(struct ui *ui, const struct template *t)
{
        ui_say(ui, "Provisioners:\n");
        for (size_t i = 0; i < t->steps->n_provisioners; i++) {
                tell_provisioner(ui, t->steps->provisioners[i].type);
                ui_say(ui, "  %s", t->steps->provisioners[i].type);
        }
        if (t->steps->n_provisioners == 0)
                ui_say(ui, "  <No provisioners>");
}

static void print_text(struct ui *ui, const struct template *t)
{
        ui_say(ui, "Packer Inspect: JSON mode");
        if (t->description) {
                ui_say(ui, "Description:\n");
                ui_say(ui, "%s\n", t->description);
        }
        print_variables(ui, t);
        ui_say(ui, "%s", "");
        print_builders(ui, t);
        ui_say(ui, "%s", "");
        print_provisioners(ui, t);
        ui_say(ui, "\nNote: If your build names contain user variables or template\n"
                   "functions such as 'timestamp', these are processed at build time,\n"
                   "and therefore only show in their raw form here.");
}

static void print(const struct options *options, const struct template *t)
{
        struct ui ui;

        ui_init(&ui, NULL);
        ui.color = false;
        ui.machine_readable = options->machine_readable;
        if (str_eq(options->output, "json") && t->hcl) {
                inspect_hcl_json(t);
        } else if (str_eq(options->output, "json")) {
                print_json(t);
        } else if (t->hcl) {
                tell_all(&ui, t);
                inspect_hcl(&ui, t);
        } else {
                print_text(&ui, t);
        }
}

static int inspect(const struct options *options, const char *path)
{
        const struct template_options load = {.path = path, .syntax_only = true, .inspect = true};
        struct diags diags = {0};
        CLEANUP(template_freep)
        struct template *t = template_args_load(&options->template, load, &diags);
        bool failed = diags.n_errors > 0;

        diags_show(&diags, diags_color());
        diags_clear(&diags);
        if (failed)
                return 1;
        if (t->n_declared > 0)
                qsort(t->variables, t->n_declared, sizeof(*t->variables), compare_variables);
        qsort(t->builds, t->n_builds, sizeof(*t->builds), compare_builds);
        print(options, t);
        return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        if (first >= 0)
                exit_code = inspect(&options, argv[first]);
        template_args_clear(&options.template);
        return exit_code;
}

const struct command command_inspect = {
        .name = "inspect",
        .arguments = "TEMPLATE",
        .summary = "List a template's variables, builders and provisioners",
        .help = "  Reads the template (\"-\": standard input) as it stands; nothing is fetched or run.",
        OPTIONS(specs),
        .run = run,
};
