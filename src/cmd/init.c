/* slipway init: are the plug-ins there that a template requires? Nothing is
 * installed: what Packer has in plug-ins is built in, or an executable. */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/required.h"
#include "template/required.h"

struct options {
        bool upgrade, force;
};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        OPTION("upgrade", OPTION_BOOL, upgrade, .help = "Taken for Packer's sake; there is nothing to upgrade"),
        OPTION("force", OPTION_BOOL, force, .help = "Taken for Packer's sake; there is nothing to install"),
};

/* Returns whether it is there. */
static bool report(const struct template_plugin *plugin)
{
        const char *source = plugin->source ? plugin->source : plugin->name;
        const char *built_in = required_plugin_built_in(source), *name = required_plugin_name(source);
        CLEANUP_FREE char *found = required_found(plugin);

        if (built_in) {
                command_say("%s (%s): built in: %s", plugin->name, source, built_in);
        } else if (found) {
                command_say("%s (%s): %s", plugin->name, source, found);
        } else {
                fflush(stdout);
                fprintf(stderr,
                        "Error: the plugin '%s' (%s) is not built in, and there is no executable\n"
                        "slipway-provisioner-%s or slipway-post-processor-%s. See slipway-plugin(7).\n",
                        plugin->name, source, name, name);
        }
        return built_in || found;
}

static int check_plugins(const char *path)
{
        CLEANUP(template_module_freep) struct template_module *module = required_load(path);
        struct template_plugins plugins;
        bool missing = false;

        if (!module)
                return 1;
        plugins = template_module_plugins(module);
        for (size_t i = 0; i < plugins.n; i++)
                missing = !report(&plugins.v[i]) || missing;
        return missing;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse(command, argc, argv, &options, &exit_code);

        if (first < 0)
                return exit_code;
        if (argc - first == 1)
                return check_plugins(argv[first]);
        command_usage(command, false);
        return 2;
}

const struct command command_init = {
        .name = "init",
        .arguments = "TEMPLATE|FOLDER",
        .summary = "Check that the plugins which a template requires are there",
        .help = "  Of each plugin in required_plugins, says what of it is built in, or which executable stands for\n"
                "  it. Exit code 1 if one is missing. Nothing is downloaded.",
        OPTIONS(specs),
        .run = run,
};
