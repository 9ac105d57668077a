/* Tokens, messages and nodes for the parser: see parser.h. */
#include "hcl/parser.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct parser parser_new(struct arena *arena, const struct hcl_tokens *tokens, struct diags *diags)
{
        return (struct parser){.arena = arena,
                               .diags = diags,
                               .source = tokens->source,
                               .tokens = tokens->v,
                               .newlines = true,
                               .limit = diags->n_errors + PARSER_MISTAKES_MAX};
}

const struct hcl_token *parser_peek(struct parser *parser)
{
        const struct hcl_token *token = &parser->tokens[parser->pos];

        while (parser->stopped && token->type != HCL_TOKEN_EOF)
                token = &parser->tokens[++parser->pos];
        while (token->type == HCL_TOKEN_COMMENT || (token->type == HCL_TOKEN_NEWLINE && !parser->newlines))
                token = &parser->tokens[++parser->pos];
        return token;
}

const struct hcl_token *parser_next(struct parser *parser)
{
        const struct hcl_token *token = parser_peek(parser);

        parser->last = parser->pos;
        if (token->type != HCL_TOKEN_EOF)
                parser->pos++;
        return token;
}

bool parser_at(struct parser *parser, enum hcl_token_type type)
{
        return parser_peek(parser)->type == type;
}

bool parser_accept(struct parser *parser, enum hcl_token_type type)
{
        if (!parser_at(parser, type))
                return false;
        parser_next(parser);
        return true;
}

bool parser_is_word(const struct parser *parser, const struct hcl_token *token, const char *word)
{
        size_t n = strlen(word);

        return token->type == HCL_TOKEN_IDENT && token->end - token->start == n &&
               memcmp(parser->source->text + token->start, word, n) == 0;
}

bool parser_accept_word(struct parser *parser, const char *word)
{
        if (!parser_is_word(parser, parser_peek(parser), word))
                return false;
        parser_next(parser);
        return true;
}

struct range parser_span(const struct parser *parser, size_t start, size_t end)
{
        return parser->at ? *parser->at : (struct range){.source = parser->source, .start = start, .end = end};
}

struct range parser_range(const struct parser *parser, const struct hcl_token *token)
{
        return parser_span(parser, token->start, token->end);
}

struct range parser_last_range(const struct parser *parser)
{
        return parser_range(parser, &parser->tokens[parser->last]);
}

struct range range_between(struct range from, struct range to)
{
        return (struct range){.source = from.source, .start = from.start, .end = to.end};
}

struct range range_start(struct range range)
{
        return (struct range){.source = range.source, .start = range.start, .end = range.start};
}

const char *parser_text(struct parser *parser, const struct hcl_token *token)
{
        return arena_strndup(parser->arena, parser->source->text + token->start, token->end - token->start);
}

void parser_error(struct parser *parser, struct range at, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list ap;

        if (parser->failed)
                return;
        parser->failed = true;
        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        diag_error(parser->diags, at, "%s", text);
        if (parser->diags->n_errors >= parser->limit)
                parser->stopped = true;
}

void parser_expected(struct parser *parser, const char *what, const char *hint)
{
        const struct hcl_token *token = parser_peek(parser);
        CLEANUP_FREE char *raw = NULL, *shown = NULL;
        struct range at = parser_range(parser, token);
        bool told = parser->failed;

        /* the lexer has complained: about what is no token, or about a quote that is missing */
        if (token->type == HCL_TOKEN_INVALID || (token->type != HCL_TOKEN_EOF && token->start == token->end)) {
                parser->failed = true;
                return;
        }
        raw = xstrndup(parser->source->text + token->start, token->end - token->start);
        shown = str_printable(raw);
        if (token->type == HCL_TOKEN_EOF)
                parser_error(parser, at, "%s was expected here, but the text ends", what);
        else if (token->type == HCL_TOKEN_NEWLINE)
                parser_error(parser, at, "%s was expected here, but the line ends", what);
        else if (token->type == HCL_TOKEN_QUOTED || token->type == HCL_TOKEN_TEXT || token->type == HCL_TOKEN_OHEREDOC)
                parser_error(parser, at, "%s was expected here, but a text follows", what);
        else
                parser_error(parser, at, "%s was expected here, not '%s'", what, shown);
        if (hint && !told)
                diag_detail(parser->diags, "%s", hint);
}

bool parser_expect(struct parser *parser, enum hcl_token_type type, const char *what, const char *hint)
{
        if (parser_accept(parser, type))
                return true;
        parser_expected(parser, what, hint);
        return false;
}

static void too_deep(struct parser *parser, struct range at)
{
        parser_error(parser, at, "blocks, brackets and operators lie in each other more than %d levels deep",
                     HCL_MAX_DEPTH);
        parser->stopped = true;
}

bool parser_enter(struct parser *parser)
{
        if (parser->depth >= HCL_MAX_DEPTH) {
                too_deep(parser, parser_range(parser, parser_peek(parser)));
                return false;
        }
        parser->depth++;
        return true;
}

void parser_leave(struct parser *parser)
{
        parser->depth--;
}

struct hcl_expr *parser_node(struct parser *parser, enum hcl_expr_kind kind, struct range range)
{
        struct hcl_expr *expr = arena_alloc(parser->arena, sizeof(*expr));

        expr->kind = kind;
        expr->range = range;
        return expr;
}

const struct hcl_expr *parser_literal(struct parser *parser, const struct hcl_value *value, struct range range)
{
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_LITERAL, range);

        expr->literal = value;
        return expr;
}

const struct hcl_expr *hcl_unknown_expr(struct arena *arena, struct range range)
{
        struct hcl_expr *expr = arena_alloc(arena, sizeof(*expr));

        expr->kind = HCL_EXPR_LITERAL;
        expr->range = range;
        expr->literal = &hcl_unknown_any;
        return expr;
}

struct hcl_expr *parser_adopt(struct parser *parser, struct hcl_expr *parent, const struct hcl_expr *child)
{
        if (!parent || !child)
                return parent;
        if (child->height >= HCL_MAX_DEPTH) {
                too_deep(parser, parent->range);
                return NULL;
        }
        if (parent->height <= child->height)
                parent->height = (unsigned short)(child->height + 1);
        return parent;
}
