/* See lex.h. A stack of modes follows the nesting of templates: text of a
 * string, in it an expression in ${ }, in that a string... */
#include "hcl/lex.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/str.h"

enum { MISTAKES_MAX = 20 };

enum mode {
        MODE_NORMAL, /* expressions and bodies */
        MODE_QUOTED,
        MODE_HEREDOC,
        MODE_BARE, /* a whole file as a template */
};

struct frame {
        enum mode mode;
        size_t braces;             /* MODE_NORMAL: open ones */
        size_t open;               /* where the template begins */
        size_t marker, marker_len; /* MODE_HEREDOC */
        bool line_start;           /* MODE_HEREDOC: the marker may come now */
};

struct lexer {
        const struct source_text *source;
        const char *text;
        size_t pos, len;
        struct diags *diags;
        VEC(struct hcl_token) tokens;
        VEC(struct frame) frames;
        struct frame *top;
};

static struct range range_at(const struct lexer *lexer, size_t start, size_t end)
{
        return (struct range){.source = lexer->source, .start = start, .end = end};
}

/* The text that is left; it ends with a NUL, which may also be in it. */
static const char *rest(const struct lexer *lexer)
{
        return lexer->text + lexer->pos;
}

static size_t left(const struct lexer *lexer)
{
        return lexer->len - lexer->pos;
}

static bool looking_at(const struct lexer *lexer, const char *s)
{
        return strncmp(rest(lexer), s, strlen(s)) == 0;
}

/* A token from pos on, n bytes long. */
static void emit(struct lexer *lexer, enum hcl_token_type type, size_t n)
{
        vec_push(&lexer->tokens,
                 (struct hcl_token){.type = type, .start = (uint32_t)lexer->pos, .end = (uint32_t)(lexer->pos + n)});
        lexer->pos += n;
}

static void push(struct lexer *lexer, struct frame frame)
{
        vec_push(&lexer->frames, frame);
        lexer->top = &lexer->frames.v[lexer->frames.n - 1];
}

static void pop(struct lexer *lexer)
{
        lexer->frames.n--;
        lexer->top = &lexer->frames.v[lexer->frames.n - 1];
}

static size_t newline_length(const char *s)
{
        return s[0] == '\n' ? 1 : s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

size_t hcl_ident_length(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n) {
                unsigned char b = (unsigned char)s[i];
                ucs4_t c = b;
                int used = 1;

                if (b >= 0x80) {
                        used = u8_mbtouc(&c, (const uint8_t *)s + i, n - i);
                        if (!(i > 0 ? uc_is_property_id_continue(c) : uc_is_property_id_start(c)))
                                break;
                } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                             (i > 0 && ((c >= '0' && c <= '9') || c == '-')))) {
                        break;
                }
                i += (size_t)used;
        }
        return i;
}

/* ---- templates ---- */

/* ${, ${~, %{, %{~ */
static void open_sequence(struct lexer *lexer)
{
        lexer->top->line_start = false;
        emit(lexer, *rest(lexer) == '$' ? HCL_TOKEN_INTERP : HCL_TOKEN_CONTROL, rest(lexer)[2] == '~' ? 3 : 2);
        push(lexer, (struct frame){.mode = MODE_NORMAL});
}

/* How far literal text goes: to a sequence, to the quote that ends it, or to the line's end. */
static size_t text_length(const struct lexer *lexer, bool quoted)
{
        const char *s = rest(lexer);
        size_t n = left(lexer), i = 0;

        while (i < n) {
                if (s[i] == '\n' || (quoted && (s[i] == '"' || s[i] == '\r')))
                        break;
                if (s[i] == '$' || s[i] == '%') {
                        if (s[i + 1] == '{')
                                break;
                        i += s[i + 1] == s[i] && s[i + 2] == '{' ? 3 : 1;
                } else {
                        i += quoted && s[i] == '\\' && s[i + 1] >= ' ' && s[i + 1] < 0x7f ? 2 : 1;
                }
        }
        return i;
}

static void lex_quoted(struct lexer *lexer)
{
        size_t n = text_length(lexer, true);

        if (n > 0)
                emit(lexer, HCL_TOKEN_QUOTED, n);
        if (looking_at(lexer, "${") || looking_at(lexer, "%{")) {
                open_sequence(lexer);
                return;
        }
        if (*rest(lexer) == '"' && left(lexer) > 0) {
                emit(lexer, HCL_TOKEN_CQUOTE, 1);
        } else {
                diag_error(lexer->diags, range_at(lexer, lexer->top->open, lexer->pos),
                           "this string is not closed: its \" is missing");
                diag_detail(lexer->diags, "A string ends in the line in which it begins. A line break inside it is "
                                          "written \\n; a text of several lines begins with <<EOT and ends with a "
                                          "line EOT.");
                emit(lexer, HCL_TOKEN_CQUOTE, 0);
        }
        pop(lexer);
}

/* The bytes of the line up to the end of a heredoc's marker, if nothing else is in it; else 0. */
static size_t marker_line(const struct lexer *lexer)
{
        const char *s = rest(lexer), *end = memchr(s, '\n', left(lexer));
        size_t n = end ? (size_t)(end - s) : left(lexer), from = 0, to;
        const struct frame *top = lexer->top;
        ucs4_t c;

        while (from < n) {
                int used = u8_mbtouc(&c, (const uint8_t *)s + from, n - from);

                if (!uc_is_property_white_space(c))
                        break;
                from += (size_t)used;
        }
        if (n - from < top->marker_len || memcmp(s + from, lexer->text + top->marker, top->marker_len) != 0)
                return 0;
        to = from + top->marker_len;
        for (size_t i = to; i < n;) {
                i += (size_t)u8_mbtouc(&c, (const uint8_t *)s + i, n - i);
                if (!uc_is_property_white_space(c))
                        return 0;
        }
        return to;
}

/* One line of a heredoc or of a bare template, or its part up to a sequence. */
static void lex_text(struct lexer *lexer)
{
        struct frame *top = lexer->top;
        size_t n;

        if (top->mode == MODE_HEREDOC && top->line_start && (n = marker_line(lexer)) > 0) {
                emit(lexer, HCL_TOKEN_CHEREDOC, n);
                pop(lexer);
                return;
        }
        if (left(lexer) == 0) { /* only a heredoc comes here: the caller ends a bare template */
                diag_error(lexer->diags, range_at(lexer, top->open, top->marker + top->marker_len),
                           "this text is not closed: a line with nothing but %.*s is missing", (int)top->marker_len,
                           lexer->text + top->marker);
                emit(lexer, HCL_TOKEN_CHEREDOC, 0);
                pop(lexer);
                return;
        }
        n = text_length(lexer, false);
        top->line_start = rest(lexer)[n] == '\n';
        n += top->line_start;
        if (n > 0)
                emit(lexer, HCL_TOKEN_TEXT, n);
        if (!top->line_start && left(lexer) > 0)
                open_sequence(lexer);
}

/* <<EOT or <<-EOT and the end of the line. False: it is something else. */
static bool open_heredoc(struct lexer *lexer)
{
        const char *s = rest(lexer);
        size_t name = s[2] == '-' ? 3 : 2, n, end;

        n = hcl_ident_length(s + name, left(lexer) - name);
        if (n == 0)
                return false;
        end = name + n;
        end += strspn(s + end, " \t");
        if (newline_length(s + end) == 0)
                return false;
        if (end > name + n)
                diag_error(lexer->diags, range_at(lexer, lexer->pos + name + n, lexer->pos + end),
                           "nothing may follow in the line after %.*s, no space either", (int)(name + n), s);
        push(lexer, (struct frame){.mode = MODE_HEREDOC,
                                   .open = lexer->pos,
                                   .marker = lexer->pos + name,
                                   .marker_len = n,
                                   .line_start = true});
        emit(lexer, HCL_TOKEN_OHEREDOC, end + newline_length(s + end));
        return true;
}

/* ---- expressions and bodies ---- */

/* The length of an exponent at s, or 0. */
static size_t exponent_length(const char *s)
{
        size_t n = 1;

        if (*s != 'e' && *s != 'E')
                return 0;
        n += s[1] == '+' || s[1] == '-';
        return s[n] >= '0' && s[n] <= '9' ? n + 1 : 0;
}

static void lex_number(struct lexer *lexer)
{
        const char *s = rest(lexer);
        size_t i = 1, n = 1; /* a point counts only if something follows it */

        for (;;) {
                size_t used = s[i] >= '0' && s[i] <= '9' ? 1 : exponent_length(s + i);

                if (used == 0 && s[i] != '.')
                        break;
                i += used > 0 ? used : 1;
                n = used > 0 ? i : n;
        }
        emit(lexer, HCL_TOKEN_NUMBER, n);
}

static void lex_comment(struct lexer *lexer)
{
        const char *s = rest(lexer), *end;
        size_t n;

        if (s[0] == '/' && s[1] == '*') {
                end = memmem(s + 2, left(lexer) - 2, "*/", 2);
                if (!end)
                        diag_error(lexer->diags, range_at(lexer, lexer->pos, lexer->pos + 2),
                                   "this comment is not closed: its */ is missing");
                n = end ? (size_t)(end - s) + 2 : left(lexer);
        } else {
                end = memchr(s, '\n', left(lexer));
                n = end ? (size_t)(end - s) : left(lexer);
                n -= n > 0 && end && s[n - 1] == '\r';
        }
        emit(lexer, HCL_TOKEN_COMMENT, n);
}

/* What other languages have; in the order in which they are tried. */
static const struct {
        const char *text, *message;
} foreign[] = {
        {"**", "there is no operator '**'; write pow(x, y)"},
        {"<<", "a text of several lines begins with << or <<-, a name, and the end of the line: <<EOT"},
        {"&", "there is no operator '&'; did you mean '&&'?"},
        {"|", "there is no operator '|'; did you mean '||'?"},
        {"^", "there is no operator '^'"},
        {"~", "there is no operator '~'; did you mean '!'?"},
        {"`", "'`' has no meaning here; a text of several lines begins with <<EOT and ends with a line EOT"},
        {"'", "a string is written in double quotes, not in single ones"},
        {";", "';' has no meaning here: arguments and blocks end with the line, elements are separated by commas"},
        {"\xe2\x80\x9c", "a string is written in straight double quotes: \""},
        {"\xe2\x80\x9d", "a string is written in straight double quotes: \""},
        {"\xef\xbb\xbf", "a byte order mark (BOM) may only be the first character of a file"},
};

static void lex_invalid(struct lexer *lexer)
{
        size_t n = utf8_length(rest(lexer));
        struct range at = range_at(lexer, lexer->pos, lexer->pos + n);
        const char *s = rest(lexer);
        const char *close;

        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
                if (!looking_at(lexer, foreign[i].text))
                        continue;
                at.end = at.start + strlen(foreign[i].text);
                diag_error(lexer->diags, at, "%s", foreign[i].message);
                /* 'text' is complained about once, not twice */
                close = *s == '\'' || *s == '`' ? memchr(s + 1, *s, left(lexer) - 1) : NULL;
                if (close && !(*s == '\'' && memchr(s, '\n', (size_t)(close - s))))
                        at.end = lexer->pos + (size_t)(close - s) + 1;
                emit(lexer, HCL_TOKEN_INVALID, at.end - lexer->pos);
                return;
        }
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
                diag_error(lexer->diags, at, "the control character 0x%02x has no meaning here", (unsigned char)*s);
        else
                diag_error(lexer->diags, at, "the character '%.*s' has no meaning here", (int)n, s);
        emit(lexer, HCL_TOKEN_INVALID, n);
}

/* Longer ones before those they begin with. */
static const struct {
        char text[4];
        enum hcl_token_type type;
} symbols[] = {
        {"...", HCL_TOKEN_ELLIPSIS}, {"==", HCL_TOKEN_EQUAL_EQUAL}, {"=>", HCL_TOKEN_FAT_ARROW},
        {"!=", HCL_TOKEN_NOT_EQUAL}, {"<=", HCL_TOKEN_LESS_EQUAL},  {">=", HCL_TOKEN_GREATER_EQUAL},
        {"&&", HCL_TOKEN_AND},       {"||", HCL_TOKEN_OR},          {"::", HCL_TOKEN_DOUBLE_COLON},
        {"=", HCL_TOKEN_EQUAL},      {".", HCL_TOKEN_DOT},          {",", HCL_TOKEN_COMMA},
        {"[", HCL_TOKEN_OBRACK},     {"]", HCL_TOKEN_CBRACK},       {"(", HCL_TOKEN_OPAREN},
        {")", HCL_TOKEN_CPAREN},     {":", HCL_TOKEN_COLON},        {"?", HCL_TOKEN_QUESTION},
        {"!", HCL_TOKEN_BANG},       {"<", HCL_TOKEN_LESS},         {">", HCL_TOKEN_GREATER},
        {"+", HCL_TOKEN_PLUS},       {"-", HCL_TOKEN_MINUS},        {"*", HCL_TOKEN_STAR},
        {"/", HCL_TOKEN_SLASH},      {"%", HCL_TOKEN_PERCENT},
};

static void lex_symbol(struct lexer *lexer)
{
        if (!looking_at(lexer, "**") && !looking_at(lexer, "<<")) {
                for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
                        if (looking_at(lexer, symbols[i].text)) {
                                emit(lexer, symbols[i].type, strlen(symbols[i].text));
                                return;
                        }
                }
        }
        lex_invalid(lexer);
}

static void lex_brace(struct lexer *lexer)
{
        bool in_template = lexer->frames.n > 1 && lexer->top->braces == 0;
        char c = *rest(lexer);

        if (c == '{') {
                lexer->top->braces++;
                emit(lexer, HCL_TOKEN_OBRACE, 1);
        } else if (in_template) {
                emit(lexer, HCL_TOKEN_SEQ_END, c == '~' ? 2 : 1);
                pop(lexer);
        } else if (c == '}') {
                lexer->top->braces -= lexer->top->braces > 0;
                emit(lexer, HCL_TOKEN_CBRACE, 1);
        } else {
                lex_invalid(lexer); /* "~}" of no template */
        }
}

static void lex_normal(struct lexer *lexer)
{
        const char *s = rest(lexer);
        size_t n;

        if ((n = strspn(s, " \t")) > 0)
                lexer->pos += n;
        else if ((n = newline_length(s)) > 0)
                emit(lexer, HCL_TOKEN_NEWLINE, n);
        else if ((n = hcl_ident_length(s, left(lexer))) > 0)
                emit(lexer, HCL_TOKEN_IDENT, n);
        else if (*s >= '0' && *s <= '9')
                lex_number(lexer);
        else if (*s == '#' || looking_at(lexer, "//") || looking_at(lexer, "/*"))
                lex_comment(lexer);
        else if (*s == '{' || *s == '}' || looking_at(lexer, "~}"))
                lex_brace(lexer);
        else if (*s == '"') {
                push(lexer, (struct frame){.mode = MODE_QUOTED, .open = lexer->pos});
                emit(lexer, HCL_TOKEN_OQUOTE, 1);
        } else if (!looking_at(lexer, "<<") || !open_heredoc(lexer))
                lex_symbol(lexer);
}

/* Is there text to read? A byte order mark is passed over. */
static bool check_text(struct lexer *lexer)
{
        const uint8_t *bad = u8_check((const uint8_t *)lexer->text, lexer->len);
        size_t at = bad ? (size_t)((const char *)bad - lexer->text) : 0;

        if (lexer->len >= 2 && (memcmp(lexer->text, "\xff\xfe", 2) == 0 || memcmp(lexer->text, "\xfe\xff", 2) == 0)) {
                diag_error(lexer->diags, NO_RANGE, "%s is UTF-16 text; save it as UTF-8", lexer->source->path);
                return false;
        }
        if (bad) {
                diag_error(lexer->diags, range_at(lexer, at, at + 1),
                           "byte 0x%02x is not UTF-8; save the file as UTF-8", *bad);
                return false;
        }
        if (lexer->len > UINT32_MAX / 2) {
                diag_error(lexer->diags, NO_RANGE, "%s is too long", lexer->source->path);
                return false;
        }
        if (looking_at(lexer, "\xef\xbb\xbf"))
                lexer->pos = 3;
        return true;
}

static struct hcl_tokens lex(const struct range *part, enum mode mode, struct diags *diags)
{
        const struct source_text *source = part->source;
        struct lexer lexer = {.source = source, .text = source->text, .len = source->len, .diags = diags};
        size_t limit = diags->n_errors + MISTAKES_MAX;

        push(&lexer, (struct frame){.mode = mode});
        if (part->start > 0 || part->end < source->len) { /* its reader has checked the text around it */
                lexer.pos = part->start;
                lexer.len = part->end;
        } else if (!check_text(&lexer)) {
                lexer.pos = lexer.len = 0;
        }
        while (lexer.pos < lexer.len || lexer.top->mode == MODE_QUOTED || lexer.top->mode == MODE_HEREDOC) {
                if (diags->n_errors >= limit)
                        break;
                if (lexer.top->mode == MODE_NORMAL)
                        lex_normal(&lexer);
                else if (lexer.top->mode == MODE_QUOTED)
                        lex_quoted(&lexer);
                else
                        lex_text(&lexer);
        }
        emit(&lexer, HCL_TOKEN_EOF, 0);
        vec_free(&lexer.frames);
        return (struct hcl_tokens){.source = part->source, .v = lexer.tokens.v, .n = lexer.tokens.n};
}

struct hcl_tokens hcl_lex(const struct source_text *source, struct diags *diags)
{
        return lex(&(struct range){.source = source, .end = source->len}, MODE_NORMAL, diags);
}

struct hcl_tokens hcl_lex_template(const struct source_text *source, struct diags *diags)
{
        return lex(&(struct range){.source = source, .end = source->len}, MODE_BARE, diags);
}

struct hcl_tokens hcl_lex_template_part(const struct range *part, struct diags *diags)
{
        return lex(part, MODE_BARE, diags);
}

void hcl_tokens_free(struct hcl_tokens *tokens)
{
        free(tokens->v);
        *tokens = (struct hcl_tokens){0};
}
