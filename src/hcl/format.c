/* See format.h. Every line has up to three cells: what leads, an assignment
 * from its '=' on, a comment at the end. Indentation follows the brackets, the
 * second and third cell are put into columns over consecutive lines. */
#include "hcl/format.h"

#include <errno.h>
#include <string.h>
#include <unigbrk.h>

#include "base/str.h"
#include "hcl/lex.h"
#include "hcl/syntax.h"

/* Tokens from one to before another. */
struct cell {
        size_t from, to;
};

struct line {
        struct cell lead, assign, comment;
};

struct layout {
        const struct source_text *source;
        const struct hcl_token *tokens;
        size_t *spaces; /* before each token */
        VEC(struct line) lines;
};

static bool is_empty(const struct cell *cell)
{
        return cell->from == cell->to;
}

static bool has_word(const struct layout *layout, size_t i, const char *word)
{
        const struct hcl_token *token = &layout->tokens[i];
        size_t n = strlen(word);

        return token->type == HCL_TOKEN_IDENT && token->end - token->start == n &&
               memcmp(layout->source->text + token->start, word, n) == 0;
}

/* 1 for what opens a bracket, -1 for what closes one. */
static int bracket(enum hcl_token_type type)
{
        switch ((int)type) {
        case HCL_TOKEN_OBRACE:
        case HCL_TOKEN_OBRACK:
        case HCL_TOKEN_OPAREN:
        case HCL_TOKEN_INTERP:
        case HCL_TOKEN_CONTROL:
                return 1;
        case HCL_TOKEN_CBRACE:
        case HCL_TOKEN_CBRACK:
        case HCL_TOKEN_CPAREN:
        case HCL_TOKEN_SEQ_END:
                return -1;
        default:
                return 0;
        }
}

static int net_brackets(const struct layout *layout, const struct cell *cell)
{
        int net = 0;

        for (size_t i = cell->from; i < cell->to; i++)
                net += bracket(layout->tokens[i].type);
        return net;
}

/* ---- cells ---- */

/* A comment that ends its line: one that began with # or //, or ends the file. */
static bool ends_line(const struct layout *layout, size_t i)
{
        const struct hcl_token *token = &layout->tokens[i];
        bool long_one = layout->source->text[token->start] == '/' && layout->source->text[token->start + 1] == '*';

        return token->type == HCL_TOKEN_COMMENT && (!long_one || token[1].type == HCL_TOKEN_EOF);
}

/* Tokens of one line, without its end. An assignment is a cell of its own only if it ends in its line. */
static struct line split_line(const struct layout *layout, size_t from, size_t to)
{
        struct line line = {.lead = {from, to}};

        if (to - from > 1 && ends_line(layout, to - 1)) {
                line.comment = (struct cell){to - 1, to};
                line.lead.to = to - 1;
        }
        for (size_t i = from + 1; i < line.lead.to; i++) {
                struct cell rest = {i, line.lead.to};

                if (layout->tokens[i].type != HCL_TOKEN_EQUAL)
                        continue;
                if (net_brackets(layout, &rest) == 0) {
                        line.assign = rest;
                        line.lead.to = i;
                }
                break;
        }
        return line;
}

static void split_lines(struct layout *layout)
{
        size_t from = 0;

        for (size_t i = 0;; i++) {
                enum hcl_token_type type = layout->tokens[i].type;

                if (type != HCL_TOKEN_NEWLINE && type != HCL_TOKEN_EOF)
                        continue;
                vec_push(&layout->lines, split_line(layout, from, i));
                from = i + 1;
                if (type == HCL_TOKEN_EOF)
                        break;
        }
}

/* ---- indentation ---- */

struct indents {
        VEC(int) open; /* for each level: how many brackets its line left open */
};

/* Levels end when all the brackets of the line that began them are closed. */
static void close_brackets(struct indents *indents, int closed)
{
        while (closed > 0 && indents->open.n > 0) {
                int *last = &indents->open.v[indents->open.n - 1];

                if (closed < *last) {
                        *last -= closed;
                        return;
                }
                closed -= *last;
                indents->open.n--;
        }
}

static void indent(struct layout *layout)
{
        struct indents indents = {0};

        for (size_t i = 0; i < layout->lines.n; i++) {
                const struct line *line = &layout->lines.v[i];
                struct cell lead = line->lead;
                int net;

                if (is_empty(&lead))
                        continue;
                for (size_t j = lead.from; j < lead.to; j++) /* what follows a heredoc is its own affair */
                        if (layout->tokens[j].type == HCL_TOKEN_OHEREDOC)
                                lead.to = j + 1;
                net = net_brackets(layout, &lead) + net_brackets(layout, &line->assign);
                if (net < 0)
                        close_brackets(&indents, -net);
                layout->spaces[line->lead.from] = 2 * indents.open.n;
                if (net > 0)
                        vec_push(&indents.open, net);
        }
        vec_free(&indents.open);
}

/* ---- spaces ---- */

/* Is a minus after this token a sign, not an operator? */
static bool is_sign_after(enum hcl_token_type type)
{
        switch ((int)type) {
        case HCL_TOKEN_EOF: /* none: the line begins */
        case HCL_TOKEN_OPAREN:
        case HCL_TOKEN_OBRACE:
        case HCL_TOKEN_OBRACK:
        case HCL_TOKEN_EQUAL:
        case HCL_TOKEN_COLON:
        case HCL_TOKEN_COMMA:
        case HCL_TOKEN_QUESTION:
        case HCL_TOKEN_PLUS:
        case HCL_TOKEN_STAR:
        case HCL_TOKEN_SLASH:
        case HCL_TOKEN_PERCENT:
        case HCL_TOKEN_MINUS:
        case HCL_TOKEN_EQUAL_EQUAL:
        case HCL_TOKEN_NOT_EQUAL:
        case HCL_TOKEN_GREATER:
        case HCL_TOKEN_GREATER_EQUAL:
        case HCL_TOKEN_LESS:
        case HCL_TOKEN_LESS_EQUAL:
        case HCL_TOKEN_AND:
        case HCL_TOKEN_OR:
        case HCL_TOKEN_BANG:
                return true;
        default:
                return false;
        }
}

static bool is_sequence(enum hcl_token_type type)
{
        return type == HCL_TOKEN_INTERP || type == HCL_TOKEN_CONTROL;
}

static bool is_text(enum hcl_token_type type)
{
        return type == HCL_TOKEN_QUOTED || type == HCL_TOKEN_TEXT;
}

/* Two tokens that are never apart. */
static bool sticks(enum hcl_token_type type, enum hcl_token_type next)
{
        return (type == HCL_TOKEN_IDENT && next == HCL_TOKEN_OPAREN) || type == HCL_TOKEN_DOT ||
               next == HCL_TOKEN_DOT || type == HCL_TOKEN_DOUBLE_COLON || next == HCL_TOKEN_DOUBLE_COLON ||
               next == HCL_TOKEN_COMMA || next == HCL_TOKEN_ELLIPSIS;
}

static bool sticks_in_template(enum hcl_token_type type, enum hcl_token_type next)
{
        return is_text(type) || is_text(next) || type == HCL_TOKEN_OQUOTE || type == HCL_TOKEN_OHEREDOC ||
               next == HCL_TOKEN_CQUOTE || next == HCL_TOKEN_CHEREDOC;
}

/* "2 .3" and "2. 3" are indexes of a number, "2.3" another number. */
static bool would_merge(const struct layout *layout, enum hcl_token_type before, size_t i)
{
        const struct hcl_token *token = &layout->tokens[i];

        if (token->end == token[1].start)
                return false;
        if (token->type == HCL_TOKEN_DOT)
                return before == HCL_TOKEN_NUMBER && token[-1].end == token->start && token[1].type == HCL_TOKEN_NUMBER;
        return token->type == HCL_TOKEN_NUMBER && token[1].type == HCL_TOKEN_DOT;
}

/* A space between token i and the one after it? `before` is the type of the one before it, EOF for none.
 * The first rule that fits decides. */
static bool wants_space(const struct layout *layout, enum hcl_token_type before, size_t i)
{
        enum hcl_token_type type = layout->tokens[i].type, next = layout->tokens[i + 1].type;

        if (sticks(type, next))
                return would_merge(layout, before, i);
        if (type == HCL_TOKEN_COMMA)
                return true;
        if (sticks_in_template(type, next))
                return false;
        if (has_word(layout, i, "in") && before == HCL_TOKEN_IDENT)
                return true; /* [for x in [a]: x], not in[a] */
        if (next == HCL_TOKEN_OBRACK && (type == HCL_TOKEN_IDENT || type == HCL_TOKEN_NUMBER || bracket(type) < 0))
                return false;
        if (type == HCL_TOKEN_BANG)
                return false;
        if (type == HCL_TOKEN_MINUS)
                return !is_sign_after(before);
        if (type == HCL_TOKEN_OBRACE || next == HCL_TOKEN_CBRACE)
                return !(type == HCL_TOKEN_OBRACE && next == HCL_TOKEN_CBRACE);
        if ((is_sequence(type) && next == HCL_TOKEN_OBRACE) || (type == HCL_TOKEN_CBRACE && next == HCL_TOKEN_SEQ_END))
                return true;
        if (type == HCL_TOKEN_SEQ_END && is_sequence(next))
                return false;
        return bracket(type) <= 0 && bracket(next) >= 0;
}

static void space_cell(struct layout *layout, const struct cell *cell)
{
        for (size_t i = cell->from; i + 1 < cell->to; i++) {
                enum hcl_token_type before = i > cell->from ? layout->tokens[i - 1].type : HCL_TOKEN_EOF;

                layout->spaces[i + 1] = wants_space(layout, before, i);
        }
}

/* ---- columns ---- */

/* Characters as a reader counts them. */
static size_t width(const char *s, size_t n)
{
        const uint8_t *at = (const uint8_t *)s, *end = at + n;
        size_t count = 0;

        while (at && at < end) {
                bool plain = *at < 0x80 && *at != '\r' && (at + 1 == end || at[1] < 0x80);

                at = plain ? at + 1 : u8_grapheme_next(at, end);
                count++;
        }
        return count;
}

static size_t cell_width(const struct layout *layout, const struct cell *cell)
{
        size_t columns = 0;

        for (size_t i = cell->from; i < cell->to; i++) {
                const struct hcl_token *token = &layout->tokens[i];

                columns += layout->spaces[i] + width(layout->source->text + token->start, token->end - token->start);
        }
        return columns;
}

/* The cell that is put into a column, and the width of what stands before it. */
static const struct cell *column_cell(const struct line *line, bool comments)
{
        return comments ? &line->comment : &line->assign;
}

static size_t width_before(const struct layout *layout, const struct line *line, bool comments)
{
        return cell_width(layout, &line->lead) + (comments ? cell_width(layout, &line->assign) : 0);
}

/* Consecutive lines with that cell: one column, a space behind the widest. */
static void align(struct layout *layout, bool comments)
{
        size_t i = 0;

        while (i < layout->lines.n) {
                size_t widest = 0, start = i;

                for (; i < layout->lines.n && !is_empty(column_cell(&layout->lines.v[i], comments)); i++) {
                        size_t before = width_before(layout, &layout->lines.v[i], comments);

                        widest = before > widest ? before : widest;
                }
                for (size_t j = start; j < i; j++) {
                        const struct line *line = &layout->lines.v[j];

                        layout->spaces[column_cell(line, comments)->from] =
                                widest - width_before(layout, line, comments) + 1;
                }
                i += i == start;
        }
}

/* ---- texts ---- */

static void write_out(const struct layout *layout, struct str *out)
{
        for (size_t i = 0;; i++) {
                const struct hcl_token *token = &layout->tokens[i];

                for (size_t n = layout->spaces[i]; n > 0; n--)
                        str_addc(out, ' ');
                str_addn(out, layout->source->text + token->start, token->end - token->start);
                if (token->type == HCL_TOKEN_EOF)
                        break;
        }
}

static void format(struct layout *layout, size_t n_tokens, struct str *out)
{
        layout->spaces = xcalloc(n_tokens, sizeof(*layout->spaces));
        split_lines(layout);
        indent(layout);
        for (size_t i = 0; i < layout->lines.n; i++) {
                space_cell(layout, &layout->lines.v[i].lead);
                space_cell(layout, &layout->lines.v[i].assign);
        }
        align(layout, false);
        align(layout, true);
        write_out(layout, out);
        vec_free(&layout->lines);
        free(layout->spaces);
}

int hcl_format(const struct source_text *source, char **ret, size_t *ret_len, struct diags *diags)
{
        size_t errors_before = diags->n_errors;
        struct arena arena = {0};
        struct hcl_tokens tokens;
        struct layout layout = {.source = source};
        struct str out = {0};

        hcl_parse(&arena, source, diags);
        arena_free(&arena);
        if (diags->n_errors > errors_before)
                return -EINVAL;
        tokens = hcl_lex(source, diags);
        layout.tokens = tokens.v;
        format(&layout, tokens.n, &out);
        hcl_tokens_free(&tokens);
        *ret_len = out.len;
        *ret = str_steal(&out);
        return 0;
}
