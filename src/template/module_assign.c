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
        if (hcl_convert(&module->arena, value, variable->type, &variable->value, &err) == 0) {
                if (variable->never_null && variable->value->state == HCL_NULL)
                        variable->value = variable->fallback; /* NULL: it is missing */
                return;
        }
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
        const char *equals = strchrnul(argument, '='), *nearest;
        CLEANUP_FREE char *name = xstrndup(argument, (size_t)(equals - argument));
        struct module_variable *variable = index_find(&module->variables, name);

        if (variable) {
                assign_text(module, variable, equals + (*equals == '='), "-var");
                return;
        }
        nearest = index_nearest(&module->variables, name);
        diag_error(module->diags, NO_RANGE, "-var: the template has no variable '%s'%s%s%s", name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        diag_detail(module->diags, "It would be declared by: variable \"%s\" {}", name);
}

/* ---- files ---- */

/* Is a file to be hidden whole that could not be read, since it may hold a secret? */
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

/* One value of a file. */
struct given {
        const char *name;
        struct range name_range, range;
        const struct hcl_expr *expr; /* in HCL; NULL: json */
        const struct value *json;
};

static const struct hcl_value *from_json(struct arena *arena, const struct value *json);

static const struct hcl_value *object_from_json(struct arena *arena, const struct value *json)
{
        const char **names = arena_array(arena, json->object.n, sizeof(*names));
        const struct hcl_value **values = arena_array(arena, json->object.n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < json->object.n; i++) {
                names[i] = json->object.v[i].key;
                values[i] = from_json(arena, json->object.v[i].value);
        }
        return module_object(arena, names, values, json->object.n);
}

/* In a JSON file of values a string is what it is, and no template. */
static const struct hcl_value *from_json(struct arena *arena, const struct value *json)
{
        const struct hcl_value **values;

        switch (json->type) {
        case VALUE_NULL:
                break;
        case VALUE_BOOL:
                return hcl_bool_value(json->boolean);
        case VALUE_NUMBER:
                return hcl_number_parse(arena, json->string) ?: &hcl_unknown_any;
        case VALUE_STRING:
                return hcl_string_from(arena, json->string);
        case VALUE_LIST:
                values = arena_array(arena, json->list.n, sizeof(const struct hcl_value *));
                for (size_t i = 0; i < json->list.n; i++)
                        values[i] = from_json(arena, json->list.v[i]);
                return hcl_tuple_value(arena, values, json->list.n);
        case VALUE_OBJECT:
                return object_from_json(arena, json);
        }
        return &hcl_null_any;
}

static void undeclared(struct template_module *module, const struct given *given)
{
        const char *nearest;

        if (!module->options->warn_undeclared)
                return;
        nearest = index_nearest(&module->variables, given->name);
        diag_warning(module->diags, given->name_range, "the template has no variable '%s'%s%s%s", given->name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        diag_detail(module->diags, "It would be declared by: variable \"%s\" {}", given->name);
}

static void assign_given(struct template_module *module, const struct given *given)
{
        struct module_variable *variable = index_find(&module->variables, given->name);
        const struct hcl_scope nothing = {0};
        const struct hcl_value *value;

        if (!variable) {
                undeclared(module, given);
                return;
        }
        if (variable->sensitive)
                source_text_hide(given->range.source, given->range.start, given->range.end);
        value = given->expr ? hcl_eval(&module->arena, given->expr, &nothing, module->diags)
                            : from_json(&module->arena, given->json);
        assign(module, variable, value, given->range, "a file");
}

static void assign_hcl(struct template_module *module, const struct source_text *source)
{
        size_t errors_before = module->diags->n_errors;
        const struct hcl_body *body = hcl_parse(&module->arena, source, module->diags);
        struct hcl_content content;

        if (module->diags->n_errors > errors_before && any_sensitive(module))
                source_text_hide(source, 0, source->len);
        if (refuse_declarations(module, body))
                return;
        hcl_body_attributes(&module->arena, body, &content, module->diags);
        for (size_t i = 0; i < content.n_attrs; i++)
                assign_given(module, &(struct given){.name = content.attrs[i].name,
                                                     .name_range = content.attrs[i].name_range,
                                                     .range = content.attrs[i].expr->range,
                                                     .expr = content.attrs[i].expr});
}

static void assign_json(struct template_module *module, const struct source_text *source)
{
        struct value *root = json_read(source, module->diags);

        if (!root) {
                if (any_sensitive(module))
                        source_text_hide(source, 0, source->len);
                return;
        }
        vec_push(&module->trees, root);
        if (root->type != VALUE_OBJECT) {
                diag_error(module->diags, root->range, "a file of values holds an object {\"name\": value}, not %s",
                           value_type_name(root->type));
                return;
        }
        for (size_t i = 0; i < root->object.n; i++) {
                const struct value_entry *entry = &root->object.v[i];

                if (strcmp(entry->key, "//") != 0)
                        assign_given(module, &(struct given){.name = entry->key,
                                                             .name_range = entry->key_range,
                                                             .range = entry->value->range,
                                                             .json = entry->value});
        }
}

static void assign_file(struct template_module *module, const char *path)
{
        const struct source_text *source;

        if (!str_ends(path, ".hcl") && !str_ends(path, ".json")) {
                diag_error(module->diags, NO_RANGE, "-var-file '%s': its name must end with .hcl or .json", path);
                return;
        }
        source = module_read(module, path, "-var-file: ");
        if (source && str_ends(path, ".json"))
                assign_json(module, source);
        else if (source)
                assign_hcl(module, source);
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
