/* slipway help: commands, and what may stand in a template: the keys of
 * builders, provisioners and post-processors, from the tables by which they are
 * read. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/template_args.h"
#include "hcl/function.h"
#include "package/package.h"
#include "provision/provision.h"
#include "template/data.h"

struct topic {
        const char *name, *summary, *text;
};

static const struct topic topics[] = {
        {"templates", "What a template is made of",
         "A JSON template is an object:\n\n"
         "  builders                   what is built, an image each: \"slipway help arm\"\n"
         "  provisioners               what changes the image, in this order\n"
         "  post-processors            what is done with the image; a list in the list is a chain\n"
         "  error-cleanup-provisioner  what runs when a provisioner fails\n"
         "  variables                  names and defaults; null: a value must be given\n"
         "  sensitive-variables        names of those whose values are not shown\n"
         "  description, min_packer_version\n\n"
         "Keys that begin with _ are comments. In strings, {{ }} calls functions: {{user `name`}}.\n"
         "slipway-template(5) has all of it. 'slipway schema' prints it for editors.\n"},
        {"variables", "Where variables get their values",
         "From low to high:\n\n"
         "  the default in the template\n"
         "  HCL2: the environment, PKR_VAR_name\n"
         "  HCL2: *.auto.pkrvars.hcl and *.auto.pkrvars.json beside the template\n"
         "  -var-file=FILE and -var name=value, in the order given\n"},
        {"environment", "Variables of the environment",
         "  SLIPWAY_CACHE_DIR, PACKER_CACHE_DIR      the cache: downloads, bases, layers\n"
         "  SLIPWAY_LOG, PACKER_LOG                  a log for debugging, unless empty or 0\n"
         "  SLIPWAY_LOG_PATH, PACKER_LOG_PATH        where it goes; standard error otherwise\n"
         "  SLIPWAY_PLUGIN_PATH, PACKER_PLUGIN_PATH  folders with stand-alone executables\n"
         "  PACKER_NO_COLOR, NO_COLOR                no colours, if set\n"
         "  PACKER_RUN_UUID                          the run's id in manifests\n"
         "  PKR_VAR_name                             HCL2: the variable's value\n"
         "  PACKER_CONFIG, CHECKPOINT_DISABLE        not looked at: no plugins to configure, no check for versions\n"
         "  QEMU_CPU                                 the processor that is emulated\n"
         "  SOURCE_DATE_EPOCH                        the time at which everything is made\n"
         "  TMPDIR                                   scratch space\n"},
        {"exit-codes", "What exit codes mean",
         "  0          all went well\n"
         "  1          an error, or the command line was wrong\n"
         "  3          fmt -check: a layout is another\n"
         "  127        no command was given, or one that is not there\n"
         "  128 and n  ended by signal n\n"},
        {"executables", "Provisioners, post-processors and data sources of your own",
         "A type that slipway does not have is looked for as an executable file, slipway-provisioner-NAME,\n"
         "slipway-post-processor-NAME or slipway-data-source-NAME, in ./plugins, $SLIPWAY_PLUGIN_PATH,\n"
         "~/.config/slipway/plugins and $PATH.\n"
         "It is called with a method, reads JSON and answers with JSON: slipway-plugin(7).\n"
         "'slipway plugins' lists what is found.\n"},
};

static const char functions_topic[] = "functions", functions_summary[] = "Functions of HCL2";

enum { N_TOPICS = sizeof(topics) / sizeof(topics[0]) };

void commands_usage(FILE *stream)
{
        fputs("Usage: slipway COMMAND [options] [arguments]\n\n"
              "  Builds bootable images for ARM boards and PCs from templates, without root, and boots machines over "
              "the\n"
              "  network.\n\n"
              "Commands:\n\n",
              stream);
        for (const struct command *const *command = commands; *command; command++)
                fprintf(stream, "  %-12s %s\n", (*command)->name, (*command)->summary);
        fputs("\n'slipway COMMAND -help' describes a command and its options, 'slipway help' lists topics.\n"
              "-machine-readable, before a command or among its options, makes what it says lines for scripts.\n",
              stream);
}

static void print_names(const char *title, const char *const *names)
{
        CLEANUP_FREE char *joined = strv_join(names, ", ");

        printf("  %-15s  %s\n", title, joined);
}

static void print_all(void)
{
        commands_usage(stdout);
        puts("\nTopics ('slipway help TOPIC'):\n");
        for (size_t i = 0; i < N_TOPICS; i++)
                printf("  %-12s %s\n", topics[i].name, topics[i].summary);
        printf("  %-12s %s\n", functions_topic, functions_summary);
        puts("\nKeys of the types that a template names ('slipway help TYPE'):\n");
        print_names("builders", builder_names());
        print_names("provisioners", provisioner_names());
        print_names("post-processors", post_processor_names());
        print_names("data sources", data_names());
}

static const char *type_text(const struct schema_key *key)
{
        static const char *const names[] = {
                [SCHEMA_STRING] = "string",
                [SCHEMA_BOOL] = "true or false",
                [SCHEMA_TRISTATE] = "true or false",
                [SCHEMA_INT] = "number",
                [SCHEMA_SIZE] = "size",
                [SCHEMA_DURATION] = "duration",
                [SCHEMA_STRINGS] = "strings",
                [SCHEMA_INTS] = "numbers",
                [SCHEMA_STRING_LISTS] = "lists of strings",
                [SCHEMA_STRING_MAP] = "object of strings",
                [SCHEMA_BLOCKS] = "blocks",
                [SCHEMA_VALUE] = "any",
        };

        return names[key->type];
}

static void print_keys(const struct schema *schema, int indentation)
{
        for (size_t i = 0; i < schema->n_keys; i++) {
                const struct schema_key *key = &schema->keys[i];

                if (key->name[0] == '_') /* our own */
                        continue;
                printf("%*s%s: %s", indentation, "", key->name, type_text(key));
                if (key->flags & SCHEMA_REQUIRED)
                        fputs(", required", stdout);
                if (key->fallback)
                        printf(", default \"%s\"", key->fallback);
                printf("\n%*s%s\n", indentation + 4, "", key->help ? key->help : "");
                if (key->sub)
                        print_keys(key->sub, indentation + 4);
        }
}

static void print_type(const struct schema *schema, const struct schema *common)
{
        printf("Keys of %s:\n\n", schema->name);
        print_keys(schema, 2);
        printf("\nKeys that %s has as any other:\n\n", schema->name);
        print_keys(common, 2);
}

/* All types of this name: shell-local is a provisioner and a post-processor. */
static bool print_types(const char *name)
{
        const struct builder_type *builder = builder_find(name);
        const struct provisioner_type *provisioner = provisioner_find(name);
        const struct post_processor_type *post_processor = post_processor_find(name);
        const struct data_type *data = data_find(name);

        if (builder)
                print_type(builder->schema, template_builder_schema());
        if (data) {
                printf("%sKeys of %s:\n\n", builder ? "\n" : "", data->schema->name);
                print_keys(data->schema, 2);
        }
        if (provisioner)
                print_type(provisioner->schema, template_provisioner_schema());
        if (provisioner && post_processor)
                putchar('\n');
        if (post_processor)
                print_type(post_processor->schema, template_post_processor_schema());
        return builder || provisioner || post_processor || data;
}

/* upper(str), format(format, args...) */
static char *signature(const struct hcl_function *function)
{
        struct str out = {0};

        str_addf(&out, "%s(", function->name);
        for (size_t i = 0; i < function->n_params; i++)
                str_addf(&out, "%s%s", i ? ", " : "", function->params[i].name);
        if (function->variadic)
                str_addf(&out, "%s%s...", function->n_params ? ", " : "", function->variadic->name);
        str_addc(&out, ')');
        return str_steal(&out);
}

static void print_functions(void)
{
        printf("%s\n\n", functions_summary);
        for (size_t i = 0; i < hcl_n_functions; i++) {
                CLEANUP_FREE char *text = signature(hcl_functions[i]);

                if (!(hcl_functions[i]->flags & HCL_REFUSED))
                        printf("  %-44s %s\n", text, hcl_functions[i]->help ? hcl_functions[i]->help : "");
        }
        puts("\nslipway-functions(7) has examples.");
}

static bool print_function(const char *name)
{
        const struct hcl_function *function = hcl_function_find(hcl_functions, hcl_n_functions, name);
        CLEANUP_FREE char *text = function ? signature(function) : NULL;

        if (function)
                printf("%s\n    %s%s\n\n", text, function->flags & HCL_REFUSED ? "Not here: " : "",
                       function->help ? function->help : "");
        return function;
}

static const char *const *all_names(void)
{
        static VEC(const char *) names;

        if (names.n > 0)
                return names.v;
        for (const struct command *const *command = commands; *command; command++)
                vec_push(&names, (*command)->name);
        for (size_t i = 0; i < N_TOPICS; i++)
                vec_push(&names, topics[i].name);
        vec_push(&names, functions_topic);
        for (const char *const *name = builder_names(); *name; name++)
                vec_push(&names, *name);
        for (const char *const *name = provisioner_names(); *name; name++)
                vec_push(&names, *name);
        for (const char *const *name = post_processor_names(); *name; name++)
                vec_push(&names, *name);
        for (const char *const *name = data_names(); *name; name++)
                vec_push(&names, *name);
        vec_push(&names, NULL);
        return names.v;
}

static int print_topic(const char *name)
{
        const struct command *command = command_find(name);
        bool known;

        if (command) {
                command_usage(command, true);
                return 0;
        }
        for (size_t i = 0; i < N_TOPICS; i++)
                if (strcmp(topics[i].name, name) == 0) {
                        printf("%s\n\n%s", topics[i].summary, topics[i].text);
                        return 0;
                }
        if (strcmp(name, functions_topic) == 0) {
                print_functions();
                return 0;
        }
        known = print_function(name); /* file is a function and a provisioner */
        known = print_types(name) || known;
        return known ? 0 : command_unknown("topic", name, all_names());
}

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code, first = options_parse_count(command, argc, argv, &nothing, 0, 1, &exit_code);

        if (first < 0)
                return exit_code;
        if (first < argc)
                return print_topic(argv[first]);
        print_all();
        return 0;
}

const struct command command_help = {
        .name = "help",
        .arguments = "[COMMAND|TOPIC|TYPE]",
        .summary = "Describe a command, a topic, or the keys of a builder, provisioner or post-processor",
        .words = all_names,
        .run = run,
};
