/* HCL2 templates, in the form of Packer's own inspect. */
#include <jansson.h>
#include <stdio.h>

#include "base/str.h"
#include "cmd/inspect.h"

/* As Go's %q. */
static void print_quoted(const char *text)
{
        CLEANUP_STR struct str out = {0};

        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        str_addf(&out, "\\%c", *text);
                else if (*text == '\n' || *text == '\t' || *text == '\r')
                        str_addf(&out, "\\%c", *text == '\n' ? 'n' : *text == '\t' ? 't' : 'r');
                else if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        str_addf(&out, "\\x%02x", (unsigned char)*text);
                else
                        str_addc(&out, *text);
        }
        printf("\"%s\"\n", str_get(&out));
}

static void print_values(const char *title, const char *root, const struct template_variable *variables, size_t n)
{
        printf("> %s:\n\n", title);
        for (size_t i = 0; i < n; i++) {
                printf("%s.%s: ", root, variables[i].name);
                print_quoted(variables[i].sensitive ? "<sensitive>" : variables[i].value);
        }
        putchar('\n');
}

static void print_chain(size_t number, char *const *chain)
{
        printf("\n      %zu:\n", number);
        for (; chain && *chain; chain++)
                printf("        %s\n", *chain);
}

static void print_block(const struct template_block *block, size_t number)
{
        if (*block->name)
                printf("\n  > %s:\n", block->name);
        else
                printf("\n  > <unnamed build %zu>:\n", number);
        if (*block->description)
                printf("\n  > Description: %s\n", block->description);
        puts("\n    sources:");
        if (!block->sources)
                puts("\n      <no source>");
        for (char **source = block->sources; source && *source; source++)
                printf("\n      %s\n", *source);
        puts("\n    provisioners:\n");
        if (!block->provisioners)
                puts("      <no provisioner>");
        for (char **provisioner = block->provisioners; provisioner && *provisioner; provisioner++)
                printf("      %s\n", *provisioner);
        puts("\n    post-processors:");
        if (block->n_chains == 0)
                puts("\n      <no post-processor>");
        for (size_t i = 0; i < block->n_chains; i++)
                print_chain(i, block->chains[i]);
}

void inspect_hcl(const struct template *t)
{
        puts("Packer Inspect: HCL2 mode\n");
        print_values("input-variables", "var", t->variables, t->n_variables);
        print_values("local-variables", "local", t->locals, t->n_locals);
        puts("> builds:");
        for (size_t i = 0; i < t->n_blocks; i++)
                print_block(&t->blocks[i], i);
        putchar('\n');
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
