/* Terms of expressions: literals, names, calls, parentheses, tuples, objects,
 * and "for". hclsyntax/spec.md, "Expression Terms". */
#include <string.h>

#include "base/vec.h"
#include "hcl/parser.h"

/* ---- calls ---- */

/* The arguments up to the closing parenthesis, which is read. */
static bool arguments(struct parser *parser, struct hcl_expr *call)
{
        VEC(const struct hcl_expr *) args = {0};
        bool ok = true;

        while (ok && !parser_accept(parser, HCL_TOKEN_CPAREN)) {
                const struct hcl_expr *arg = parser_expression(parser);

                ok = arg && parser_adopt(parser, call, arg);
                if (!ok)
                        break;
                vec_push(&args, arg);
                if (parser_accept(parser, HCL_TOKEN_ELLIPSIS)) {
                        call->call.expand = true;
                        ok = parser_expect(parser, HCL_TOKEN_CPAREN, "')'", "'...' follows the last argument only.");
                        break;
                }
                if (!parser_at(parser, HCL_TOKEN_CPAREN))
                        ok = parser_expect(parser, HCL_TOKEN_COMMA, "',' or ')'", NULL);
        }
        call->call.v = arena_memdup(parser->arena, args.v, args.n * sizeof(*args.v));
        call->call.n = args.n;
        vec_free(&args);
        return ok;
}

/* The name was read (from its first token on); '(' is next. */
static const struct hcl_expr *call(struct parser *parser, const struct hcl_token *first)
{
        struct range name = range_between(parser_range(parser, first), parser_last_range(parser));
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_CALL, name);
        bool newlines = parser->newlines;

        expr->name_range = name;
        expr->call.name = arena_strndup(parser->arena, parser->source->text + first->start,
                                        parser->tokens[parser->last].end - first->start);
        parser_next(parser);
        parser->newlines = false;
        if (!arguments(parser, expr))
                return NULL;
        parser->newlines = newlines;
        expr->range = range_between(name, parser_last_range(parser));
        return expr;
}

static const struct hcl_expr *name_or_call(struct parser *parser)
{
        const struct hcl_token *token = parser_next(parser);
        struct range at = parser_range(parser, token);
        struct hcl_expr *expr;

        if (parser_at(parser, HCL_TOKEN_DOUBLE_COLON)) {
                while (parser_accept(parser, HCL_TOKEN_DOUBLE_COLON))
                        if (!parser_expect(parser, HCL_TOKEN_IDENT, "the name of a function", NULL))
                                return NULL;
                if (!parser_at(parser, HCL_TOKEN_OPAREN)) {
                        parser_expected(parser, "'(' of a call", "Names with '::' are those of functions.");
                        return NULL;
                }
        }
        if (parser_at(parser, HCL_TOKEN_OPAREN))
                return call(parser, token);
        if (parser_is_word(parser, token, "true") || parser_is_word(parser, token, "false"))
                return parser_literal(parser, parser_is_word(parser, token, "true") ? &hcl_true : &hcl_false, at);
        if (parser_is_word(parser, token, "null"))
                return parser_literal(parser, &hcl_null_any, at);
        expr = parser_node(parser, HCL_EXPR_VARIABLE, at);
        expr->name_range = at;
        expr->attr.name = parser_text(parser, token);
        return expr;
}

/* ---- brackets ---- */

static const struct hcl_expr *parentheses(struct parser *parser)
{
        struct range open = parser_range(parser, parser_next(parser));
        bool newlines = parser->newlines;
        const struct hcl_expr *operand;
        struct hcl_expr *expr;

        parser->newlines = false;
        operand = parser_expression(parser);
        if (!operand || !parser_expect(parser, HCL_TOKEN_CPAREN, "')'", NULL))
                return NULL;
        parser->newlines = newlines;
        expr = parser_node(parser, HCL_EXPR_PARENS, range_between(open, parser_last_range(parser)));
        expr->attr.operand = operand;
        return parser_adopt(parser, expr, operand);
}

bool parser_for_names(struct parser *parser, const char **ret_key, const char **ret_value)
{
        static const char hint[] = "It is written: for VALUE in COLLECTION, or: for KEY, VALUE in COLLECTION.";

        *ret_key = NULL;
        if (!parser_expect(parser, HCL_TOKEN_IDENT, "a name for the elements", hint))
                return false;
        *ret_value = parser_text(parser, &parser->tokens[parser->last]);
        if (parser_accept(parser, HCL_TOKEN_COMMA)) {
                *ret_key = *ret_value;
                if (!parser_expect(parser, HCL_TOKEN_IDENT, "a name for the elements", hint))
                        return false;
                *ret_value = parser_text(parser, &parser->tokens[parser->last]);
        }
        if (parser_accept_word(parser, "in"))
                return true;
        parser_expected(parser, "the word 'in'", hint);
        return false;
}

/* From the colon to the closing bracket. */
static bool for_result(struct parser *parser, struct hcl_for *loop, bool is_object)
{
        struct range at;

        loop->value = parser_expression(parser);
        if (loop->value && parser_accept(parser, HCL_TOKEN_FAT_ARROW)) {
                loop->key = loop->value;
                loop->value = parser_expression(parser);
        }
        if (!loop->value)
                return false;
        if (is_object && !loop->key)
                parser_error(parser, loop->value->range, "in {for ...} a key and a value are made: KEY => VALUE");
        if (!is_object && loop->key)
                parser_error(parser, loop->key->range, "in [for ...] no key is made; write {for ... : KEY => VALUE}");
        at = parser_range(parser, parser_peek(parser));
        loop->group = parser_accept(parser, HCL_TOKEN_ELLIPSIS);
        if (loop->group && !is_object)
                parser_error(parser, at, "'...' groups by keys, which are made in {for ...} only");
        if (parser_accept_word(parser, "if")) {
                loop->condition = parser_expression(parser);
                if (!loop->condition)
                        return false;
        }
        return parser_expect(parser, is_object ? HCL_TOKEN_CBRACE : HCL_TOKEN_CBRACK, is_object ? "'}'" : "']'",
                             NULL) &&
               !parser->failed;
}

/* [for ...] or {for ...}; the word "for" is next. */
static const struct hcl_expr *for_expression(struct parser *parser, struct range open, bool is_object)
{
        struct hcl_for *loop = arena_alloc(parser->arena, sizeof(*loop));
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_FOR, open);
        bool newlines = parser->newlines;

        parser->newlines = false;
        expr->name_range = parser_range(parser, parser_next(parser));
        expr->loop = loop;
        if (!parser_for_names(parser, &loop->key_name, &loop->value_name))
                return NULL;
        loop->collection = parser_expression(parser);
        if (!loop->collection || !parser_expect(parser, HCL_TOKEN_COLON, "':'", NULL) ||
            !for_result(parser, loop, is_object))
                return NULL;
        parser->newlines = newlines;
        expr->range = range_between(open, parser_last_range(parser));
        expr = parser_adopt(parser, parser_adopt(parser, expr, loop->collection), loop->key);
        return parser_adopt(parser, parser_adopt(parser, expr, loop->value), loop->condition);
}

static const struct hcl_expr *tuple(struct parser *parser)
{
        struct range open = parser_range(parser, parser_next(parser));
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_TUPLE, open);
        VEC(const struct hcl_expr *) items = {0};
        bool newlines = parser->newlines, ok = true;

        parser->newlines = false;
        if (parser_is_word(parser, parser_peek(parser), "for")) {
                parser->newlines = newlines;
                return for_expression(parser, open, false);
        }
        while (ok && !parser_accept(parser, HCL_TOKEN_CBRACK)) {
                const struct hcl_expr *item = parser_expression(parser);

                ok = item && parser_adopt(parser, expr, item);
                if (!ok)
                        break;
                vec_push(&items, item);
                if (!parser_at(parser, HCL_TOKEN_CBRACK))
                        ok = parser_expect(parser, HCL_TOKEN_COMMA, "',' or ']'", NULL);
        }
        parser->newlines = newlines;
        expr->range = range_between(open, parser_last_range(parser));
        expr->items.v = arena_memdup(parser->arena, items.v, items.n * sizeof(*items.v));
        expr->items.n = items.n;
        vec_free(&items);
        return ok ? expr : NULL;
}

/* ---- objects ---- */

/* Is it a.b or a[0], which could be meant as a name with a point in it? */
static bool is_reference(const struct hcl_expr *key)
{
        if (key->kind != HCL_EXPR_ATTR && key->kind != HCL_EXPR_INDEX)
                return false;
        while (key->kind == HCL_EXPR_ATTR || key->kind == HCL_EXPR_INDEX) {
                if (key->kind == HCL_EXPR_INDEX && key->index.index->kind != HCL_EXPR_LITERAL)
                        return false;
                key = key->kind == HCL_EXPR_ATTR ? key->attr.operand : key->index.operand;
        }
        return key->kind == HCL_EXPR_VARIABLE;
}

static const struct hcl_expr *pair_key(struct parser *parser)
{
        const struct hcl_token *token = parser_peek(parser);
        const struct hcl_expr *key = parser_expression(parser);

        if (!key)
                return NULL;
        if (is_reference(key)) {
                parser_error(parser, key->range, "it is not clear whether this key is a reference or a name");
                diag_detail(parser->diags, "A reference is written in parentheses: (a.b) = ...; a name in quotes: "
                                           "\"a.b\" = ...");
                return NULL;
        }
        /* true, false and null are names here */
        if (key->kind == HCL_EXPR_LITERAL && token->type == HCL_TOKEN_IDENT)
                key = parser_literal(parser, hcl_string_from(parser->arena, parser_text(parser, token)), key->range);
        return key;
}

/* KEY = VALUE and what separates it from the next. */
static bool pair(struct parser *parser, struct hcl_pair *ret)
{
        static const char hint[] = "A member is written KEY = VALUE; a key that is no plain name is written in quotes.";

        ret->key = pair_key(parser);
        if (!ret->key)
                return false;
        if (!parser_accept(parser, HCL_TOKEN_EQUAL) && !parser_accept(parser, HCL_TOKEN_COLON)) {
                parser_expected(parser, "'='", hint);
                return false;
        }
        ret->value = parser_expression(parser);
        if (!ret->value)
                return false;
        if (parser_at(parser, HCL_TOKEN_CBRACE) || parser_accept(parser, HCL_TOKEN_COMMA) ||
            parser_accept(parser, HCL_TOKEN_NEWLINE))
                return true;
        parser_expected(parser, "',', a new line or '}'", NULL);
        return false;
}

static const struct hcl_expr *object(struct parser *parser)
{
        struct range open = parser_range(parser, parser_next(parser));
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_OBJECT, open);
        VEC(struct hcl_pair) pairs = {0};
        bool newlines = parser->newlines, ok = true;
        struct hcl_pair next;
        size_t start = parser->pos;

        parser->newlines = false;
        if (parser_is_word(parser, parser_peek(parser), "for")) {
                parser->newlines = newlines;
                return for_expression(parser, open, true);
        }
        parser->newlines = true;
        parser->pos = start; /* newlines were passed over, which count here */
        while (ok && !parser_accept(parser, HCL_TOKEN_CBRACE)) {
                if (parser_accept(parser, HCL_TOKEN_NEWLINE))
                        continue;
                ok = pair(parser, &next) && parser_adopt(parser, expr, next.key) &&
                     parser_adopt(parser, expr, next.value);
                if (ok)
                        vec_push(&pairs, next);
        }
        parser->newlines = newlines;
        expr->range = range_between(open, parser_last_range(parser));
        expr->pairs.v = arena_memdup(parser->arena, pairs.v, pairs.n * sizeof(*pairs.v));
        expr->pairs.n = pairs.n;
        vec_free(&pairs);
        return ok ? expr : NULL;
}

/* ---- terms ---- */

static const struct hcl_expr *number(struct parser *parser)
{
        const struct hcl_token *token = parser_next(parser);
        const char *digits = parser_text(parser, token);
        const struct hcl_value *value = hcl_number_parse(parser->arena, digits);

        if (value)
                return parser_literal(parser, value, parser_range(parser, token));
        parser_error(parser, parser_range(parser, token), "'%s' is not a number", digits);
        return NULL;
}

/* It binds tighter than any operator between two terms. */
static const struct hcl_expr *unary(struct parser *parser, enum hcl_op op)
{
        struct range at = parser_range(parser, parser_next(parser));
        const struct hcl_expr *operand;
        struct hcl_expr *expr;

        if (!parser_enter(parser))
                return NULL;
        operand = parser_with_traversals(parser);
        parser_leave(parser);
        if (!operand)
                return NULL;
        expr = parser_node(parser, HCL_EXPR_UNARY, range_between(at, operand->range));
        expr->op = op;
        expr->name_range = at;
        expr->attr.operand = operand;
        return parser_adopt(parser, expr, operand);
}

const struct hcl_expr *parser_term(struct parser *parser)
{
        const struct hcl_token *token = parser_peek(parser);

        switch ((int)token->type) {
        case HCL_TOKEN_OPAREN:
                return parentheses(parser);
        case HCL_TOKEN_NUMBER:
                return number(parser);
        case HCL_TOKEN_IDENT:
                return name_or_call(parser);
        case HCL_TOKEN_OQUOTE:
                return parser_template(parser, parser_next(parser), HCL_TOKEN_CQUOTE);
        case HCL_TOKEN_OHEREDOC:
                return parser_template(parser, parser_next(parser), HCL_TOKEN_CHEREDOC);
        case HCL_TOKEN_MINUS:
                return unary(parser, HCL_OP_NEGATE);
        case HCL_TOKEN_BANG:
                return unary(parser, HCL_OP_NOT);
        case HCL_TOKEN_OBRACK:
                return tuple(parser);
        case HCL_TOKEN_OBRACE:
                return object(parser);
        default:
                parser_expected(parser, "a value", NULL);
                return NULL;
        }
}
