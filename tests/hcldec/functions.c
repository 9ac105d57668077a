/* Functions of specification files: see hcldec.h. */
#include <string.h>
#include <unigbrk.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcldec.h"

/* ---- those that the file declares ---- */

struct user_function {
        struct hcl_function row; /* first: what a call is given */
        const struct hcl_expr *result;
        const struct hcl_scope *parent;
};

static const struct hcl_value *call_user(struct hcl_call *call)
{
        const struct user_function *function = (const struct user_function *)call->function;
        size_t n = function->row.n_params, total = n + (function->row.variadic != NULL);
        struct hcl_string *keys = arena_array(call->arena, total, sizeof(*keys));
        const struct hcl_value **v = arena_array(call->arena, total, sizeof(const struct hcl_value *)), *ret;
        struct hcl_scope scope = {.parent = function->parent};
        size_t errors = call->diags->n_errors;

        for (size_t i = 0; i < n; i++) {
                keys[i] = (struct hcl_string){function->row.params[i].name, strlen(function->row.params[i].name)};
                v[i] = call->args[i];
        }
        if (function->row.variadic) {
                keys[n] = (struct hcl_string){function->row.variadic->name, strlen(function->row.variadic->name)};
                v[n] = hcl_tuple_value(call->arena, call->args + n, call->n - n);
        }
        scope.variables = hcl_object_value(call->arena, keys, v, total);
        ret = hcl_eval(call->arena, function->result, &scope, call->diags);
        return call->diags->n_errors == errors ? ret : NULL;
}

static const char *parameter(const struct hcl_expr *expr, struct diags *diags)
{
        const char *name = hcl_expr_keyword(expr);

        if (!name)
                diag_error(diags, expr->range, "the name of a parameter is needed here");
        return name ? name : "";
}

static const struct hcl_function *read_function(struct arena *arena, const struct hcl_block *block, struct diags *diags)
{
        static const struct hcl_attr_schema attrs[] = {{"params", true}, {"result", true}, {"variadic_param", false}};
        const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 3};
        struct user_function *function = arena_alloc(arena, sizeof(*function));
        struct hcl_content content = {0};
        const struct hcl_expr *list;
        const struct hcl_attr *variadic;
        struct hcl_param *params;

        if (hcl_body_content(arena, block->body, &schema, NULL, &content, diags) < 0)
                return NULL;
        list = hcl_content_attr(&content, "params")->expr;
        if (list->kind != HCL_EXPR_TUPLE) {
                diag_error(diags, list->range, "a list of the parameters' names is needed here: [a, b]");
                return NULL;
        }
        params = arena_array(arena, list->items.n + 1, sizeof(*params));
        for (size_t i = 0; i < list->items.n; i++)
                params[i] = (struct hcl_param){.name = parameter(list->items.v[i], diags), .type = &hcl_any};
        variadic = hcl_content_attr(&content, "variadic_param");
        if (variadic)
                params[list->items.n] = (struct hcl_param){.name = parameter(variadic->expr, diags), .type = &hcl_any};
        *function = (struct user_function){
                .row = {.name = block->labels[0].text,
                        .params = params,
                        .n_params = list->items.n,
                        .variadic = variadic ? &params[list->items.n] : NULL,
                        .returns = &hcl_any,
                        .call = call_user,
                        .help = "declared in the specification"},
                .result = hcl_content_attr(&content, "result")->expr,
                .parent = spec_scope(arena),
        };
        return &function->row;
}

static int by_name(const void *a, const void *b)
{
        return strcmp((*(const struct hcl_function *const *)a)->name, (*(const struct hcl_function *const *)b)->name);
}

bool functions_read(struct arena *arena, const struct hcl_body *body, struct spec_file *ret, struct diags *diags)
{
        static const struct hcl_block_schema blocks[] = {{.type = "function", .labels = {"name"}}};
        const struct hcl_body_schema schema = {.blocks = blocks, .n_blocks = 1};
        struct hcl_content content = {0};
        const struct hcl_function **functions;
        size_t n = 0;

        hcl_body_partial(arena, body, &schema, NULL, &content, diags);
        functions = arena_array(arena, content.n_blocks, sizeof(const struct hcl_function *));
        for (size_t i = 0; i < content.n_blocks; i++) {
                const struct hcl_function *function = read_function(arena, &content.blocks[i], diags);

                if (function)
                        functions[n++] = function;
        }
        if (n > 0)
                qsort(functions, n, sizeof(const struct hcl_function *), by_name);
        ret->functions = n > 0 ? functions : NULL;
        ret->n_functions = n;
        return diags->n_errors == 0;
}

/* ---- those that it may call ---- */

static const struct hcl_value *call_hasindex(struct hcl_call *call)
{
        CLEANUP_ERROR struct error err = {0};

        return hcl_bool_value(hcl_index(call->arena, call->args[0], call->args[1], &err) != NULL);
}

static const struct hcl_value *call_int(struct hcl_call *call)
{
        const struct hcl_value *ret;
        mpfr_t number;

        mpfr_init2(number, mpfr_get_prec(call->args[0]->number));
        mpfr_trunc(number, call->args[0]->number);
        ret = hcl_number_value(call->arena, number);
        mpfr_clear(number);
        return ret;
}

static const struct hcl_value *call_strlen(struct hcl_call *call)
{
        const struct hcl_string *string = &call->args[0]->string;
        CLEANUP_FREE char *breaks = xcalloc(string->len + 1, 1);
        int64_t n = 0;

        u8_grapheme_breaks((const uint8_t *)string->s, string->len, breaks);
        for (size_t i = 0; i < string->len; i++)
                n += breaks[i] != 0;
        return hcl_int_value(call->arena, n);
}

static const struct hcl_param collection_and_key[] = {{"collection", &hcl_any, 0}, {"key", &hcl_any, 0}};
static const struct hcl_param number[] = {{"num", &hcl_number, 0}};
static const struct hcl_param string[] = {{"str", &hcl_string, 0}};
static const struct hcl_function own[] = {
        {"hasindex", collection_and_key, 2, NULL, &hcl_bool, 0, call_hasindex, "Has it the key?"},
        {"int", number, 1, NULL, &hcl_number, 0, call_int, "The number without its fraction."},
        {"strlen", string, 1, NULL, &hcl_number, 0, call_strlen, "How many characters the string has."},
};

const struct hcl_scope *spec_scope(struct arena *arena)
{
        /* Sorted by the name that specifications use; NULL: one of our own. */
        static const char *const names[][2] = {
                {"abs", "abs"},
                {"coalesce", "coalesce"},
                {"concat", "concat"},
                {"hasindex", NULL},
                {"int", NULL},
                {"jsondecode", "jsondecode"},
                {"jsonencode", "jsonencode"},
                {"length", "length"},
                {"lower", "lower"},
                {"max", "max"},
                {"min", "min"},
                {"reverse", "strrev"},
                {"strlen", NULL},
                {"substr", "substr"},
                {"upper", "upper"},
        };
        enum { N = sizeof(names) / sizeof(names[0]) };
        const struct hcl_function **functions = arena_array(arena, N, sizeof(const struct hcl_function *));
        size_t n_own = 0;

        for (size_t i = 0; i < N; i++) {
                const struct hcl_function *builtin =
                        names[i][1] ? hcl_function_find(hcl_functions, hcl_n_functions, names[i][1]) : NULL;
                struct hcl_function *row = arena_memdup(arena, builtin ? builtin : &own[n_own], sizeof(*row));

                n_own += !names[i][1];
                row->name = names[i][0];
                functions[i] = row;
        }
        return arena_memdup(arena, &(struct hcl_scope){.functions = functions, .n_functions = N},
                            sizeof(struct hcl_scope));
}
