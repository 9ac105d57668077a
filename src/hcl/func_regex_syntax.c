/* RE2's syntax (github.com/google/re2/wiki/Syntax) rewritten for PCRE2, where
 * the two read the same text differently. See func_regex.h. */
#include <string.h>
#include <unistr.h>

#include "hcl/func_regex.h"

enum { REPEAT_MAX = 1000 };

struct scanner {
        const char *s;
        size_t n, at;
        struct str *out;
        struct func_regex_names *names;
        struct arena *arena;
        struct error *err;
        bool repeated; /* what was written last is a repetition */
};

static int refuse(struct scanner *scan, const char *why, size_t from)
{
        return error_set(scan->err, EINVAL, "%s: \"%.*s\"", why, (int)(scan->at - from), scan->s + from);
}

static char peek(const struct scanner *scan, size_t ahead)
{
        return scan->at + ahead < scan->n ? scan->s[scan->at + ahead] : '\0';
}

static bool is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The character itself, whatever it means to PCRE2. */
static void add_literal(struct str *out, uint32_t c)
{
        if (c < 0x80 && !is_alnum((char)c))
                str_addf(out, "\\x{%x}", c);
        else
                str_add_utf8(out, c);
}

static uint32_t take_character(struct scanner *scan)
{
        ucs4_t c;

        scan->at += (size_t)u8_mbtouc(&c, (const uint8_t *)scan->s + scan->at, scan->n - scan->at);
        return c;
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After "\x": two digits, or any number of them in braces. */
static bool take_hex(struct scanner *scan, uint32_t *ret)
{
        bool braces = peek(scan, 0) == '{';
        size_t digits = 0;

        *ret = 0;
        scan->at += braces;
        for (; hex_digit(peek(scan, 0)) >= 0 && (braces || digits < 2) && *ret <= 0x10ffff; digits++)
                *ret = *ret * 16 + (uint32_t)hex_digit(scan->s[scan->at++]);
        if (braces && peek(scan, 0) != '}')
                return false;
        scan->at += braces;
        return *ret <= 0x10ffff && (*ret & 0xfffff800) != 0xd800 && (braces ? digits > 0 : digits == 2);
}

/* After a backslash: a character. False if it is no escape of one. */
static bool take_escaped(struct scanner *scan, uint32_t *ret)
{
        static const char letters[] = "a\af\fn\nr\rt\tv\v";
        char c = peek(scan, 0);
        const char *letter = c ? strchr(letters, c) : NULL;

        scan->at++;
        if (c == 'x')
                return take_hex(scan, ret);
        if (c >= '0' && c <= '7' && (c == '0' || (peek(scan, 0) >= '0' && peek(scan, 0) <= '7'))) {
                *ret = (uint32_t)(c - '0');
                for (int i = 0; i < 2 && peek(scan, 0) >= '0' && peek(scan, 0) <= '7'; i++)
                        *ret = *ret * 8 + (uint32_t)(scan->s[scan->at++] - '0');
                return true;
        }
        if (letter && c >= 'a') {
                *ret = (unsigned char)letter[1];
                return true;
        }
        *ret = (unsigned char)c;
        return (unsigned char)c < 0x80 && !is_alnum(c) && scan->at <= scan->n;
}

/* After "\p" or "\P": a letter, or a name in braces. PCRE2 takes a long one for a script's extensions unless told so.
 */
static int take_property(struct scanner *scan, char letter, size_t from)
{
        size_t start, len;
        bool negated;

        if (peek(scan, 0) != '{') {
                str_addf(scan->out, "\\%c%c", letter, peek(scan, 0));
                scan->at++;
                return is_alnum(scan->s[scan->at - 1]) ? 0 : refuse(scan, "no class of Unicode", from);
        }
        scan->at++;
        negated = peek(scan, 0) == '^';
        scan->at += negated;
        start = scan->at;
        while (is_alnum(peek(scan, 0)) || peek(scan, 0) == '_')
                scan->at++;
        len = scan->at - start;
        if (len == 0 || peek(scan, 0) != '}')
                return refuse(scan, "no class of Unicode", from);
        str_addf(scan->out, "\\%c{%s%s%.*s}", letter, negated ? "^" : "",
                 len > 2 && strncmp(scan->s + start, "Any", len) != 0 ? "sc:" : "", (int)len, scan->s + start);
        scan->at++;
        return 0;
}

/* Perl's and Unicode's classes, after a backslash. 0 if it is none, 1 if it was. PCRE2's \s has U+000B too. */
static int take_class_escape(struct scanner *scan, bool inside, size_t from)
{
        static const char blanks[] = "\\t\\n\\f\\r\\x20", others[] = "\\x{0}-\\x08\\x0b\\x0e-\\x1f\\x21-\\x{10ffff}";
        char c = peek(scan, 0);

        if (!c || !strchr("dDwWsSpP", c))
                return 0;
        scan->at++;
        if (c == 'p' || c == 'P')
                return take_property(scan, c, from) < 0 ? -EINVAL : 1;
        if (c == 's' || c == 'S')
                str_addf(scan->out, inside ? "%s" : "[%s]", c == 's' ? blanks : others);
        else
                str_addf(scan->out, "\\%c", c);
        return 1;
}

static int bad_escape(struct scanner *scan, size_t from)
{
        char c = from + 1 < scan->n ? scan->s[from + 1] : '\0';

        if (scan->at > scan->n)
                scan->at = scan->n;
        if (c >= '1' && c <= '9')
                return refuse(scan, "there are no backreferences", from);
        return refuse(scan, c ? "no such escape" : "a backslash stands at the end", from);
}

/* \Q...\E */
static void take_quoted(struct scanner *scan)
{
        while (scan->at < scan->n) {
                if (peek(scan, 0) == '\\' && peek(scan, 1) == 'E') {
                        scan->at += 2;
                        return;
                }
                add_literal(scan->out, take_character(scan));
        }
}

/* PCRE2 repeats an assertion only in a group. */
static void add_assertion(struct scanner *scan, const char *assertion)
{
        char next = peek(scan, 0);

        str_addf(scan->out, next && strchr("*+?{", next) ? "(?:%s)" : "%s", assertion);
}

static int take_escape(struct scanner *scan)
{
        size_t from = scan->at++;
        char c = peek(scan, 0);
        uint32_t character;
        int r = take_class_escape(scan, false, from);

        if (r != 0)
                return r < 0 ? r : 0;
        if (c && strchr("AbBz", c)) {
                scan->at++;
                add_assertion(scan, (const char[]){'\\', c, '\0'});
                return 0;
        }
        if (c == 'Q') {
                scan->at++;
                take_quoted(scan);
                return 0;
        }
        if (!take_escaped(scan, &character))
                return bad_escape(scan, from);
        add_literal(scan->out, character);
        return 0;
}

/* [:name:] in a class; 0 if it is none, 1 if it was. */
static int take_posix(struct scanner *scan)
{
        static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
                                            "lower", "print", "punct", "space", "upper", "word",  "xdigit"};
        const char *start = scan->s + scan->at, *end = NULL;
        size_t from = scan->at;

        if (peek(scan, 0) == '[' && peek(scan, 1) == ':')
                end = memmem(start, scan->n - scan->at, ":]", 2);
        if (!end)
                return 0;
        start += 2 + (start[2] == '^');
        scan->at += (size_t)(end + 2 - (scan->s + from));
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (start < end && strlen(names[i]) == (size_t)(end - start) &&
                    memcmp(names[i], start, (size_t)(end - start)) == 0) {
                        str_addn(scan->out, scan->s + from, scan->at - from);
                        return 1;
                }
        return refuse(scan, "no such class", from);
}

/* One character of a class. */
static int take_class_character(struct scanner *scan, uint32_t *ret)
{
        size_t from = scan->at;

        if (peek(scan, 0) != '\\') {
                *ret = take_character(scan);
                return 0;
        }
        scan->at++;
        return take_escaped(scan, ret) ? 0 : bad_escape(scan, from);
}

/* A character, a range, or a class, in brackets. */
static int take_class_item(struct scanner *scan)
{
        size_t from = scan->at;
        uint32_t low, high;
        int r = take_posix(scan);

        if (r != 0)
                return r < 0 ? r : 0;
        if (peek(scan, 0) == '\\') {
                scan->at++;
                r = take_class_escape(scan, true, from);
                if (r != 0)
                        return r < 0 ? r : 0;
                scan->at = from;
        }
        if (take_class_character(scan, &low) < 0)
                return -EINVAL;
        add_literal(scan->out, low);
        if (peek(scan, 0) != '-' || peek(scan, 1) == ']' || scan->at + 1 >= scan->n)
                return 0;
        scan->at++;
        if (take_class_character(scan, &high) < 0)
                return -EINVAL;
        if (high < low)
                return refuse(scan, "a range in a class is upside down", from);
        str_addc(scan->out, '-');
        add_literal(scan->out, high);
        return 0;
}

static int take_class(struct scanner *scan)
{
        size_t from = scan->at++;
        bool first = true;

        str_addc(scan->out, '[');
        if (peek(scan, 0) == '^') {
                str_addc(scan->out, '^');
                scan->at++;
        }
        for (; scan->at < scan->n; first = false) {
                if (peek(scan, 0) == ']' && !first) {
                        scan->at++;
                        str_addc(scan->out, ']');
                        return 0;
                }
                if (take_class_item(scan) < 0)
                        return -EINVAL;
        }
        return refuse(scan, "a class in brackets is not closed", from);
}

/* A group's name, up to the ">". */
static int take_name(struct scanner *scan, size_t from)
{
        size_t start = scan->at;

        while (is_alnum(peek(scan, 0)) || peek(scan, 0) == '_')
                scan->at++;
        if (scan->at == start || peek(scan, 0) != '>')
                return refuse(scan, "a group's name is made of letters, digits and underscores", from);
        vec_push(&scan->names->list, arena_strndup(scan->arena, scan->s + start, scan->at - start));
        scan->names->any = true;
        scan->at++;
        return 0;
}

/* What "(" begins: a group, with or without a name, or flags. */
static int take_group(struct scanner *scan)
{
        size_t from = scan->at++;

        if (peek(scan, 0) == '*')
                return scan->at++, refuse(scan, "there is nothing to repeat", from);
        str_addc(scan->out, '(');
        if (peek(scan, 0) != '?') {
                vec_push(&scan->names->list, NULL);
                return 0;
        }
        scan->at++;
        if ((peek(scan, 0) == 'P' && peek(scan, 1) == '<') ||
            (peek(scan, 0) == '<' && peek(scan, 1) != '=' && peek(scan, 1) != '!')) {
                scan->at += peek(scan, 0) == 'P' ? 2 : 1;
                return take_name(scan, from);
        }
        str_addc(scan->out, '?');
        while (peek(scan, 0) && strchr("imsU-", peek(scan, 0)))
                str_addc(scan->out, scan->s[scan->at++]);
        if (peek(scan, 0) == ':' || (peek(scan, 0) == ')' && scan->at - from > 2)) {
                str_addc(scan->out, scan->s[scan->at++]);
                return 0;
        }
        scan->at += scan->at < scan->n;
        return refuse(scan, "no such group (there is no lookaround)", from);
}

/* {2}, {2,} or {2,5}; false if the brace is a plain one. */
static bool braces(const struct scanner *scan, size_t *ret_len, long *ret_min, long *ret_max)
{
        const char *p = scan->s + scan->at + 1;
        size_t digits = strspn(p, "0123456789");

        if (digits == 0)
                return false;
        *ret_min = *ret_max = digits > 6 ? REPEAT_MAX + 1 : strtol(p, NULL, 10);
        p += digits;
        if (*p == ',') {
                digits = strspn(++p, "0123456789");
                *ret_max = digits == 0 ? *ret_min : digits > 6 ? REPEAT_MAX + 1 : strtol(p, NULL, 10);
                p += digits;
        }
        *ret_len = (size_t)(p + 1 - (scan->s + scan->at));
        return *p == '}' && *ret_len <= scan->n - scan->at;
}

static int take_repetition(struct scanner *scan)
{
        size_t from = scan->at, len = 1;
        long min = 0, max = 0;
        bool is_count = peek(scan, 0) == '{';

        if (is_count && !braces(scan, &len, &min, &max)) {
                scan->at++;
                add_literal(scan->out, '{');
                return 0;
        }
        scan->at += len;
        if (scan->repeated)
                return refuse(scan, "a repetition cannot be repeated", from);
        if (min > REPEAT_MAX || max > REPEAT_MAX || max < min)
                return refuse(scan, "counts go up to 1000, the smaller one first", from);
        str_addn(scan->out, scan->s + from, len);
        if (peek(scan, 0) == '?') {
                str_addc(scan->out, '?');
                scan->at++;
        }
        scan->repeated = true;
        return 1;
}

/* 1 after a repetition. */
static int take_item(struct scanner *scan)
{
        char c = peek(scan, 0);

        switch (c) {
        case '\\':
                return take_escape(scan);
        case '[':
                return take_class(scan);
        case '(':
                return take_group(scan);
        case '*':
        case '+':
        case '?':
        case '{':
                return take_repetition(scan);
        case '^':
        case '$':
                scan->at++;
                add_assertion(scan, c == '^' ? "^" : "$");
                return 0;
        case '.':
        case '|':
        case ')':
                str_addc(scan->out, c);
                scan->at++;
                return 0;
        default:
                add_literal(scan->out, take_character(scan));
                return 0;
        }
}

int func_regex_translate(struct arena *arena, struct hcl_string pattern, struct str *out,
                         struct func_regex_names *names, struct error *err)
{
        struct scanner scan = {
                .s = pattern.s, .n = pattern.len, .out = out, .names = names, .arena = arena, .err = err};

        while (scan.at < scan.n) {
                int r = take_item(&scan);

                if (r < 0)
                        return r;
                scan.repeated = r == 1;
        }
        return 0;
}
