/* The top level of a JSON template, as Packer 1.16 reads it. See template.h. */
#include "template/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/str.h"
#include "lang/version.h"
#include "template/module.h"
#include "template/template_internal.h"

static const char *const top_keys[] = {
        "builders",  "provisioners", "post-processors",    "error-cleanup-provisioner",
        "variables", "description",  "min_packer_version", "sensitive-variables",
        NULL,
};

/* A string at the top level, or NULL. */
static char *top_string(struct load *load, const char *key)
{
        const struct value *value = value_get(load->root, key);

        if (!value || value->type == VALUE_NULL)
                return NULL;
        if (value->type == VALUE_STRING)
                return xstrdup(value->string);
        diag_error(load->diags, value->range, "'%s' must be a string, not %s", key, value_type_name(value->type));
        return NULL;
}

static void check_version(struct load *load)
{
        const char *wanted = load->t->min_packer_version;

        if (!wanted)
                return;
        if (!version_is_valid(wanted))
                diag_error(load->diags, schema_range(load->root, "min_packer_version"),
                           "'%s' is not a version; write it as in \"1.8.0\"", wanted);
        else if (version_compare(wanted, PACKER_COMPATIBLE) > 0)
                diag_error(load->diags, schema_range(load->root, "min_packer_version"),
                           "the template asks for Packer %s; slipway reads templates as Packer " PACKER_COMPATIBLE
                           " does",
                           wanted);
}

static void check_top_keys(struct load *load)
{
        for (size_t i = 0; i < load->root->object.n; i++) {
                const struct value_entry *entry = &load->root->object.v[i];

                if (entry->key[0] != '_' && !strv_has(top_keys, entry->key))
                        schema_unknown_key(entry, "the template", top_keys, load->diags);
        }
}

static char *absolute_dir(const char *path)
{
        CLEANUP_FREE char *cwd = getcwd(NULL, 0);
        CLEANUP_FREE char *folder = path_join(path, ".");
        CLEANUP_FREE char *dir = strcmp(path, "-") == 0 ? xstrdup(".")
                                 : path_exists(folder)  ? xstrdup(path)
                                                        : path_dir(path);
        CLEANUP_FREE char *joined = path_join(cwd ? cwd : "/", dir);
        char *real = realpath(joined, NULL);

        return real ? real : steal(&joined);
}

time_t template_start_time(void)
{
        int64_t epoch;

        return epoch_read(&epoch, NULL) == 0 && epoch >= 0 ? (time_t)epoch : time(NULL);
}

void template_own(struct template *t, struct value *value)
{
        t->trees = xreallocarray(t->trees, t->n_trees + 1, sizeof(*t->trees));
        t->trees[t->n_trees++] = value;
}

/* JSON is an object; what else comes from standard input is HCL2. */
static bool begins_with_brace(const struct source_text *source)
{
        return source->text[strspn(source->text, " \t\r\n")] == '{';
}

static int read_root(struct load *load, struct source_text *source)
{
        struct template *t = load->t;
        struct value *root;

        t->sources = xcalloc(1, sizeof(*t->sources));
        t->sources[0] = source;
        t->n_sources = 1;
        root = json_read(source, load->diags);
        if (!root)
                return -EINVAL;
        template_own(t, root);
        load->root = root;
        if (root->type == VALUE_OBJECT)
                return 0;
        diag_error(load->diags, root->range, "a template is an object { ... }, not %s", value_type_name(root->type));
        return -EINVAL;
}

static void load_json(struct load *load, struct source_text *source)
{
        struct template *t = load->t;

        if (read_root(load, source) < 0)
                return;
        t->steps = xcalloc(1, sizeof(*t->steps));
        t->n_steps = 1;
        check_top_keys(load);
        t->description = top_string(load, "description");
        t->min_packer_version = top_string(load, "min_packer_version");
        check_version(load);
        load_variables(load);
        load_builds(load);
        load_steps(load);
}

struct template *template_load(const struct template_options *options, struct diags *diags)
{
        CLEANUP(template_freep) struct template *t = xcalloc(1, sizeof(*t));
        struct load load = {.options = options, .t = t, .diags = diags};
        struct source_text *source = NULL;
        CLEANUP_ERROR struct error err = {0};
        bool hcl = options->hcl || template_is_hcl(options->path);

        t->path = xstrdup(options->path);
        t->dir = absolute_dir(options->path);
        t->start = template_start_time();
        if (options->text)
                source = source_text_new(options->path, options->text, strlen(options->text));
        else if (!hcl && source_text_read(options->path, &source, &err) < 0) {
                diag_error(diags, NO_RANGE, "%s", error_message(&err));
                return NULL;
        }
        if (hcl || (strcmp(options->path, "-") == 0 && !begins_with_brace(source)))
                load_hcl(&load, source);
        else
                load_json(&load, source);
        for (size_t i = 0; i < t->n_sources; i++)
                source_text_hide_words(t->sources[i], STRV(t->secrets));
        diags_hide(diags, STRV(t->secrets));
        return t->n_sources > 0 ? steal(&t) : NULL;
}

static void block_clear(struct template_block *block)
{
        free(block->name);
        free(block->description);
        strv_free(block->sources);
        strv_free(block->provisioners);
        for (size_t i = 0; i < block->n_chains; i++)
                strv_free(block->chains[i]);
        free(block->chains);
}

struct template *template_free(struct template *t)
{
        if (!t)
                return NULL;
        steps_free(t);
        builds_free(t);
        variables_free(t);
        for (size_t i = 0; i < t->n_trees; i++)
                value_free(t->trees[i]);
        free(t->trees);
        for (size_t i = 0; i < t->n_sources; i++)
                source_text_free(t->sources[i]);
        free(t->sources);
        free(t->path);
        free(t->dir);
        free(t->description);
        free(t->min_packer_version);
        for (size_t i = 0; i < t->n_blocks; i++)
                block_clear(&t->blocks[i]);
        free(t->blocks);
        free(t);
        return NULL;
}
