/* Bodies of HCL's native syntax: arguments and blocks. hclsyntax/spec.md,
 * "Structural Elements". After an error reading goes on behind the argument or
 * block in which it was, so that each of them gives at most one message. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hcl/parser.h"

struct items {
        VEC(struct hcl_attr) attrs;
        VEC(struct hcl_block) blocks;
};

static struct hcl_body *read_body(struct parser *parser, enum hcl_token_type end, struct range open);

/* ---- going on after errors ---- */

static enum hcl_token_type opener_of(enum hcl_token_type closer)
{
        switch ((int)closer) {
        case HCL_TOKEN_CBRACE:
                return HCL_TOKEN_OBRACE;
        case HCL_TOKEN_CBRACK:
                return HCL_TOKEN_OBRACK;
        case HCL_TOKEN_CPAREN:
                return HCL_TOKEN_OPAREN;
        case HCL_TOKEN_CQUOTE:
                return HCL_TOKEN_OQUOTE;
        case HCL_TOKEN_CHEREDOC:
                return HCL_TOKEN_OHEREDOC;
        case HCL_TOKEN_SEQ_END:
                return HCL_TOKEN_INTERP; /* and CONTROL, which is kept as that */
        default:
                return HCL_TOKEN_EOF;
        }
}

static bool is_opener(enum hcl_token_type type)
{
        return type == HCL_TOKEN_OBRACE || type == HCL_TOKEN_OBRACK || type == HCL_TOKEN_OPAREN ||
               type == HCL_TOKEN_OQUOTE || type == HCL_TOKEN_OHEREDOC || type == HCL_TOKEN_INTERP ||
               type == HCL_TOKEN_CONTROL;
}

/* Behind the item that begins at `start`: at the end of a line outside of all
 * brackets that were opened since, or before a brace that closes the body. */
static void skip_item(struct parser *parser, size_t start, bool in_block)
{
        VEC(enum hcl_token_type) open = {0};
        size_t n_open[HCL_TOKEN_INVALID + 1] = {0}; /* of each kind */
        size_t i = start;

        for (; parser->tokens[i].type != HCL_TOKEN_EOF; i++) {
                enum hcl_token_type type = parser->tokens[i].type, opener = opener_of(type);

                if (type == HCL_TOKEN_NEWLINE && open.n == 0)
                        break;
                if (is_opener(type)) {
                        vec_push(&open, type == HCL_TOKEN_CONTROL ? HCL_TOKEN_INTERP : type);
                        n_open[open.v[open.n - 1]]++;
                }
                if (opener == HCL_TOKEN_EOF)
                        continue;
                if (n_open[opener] == 0 && type == HCL_TOKEN_CBRACE && in_block)
                        break;
                for (bool closed = n_open[opener] == 0; !closed && open.n > 0; open.n--) { /* and what is inside */
                        closed = open.v[open.n - 1] == opener;
                        n_open[open.v[open.n - 1]]--;
                }
        }
        vec_free(&open);
        parser->pos = i;
        parser->newlines = true;
}

/* ---- arguments ---- */

static const char newline_hint[] = "Each argument and each block begins on a line of its own.";

static bool read_attribute(struct parser *parser, const struct hcl_token *name, struct hcl_attr *ret)
{
        ret->name = parser_text(parser, name);
        ret->name_range = parser_range(parser, name);
        parser_next(parser); /* '=' */
        ret->expr = parser_expression(parser);
        ret->range = range_between(ret->name_range, parser_last_range(parser));
        if (ret->expr)
                return true;
        ret->expr = hcl_unknown_expr(parser->arena, ret->range);
        return false;
}

/* The end of the line after an argument or block. */
static void read_line_end(struct parser *parser, const char *what)
{
        if (parser_at(parser, HCL_TOKEN_EOF) || parser_accept(parser, HCL_TOKEN_NEWLINE))
                return;
        if (parser_at(parser, HCL_TOKEN_COMMA))
                parser_error(parser, parser_range(parser, parser_peek(parser)),
                             "%s ends with its line, not with a comma", what);
        else
                parser_expected(parser, "the end of the line", newline_hint);
}

/* ---- blocks ---- */

/* Is a newline next, and the brace of a block in one of the next lines? */
static bool brace_is_late(struct parser *parser)
{
        size_t i = parser->pos;

        if (!parser_at(parser, HCL_TOKEN_NEWLINE))
                return false;
        while (parser->tokens[i].type == HCL_TOKEN_NEWLINE || parser->tokens[i].type == HCL_TOKEN_COMMENT)
                i++;
        return parser->tokens[i].type == HCL_TOKEN_OBRACE;
}

/* What is in the block is read as if it stood where it should. */
static void take_late_brace(struct parser *parser)
{
        while (parser_accept(parser, HCL_TOKEN_NEWLINE))
                ;
        parser_error(parser, parser_range(parser, parser_peek(parser)),
                     "the '{' of a block stands in the line in which the block begins");
}

static bool read_labels(struct parser *parser, struct hcl_block *ret)
{
        static const char hint[] = "A block is written: type \"label\" { ... }, with the brace in the same line. An "
                                   "argument is written: name = value.";
        VEC(struct hcl_label) labels = {0};
        bool ok = true;

        while (ok && !parser_accept(parser, HCL_TOKEN_OBRACE)) {
                struct hcl_label label;

                if (brace_is_late(parser)) {
                        take_late_brace(parser);
                        continue;
                }
                if (parser_at(parser, HCL_TOKEN_OQUOTE)) {
                        label.text = parser_plain_string(parser, &label.range);
                } else if (parser_accept(parser, HCL_TOKEN_IDENT)) {
                        label.text = parser_text(parser, &parser->tokens[parser->last]);
                        label.range = parser_last_range(parser);
                } else {
                        parser_expected(parser, "a label or '{'", hint);
                        label.text = NULL;
                }
                ok = label.text;
                if (ok)
                        vec_push(&labels, label);
        }
        ret->labels = arena_memdup(parser->arena, labels.v, labels.n * sizeof(*labels.v));
        ret->n_labels = labels.n;
        vec_free(&labels);
        return ok;
}

/* No '=' follows the first word on the line. A block in the block is named as a whole. */
static void not_one_line(struct parser *parser, const struct hcl_token *name, const char *hint)
{
        bool told = parser->failed;

        if (!parser_at(parser, HCL_TOKEN_OBRACE) && !parser_at(parser, HCL_TOKEN_OQUOTE) &&
            !parser_at(parser, HCL_TOKEN_IDENT)) {
                parser_expected(parser, "'='", hint);
                return;
        }
        parser_error(parser, range_between(parser_range(parser, name), parser_range(parser, parser_peek(parser))),
                     "a block on one line cannot hold another block");
        if (!told)
                diag_detail(parser->diags, "%s", hint);
}

/* type { name = value } on one line. The brace was read. */
static struct hcl_body *read_one_line(struct parser *parser, struct range open)
{
        static const char hint[] = "In one line a block holds one argument: block { name = value }. For more, begin a "
                                   "new line after '{'.";
        struct hcl_body *body = arena_alloc(parser->arena, sizeof(*body));
        struct hcl_attr *attr = arena_alloc(parser->arena, sizeof(*attr));
        const struct hcl_token *name = parser_peek(parser);

        if (!parser_expect(parser, HCL_TOKEN_IDENT, "the name of an argument", hint))
                return NULL;
        if (!parser_at(parser, HCL_TOKEN_EQUAL)) {
                not_one_line(parser, name, hint);
                return NULL;
        }
        if (!read_attribute(parser, name, attr) || !parser_expect(parser, HCL_TOKEN_CBRACE, "'}'", hint))
                return NULL;
        body->attrs = attr;
        body->n_attrs = 1;
        body->end = parser_last_range(parser);
        body->range = range_between(open, body->end);
        body->missing = range_start(open);
        body->depth = parser->depth;
        return body;
}

static bool read_block(struct parser *parser, const struct hcl_token *type, struct hcl_block *ret)
{
        struct range open;
        const struct hcl_token *next;

        ret->type = parser_text(parser, type);
        ret->type_range = parser_range(parser, type);
        if (!read_labels(parser, ret))
                return false;
        open = parser_last_range(parser);
        ret->open_range = range_between(ret->type_range, open);
        if (!parser_enter(parser))
                return false;
        next = parser_peek(parser);
        if (next->type == HCL_TOKEN_NEWLINE || next->type == HCL_TOKEN_EOF || next->type == HCL_TOKEN_CBRACE)
                ret->body = read_body(parser, HCL_TOKEN_CBRACE, open);
        else
                ret->body = read_one_line(parser, open);
        parser_leave(parser);
        if (!ret->body)
                return false;
        ret->close_range = ret->body->end;
        return true;
}

/* ---- bodies ---- */

/* An argument or a block; its name is next. */
static void read_item(struct parser *parser, struct items *items)
{
        static const char hint[] = "An argument is written: name = value; a block: type \"label\" { ... }.";
        const struct hcl_token *name = parser_next(parser);
        struct hcl_attr attr = {0};
        struct hcl_block block = {0};

        if (parser_at(parser, HCL_TOKEN_EQUAL)) {
                if (read_attribute(parser, name, &attr))
                        read_line_end(parser, "an argument");
                vec_push(&items->attrs, attr); /* in error too: it is not missing */
        } else if (parser_at(parser, HCL_TOKEN_OQUOTE) || parser_at(parser, HCL_TOKEN_OBRACE) ||
                   parser_at(parser, HCL_TOKEN_IDENT) || brace_is_late(parser)) {
                if (!read_block(parser, name, &block))
                        return;
                vec_push(&items->blocks, block);
                read_line_end(parser, "a block");
        } else {
                parser_error(parser, parser_range(parser, name), "%s",
                             parser_at(parser, HCL_TOKEN_COLON)
                                     ? "'=' was expected after the name of an argument, not ':'"
                                     : "'=' or '{' was expected after this name");
                diag_detail(parser->diags, "%s", hint);
        }
}

/* Everything up to the end, which is read. */
static void read_items(struct parser *parser, enum hcl_token_type end, struct range open, struct items *items)
{
        while (!parser_at(parser, end)) {
                size_t start = parser->pos;

                parser->failed = false;
                if (parser_accept(parser, HCL_TOKEN_NEWLINE))
                        continue;
                if (parser_at(parser, HCL_TOKEN_IDENT)) {
                        read_item(parser, items);
                } else if (parser_at(parser, HCL_TOKEN_EOF)) {
                        if (!parser->stopped) {
                                parser_error(parser, open, "this block is not closed: its '}' is missing");
                                parser->stopped = true; /* the blocks around it are not closed either */
                        }
                        break;
                } else if (parser_at(parser, HCL_TOKEN_OQUOTE)) {
                        parser_error(parser, parser_range(parser, parser_peek(parser)),
                                     "the name of an argument is written without quotes");
                } else {
                        parser_expected(parser, "the name of an argument or of a block", NULL);
                        parser_next(parser);
                        start = parser->pos;
                }
                if (parser->failed)
                        skip_item(parser, start, end == HCL_TOKEN_CBRACE);
                parser->stopped = parser->stopped || parser->diags->n_errors >= parser->limit ||
                                  (parser->failed && parser->tokens[parser->pos].type == HCL_TOKEN_EOF);
        }
        parser_next(parser);
}

static int compare_names(const void *a, const void *b)
{
        const struct hcl_attr *x = *(const struct hcl_attr *const *)a, *y = *(const struct hcl_attr *const *)b;
        int order = strcmp(x->name, y->name);

        return order != 0 ? order
                          : (x->name_range.start > y->name_range.start) - (x->name_range.start < y->name_range.start);
}

void parser_check_twice(const struct hcl_attr *attrs, size_t n, struct diags *diags)
{
        CLEANUP_FREE const struct hcl_attr **sorted = xcalloc(n + 1, sizeof(*sorted));
        size_t told = 0;
        unsigned int line, column;

        for (size_t i = 0; i < n; i++)
                sorted[i] = &attrs[i];
        if (n > 1)
                qsort(sorted, n, sizeof(*sorted), compare_names);
        for (size_t i = 1; i < n && told < PARSER_MISTAKES_MAX; i++) {
                if (!str_eq(sorted[i - 1]->name, sorted[i]->name))
                        continue;
                told++;
                range_position(&sorted[i - 1]->name_range, &line, &column);
                diag_error(diags, sorted[i]->name_range, "the argument '%s' is here twice", sorted[i]->name);
                diag_detail(diags, "It was first given in line %u. Keep one of them.", line);
        }
}

static struct hcl_body *read_body(struct parser *parser, enum hcl_token_type end, struct range open)
{
        struct hcl_body *body = arena_alloc(parser->arena, sizeof(*body));
        struct items items = {0};

        body->depth = parser->depth;
        read_items(parser, end, open, &items);
        parser_check_twice(items.attrs.v, items.attrs.n, parser->diags);
        parser->failed = false; /* what was wrong inside is told */
        body->end = parser_last_range(parser);
        body->range = range_between(open, body->end);
        body->missing = range_start(open);
        body->attrs = arena_memdup(parser->arena, items.attrs.v, items.attrs.n * sizeof(*items.attrs.v));
        body->n_attrs = items.attrs.n;
        body->blocks = arena_memdup(parser->arena, items.blocks.v, items.blocks.n * sizeof(*items.blocks.v));
        body->n_blocks = items.blocks.n;
        vec_free(&items.attrs);
        vec_free(&items.blocks);
        return body;
}

/* ---- whole texts ---- */

const struct hcl_body *hcl_parse(struct arena *arena, const struct source_text *source, struct diags *diags)
{
        struct hcl_tokens tokens = hcl_lex(source, diags);
        struct parser parser = parser_new(arena, &tokens, diags);
        const struct hcl_body *body;

        body = read_body(&parser, HCL_TOKEN_EOF, (struct range){.source = source});
        hcl_tokens_free(&tokens);
        return body;
}

const struct hcl_expr *hcl_parse_expr(struct arena *arena, const struct source_text *source, struct diags *diags)
{
        size_t errors_before = diags->n_errors;
        struct hcl_tokens tokens = hcl_lex(source, diags);
        struct parser parser = parser_new(arena, &tokens, diags);
        const struct hcl_expr *expr;

        parser.newlines = false;
        expr = parser_expression(&parser);
        if (expr && !parser_at(&parser, HCL_TOKEN_EOF))
                parser_expected(&parser, "the end of the expression", NULL);
        hcl_tokens_free(&tokens);
        return diags->n_errors > errors_before ? NULL : expr;
}

const struct hcl_expr *hcl_parse_template(struct arena *arena, const struct source_text *source, struct diags *diags)
{
        size_t errors_before = diags->n_errors;
        struct hcl_tokens tokens = hcl_lex_template(source, diags);
        struct parser parser = parser_new(arena, &tokens, diags);
        const struct hcl_expr *expr = parser_template(&parser, NULL, HCL_TOKEN_EOF);

        hcl_tokens_free(&tokens);
        return diags->n_errors > errors_before ? NULL : expr;
}
