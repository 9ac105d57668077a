/* An HCL2 module as a struct template. See template_internal.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/module_internal.h"

/* As inspect shows it: a string as it is, other values as they are written. */
static char *shown(struct template_module *module, const struct hcl_value *value)
{
        if (!value || value->state == HCL_UNKNOWN)
                return xstrdup("<unknown>");
        if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING && !value->sensitive)
                return xstrdup(value->string.s);
        return xstrdup(hcl_value_text(&module->arena, value));
}

static void list_variables(struct template_module *module, struct template *t)
{
        t->variables = xcalloc(module->variables.list.n + 1, sizeof(*t->variables));
        for (size_t i = 0; i < module->variables.list.n; i++) {
                const struct module_variable *variable = module->variables.list.v[i].item;

                t->variables[t->n_variables++] = (struct template_variable){
                        .name = xstrdup(variable->name),
                        .value = shown(module, variable->value),
                        .fallback = variable->fallback ? shown(module, variable->fallback) : NULL,
                        .sensitive = variable->sensitive,
                        .required = !variable->fallback,
                        .range = variable->range,
                };
        }
}

static void list_locals(struct template_module *module, struct template *t)
{
        t->locals = xcalloc(module->nodes.list.n + 1, sizeof(*t->locals));
        for (size_t i = 0; i < module->nodes.list.n; i++) {
                const struct module_node *node = module->nodes.list.v[i].item;

                if (node->type)
                        continue;
                t->locals[t->n_locals++] = (struct template_variable){
                        .name = xstrdup(node->name),
                        .value = shown(module, node->value),
                        .sensitive = hcl_value_sensitive(node->value),
                        .range = node->range,
                };
        }
}

void load_hcl(struct load *load, struct source_text *text)
{
        struct template_module *module = module_load(load->options, text, load->diags);
        struct template *t = load->t;

        t->hcl = true;
        t->user = xcalloc(1, sizeof(*t->user));
        t->values_known = module->values_known;
        list_variables(module, t);
        list_locals(module, t);
        module_load_builds(load, module);
        t->secrets = steal(&module->secrets);
        t->sources = xcalloc(module->sources.n + 1, sizeof(*t->sources));
        for (size_t i = 0; i < module->sources.n; i++)
                t->sources[t->n_sources++] = source_text_ref(module->sources.v[i]);
        template_module_free(module);
}
