/* What the parts of the parser share: parse.c reads bodies, parse_expr.c
 * operators and what follows a term, parse_term.c terms, parse_template.c
 * templates.
 *
 * Every reader returns NULL after a syntax error, whose message is in diags
 * then; parse.c goes on after the argument or block in which it was. */
#pragma once

#include "hcl/lex.h"
#include "hcl/syntax.h"

/* Reading stops after so many errors. */
enum { PARSER_MISTAKES_MAX = 20 };

struct parser {
        struct arena *arena;
        struct diags *diags;
        const struct source_text *source;
        const struct range *at;         /* all places are this one: a string of JSON with escapes; or NULL */
        const struct hcl_token *tokens; /* up to HCL_TOKEN_EOF */
        size_t pos, last;               /* the next token, and the one read last */
        bool newlines;                  /* they end what is being read; else they are passed over */
        bool failed;                    /* something is wrong with this argument or block, and was said */
        bool stopped;                   /* no more tokens are given out */
        size_t limit;                   /* reading stops after so many errors */
        int depth;
};

/* A parser of these tokens. It stops after some more errors. */
struct parser parser_new(struct arena *arena, const struct hcl_tokens *tokens, struct diags *diags);

/* ---- tokens ---- */

const struct hcl_token *parser_peek(struct parser *parser);
const struct hcl_token *parser_next(struct parser *parser);
bool parser_at(struct parser *parser, enum hcl_token_type type);
/* Reads the next token if it is of the type. */
bool parser_accept(struct parser *parser, enum hcl_token_type type);
/* Is it this bare word? */
bool parser_is_word(const struct parser *parser, const struct hcl_token *token, const char *word);
bool parser_accept_word(struct parser *parser, const char *word);
struct range parser_range(const struct parser *parser, const struct hcl_token *token);
/* From one byte of the source to another. */
struct range parser_span(const struct parser *parser, size_t start, size_t end);
struct range parser_last_range(const struct parser *parser);
struct range range_between(struct range from, struct range to);
struct range range_start(struct range range); /* empty */
/* The token's text, in the arena. */
const char *parser_text(struct parser *parser, const struct hcl_token *token);

/* ---- messages: one for each argument or block ---- */

void parser_error(struct parser *parser, struct range at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* "WHAT was expected here, but ... follows"; hint may be NULL. */
void parser_expected(struct parser *parser, const char *what, const char *hint);
/* Reads the token or complains. */
bool parser_expect(struct parser *parser, enum hcl_token_type type, const char *what, const char *hint);
/* One level deeper; false, with a message, where that is too deep. Each true is followed by parser_leave(). */
bool parser_enter(struct parser *parser);
void parser_leave(struct parser *parser);

/* ---- the tree ---- */

struct hcl_expr *parser_node(struct parser *parser, enum hcl_expr_kind kind, struct range range);
const struct hcl_expr *parser_literal(struct parser *parser, const struct hcl_value *value, struct range range);
/* In place of an expression that cannot be read: what depends on it is not complained about again. */
const struct hcl_expr *hcl_unknown_expr(struct arena *arena, struct range range);
/* child is a child of parent. NULL, with a message, if the tree becomes too
 * high: evaluation descends into it. Returns parent. */
struct hcl_expr *parser_adopt(struct parser *parser, struct hcl_expr *parent, const struct hcl_expr *child);

/* ---- readers ---- */

const struct hcl_expr *parser_expression(struct parser *parser);
const struct hcl_expr *parser_term(struct parser *parser);
const struct hcl_expr *parser_with_traversals(struct parser *parser);
/* After the opener was read, up to the closer, which is read. */
const struct hcl_expr *parser_template(struct parser *parser, const struct hcl_token *open, enum hcl_token_type close);
/* Arguments of the same name: messages. */
void parser_check_twice(const struct hcl_attr *attrs, size_t n, struct diags *diags);
/* A string without sequences in it: a block's label. The opening quote is next. */
const char *parser_plain_string(struct parser *parser, struct range *ret_range);
/* `name` or `key, name`, and `in`. False after an error. */
bool parser_for_names(struct parser *parser, const char **ret_key, const char **ret_value);
