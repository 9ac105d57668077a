/* Texts that no output may show. See module_internal.h. */
#include "base/str.h"
#include "template/module_internal.h"

static bool has_elements(const struct hcl_value *value)
{
        return value->state == HCL_KNOWN && value->type->kind >= HCL_LIST;
}

void module_add_secrets(struct template_module *module, const struct hcl_value *value)
{
        if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING && value->string.len > 0 &&
            !strv_has(STRV(module->secrets), value->string.s))
                strv_add(&module->secrets, value->string.s);
        for (size_t i = 0; has_elements(value) && i < value->list.n; i++)
                module_add_secrets(module, value->list.v[i]);
}

static void add_marked(struct template_module *module, const struct hcl_value *value)
{
        if (value->sensitive)
                module_add_secrets(module, value);
        for (size_t i = 0; has_elements(value) && i < value->list.n; i++)
                add_marked(module, value->list.v[i]);
}

static void add_part(struct template_module *module, const struct hcl_expr *expr, const struct hcl_scope *scope)
{
        struct diags ignored = {0}; /* the whole was evaluated before */
        const struct hcl_value *value = hcl_eval(&module->arena, expr, scope, &ignored);

        diags_clear(&ignored);
        module_add_sensitive(module, expr, value, scope);
}

void module_add_sensitive(struct template_module *module, const struct hcl_expr *expr, const struct hcl_value *value,
                          const struct hcl_scope *scope)
{
        if (!hcl_value_sensitive(value))
                return;
        add_marked(module, value);
        if (expr->kind == HCL_EXPR_PARENS || expr->kind == HCL_EXPR_WRAP)
                add_part(module, expr->attr.operand, scope);
        if (expr->kind == HCL_EXPR_TEMPLATE || expr->kind == HCL_EXPR_TUPLE)
                for (size_t i = 0; i < expr->items.n; i++)
                        add_part(module, expr->items.v[i], scope);
        if (expr->kind == HCL_EXPR_CALL)
                for (size_t i = 0; i < expr->call.n; i++)
                        add_part(module, expr->call.v[i], scope);
        if (expr->kind == HCL_EXPR_OBJECT)
                for (size_t i = 0; i < expr->pairs.n; i++)
                        add_part(module, expr->pairs.v[i].value, scope);
}
