/* Evaluation: see eval.h. After hashicorp/hcl, hclsyntax/spec.md. The parser
 * limits the height of trees, so recursion is safe. */
#include "hcl/eval.h"

#include <string.h>

#include "base/str.h"
#include "hcl/eval_internal.h"
#include "hcl/value_internal.h"

/* ---- helpers ---- */

const struct hcl_value *eval_marked(const struct eval *e, const struct hcl_value *value, bool sensitive)
{
        return sensitive ? hcl_mark_sensitive(e->arena, value) : value;
}

const struct hcl_value *eval_convert(const struct eval *e, const struct hcl_value *value, const struct hcl_type *type,
                                     struct range at, const char *what)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *ret = NULL;

        if (hcl_convert(e->arena, value, type, &ret, &err) < 0)
                diag_error(e->diags, at, "%s: %s", what, error_message(&err));
        return ret;
}

bool eval_has_room(const struct eval *e, struct range at)
{
        if (e->arena->used < EVAL_MEMORY_MAX)
                return true;
        diag_error(e->diags, at, "the values made so far take more than %d MiB", EVAL_MEMORY_MAX >> 20);
        return false;
}

const char *eval_hint(struct arena *arena, const char *word, const char *const *candidates)
{
        const char *nearest = str_nearest(word, candidates);

        return nearest ? arena_printf(arena, "; did you mean '%s'?", nearest) : "";
}

/* ---- variables ---- */

/* ${HOME} of a shell script is the usual case. */
static void hint_at_escape(const struct eval *e, const struct hcl_expr *expr)
{
        const struct range *at = &expr->range;

        if (at->source && at->start >= 2 && at->start <= at->source->len &&
            memcmp(at->source->text + at->start - 2, "${", 2) == 0)
                diag_detail(e->diags, "If it is not meant for the template (but for a shell, say), write $${%s}.",
                            expr->attr.name);
}

static const struct hcl_value *unknown_variable(const struct eval *e, const struct hcl_expr *expr)
{
        const char **names, *hint;
        bool any = false;
        size_t n = 0;

        for (const struct hcl_scope *scope = e->scope; scope; scope = scope->parent)
                n += scope->variables ? scope->variables->list.n : 0;
        names = arena_array(e->arena, n + 1, sizeof(*names));
        n = 0;
        for (const struct hcl_scope *scope = e->scope; scope; scope = scope->parent) {
                any |= scope->variables != NULL;
                for (size_t i = 0; scope->variables && i < scope->variables->list.n; i++)
                        names[n++] = scope->variables->list.keys[i].s;
        }
        hint = eval_hint(e->arena, expr->attr.name, names);
        if (any)
                diag_error(e->diags, expr->range, "there is no variable named '%s'%s", expr->attr.name, hint);
        else
                diag_error(e->diags, expr->range, "variables may not be used here, but found '%s'", expr->attr.name);
        if (!*hint)
                hint_at_escape(e, expr);
        return &hcl_unknown_any;
}

static const struct hcl_value *eval_variable(const struct eval *e, const struct hcl_expr *expr)
{
        for (const struct hcl_scope *scope = e->scope; scope; scope = scope->parent) {
                const struct hcl_value *value = scope->variables ? hcl_member(scope->variables, expr->attr.name) : NULL;

                if (value)
                        return value;
        }
        return unknown_variable(e, expr);
}

/* ---- .name and [key] ---- */

static const struct hcl_value *eval_attr(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *operand = eval_expr(e, expr->attr.operand);
        const struct hcl_value *value = hcl_get_attr(e->arena, operand, expr->attr.name, &err);

        if (!value)
                diag_error(e->diags, expr->name_range, "%s", error_message(&err));
        return value ? value : &hcl_unknown_any;
}

static const struct hcl_value *eval_index(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *operand = eval_expr(e, expr->index.operand);
        const struct hcl_value *key = eval_expr(e, expr->index.index);
        const struct hcl_value *value = hcl_index(e->arena, operand, key, &err);

        if (!value)
                diag_error(e->diags, expr->name_range, "%s", error_message(&err));
        return value ? value : &hcl_unknown_any;
}

/* ---- [...] and {...} ---- */

static const struct hcl_value *eval_tuple(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_value **v = arena_array(e->arena, expr->items.n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < expr->items.n; i++)
                v[i] = eval_expr(e, expr->items.v[i]);
        return hcl_tuple_value(e->arena, v, expr->items.n);
}

static bool is_reference(const struct hcl_expr *expr)
{
        while (expr->kind == HCL_EXPR_ATTR || expr->kind == HCL_EXPR_INDEX)
                expr = expr->kind == HCL_EXPR_ATTR ? expr->attr.operand : expr->index.operand;
        return expr->kind == HCL_EXPR_VARIABLE;
}

/* The key as a string, marked as the expression is; unknown where it cannot be told. */
static const struct hcl_value *eval_key(const struct eval *e, const struct hcl_expr *expr)
{
        const char *word = hcl_expr_keyword(expr);
        const struct hcl_value *key;
        size_t errors = e->diags->n_errors;

        if (word)
                return hcl_string_from(e->arena, word);
        if (is_reference(expr)) {
                diag_error(e->diags, expr->range,
                           "it is not clear what this key means: write (...) around a reference, or \"...\" around a "
                           "name with dots in it");
                return &hcl_unknown_any;
        }
        key = eval_expr(e, expr);
        if (e->diags->n_errors > errors)
                return &hcl_unknown_any;
        if (key->state == HCL_NULL) {
                diag_error(e->diags, expr->range, "null cannot be a key");
                return &hcl_unknown_any;
        }
        key = eval_convert(e, key, &hcl_string, expr->range, "this cannot be a key");
        return key ? key : &hcl_unknown_any;
}

static const struct hcl_value *eval_object(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_value **v = arena_array(e->arena, expr->pairs.n, sizeof(const struct hcl_value *));
        struct hcl_string *keys = arena_array(e->arena, expr->pairs.n, sizeof(*keys));
        bool known = true, sensitive = false;
        const struct hcl_value *object;

        for (size_t i = 0; i < expr->pairs.n; i++) {
                const struct hcl_value *key = eval_key(e, expr->pairs.v[i].key);

                v[i] = eval_expr(e, expr->pairs.v[i].value);
                sensitive |= key->sensitive;
                if (key->state == HCL_KNOWN)
                        keys[i] = key->string;
                else
                        known = false;
        }
        object = known ? hcl_object_value(e->arena, keys, v, expr->pairs.n) : &hcl_unknown_any;
        return eval_marked(e, object, sensitive);
}

/* ---- any expression ---- */

static const struct hcl_value *eval_kind(const struct eval *e, const struct hcl_expr *expr)
{
        switch (expr->kind) {
        case HCL_EXPR_LITERAL:
                return expr->literal;
        case HCL_EXPR_TEMPLATE:
                return eval_template(e, expr);
        case HCL_EXPR_WRAP:
        case HCL_EXPR_PARENS:
                return eval_expr(e, expr->attr.operand);
        case HCL_EXPR_JOIN:
                return eval_join(e, expr);
        case HCL_EXPR_VARIABLE:
                return eval_variable(e, expr);
        case HCL_EXPR_ATTR:
                return eval_attr(e, expr);
        case HCL_EXPR_INDEX:
                return eval_index(e, expr);
        case HCL_EXPR_SPLAT:
                return eval_splat(e, expr);
        case HCL_EXPR_SPLAT_ITEM:
                return e->item ? e->item : &hcl_unknown_any;
        case HCL_EXPR_CALL:
                return eval_call(e, expr);
        case HCL_EXPR_CONDITIONAL:
                return eval_conditional(e, expr);
        case HCL_EXPR_UNARY:
                return eval_unary(e, expr);
        case HCL_EXPR_BINARY:
                return eval_binary(e, expr);
        case HCL_EXPR_TUPLE:
                return eval_tuple(e, expr);
        case HCL_EXPR_OBJECT:
                return eval_object(e, expr);
        case HCL_EXPR_FOR:
                return eval_for(e, expr);
        }
        return &hcl_unknown_any;
}

const struct hcl_value *eval_expr(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_value *value = eval_kind(e, expr);

        if (value->type->depth <= HCL_MAX_VALUE_DEPTH && value->weight < HCL_MAX_WEIGHT)
                return value;
        if (value->weight < HCL_MAX_WEIGHT)
                diag_error(e->diags, expr->range, "this value is nested deeper than %d levels", HCL_MAX_VALUE_DEPTH);
        else
                diag_error(e->diags, expr->range, "this value has more than %d others in it", HCL_MAX_WEIGHT);
        return &hcl_unknown_any;
}

const struct hcl_value *hcl_eval(struct arena *arena, const struct hcl_expr *expr, const struct hcl_scope *scope,
                                 struct diags *diags)
{
        return eval_expr(&(struct eval){.arena = arena, .scope = scope, .diags = diags}, expr);
}
