/* The post-processor `artifice`: from here on the artifact is the files that
 * are named here, whatever the builder made. Patterns as in glob(7). */
#include <errno.h>
#include <glob.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/str.h"
#include "package/post.h"

struct artifice_config {
        char **files;
};

static int check(void *arg, const struct value *value, struct diags *diags)
{
        const struct artifice_config *config = arg;

        if (config->files && config->files[0])
                return 0;
        diag_error(diags, schema_range(value, "files"), "'files' must name at least one file");
        return -EINVAL;
}

static int add_matches(const char *pattern, char ***files, struct error *err)
{
        glob_t found = {0};
        int r = glob(pattern, GLOB_ERR, NULL, &found);

        for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
                if (!strv_has(STRV(*files), found.gl_pathv[i]))
                        strv_add(files, found.gl_pathv[i]);
        globfree(&found);
        if (r == GLOB_NOMATCH)
                return error_set(err, ENOENT, "there is no file '%s' (key 'files')", pattern);
        return r ? error_set(err, r == GLOB_NOSPACE ? ENOMEM : EIO, "cannot look for '%s'", pattern) : 0;
}

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        const struct artifice_config *config = arg;
        CLEANUP_STRV char **files = NULL;
        CLEANUP_FREE char *before = strv_join(STRV(in->files), ", "), *now = NULL;
        int r = 0;

        for (char **pattern = config->files; *pattern && r == 0; pattern++)
                r = add_matches(*pattern, &files, err);
        if (r < 0)
                return r;
        now = strv_join(STRV(files), ", ");
        if (context->ui) {
                if (*before)
                        ui_say(context->ui, "Discarding files from artifact: %s", before);
                ui_say(context->ui, "Using these artifact files: %s", now);
        }
        ret->builder_id = xstrdup("packer.post-processor.artifice");
        ret->id = xstrdup("");
        ret->files = steal(&files);
        *ret_keep = true;
        return 0;
}

static const struct schema_key keys[] = {
        {"files", SCHEMA_STRINGS, SCHEMA_REQUIRED, offsetof(struct artifice_config, files),
         .help = "the files that are the artifact from here on; patterns are allowed"},
};

static const struct schema schema = {
        .name = "the artifice post-processor",
        .size = sizeof(struct artifice_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type artifice_post_processor = {
        .name = "artifice",
        .schema = &schema,
        .check = check,
        .run = run,
};
