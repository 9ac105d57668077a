/* regex(), regexall() and regex_replace(): RE2's syntax and meaning through
 * PCRE2. RE2 takes time in proportion to the text; PCRE2 goes back and tries
 * again, so it gets limits, and a pattern that exceeds them is an error. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <string.h>
#include <time.h>

#include "hcl/func_regex.h"

enum {
        STEPS_MAX = 5000000,
        HEAP_MAX_KIB = 128 << 10,
        PATTERN_MAX = 64 << 10,
        GROUPS_MAX = 1000,
        SECONDS_MAX = 10,
        PLACES_MIN = 64,
        PLACES_MAX = 1 << 20
};

struct regex {
        pcre2_code *code;
        pcre2_match_data *data;
        pcre2_match_context *limits;
        uint32_t groups;
        struct func_regex_names names;
        size_t places;     /* to try before the clock is looked at */
        double deadline_s; /* of the call */
        PCRE2_SIZE *at;    /* of a match: start and end of it and of each group */
};

static void regex_clear(struct regex *regex)
{
        pcre2_match_data_free(regex->data);
        pcre2_match_context_free(regex->limits);
        pcre2_code_free(regex->code);
        vec_free(&regex->names.list);
}

static pcre2_code *compile_text(const struct str *text, int *ret_error, PCRE2_SIZE *ret_offset)
{
        pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        pcre2_code *code;

        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        code = pcre2_compile((PCRE2_SPTR)str_get(text), text->len,
                             PCRE2_UTF | PCRE2_USE_OFFSET_LIMIT | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX |
                                     PCRE2_NEVER_BACKSLASH_C,
                             ret_error, ret_offset, context);
        pcre2_compile_context_free(context);
        return code;
}

static double now_s(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The call's argument as a pattern; false with the error set. */
static bool compile(struct hcl_call *call, size_t arg, struct regex *ret)
{
        struct hcl_string pattern = func_text(call, arg);
        CLEANUP_STR struct str text = {0};
        PCRE2_UCHAR message[128];
        PCRE2_SIZE offset;
        int error;

        if (pattern.len > PATTERN_MAX) {
                func_fail(call, arg, "the pattern is longer than %d KiB", PATTERN_MAX >> 10);
                return false;
        }
        if (func_regex_translate(call->arena, pattern, &text, &ret->names, call->err) < 0) {
                error_wrap(call->err, -EINVAL, "this is no pattern of RE2");
                call->bad_arg = arg;
                return false;
        }
        ret->code = compile_text(&text, &error, &offset);
        if (!ret->code) {
                pcre2_get_error_message(error, message, sizeof(message));
                func_fail(call, arg, "this is no pattern of RE2: %s", message);
                return false;
        }
        pcre2_pattern_info(ret->code, PCRE2_INFO_CAPTURECOUNT, &ret->groups);
        if (ret->groups > GROUPS_MAX) {
                func_fail(call, arg, "the pattern has more than %d groups", GROUPS_MAX);
                return false;
        }
        ret->data = pcre2_match_data_create_from_pattern(ret->code, NULL);
        ret->limits = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(ret->limits, STEPS_MAX);
        pcre2_set_heap_limit(ret->limits, HEAP_MAX_KIB);
        ret->places = PLACES_MIN;
        ret->deadline_s = now_s() + SECONDS_MAX;
        ret->at = pcre2_get_ovector_pointer(ret->data);
        return true;
}

static int too_slow(struct hcl_call *call)
{
        func_fail(call, FUNC_WHOLE,
                  "the pattern takes too long on this text; avoid repetitions inside repetitions, such as \"(a+)+\"");
        return -EINVAL;
}

/* The first match from `start` on: 1, or 0 for none; negative with the error set.
 * PCRE2 counts steps for each place anew, so it is given a few places at a
 * time, and the clock is looked at between. */
static int match(struct hcl_call *call, struct regex *regex, struct hcl_string text, size_t start)
{
        for (;;) {
                size_t last = text.len - start > regex->places ? start + regex->places : text.len;
                double before = now_s();
                int r;

                while (last < text.len && ((unsigned char)text.s[last] & 0xc0) == 0x80)
                        last++; /* to a character's first byte */
                pcre2_set_offset_limit(regex->limits, last);
                r = pcre2_match(regex->code, (PCRE2_SPTR)text.s, text.len, start, PCRE2_NO_UTF_CHECK, regex->data,
                                regex->limits);
                if (r > 0)
                        return 1;
                if (r != PCRE2_ERROR_NOMATCH || now_s() > regex->deadline_s)
                        return too_slow(call);
                if (last >= text.len)
                        return 0;
                regex->places = now_s() - before > 0.01      ? PLACES_MIN
                                : regex->places < PLACES_MAX ? 2 * regex->places
                                                             : regex->places;
                start = last;
        }
}

static const struct hcl_value *part(struct arena *arena, const struct regex *regex, struct hcl_string text, uint32_t i)
{
        if (regex->at[2 * i] == PCRE2_UNSET)
                return hcl_null(arena, &hcl_string);
        return hcl_string_value(arena, text.s + regex->at[2 * i], regex->at[2 * i + 1] - regex->at[2 * i]);
}

/* A match: its text, a tuple of its groups, or an object of those with names. */
static const struct hcl_value *match_value(struct arena *arena, const struct regex *regex, struct hcl_string text)
{
        struct hcl_string *keys;
        const struct hcl_value **v;

        if (regex->groups == 0)
                return part(arena, regex, text, 0);
        keys = arena_array(arena, regex->groups, sizeof(*keys));
        v = arena_array(arena, regex->groups, sizeof(const struct hcl_value *));
        for (uint32_t i = 0; i < regex->groups; i++) {
                v[i] = part(arena, regex, text, i + 1);
                if (regex->names.any)
                        keys[i] = (struct hcl_string){regex->names.list.v[i], strlen(regex->names.list.v[i])};
        }
        return regex->names.any ? hcl_object_value(arena, keys, v, regex->groups)
                                : hcl_tuple_value(arena, v, regex->groups);
}

/* The type of match_value(). */
static const struct hcl_type *match_type(struct arena *arena, const struct regex *regex)
{
        const struct hcl_type **members;
        struct hcl_attr_type *attrs;

        if (regex->groups == 0)
                return &hcl_string;
        members = arena_array(arena, regex->groups, sizeof(const struct hcl_type *));
        attrs = arena_array(arena, regex->groups, sizeof(*attrs));
        for (uint32_t i = 0; i < regex->groups; i++) {
                members[i] = &hcl_string;
                attrs[i] = (struct hcl_attr_type){.name = regex->names.list.v[i], .type = &hcl_string};
        }
        return regex->names.any ? hcl_type_object(arena, attrs, regex->groups)
                                : hcl_type_tuple(arena, members, regex->groups);
}

static bool names_are_all_or_none(struct hcl_call *call, const struct regex *regex)
{
        for (uint32_t i = 0; regex->names.any && i < regex->groups; i++)
                if (!regex->names.list.v[i]) {
                        func_fail(call, 0,
                                  "groups with names and groups without cannot stand in one pattern; write (?:...) for "
                                  "a group whose text is not needed");
                        return false;
                }
        return true;
}

CALL(regex)
{
        CLEANUP(regex_clear) struct regex regex = {0};
        struct hcl_string text = func_text(call, 1);
        int r;

        if (!compile(call, 0, &regex) || !names_are_all_or_none(call, &regex))
                return NULL;
        r = match(call, &regex, text, 0);
        if (r == 0)
                return func_fail(call, FUNC_WHOLE, "the pattern matches no part of the text");
        return r < 0 ? NULL : match_value(call->arena, &regex, text);
}

static size_t character_length(struct hcl_string text, size_t at)
{
        return at < text.len ? utf8_length(text.s + at) : 1;
}

typedef VEC(const struct hcl_value *) values;

/* All matches that do not overlap; an empty one does not follow another match at once. */
static int collect(struct hcl_call *call, struct regex *regex, struct hcl_string text, values *out)
{
        size_t last_end = SIZE_MAX;
        int r = 1;

        for (size_t start = 0; start <= text.len;) {
                bool is_empty;

                r = match(call, regex, text, start);
                if (r <= 0)
                        return r;
                is_empty = regex->at[1] == regex->at[0];
                if (!is_empty || regex->at[0] != last_end)
                        vec_push(out, match_value(call->arena, regex, text));
                if (out->n > FUNC_ELEMENTS_MAX) {
                        func_fail(call, FUNC_WHOLE, "there are more than %d matches", FUNC_ELEMENTS_MAX);
                        return -EINVAL;
                }
                last_end = regex->at[1];
                start = regex->at[1] > start ? regex->at[1] : start + character_length(text, start);
        }
        return 0;
}

CALL(regexall)
{
        CLEANUP(regex_clear) struct regex regex = {0};
        const struct hcl_value *result = NULL;
        values out = {0};

        if (!compile(call, 0, &regex) || !names_are_all_or_none(call, &regex))
                return NULL;
        if (collect(call, &regex, func_text(call, 1), &out) >= 0)
                result = hcl_list_value(call->arena, out.n > 0 ? out.v[0]->type : match_type(call->arena, &regex),
                                        arena_memdup(call->arena, out.v, out.n * sizeof(*out.v)), out.n);
        vec_free(&out);
        return result;
}

static uint32_t find_group(const struct regex *regex, const char *name, size_t len)
{
        if (len > 0 && len < 6 && strspn(name, "0123456789") >= len)
                return (uint32_t)strtoul(name, NULL, 10);
        for (uint32_t i = 0; i < regex->groups; i++) {
                const char *other = regex->names.list.v[i];

                if (other && strlen(other) == len && memcmp(other, name, len) == 0)
                        return i + 1;
        }
        return UINT32_MAX;
}

/* A reference after "$": the group's name; 0 if it is none, and the "$" itself is meant. */
static size_t reference(struct hcl_string with, size_t at, size_t *ret_name, size_t *ret_len)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
        bool braces = at < with.len && with.s[at] == '{';

        *ret_name = at + braces;
        *ret_len = *ret_name < with.len ? strspn(with.s + *ret_name, letters) : 0;
        if (*ret_len == 0 || (braces && with.s[*ret_name + *ret_len] != '}'))
                return 0;
        return *ret_len + 2 * braces;
}

/* The replacement with $1, ${1}, $name and ${name}; $$ is a dollar. Unknown groups are empty. */
static void expand(struct str *out, const struct regex *regex, struct hcl_string text, struct hcl_string with)
{
        for (size_t i = 0; i < with.len;) {
                size_t name, len, n;
                uint32_t group;

                if (with.s[i] != '$') {
                        str_addc(out, with.s[i++]);
                        continue;
                }
                i++;
                if (i < with.len && with.s[i] == '$') {
                        str_addc(out, with.s[i++]);
                        continue;
                }
                n = reference(with, i, &name, &len);
                if (n == 0) {
                        str_addc(out, '$');
                        continue;
                }
                group = find_group(regex, with.s + name, len);
                if (group <= regex->groups && regex->at[(size_t)2 * group] != PCRE2_UNSET)
                        str_addn(out, text.s + regex->at[(size_t)2 * group],
                                 regex->at[(size_t)2 * group + 1] - regex->at[(size_t)2 * group]);
                i += n;
        }
}

CALL(regex_replace)
{
        struct hcl_string text = func_text(call, 0), with = func_text(call, 2);
        CLEANUP(regex_clear) struct regex regex = {0};
        CLEANUP_STR struct str out = {0};
        size_t last_end = 0;

        if (!compile(call, 1, &regex))
                return NULL;
        for (size_t start = 0; start <= text.len && out.len <= FUNC_TEXT_MAX;) {
                int r = match(call, &regex, text, start);

                if (r < 0)
                        return NULL;
                if (r == 0)
                        break;
                str_addn(&out, text.s + last_end, regex.at[0] - last_end);
                if (regex.at[1] > last_end || regex.at[0] == 0)
                        expand(&out, &regex, text, with);
                last_end = regex.at[1];
                start = regex.at[1] > start ? regex.at[1] : start + character_length(text, start);
        }
        str_addn(&out, text.s + last_end, text.len - last_end);
        return func_string(call, &out);
}

FUNCTION(regex, .returns = &hcl_any, PARAMS({"pattern", &hcl_string}, {"string", &hcl_string}),
         .help = "The first match of a pattern: its text, or its groups as a tuple or, with names, an object.");
FUNCTION(regex_replace, .returns = &hcl_string,
         PARAMS({"str", &hcl_string}, {"pattern", &hcl_string}, {"replace", &hcl_string}),
         .help = "The text with another one in place of each match; $1 and ${name} stand for groups.");
FUNCTION(regexall, .returns = &hcl_any, PARAMS({"pattern", &hcl_string}, {"string", &hcl_string}),
         .help = "A list of all matches of a pattern.");
