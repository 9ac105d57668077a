/* An expression and all that can be asked of it: its references, whether it is a type, its value with all
 * functions but those that read files and with variables of every kind, the value as text and converted. */
#include <string.h>

#include "fuzz.h"
#include "hcl/function.h"
#include "hcl/syntax.h"

enum { FUNCTIONS_MAX = 256 };

static const struct hcl_function *functions[FUNCTIONS_MAX];
static size_t n_functions;

static void choose_functions(void)
{
        for (size_t i = 0; i < hcl_n_functions && n_functions < FUNCTIONS_MAX; i++)
                if (!strstr(hcl_functions[i]->name, "file"))
                        functions[n_functions++] = hcl_functions[i];
}

static const struct hcl_value *eval_text(struct arena *arena, const char *text, const struct hcl_scope *scope)
{
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("fuzz", text, strlen(text));
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_expr *expr = hcl_parse_expr(arena, source, &diags);

        return expr ? hcl_eval(arena, expr, scope, &diags) : &hcl_unknown_any;
}

/* Known ones by an expression; unknown and sensitive ones, which no expression makes. */
static const struct hcl_value *make_variables(struct arena *arena, const struct hcl_scope *scope)
{
        static const char known[] =
                "{ a = { b = [1, \"x\", null], c = true }, l = convert([\"a\", \"b\"], list(string)),"
                "  m = convert({ k = 1 }, map(number)), s = convert([2, 1], set(number)), n = 2 }";
        const struct hcl_value *base = eval_text(arena, known, scope);
        const struct hcl_value *more[] = {
                &hcl_unknown_any,
                hcl_unknown(arena, &hcl_string),
                hcl_unknown(arena, hcl_type_list(arena, &hcl_number)),
                hcl_mark_sensitive(arena, hcl_string_from(arena, "secret")),
                hcl_mark_sensitive(arena, &hcl_true),
        };
        static const char *const names[] = {"u", "us", "ul", "x", "xb"};
        enum { N = sizeof(names) / sizeof(names[0]) };
        struct hcl_string *keys = arena_array(arena, base->list.n + N, sizeof(*keys));
        const struct hcl_value **v = arena_array(arena, base->list.n + N, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < base->list.n; i++) {
                keys[i] = base->list.keys[i];
                v[i] = base->list.v[i];
        }
        for (size_t i = 0; i < N; i++) {
                keys[base->list.n + i] = (struct hcl_string){.s = names[i], .len = strlen(names[i])};
                v[base->list.n + i] = more[i];
        }
        return hcl_object_value(arena, keys, v, base->list.n + N);
}

static void use(struct arena *arena, const struct hcl_value *value)
{
        static const struct hcl_type list = {.kind = HCL_LIST, .element = &hcl_any};
        static const struct hcl_type set = {.kind = HCL_SET, .element = &hcl_string};
        static const struct hcl_type map = {.kind = HCL_MAP, .element = &hcl_any};
        const struct hcl_type *const types[] = {&hcl_string, &hcl_number, &hcl_bool, &list, &set, &map, value->type};

        hcl_console_text(arena, value);
        hcl_type_text(arena, value->type);
        FUZZ_ASSERT(hcl_value_equality(value, value) != 0);
        FUZZ_ASSERT(hcl_value_compare(value, value) == 0);
        FUZZ_ASSERT(!hcl_value_sensitive(hcl_unmark(arena, value)));
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                const struct hcl_value *converted = NULL;

                if (hcl_convert(arena, value, types[i], &converted, &err) < 0) {
                        FUZZ_ASSERT(err.message);
                        continue;
                }
                hcl_value_text(arena, converted);
                /* What is secret stays so; that which an unknown value will hold is not known either. */
                FUZZ_ASSERT(hcl_value_sensitive(value) == hcl_value_sensitive(converted) ||
                            converted->state != HCL_KNOWN);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(arena_free) struct arena arena = {0};
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("fuzz", (const char *)data, size);
        CLEANUP(diags_clear) struct diags diags = {0};
        const struct hcl_env env = {.base_dir = "/nonexistent", .start = 1136214245};
        const struct hcl_expr *expr = hcl_parse_expr(&arena, source, &diags);
        struct hcl_scope outer = {.functions = functions, .env = &env}, scope = {.parent = &outer};
        struct hcl_traversal traversal;

        if (n_functions == 0)
                choose_functions();
        if (!expr)
                return 0;
        outer.n_functions = n_functions;
        scope.variables = make_variables(&arena, &outer);
        hcl_expr_references(&arena, expr);
        hcl_expr_traversal(&arena, expr, &traversal);
        hcl_expr_type(&arena, expr, &diags);
        diags_clear(&diags);
        use(&arena, hcl_eval(&arena, expr, &scope, &diags));
        return 0;
}
