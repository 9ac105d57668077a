/* Input variables of HCL2 as they are declared, and their own rules about
 * values. See module_internal.h. */
#include <errno.h>
#include <string.h>

#include "template/module_internal.h"

/* In defaults, and nowhere else, env() may be used. */
static const struct hcl_value *evaluate_default(struct template_module *module, const struct hcl_expr *expr)
{
        struct hcl_env env = module->env;
        struct hcl_scope scope = module->base;

        env.env_allowed = true;
        scope.env = &env;
        return hcl_eval(&module->arena, expr, &scope, module->diags);
}

static const struct hcl_value *fallback_of(struct template_module *module, struct module_variable *variable,
                                           const struct hcl_expr *expr)
{
        const struct hcl_value *value = evaluate_default(module, expr), *converted;
        CLEANUP_ERROR struct error err = {0};

        if (variable->sensitive)
                module_add_secrets(module, value);
        if (hcl_convert(&module->arena, value, variable->type, &converted, &err) == 0) {
                if (!variable->never_null || converted->state != HCL_NULL)
                        return converted;
                error_set(&err, EINVAL, "null is not allowed by 'nullable = false'");
        }
        diag_error(module->diags, expr->range, "the default of the variable '%s' does not fit its type: %s",
                   variable->name, error_message(&err));
        diag_detail(module->diags, "The type is %s.", hcl_type_text(&module->arena, variable->type));
        return hcl_unknown(&module->arena, variable->type);
}

/* A variable without a type has that of its default; but [] or {} does not
 * say what may stand in other lists and objects that are given. */
static const struct hcl_type *type_of_fallback(const struct hcl_value *fallback)
{
        return fallback->state == HCL_KNOWN && fallback->type->kind < HCL_LIST ? fallback->type : &hcl_any;
}

static bool constant_bool(struct template_module *module, const struct hcl_attr *attr, bool otherwise)
{
        const struct hcl_value *value, *converted;
        CLEANUP_ERROR struct error err = {0};

        if (!attr)
                return otherwise;
        value = hcl_eval(&module->arena, attr->expr, &module->base, module->diags);
        if (value->state != HCL_KNOWN)
                return otherwise;
        if (hcl_convert(&module->arena, value, &hcl_bool, &converted, &err) == 0)
                return converted->boolean;
        diag_error(module->diags, attr->expr->range, "'%s' must be true or false: %s", attr->name, error_message(&err));
        return otherwise;
}

static void add(struct template_module *module, struct module_variable *variable)
{
        variable->value = variable->fallback;
        variable->given_by = "its default";
        index_add(&module->variables, variable->name, variable->range, variable);
}

void module_declare(struct template_module *module, const struct hcl_block *block)
{
        static const struct hcl_attr_schema attrs[] = {
                {"type", false}, {"default", false}, {"description", false}, {"sensitive", false}, {"nullable", false}};
        static const struct hcl_block_schema blocks[] = {{"validation", {NULL}}};
        static const struct hcl_body_schema schema = {attrs, 5, blocks, 1};
        struct module_variable *variable = arena_alloc(&module->arena, sizeof(*variable));
        const struct hcl_attr *type, *fallback;
        struct hcl_content content;

        hcl_body_content(&module->arena, block->body, &schema, NULL, &content, module->diags);
        *variable = (struct module_variable){
                .name = block->labels[0].text,
                .range = block->labels[0].range,
                .validations = content.blocks,
                .n_validations = content.n_blocks,
        };
        variable->sensitive = constant_bool(module, hcl_content_attr(&content, "sensitive"), false);
        variable->never_null = !constant_bool(module, hcl_content_attr(&content, "nullable"), true);
        type = hcl_content_attr(&content, "type");
        variable->type = type ? hcl_expr_type(&module->arena, type->expr, module->diags) : NULL;
        if (!variable->type)
                variable->type = &hcl_any;
        fallback = hcl_content_attr(&content, "default");
        if (fallback) {
                if (variable->sensitive)
                        source_text_hide(fallback->expr->range.source, fallback->expr->range.start,
                                         fallback->expr->range.end);
                variable->fallback = fallback_of(module, variable, fallback->expr);
                variable->value_range = fallback->expr->range;
                if (!type)
                        variable->type = type_of_fallback(variable->fallback);
        }
        add(module, variable);
}

void module_declare_many(struct template_module *module, const struct hcl_block *block)
{
        struct hcl_content content;

        hcl_body_attributes(&module->arena, block->body, &content, module->diags);
        for (size_t i = 0; i < content.n_attrs; i++) {
                struct module_variable *variable = arena_alloc(&module->arena, sizeof(*variable));
                const struct hcl_attr *attr = &content.attrs[i];

                *variable = (struct module_variable){
                        .name = attr->name,
                        .range = attr->name_range,
                        .fallback = evaluate_default(module, attr->expr),
                        .value_range = attr->expr->range,
                };
                variable->type = type_of_fallback(variable->fallback);
                add(module, variable);
        }
}

/* ---- validation {} ---- */

/* The rule's own message; NULL if it has none that can be shown. */
static const char *rule_message(struct template_module *module, const struct hcl_attr *attr,
                                const struct hcl_scope *scope)
{
        const struct hcl_value *value = attr ? hcl_eval(&module->arena, attr->expr, scope, module->diags) : NULL;

        return value && value->state == HCL_KNOWN && value->type->kind == HCL_STRING ? value->string.s : NULL;
}

static void broken_rule(struct template_module *module, const struct module_variable *variable,
                        const struct hcl_attr *condition, const char *message)
{
        const char *text = variable->sensitive ? "a sensitive value" : hcl_value_text(&module->arena, variable->value);
        unsigned int line, column;

        diag_error(module->diags, condition->expr->range, "the value of the variable '%s' is not valid: %s",
                   variable->name, message ? message : "its condition is false");
        if (variable->value_range.source && variable->value_range.source->path[0] != '<') {
                range_position(&variable->value_range, &line, &column);
                diag_detail(module->diags, "It is %s, from %s (%s, line %u).", text, variable->given_by,
                            variable->value_range.source->path, line);
        } else {
                diag_detail(module->diags, "It is %s, from %s.", text, variable->given_by);
        }
}

static void validate(struct template_module *module, const struct module_variable *variable,
                     const struct hcl_block *rule)
{
        static const struct hcl_attr_schema attrs[] = {{"condition", true}, {"error_message", true}};
        static const struct hcl_body_schema schema = {attrs, 2, NULL, 0};
        const struct hcl_scope scope = {.parent = &module->base,
                                        .variables = module_object(&module->arena, (const char *const[]){"var"},
                                                                   (const struct hcl_value *const[]){module->vars}, 1)};
        const struct hcl_value *value, *truth;
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_attr *condition;
        struct hcl_content content;

        hcl_body_content(&module->arena, rule->body, &schema, NULL, &content, module->diags);
        condition = hcl_content_attr(&content, "condition");
        if (!condition)
                return;
        value = hcl_eval(&module->arena, condition->expr, &scope, module->diags);
        if (value->state == HCL_UNKNOWN)
                return;
        if (hcl_convert(&module->arena, value, &hcl_bool, &truth, &err) < 0 || truth->state != HCL_KNOWN)
                diag_error(module->diags, condition->expr->range, "a condition must be true or false, not %s",
                           value->state == HCL_NULL ? "null" : hcl_type_friendly(&module->arena, value->type));
        else if (!truth->boolean)
                broken_rule(module, variable, condition,
                            rule_message(module, hcl_content_attr(&content, "error_message"), &scope));
}

void module_validate_variables(struct template_module *module)
{
        for (size_t i = 0; i < module->variables.list.n; i++) {
                const struct module_variable *variable = module->variables.list.v[i].item;

                for (size_t j = 0; variable->value && j < variable->n_validations; j++)
                        validate(module, variable, &variable->validations[j]);
        }
}
