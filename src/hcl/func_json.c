/* JSON: jsonencode() writes it as Go's encoding/json does, jsondecode() reads
 * it with the reader of templates (lang/value.h), which keeps numbers as they
 * were written. Of equal keys the last one counts. */
#include <string.h>
#include <unistr.h>

#include "hcl/func.h"
#include "lang/value.h"

static void add_character(struct str *out, unsigned char c)
{
        static const char letters[] = "\bb\ff\nn\rr\tt";
        const char *letter = c ? strchr(letters, c) : NULL;

        if (c == '"' || c == '\\')
                str_addf(out, "\\%c", c);
        else if (letter && c < ' ')
                str_addf(out, "\\%c", letter[1]);
        else if (c < ' ' || strchr("<>&", c))
                str_addf(out, "\\u%04x", c);
        else
                str_addc(out, (char)c);
}

static void add_string(struct str *out, struct hcl_string text)
{
        str_addc(out, '"');
        for (size_t i = 0; i < text.len; i++) {
                /* U+2028 and U+2029 end lines in JavaScript */
                if (text.len - i >= 3 && memcmp(text.s + i, "\xe2\x80", 2) == 0 && (text.s[i + 2] & 0xfe) == 0xa8) {
                        str_addf(out, "\\u202%c", (unsigned char)text.s[i + 2] == 0xa8 ? '8' : '9');
                        i += 2;
                } else {
                        add_character(out, (unsigned char)text.s[i]);
                }
        }
        str_addc(out, '"');
}

static int add_elements(struct str *out, struct arena *arena, const struct hcl_value *value, struct error *err)
{
        bool has_keys = func_is_mapping(value);
        int r = 0;

        str_addc(out, has_keys ? '{' : '[');
        for (size_t i = 0; i < value->list.n && r == 0; i++) {
                if (i > 0)
                        str_addc(out, ',');
                if (has_keys) {
                        add_string(out, value->list.keys[i]);
                        str_addc(out, ':');
                }
                r = func_json(out, arena, value->list.v[i], err);
        }
        str_addc(out, has_keys ? '}' : ']');
        return r;
}

int func_json(struct str *out, struct arena *arena, const struct hcl_value *value, struct error *err)
{
        if (out->len > FUNC_TEXT_MAX)
                return error_set(err, EINVAL, "the result would be longer than %d MiB", FUNC_TEXT_MAX >> 20);
        if (value->state == HCL_NULL) {
                str_add(out, "null");
                return 0;
        }
        switch (value->type->kind) {
        case HCL_ANY:
                break;
        case HCL_BOOL:
                str_add(out, value->boolean ? "true" : "false");
                return 0;
        case HCL_NUMBER:
                if (!mpfr_number_p(value->number))
                        return error_set(err, EINVAL, "infinity cannot be written as JSON");
                str_add(out, hcl_number_text(arena, value->number));
                return 0;
        case HCL_STRING:
                add_string(out, value->string);
                return 0;
        case HCL_LIST:
        case HCL_SET:
        case HCL_MAP:
        case HCL_TUPLE:
        case HCL_OBJECT:
                return add_elements(out, arena, value, err);
        }
        return error_set(err, EINVAL, "the value is not known");
}

CALL(jsonencode)
{
        CLEANUP_STR struct str out = {0};

        if (func_json(&out, call->arena, call->args[0], call->err) < 0)
                return NULL;
        return func_string(call, &out);
}

static const struct hcl_value *from_json(struct hcl_call *call, const struct value *json);

static const struct hcl_value *number_from(struct hcl_call *call, const char *digits)
{
        const struct hcl_value *number = hcl_number_parse(call->arena, digits);

        return number ? number : func_fail(call, 0, "the number %.40s is too large", digits);
}

static const struct hcl_value *object_from(struct hcl_call *call, const struct value *json)
{
        struct hcl_string *keys = arena_array(call->arena, json->object.n, sizeof(*keys));
        const struct hcl_value **v = arena_array(call->arena, json->object.n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < json->object.n; i++) {
                keys[i] = hcl_string_from(call->arena, json->object.v[i].key)->string;
                v[i] = from_json(call, json->object.v[i].value);
                if (!v[i])
                        return NULL;
        }
        return hcl_object_value(call->arena, keys, v, json->object.n);
}

static const struct hcl_value *tuple_from(struct hcl_call *call, const struct value *json)
{
        const struct hcl_value **v = arena_array(call->arena, json->list.n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < json->list.n; i++) {
                v[i] = from_json(call, json->list.v[i]);
                if (!v[i])
                        return NULL;
        }
        return hcl_tuple_value(call->arena, v, json->list.n);
}

static const struct hcl_value *from_json(struct hcl_call *call, const struct value *json)
{
        switch (json->type) {
        case VALUE_NULL:
                return &hcl_null_any;
        case VALUE_BOOL:
                return hcl_bool_value(json->boolean);
        case VALUE_NUMBER:
                return number_from(call, json->string);
        case VALUE_STRING:
                return hcl_string_from(call->arena, json->string);
        case VALUE_LIST:
                return tuple_from(call, json);
        case VALUE_OBJECT:
                return object_from(call, json);
        }
        return NULL;
}

static const struct hcl_value *unreadable(struct hcl_call *call, const struct diags *diags)
{
        const struct diag *diag = &diags->list.v[0];
        unsigned int line, column;

        range_position(&diag->range, &line, &column);
        return func_fail(call, 0, "this is no JSON: line %u, column %u: %s", line, column, diag->summary);
}

CALL(jsondecode)
{
        struct hcl_string text = func_text(call, 0);
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("jsondecode", text.s, text.len);
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP(value_freep) struct value *json = json_read_repeating(source, &diags);

        if (!json || diags.n_errors > 0)
                return unreadable(call, &diags);
        return from_json(call, json);
}

FUNCTION(jsondecode, .returns = &hcl_any, PARAMS({"str", &hcl_string}),
         .help = "The value that a JSON text describes.");
FUNCTION(jsonencode, .returns = &hcl_string, PARAMS({"val", &hcl_any, HCL_ALLOW_NULL}),
         .help = "The value as JSON text.");
