/* Expressions of HCL's JSON form (json/spec.md, "Expressions"): strings are
 * templates, keys too, lists are tuples. */
#include <string.h>

#include "hcl/parser.h"

static const struct hcl_expr *convert(struct parser *parser, const struct value *json);

/* The template's text is the source's own, between quotes: each place in it is known. */
static bool is_verbatim(const char *text, const struct range *range)
{
        size_t n = strlen(text);

        return range->source && range->end - range->start == n + 2 &&
               memcmp(range->source->text + range->start + 1, text, n) == 0;
}

static const struct hcl_expr *verbatim_template(struct parser *parser, const struct range *range)
{
        struct range part = {.source = range->source, .start = range->start + 1, .end = range->end - 1};
        struct hcl_tokens tokens = hcl_lex_template_part(&part, parser->diags);
        struct parser inner = parser_new(parser->arena, &tokens, parser->diags);
        const struct hcl_expr *expr = parser_template(&inner, NULL, HCL_TOKEN_EOF);

        hcl_tokens_free(&tokens);
        return expr;
}

/* Where escapes stand between the source and the template, every place is that of the string. */
static const struct hcl_expr *escaped_template(struct parser *parser, const char *text, const struct range *range)
{
        struct source_text *source = source_text_new("", text, strlen(text));
        struct diags diags = {0};
        struct hcl_tokens tokens = hcl_lex_template(source, &diags);
        struct parser inner = parser_new(parser->arena, &tokens, parser->diags);
        const struct hcl_expr *expr;

        for (size_t i = 0; i < diags.list.n; i++)
                diag_error(parser->diags, *range, "%s", diags.list.v[i].summary);
        diags_clear(&diags);
        inner.at = range;
        expr = parser_template(&inner, NULL, HCL_TOKEN_EOF);
        hcl_tokens_free(&tokens);
        source_text_free(source);
        return expr;
}

static const struct hcl_expr *string_expr(struct parser *parser, const char *text, const struct range *range)
{
        size_t errors_before = parser->diags->n_errors;
        const struct hcl_expr *expr;

        if (!strstr(text, "${") && !strstr(text, "%{"))
                return parser_literal(parser, hcl_string_from(parser->arena, text), *range);
        expr = is_verbatim(text, range) ? verbatim_template(parser, range) : escaped_template(parser, text, range);
        return parser->diags->n_errors > errors_before ? NULL : expr;
}

static const struct hcl_expr *list_expr(struct parser *parser, const struct value *json)
{
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_TUPLE, json->range);
        const struct hcl_expr **items = arena_array(parser->arena, json->list.n, sizeof(const struct hcl_expr *));

        for (size_t i = 0; expr && i < json->list.n; i++) {
                items[i] = convert(parser, json->list.v[i]);
                expr = items[i] ? parser_adopt(parser, expr, items[i]) : NULL;
        }
        if (!expr)
                return NULL;
        expr->items.v = items;
        expr->items.n = json->list.n;
        return expr;
}

static const struct hcl_expr *object_expr(struct parser *parser, const struct value *json)
{
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_OBJECT, json->range);
        struct hcl_pair *pairs = arena_array(parser->arena, json->object.n, sizeof(*pairs));

        for (size_t i = 0; expr && i < json->object.n; i++) {
                const struct value_entry *entry = &json->object.v[i];

                pairs[i].key = string_expr(parser, entry->key, &entry->key_range);
                pairs[i].value = convert(parser, entry->value);
                expr = pairs[i].key && pairs[i].value ? parser_adopt(parser, expr, pairs[i].key) : NULL;
                expr = expr ? parser_adopt(parser, expr, pairs[i].value) : NULL;
        }
        if (!expr)
                return NULL;
        expr->pairs.v = pairs;
        expr->pairs.n = json->object.n;
        return expr;
}

static const struct hcl_expr *convert(struct parser *parser, const struct value *json)
{
        const struct hcl_value *number;

        switch (json->type) {
        case VALUE_STRING:
                return string_expr(parser, json->string, &json->range);
        case VALUE_NUMBER:
                number = hcl_number_parse(parser->arena, json->string);
                if (number)
                        return parser_literal(parser, number, json->range);
                parser_error(parser, json->range, "'%s' is not a number", json->string);
                return NULL;
        case VALUE_BOOL:
                return parser_literal(parser, hcl_bool_value(json->boolean), json->range);
        case VALUE_LIST:
                return list_expr(parser, json);
        case VALUE_OBJECT:
                return object_expr(parser, json);
        case VALUE_NULL:
        default:
                return parser_literal(parser, &hcl_null_any, json->range);
        }
}

const struct hcl_expr *hcl_json_expr(struct arena *arena, const struct value *json, struct diags *diags)
{
        struct hcl_tokens none = {.source = json->range.source};
        struct parser parser = parser_new(arena, &none, diags);

        return convert(&parser, json);
}
