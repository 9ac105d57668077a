/* Functions that look at expressions rather than values: try(), can(),
 * convert(), whose second argument is a type. */
#include "hcl/func.h"

/* The value, or NULL with messages in diags. */
static const struct hcl_value *evaluate(struct hcl_call *call, const struct hcl_expr *expr, struct diags *diags)
{
        const struct hcl_value *value = hcl_eval(call->arena, expr, call->scope, diags);

        return diags->n_errors > 0 ? NULL : value;
}

static void add_reasons(struct str *out, const struct diags *diags)
{
        for (size_t i = 0; i < diags->list.n; i++) {
                unsigned int line, column;

                range_position(&diags->list.v[i].range, &line, &column);
                str_addf(out, "\n- line %u, column %u: %s", line, column, diags->list.v[i].summary);
        }
}

CALL(try)
{
        CLEANUP_STR struct str reasons = {0};

        if (call->n == 0)
                return func_fail(call, FUNC_WHOLE, "at least one expression is needed");
        for (size_t i = 0; i < call->n; i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                const struct hcl_value *value = evaluate(call, call->exprs[i], &diags);

                if (value) /* with unknown parts it may still turn out to be an error */
                        return hcl_value_known(value) ? value : &hcl_unknown_any;
                add_reasons(&reasons, &diags);
        }
        return func_fail(call, FUNC_WHOLE, "no expression succeeded:%s", str_get(&reasons));
}

CALL(can)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_value *value = evaluate(call, call->exprs[0], &diags);

        if (value && !hcl_value_known(value))
                return hcl_unknown(call->arena, &hcl_bool);
        return hcl_bool_value(value != NULL);
}

CALL(convert)
{
        size_t errors = call->diags->n_errors;
        const struct hcl_value *value = hcl_eval(call->arena, call->exprs[0], call->scope, call->diags), *result;
        const struct hcl_type *type = hcl_expr_type(call->arena, call->exprs[1], call->diags);

        if (!type || call->diags->n_errors > errors) /* which has been said */
                return NULL;
        if (hcl_convert(call->arena, value, type, &result, call->err) >= 0)
                return result;
        call->bad_arg = 0;
        return NULL;
}

FUNCTION(can, .returns = &hcl_bool, .flags = HCL_LAZY, PARAMS({"expression", &hcl_any}),
         .help = "Has the expression a value? false if it is an error.");
FUNCTION(convert, .returns = &hcl_any, .flags = HCL_LAZY, PARAMS({"value", &hcl_any}, {"type", &hcl_any}),
         .help = "The value as another type, such as set(string).");
FUNCTION(try, .returns = &hcl_any, .flags = HCL_LAZY, VARIADIC("expressions", &hcl_any),
         .help = "The first expression that is no error.");
