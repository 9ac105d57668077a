/* See required.h. */
#include "cmd/required.h"

#include "base/alloc.h"
#include "base/plugin.h"
#include "base/str.h"
#include "cmd/template_args.h"
#include "template/required.h"

struct template_module *required_load(const char *path)
{
        const struct template_options json = {.path = path, .syntax_only = true};
        const struct template_options hcl = {.path = template_is_hcl(path) ? path : NULL, .syntax_only = true};
        CLEANUP(template_module_freep) struct template_module *module = NULL;
        struct diags diags = {0};
        bool failed;

        if (!hcl.path)
                template_free(template_load(&json, &diags));
        module = template_module_load(&hcl, &diags);
        failed = diags.n_errors > 0;
        diags_show(&diags, diags_color());
        diags_clear(&diags);
        return failed ? NULL : steal(&module);
}

char *required_found(const struct template_plugin *plugin)
{
        static const enum plugin_kind kinds[] = {PLUGIN_PROVISIONER, PLUGIN_POST_PROCESSOR, PLUGIN_DATA_SOURCE};
        const char *source = plugin->source ? plugin->source : plugin->name;
        CLEANUP_STRV char **paths = NULL;

        if (required_plugin_built_in(source))
                return xstrdup("built in");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                char *path = plugin_find(kinds[i], required_plugin_name(source));

                if (path)
                        strv_take(&paths, path);
        }
        return paths ? strv_join(STRV(paths), " ") : NULL;
}

void required_none(void)
{
        command_list("\nNo plugins requirement found: the template has no block packer { required_plugins { } }.");
}

bool required_report(const struct template_plugin *plugin)
{
        const char *source = plugin->source ? plugin->source : plugin->name;
        const char *built_in = required_plugin_built_in(source), *name = required_plugin_name(source);
        CLEANUP_FREE char *found = required_found(plugin);

        if (built_in) {
                command_say("%s (%s): built in: %s", plugin->name, source, built_in);
        } else if (found) {
                command_say("%s (%s): %s", plugin->name, source, found);
        } else {
                command_complain("Error: the plugin '%s' (%s) is not built in, and there is no executable\n"
                                 "slipway-provisioner-%s, slipway-post-processor-%s or slipway-data-source-%s.\n"
                                 "See slipway-plugin(7).",
                                 plugin->name, source, name, name, name);
        }
        return built_in || found;
}
