/* Functions of text. Characters are counted as grapheme clusters; letters are
 * changed one code point at a time, as Go's strings package does. */
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#include "hcl/func.h"

typedef ucs4_t (*mapping)(ucs4_t c);

static void add_mapped(struct str *out, struct hcl_string text, mapping map)
{
        const uint8_t *p = (const uint8_t *)text.s, *end = p + text.len;
        ucs4_t c;

        for (; p < end; p += u8_mbtouc(&c, p, (size_t)(end - p))) {
                u8_mbtouc(&c, p, (size_t)(end - p));
                str_add_utf8(out, map(c));
        }
}

static const struct hcl_value *mapped(struct hcl_call *call, mapping map)
{
        CLEANUP_STR struct str out = {0};

        add_mapped(&out, func_text(call, 0), map);
        return func_string(call, &out);
}

CALL(upper)
{
        return mapped(call, uc_toupper);
}

CALL(lower)
{
        return mapped(call, uc_tolower);
}

/* Go's idea of what stands between words: ASCII but letters, digits and "_"; of the rest, blanks. */
static bool separates(ucs4_t c)
{
        if (c < 0x80)
                return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_');
        return uc_is_property_white_space(c);
}

CALL(title)
{
        struct hcl_string text = func_text(call, 0);
        const uint8_t *p = (const uint8_t *)text.s, *end = p + text.len;
        CLEANUP_STR struct str out = {0};
        ucs4_t c, before = ' ';

        while (p < end) {
                p += u8_mbtouc(&c, p, (size_t)(end - p));
                str_add_utf8(&out, separates(before) ? uc_totitle(c) : c);
                before = c;
        }
        return func_string(call, &out);
}

CALL(strrev)
{
        struct hcl_string text = func_text(call, 0);
        char *out = arena_alloc(call->arena, text.len + 1);
        size_t left = text.len;

        while (left > 0) {
                size_t n = func_clusters((struct hcl_string){text.s + text.len - left, left}, 1, NULL);

                memcpy(out + left - n, text.s + text.len - left, n);
                left -= n;
        }
        return hcl_string_value(call->arena, out, text.len);
}

/* A negative offset counts from the end. As in the original, no length after such an offset takes the rest. */
CALL(substr)
{
        struct hcl_string text = func_text(call, 0);
        int64_t offset, length;
        size_t start = 0, n;

        if (!func_int(call, 1, &offset) || !func_int(call, 2, &length))
                return NULL;
        if (offset < 0) {
                func_clusters(text, SIZE_MAX, &n);
                offset = offset < -(int64_t)n ? 0 : offset + (int64_t)n;
                if (length == 0)
                        length = -1;
        } else if (length == 0) {
                return &hcl_empty_string;
        }
        start = func_clusters(text, (size_t)offset, NULL);
        text = (struct hcl_string){text.s + start, text.len - start};
        if (length > 0)
                text.len = func_clusters(text, (size_t)length, NULL);
        return hcl_string_value(call->arena, text.s, text.len);
}

CALL(join)
{
        struct hcl_string separator = func_text(call, 0);
        CLEANUP_STR struct str out = {0};
        bool first = true;

        if (call->n < 2)
                return func_fail(call, FUNC_WHOLE, "at least one list is needed");
        for (size_t i = 1; i < call->n; i++)
                for (size_t k = 0; k < call->args[i]->list.n; k++) {
                        const struct hcl_value *element = call->args[i]->list.v[k];

                        if (element->state == HCL_NULL)
                                return func_fail(call, i, "element %zu is null, which cannot be joined", k);
                        if (out.len > FUNC_TEXT_MAX)
                                return func_string(call, &out);
                        if (!first)
                                str_addn(&out, separator.s, separator.len);
                        str_addn(&out, element->string.s, element->string.len);
                        first = false;
                }
        return func_string(call, &out);
}

/* Where `part` begins in the text, or NULL. */
static const char *find(struct hcl_string text, struct hcl_string part)
{
        return memmem(text.s, text.len, part.s, part.len);
}

/* Of a text's first character. u8_mblen() answers 0 for NUL, which a text may contain. */
static size_t char_length(const char *s, size_t len)
{
        ucs4_t c;

        return (size_t)u8_mbtouc(&c, (const uint8_t *)s, len);
}

/* An empty separator stands after each code point. */
CALL(split)
{
        struct hcl_string separator = func_text(call, 0), text = func_text(call, 1);
        VEC(const struct hcl_value *) parts = {0};
        const struct hcl_value *list;

        while (separator.len > 0 || text.len > 0) {
                const char *end = separator.len > 0 ? find(text, separator) : NULL;
                size_t n = text.len, skip;

                if (end)
                        n = (size_t)(end - text.s);
                else if (separator.len == 0)
                        n = char_length(text.s, text.len);
                vec_push(&parts, hcl_string_value(call->arena, text.s, n));
                if (!end && separator.len > 0)
                        break;
                skip = n + separator.len;
                text = (struct hcl_string){text.s + skip, text.len - skip};
        }
        list = func_list_of_strings(call, arena_memdup(call->arena, parts.v, parts.n * sizeof(*parts.v)), parts.n);
        vec_free(&parts);
        return list;
}

/* An empty `part` is found before each code point and at the end. */
CALL(replace)
{
        struct hcl_string text = func_text(call, 0), part = func_text(call, 1), with = func_text(call, 2);
        CLEANUP_STR struct str out = {0};
        const char *hit;

        while (out.len <= FUNC_TEXT_MAX && (hit = part.len > 0 ? find(text, part) : text.s)) {
                size_t n = (size_t)(hit - text.s) + part.len;

                str_addn(&out, text.s, n - part.len);
                str_addn(&out, with.s, with.len);
                if (part.len == 0) {
                        if (text.len == 0)
                                break;
                        n = char_length(text.s, text.len);
                        str_addn(&out, text.s, n);
                }
                text = (struct hcl_string){text.s + n, text.len - n};
        }
        str_addn(&out, text.s, text.len);
        return func_string(call, &out);
}

CALL(indent)
{
        struct hcl_string text = func_text(call, 1);
        CLEANUP_STR struct str out = {0};
        int64_t spaces;

        if (!func_int(call, 0, &spaces))
                return NULL;
        if (spaces < 0 || spaces > FUNC_TEXT_MAX)
                return func_fail(call, 0, "the number of spaces must be between 0 and %d", FUNC_TEXT_MAX);
        for (size_t i = 0; i < text.len && out.len <= FUNC_TEXT_MAX; i++) {
                str_addc(&out, text.s[i]);
                if (text.s[i] == '\n')
                        str_addf(&out, "%*s", (int)spaces, "");
        }
        return func_string(call, &out);
}

CALL(chomp)
{
        struct hcl_string text = func_text(call, 0);

        while (text.len > 0 && (text.s[text.len - 1] == '\n' || text.s[text.len - 1] == '\r'))
                text.len--;
        return hcl_string_value(call->arena, text.s, text.len);
}

static bool in_set(ucs4_t c, struct hcl_string set)
{
        return u8_chr((const uint8_t *)set.s, set.len, c) != NULL;
}

static bool is_blank(ucs4_t c, struct hcl_string set)
{
        (void)set;
        return uc_is_property_white_space(c);
}

static const struct hcl_value *trimmed(struct hcl_call *call, bool (*drops)(ucs4_t, struct hcl_string),
                                       struct hcl_string set)
{
        struct hcl_string text = func_text(call, 0);
        const uint8_t *start = (const uint8_t *)text.s, *end = start + text.len, *before;
        ucs4_t c;

        while (start < end && (u8_mbtouc(&c, start, (size_t)(end - start)), drops(c, set)))
                start += char_length((const char *)start, (size_t)(end - start));
        while (start < end && (before = u8_prev(&c, end, start)) && drops(c, set))
                end = before;
        return hcl_string_value(call->arena, (const char *)start, (size_t)(end - start));
}

CALL(trim)
{
        return trimmed(call, in_set, func_text(call, 1));
}

CALL(trimspace)
{
        return trimmed(call, is_blank, (struct hcl_string){0});
}

static bool starts(struct hcl_string text, struct hcl_string part)
{
        return text.len >= part.len && memcmp(text.s, part.s, part.len) == 0;
}

static bool ends(struct hcl_string text, struct hcl_string part)
{
        return text.len >= part.len && memcmp(text.s + text.len - part.len, part.s, part.len) == 0;
}

CALL(trimprefix)
{
        struct hcl_string text = func_text(call, 0), part = func_text(call, 1);
        size_t n = starts(text, part) ? part.len : 0;

        return hcl_string_value(call->arena, text.s + n, text.len - n);
}

CALL(trimsuffix)
{
        struct hcl_string text = func_text(call, 0), part = func_text(call, 1);

        return hcl_string_value(call->arena, text.s, text.len - (ends(text, part) ? part.len : 0));
}

CALL(startswith)
{
        return hcl_bool_value(starts(func_text(call, 0), func_text(call, 1)));
}

CALL(endswith)
{
        return hcl_bool_value(ends(func_text(call, 0), func_text(call, 1)));
}

CALL(strcontains)
{
        return hcl_bool_value(find(func_text(call, 0), func_text(call, 1)) != NULL);
}

#define TEXT  .returns = &hcl_string
#define TRUTH .returns = &hcl_bool

FUNCTION(chomp, TEXT, PARAMS({"str", &hcl_string}), .help = "The text without line ends at its end.");
FUNCTION(endswith, TRUTH, PARAMS({"str", &hcl_string}, {"suffix", &hcl_string}),
         .help = "Does the text end with the other one?");
FUNCTION(indent, TEXT, PARAMS({"spaces", &hcl_number}, {"str", &hcl_string}),
         .help = "The text with blanks after each line end.");
FUNCTION(join, TEXT, PARAMS({"separator", &hcl_string}), VARIADIC("lists", &func_string_list),
         .help = "The elements of lists, with a separator between them.");
FUNCTION(lower, TEXT, PARAMS({"str", &hcl_string}), .help = "The text in small letters.");
FUNCTION(replace, TEXT, PARAMS({"str", &hcl_string}, {"substr", &hcl_string}, {"replace", &hcl_string}),
         .help = "The text with another part wherever one stands in it.");
FUNCTION(split, .returns = &func_string_list, PARAMS({"separator", &hcl_string}, {"str", &hcl_string}),
         .help = "The parts of a text between separators.");
FUNCTION(startswith, TRUTH, PARAMS({"str", &hcl_string}, {"prefix", &hcl_string}),
         .help = "Does the text begin with the other one?");
FUNCTION(strcontains, TRUTH, PARAMS({"str", &hcl_string}, {"substr", &hcl_string}),
         .help = "Does the other text stand in the first one?");
FUNCTION(strrev, TEXT, PARAMS({"str", &hcl_string}), .help = "The characters of a text in reverse.");
FUNCTION(substr, TEXT, PARAMS({"str", &hcl_string}, {"offset", &hcl_number}, {"length", &hcl_number}),
         .help = "So many characters from an offset on; from the end if it is negative; -1 takes the rest.");
FUNCTION(title, TEXT, PARAMS({"str", &hcl_string}), .help = "The text with a capital at the start of each word.");
FUNCTION(trim, TEXT, PARAMS({"str", &hcl_string}, {"cutset", &hcl_string}),
         .help = "The text without any of these characters at its ends.");
FUNCTION(trimprefix, TEXT, PARAMS({"str", &hcl_string}, {"prefix", &hcl_string}),
         .help = "The text without this beginning.");
FUNCTION(trimspace, TEXT, PARAMS({"str", &hcl_string}), .help = "The text without blanks at its ends.");
FUNCTION(trimsuffix, TEXT, PARAMS({"str", &hcl_string}, {"suffix", &hcl_string}), .help = "The text without this end.");
FUNCTION(upper, TEXT, PARAMS({"str", &hcl_string}), .help = "The text in capitals.");
