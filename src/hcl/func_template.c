/* templatefile() */
#include <string.h>

#include "hcl/func.h"
#include "hcl/lex.h"

/* The variables as an object, whose names can be written in a template. NULL with the error set. */
static const struct hcl_value *variables(struct hcl_call *call)
{
        const struct hcl_value *vars = call->args[1], **v;
        size_t n;

        if (!func_is_mapping(vars)) {
                func_fail(call, 1, "a map or an object is needed, not %s", hcl_type_friendly(call->arena, vars->type));
                return NULL;
        }
        n = vars->list.n;
        for (size_t i = 0; i < n; i++)
                if (hcl_ident_length(vars->list.keys[i].s, vars->list.keys[i].len) != vars->list.keys[i].len ||
                    vars->list.keys[i].len == 0) {
                        func_fail(call, 1,
                                  "\"%s\" is no name of a variable: it must be a letter, followed by letters, digits "
                                  "and underscores",
                                  vars->list.keys[i].s);
                        return NULL;
                }
        v = arena_memdup(call->arena, vars->list.v, n * sizeof(*vars->list.v));
        for (size_t i = 0; i < n && call->sensitive; i++) /* so that no message about the template quotes them */
                v[i] = hcl_mark_sensitive(call->arena, v[i]);
        return hcl_object_value(call->arena, arena_memdup(call->arena, vars->list.keys, n * sizeof(*vars->list.keys)),
                                v, n);
}

/* Does the template only use what it was given? */
static bool check_references(struct hcl_call *call, const struct hcl_expr *expr, const struct hcl_value *vars)
{
        struct hcl_traversals references = hcl_expr_references(call->arena, expr);

        for (size_t i = 0; i < references.n; i++) {
                const struct hcl_traversal *reference = &references.v[i];
                unsigned int line, column;

                if (hcl_member(vars, reference->root))
                        continue;
                range_position(&reference->range, &line, &column);
                func_fail(call, 1, "the key \"%s\" is missing, which %s uses in line %u, column %u", reference->root,
                          reference->range.source->path, line, column);
                return false;
        }
        return true;
}

/* The functions, and what they see, are the caller's; its variables are not. */
static struct hcl_scope template_scope(const struct hcl_call *call, const struct hcl_value *vars)
{
        const struct hcl_scope *outer = call->scope;

        while (outer && !outer->functions)
                outer = outer->parent;
        return (struct hcl_scope){.variables = vars,
                                  .functions = outer ? outer->functions : NULL,
                                  .n_functions = outer ? outer->n_functions : 0,
                                  .env = call->env,
                                  .depth = call->depth + 1};
}

CALL(templatefile)
{
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        size_t errors = call->diags->n_errors, len;
        const struct hcl_value *vars, *value;
        const struct hcl_expr *expr;
        struct hcl_scope scope;
        const char *path, *text;

        if (call->depth > 0)
                return func_fail(call, FUNC_WHOLE, "templatefile() cannot be called in a file that it reads");
        text = func_read_text(call, 0, &path, &len);
        vars = text ? variables(call) : NULL;
        if (!vars)
                return NULL;
        source = source_text_new(path, text, len);
        expr = hcl_parse_template(call->arena, source, call->diags);
        if (!expr || call->diags->n_errors > errors || !check_references(call, expr, vars))
                return NULL;
        scope = template_scope(call, vars);
        value = hcl_eval(call->arena, expr, &scope, call->diags);
        return call->diags->n_errors > errors ? NULL : value;
}

FUNCTION(templatefile, .returns = &hcl_any, PARAMS({"path", &hcl_string}, {"vars", &hcl_any}),
         .help = "The text of a file with ${...} and %{...} in it, filled in from a map.");
