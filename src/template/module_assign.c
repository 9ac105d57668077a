/* Values of input variables from outside, each over the one before: the
 * environment, *.auto.pkrvars files, -var-file, -var. See module_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/module_internal.h"

static void assign(struct template_module *module, struct module_variable *variable, const struct hcl_value *value,
                   struct range at, const char *given_by)
{
        CLEANUP_ERROR struct error err = {0};

        variable->given_by = given_by;
        variable->value_range = at;
        if (variable->sensitive)
                module_add_secrets(module, value);
        if (hcl_convert(&module->arena, value, variable->type, &variable->value, &err) == 0)
                return;
        variable->value = hcl_unknown(&module->arena, variable->type);
        diag_error(module->diags, at, "the value of the variable '%s' from %s does not fit its type: %s",
                   variable->name, given_by, error_message(&err));
        diag_detail(module->diags, "The type is %s.", hcl_type_text(&module->arena, variable->type));
}

/* ---- texts: the environment and -var ---- */

/* Text is taken as it is where a text or a number is wanted, and as an expression otherwise. */
static bool takes_text(const struct module_variable *variable)
{
        const struct hcl_value *fallback = variable->fallback;

        if (variable->type->kind == HCL_ANY)
                return !fallback || fallback->state != HCL_KNOWN || fallback->type->kind < HCL_LIST;
        return variable->type->kind == HCL_STRING || variable->type->kind == HCL_NUMBER;
}

static void assign_text(struct template_module *module, struct module_variable *variable, const char *text,
                        const char *given_by)
{
        const char *title = arena_printf(&module->arena, "<%s for the variable '%s'>", given_by, variable->name);
        struct source_text *source = source_text_new(title, text, strlen(text));
        const struct range all = {source, 0, source->len};
        const struct hcl_scope nothing = {0};
        const struct hcl_value *value;
        const struct hcl_expr *expr;
        size_t errors_before;

        module_add_source(module, source);
        if (variable->sensitive)
                source_text_hide(source, 0, source->len);
        if (takes_text(variable)) {
                assign(module, variable, hcl_string_from(&module->arena, text), all, given_by);
                return;
        }
        errors_before = module->diags->n_errors;
        expr = hcl_parse_expr(&module->arena, source, module->diags);
        value = expr ? hcl_eval(&module->arena, expr, &nothing, module->diags) : &hcl_unknown_any;
        if (module->diags->n_errors > errors_before)
                diag_detail(module->diags, "A value of type %s is written as in a template: %s.",
                            hcl_type_text(&module->arena, variable->type),
                            variable->type->kind == HCL_BOOL ? "true, false" : "[\"a\", \"b\"], { a = 1 }");
        assign(module, variable, value, all, given_by);
}

static void assign_environment(struct template_module *module)
{
        for (size_t i = 0; i < module->variables.list.n; i++) {
                struct module_variable *variable = module->variables.list.v[i].item;
                CLEANUP_FREE char *name = xasprintf("PKR_VAR_%s", variable->name);
                const char *text = getenv(name);

                if (text)
                        assign_text(module, variable, text, arena_strdup(&module->arena, name));
        }
}

static void assign_argument(struct template_module *module, const char *argument)
{
        const char *equals = strchr(argument, '='), *nearest;
        CLEANUP_FREE char *name = xstrndup(argument, equals ? (size_t)(equals - argument) : strlen(argument));
        struct module_variable *variable = index_find(&module->variables, name);

        if (!equals) {
                diag_error(module->diags, NO_RANGE, "-var '%s': write -var 'name=value'", argument);
                return;
        }
        if (variable) {
                assign_text(module, variable, equals + 1, "-var");
                return;
        }
        nearest = index_nearest(&module->variables, name);
        diag_error(module->diags, NO_RANGE, "-var: the template has no variable '%s'%s%s%s", name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        diag_detail(module->diags, "It would be declared by: variable \"%s\" {}", name);
}

/* ---- files ---- */

static void undeclared(struct template_module *module, const struct hcl_attr *attr)
{
        const char *nearest = index_nearest(&module->variables, attr->name);

        if (!module->options->warn_undeclared)
                return;
        diag_warning(module->diags, attr->name_range, "the template has no variable '%s'%s%s%s", attr->name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        diag_detail(module->diags, "It would be declared by: variable \"%s\" {}", attr->name);
}

/* Is a place of the file to be hidden whole, since it could not be read and may hold a secret? */
static bool any_sensitive(const struct template_module *module)
{
        for (size_t i = 0; i < module->variables.list.n; i++)
                if (((const struct module_variable *)module->variables.list.v[i].item)->sensitive)
                        return true;
        return false;
}

/* A block in such a file is most often a declaration put into the wrong file. */
static bool refuse_declarations(struct template_module *module, const struct hcl_body *body)
{
        for (size_t i = 0; i < body->n_blocks; i++) {
                const struct hcl_block *block = &body->blocks[i];

                if (strcmp(block->type, "variable") != 0)
                        continue;
                diag_error(module->diags, block->type_range, "a file of values cannot declare variables");
                diag_detail(module->diags, "Declarations belong in a *.pkr.hcl file; here stands: %s = VALUE",
                            block->n_labels ? block->labels[0].text : "NAME");
                return true;
        }
        return false;
}

static void assign_attr(struct template_module *module, const struct hcl_attr *attr)
{
        struct module_variable *variable = index_find(&module->variables, attr->name);
        const struct range *at = &attr->expr->range;
        const struct hcl_scope nothing = {0};

        if (!variable) {
                undeclared(module, attr);
                return;
        }
        if (variable->sensitive)
                source_text_hide(at->source, at->start, at->end);
        assign(module, variable, hcl_eval(&module->arena, attr->expr, &nothing, module->diags), *at, "a file");
}

static void assign_file(struct template_module *module, const char *path)
{
        size_t errors_before = module->diags->n_errors;
        const struct source_text *source;
        const struct hcl_body *body;
        struct hcl_content content;

        if (!str_ends(path, ".hcl") && !str_ends(path, ".json")) {
                diag_error(module->diags, NO_RANGE, "-var-file '%s': its name must end with .hcl or .json", path);
                return;
        }
        source = module_read(module, path, "-var-file: ");
        if (!source)
                return;
        body = module_parse(module, source);
        if (module->diags->n_errors > errors_before && any_sensitive(module))
                source_text_hide(source, 0, source->len);
        if (!body || refuse_declarations(module, body))
                return;
        hcl_body_attributes(&module->arena, body, &content, module->diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                assign_attr(module, &content.attrs[i]);
}

static void check_required(struct template_module *module)
{
        for (size_t i = 0; i < module->variables.list.n; i++) {
                const struct module_variable *variable = module->variables.list.v[i].item;

                if (variable->value)
                        continue;
                diag_error(module->diags, variable->range, "the variable '%s' has no value", variable->name);
                diag_detail(module->diags,
                            "It has no default: give it with -var '%s=...', in a -var-file, or as PKR_VAR_%s.",
                            variable->name, variable->name);
        }
}

void module_assign_variables(struct template_module *module)
{
        const struct template_options *options = module->options;

        assign_environment(module);
        for (size_t i = 0; i < module->var_files.n; i++)
                assign_file(module, module->var_files.v[i]);
        for (const char *const *path = options->var_files; path && *path; path++)
                assign_file(module, *path);
        for (const char *const *argument = options->var_args; argument && *argument; argument++)
                assign_argument(module, *argument);
        if (!options->syntax_only)
                check_required(module);
        for (size_t i = 0; i < module->variables.list.n; i++) {
                const struct module_variable *variable = module->variables.list.v[i].item;

                if (variable->sensitive && variable->value)
                        module_add_secrets(module, variable->value);
        }
}
