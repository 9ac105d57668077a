/* See required.h. */
#include "template/required.h"

#include <string.h>

#include "base/str.h"

/* By the last part of the source: forks of a plug-in keep its name. */
static const struct {
        const char *name, *version, *has;
} plugins[] = {
        {"ansible", "1.1.4", "the provisioner ansible"},
        {"arm", "1.1.6", "the builder arm"},
        {"arm-image", "0.2.7", "the builder arm-image"},
        {"builder-arm", "1.1.6", "the builder arm"},
        {"builder-arm-image", "0.2.7", "the builder arm-image"},
        {"docker", "1.1.2", "the post-processors docker-import and docker-push"},
        {"flasher", "1.0.0", "the post-processor flasher"},
        {"git", "0.6.5", "the data sources git-commit, git-repository and git-tree"},
};

enum { N_PLUGINS = sizeof(plugins) / sizeof(plugins[0]) };

/* Its index, or N_PLUGINS. */
static size_t find(const char *source)
{
        const char *name = required_plugin_name(source);
        size_t i = 0;

        while (i < N_PLUGINS && strcmp(plugins[i].name, name) != 0)
                i++;
        return i;
}

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
        size_t i = find(source);

        return i < N_PLUGINS ? plugins[i].has : NULL;
}

const char *required_plugin_version(const char *source)
{
        size_t i = find(source);

        return i < N_PLUGINS ? plugins[i].version : NULL;
}
