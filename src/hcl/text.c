/* Values as text: see value.h. The layout is that of Packer's console. */
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/str.h"
#include "hcl/value_internal.h"

static void add_char(struct str *text, ucs4_t c)
{
        static const char letters[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};

        if (c < sizeof(letters) && letters[c])
                str_addf(text, "\\%c", letters[c]);
        else if (c < 0x80 ? c < 0x20 || c == 0x7f : !uc_is_print(c))
                str_addf(text, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
        else
                str_add_utf8(text, c);
}

static void add_quoted(struct str *text, const char *s, size_t len)
{
        str_addc(text, '"');
        for (size_t i = 0; i < len;) {
                ucs4_t c;

                if ((s[i] == '$' || s[i] == '%') && i + 1 < len && s[i + 1] == '{')
                        str_addc(text, s[i]); /* "$${" is not the start of a template */
                i += (size_t)u8_mbtouc(&c, (const uint8_t *)s + i, len - i);
                add_char(text, c);
        }
        str_addc(text, '"');
}

const char *hcl_quote(struct arena *arena, const char *s, size_t len)
{
        CLEANUP_STR struct str text = {0};

        add_quoted(&text, s, len);
        return arena_strndup(arena, text.s, text.len);
}

static void add_value(struct arena *arena, struct str *text, const struct hcl_value *value, int indent);

static void add_elements(struct arena *arena, struct str *text, const struct hcl_value *value, int indent)
{
        bool keys = value->list.keys || value->type->kind == HCL_MAP || value->type->kind == HCL_OBJECT;

        str_add(text, keys ? "{" : "[");
        str_add(text, value->list.n > 0 ? "\n" : "");
        for (size_t i = 0; i < value->list.n; i++) {
                str_addf(text, "%*s", 2 * (indent + 1), "");
                if (value->list.keys) {
                        add_quoted(text, value->list.keys[i].s, value->list.keys[i].len);
                        str_add(text, " = ");
                }
                add_value(arena, text, value->list.v[i], indent + 1);
                str_add(text, keys ? "\n" : ",\n");
        }
        if (value->list.n > 0)
                str_addf(text, "%*s", 2 * indent, "");
        str_add(text, keys ? "}" : "]");
}

static void add_value(struct arena *arena, struct str *text, const struct hcl_value *value, int indent)
{
        if (value->sensitive)
                str_add(text, "<sensitive>");
        else if (value->state == HCL_UNKNOWN)
                str_add(text, "<unknown>");
        else if (value->state == HCL_NULL)
                str_add(text, "null");
        else if (hcl_has_elements(value))
                add_elements(arena, text, value, indent);
        else if (value->type->kind == HCL_STRING)
                add_quoted(text, value->string.s, value->string.len);
        else if (value->type->kind == HCL_NUMBER)
                str_add(text, hcl_number_text(arena, value->number));
        else
                str_add(text, value->boolean ? "true" : "false");
}

const char *hcl_value_text(struct arena *arena, const struct hcl_value *value)
{
        CLEANUP_STR struct str text = {0};

        add_value(arena, &text, value, 0);
        return arena_strndup(arena, str_get(&text), text.len);
}

const char *hcl_console_text(struct arena *arena, const struct hcl_value *value)
{
        if (value->type->kind == HCL_STRING && value->state == HCL_KNOWN && !value->sensitive)
                return value->string.s;
        return hcl_value_text(arena, value);
}
