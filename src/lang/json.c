/* JSON (RFC 8259) with the place of every key and value, read strictly. After
 * a mistake whose meaning is plain (a comma too many or too few, a comment, a
 * key without quotes) it goes on reading, so that one run shows all of them.
 * See value.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/json_internal.h"

enum { DEPTH_MAX = 256, MISTAKES_MAX = 20 };

static struct value *read_value(struct json *json);

struct range json_range(const struct json *json, size_t start, size_t end)
{
        return (struct range){.source = json->source, .start = start, .end = end};
}

static unsigned int line_of(const struct json *json, size_t pos)
{
        struct range range = json_range(json, pos, pos);
        unsigned int line, column;

        range_position(&range, &line, &column);
        return line;
}

/* A comment of any usual kind at pos: its length, or 0. */
static size_t comment_length(const char *s)
{
        const char *end;

        if (*s == '#' || (s[0] == '/' && s[1] == '/'))
                return strcspn(s, "\n");
        if (s[0] != '/' || s[1] != '*')
                return 0;
        end = strstr(s + 2, "*/");
        return end ? (size_t)(end + 2 - s) : strlen(s);
}

static void skip_space(struct json *json)
{
        for (;;) {
                size_t n;

                json->pos += strspn(json->text + json->pos, " \t\r\n");
                n = comment_length(json->text + json->pos);
                if (n == 0)
                        return;
                json->pos += n;
                if (json->diags->n_errors > json->limit)
                        continue;
                diag_error(json->diags, json_range(json, json->pos - n, json->pos), "JSON has no comments");
                diag_detail(json->diags, "A key that begins with '_' is taken as a comment: \"_comment\": \"...\"");
        }
}

static char peek(const struct json *json)
{
        return json->text[json->pos];
}

static struct range here(const struct json *json)
{
        return json_range(json, json->pos, json->pos + (json->pos < json->len));
}

static bool starts_value(char c)
{
        return c != '\0' && (strchr("\"'{[-+.", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '_');
}

static void never_closed(struct json *json, size_t open)
{
        char bracket = json->text[open];

        diag_error(json->diags, json_range(json, open, open + 1), "this '%c' is never closed", bracket);
        diag_detail(json->diags, "The file ends in line %u without the '%c' that belongs to it.",
                    line_of(json, json->len), bracket == '{' ? '}' : ']');
}

static void wrong_bracket(struct json *json, size_t open, char close)
{
        char found = peek(json);

        if (found == '\0' && json->pos >= json->len) {
                never_closed(json, open);
        } else if (found == '}' || found == ']') {
                diag_error(json->diags, here(json), "'%c' was expected here, not '%c'", close, found);
                diag_detail(json->diags, "It closes the '%c' of line %u.", json->text[open], line_of(json, open));
        } else {
                diag_error(json->diags, here(json), "',' or '%c' was expected here", close);
                diag_detail(json->diags, "The %s begins in line %u.", close == '}' ? "object" : "list",
                            line_of(json, open));
        }
}

/* Between two members: 1 there is another one, 0 the closing bracket was
 * taken, -1 reading cannot go on. `last` is where the member before ended. */
static int next_member(struct json *json, size_t open, char close, size_t last)
{
        size_t comma;

        skip_space(json);
        if (peek(json) == close) {
                json->pos++;
                return 0;
        }
        comma = json->pos;
        if (peek(json) != ',') {
                if (!starts_value(peek(json))) {
                        wrong_bracket(json, open, close);
                        return -1;
                }
                diag_error(json->diags, json_range(json, last, last + 1), "a comma is missing here");
                return json->diags->n_errors > json->limit ? -1 : 1;
        }
        json->pos++;
        skip_space(json);
        while (peek(json) == ',') {
                if (json->diags->n_errors <= json->limit)
                        diag_error(json->diags, here(json), "one comma is enough");
                json->pos++;
                skip_space(json);
        }
        if (peek(json) != close)
                return json->diags->n_errors > json->limit ? -1 : 1;
        diag_error(json->diags, json_range(json, comma, comma + 1), "no comma may stand before '%c'; remove it", close);
        json->pos++;
        return 0;
}

static struct value *read_list(struct json *json)
{
        size_t open = json->pos++;
        CLEANUP(value_freep) struct value *list = value_new(VALUE_LIST, json_range(json, open, open + 1));
        int more = 1;

        skip_space(json);
        if (peek(json) == ']') {
                json->pos++;
                more = 0;
        }
        while (more > 0) {
                struct value *element;

                if (json->pos >= json->len)
                        return never_closed(json, open), NULL;
                element = read_value(json);
                if (!element)
                        return NULL;
                value_list_add(list, element);
                more = next_member(json, open, ']', json->pos);
        }
        if (more < 0)
                return NULL;
        list->range.end = json->pos;
        return steal(&list);
}

static int compare_entries(const void *a, const void *b)
{
        const struct value_entry *const *x = a, *const *y = b;
        int order = strcmp((*x)->key, (*y)->key);

        if (order != 0)
                return order;
        return (*x)->key_range.start < (*y)->key_range.start ? -1 : 1;
}

static void check_duplicates(struct json *json, const struct value *object)
{
        size_t n = object->object.n;
        CLEANUP_FREE const struct value_entry **sorted = xcalloc(n + 1, sizeof(*sorted));

        for (size_t i = 0; i < n; i++)
                sorted[i] = &object->object.v[i];
        qsort(sorted, n, sizeof(*sorted), compare_entries);
        for (size_t i = 1; i < n && json->diags->n_errors <= json->limit; i++) {
                if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
                        continue;
                diag_error(json->diags, sorted[i]->key_range, "the key '%s' is here twice", sorted[i]->key);
                diag_detail(json->diags, "It was first given in line %u. Keep one of them.",
                            line_of(json, sorted[i - 1]->key_range.start));
        }
}

static struct value *read_key(struct json *json)
{
        char c = peek(json);
        size_t start = json->pos, n;
        struct value *key;

        if (c == '"' || c == '\'')
                return json_string_token(json, c);
        n = strcspn(json->text + start, " \t\r\n:=,{}[]\"'");
        if (n == 0) {
                diag_error(json->diags, here(json), "a key in double quotes was expected here");
                return NULL;
        }
        key = value_new(VALUE_STRING, json_range(json, start, start + n));
        key->string = xstrndup(json->text + start, n);
        diag_error(json->diags, key->range, "a key is written in double quotes: \"%s\"", key->string);
        json->pos += n;
        return key;
}

static int read_colon(struct json *json, const struct value *key)
{
        skip_space(json);
        if (peek(json) == ':') {
                json->pos++;
        } else if (peek(json) == '=') {
                diag_error(json->diags, here(json), "in JSON ':' stands between a key and its value, not '='");
                json->pos++;
        } else {
                diag_error(json->diags, key->range, "':' and a value are missing after the key '%s'", key->string);
                return -1;
        }
        skip_space(json);
        return 0;
}

static int read_member(struct json *json, size_t open, struct value *object)
{
        CLEANUP(value_freep) struct value *key = NULL;
        struct value *member;

        if (json->pos >= json->len)
                return never_closed(json, open), -1;
        key = read_key(json);
        if (!key || read_colon(json, key) < 0)
                return -1;
        if (peek(json) == ',' || peek(json) == '}') {
                diag_error(json->diags, key->range, "the key '%s' has no value", key->string);
                return -1;
        }
        member = read_value(json);
        if (!member)
                return -1;
        value_object_add(object, key->string, key->range, member);
        return 0;
}

static struct value *read_object(struct json *json)
{
        size_t open = json->pos++;
        CLEANUP(value_freep) struct value *object = value_new(VALUE_OBJECT, json_range(json, open, open + 1));
        int more = 1;

        skip_space(json);
        if (peek(json) == '}') {
                json->pos++;
                more = 0;
        }
        while (more > 0) {
                if (read_member(json, open, object) < 0)
                        return NULL;
                more = next_member(json, open, '}', json->pos);
        }
        if (more < 0)
                return NULL;
        object->range.end = json->pos;
        if (!json->repeating)
                check_duplicates(json, object);
        return steal(&object);
}

static struct value *read_nested(struct json *json)
{
        struct value *value;

        if (json->depth >= DEPTH_MAX) {
                diag_error(json->diags, here(json), "objects and lists lie in each other more than %d levels deep",
                           DEPTH_MAX);
                return NULL;
        }
        json->depth++;
        value = peek(json) == '{' ? read_object(json) : read_list(json);
        json->depth--;
        return value;
}

static struct value *read_value(struct json *json)
{
        char c = peek(json);

        if (c == '{' || c == '[')
                return read_nested(json);
        if (c == '"' || c == '\'')
                return json_string_token(json, c);
        if (c != '\0' && (strchr("-+.", c) || (c >= '0' && c <= '9')))
                return json_number_token(json);
        if (starts_value(c))
                return json_word_token(json);
        if (json->pos >= json->len)
                diag_error(json->diags, here(json), "the file ends where a value was expected");
        else
                diag_error(json->diags, here(json), "a value was expected here");
        return NULL;
}

/* What is wrong with the file before its first character. False: stop. */
static bool check_start(struct json *json)
{
        if (json->len >= 2 && (memcmp(json->text, "\xff\xfe", 2) == 0 || memcmp(json->text, "\xfe\xff", 2) == 0)) {
                diag_error(json->diags, NO_RANGE, "%s is UTF-16 text; save it as UTF-8", json->source->path);
                return false;
        }
        if (str_starts(json->text, "\xef\xbb\xbf")) {
                diag_error(json->diags, json_range(json, 0, 3), "the file begins with a byte order mark (BOM)");
                diag_detail(json->diags, "JSON does not have one. Save the file as \"UTF-8 without BOM\".");
                json->pos = 3;
        }
        skip_space(json);
        if (json->pos < json->len)
                return true;
        diag_error(json->diags, NO_RANGE, "%s is empty; a JSON object { ... } was expected", json->source->path);
        return false;
}

static struct value *read_text(const struct source_text *source, bool repeating, struct diags *diags)
{
        size_t errors_before = diags->n_errors;
        struct json json = {.source = source,
                            .text = source->text,
                            .len = source->len,
                            .diags = diags,
                            .repeating = repeating,
                            .limit = errors_before + MISTAKES_MAX};
        CLEANUP(value_freep) struct value *value = NULL;

        if (!check_start(&json))
                return NULL;
        value = read_value(&json);
        if (!value)
                return NULL;
        skip_space(&json);
        if (json.pos < json.len)
                diag_error(diags, here(&json), "nothing may follow after the end of the %s",
                           value->type == VALUE_OBJECT ? "object" : "value");
        return diags->n_errors > errors_before ? NULL : steal(&value);
}

struct value *json_read(const struct source_text *source, struct diags *diags)
{
        return read_text(source, false, diags);
}

struct value *json_read_repeating(const struct source_text *source, struct diags *diags)
{
        return read_text(source, true, diags);
}
