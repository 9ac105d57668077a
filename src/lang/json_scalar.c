/* Strings, numbers and words of JSON (RFC 8259, sections 3, 6, 7). See json_internal.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/json_internal.h"

/* Four hexadecimal digits, or -1. */
static int hex4(const char *s)
{
        int value = 0;

        for (int i = 0; i < 4; i++) {
                char c = s[i];

                if (c >= '0' && c <= '9')
                        value = value * 16 + c - '0';
                else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                        value = value * 16 + (c | 0x20) - 'a' + 10;
                else
                        return -1;
        }
        return value;
}

/* \uXXXX at pos, possibly the first of a pair. */
static void unicode_escape(struct json *json, struct str *out)
{
        const char *s = json->text + json->pos;
        int c = hex4(s + 2), low;
        size_t n = 6;

        if (c < 0) {
                diag_error(json->diags, json_range(json, json->pos, json->pos + 2),
                           "four hexadecimal digits must follow \\u, as in \\u00e9");
                json->pos += 2;
                return;
        }
        if (c >= 0xd800 && c < 0xdc00 && s[6] == '\\' && s[7] == 'u' && (low = hex4(s + 8)) >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                n = 12;
        }
        if (c >= 0xd800 && c < 0xe000)
                diag_error(json->diags, json_range(json, json->pos, json->pos + 6),
                           "\\u%04x is half of a surrogate pair; the other half is missing", (unsigned int)c);
        else if (c == 0)
                diag_error(json->diags, json_range(json, json->pos, json->pos + 6),
                           "a string of a template cannot hold the character \\u0000");
        else
                str_add_utf8(out, (unsigned int)c);
        json->pos += n;
}

static void escape(struct json *json, struct str *out)
{
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        char c = json->text[json->pos + 1];
        const char *hit = c ? strchr(names, c) : NULL;
        struct range at = json_range(json, json->pos, json->pos + 2);

        if (c == 'u') {
                unicode_escape(json, out);
                return;
        }
        if (hit) {
                str_addc(out, values[hit - names]);
        } else if (c > ' ' && c < 0x7f) {
                diag_error(json->diags, at, "JSON does not know the escape \\%c", c);
                diag_detail(json->diags,
                            "A backslash itself is written \\\\; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r "
                            "\\t and \\uXXXX.");
        } else {
                diag_error(json->diags, json_range(json, json->pos, json->pos + 1),
                           "a backslash in a string is written \\\\");
        }
        json->pos += hit || (c > ' ' && c < 0x7f) ? 2 : 1;
}

/* One character that is no escape. False: the string ends without its quote. */
static bool plain_character(struct json *json, struct str *out)
{
        unsigned char c = (unsigned char)json->text[json->pos];
        size_t n = utf8_length(json->text + json->pos);

        if (json->pos >= json->len || c == '\n' || c == '\r')
                return false;
        if (n == 0) {
                diag_error(json->diags, json_range(json, json->pos, json->pos + 1),
                           "byte 0x%02x is not UTF-8; save the file as UTF-8", c);
                n = 1;
        } else if (c == '\t') {
                diag_error(json->diags, json_range(json, json->pos, json->pos + 1),
                           "a tab inside a string is written \\t");
        } else if (c < 0x20) {
                diag_error(json->diags, json_range(json, json->pos, json->pos + 1),
                           "the control character 0x%02x inside a string is written \\u%04x", c, c);
        } else {
                str_addn(out, json->text + json->pos, n);
        }
        json->pos += n;
        return true;
}

struct value *json_string_token(struct json *json, char quote)
{
        size_t start = json->pos++;
        CLEANUP_STR struct str out = {0};
        struct value *value;

        while (json->text[json->pos] != quote) {
                if (json->diags->n_errors > json->limit)
                        return NULL;
                if (json->text[json->pos] == '\\') {
                        escape(json, &out);
                } else if (!plain_character(json, &out)) {
                        diag_error(json->diags, json_range(json, start, json->pos),
                                   "this string is not closed: its %c is missing", quote);
                        diag_detail(json->diags, "A string ends in the line in which it begins; a line break inside it "
                                                 "is written \\n.");
                        return NULL;
                }
        }
        json->pos++;
        value = value_new(VALUE_STRING, json_range(json, start, json->pos));
        value->string = str_steal(&out);
        if (quote == '\'')
                diag_error(json->diags, value->range, "a string is written in double quotes, not in single ones");
        return value;
}

/* Does s[0..n) follow RFC 8259's grammar of numbers? */
static bool is_number(const char *s, size_t n)
{
        static const char digits[] = "0123456789";
        const char *end = s + n;
        size_t whole;

        s += *s == '-';
        whole = strspn(s, digits);
        if (whole == 0 || (whole > 1 && *s == '0'))
                return false;
        s += whole;
        if (*s == '.') {
                s++;
                if (strspn(s, digits) == 0)
                        return false;
                s += strspn(s, digits);
        }
        if (*s == 'e' || *s == 'E') {
                s++;
                s += *s == '+' || *s == '-';
                if (strspn(s, digits) == 0)
                        return false;
                s += strspn(s, digits);
        }
        return s == end;
}

struct value *json_number_token(struct json *json)
{
        const char *s = json->text + json->pos;
        size_t n = strspn(s, "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        struct value *value = value_new(VALUE_NUMBER, json_range(json, json->pos, json->pos + n));

        value->string = xstrndup(s, n);
        json->pos += n;
        if (is_number(s, n))
                return value;
        diag_error(json->diags, value->range, "'%s' is not a number of JSON", value->string);
        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
                diag_detail(json->diags, "Numbers are decimal there.");
        else if (s[0] == '+' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
                diag_detail(json->diags, "It has no '+' and no 0 in front.");
        else
                diag_detail(json->diags, "Text is written in double quotes: \"%s\"", value->string);
        return value;
}

struct value *json_word_token(struct json *json)
{
        static const char *const words[] = {"true", "false", "null"};
        const char *s = json->text + json->pos;
        size_t n = strcspn(s, " \t\r\n:,{}[]\"'#");
        CLEANUP_FREE char *word = xstrndup(s, n);
        struct range range = json_range(json, json->pos, json->pos + n);
        struct value *value;

        json->pos += n;
        for (size_t i = 0; i < 3; i++) {
                if (strcasecmp(word, words[i]) != 0)
                        continue;
                if (strcmp(word, words[i]) != 0)
                        diag_error(json->diags, range, "'%s' is written in lower case: %s", word, words[i]);
                value = value_new(i == 2 ? VALUE_NULL : VALUE_BOOL, range);
                value->boolean = i == 0;
                return value;
        }
        diag_error(json->diags, range, "'%s' is not a value of JSON", word);
        diag_detail(json->diags, "Text is written in double quotes: \"%s\"", word);
        value = value_new(VALUE_NULL, range);
        return value;
}
