/* slipway plugins: what there is for a template to name: what is built in, and
 * stand-alone executables. */
#include "base/plugin.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/required.h"
#include "cmd/template_args.h"
#include "package/package.h"
#include "provision/provision.h"
#include "template/data.h"
#include "template/required.h"

static const enum plugin_kind kinds[] = {PLUGIN_PROVISIONER, PLUGIN_POST_PROCESSOR, PLUGIN_DATA_SOURCE};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void print_built_in(const char *title, const char *const *names)
{
        CLEANUP_FREE char *joined = strv_join(names, ", ");

        printf("  %-15s  %s\n", title, joined);
}

/* An executable with what it says of itself, or what is wrong with it. */
static void print_executable(enum plugin_kind kind, const char *path)
{
        CLEANUP(plugin_freep) struct plugin *plugin = NULL;
        CLEANUP_ERROR struct error err = {0};
        const char *name = strstr(path_name(path), plugin_kind_name(kind)) + strlen(plugin_kind_name(kind)) + 1;
        bool sound = plugin_load(kind, name, &plugin, &err) == 0;

        printf("  %-15s  %-16s %s%s%s\n", plugin_kind_name(kind), name, path, sound ? "" : "\n      ",
               sound ? "" : error_message(&err));
}

static int print_all(void)
{
        bool any = false;

        puts("Built in:\n");
        print_built_in("builder", builder_names());
        print_built_in("provisioner", provisioner_names());
        print_built_in("post-processor", post_processor_names());
        print_built_in("data source", data_names());
        puts("\nExecutables:\n");
        for (size_t i = 0; i < N_KINDS; i++) {
                CLEANUP_STRV char **paths = plugin_list(kinds[i]);

                for (char **path = paths; path && *path; path++)
                        print_executable(kinds[i], *path);
                any = any || paths;
        }
        if (!any)
                puts("  none ('slipway help executables' says where they are looked for)");
        return 0;
}

/* As Packer's: paths, one a line. */
static int print_installed(void)
{
        for (size_t i = 0; i < N_KINDS; i++) {
                CLEANUP_STRV char **paths = plugin_list(kinds[i]);

                for (char **path = paths; path && *path; path++)
                        command_list("%s", *path);
        }
        return 0;
}

/* As Packer's: name, source, constraints, and where it is found. */
static int print_required(const char *path)
{
        CLEANUP(template_module_freep) struct template_module *module = required_load(path);
        struct template_plugins plugins;

        if (!module)
                return 1;
        plugins = template_module_plugins(module);
        for (size_t i = 0; i < plugins.n; i++) {
                const struct template_plugin *plugin = &plugins.v[i];
                CLEANUP_FREE char *found = required_found(plugin);

                command_list("%s %s \"%s\"%s%s", plugin->name, plugin->source ? plugin->source : "",
                             plugin->version ? plugin->version : "", found ? " " : "", found ? found : "");
        }
        if (plugins.n == 0)
                required_none();
        return 0;
}

struct install_options {
        bool force;
        const char *path;
        struct template_args ignored;
};

static const struct option_spec install_specs[] = {
        {.name = "force", .type = OPTION_BOOL, .offset = offsetof(struct install_options, force)},
        {.name = "path", .type = OPTION_STRING, .offset = offsetof(struct install_options, path), .argument = "FILE"},
        TEMPLATE_ALL_IGNORED(install_options, ignored),
};
static const struct command command_install = {
        .name = "plugins install",
        .arguments = "SOURCE [VERSION]",
        .summary = "For scripts: whether what a plugin does is here; exit code 1 if not",
        OPTIONS(install_specs),
};

/* Scripts that install plugins go on where what they want is here. */
static int install(int argc, char **argv)
{
        struct install_options options = {0};
        int exit_code, first = options_parse_count(&command_install, argc, argv, &options, 1, 2, &exit_code);

        template_args_clear(&options.ignored);
        if (first < 0)
                return exit_code;
        if (options.path) {
                command_complain("Error: '%s' cannot be installed: plugins of Packer's own kind are not run here.\n"
                                 "An executable can do the same: see slipway-plugin(7).",
                                 options.path);
                return 1;
        }
        return required_report(
                       &(struct template_plugin){.name = required_plugin_name(argv[first]), .source = argv[first]})
                       ? 0
                       : 1;
}

static int refuse_remove(void)
{
        command_complain("Error: nothing was installed that could be removed: plugins are built in, or are "
                         "executables that\n'slipway plugins installed' lists.");
        return 1;
}

static const char *const *actions(void)
{
        static const char *const names[] = {"install", "installed", "remove", "required", NULL};

        return names;
}

struct required_options {
        struct template_args ignored;
};

static const struct option_spec required_specs[] = {TEMPLATE_ALL_IGNORED(required_options, ignored)};
static const struct command command_required = {
        .name = "plugins required",
        .arguments = "TEMPLATE|FOLDER",
        .summary = "The plugins that a template requires, and where they are found",
        OPTIONS(required_specs),
};

static int required(int argc, char **argv)
{
        struct required_options options = {0};
        int exit_code, first = options_parse_count(&command_required, argc, argv, &options, 1, 1, &exit_code);

        template_args_clear(&options.ignored);
        return first < 0 ? exit_code : print_required(argv[first]);
}

static const struct command command_installed = {
        .name = "plugins installed",
        .summary = "The paths of stand-alone executables, one a line",
};

static int installed(int argc, char **argv)
{
        bool nothing;
        int exit_code, first = options_parse_count(&command_installed, argc, argv, &nothing, 0, 0, &exit_code);

        return first < 0 ? exit_code : print_installed();
}

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code, first = options_parse(command, argc, argv, &nothing, &exit_code);

        if (first < 0)
                return exit_code;
        if (first == argc)
                return print_all();
        if (strcmp(argv[first], "installed") == 0)
                return installed(argc - first, argv + first);
        if (strcmp(argv[first], "required") == 0)
                return required(argc - first, argv + first);
        if (strcmp(argv[first], "install") == 0)
                return install(argc - first, argv + first);
        if (strcmp(argv[first], "remove") == 0)
                return refuse_remove();
        return command_unknown_word(command, "action", argv[first], actions());
}

const struct command command_plugins = {
        .name = "plugins",
        .arguments = "[installed | required TEMPLATE|FOLDER | install [-force] SOURCE [VERSION]]",
        .summary = "List what templates can name: what is built in, and stand-alone executables",
        .help = "  installed  the paths of stand-alone executables alone, one a line\n"
                "  required   the plugins that a template requires, and where they are found\n"
                "  install    for scripts: whether what a plugin does is here; exit code 1 if not\n\n"
                "  Nothing is downloaded: what Packer has in plugins of its own is built in.",
        .words = actions,
        .run = run,
};
