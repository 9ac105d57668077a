/* Templates: see eval.h. */
#include "base/str.h"
#include "hcl/eval_internal.h"

enum { TEXT_MAX = 64 << 20 };

struct text {
        struct str text;
        bool known, sensitive;
};

static void text_clear(struct text *text)
{
        str_clear(&text->text);
}

/* A part's value at the end of the text; a message if it has none. */
static void add_part(const struct eval *e, struct text *text, const struct hcl_value *value, struct range at)
{
        text->sensitive |= value->sensitive;
        if (value->state == HCL_NULL) {
                diag_error(e->diags, at, "a template cannot include null");
                text->known = false;
                return;
        }
        value = eval_convert(e, value, &hcl_string, at, "a template cannot include this");
        text->known = text->known && value && value->state == HCL_KNOWN;
        if (!text->known)
                return;
        str_addn(&text->text, value->string.s, value->string.len);
        if (text->text.len > TEXT_MAX) {
                diag_error(e->diags, at, "the text becomes longer than %d MiB here", TEXT_MAX >> 20);
                text->known = false;
        }
}

static const struct hcl_value *finish(const struct eval *e, const struct text *text)
{
        return eval_marked(e,
                           text->known ? hcl_string_value(e->arena, str_get(&text->text), text->text.len)
                                       : hcl_unknown(e->arena, &hcl_string),
                           text->sensitive);
}

const struct hcl_value *eval_template(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP(text_clear) struct text text = {.known = true};

        for (size_t i = 0; i < expr->items.n; i++)
                add_part(e, &text, eval_expr(e, expr->items.v[i]), expr->items.v[i]->range);
        return finish(e, &text);
}

const struct hcl_value *eval_join(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP(text_clear) struct text text = {.known = true};
        const struct hcl_value *tuple = eval_expr(e, expr->attr.operand);
        size_t errors = e->diags->n_errors;

        text.sensitive = tuple->sensitive;
        text.known = tuple->state == HCL_KNOWN && tuple->type->kind == HCL_TUPLE;
        for (size_t i = 0; text.known && i < tuple->list.n && e->diags->n_errors == errors; i++)
                add_part(e, &text, tuple->list.v[i], expr->range);
        return finish(e, &text);
}
