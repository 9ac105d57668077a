/* Expressions: operators by precedence, and what follows a term (attributes,
 * indexes, splats). hclsyntax/spec.md, "Expressions". */
#include <string.h>

#include "hcl/parser.h"

/* ---- after a term ---- */

/* A number as an index: .0 or [0]. */
static const struct hcl_expr *index_node(struct parser *parser, const struct hcl_expr *operand,
                                         const struct hcl_expr *index, struct range brackets)
{
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_INDEX, range_between(operand->range, brackets));

        expr->name_range = brackets;
        expr->index.operand = operand;
        expr->index.index = index;
        return parser_adopt(parser, parser_adopt(parser, expr, operand), index);
}

/* operand.0, which the language has for old templates' sake. The number is next. */
static const struct hcl_expr *legacy_index(struct parser *parser, const struct hcl_expr *operand, struct range dot)
{
        const struct hcl_token *token = parser_next(parser);
        struct range at = parser_range(parser, token);
        const char *digits = parser_text(parser, token), *point = strchr(digits, '.');
        const struct hcl_value *value = point ? NULL : hcl_number_parse(parser->arena, digits);

        if (!value) {
                parser_error(parser, at, "an index after '.' is one whole number, not '%s'", digits);
                if (point)
                        diag_detail(parser->diags, "Two indexes are written in brackets: [%.*s][%s].",
                                    (int)(point - digits), digits, point + 1);
                return NULL;
        }
        return index_node(parser, operand, parser_literal(parser, value, at), range_between(dot, at));
}

/* operand.name; the name is next. */
static const struct hcl_expr *attribute(struct parser *parser, const struct hcl_expr *operand, struct range dot)
{
        const struct hcl_token *token = parser_next(parser);
        struct range at = range_between(dot, parser_range(parser, token));
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_ATTR, range_between(operand->range, at));

        expr->name_range = at;
        expr->attr.name = parser_text(parser, token);
        expr->attr.operand = operand;
        return parser_adopt(parser, expr, operand);
}

static const struct hcl_expr *splat_node(struct parser *parser, const struct hcl_expr *operand,
                                         const struct hcl_expr *each, struct range marker)
{
        struct hcl_expr *expr;

        if (!each)
                return NULL;
        expr = parser_node(parser, HCL_EXPR_SPLAT, range_between(operand->range, each->range));
        expr->name_range = marker;
        expr->splat.operand = operand;
        expr->splat.each = each->kind == HCL_EXPR_SPLAT_ITEM ? NULL : each;
        return parser_adopt(parser, parser_adopt(parser, expr, operand), each);
}

/* operand.*.a.b: only attributes and legacy indexes belong to each element. */
static const struct hcl_expr *attribute_splat(struct parser *parser, const struct hcl_expr *operand, struct range dot)
{
        struct range marker = range_between(dot, parser_range(parser, parser_next(parser)));
        const struct hcl_expr *each = parser_node(parser, HCL_EXPR_SPLAT_ITEM, marker);

        while (each && parser_at(parser, HCL_TOKEN_DOT)) {
                struct range at = parser_range(parser, parser_next(parser));

                if (parser_at(parser, HCL_TOKEN_NUMBER)) {
                        each = legacy_index(parser, each, at);
                } else if (parser_at(parser, HCL_TOKEN_IDENT)) {
                        each = attribute(parser, each, at);
                } else {
                        parser_expected(parser, "the name of an attribute",
                                        "In a splat with '.*' only names follow; [*] can be repeated.");
                        return NULL;
                }
        }
        return splat_node(parser, operand, each, marker);
}

static const struct hcl_expr *traversals(struct parser *parser, const struct hcl_expr *from);

/* operand[*] and all that follows. The star is next. */
static const struct hcl_expr *full_splat(struct parser *parser, const struct hcl_expr *operand, struct range open)
{
        const struct hcl_expr *each;
        struct range marker;

        parser_next(parser);
        if (!parser_expect(parser, HCL_TOKEN_CBRACK, "']'", "A splat is written [*].") || !parser_enter(parser))
                return NULL;
        marker = range_between(open, parser_last_range(parser));
        each = traversals(parser, parser_node(parser, HCL_EXPR_SPLAT_ITEM, marker));
        parser_leave(parser);
        return splat_node(parser, operand, each, marker);
}

static const struct hcl_expr *after_bracket(struct parser *parser, const struct hcl_expr *operand)
{
        struct range open = parser_range(parser, parser_next(parser));
        bool newlines = parser->newlines;
        const struct hcl_expr *index;

        if (parser_at(parser, HCL_TOKEN_STAR))
                return full_splat(parser, operand, open);
        parser->newlines = false;
        index = parser_expression(parser);
        if (!index || !parser_expect(parser, HCL_TOKEN_CBRACK, "']'", NULL))
                return NULL;
        parser->newlines = newlines;
        return index_node(parser, operand, index, range_between(open, parser_last_range(parser)));
}

static const struct hcl_expr *after_dot(struct parser *parser, const struct hcl_expr *operand)
{
        struct range dot = parser_range(parser, parser_next(parser));

        if (parser_at(parser, HCL_TOKEN_IDENT))
                return attribute(parser, operand, dot);
        if (parser_at(parser, HCL_TOKEN_NUMBER))
                return legacy_index(parser, operand, dot);
        if (parser_at(parser, HCL_TOKEN_STAR))
                return attribute_splat(parser, operand, dot);
        parser_expected(parser, "the name of an attribute", NULL);
        return NULL;
}

static const struct hcl_expr *traversals(struct parser *parser, const struct hcl_expr *from)
{
        while (from) {
                if (parser_at(parser, HCL_TOKEN_DOT))
                        from = after_dot(parser, from);
                else if (parser_at(parser, HCL_TOKEN_OBRACK))
                        from = after_bracket(parser, from);
                else
                        break;
        }
        return from;
}

const struct hcl_expr *parser_with_traversals(struct parser *parser)
{
        return traversals(parser, parser_term(parser));
}

/* ---- operators ---- */

static const struct {
        enum hcl_token_type token;
        enum hcl_op op;
        int level; /* higher binds tighter; 0 is none */
} operators[] = {
        {HCL_TOKEN_OR, HCL_OP_OR, 1},
        {HCL_TOKEN_AND, HCL_OP_AND, 2},
        {HCL_TOKEN_EQUAL_EQUAL, HCL_OP_EQUAL, 3},
        {HCL_TOKEN_NOT_EQUAL, HCL_OP_NOT_EQUAL, 3},
        {HCL_TOKEN_GREATER, HCL_OP_GREATER, 4},
        {HCL_TOKEN_GREATER_EQUAL, HCL_OP_GREATER_EQUAL, 4},
        {HCL_TOKEN_LESS, HCL_OP_LESS, 4},
        {HCL_TOKEN_LESS_EQUAL, HCL_OP_LESS_EQUAL, 4},
        {HCL_TOKEN_PLUS, HCL_OP_ADD, 5},
        {HCL_TOKEN_MINUS, HCL_OP_SUBTRACT, 5},
        {HCL_TOKEN_STAR, HCL_OP_MULTIPLY, 6},
        {HCL_TOKEN_SLASH, HCL_OP_DIVIDE, 6},
        {HCL_TOKEN_PERCENT, HCL_OP_MODULO, 6},
};

static int operator_level(enum hcl_token_type token, enum hcl_op *ret)
{
        for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
                if (operators[i].token == token) {
                        *ret = operators[i].op;
                        return operators[i].level;
                }
        }
        return 0;
}

/* Operators of `lowest` and tighter ones; all are left-associative. Recursion goes up the levels only. */
static const struct hcl_expr *binary(struct parser *parser, int lowest)
{
        const struct hcl_expr *left = parser_with_traversals(parser);
        enum hcl_op op;
        int level;

        while (left && (level = operator_level(parser_peek(parser)->type, &op)) >= lowest && level > 0) {
                struct range at = parser_range(parser, parser_next(parser));
                const struct hcl_expr *right = binary(parser, level + 1);
                struct hcl_expr *expr;

                if (!right)
                        return NULL;
                expr = parser_node(parser, HCL_EXPR_BINARY, range_between(left->range, right->range));
                expr->op = op;
                expr->name_range = at;
                expr->binary.left = left;
                expr->binary.right = right;
                left = parser_adopt(parser, parser_adopt(parser, expr, left), right);
        }
        return left;
}

/* What follows "condition ?". */
static const struct hcl_expr *conditional(struct parser *parser, const struct hcl_expr *condition)
{
        struct range mark = parser_range(parser, parser_next(parser));
        const struct hcl_expr *yes = parser_expression(parser), *no;
        struct hcl_expr *expr;

        if (!yes || !parser_expect(parser, HCL_TOKEN_COLON, "':'", "A choice is written CONDITION ? YES : NO."))
                return NULL;
        no = parser_expression(parser);
        if (!no)
                return NULL;
        expr = parser_node(parser, HCL_EXPR_CONDITIONAL, range_between(condition->range, no->range));
        expr->name_range = mark;
        expr->conditional.condition = condition;
        expr->conditional.yes = yes;
        expr->conditional.no = no;
        expr = parser_adopt(parser, parser_adopt(parser, expr, condition), yes);
        return parser_adopt(parser, expr, no);
}

const struct hcl_expr *parser_expression(struct parser *parser)
{
        const struct hcl_expr *expr;

        if (!parser_enter(parser))
                return NULL;
        expr = binary(parser, 1);
        if (expr && parser_at(parser, HCL_TOKEN_QUESTION))
                expr = conditional(parser, expr);
        parser_leave(parser);
        return expr;
}
