/* What an expression refers to, and what it is as written: see eval.h. */
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "hcl/eval_internal.h"

/* ---- one reference ---- */

static const struct hcl_expr *operand_of(const struct hcl_expr *expr)
{
        return expr->kind == HCL_EXPR_ATTR    ? expr->attr.operand
               : expr->kind == HCL_EXPR_INDEX ? expr->index.operand
                                              : NULL;
}

static bool is_step(const struct hcl_expr *expr)
{
        return expr->kind == HCL_EXPR_ATTR ||
               (expr->kind == HCL_EXPR_INDEX && expr->index.index->kind == HCL_EXPR_LITERAL);
}

static const struct hcl_expr *root_of(const struct hcl_expr *expr)
{
        while (is_step(expr))
                expr = operand_of(expr);
        return expr;
}

static void fill_step(struct hcl_step *step, const struct hcl_expr *expr)
{
        const struct hcl_value *index;

        *step = (struct hcl_step){.range = expr->range};
        step->range.start = operand_of(expr)->range.end;
        if (expr->kind == HCL_EXPR_ATTR) {
                step->name = expr->attr.name;
                return;
        }
        index = expr->index.index->literal;
        step->index = index;
        if (index->state == HCL_KNOWN && index->type->kind == HCL_STRING)
                step->name = index->string.s;
}

/* expr, whose root is a variable, or a word that is none (true, null). */
static void fill_traversal(struct arena *arena, const struct hcl_expr *expr, const char *root,
                           struct hcl_traversal *ret)
{
        struct hcl_step *steps;
        size_t n = 0;

        for (const struct hcl_expr *at = expr; is_step(at); at = operand_of(at))
                n++;
        steps = arena_array(arena, n, sizeof(*steps));
        *ret = (struct hcl_traversal){
                .root = root, .root_range = root_of(expr)->range, .range = expr->range, .steps = steps, .n_steps = n};
        for (const struct hcl_expr *at = expr; is_step(at); at = operand_of(at))
                fill_step(&steps[--n], at);
}

/* ---- all references ---- */

struct names {
        const struct names *outer;
        const char *key, *value;
};

struct walk {
        struct arena *arena;
        VEC(struct hcl_traversal) found;
};

static void walk(struct walk *w, const struct hcl_expr *expr, const struct names *names);

static bool is_bound(const struct names *names, const char *name)
{
        for (; names; names = names->outer)
                if (str_eq(names->key, name) || str_eq(names->value, name))
                        return true;
        return false;
}

static void walk_all(struct walk *w, const struct hcl_expr *const *v, size_t n, const struct names *names)
{
        for (size_t i = 0; i < n; i++)
                walk(w, v[i], names);
}

static void walk_loop(struct walk *w, const struct hcl_for *loop, const struct names *outer)
{
        struct names names = {outer, loop->key_name, loop->value_name};

        walk(w, loop->collection, outer);
        if (loop->key)
                walk(w, loop->key, &names);
        walk(w, loop->value, &names);
        if (loop->condition)
                walk(w, loop->condition, &names);
}

static void walk_pairs(struct walk *w, const struct hcl_expr *expr, const struct names *names)
{
        for (size_t i = 0; i < expr->pairs.n; i++) {
                if (!hcl_expr_keyword(expr->pairs.v[i].key))
                        walk(w, expr->pairs.v[i].key, names);
                walk(w, expr->pairs.v[i].value, names);
        }
}

static void walk_reference(struct walk *w, const struct hcl_expr *expr, const struct names *names)
{
        const struct hcl_expr *root = root_of(expr);
        struct hcl_traversal traversal;

        if (root->kind != HCL_EXPR_VARIABLE) {
                walk(w, operand_of(expr), names);
                if (expr->kind == HCL_EXPR_INDEX)
                        walk(w, expr->index.index, names);
                return;
        }
        if (is_bound(names, root->attr.name))
                return;
        fill_traversal(w->arena, expr, root->attr.name, &traversal);
        vec_push(&w->found, traversal);
}

static void walk(struct walk *w, const struct hcl_expr *expr, const struct names *names)
{
        switch (expr->kind) {
        case HCL_EXPR_LITERAL:
        case HCL_EXPR_SPLAT_ITEM:
                return;
        case HCL_EXPR_TEMPLATE:
        case HCL_EXPR_TUPLE:
                walk_all(w, expr->items.v, expr->items.n, names);
                return;
        case HCL_EXPR_WRAP:
        case HCL_EXPR_JOIN:
        case HCL_EXPR_PARENS:
        case HCL_EXPR_UNARY:
                walk(w, expr->attr.operand, names);
                return;
        case HCL_EXPR_ATTR:
        case HCL_EXPR_INDEX:
                walk_reference(w, expr, names);
                return;
        case HCL_EXPR_VARIABLE:
                if (!is_bound(names, expr->attr.name))
                        vec_push(&w->found, (struct hcl_traversal){.root = expr->attr.name,
                                                                   .root_range = expr->range,
                                                                   .range = expr->range});
                return;
        case HCL_EXPR_SPLAT:
                walk(w, expr->splat.operand, names);
                if (expr->splat.each)
                        walk(w, expr->splat.each, names);
                return;
        case HCL_EXPR_CALL:
                walk_all(w, expr->call.v, expr->call.n, names);
                return;
        case HCL_EXPR_CONDITIONAL:
                walk(w, expr->conditional.condition, names);
                walk(w, expr->conditional.yes, names);
                walk(w, expr->conditional.no, names);
                return;
        case HCL_EXPR_BINARY:
                walk(w, expr->binary.left, names);
                walk(w, expr->binary.right, names);
                return;
        case HCL_EXPR_OBJECT:
                walk_pairs(w, expr, names);
                return;
        case HCL_EXPR_FOR:
                walk_loop(w, expr->loop, names);
                return;
        }
}

struct hcl_traversals hcl_expr_references(struct arena *arena, const struct hcl_expr *expr)
{
        struct walk w = {.arena = arena};
        struct hcl_traversals ret;

        walk(&w, expr, NULL);
        ret.n = w.found.n;
        ret.v = arena_memdup(arena, w.found.v, w.found.n * sizeof(*w.found.v));
        vec_free(&w.found);
        return ret;
}

/* ---- the expression as written ---- */

const char *hcl_expr_keyword(const struct hcl_expr *expr)
{
        const struct hcl_value *value;

        if (expr->kind == HCL_EXPR_VARIABLE)
                return expr->attr.name;
        if (expr->kind != HCL_EXPR_LITERAL)
                return NULL;
        value = expr->literal;
        if (value->state == HCL_NULL)
                return "null";
        return value->type->kind != HCL_BOOL || value->state != HCL_KNOWN ? NULL : value->boolean ? "true" : "false";
}

static const char *name_end(const char *s)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

        return strchr(letters, *s) && *s ? s + strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                                                         "0123456789-")
                                         : s;
}

/* "source.arm.pi" in quotes: names with dots between them. */
static bool quoted_traversal(struct arena *arena, const struct hcl_expr *expr, struct hcl_traversal *ret)
{
        const char *s = expr->literal->string.s, *end = name_end(s);
        struct hcl_step *steps = arena_array(arena, strlen(s), sizeof(*steps));

        *ret = (struct hcl_traversal){.root_range = expr->range, .range = expr->range, .steps = steps};
        if (end == s || strlen(s) != expr->literal->string.len)
                return false;
        ret->root = arena_strndup(arena, s, (size_t)(end - s));
        while (*end == '.') {
                s = end + 1;
                end = name_end(s);
                if (end == s)
                        return false;
                steps[ret->n_steps++] =
                        (struct hcl_step){.name = arena_strndup(arena, s, (size_t)(end - s)), .range = expr->range};
        }
        return *end == '\0';
}

bool hcl_expr_traversal(struct arena *arena, const struct hcl_expr *expr, struct hcl_traversal *ret)
{
        const char *word;

        if (expr->kind == HCL_EXPR_LITERAL && expr->literal->state == HCL_KNOWN &&
            expr->literal->type->kind == HCL_STRING)
                return quoted_traversal(arena, expr, ret);
        word = hcl_expr_keyword(root_of(expr));
        if (word)
                fill_traversal(arena, expr, word, ret);
        return word != NULL;
}
