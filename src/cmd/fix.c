/* slipway fix: old spellings in a JSON template, mended. */
#include "template/fix.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/template_args.h"

struct options {
        bool validate;
        struct template_args ignored;
};

static const struct option_spec specs[] = {
        {.name = "validate",
         .type = OPTION_BOOL,
         .offset = offsetof(struct options, validate),
         .help = "Check the mended template's structure; on unless -validate=false"},
        TEMPLATE_ALL_IGNORED(options, ignored),
};

static int validate(const char *path, const char *text, struct diags *diags)
{
        CLEANUP_FREE char *name = xasprintf("%s (fixed)", path);
        const struct template_options load = {.path = name, .text = text, .syntax_only = true};
        CLEANUP(template_freep) struct template *t = template_load(&load, diags);

        if (t && diags->n_errors == 0)
                return 0;
        diags_show(diags, diags_color());
        command_complain("Error: the fixed template is not right. The template that was given has the same mistake: "
                         "mend it, and try again.");
        return 1;
}

static json_t *read_template(const char *path, struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP(value_freep) struct value *root = NULL;

        if (str_ends(path, ".hcl") || source_text_read(path, &source, &err) < 0) {
                diag_error(diags, NO_RANGE, "%s",
                           err.code ? error_message(&err) : "fix is for JSON templates; HCL2 has no old spellings");
                return NULL;
        }
        root = json_read(source, diags);
        if (root && root->type != VALUE_OBJECT)
                diag_error(diags, root->range, "a template is an object { ... }, not %s", value_type_name(root->type));
        return diags->n_errors ? NULL : value_to_json(root);
}

static int fix(const struct options *options, const char *path, struct diags *diags)
{
        CLEANUP_FREE char *text = NULL;
        json_t *root = read_template(path, diags);

        if (!root) {
                diags_show(diags, diags_color());
                return 1;
        }
        template_fix(root);
        text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
        json_decref(root);
        command_say("%s\n", text); /* and an empty line, as Packer has it */
        return options->validate ? validate(path, text, diags) : 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {.validate = true};
        struct diags diags = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        template_args_clear(&options.ignored);
        if (first < 0)
                return exit_code;
        exit_code = fix(&options, argv[first], &diags);
        diags_clear(&diags);
        return exit_code;
}

static void print_fixers(FILE *stream)
{
        fputs("\nFixes that are run (in order):\n\n", stream);
        for (const struct template_fixer *fixer = template_fixers; fixer->name; fixer++)
                fprintf(stream, "  %-26s %s\n", fixer->name, fixer->synopsis);
}

const struct command command_fix = {
        .name = "fix",
        .arguments = "TEMPLATE",
        .summary = "Mend old spellings in a JSON template",
        .help = "  Writes the mended JSON to standard output, keys in the order of the alphabet. The file itself\n"
                "  (\"-\": standard input) stays as it is.",
        .more_help = print_fixers,
        OPTIONS(specs),
        .run = run,
};
