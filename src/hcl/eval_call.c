/* Calls of functions: see function.h for what is done for them. */
#include <errno.h>
#include <string.h>

#include "hcl/eval_internal.h"
#include "hcl/function.h"

struct args {
        const struct hcl_value **v; /* NULL for lazy functions */
        const struct hcl_expr **exprs;
        size_t n;
};

/* ---- which function ---- */

static const struct hcl_function *unknown_function(const struct eval *e, const struct hcl_expr *expr,
                                                   const struct hcl_scope *scope)
{
        const char **names = arena_array(e->arena, scope ? scope->n_functions + 1 : 1, sizeof(*names));

        for (size_t i = 0; scope && i < scope->n_functions; i++)
                names[i] = scope->functions[i]->name;
        if (scope)
                diag_error(e->diags, expr->name_range, "there is no function named '%s'%s", expr->call.name,
                           eval_hint(e->arena, expr->call.name, names));
        else
                diag_error(e->diags, expr->range, "functions may not be called here, but found '%s'", expr->call.name);
        return NULL;
}

static const struct hcl_function *find_function(const struct eval *e, const struct hcl_expr *expr)
{
        static const char core[] = "core::";
        const char *name = expr->call.name;
        const struct hcl_scope *scope = e->scope;
        const struct hcl_function *function;

        while (scope && !scope->functions)
                scope = scope->parent;
        if (strncmp(name, core, strlen(core)) == 0)
                name += strlen(core);
        function = scope ? hcl_function_find(scope->functions, scope->n_functions, name) : NULL;
        if (!function)
                return unknown_function(e, expr, scope);
        if (function->flags & HCL_REFUSED) {
                diag_error(e->diags, expr->name_range, "%s() is not available: %s", function->name, function->help);
                return NULL;
        }
        return function;
}

/* ---- arguments ---- */

static const struct hcl_expr *literal(const struct eval *e, const struct hcl_value *value, struct range range)
{
        return arena_memdup(e->arena, &(struct hcl_expr){.kind = HCL_EXPR_LITERAL, .range = range, .literal = value},
                            sizeof(struct hcl_expr));
}

/* The list before "...", known; NULL after a message, and where it is not known. */
static const struct hcl_value *last_list(const struct eval *e, const struct hcl_expr *expr)
{
        size_t errors = e->diags->n_errors;
        const struct hcl_value *value = eval_expr(e, expr);
        enum hcl_kind kind = value->type->kind;

        if (e->diags->n_errors > errors)
                return NULL;
        if (value->state == HCL_NULL)
                diag_error(e->diags, expr->range, "the argument before ... is null; a list, set or tuple is needed");
        else if (kind != HCL_ANY && kind != HCL_LIST && kind != HCL_SET && kind != HCL_TUPLE)
                diag_error(e->diags, expr->range,
                           "the argument before ... must be a list, set or tuple, but is of type %s",
                           hcl_type_friendly(e->arena, value->type));
        return value->state == HCL_KNOWN && e->diags->n_errors == errors ? value : NULL;
}

/* All arguments, those of the list before "..." as literals. False after a message, and where they are not known. */
static bool collect(const struct eval *e, const struct hcl_expr *expr, struct args *args)
{
        size_t fixed = expr->call.n - expr->call.expand;
        const struct hcl_value *list = &hcl_empty_tuple;

        if (expr->call.expand)
                list = last_list(e, expr->call.v[fixed]);
        if (!list)
                return false;
        args->n = fixed + list->list.n;
        args->exprs = arena_array(e->arena, args->n, sizeof(*args->exprs));
        for (size_t i = 0; i < args->n; i++)
                args->exprs[i] = i < fixed ? expr->call.v[i]
                                           : literal(e, eval_marked(e, list->list.v[i - fixed], list->sensitive),
                                                     expr->call.v[fixed]->range);
        return true;
}

static const struct hcl_param *param_of(const struct hcl_function *function, size_t i)
{
        return i < function->n_params ? &function->params[i] : function->variadic;
}

static bool check_count(const struct eval *e, const struct hcl_expr *expr, const struct hcl_function *function,
                        const struct args *args)
{
        size_t wanted = function->n_params;
        struct range close = {expr->range.source, expr->range.end - (expr->range.end > 0), expr->range.end};

        if (args->n < wanted)
                diag_error(e->diags, close, "%s() needs %s%zu argument%s, but found %zu: '%s' is missing",
                           function->name, function->variadic ? "at least " : "", wanted, wanted == 1 ? "" : "s",
                           args->n, function->params[args->n].name);
        else if (args->n > wanted && !function->variadic)
                diag_error(e->diags, args->exprs[wanted]->range, "%s() takes %zu argument%s, but found %zu",
                           function->name, wanted, wanted == 1 ? "" : "s", args->n);
        else
                return true;
        return false;
}

/* One argument, evaluated and converted; NULL after a message. */
static const struct hcl_value *argument(const struct eval *e, const struct hcl_function *function,
                                        const struct hcl_expr *expr, const struct hcl_param *param)
{
        const struct hcl_value *value = eval_expr(e, expr);

        if (value->state == HCL_NULL && !(param->flags & HCL_ALLOW_NULL)) {
                diag_error(e->diags, expr->range, "argument '%s' of %s() must not be null", param->name,
                           function->name);
                return NULL;
        }
        return eval_convert(e, value, param->type, expr->range,
                            arena_printf(e->arena, "argument '%s' of %s()", param->name, function->name));
}

/* ---- the call ---- */

static const struct hcl_env *env_of(const struct hcl_scope *scope)
{
        static const struct hcl_env none = {.base_dir = "."};

        while (scope && !scope->env)
                scope = scope->parent;
        return scope ? scope->env : &none;
}

static int depth_of(const struct hcl_scope *scope)
{
        int depth = 0;

        for (; scope; scope = scope->parent)
                depth = scope->depth > depth ? scope->depth : depth;
        return depth;
}

static void complain(const struct eval *e, const struct hcl_expr *expr, const struct hcl_call *call,
                     const struct args *args)
{
        const struct hcl_function *function = call->function;
        const char *why = call->sensitive ? "what it is given does not fit; it is sensitive, so it is not shown"
                                          : error_message(call->err);

        if (call->bad_arg < args->n && param_of(function, call->bad_arg))
                diag_error(e->diags, args->exprs[call->bad_arg]->range, "argument '%s' of %s(): %s",
                           param_of(function, call->bad_arg)->name, function->name, why);
        else
                diag_error(e->diags, expr->range, "%s(): %s", function->name, why);
}

static const struct hcl_value *run(const struct eval *e, const struct hcl_expr *expr,
                                   const struct hcl_function *function, const struct args *args, bool sensitive)
{
        CLEANUP_ERROR struct error err = {0};
        size_t errors = e->diags->n_errors;
        struct hcl_call call = {
                .arena = e->arena,
                .function = function,
                .args = args->v,
                .n = args->n,
                .exprs = args->exprs,
                .scope = e->scope,
                .env = env_of(e->scope),
                .sensitive = sensitive,
                .bad_arg = SIZE_MAX,
                .depth = depth_of(e->scope),
                .diags = e->diags,
                .err = &err,
        };
        const struct hcl_value *ret = eval_has_room(e, expr->range) ? function->call(&call) : NULL;

        if (ret)
                return ret;
        if (err.code == 0 && e->diags->n_errors > errors) /* it has said what is wrong */
                return &hcl_unknown_any;
        complain(e, expr, &call, args);
        return &hcl_unknown_any;
}

static const struct hcl_value *eager(const struct eval *e, const struct hcl_expr *expr,
                                     const struct hcl_function *function, struct args *args)
{
        size_t errors = e->diags->n_errors;
        bool known = true, sensitive = false;
        const struct hcl_value *ret;

        args->v = arena_array(e->arena, args->n, sizeof(*args->v));
        for (size_t i = 0; i < args->n; i++) {
                const struct hcl_param *param = param_of(function, i);
                const struct hcl_value *value = argument(e, function, args->exprs[i], param);

                if (!value)
                        continue;
                sensitive |= hcl_value_sensitive(value);
                args->v[i] = hcl_unmark(e->arena, value);
                known &= (param->flags & HCL_ALLOW_UNKNOWN) || hcl_value_known(value);
        }
        if (e->diags->n_errors > errors)
                return &hcl_unknown_any;
        ret = known ? run(e, expr, function, args, sensitive)
                    : hcl_unknown(e->arena, hcl_type_concrete(e->arena, function->returns));
        return eval_marked(e, ret, sensitive);
}

const struct hcl_value *eval_call(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_function *function = find_function(e, expr);
        struct args args = {0};

        if (!function || !collect(e, expr, &args) || !check_count(e, expr, function, &args))
                return &hcl_unknown_any;
        return function->flags & HCL_LAZY ? run(e, expr, function, &args, false) : eager(e, expr, function, &args);
}
