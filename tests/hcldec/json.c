/* JSON as the original writes it: see hcldec.h. Numbers keep all their digits,
 * which is why this does not go through jansson. */
#include <string.h>
#include <unigbrk.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcldec.h"

struct writer {
        struct arena *arena;
        struct str text;
        bool keep_nulls;
};

static void writer_clear(struct writer *w)
{
        str_clear(&w->text);
}
#define CLEANUP_WRITER CLEANUP(writer_clear)

static const char *finish(struct writer *w)
{
        return arena_strndup(w->arena, str_get(&w->text), w->text.len);
}

static void add_string(struct writer *w, const char *s, size_t len)
{
        str_addc(&w->text, '"');
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c == '"' || c == '\\')
                        str_addf(&w->text, "\\%c", c);
                else if (c < 0x20)
                        str_addf(&w->text, "\\u%04x", c);
                else
                        str_addc(&w->text, (char)c);
        }
        str_addc(&w->text, '"');
}

static void add_text(struct writer *w, const char *s)
{
        add_string(w, s, strlen(s));
}

/* ---- types ---- */

static void add_type(struct writer *w, const struct hcl_type *type)
{
        static const char *const names[] = {
                [HCL_ANY] = "dynamic",   [HCL_BOOL] = "bool",   [HCL_NUMBER] = "number",
                [HCL_STRING] = "string", [HCL_LIST] = "list",   [HCL_SET] = "set",
                [HCL_MAP] = "map",       [HCL_TUPLE] = "tuple", [HCL_OBJECT] = "object",
        };

        if (type->kind < HCL_LIST) {
                add_text(w, names[type->kind]);
                return;
        }
        str_addf(&w->text, "[\"%s\",", names[type->kind]);
        if (type->element)
                add_type(w, type->element);
        else
                str_addc(&w->text, type->kind == HCL_TUPLE ? '[' : '{');
        for (size_t i = 0; i < type->n; i++) {
                str_add(&w->text, i > 0 ? "," : "");
                if (type->kind == HCL_OBJECT) {
                        add_text(w, type->attrs[i].name);
                        str_addc(&w->text, ':');
                }
                add_type(w, type->kind == HCL_OBJECT ? type->attrs[i].type : type->members[i]);
        }
        if (!type->element)
                str_addc(&w->text, type->kind == HCL_TUPLE ? ']' : '}');
        str_addc(&w->text, ']');
}

/* ---- values ---- */

static void add_value(struct writer *w, const struct hcl_value *value);

static void add_elements(struct writer *w, const struct hcl_value *value)
{
        bool members = value->type->kind == HCL_MAP || value->type->kind == HCL_OBJECT, first = true;

        str_addc(&w->text, members ? '{' : '[');
        for (size_t i = 0; i < value->list.n; i++) {
                if (members && !w->keep_nulls && value->list.v[i]->state == HCL_NULL)
                        continue;
                str_add(&w->text, first ? "" : ",");
                first = false;
                if (members) {
                        add_string(w, value->list.keys[i].s, value->list.keys[i].len);
                        str_addc(&w->text, ':');
                }
                add_value(w, value->list.v[i]);
        }
        str_addc(&w->text, members ? '}' : ']');
}

static void add_value(struct writer *w, const struct hcl_value *value)
{
        if (value->state != HCL_KNOWN)
                str_add(&w->text, "null");
        else if (value->type->kind == HCL_BOOL)
                str_add(&w->text, value->boolean ? "true" : "false");
        else if (value->type->kind == HCL_NUMBER)
                str_add(&w->text, hcl_number_text(w->arena, value->number));
        else if (value->type->kind == HCL_STRING)
                add_string(w, value->string.s, value->string.len);
        else
                add_elements(w, value);
}

const char *json_value(struct arena *arena, const struct hcl_value *value, bool with_type, bool keep_nulls)
{
        CLEANUP_WRITER struct writer w = {.arena = arena, .keep_nulls = keep_nulls};
        bool wrapped = with_type && value->type->kind != HCL_ANY;

        if (!hcl_value_known(value))
                return NULL;
        str_add(&w.text, wrapped ? "{\"value\":" : "");
        add_value(&w, value);
        if (wrapped) {
                str_add(&w.text, ",\"type\":");
                add_type(&w, value->type);
                str_addc(&w.text, '}');
        }
        return finish(&w);
}

/* ---- places: lines, columns in grapheme clusters, bytes ---- */

/* Where grapheme clusters begin between the two, but for the first. */
static size_t count_breaks(const uint8_t *from, const uint8_t *to)
{
        CLEANUP_FREE char *breaks = xcalloc((size_t)(to - from) + 1, 1);
        size_t n = 0;

        u8_grapheme_breaks(from, (size_t)(to - from), breaks);
        for (const uint8_t *at = from + 1; at < to; at++)
                n += breaks[at - from] != 0;
        return n;
}

static void add_position(struct writer *w, const char *name, const struct source_text *source, size_t byte)
{
        const uint8_t *text = (const uint8_t *)source->text, *start = text, *end = text + byte;
        size_t line = 1;

        for (const uint8_t *p = text; p < end; p++)
                if (*p == '\n') {
                        line++;
                        start = p + 1;
                }
        str_addf(&w->text, "\"%s\":{\"line\":%zu,\"column\":%zu,\"byte\":%zu}", name, line,
                 1 + (end > start) + count_breaks(start, end), byte);
}

static void add_range(struct writer *w, const char *name, const struct range *range)
{
        str_addf(&w->text, "\"%s\":{\"filename\":", name);
        add_text(w, range->source->path);
        str_addc(&w->text, ',');
        add_position(w, "start", range->source, range->start);
        str_addc(&w->text, ',');
        add_position(w, "end", range->source, range->end);
        str_addc(&w->text, '}');
}

const char *json_diags(struct arena *arena, const struct diags *diags)
{
        CLEANUP_WRITER struct writer w = {.arena = arena};

        str_add(&w.text, "{\"diagnostics\":[");
        for (size_t i = 0; i < diags->list.n; i++) {
                const struct diag *diag = &diags->list.v[i];

                str_addf(&w.text, "%s{\"severity\":\"%s\",\"summary\":", i > 0 ? "," : "",
                         diag->severity == SEVERITY_ERROR ? "error" : "warning");
                add_text(&w, diag->summary);
                if (diag->detail) {
                        str_add(&w.text, ",\"detail\":");
                        add_text(&w, diag->detail);
                }
                if (diag->range.source) {
                        str_addc(&w.text, ',');
                        add_range(&w, "subject", &diag->range);
                }
                str_addc(&w.text, '}');
        }
        str_add(&w.text, "]}");
        return finish(&w);
}

/* ---- references ---- */

static void add_step(struct writer *w, const char *kind, const char *name, const struct hcl_value *key,
                     const struct range *range)
{
        str_addf(&w->text, "{\"kind\":\"%s\",", kind);
        if (name) {
                str_add(&w->text, "\"name\":");
                add_text(w, name);
                str_addc(&w->text, ',');
        }
        if (key) {
                str_add(&w->text, "\"key\":");
                add_value(w, key);
                str_addc(&w->text, ',');
        }
        add_range(w, "range", range);
        str_addc(&w->text, '}');
}

/* What the reference stands for, if it can be told. */
static const struct hcl_value *current_value(struct arena *arena, const struct hcl_traversal *traversal,
                                             const struct hcl_scope *scope)
{
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *value =
                scope && scope->variables ? hcl_member(scope->variables, traversal->root) : NULL;

        for (size_t i = 0; value && i < traversal->n_steps; i++) {
                const struct hcl_step *step = &traversal->steps[i];

                value = step->index ? hcl_index(arena, value, step->index, &err)
                                    : hcl_get_attr(arena, value, step->name, &err);
        }
        return value && hcl_value_known(value) ? value : NULL;
}

const char *json_traversals(struct arena *arena, const struct hcl_traversals *traversals, const struct hcl_scope *scope)
{
        CLEANUP_WRITER struct writer w = {.arena = arena, .keep_nulls = true};

        str_addc(&w.text, '[');
        for (size_t i = 0; i < traversals->n; i++) {
                const struct hcl_traversal *traversal = &traversals->v[i];
                const struct hcl_value *value = current_value(arena, traversal, scope);

                str_addf(&w.text, "%s{\"root_name\":", i > 0 ? "," : "");
                add_text(&w, traversal->root);
                str_add(&w.text, ",\"steps\":[");
                add_step(&w, "root", traversal->root, NULL, &traversal->root_range);
                for (size_t j = 0; j < traversal->n_steps; j++) {
                        const struct hcl_step *step = &traversal->steps[j];

                        str_addc(&w.text, ',');
                        add_step(&w, step->index ? "index" : "attr", step->index ? NULL : step->name, step->index,
                                 &step->range);
                }
                str_add(&w.text, "],");
                if (value) {
                        str_add(&w.text, "\"value\":");
                        add_value(&w, value);
                        str_addc(&w.text, ',');
                }
                add_range(&w, "range", &traversal->range);
                str_addc(&w.text, '}');
        }
        str_addc(&w.text, ']');
        return finish(&w);
}
