/* slipway hcl2_upgrade: a JSON template as HCL2. */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/template_args.h"
#include "package/package.h"
#include "provision/provision.h"
#include "template/upgrade.h"

struct options {
        const char *output_file;
        bool with_annotations;
        struct template_args ignored;
};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        OPTION("output-file", OPTION_STRING, output_file, .argument = "FILE",
               .help = "Where to write; TEMPLATE.pkr.hcl where it is left out, \"-\" is standard output"),
        OPTION("with-annotations", OPTION_BOOL, with_annotations, .help = "With comments that explain the blocks"),
        TEMPLATE_ALL_IGNORED(options, ignored),
};

static const struct schema *provisioner_schema(const char *name)
{
        const struct provisioner_type *type = provisioner_find(name);

        return type ? type->schema : NULL;
}

static const struct schema *post_processor_schema(const char *name)
{
        const struct post_processor_type *type = post_processor_find(name);

        return type ? type->schema : NULL;
}

/* The template is read once more as a tree after it was found to be one. */
static char *upgrade(const struct options *options, const char *path, struct diags *diags)
{
        const struct template_upgrade_options upgrade_options = {.annotations = options->with_annotations,
                                                                 .provisioner_schema = provisioner_schema,
                                                                 .post_processor_schema = post_processor_schema};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP(template_freep) struct template *t = NULL;
        CLEANUP(value_freep) struct value *root = NULL;

        if (str_ends(path, ".hcl") || source_text_read(path, &source, &err) < 0) {
                diag_error(diags, NO_RANGE, "%s", err.code ? error_message(&err) : "this template is HCL2 already");
                return NULL;
        }
        t = template_load(&(struct template_options){.path = path, .text = source->text, .syntax_only = true}, diags);
        if (!t || diags->n_errors > 0)
                return NULL;
        root = json_read(source, diags);
        return template_upgrade(root, &upgrade_options, diags);
}

static int write_out(const struct options *options, const char *path, const char *text)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *target =
                options->output_file ? xstrdup(options->output_file) : xasprintf("%s.pkr.hcl", path);
        CLEANUP_FREE char *dir = path_dir(target);

        if (strcmp(target, "-") == 0) {
                fputs(text, stdout);
                return 0;
        }
        if (dir_make(dir, 0755, &err) < 0 || file_write(target, text, strlen(text), 0644, &err) < 0)
                return command_fail(&err);
        command_say("Successfully created %s. Exit 0", target);
        return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        struct diags diags = {0};
        CLEANUP_FREE char *text = NULL;
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        template_args_clear(&options.ignored);
        if (first < 0)
                return exit_code;
        text = upgrade(&options, argv[first], &diags);
        diags_show(&diags, diags_color());
        diags_clear(&diags);
        return text ? write_out(&options, argv[first], text) : 1;
}

const struct command command_hcl2_upgrade = {
        .name = "hcl2_upgrade",
        .arguments = "TEMPLATE",
        .summary = "Write a JSON template as HCL2",
        .help = "  What it writes builds the same image. The JSON template stays as it is. What HCL2 has no words\n"
                "  for is left as it is, with a comment and a warning.",
        OPTIONS(specs),
        .run = run,
};
