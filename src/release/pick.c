/* Texts out of what a server answers: see release_pick(). */
#include <errno.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "release/release_internal.h"

enum { RESULTS_MAX = 1 << 16, PARTS_MAX = 16 };

/* ---- along a path ---- */

struct picking {
        const char *const *path;
        char ***out;
        size_t n;
};

static void add_text(struct picking *picking, const char *text)
{
        if (picking->n++ < RESULTS_MAX)
                strv_add(picking->out, text);
}

static bool has_member(const json_t *value, const char *part)
{
        const char *equals = strchr(part, '=');
        CLEANUP_FREE char *key = xstrndup(part, (size_t)(equals - part));

        return str_eq(json_string_value(json_object_get(value, key)), equals + 1);
}

/* As deep as the path is long. */
static void follow(struct picking *picking, size_t depth, json_t *value) /* NOLINT(misc-no-recursion) */
{
        const char *part = picking->path[depth], *key;
        json_t *member;
        size_t i;

        if (!part) {
                if (json_is_string(value))
                        add_text(picking, json_string_value(value));
        } else if (strcmp(part, "*") == 0) {
                json_array_foreach(value, i, member) follow(picking, depth + 1, member);
                json_object_foreach(value, key, member) follow(picking, depth + 1, member);
        } else if (strcmp(part, "@") == 0) {
                json_object_foreach(value, key, member) add_text(picking, key);
        } else if (strchr(part, '=')) {
                if (has_member(value, part))
                        follow(picking, depth + 1, value);
        } else if ((member = json_object_get(value, part))) {
                follow(picking, depth + 1, member);
        }
}

static int pick_json(const char *text, const char *const *path, char ***ret, struct error *err)
{
        json_error_t problem;
        json_t *root;

        if (strv_len(path) > PARTS_MAX)
                return error_set(err, EINVAL, "a path through JSON of more than %d parts", PARTS_MAX);
        root = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
        if (!root)
                return error_set(err, EBADMSG, "it is not JSON: line %d: %s", problem.line, problem.text);
        follow(&(struct picking){.path = path, .out = ret}, 0, root);
        json_decref(root);
        return 0;
}

/* ---- by a pattern ---- */

static int compile(const char *pattern, pcre2_code **ret, struct error *err)
{
        PCRE2_UCHAR message[120];
        PCRE2_SIZE offset;
        int code;

        *ret = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_MULTILINE, &code, &offset,
                             NULL);
        if (*ret)
                return 0;
        pcre2_get_error_message(code, message, sizeof(message));
        return error_set(err, EINVAL, "pattern '%s': %s at character %zu", pattern, (const char *)message, offset + 1);
}

/* What the pattern finds in the text from *offset on, which goes past it. False: nothing more. */
static bool find_next(const pcre2_code *code, pcre2_match_data *match, const char *text, size_t *offset, char ***out)
{
        size_t n = strlen(text);
        const PCRE2_SIZE *at;
        int groups;

        if (*offset > n)
                return false;
        groups = pcre2_match(code, (PCRE2_SPTR)text, n, *offset, 0, match, NULL);
        if (groups < 1)
                return false;
        at = pcre2_get_ovector_pointer(match);
        if (groups > 1 && at[2] != PCRE2_UNSET)
                strv_take(out, xstrndup(text + at[2], at[3] - at[2]));
        else
                strv_take(out, xstrndup(text + at[0], at[1] - at[0]));
        *offset = at[1] > at[0] ? at[1] : at[1] + 1;
        return true;
}

static int by_pattern(const char *const *texts, const char *pattern, bool all, char ***ret, struct error *err)
{
        pcre2_match_data *match;
        pcre2_code *code = NULL;
        int r = compile(pattern, &code, err);

        if (r < 0)
                return r;
        match = pcre2_match_data_create_from_pattern(code, NULL);
        for (; match && *texts; texts++) {
                size_t offset = 0, n = 0;

                while (find_next(code, match, *texts, &offset, ret) && all && ++n < RESULTS_MAX)
                        ;
        }
        pcre2_match_data_free(match);
        pcre2_code_free(code);
        return match ? 0 : error_set(err, ENOMEM, "out of memory");
}

int release_pick(const char *text, const char *const *path, const char *pattern, char ***ret, struct error *err)
{
        CLEANUP_STRV char **texts = NULL, **found = NULL;
        int r = 0;

        if (path && path[0])
                r = pick_json(text, path, &texts, err);
        else
                strv_add(&texts, text);
        if (r == 0 && pattern && texts)
                r = by_pattern(STRV(texts), pattern, !path || !path[0], &found, err);
        if (r < 0)
                return r;
        *ret = pattern ? steal(&found) : steal(&texts);
        return 0;
}
