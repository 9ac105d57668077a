/* yamlencode(): block style, keys and strings in double quotes, texts of
 * several lines as literals. */
#include <string.h>
#include <yaml.h>

#include "hcl/func.h"

static int append(void *user, unsigned char *data, size_t n)
{
        struct str *out = user;

        if (out->len > FUNC_TEXT_MAX)
                return 0;
        str_addn(out, (const char *)data, n);
        return 1;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *s, size_t len, yaml_scalar_style_t style)
{
        bool plain = style == YAML_PLAIN_SCALAR_STYLE;
        yaml_event_t event;

        return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s, (int)len, plain, !plain,
                                            style) &&
               yaml_emitter_emit(emitter, &event);
}

static bool emit_text(yaml_emitter_t *emitter, struct hcl_string text)
{
        return emit_scalar(emitter, text.s, text.len,
                           memchr(text.s, '\n', text.len) ? YAML_LITERAL_SCALAR_STYLE
                                                          : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool emit(yaml_emitter_t *emitter, struct arena *arena, const struct hcl_value *value)
{
        const char *text = "null";

        if (value->state == HCL_KNOWN) {
                if (value->type->kind == HCL_STRING)
                        return emit_text(emitter, value->string);
                text = value->type->kind == HCL_NUMBER ? hcl_number_text(arena, value->number)
                       : value->boolean                ? "true"
                                                       : "false";
        }
        return emit_scalar(emitter, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
}

static bool emit_value(yaml_emitter_t *emitter, struct arena *arena, const struct hcl_value *value)
{
        bool has_keys = func_is_mapping(value), good;
        yaml_event_t event;

        if (value->state == HCL_NULL || !(has_keys || func_is_sequence(value)))
                return emit(emitter, arena, value);
        if (has_keys)
                good = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
        else
                good = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        if (!good || !yaml_emitter_emit(emitter, &event))
                return false;
        for (size_t i = 0; i < value->list.n; i++)
                if ((has_keys && !emit_text(emitter, value->list.keys[i])) ||
                    !emit_value(emitter, arena, value->list.v[i]))
                        return false;
        good = has_keys ? yaml_mapping_end_event_initialize(&event) : yaml_sequence_end_event_initialize(&event);
        return good && yaml_emitter_emit(emitter, &event);
}

static bool emit_document(yaml_emitter_t *emitter, struct arena *arena, const struct hcl_value *value)
{
        yaml_event_t event;

        return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && yaml_emitter_emit(emitter, &event) &&
               yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
               yaml_emitter_emit(emitter, &event) && emit_value(emitter, arena, value) &&
               yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(emitter, &event) &&
               yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool has_infinity(const struct hcl_value *value)
{
        if (value->state != HCL_KNOWN)
                return false;
        if (value->type->kind == HCL_NUMBER)
                return !mpfr_number_p(value->number);
        if (!func_is_mapping(value) && !func_is_sequence(value))
                return false;
        for (size_t i = 0; i < value->list.n; i++)
                if (has_infinity(value->list.v[i]))
                        return true;
        return false;
}

CALL(yamlencode)
{
        const struct hcl_value *value = call->args[0];
        CLEANUP_STR struct str out = {0};
        yaml_emitter_t emitter;
        bool good;

        if (has_infinity(value))
                return func_fail(call, 0, "infinity cannot be written as YAML");
        if (!yaml_emitter_initialize(&emitter))
                return func_fail(call, FUNC_WHOLE, "libyaml cannot start");
        yaml_emitter_set_output(&emitter, append, &out);
        yaml_emitter_set_unicode(&emitter, 1);
        yaml_emitter_set_width(&emitter, 80);
        good = emit_document(&emitter, call->arena, value);
        if (!good)
                func_fail(call, 0, "this cannot be written as YAML: %s",
                          emitter.problem ? emitter.problem : "too long");
        yaml_emitter_delete(&emitter);
        /* "..." after a plain scalar alone, and not after a text that ends with line ends: as libyaml was when Go's
         * was made from it */
        if (str_ends(str_get(&out), "\n...\n"))
                out.s[out.len -= strlen("...\n")] = '\0';
        if (!func_is_mapping(value) && !func_is_sequence(value) &&
            (value->state == HCL_NULL || value->type->kind != HCL_STRING))
                str_add(&out, "...\n");
        return good ? func_string(call, &out) : NULL;
}

FUNCTION(yamlencode, .returns = &hcl_string, PARAMS({"value", &hcl_any, HCL_ALLOW_NULL}),
         .help = "The value as YAML text.");
