/* See required.h. */
#include "template/required.h"

#include <string.h>

#include "base/str.h"

/* By the last part of the source: forks of a plug-in keep its name. */
static const struct {
        const char *name, *has;
} plugins[] = {
        {"ansible", "the provisioner ansible"},
        {"arm", "the builder arm"},
        {"arm-image", "the builder arm-image"},
        {"builder-arm", "the builder arm"},
        {"builder-arm-image", "the builder arm-image"},
        {"docker", "the post-processors docker-import and docker-push"},
        {"flasher", "the post-processor flasher"},
        {"git", "the data sources git-commit, git-repository and git-tree"},
};

const char *required_plugin_name(const char *source)
{
        static const char *const prefixes[] = {"packer-plugin-", "packer-post-processor-", "packer-"};
        const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (str_starts(name, prefixes[i]))
                        return name + strlen(prefixes[i]);
        return name;
}

const char *required_plugin_built_in(const char *source)
{
        const char *name = required_plugin_name(source);

        for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
                if (strcmp(plugins[i].name, name) == 0)
                        return plugins[i].has;
        return NULL;
}
