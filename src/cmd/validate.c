/* slipway validate: is the template right? Nothing is fetched, run or written. */
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "build/build.h"
#include "cmd/template_args.h"

struct options {
        bool syntax_only, evaluate_data, quiet_undeclared;
        struct template_args template;
        const char *output;
};

static const char *const outputs[] = {"text", "json", NULL};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        OPTION("syntax-only", OPTION_BOOL, syntax_only,
               .help = "Read the template only; values and keys of builders are not looked at"),
        OPTION("evaluate-datasources", OPTION_BOOL, evaluate_data,
               .help = "HCL2: execute data sources; what they give is unknown otherwise, and not checked"),
        OPTION("no-warn-undeclared-var", OPTION_BOOL, quiet_undeclared,
               .help = "HCL2: no warning about values in files for variables that the template does not have"),
        TEMPLATE_VALUE_OPTIONS(options, template),
        TEMPLATE_BUILD_OPTIONS(options, template),
        TEMPLATE_LANGUAGE_OPTION(options, template),
        TEMPLATE_IGNORED_OPTIONS(options, template),
        OPTION("o", OPTION_STRING, output, .argument = "FORMAT", .choices = outputs,
               .help = "text, or json: the messages as a list"),
};

static json_t *message_to_json(const struct diag *diag)
{
        json_t *json = json_pack("{s:s, s:s, s:s*}", "severity", diag->severity == SEVERITY_ERROR ? "error" : "warning",
                                 "summary", diag->summary, "detail", diag->detail);
        unsigned int line, column;

        if (!diag->range.source)
                return json;
        range_position(&diag->range, &line, &column);
        json_object_set_new(json, "file", json_string(diag->range.source->path));
        json_object_set_new(json, "line", json_integer(line));
        json_object_set_new(json, "column", json_integer(column));
        return json;
}

static void print_json(const struct diags *diags)
{
        json_t *messages = json_array();
        json_t *json;

        for (size_t i = 0; i < diags->list.n; i++)
                json_array_append_new(messages, message_to_json(&diags->list.v[i]));
        json = json_pack("{s:b, s:o}", "valid", diags->n_errors == 0, "messages", messages);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
}

static int validate(const struct options *options, const char *path)
{
        const struct template_options load = {
                .path = path,
                .syntax_only = options->syntax_only,
                .evaluate_data = options->evaluate_data,
                .warn_undeclared = !options->quiet_undeclared,
        };
        struct diags diags = {0};
        CLEANUP(template_freep)
        struct template *t = template_args_load(&options->template, load, &diags);
        int exit_code;

        if (t && !options->syntax_only)
                build_check(t, &diags);
        if (t)
                diags_hide(&diags, STRV(t->secrets));
        diags_sort(&diags);
        if (str_eq(options->output, "json"))
                print_json(&diags);
        else
                diags_show(&diags, diags_color());
        exit_code = diags.n_errors > 0;
        if (exit_code == 0 && !str_eq(options->output, "json"))
                command_say("%s", options->syntax_only ? "Syntax-only check passed. Everything looks okay."
                                                       : "The configuration is valid.");
        diags_clear(&diags);
        return exit_code;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        if (first >= 0)
                exit_code = validate(&options, argv[first]);
        template_args_clear(&options.template);
        return exit_code;
}

const struct command command_validate = {
        .name = "validate",
        .arguments = "TEMPLATE",
        .summary = "Check that a template is right",
        .help = "  Reads the template (\"-\": standard input) and shows everything that is wrong with it; exit code 1\n"
                "  then. Nothing is fetched or run; neither root nor qemu is needed.",
        OPTIONS(specs),
        .run = run,
};
