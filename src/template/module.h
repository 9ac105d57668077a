/* HCL2 templates before they become a struct template: files read together,
 * variables given their values, locals and data sources evaluated. For those
 * who evaluate expressions as a template would (console), or look at what is
 * declared (init, inspect). */
#pragma once

#include "hcl/eval.h"
#include "template/template.h"

struct template_module;

/* A plug-in that packer { required_plugins {} } names. */
struct template_plugin {
        const char *name;    /* "git" */
        const char *source;  /* "github.com/ethanmdavidson/git", or NULL */
        const char *version; /* constraints (lang/version.h), or NULL */
        struct range range;
};
struct template_plugins {
        const struct template_plugin *v;
        size_t n;
};

/* Is this path an HCL2 template: a folder, *.pkr.hcl, *.pkr.json, any *.hcl, or
 * standard input that does not begin with '{'? */
bool template_is_hcl(const char *path);

/* Read the file, or all files of the folder; options->path NULL: a module with
 * nothing in it. Variables get their values (options->var_args, var_files, the
 * environment), locals and data sources too unless syntax_only. Messages into
 * diags; never NULL: after errors, what is not known is unknown. */
struct template_module *template_module_load(const struct template_options *options, struct diags *diags);
struct template_module *template_module_free(struct template_module *module); /* returns NULL */
static inline void template_module_freep(struct template_module **module)
{
        *module = template_module_free(*module);
}

/* var, local, data, path, packer, and all functions. Borrowed, as all below. */
const struct hcl_scope *template_module_scope(const struct template_module *module);
/* For values that live as long as the module. */
struct arena *template_module_arena(struct template_module *module);
struct template_plugins template_module_plugins(const struct template_module *module);
/* What must not be shown, NULL-terminated (diags_hide(), struct ui); may be NULL. */
const char *const *template_module_secrets(const struct template_module *module);
