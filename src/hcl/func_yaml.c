/* YAML through libyaml, with the types that go-cty-yaml gives plain scalars:
 * YAML 1.1's words for truth values, decimal numbers, and times as RFC 3339. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "hcl/func.h"

struct anchor {
        const char *name;
        const struct hcl_value *value; /* NULL while it is being read */
        size_t weight;
};

/* `weight` counts values as often as they are referred to: aliases of aliases make trees that no memory holds. */
struct reader {
        struct hcl_call *call;
        yaml_parser_t parser;
        VEC(struct anchor) anchors;
        size_t weight;
        int depth;
};

static const struct hcl_value *fail_at(struct reader *reader, yaml_mark_t mark, const char *what, const char *more)
{
        return func_fail(reader->call, 0, "line %zu, column %zu: %s%s", mark.line + 1, mark.column + 1, what, more);
}

/* The next event; false with the error set. Its caller releases it. */
static bool next(struct reader *reader, yaml_event_t *event)
{
        if (yaml_parser_parse(&reader->parser, event))
                return true;
        fail_at(reader, reader->parser.problem_mark,
                "this is no YAML: ", reader->parser.problem ? reader->parser.problem : "unreadable");
        return false;
}

static bool is_one_of(const char *s, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(s, *words) == 0)
                        return true;
        return false;
}

static const struct hcl_value *word_value(const char *s)
{
        static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                          "True", "TRUE", "on",  "On",  "ON",  NULL};
        static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                         "False", "FALSE", "off", "Off", "OFF", NULL};
        static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};

        return is_one_of(s, yes)       ? &hcl_true
               : is_one_of(s, no)      ? &hcl_false
               : is_one_of(s, nothing) ? &hcl_null_any
                                       : NULL;
}

static const struct hcl_value *infinity(struct reader *reader, const char *s)
{
        static const char *const words[] = {".inf", ".Inf", ".INF", NULL};
        bool negative = *s == '-';

        if (!is_one_of(s + (negative || *s == '+'), words))
                return NULL;
        return func_number(reader->call, negative ? -__builtin_inf() : __builtin_inf());
}

/* 2001-1-1, or that with a time, as RFC 3339; NULL if it is none. Without a "T" there is no zone. */
static const struct hcl_value *time_value(struct reader *reader, const char *s)
{
        const char *zone = "Z", *text;
        struct func_time time;
        struct tm tm = {0};

        if (strspn(s, "0123456789") != 4 || strpbrk(s, "\t\n") || strstr(s, "- ") ||
            !(s = strptime(s, "%Y-%m-%d", &tm)))
                return NULL;
        if (*s && strchr("Tt ", *s)) {
                bool has_zone = *s++ != ' ';

                if (strspn(s, "0123456789") == 0 || !(s = strptime(s, "%H:%M:%S", &tm)))
                        return NULL;
                if (*s == '.')
                        s += 1 + strspn(s + 1, "0123456789");
                if (has_zone) {
                        zone = s;
                        s += strlen(s);
                }
        }
        if (*s)
                return NULL;
        text = arena_printf(reader->call->arena, "%04d-%02d-%02dT%02d:%02d:%02d%s", tm.tm_year + 1900, tm.tm_mon + 1,
                            tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, zone);
        if (func_time_parse((struct hcl_string){text, strlen(text)}, 'T', &time))
                return NULL;
        return func_time_value(reader->call, &time);
}

static const struct hcl_value *number_value(struct reader *reader, const char *s)
{
        CLEANUP_STR struct str plain = {0};
        const char *digits;

        for (; *s; s++)
                if (*s != '_')
                        str_addc(&plain, *s);
        digits = str_get(&plain);
        if (strncmp(digits, "0b", 2) == 0 || strncmp(digits, "-0b", 3) == 0) {
                bool negative = *digits == '-';
                const char *bits = digits + 2 + negative;
                long long n = strtoll(bits, NULL, 2);

                if (*bits && strlen(bits) < 63 && strspn(bits, "01") == strlen(bits))
                        return hcl_int_value(reader->call->arena, negative ? -n : n);
        }
        return hcl_number_parse(reader->call->arena, digits);
}

/* A scalar without quotes and tag. */
static const struct hcl_value *plain_value(struct reader *reader, const char *s, size_t len)
{
        const struct hcl_value *value = NULL;

        if (strlen(s) == len) {
                value = word_value(s);
                if (!value)
                        value = infinity(reader, s);
                if (!value && *s && strchr("+-0123456789", *s))
                        value = time_value(reader, s);
                if (!value && *s && strchr("+-.0123456789", *s))
                        value = number_value(reader, s);
        }
        return value ? value : hcl_string_value(reader->call->arena, s, len);
}

/* A scalar with a tag, which says what it must be. */
static const struct hcl_value *tagged_value(struct reader *reader, const yaml_event_t *event, const char *tag)
{
        const char *s = (const char *)event->data.scalar.value;
        const struct hcl_value *value = NULL;
        size_t len = event->data.scalar.length, n;

        if (strcmp(tag, YAML_STR_TAG) == 0)
                return hcl_string_value(reader->call->arena, s, len);
        if (strcmp(tag, YAML_NULL_TAG) == 0)
                return &hcl_null_any;
        if (strcmp(tag, YAML_BOOL_TAG) == 0)
                value = word_value(s);
        else if (strcmp(tag, YAML_INT_TAG) == 0 || strcmp(tag, YAML_FLOAT_TAG) == 0)
                value = infinity(reader, s) ? infinity(reader, s) : number_value(reader, s);
        else if (strcmp(tag, YAML_TIMESTAMP_TAG) == 0)
                value = time_value(reader, s);
        else if (strcmp(tag, "tag:yaml.org,2002:binary") == 0)
                value = func_base64_decode(reader->call->arena, (struct hcl_string){s, len}, &n)
                                ? hcl_string_value(reader->call->arena, s, len)
                                : NULL;
        else
                return fail_at(reader, event->start_mark, "unsupported tag ", tag);
        if (!value || (strcmp(tag, YAML_BOOL_TAG) == 0 && value->type->kind != HCL_BOOL))
                return fail_at(reader, event->start_mark, "the value is not what its tag says: ", tag);
        return value;
}

static const struct hcl_value *scalar(struct reader *reader, const yaml_event_t *event)
{
        const char *s = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
        size_t len = event->data.scalar.length;

        if (!func_valid_utf8(s, len))
                return fail_at(reader, event->start_mark, "an escape in the text makes it no UTF-8", "");
        if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (tag && strcmp(tag, "!") == 0))
                return hcl_string_value(reader->call->arena, s, len); /* as the original: whatever the tag */
        if (tag)
                return tagged_value(reader, event, tag);
        if (is_one_of(s, (const char *const[]){".nan", ".NaN", ".NAN", NULL}))
                return fail_at(reader, event->start_mark, "there is no value for ", s);
        return plain_value(reader, s, len);
}

static const struct hcl_value *read_value(struct reader *reader, yaml_event_t *event);

typedef VEC(const struct hcl_value *) values;
typedef VEC(struct hcl_string) names;

static const struct hcl_value *sequence(struct reader *reader)
{
        const struct hcl_value *result = NULL, *element;
        struct arena *arena = reader->call->arena;
        values v = {0};

        for (;;) {
                yaml_event_t event;

                if (!next(reader, &event))
                        break;
                if (event.type == YAML_SEQUENCE_END_EVENT) {
                        yaml_event_delete(&event);
                        result = hcl_tuple_value(arena, arena_memdup(arena, v.v, v.n * sizeof(*v.v)), v.n);
                        break;
                }
                element = read_value(reader, &event);
                if (!element)
                        break;
                vec_push(&v, element);
        }
        vec_free(&v);
        return result;
}

/* The key of a mapping's member; NULL with the error set. */
static const struct hcl_value *read_key(struct reader *reader, const yaml_event_t *event)
{
        const struct hcl_value *key;

        if (event->type != YAML_SCALAR_EVENT)
                return fail_at(reader, event->start_mark, "only strings are allowed as mapping keys", "");
        key = scalar(reader, event);
        if (key && (key->state == HCL_NULL || hcl_convert(reader->call->arena, key, &hcl_string, &key, NULL) < 0))
                return fail_at(reader, event->start_mark, "a mapping key cannot be null", "");
        return key;
}

/* The members of a mapping, or of a list of them, among those of another one. */
static bool add_merged(struct reader *reader, const struct hcl_value *value, yaml_mark_t mark, names *keys, values *v)
{
        bool is_list = value->state == HCL_KNOWN && value->type->kind == HCL_TUPLE;

        if (value->state == HCL_KNOWN && value->type->kind == HCL_OBJECT) {
                for (size_t i = 0; i < value->list.n; i++) {
                        vec_push(keys, value->list.keys[i]);
                        vec_push(v, value->list.v[i]);
                }
                return true;
        }
        for (size_t i = is_list ? value->list.n : 0; i-- > 0;) /* of equal keys the first mapping's counts */
                if (value->list.v[i]->type->kind != HCL_OBJECT || !add_merged(reader, value->list.v[i], mark, keys, v))
                        is_list = false;
        if (!is_list)
                fail_at(reader, mark, "\"<<\" takes a mapping, or a list of mappings", "");
        return is_list;
}

/* One member; false at the end, or with the error set. */
static bool read_member(struct reader *reader, names *keys, values *v, bool *failed)
{
        const struct hcl_value *key, *value = NULL;
        yaml_event_t event;
        yaml_mark_t mark;
        bool is_end;

        *failed = true;
        if (!next(reader, &event))
                return false;
        is_end = event.type == YAML_MAPPING_END_EVENT;
        mark = event.start_mark;
        key = is_end ? NULL : read_key(reader, &event);
        yaml_event_delete(&event);
        *failed = !is_end && !key;
        if (!key)
                return false;
        if (next(reader, &event))
                value = read_value(reader, &event);
        if (!value) {
                *failed = true;
        } else if (func_is_text(key, "<<", 2)) {
                *failed = !add_merged(reader, value, mark, keys, v);
        } else {
                vec_push(keys, key->string);
                vec_push(v, value);
        }
        return !*failed;
}

/* Of equal keys the last one counts, those that "<<" brings among them. */
static const struct hcl_value *mapping(struct reader *reader)
{
        struct arena *arena = reader->call->arena;
        const struct hcl_value *result = NULL;
        names keys = {0};
        values v = {0};
        bool failed;

        while (read_member(reader, &keys, &v, &failed))
                ;
        if (!failed)
                result = hcl_object_value(arena, arena_memdup(arena, keys.v, keys.n * sizeof(*keys.v)),
                                          arena_memdup(arena, v.v, v.n * sizeof(*v.v)), v.n);
        vec_free(&keys);
        vec_free(&v);
        return result;
}

static const struct hcl_value *alias(struct reader *reader, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;

        for (size_t i = reader->anchors.n; i-- > 0;) {
                struct anchor *anchor = &reader->anchors.v[i];

                if (strcmp(anchor->name, name) != 0)
                        continue;
                if (!anchor->value)
                        return fail_at(reader, event->start_mark, "a value cannot contain itself: *", name);
                reader->weight += anchor->weight;
                return anchor->value;
        }
        return fail_at(reader, event->start_mark, "there is no anchor &", name);
}

/* What stands at a collection's start: its anchor, and whether its tag is one of collections. */
static const struct hcl_value *collection(struct reader *reader, const yaml_event_t *event)
{
        bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
        const char *tag = (const char *)(is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag);

        if (tag && strcmp(tag, is_mapping ? YAML_MAP_TAG : YAML_SEQ_TAG) != 0)
                return fail_at(reader, event->start_mark, "a collection cannot be of the type ", tag);
        if (reader->depth >= FUNC_DEPTH_MAX)
                return fail_at(reader, event->start_mark, "the values are nested too deeply", "");
        return is_mapping ? mapping(reader) : sequence(reader);
}

static const char *anchor_name(const yaml_event_t *event)
{
        if (event->type == YAML_SCALAR_EVENT)
                return (const char *)event->data.scalar.anchor;
        if (event->type == YAML_MAPPING_START_EVENT)
                return (const char *)event->data.mapping_start.anchor;
        return event->type == YAML_SEQUENCE_START_EVENT ? (const char *)event->data.sequence_start.anchor : NULL;
}

static const struct hcl_value *dispatch(struct reader *reader, const yaml_event_t *event)
{
        const struct hcl_value *value;

        if (event->type == YAML_SCALAR_EVENT)
                return scalar(reader, event);
        if (event->type == YAML_ALIAS_EVENT)
                return alias(reader, event);
        if (event->type != YAML_SEQUENCE_START_EVENT && event->type != YAML_MAPPING_START_EVENT)
                return fail_at(reader, event->start_mark, "a value is missing", "");
        reader->depth++;
        value = collection(reader, event);
        reader->depth--;
        return value;
}

/* The value that begins with the event, which is released. */
static const struct hcl_value *read_value(struct reader *reader, yaml_event_t *event)
{
        const char *name = anchor_name(event);
        size_t before = reader->weight, index = reader->anchors.n;
        const struct hcl_value *value;
        yaml_mark_t mark = event->start_mark;

        if (name)
                vec_push(&reader->anchors, (struct anchor){.name = arena_strdup(reader->call->arena, name)});
        reader->weight++;
        value = dispatch(reader, event);
        if (value && reader->weight > FUNC_ELEMENTS_MAX)
                value = fail_at(reader, mark, "the aliases make this too large", "");
        if (name && value) {
                reader->anchors.v[index].value = value;
                reader->anchors.v[index].weight = reader->weight - before;
        }
        yaml_event_delete(event);
        return value;
}

/* The one document of a stream. */
static const struct hcl_value *read_stream(struct reader *reader)
{
        static const yaml_event_type_t before[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT};
        static const yaml_event_type_t after[] = {YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT};
        const struct hcl_value *value;
        yaml_event_t event;

        for (int i = 0; i < 2; i++) {
                if (!next(reader, &event))
                        return NULL;
                if (event.type != before[i]) { /* nothing but comments */
                        yaml_event_delete(&event);
                        return &hcl_null_any;
                }
                yaml_event_delete(&event);
        }
        if (!next(reader, &event))
                return NULL;
        value = read_value(reader, &event);
        for (int i = 0; i < 2 && value; i++) {
                if (!next(reader, &event))
                        return NULL;
                if (event.type != after[i])
                        value = fail_at(reader, event.start_mark, "only one document is allowed", "");
                yaml_event_delete(&event);
        }
        return value;
}

CALL(yamldecode)
{
        struct hcl_string text = func_text(call, 0);
        struct reader reader = {.call = call};
        const struct hcl_value *value;

        if (!yaml_parser_initialize(&reader.parser))
                return func_fail(call, FUNC_WHOLE, "libyaml cannot start");
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.s, text.len);
        value = read_stream(&reader);
        vec_free(&reader.anchors);
        yaml_parser_delete(&reader.parser);
        return value;
}

FUNCTION(yamldecode, .returns = &hcl_any, PARAMS({"str", &hcl_string}),
         .help = "The value that a YAML text describes.");
