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
               .help = "Lines for scripts: template-variable, template-builder, template-provisioner"),
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

static void print_machine(const struct template *t)
{
        struct ui ui;

        ui_init(&ui, NULL);
        ui.machine_readable = true;
        for (size_t i = 0; i < t->n_variables; i++)
                ui_machine(&ui, "template-variable",
                           (const char *const[]){t->variables[i].name, shown_default(&t->variables[i]),
                                                 t->variables[i].required ? "1" : "0", NULL});
        for (size_t i = 0; i < t->n_builds; i++)
                ui_machine(&ui, "template-builder", (const char *const[]){t->builds[i].name, t->builds[i].type, NULL});
        for (size_t i = 0; i < t->n_blocks; i++)
                for (char **name = t->blocks[i].provisioners; name && *name; name++)
                        ui_machine(&ui, "template-provisioner", (const char *const[]){*name, NULL});
        for (size_t i = 0; !t->hcl && i < t->steps->n_provisioners; i++)
                ui_machine(&ui, "template-provisioner", (const char *const[]){t->steps->provisioners[i].type, NULL});
}

static json_t *variables_to_json(const struct template *t)
{
        json_t *list = json_array();

        for (size_t i = 0; i < t->n_variables; i++) {
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

/* ---- for people ---- */

static void print_required(const struct template *t)
{
        bool any = false;

        for (size_t i = 0; i < t->n_variables; i++) {
                if (!t->variables[i].required)
                        continue;
                if (!any)
                        puts("Required variables:\n");
                any = true;
                printf("  %s\n", t->variables[i].name);
        }
        if (any)
                putchar('\n');
}

static void print_variables(const struct template *t)
{
        int width = 0;

        if (t->n_variables == 0) {
                puts("Variables:\n\n  <No variables>");
                return;
        }
        print_required(t);
        puts("Optional variables and their defaults:\n");
        for (size_t i = 0; i < t->n_variables; i++)
                if (!t->variables[i].required && (int)strlen(t->variables[i].name) > width)
                        width = (int)strlen(t->variables[i].name);
        for (size_t i = 0; i < t->n_variables; i++)
                if (!t->variables[i].required)
                        printf("  %-*s = %s\n", width, t->variables[i].name, shown_default(&t->variables[i]));
}

static void print_builders(const struct template *t)
{
        int width = 0;

        puts("\nBuilders:\n");
        for (size_t i = 0; i < t->n_builds; i++)
                if ((int)strlen(t->builds[i].name) > width)
                        width = (int)strlen(t->builds[i].name);
        for (size_t i = 0; i < t->n_builds; i++) {
                const struct template_build *build = &t->builds[i];

                if (strcmp(build->name, build->type) == 0)
                        printf("  %s\n", build->name);
                else
                        printf("  %-*s (%s)\n", width, build->name, build->type);
        }
}

static void print_text(const struct template *t)
{
        if (t->description)
                printf("Description:\n\n  %s\n\n", t->description);
        print_variables(t);
        print_builders(t);
        puts("\nProvisioners:\n");
        for (size_t i = 0; i < t->steps->n_provisioners; i++)
                printf("  %s\n", t->steps->provisioners[i].type);
        if (t->steps->n_provisioners == 0)
                puts("  <No provisioners>");
        puts("\nNote: If your build names contain user variables or template\n"
             "functions such as 'timestamp', these are processed at build time,\n"
             "and therefore only show in their raw form here.");
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
        if (t->n_variables > 0)
                qsort(t->variables, t->n_variables, sizeof(*t->variables), compare_variables);
        qsort(t->builds, t->n_builds, sizeof(*t->builds), compare_builds);
        if (options->machine_readable)
                print_machine(t);
        else if (str_eq(options->output, "json") && t->hcl)
                inspect_hcl_json(t);
        else if (str_eq(options->output, "json"))
                print_json(t);
        else if (t->hcl)
                inspect_hcl(t);
        else
                print_text(t);
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
