/* Provisioners and post-processors of a build block, evaluated for one of its
 * sources: the same steps as JSON's. See module_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/glob.h"
#include "template/module_internal.h"

/* The block as a step of JSON would be: its label is the key "type". */
static const struct value *lower_step(struct load *load, struct template_module *module, const struct hcl_block *block,
                                      const struct module_use *use)
{
        const struct hcl_scope scope = {.parent = block->scope ? block->scope : &module->scope,
                                        .variables = use->scope->variables};
        struct value *config = value_new(VALUE_OBJECT, block->open_range);
        struct value *type = value_new(VALUE_STRING, block->labels[0].range);

        type->string = xstrdup(block->labels[0].text);
        value_object_add(config, "type", block->type_range, type);
        module_lower_body(module, block->body, &scope, config);
        template_own(load->t, config);
        return config;
}

/* Names as Packer compares them, "arm.pi", and with the build's name before it; patterns are taken. */
static bool names_use(char *const *patterns, const struct template_build *build)
{
        CLEANUP_FREE char *source = xasprintf("%s.%s", build->type, build->interp.build_name);

        for (; patterns && *patterns; patterns++)
                if (glob_match(*patterns, source) || glob_match(*patterns, build->name))
                        return true;
        return false;
}

/* For this source? What stays needs its lists no more. */
static bool step_is_wanted(struct template_step *step, const struct template_build *build)
{
        bool wanted = (!step->only || names_use(step->only, build)) && !names_use(step->except, build);

        step->only = strv_free(step->only);
        step->except = strv_free(step->except);
        return wanted;
}

/* Names in only, except that no source of the template bears: most often a slip. */
static void check_names(struct load *load, const struct template_step *step, const char *key)
{
        const struct value *list = value_get(step->config, key);

        for (size_t i = 0; list && list->type == VALUE_LIST && i < list->list.n; i++) {
                const struct value *name = list->list.v[i];
                const char *nearest;
                bool found = false;

                if (name->type != VALUE_STRING)
                        continue;
                for (char **build = load->t->build_names; build && *build && !found; build++) {
                        const char *dot = strchr(*build, '.');

                        found = glob_match(name->string, *build) ||
                                (dot && strchr(dot + 1, '.') && glob_match(name->string, dot + 1));
                }
                if (found)
                        continue;
                nearest = str_nearest(name->string, STRV(load->t->build_names));
                diag_warning(load->diags, name->range, "'%s': no build is called '%s'%s%s%s", key, name->string,
                             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
                diag_detail(load->diags, "The source \"arm\" \"pi\" is named as \"arm.pi\".");
        }
}

/* Read one into *step; false (and nothing in it) where it is not for this source. */
static bool add_step(struct load *load, struct template_module *module, const struct hcl_block *block,
                     const struct module_use *use, enum step_role role, struct template_step *step)
{
        step_read(load, role, lower_step(load, module, block, use), step);
        check_names(load, step, "only");
        check_names(load, step, "except");
        if (step_is_wanted(step, use->build))
                return true;
        step_clear(role, step);
        return false;
}

static size_t count_blocks(const struct hcl_content *content, const char *type)
{
        size_t n = 0;

        for (size_t i = 0; i < content->n_blocks; i++)
                n += strcmp(content->blocks[i].type, type) == 0;
        return n;
}

static void add_chain(struct load *load, struct template_steps *steps, struct template_chain chain)
{
        steps_cut_chain(load, &chain);
        if (chain.n > 0)
                steps->post_processors[steps->n_post_processors++] = chain;
        else
                free(chain.v);
}

static void load_chain(struct load *load, struct template_module *module, const struct hcl_block *blocks, size_t n,
                       const struct module_use *use, struct template_steps *steps)
{
        struct template_chain chain = {.v = xcalloc(n + 1, sizeof(*chain.v))};

        for (size_t i = 0; i < n; i++)
                chain.n += add_step(load, module, &blocks[i], use, STEP_POST_PROCESSOR, &chain.v[chain.n]);
        add_chain(load, steps, chain);
}

static const struct hcl_block_schema chain_blocks[] = {{"post-processor", {"type"}}};
const struct hcl_body_schema module_chain_schema = {.blocks = chain_blocks, .n_blocks = 1};

static void load_chain_block(struct load *load, struct template_module *module, const struct hcl_block *block,
                             const struct module_use *use, struct template_steps *steps)
{
        const struct hcl_scope *scope = block->scope ? block->scope : &module->scope;
        struct hcl_content content;

        hcl_body_content(&module->arena, block->body, &module_chain_schema, scope, &content, load->diags);
        load_chain(load, module, content.blocks, content.n_blocks, use, steps);
}

static void load_cleanup(struct load *load, struct template_module *module, const struct hcl_block *block,
                         const struct module_use *use, struct template_steps *steps)
{
        struct template_step *step = xcalloc(1, sizeof(*step));

        if (steps->error_cleanup) {
                diag_error(load->diags, block->type_range, "a build has one error-cleanup-provisioner only");
                free(step);
        } else if (add_step(load, module, block, use, STEP_CLEANUP, step)) {
                steps->error_cleanup = step;
        } else {
                free(step);
        }
}

void module_load_steps(struct load *load, struct template_module *module, const struct module_use *use,
                       struct template_steps *steps)
{
        const struct hcl_content *content = use->content;

        steps->provisioners = xcalloc(count_blocks(content, "provisioner") + 1, sizeof(*steps->provisioners));
        steps->post_processors = xcalloc(content->n_blocks + 1, sizeof(*steps->post_processors));
        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];

                if (strcmp(block->type, "provisioner") == 0)
                        steps->n_provisioners += add_step(load, module, block, use, STEP_PROVISIONER,
                                                          &steps->provisioners[steps->n_provisioners]);
                else if (strcmp(block->type, "error-cleanup-provisioner") == 0)
                        load_cleanup(load, module, block, use, steps);
                else if (strcmp(block->type, "post-processor") == 0)
                        load_chain(load, module, block, 1, use, steps);
                else if (strcmp(block->type, "post-processors") == 0)
                        load_chain_block(load, module, block, use, steps);
        }
}
