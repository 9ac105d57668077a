/* Variables: declared with their defaults, then given by -var-file and -var,
 * each over the one before; values may use {{env}} and {{user}} of others.
 * See template_internal.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/template_internal.h"

/* A scalar as text, or a list of scalars joined by commas; NULL after a message. */
static char *variable_text(const char *name, const struct value *value, struct diags *diags)
{
        CLEANUP_STR struct str out = {0};

        switch (value->type) {
        case VALUE_BOOL:
                return xstrdup(value->boolean ? "1" : "0"); /* as Packer's weak decoding has it */
        case VALUE_NUMBER:
        case VALUE_STRING:
                return xstrdup(value->string);
        case VALUE_LIST:
                for (size_t i = 0; i < value->list.n; i++) {
                        const struct value *element = value->list.v[i];

                        if (element->type != VALUE_STRING && element->type != VALUE_NUMBER) {
                                diag_error(diags, element->range,
                                           "a list as the variable '%s' holds strings only, not %s", name,
                                           value_type_name(element->type));
                                return NULL;
                        }
                        str_add(&out, i > 0 ? "," : "");
                        str_add(&out, element->string);
                }
                return str_steal(&out);
        case VALUE_NULL:
        case VALUE_OBJECT:
                break;
        }
        diag_error(diags, value->range, "the variable '%s' must be a string, not %s", name,
                   value_type_name(value->type));
        return NULL;
}

static void declare(struct load *load, const struct value *object)
{
        struct template *t = load->t;

        t->variables = xcalloc(object->object.n + 1, sizeof(*t->variables));
        for (size_t i = 0; i < object->object.n; i++) {
                const struct value_entry *entry = &object->object.v[i];
                struct template_variable *variable = &t->variables[t->n_variables];

                if (entry->key[0] == '_')
                        continue;
                variable->name = xstrdup(entry->key);
                variable->range = entry->value->range;
                if (entry->value->type != VALUE_NULL)
                        variable->fallback = variable_text(entry->key, entry->value, load->diags);
                variable->required = entry->value->type == VALUE_NULL;
                if (variable->required)
                        variable->range = entry->key_range;
                t->n_variables++;
        }
        t->n_declared = t->n_variables;
}

/* As Packer has it, what is given need not be declared. */
static struct template_variable *add(struct template *t, const char *name)
{
        t->variables = xreallocarray(t->variables, t->n_variables + 1, sizeof(*t->variables));
        t->variables[t->n_variables] = (struct template_variable){.name = xstrdup(name)};
        return &t->variables[t->n_variables++];
}

static struct template_variable *find(const struct template *t, const char *name)
{
        for (size_t i = 0; i < t->n_variables; i++)
                if (strcmp(t->variables[i].name, name) == 0)
                        return &t->variables[i];
        return NULL;
}

static char **variable_names(const struct template *t)
{
        char **names = NULL;

        for (size_t i = 0; i < t->n_variables; i++)
                strv_add(&names, t->variables[i].name);
        return names;
}

/* One member of a -var-file. Several templates share such files; but what the template does not have may be a slip. */
static void assign_from_file(struct load *load, const struct value_entry *entry)
{
        struct template_variable *variable = find(load->t, entry->key);
        char *text = variable_text(entry->key, entry->value, load->diags);

        if (!text)
                return;
        if (!variable) {
                CLEANUP_STRV char **names = variable_names(load->t);
                const char *nearest = str_nearest(entry->key, STRV(names));

                if (nearest)
                        diag_warning(load->diags, entry->key_range,
                                     "the template has no variable '%s'; did you mean '%s'?", entry->key, nearest);
                variable = add(load->t, entry->key);
        }
        free(variable->value);
        variable->value = text;
        variable->range = entry->value->range;
}

static void read_var_file(struct load *load, const char *path)
{
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP(value_freep) struct value *root = NULL;
        CLEANUP_ERROR struct error err = {0};
        struct template *t = load->t;

        if (str_ends(path, ".hcl")) {
                diag_error(load->diags, NO_RANGE, "-var-file '%s': a JSON template takes variables from JSON files",
                           path);
                return;
        }
        if (source_text_read(path, &source, &err) < 0) {
                diag_error(load->diags, NO_RANGE, "-var-file: %s", error_message(&err));
                return;
        }
        root = json_read(source, load->diags);
        if (!root)
                return;
        if (root->type != VALUE_OBJECT) {
                diag_error(load->diags, root->range, "a -var-file holds an object {\"name\": \"value\"}, not %s",
                           value_type_name(root->type));
                return;
        }
        for (size_t i = 0; i < root->object.n; i++)
                if (root->object.v[i].key[0] != '_')
                        assign_from_file(load, &root->object.v[i]);
        t->sources = xreallocarray(t->sources, t->n_sources + 1, sizeof(*t->sources));
        t->sources[t->n_sources++] = steal(&source); /* the variables' ranges point into it */
}

static void warn_undeclared(struct load *load, const char *name)
{
        CLEANUP_STRV char **names = variable_names(load->t);

        unknown_name_as(diag_warning, load->diags, NO_RANGE, "-var: the template has no variable", name, STRV(names));
}

static void assign_from_argument(struct load *load, const char *argument)
{
        const char *equals = strchrnul(argument, '=');
        CLEANUP_FREE char *name = xstrndup(argument, (size_t)(equals - argument));
        struct template_variable *variable = find(load->t, name);

        if (!variable) {
                warn_undeclared(load, name);
                variable = add(load->t, name);
        }
        free(variable->value);
        variable->value = xstrdup(equals + (*equals == '='));
        variable->range = NO_RANGE;
}

/* The list that {{user}} sees: all variables, and those in `pending`, which are not rendered yet, as empty ones. */
static struct interp_pair *user_pairs(const struct template *t, char *const *pending)
{
        struct interp_pair *pairs = xcalloc(t->n_variables + 1, sizeof(*pairs));

        for (size_t i = 0; i < t->n_variables; i++)
                pairs[i] =
                        (struct interp_pair){t->variables[i].name, pending && pending[i] ? "" : t->variables[i].value};
        return pairs;
}

static int render(const struct template *t, const struct interp_pair *user, const char *text, char **ret,
                  struct error *err)
{
        const struct interp interp = {.user = user, .env_allowed = true, .template_dir = t->dir, .start = t->start};

        return interp_render(&interp, text, ret, err);
}

/* What keeps a variable from being rendered: something in itself, or a circle. */
static void explain_pending(struct load *load, char *const *pending)
{
        struct template *t = load->t;
        CLEANUP_FREE struct interp_pair *user = user_pairs(t, pending);
        CLEANUP_STR struct str circle = {0};
        struct range at = NO_RANGE;
        bool others = false;

        for (size_t i = 0; i < t->n_variables; i++) {
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *text = NULL;

                if (!pending[i])
                        continue;
                if (render(t, user, pending[i], &text, &err) < 0) {
                        diag_error(load->diags, t->variables[i].range, "in the variable '%s': %s", t->variables[i].name,
                                   error_message(&err));
                        others = true;
                        continue;
                }
                if (circle.len == 0)
                        at = t->variables[i].range;
                str_addf(&circle, "%s'%s'", circle.len ? ", " : "", t->variables[i].name);
        }
        if (circle.len > 0 && !others)
                diag_error(load->diags, at, "these variables need each other's values, in a circle: %s",
                           str_get(&circle));
}

/* Render all values, those first that others use. */
static void render_values(struct load *load)
{
        struct template *t = load->t;
        CLEANUP_FREE char **pending = xcalloc(t->n_variables + 1, sizeof(*pending));
        CLEANUP_FREE struct interp_pair *done = xcalloc(t->n_variables + 1, sizeof(*done));
        size_t n_done = 0;
        bool progress = true;

        for (size_t i = 0; i < t->n_variables; i++) {
                pending[i] = steal(&t->variables[i].value);
                if (!pending[i]) /* none was given: {{user}} makes it an empty text */
                        done[n_done++] = (struct interp_pair){t->variables[i].name, NULL};
        }
        while (progress && n_done < t->n_variables) {
                progress = false;
                for (size_t i = 0; i < t->n_variables; i++) {
                        if (!pending[i] || render(t, done, pending[i], &t->variables[i].value, NULL) < 0)
                                continue;
                        free(pending[i]);
                        pending[i] = NULL;
                        done[n_done++] = (struct interp_pair){t->variables[i].name, t->variables[i].value};
                        progress = true;
                }
        }
        if (n_done < t->n_variables)
                explain_pending(load, pending);
        for (size_t i = 0; i < t->n_variables; i++)
                free(pending[i]);
}

static void mark_sensitive(struct load *load)
{
        const struct value *list = value_get(load->root, "sensitive-variables");
        struct template *t = load->t;
        CLEANUP_STRV char **names = variable_names(t);

        if (!list || list->type == VALUE_NULL)
                return;
        if (list->type != VALUE_LIST) {
                diag_error(load->diags, list->range,
                           "'sensitive-variables' must be a list of names of variables, not %s",
                           value_type_name(list->type));
                return;
        }
        for (size_t i = 0; i < list->list.n; i++) {
                const struct value *name = list->list.v[i];
                struct template_variable *variable;

                if (name->type != VALUE_STRING) {
                        diag_error(load->diags, name->range, "the name of a variable must be a string, not %s",
                                   value_type_name(name->type));
                        continue;
                }
                variable = find(t, name->string);
                if (!variable)
                        unknown_name(load->diags, name->range, "there is no variable", name->string, STRV(names));
                else
                        variable->sensitive = true;
        }
}

static void check_required(struct load *load)
{
        struct template *t = load->t;

        for (size_t i = 0; i < t->n_variables; i++) {
                struct template_variable *variable = &t->variables[i];

                if (variable->value || !variable->required)
                        continue;
                diag_error(load->diags, variable->range, "the variable '%s' has no value", variable->name);
                diag_detail(load->diags, "Its default is null: it must be given with -var '%s=...' or in a -var-file.",
                            variable->name);
        }
}

void load_variables(struct load *load)
{
        const struct value *object = value_get(load->root, "variables");
        struct template *t = load->t;
        struct diags *diags = load->diags, ignored = {0};
        size_t errors_before = diags->n_errors;

        if (object && object->type != VALUE_NULL && object->type != VALUE_OBJECT)
                diag_error(load->diags, object->range, "'variables' must be an object {\"name\": \"default\"}, not %s",
                           value_type_name(object->type));
        else if (object && object->type == VALUE_OBJECT)
                declare(load, object);
        for (const char *const *path = load->options->var_files; path && *path; path++)
                read_var_file(load, *path);
        for (const char *const *argument = load->options->var_args; argument && *argument; argument++)
                assign_from_argument(load, *argument);
        for (size_t i = 0; i < t->n_variables; i++)
                if (!t->variables[i].value && t->variables[i].fallback)
                        t->variables[i].value = xstrdup(t->variables[i].fallback);
        mark_sensitive(load);
        if (!load->options->syntax_only) {
                check_required(load);
                render_values(load);
        } else if (load->options->inspect) {
                load->diags = load->options->doubts ? load->options->doubts : &ignored;
                render_values(load);
                load->diags = diags;
                diags_clear(&ignored);
        }
        for (size_t i = 0; i < t->n_variables; i++)
                if (t->variables[i].sensitive && !str_empty(t->variables[i].value))
                        strv_add(&t->secrets, t->variables[i].value);
        t->user = user_pairs(t, NULL);
        t->values_known = load->diags->n_errors == errors_before;
}

static void free_variables(struct template_variable *variables, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(variables[i].name);
                free(variables[i].value);
                free(variables[i].fallback);
        }
        free(variables);
}

void variables_free(struct template *t)
{
        free_variables(t->variables, t->n_variables);
        free_variables(t->locals, t->n_locals);
        free(t->user);
        strv_free(t->secrets);
}
