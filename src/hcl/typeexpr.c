/* Type constraints: see eval.h. After hashicorp/hcl, ext/typeexpr. */
#include <string.h>

#include "base/str.h"
#include "hcl/eval_internal.h"

static const struct {
        const char *name;
        const struct hcl_type *type; /* NULL: a constructor, with one argument, */
        const char *argument;        /* which is this */
} words[] = {
        {"any", &hcl_any, NULL},
        {"bool", &hcl_bool, NULL},
        {"list", NULL, "the type of its elements: list(string)"},
        {"map", NULL, "the type of its elements: map(string)"},
        {"number", &hcl_number, NULL},
        {"object", NULL, "its attributes: object({ name = string })"},
        {"set", NULL, "the type of its elements: set(string)"},
        {"string", &hcl_string, NULL},
        {"tuple", NULL, "the types of its elements: tuple([string, number])"},
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

static size_t find_word(const char *name)
{
        for (size_t i = 0; i < N_WORDS; i++)
                if (str_eq(words[i].name, name))
                        return i;
        return N_WORDS;
}

static const struct hcl_type *unknown_word(struct arena *arena, const char *name, struct range at, struct diags *diags)
{
        const char *names[N_WORDS + 1] = {0};

        for (size_t i = 0; i < N_WORDS; i++)
                names[i] = words[i].name;
        if (str_eq(name, "optional"))
                diag_error(diags, at, "optional() is for attributes: object({ name = optional(string) })");
        else
                diag_error(diags, at, "'%s' is no type%s", name, eval_hint(arena, name, names));
        return NULL;
}

static const struct hcl_type *keyword_type(struct arena *arena, const char *word, struct range at, struct diags *diags)
{
        size_t i = find_word(word);

        if (i == N_WORDS)
                return unknown_word(arena, word, at, diags);
        if (!words[i].type)
                diag_error(diags, at, "the type %s needs %s", word, words[i].argument);
        return words[i].type;
}

/* ---- object({...}) ---- */

/* The default of optional(TYPE, DEFAULT); false after a message. */
static bool fill_fallback(struct arena *arena, const struct hcl_expr *expr, struct hcl_attr_type *attr,
                          struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        size_t errors = diags->n_errors;
        const struct hcl_value *value = hcl_eval(arena, expr, NULL, diags);

        if (diags->n_errors > errors)
                return false;
        if (hcl_convert(arena, value, attr->type, &attr->fallback, &err) < 0)
                diag_error(diags, expr->range, "the default of attribute '%s' does not fit its type: %s", attr->name,
                           error_message(&err));
        return attr->fallback != NULL;
}

static bool fill_attr(struct arena *arena, const struct hcl_pair *pair, struct hcl_attr_type *attr, struct diags *diags)
{
        const struct hcl_expr *expr = pair->value, *fallback = NULL;

        attr->name = hcl_expr_keyword(pair->key);
        if (!attr->name && pair->key->kind == HCL_EXPR_LITERAL && pair->key->literal->type->kind == HCL_STRING)
                attr->name = pair->key->literal->string.s; /* of the JSON form */
        if (!attr->name) {
                diag_error(diags, pair->key->range, "the name of an attribute is needed here");
                return false;
        }
        if (expr->kind == HCL_EXPR_CALL && str_eq(expr->call.name, "optional")) {
                if (expr->call.n < 1 || expr->call.n > 2) {
                        diag_error(diags, expr->range,
                                   "optional() takes a type and perhaps a default, but found %zu arguments",
                                   expr->call.n);
                        return false;
                }
                attr->optional = true;
                fallback = expr->call.n == 2 ? expr->call.v[1] : NULL;
                expr = expr->call.v[0];
        }
        attr->type = hcl_expr_type(arena, expr, diags);
        return attr->type && (!fallback || fill_fallback(arena, fallback, attr, diags));
}

static const struct hcl_type *object_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        struct hcl_attr_type *attrs;
        bool ok = true;

        if (expr->kind != HCL_EXPR_OBJECT) {
                diag_error(diags, expr->range, "the attributes of an object are needed here: { name = string }");
                return NULL;
        }
        attrs = arena_array(arena, expr->pairs.n, sizeof(*attrs));
        for (size_t i = 0; i < expr->pairs.n; i++) {
                ok &= fill_attr(arena, &expr->pairs.v[i], &attrs[i], diags);
                for (size_t j = 0; ok && j < i; j++)
                        if (str_eq(attrs[j].name, attrs[i].name)) {
                                diag_error(diags, expr->pairs.v[i].key->range, "attribute '%s' is there twice",
                                           attrs[i].name);
                                ok = false;
                        }
        }
        return ok ? hcl_type_object(arena, attrs, expr->pairs.n) : NULL;
}

/* ---- tuple([...]) and the others ---- */

static const struct hcl_type *tuple_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        const struct hcl_type **members;
        bool ok = true;

        if (expr->kind != HCL_EXPR_TUPLE) {
                diag_error(diags, expr->range, "the types of a tuple's elements are needed here: [string, number]");
                return NULL;
        }
        members = arena_array(arena, expr->items.n, sizeof(*members));
        for (size_t i = 0; i < expr->items.n; i++) {
                members[i] = hcl_expr_type(arena, expr->items.v[i], diags);
                ok &= members[i] != NULL;
        }
        return ok ? hcl_type_tuple(arena, members, expr->items.n) : NULL;
}

static const struct hcl_type *constructed_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        const char *name = expr->call.name;
        const struct hcl_type *element;
        size_t i = find_word(name);

        if (i == N_WORDS)
                return unknown_word(arena, name, expr->name_range, diags);
        if (words[i].type || expr->call.n != 1 || expr->call.expand) {
                if (words[i].type)
                        diag_error(diags, expr->range, "the type %s has no arguments", name);
                else
                        diag_error(diags, expr->range, "the type %s needs one argument, %s", name, words[i].argument);
                return NULL;
        }
        if (str_eq(name, "object"))
                return object_type(arena, expr->call.v[0], diags);
        if (str_eq(name, "tuple"))
                return tuple_type(arena, expr->call.v[0], diags);
        element = hcl_expr_type(arena, expr->call.v[0], diags);
        if (!element)
                return NULL;
        return str_eq(name, "list")  ? hcl_type_list(arena, element)
               : str_eq(name, "set") ? hcl_type_set(arena, element)
                                     : hcl_type_map(arena, element);
}

/* In quotes, as the JSON form has it. Its places are the string's as a whole. */
static const struct hcl_type *quoted_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        const struct hcl_string *string = &expr->literal->string;
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("<type>", string->s, string->len);
        CLEANUP(diags_clear) struct diags inner = {0};
        const struct hcl_expr *parsed = hcl_parse_expr(arena, source, &inner);
        const struct hcl_type *type = NULL;

        if (parsed && parsed->kind == HCL_EXPR_LITERAL && parsed->literal->type->kind == HCL_STRING)
                diag_error(&inner, NO_RANGE, "a string in a string is no type");
        else if (parsed)
                type = hcl_expr_type(arena, parsed, &inner);
        if (!type)
                diag_error(diags, expr->range, "this is no type: %s",
                           inner.list.n > 0 ? inner.list.v[0].summary : "it is empty");
        return type;
}

const struct hcl_type *hcl_expr_type(struct arena *arena, const struct hcl_expr *expr, struct diags *diags)
{
        const char *word = hcl_expr_keyword(expr);

        if (word)
                return keyword_type(arena, word, expr->range, diags);
        if (expr->kind == HCL_EXPR_CALL)
                return constructed_type(arena, expr, diags);
        if (expr->kind == HCL_EXPR_LITERAL && expr->literal->type->kind == HCL_STRING)
                return quoted_type(arena, expr, diags);
        diag_error(diags, expr->range, "a type is needed here: string, number, bool, list(string), object({...})...");
        return NULL;
}
