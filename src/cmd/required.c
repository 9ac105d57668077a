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
