/* Templates: text with ${ } and %{ } in quotes, in heredocs, or as a file of
 * their own (hclsyntax/spec.md, "Templates"). Read in two steps: into a row of
 * parts, in which strip markers and the indentation of <<- are worked off; and
 * from that into a tree. */
#include <string.h>
#include <unictype.h>
#include <unigbrk.h>
#include <unistr.h>

#include "base/str.h"
#include "hcl/parser.h"

enum part_kind { PART_TEXT, PART_INTERP, PART_IF, PART_ELSE, PART_ENDIF, PART_FOR, PART_ENDFOR };

struct part {
        enum part_kind kind;
        struct range range;
        const char *text; /* PART_TEXT: what its escapes stand for */
        size_t len;
        const struct hcl_expr *expr; /* interpolation; condition; collection */
        const char *key_name, *value_name;
};

struct parts {
        VEC(struct part) list;
        size_t pos; /* the tree is made up to here */
        struct range end;
};

/* ---- text ---- */

static int hex_value(const char *s, size_t digits)
{
        int value = 0;

        for (size_t i = 0; i < digits; i++) {
                const char *hex = "0123456789abcdef", *hit = s[i] ? strchr(hex, s[i] | 0x20) : NULL;

                if (!hit || value > 0x10ffff)
                        return -1;
                value = value * 16 + (int)(hit - hex);
        }
        return value;
}

/* \uXXXX or \UXXXXXXXX at s. Returns its length; 0 after an error. */
static size_t unicode_escape(struct parser *parser, const char *s, struct str *out)
{
        size_t digits = s[1] == 'u' ? 4 : 8, start = (size_t)(s - parser->source->text);
        int c = hex_value(s + 2, digits);

        if (c < 0) {
                parser_error(parser, parser_span(parser, start, start + 2), "%s hexadecimal digits must follow \\%c",
                             digits == 4 ? "four" : "eight", s[1]);
                return 0;
        }
        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
                parser_error(parser, parser_span(parser, start, start + 2 + digits), "U+%04X is not a character",
                             (unsigned int)c);
                return 0;
        }
        str_add_utf8(out, (uint32_t)c);
        return 2 + digits;
}

static size_t escape(struct parser *parser, const char *s, struct str *out)
{
        static const char names[] = "nrt\"\\", values[] = "\n\r\t\"\\";
        const char *hit = s[1] ? strchr(names, s[1]) : NULL;
        size_t start = (size_t)(s - parser->source->text), n;

        if (s[1] == 'u' || s[1] == 'U')
                return unicode_escape(parser, s, out);
        if (hit) {
                str_addc(out, values[hit - names]);
                return 2;
        }
        n = 1 + (s[1] == '\0' || s[1] == '\n' ? 0 : utf8_length(s + 1));
        if (!parser->failed) {
                parser_error(parser, parser_span(parser, start, start + n),
                             "the language does not know the escape %.*s", (int)n, s);
                diag_detail(parser->diags, "A backslash itself is written \\\\; the escapes are \\n \\r \\t \\\" \\\\ "
                                           "\\uXXXX and \\UXXXXXXXX; ${ is written $${.");
        }
        return 0;
}

/* What the token's escapes stand for, appended to out. False after an error. */
static bool unescape(struct parser *parser, const struct hcl_token *token, struct str *out)
{
        const char *s = parser->source->text + token->start, *end = parser->source->text + token->end;
        bool quoted = token->type == HCL_TOKEN_QUOTED;

        while (s < end) {
                size_t n = 1;

                if ((*s == '$' || *s == '%') && end - s > 2 && s[1] == *s && s[2] == '{') {
                        str_addn(out, s + 1, 2);
                        n = 3;
                } else if (quoted && *s == '\\') {
                        n = escape(parser, s, out);
                        if (n == 0)
                                return false;
                } else {
                        str_addc(out, *s);
                }
                s += n;
        }
        return true;
}

/* The length of the white space character at s[0..n), or 0. */
static size_t space_length(const char *s, size_t n)
{
        ucs4_t c;
        int used;

        if (n == 0)
                return 0;
        used = u8_mbtouc(&c, (const uint8_t *)s, n);
        return uc_is_property_white_space(c) ? (size_t)used : 0;
}

static size_t leading_space(const char *s, size_t n)
{
        size_t at = 0, used;

        while ((used = space_length(s + at, n - at)) > 0)
                at += used;
        return at;
}

static void strip_left(struct part *part)
{
        size_t n = leading_space(part->text, part->len);

        part->text += n;
        part->len -= n;
}

static void strip_right(struct part *part)
{
        while (part->len > 0) {
                size_t at = part->len - 1;

                while (at > 0 && ((unsigned char)part->text[at] & 0xc0) == 0x80)
                        at--;
                if (space_length(part->text + at, part->len - at) == 0)
                        break;
                part->len = at;
        }
}

/* ---- parts ---- */

static bool text_part(struct parser *parser, struct part *ret)
{
        const struct hcl_token *token = parser_next(parser);
        CLEANUP_STR struct str text = {0};

        *ret = (struct part){.kind = PART_TEXT, .range = parser_range(parser, token)};
        if (!unescape(parser, token, &text))
                return false;
        ret->text = arena_strndup(parser->arena, str_get(&text), text.len);
        ret->len = text.len;
        return true;
}

/* %{ if X }, %{ else }, %{ endif }, %{ for X in Y }, %{ endfor }: after the opener. */
static bool control_part(struct parser *parser, struct part *ret)
{
        static const char *const words[] = {"if", "else", "endif", "for", "endfor", NULL};
        const struct hcl_token *token = parser_peek(parser);
        const char *nearest;
        size_t i = 0;

        while (words[i] && !parser_accept_word(parser, words[i]))
                i++;
        if (!words[i]) {
                parser_expected(parser, "if, else, endif, for or endfor",
                                "If this is no directive of the template, write %%{ instead of %{.");
                nearest = token->type == HCL_TOKEN_IDENT ? str_nearest(parser_text(parser, token), words) : NULL;
                if (nearest)
                        diag_detail(parser->diags, "Did you mean '%s'?", nearest);
                return false;
        }
        ret->kind = (enum part_kind)(PART_IF + i);
        if (ret->kind == PART_FOR && !parser_for_names(parser, &ret->key_name, &ret->value_name))
                return false;
        if (ret->kind == PART_IF || ret->kind == PART_FOR)
                ret->expr = parser_expression(parser);
        return !parser->failed;
}

/* ${ } or %{ }; the opener is next. *ret_strip: the text after it loses its leading space. */
static bool sequence_part(struct parser *parser, struct part *ret, bool *ret_strip)
{
        const struct hcl_token *open = parser_next(parser), *close;
        bool newlines = parser->newlines, interp = open->type == HCL_TOKEN_INTERP;

        *ret = (struct part){.kind = PART_INTERP};
        parser->newlines = false;
        if (interp)
                ret->expr = parser_expression(parser);
        if (interp ? !ret->expr : !control_part(parser, ret))
                return false;
        if (!parser_expect(
                    parser, HCL_TOKEN_SEQ_END, "'}'",
                    interp ? "If this is not meant for the template (but for a shell, say), write $${ instead of ${."
                           : NULL))
                return false;
        parser->newlines = newlines;
        close = &parser->tokens[parser->last];
        *ret_strip = close->end - close->start == 2;
        ret->range = range_between(parser_range(parser, open), parser_range(parser, close));
        return true;
}

static bool read_parts(struct parser *parser, struct parts *parts, enum hcl_token_type close)
{
        bool strip = false;
        struct part part;

        while (!parser_at(parser, close)) {
                const struct hcl_token *token = parser_peek(parser);
                struct part *before = parts->list.n > 0 ? &parts->list.v[parts->list.n - 1] : NULL;

                if (token->type == HCL_TOKEN_QUOTED || token->type == HCL_TOKEN_TEXT) {
                        if (!text_part(parser, &part))
                                return false;
                        if (strip)
                                strip_left(&part);
                        strip = false;
                } else if (token->type == HCL_TOKEN_INTERP || token->type == HCL_TOKEN_CONTROL) {
                        if (token->end - token->start == 3 && before && before->kind == PART_TEXT)
                                strip_right(before);
                        if (!sequence_part(parser, &part, &strip))
                                return false;
                } else {
                        parser_expected(parser, "the end of the text", NULL);
                        return false;
                }
                vec_push(&parts->list, part);
        }
        parts->end = parser_range(parser, parser_next(parser));
        return true;
}

/* ---- indentation of <<- ---- */

static bool is_blank_line(const struct part *part)
{
        return part->len > 0 && part->text[part->len - 1] == '\n' && leading_space(part->text, part->len) == part->len;
}

/* Characters as a reader sees them: an accent after a space belongs to it. */
static size_t grapheme_length(const char *s, size_t n)
{
        const uint8_t *next = u8_grapheme_next((const uint8_t *)s, (const uint8_t *)s + n);

        return next ? (size_t)(next - (const uint8_t *)s) : n;
}

static size_t count_graphemes(const char *s, size_t n)
{
        size_t count = 0;

        for (size_t at = 0; at < n; at += grapheme_length(s + at, n - at))
                count++;
        return count;
}

/* Does a line begin with this part? */
static bool begins_line(const struct parts *parts, size_t i)
{
        const struct part *before = i > 0 ? &parts->list.v[i - 1] : NULL;

        return !before || (before->kind == PART_TEXT && before->len > 0 && before->text[before->len - 1] == '\n');
}

/* The smallest indentation of all lines that are not blank is taken away from
 * each. It is a matter of the source's text alone: values that are put in
 * later do not count. */
static void remove_indentation(struct parts *parts)
{
        size_t least = SIZE_MAX;
        bool *leads = xcalloc(parts->list.n + 1, sizeof(*leads)); /* before any of them is cut */

        for (size_t i = 0; i < parts->list.n; i++) {
                struct part *part = &parts->list.v[i];
                size_t count = 0;

                if (!begins_line(parts, i) || (part->kind == PART_TEXT && is_blank_line(part)))
                        continue;
                leads[i] = part->kind == PART_TEXT;
                if (leads[i])
                        count = count_graphemes(part->text, leading_space(part->text, part->len));
                least = count < least ? count : least;
        }
        for (size_t i = 0; i < parts->list.n; i++) {
                struct part *part = &parts->list.v[i];

                for (size_t count = leads[i] ? least : 0; count > 0 && part->len > 0; count--) {
                        size_t n = grapheme_length(part->text, part->len);

                        part->text += n;
                        part->len -= n;
                }
        }
        free(leads);
}

/* ---- the tree ---- */

static const struct hcl_expr *build(struct parser *parser, struct parts *parts, struct range range, bool whole);

/* A row of text parts becomes one literal. */
static const struct hcl_expr *build_text(struct parser *parser, struct parts *parts)
{
        struct range range = parts->list.v[parts->pos].range;
        CLEANUP_STR struct str text = {0};

        for (; parts->pos < parts->list.n && parts->list.v[parts->pos].kind == PART_TEXT; parts->pos++) {
                str_addn(&text, parts->list.v[parts->pos].text, parts->list.v[parts->pos].len);
                range.end = parts->list.v[parts->pos].range.end;
        }
        return parser_literal(parser, hcl_string_value(parser->arena, str_get(&text), text.len), range);
}

/* Reads the directive that ends a branch; NULL, with a message, if another one or none is there. */
static const struct part *branch_end(struct parser *parser, struct parts *parts, const struct part *open,
                                     enum part_kind kind, enum part_kind or_kind)
{
        static const char *const names[] = {"", "", "if", "else", "endif", "for", "endfor"};
        const struct part *part = parts->pos < parts->list.n ? &parts->list.v[parts->pos] : NULL;

        if (part && (part->kind == kind || part->kind == or_kind)) {
                parts->pos++;
                return part;
        }
        if (part)
                parser_error(parser, part->range, "%%{ %s } stands here where %%{ %s } was expected", names[part->kind],
                             names[kind]);
        else
                parser_error(parser, open->range, "this %%{ %s } is not ended: %%{ %s } is missing", names[open->kind],
                             names[kind]);
        return NULL;
}

static struct range empty_range(struct range at, size_t where)
{
        return (struct range){.source = at.source, .start = where, .end = where};
}

static const struct hcl_expr *build_if(struct parser *parser, struct parts *parts)
{
        const struct part *open = &parts->list.v[parts->pos++], *close;
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_CONDITIONAL, open->range);
        const struct hcl_expr *yes, *no;

        yes = build(parser, parts, empty_range(open->range, open->range.end), false);
        close = yes ? branch_end(parser, parts, open, PART_ENDIF, PART_ELSE) : NULL;
        if (!close)
                return NULL;
        if (close->kind == PART_ELSE) {
                no = build(parser, parts, empty_range(close->range, close->range.end), false);
                close = no ? branch_end(parser, parts, open, PART_ENDIF, PART_ENDIF) : NULL;
                if (!close)
                        return NULL;
        } else {
                no = parser_literal(parser, &hcl_empty_string, empty_range(close->range, close->range.start));
        }
        expr->range = range_between(open->range, close->range);
        expr->name_range = open->range;
        expr->conditional.condition = open->expr;
        expr->conditional.yes = yes;
        expr->conditional.no = no;
        expr = parser_adopt(parser, parser_adopt(parser, expr, open->expr), yes);
        return parser_adopt(parser, expr, no);
}

static const struct hcl_expr *build_for(struct parser *parser, struct parts *parts)
{
        const struct part *open = &parts->list.v[parts->pos++], *close;
        struct hcl_for *loop = arena_alloc(parser->arena, sizeof(*loop));
        struct hcl_expr *expr, *join;

        loop->key_name = open->key_name;
        loop->value_name = open->value_name;
        loop->collection = open->expr;
        loop->value = build(parser, parts, empty_range(open->range, open->range.end), false);
        close = loop->value ? branch_end(parser, parts, open, PART_ENDFOR, PART_ENDFOR) : NULL;
        if (!close)
                return NULL;
        expr = parser_node(parser, HCL_EXPR_FOR, range_between(open->range, close->range));
        expr->name_range = open->range;
        expr->loop = loop;
        expr = parser_adopt(parser, parser_adopt(parser, expr, loop->collection), loop->value);
        if (!expr)
                return NULL;
        join = parser_node(parser, HCL_EXPR_JOIN, expr->range);
        join->attr.operand = expr;
        return parser_adopt(parser, join, expr);
}

static const struct hcl_expr *build_part(struct parser *parser, struct parts *parts)
{
        const struct part *part = &parts->list.v[parts->pos];

        switch ((int)part->kind) {
        case PART_TEXT:
                return build_text(parser, parts);
        case PART_INTERP:
                parts->pos++;
                return part->expr;
        case PART_IF:
                return build_if(parser, parts);
        default:
                return build_for(parser, parts);
        }
}

/* The parts up to the directive that ends a branch, as one expression with a
 * string as its value: the literal itself where there is nothing but text. */
static const struct hcl_expr *join_parts(struct parser *parser, struct parts *parts, struct range range, bool whole)
{
        struct hcl_expr *expr = parser_node(parser, HCL_EXPR_TEMPLATE, range);
        VEC(const struct hcl_expr *) items = {0};
        const struct hcl_expr *ret = NULL;
        bool text = true, ok = true;

        while (ok && parts->pos < parts->list.n) {
                const struct part *part = &parts->list.v[parts->pos];
                const struct hcl_expr *item;

                if (part->kind == PART_ELSE || part->kind == PART_ENDIF || part->kind == PART_ENDFOR)
                        break;
                text = text && part->kind == PART_TEXT;
                item = build_part(parser, parts);
                ok = item && parser_adopt(parser, expr, item);
                if (ok)
                        vec_push(&items, item);
        }
        if (ok && items.n > 0 && !whole)
                expr->range = range_between(items.v[0]->range, items.v[items.n - 1]->range);
        if (ok && text) {
                ret = parser_literal(parser, items.n > 0 ? items.v[0]->literal : &hcl_empty_string, expr->range);
        } else if (ok) {
                expr->items.v = arena_memdup(parser->arena, items.v, items.n * sizeof(*items.v));
                expr->items.n = items.n;
                ret = expr;
        }
        vec_free(&items);
        return ret;
}

static const struct hcl_expr *build(struct parser *parser, struct parts *parts, struct range range, bool whole)
{
        const struct hcl_expr *expr;

        if (!parser_enter(parser))
                return NULL;
        expr = join_parts(parser, parts, range, whole);
        parser_leave(parser);
        return expr;
}

static const struct hcl_expr *build_all(struct parser *parser, struct parts *parts, struct range range)
{
        static const char *const ends[] = {[PART_ELSE] = "else", [PART_ENDIF] = "endif", [PART_ENDFOR] = "endfor"};
        const struct hcl_expr *expr;
        struct hcl_expr *wrap;

        if (parts->list.n == 1 && parts->list.v[0].kind == PART_INTERP) {
                wrap = parser_node(parser, HCL_EXPR_WRAP, range);
                wrap->attr.operand = parts->list.v[0].expr;
                return parser_adopt(parser, wrap, wrap->attr.operand);
        }
        expr = build(parser, parts, range, true);
        if (expr && parts->pos < parts->list.n) {
                const struct part *part = &parts->list.v[parts->pos];

                parser_error(parser, part->range, "this %%{ %s } ends nothing", ends[part->kind]);
                return NULL;
        }
        return expr;
}

const struct hcl_expr *parser_template(struct parser *parser, const struct hcl_token *open, enum hcl_token_type close)
{
        const char *opener = parser->source->text + (open ? open->start : 0);
        struct parts parts = {0};
        const struct hcl_expr *expr = NULL;
        bool newlines = parser->newlines;

        parser->newlines = true;
        if (read_parts(parser, &parts, close)) {
                struct range start = open ? parser_range(parser, open) : parser_span(parser, 0, 0);

                if (close == HCL_TOKEN_CHEREDOC && opener[2] == '-')
                        remove_indentation(&parts);
                expr = build_all(parser, &parts, range_between(start, parts.end));
        }
        parser->newlines = newlines;
        vec_free(&parts.list);
        return expr;
}

const char *parser_plain_string(struct parser *parser, struct range *ret_range)
{
        struct range open = parser_range(parser, parser_next(parser));
        CLEANUP_STR struct str text = {0};
        const struct hcl_token *token;

        while ((token = parser_next(parser))->type == HCL_TOKEN_QUOTED)
                if (!unescape(parser, token, &text))
                        return NULL;
        *ret_range = range_between(open, parser_range(parser, token));
        if (token->type == HCL_TOKEN_CQUOTE)
                return arena_strndup(parser->arena, str_get(&text), text.len);
        parser_error(parser, parser_range(parser, token), "a label is a plain string: %.*s has no meaning in it",
                     (int)(token->end - token->start), parser->source->text + token->start);
        if (token->type == HCL_TOKEN_INTERP || token->type == HCL_TOKEN_CONTROL)
                diag_detail(parser->diags, "To have it in the label itself, write $${ or %%%%{.");
        return NULL;
}
