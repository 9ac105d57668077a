/* HCL2 templates, in the form of Packer's own inspect. */
#include <jansson.h>
#include <stdio.h>

#include "base/str.h"
#include "cmd/inspect.h"

/* As Go's %q. */
static void add_quoted(struct str *out, const char *text)
{
        str_addc(out, '"');
        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        str_addf(out, "\\%c", *text);
                else if (*text == '\n' || *text == '\t' || *text == '\r')
                        str_addf(out, "\\%c", *text == '\n' ? 'n' : *text == '\t' ? 't' : 'r');
                else if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        str_addf(out, "\\x%02x", (unsigned char)*text);
                else
                        str_addc(out, *text);
        }
        str_addc(out, '"');
}

static void add_values(struct str *out, const char *title, const char *root, const struct template_variable *variables,
                       size_t n)
{
        str_addf(out, "> %s:\n\n", title);
        for (size_t i = 0; i < n; i++) {
                str_addf(out, "%s.%s: ", root, variables[i].name);
                add_quoted(out, variables[i].sensitive ? "<sensitive>" : variables[i].value);
                str_addc(out, '\n');
        }
}

static void add_chain(struct str *out, size_t number, char *const *chain)
{
        str_addf(out, "\n      %zu:\n", number);
        for (; chain && *chain; chain++)
                str_addf(out, "        %s\n", *chain);
}

static void add_block(struct str *out, const struct template_block *block, size_t number)
{
        if (*block->name)
                str_addf(out, "\n  > %s:\n", block->name);
        else
                str_addf(out, "\n  > <unnamed build %zu>:\n", number);
        if (*block->description)
                str_addf(out, "\n  > Description: %s\n", block->description);
        str_add(out, "\n    sources:\n");
        if (!block->sources)
                str_add(out, "\n      <no source>\n");
        for (char **source = block->sources; source && *source; source++)
                str_addf(out, "\n      %s\n", *source);
        str_add(out, "\n    provisioners:\n\n");
        if (!block->provisioners)
                str_add(out, "      <no provisioner>\n");
        for (char **provisioner = block->provisioners; provisioner && *provisioner; provisioner++)
                str_addf(out, "      %s\n", *provisioner);
        str_add(out, "\n    post-processors:\n");
        if (block->n_chains == 0)
                str_add(out, "\n      <no post-processor>\n");
        for (size_t i = 0; i < block->n_chains; i++)
                add_chain(out, i, block->chains[i]);
}

void inspect_hcl(struct ui *ui, const struct template *t)
{
        CLEANUP_STR struct str values = {0}, builds = {0};

        add_values(&values, "input-variables", "var", t->variables, t->n_variables);
        str_addc(&values, '\n');
        add_values(&values, "local-variables", "local", t->locals, t->n_locals);
        str_add(&builds, "> builds:\n");
        for (size_t i = 0; i < t->n_blocks; i++)
                add_block(&builds, &t->blocks[i], i);
        ui_say(ui, "Packer Inspect: HCL2 mode\n");
        ui_say(ui, "%s", str_get(&values));
        ui_say(ui, "%s", str_get(&builds));
}

static json_t *list_to_json(char *const *list)
{
        json_t *json = json_array();

        for (; list && *list; list++)
                json_array_append_new(json, json_string(*list));
        return json;
}

static json_t *values_to_json(const struct template_variable *variables, size_t n)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list,
                                      json_pack("{s:s, s:s, s:b, s:b}", "name", variables[i].name, "value",
                                                variables[i].sensitive ? "<sensitive>" : variables[i].value, "required",
                                                variables[i].required, "sensitive", variables[i].sensitive));
        return list;
}

static json_t *block_to_json(const struct template_block *block)
{
        json_t *chains = json_array();

        for (size_t i = 0; i < block->n_chains; i++)
                json_array_append_new(chains, list_to_json(block->chains[i]));
        return json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", block->name, "description", block->description, "sources",
                         list_to_json(block->sources), "provisioners", list_to_json(block->provisioners),
                         "post-processors", chains);
}

void inspect_hcl_json(const struct template *t)
{
        json_t *builds = json_array(), *json;

        for (size_t i = 0; i < t->n_blocks; i++)
                json_array_append_new(builds, block_to_json(&t->blocks[i]));
        json = json_pack("{s:o, s:o, s:o}", "variables", values_to_json(t->variables, t->n_variables), "locals",
                         values_to_json(t->locals, t->n_locals), "builds", builds);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
}
