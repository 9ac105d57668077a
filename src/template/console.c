/* See console.h. */
#include "template/console.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcl/function.h"
#include "hcl/lex.h"
#include "template/module.h"

struct console {
        enum console_language language;
        struct template_module *module; /* for HCL */
        struct template *t;             /* for JSON; NULL: none was given */
        struct interp interp;
};

static const char help_hcl[] =
        "An expression of HCL2 and Enter show its value; var, local, data and path are those of the template.\n"
        "\n"
        "  upper(var.name)    a function, applied to a variable\n"
        "  [for n in [1, 2] :\n"
        "   n * n]            goes on until all brackets are closed\n"
        "  variables          all variables and locals with their values\n"
        "  exit               ends, as Ctrl-D does\n"
        "\n"
        "{{ }} of JSON templates means nothing here.";
static const char help_json[] = "A text and Enter show what a JSON template makes of it.\n"
                                "\n"
                                "  {{user `name`}}    a variable\n"
                                "  {{timestamp}}      a function\n"
                                "  variables          all variables with their values\n"
                                "  exit               ends, as Ctrl-D does\n"
                                "\n"
                                "For HCL2 without a template: -config-type=hcl2.";

struct console *console_new(enum console_language language, const struct template_options *options, struct diags *diags)
{
        struct console *console = xcalloc(1, sizeof(*console));

        console->language = language;
        if (language != CONSOLE_JSON)
                console->module = template_module_load(options, diags);
        if (language == CONSOLE_JSON && options->path)
                console->t = template_load(options, diags);
        console->interp.start = time(NULL);
        if (console->t) {
                console->interp.user = console->t->user;
                console->interp.template_dir = console->t->dir;
                console->interp.start = console->t->start;
        }
        return console;
}

struct console *console_free(struct console *console)
{
        if (!console)
                return NULL;
        template_module_free(console->module);
        template_free(console->t);
        free(console);
        return NULL;
}

const char *const *console_secrets(const struct console *console)
{
        if (console->module)
                return template_module_secrets(console->module);
        return console->t ? STRV(console->t->secrets) : NULL;
}

static const struct hcl_value *root_variable(const struct console *console, const char *name)
{
        const struct hcl_scope *scope = template_module_scope(console->module);
        const struct hcl_value *value = NULL;

        for (; scope && !value; scope = scope->parent)
                value = scope->variables ? hcl_member(scope->variables, name) : NULL;
        return value && value->state == HCL_KNOWN ? value : NULL;
}

static bool has_members(const struct hcl_value *value)
{
        return value && (value->type->kind == HCL_OBJECT || value->type->kind == HCL_MAP);
}

static void add_members(const struct console *console, struct arena *arena, struct str *out, const char *root)
{
        const struct hcl_value *object = root_variable(console, root);

        for (size_t i = 0; has_members(object) && i < object->list.n; i++)
                str_addf(out, "%s.%s: %s\n", root, object->list.keys[i].s, hcl_value_text(arena, object->list.v[i]));
}

static char *list_variables(const struct console *console)
{
        struct arena arena = {0};
        struct str out = {0};

        if (console->language == CONSOLE_JSON) {
                for (const struct interp_pair *pair = console->interp.user; pair && pair->name; pair++)
                        str_addf(&out, "%s: %s,\n", pair->name, pair->value ? pair->value : "");
                return str_steal(&out);
        }
        str_add(&out, "> input-variables:\n\n");
        add_members(console, &arena, &out, "var");
        str_add(&out, "\n> local-variables:\n\n");
        add_members(console, &arena, &out, "local");
        arena_free(&arena);
        return str_steal(&out);
}

static char *eval_hcl(struct console *console, const char *text, struct diags *diags)
{
        CLEANUP(arena_free) struct arena arena = {0};
        CLEANUP(source_text_freep)
        struct source_text *source = source_text_new("<console-input>", text, strlen(text));
        size_t errors_before = diags->n_errors;
        const struct hcl_expr *expr = hcl_parse_expr(&arena, source, diags);
        const struct hcl_value *value;

        if (!expr)
                return NULL;
        value = hcl_eval(&arena, expr, template_module_scope(console->module), diags);
        return diags->n_errors > errors_before ? NULL : xstrdup(hcl_console_text(&arena, value));
}

static char *eval_json(struct console *console, const char *text, struct diags *diags)
{
        CLEANUP_ERROR struct error err = {0};
        char *out;

        if (interp_render(&console->interp, text, &out, &err) == 0)
                return out;
        diag_error(diags, NO_RANGE, "%s", error_message(&err));
        return NULL;
}

static bool is_json(const struct console *console, const char *text)
{
        return console->language == CONSOLE_JSON || (console->language == CONSOLE_BOTH && strstr(text, "{{"));
}

char *console_eval(struct console *console, const char *text, struct diags *diags)
{
        if (strcmp(text, "help") == 0)
                return xstrdup(console->language == CONSOLE_JSON ? help_json : help_hcl);
        if (strcmp(text, "variables") == 0)
                return list_variables(console);
        return is_json(console, text) ? eval_json(console, text, diags) : eval_hcl(console, text, diags);
}

bool console_is_open(const struct console *console, const char *text)
{
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP_FREE char *line = xasprintf("%s\n", text); /* what opens a heredoc ends with its line */
        struct diags unheard = {0};
        struct hcl_tokens tokens;
        int depth = 0;

        if (is_json(console, text))
                return false;
        source = source_text_new("<console-input>", line, strlen(line));
        tokens = hcl_lex(source, &unheard);
        for (size_t i = 0; i < tokens.n; i++) {
                static const signed char steps[HCL_TOKEN_INVALID + 1] = {
                        [HCL_TOKEN_OBRACE] = 1,   [HCL_TOKEN_OBRACK] = 1,    [HCL_TOKEN_OPAREN] = 1,
                        [HCL_TOKEN_CBRACE] = -1,  [HCL_TOKEN_CBRACK] = -1,   [HCL_TOKEN_CPAREN] = -1,
                        [HCL_TOKEN_OHEREDOC] = 1, [HCL_TOKEN_CHEREDOC] = -1,
                };

                if (tokens.v[i].end > tokens.v[i].start) /* an empty one stands for one that is missing */
                        depth += steps[tokens.v[i].type];
        }
        hcl_tokens_free(&tokens);
        diags_clear(&unheard);
        return depth > 0;
}

static int compare_words(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

char **console_words(const struct console *console)
{
        const struct hcl_scope *scope = console->module ? template_module_scope(console->module) : NULL;
        char **words = NULL;

        for (const char *const *word = (const char *const[]){"exit", "help", "variables", NULL}; *word; word++)
                strv_add(&words, *word);
        for (; scope; scope = scope->parent) {
                const struct hcl_value *variables = scope->variables;

                for (size_t i = 0; i < scope->n_functions; i++)
                        strv_addf(&words, "%s(", scope->functions[i]->name);
                for (size_t i = 0; has_members(variables) && i < variables->list.n; i++) {
                        const struct hcl_value *members = root_variable(console, variables->list.keys[i].s);

                        for (size_t j = 0; has_members(members) && j < members->list.n; j++)
                                strv_addf(&words, "%s.%s", variables->list.keys[i].s, members->list.keys[j].s);
                }
        }
        for (const struct interp_pair *pair = console->interp.user; pair && pair->name; pair++)
                strv_addf(&words, "{{user `%s`}}", pair->name);
        qsort(words, strv_len(STRV(words)), sizeof(*words), compare_words);
        return words;
}
