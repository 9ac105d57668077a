/* The blocks of the HCL2 template, in the order of Packer's hcl2_upgrade:
 * packer, variable, locals, source, build. See upgrade.h. */
#include "template/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "template/builder.h"
#include "template/upgrade_internal.h"

static const char file_note[] =
        "# This file was made from a JSON template by 'hcl2_upgrade'. Look through it before you\n"
        "# throw the JSON away. Its blocks may be moved to other files of the same folder, for\n"
        "# example the variables to variables.pkr.hcl, as long as their names end in .pkr.hcl;\n"
        "# 'inspect FOLDER' lists what is there.\n\n";
static const char packer_note[] = "# Which version reads this template.\n";
static const char variable_note[] =
        "# Variables of a JSON template are strings, and so these are; give them the types that they\n"
        "# should have. Values come from -var, -var-file, *.auto.pkrvars.hcl and PKR_VAR_name.\n";
static const char timestamp_note[] = "# In the place of the template function \"timestamp\".\n";
static const char locals_note[] = "# Variables whose defaults are made by functions: in HCL2 those are locals.\n";
static const char source_note[] =
        "# Each source block was a builder. A build block names the sources that it builds from.\n";
static const char build_note[] = "# The build block: sources, and what is done with them.\n";

static const struct value *member(const struct value *object, const char *key, enum value_type type)
{
        const struct value *value = value_get(object, key);

        return value && value->type == type ? value : NULL;
}

static const char *string_member(const struct value *object, const char *key)
{
        const struct value *value = member(object, key, VALUE_STRING);

        return value ? value->string : NULL;
}

static void annotate(struct upgrade *upgrade, const char *text)
{
        if (!upgrade->options->annotations)
                return;
        str_add(&upgrade->out, text);
        upgrade->annotated = upgrade->out.len;
}

/* An empty line before it, unless its annotation is what stands there. */
static void begin_block(struct upgrade *upgrade)
{
        const char *text = str_get(&upgrade->out);

        if (*text && !str_ends(text, "\n\n") && !(upgrade->annotated == upgrade->out.len))
                str_addc(&upgrade->out, '\n');
}

/* What could not be converted in the block that follows. */
static void write_notes(struct upgrade *upgrade, const char *indentation, struct str *out)
{
        for (char **text = upgrade->notes; text && *text; text++)
                str_addf(out, "%s# %s\n", indentation, *text);
        upgrade->notes = strv_free(upgrade->notes);
}

/* ---- packer ---- */

/* Packer has these types of steps in plugins of their own. */
static const struct plugin {
        const char *prefix, *source;
} plugins[] = {
        {"ansible", "github.com/hashicorp/ansible"},
        {"docker", "github.com/hashicorp/docker"},
};

/* Has the list a step whose type begins so? A chain counts too. */
static bool uses(const struct value *list, const char *prefix)
{
        for (size_t i = 0; list && i < list->list.n; i++) {
                const struct value *element = list->list.v[i];
                const char *type = element->type == VALUE_STRING   ? element->string
                                   : element->type == VALUE_OBJECT ? string_member(element, "type")
                                                                   : NULL;

                if (element->type == VALUE_LIST ? uses(element, prefix) : type && str_starts(type, prefix))
                        return true;
        }
        return false;
}

static void write_packer(struct upgrade *upgrade)
{
        const char *version = string_member(upgrade->root, "min_packer_version");
        CLEANUP_FREE char *wanted = version ? xasprintf(">= %s", version) : NULL;
        CLEANUP_FREE char *quoted = wanted ? upgrade_quote(wanted) : NULL;
        CLEANUP_STR struct str required = {0};

        for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
                if (uses(member(upgrade->root, "provisioners", VALUE_LIST), plugins[i].prefix) ||
                    uses(member(upgrade->root, "post-processors", VALUE_LIST), plugins[i].prefix))
                        str_addf(&required, "    %s = {\n      source  = \"%s\"\n      version = \"~> 1\"\n    }\n",
                                 plugins[i].prefix, plugins[i].source);
        if (!quoted && required.len == 0)
                return;
        begin_block(upgrade);
        annotate(upgrade, packer_note);
        str_add(&upgrade->out, "packer {\n");
        if (quoted)
                str_addf(&upgrade->out, "  required_version = %s\n", quoted);
        if (required.len > 0)
                str_addf(&upgrade->out, "  required_plugins {\n%s  }\n", str_get(&required));
        str_add(&upgrade->out, "}\n");
}

/* ---- variables and locals ---- */

struct variable {
        const char *name;
        const struct value *fallback; /* NULL: used, and declared nowhere: in a -var-file, maybe */
        bool sensitive;
};
struct variables {
        VEC(struct variable) list;
};

static bool is_sensitive(const struct value *root, const char *name)
{
        const struct value *list = member(root, "sensitive-variables", VALUE_LIST);

        for (size_t i = 0; list && i < list->list.n; i++)
                if (list->list.v[i]->type == VALUE_STRING && strcmp(list->list.v[i]->string, name) == 0)
                        return true;
        return false;
}

static int compare_variables(const void *a, const void *b)
{
        const struct variable *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static void add_variable(struct upgrade *upgrade, struct variables *variables, const char *name,
                         const struct value *fallback)
{
        vec_push(&variables->list, (struct variable){name, fallback, is_sensitive(upgrade->root, name)});
}

static struct variables list_variables(struct upgrade *upgrade)
{
        const struct value *object = member(upgrade->root, "variables", VALUE_OBJECT);
        struct variables variables = {0};

        for (size_t i = 0; object && i < object->object.n; i++)
                if (object->object.v[i].key[0] != '_')
                        add_variable(upgrade, &variables, object->object.v[i].key, object->object.v[i].value);
        if (variables.list.n > 1)
                qsort(variables.list.v, variables.list.n, sizeof(struct variable), compare_variables);
        return variables;
}

/* The default in Packer's way: every variable of a JSON template is a string, "1" for true. */
static char *default_text(struct upgrade *upgrade, const struct value *value)
{
        struct str out = {0};

        switch (value->type) {
        case VALUE_BOOL:
                return xstrdup(value->boolean ? "\"1\"" : "\"0\"");
        case VALUE_NUMBER:
                return upgrade_quote(value->string);
        case VALUE_LIST: /* joined by commas */
                for (size_t i = 0; i < value->list.n; i++) {
                        const struct value *element = value->list.v[i];

                        if (element->type == VALUE_STRING || element->type == VALUE_NUMBER)
                                str_addf(&out, "%s%s", i ? "," : "", element->string);
                }
                {
                        CLEANUP_FREE char *joined = str_steal(&out);

                        return upgrade_text(upgrade, joined, value->range);
                }
        case VALUE_STRING:
                return upgrade_text(upgrade, value->string, value->range);
        case VALUE_NULL:
        case VALUE_OBJECT:
                break;
        }
        return xstrdup("null");
}

/* Defaults with functions in them: these are locals in HCL. */
static void find_locals(struct upgrade *upgrade, const struct variables *variables)
{
        struct diags unheard = {0}, *diags = upgrade->diags;

        upgrade->diags = &unheard;
        upgrade->in_variable = true;
        for (size_t i = 0; i < variables->list.n; i++) {
                const struct variable *variable = &variables->list.v[i];

                upgrade->n_calls = 0;
                free(default_text(upgrade, variable->fallback));
                upgrade->notes = strv_free(upgrade->notes);
                if (upgrade->n_calls > 0)
                        strv_add(&upgrade->locals, variable->name);
        }
        diags_clear(&unheard);
        upgrade->diags = diags;
        upgrade->in_variable = false;
        upgrade->uses_timestamp = false;
        upgrade->used = strv_free(upgrade->used);
        upgrade->timestamp = strv_has(STRV(upgrade->locals), "timestamp") ? "build_timestamp" : "timestamp";
}

static void write_variable(struct upgrade *upgrade, const char *name, char *fallback, bool sensitive)
{
        struct upgrade_body body = {0};
        CLEANUP_FREE char *label = upgrade_identifier(name);

        upgrade_body_add(&body, "type", xstrdup("string"));
        if (fallback)
                upgrade_body_add(&body, "default", fallback);
        if (sensitive)
                upgrade_body_add(&body, "sensitive", xstrdup("true"));
        begin_block(upgrade);
        write_notes(upgrade, "", &upgrade->out);
        str_addf(&upgrade->out, "variable \"%s\" ", label);
        upgrade_body_braces(upgrade, &body, 0, &upgrade->out);
        upgrade_body_clear(&body);
}

static void write_variables(struct upgrade *upgrade, const struct variables *variables)
{
        for (size_t i = 0; i < variables->list.n; i++) {
                const struct variable *variable = &variables->list.v[i];
                char *fallback = NULL;

                if (strv_has(STRV(upgrade->locals), variable->name))
                        continue;
                upgrade->in_variable = true;
                if (variable->fallback && variable->fallback->type != VALUE_NULL)
                        fallback = default_text(upgrade, variable->fallback);
                upgrade->in_variable = false;
                write_variable(upgrade, variable->name, fallback, variable->sensitive);
        }
        for (char **name = upgrade->env; name && *name; name++) {
                CLEANUP_FREE char *label = xasprintf("env_%s", *name), *quoted = upgrade_quote(*name);

                write_variable(upgrade, label, xasprintf("\"${env(%s)}\"", quoted), false);
        }
}

/* Variables that are used, and declared nowhere: a -var-file has them, maybe. */
static void add_undeclared(struct upgrade *upgrade, struct variables *variables)
{
        size_t n = variables->list.n;

        for (char **name = upgrade->used; name && *name; name++) {
                bool declared = false;

                for (size_t i = 0; i < n; i++)
                        declared = declared || strcmp(variables->list.v[i].name, *name) == 0;
                if (!declared)
                        add_variable(upgrade, variables, *name, NULL);
        }
        if (variables->list.n > n)
                qsort(variables->list.v, variables->list.n, sizeof(struct variable), compare_variables);
}

static void write_sensitive_local(struct upgrade *upgrade, const struct variable *variable, struct str *out)
{
        CLEANUP_FREE char *label = upgrade_identifier(variable->name);
        CLEANUP_FREE char *text = default_text(upgrade, variable->fallback);

        str_addc(out, '\n');
        write_notes(upgrade, "", out);
        str_addf(out, "local \"%s\" {\n  sensitive  = true\n  expression = %s\n}\n", label, text);
}

/* To a text of its own: what they refer to (local.timestamp, env) comes before them in the file. */
static void write_locals(struct upgrade *upgrade, const struct variables *variables, struct str *out)
{
        struct upgrade_body body = {0};

        for (size_t i = 0; i < variables->list.n; i++) {
                const struct variable *variable = &variables->list.v[i];
                CLEANUP_FREE char *name = upgrade_identifier(variable->name);

                if (!strv_has(STRV(upgrade->locals), variable->name))
                        continue;
                if (variable->sensitive)
                        write_sensitive_local(upgrade, variable, out);
                else
                        upgrade_body_add(&body, name, default_text(upgrade, variable->fallback));
        }
        if (body.items.n > 0) {
                str_addc(out, '\n');
                write_notes(upgrade, "", out);
                str_add(out, "locals ");
                upgrade_body_braces(upgrade, &body, 0, out);
        }
        upgrade_body_clear(&body);
}

/* ---- sources ---- */

/* Builders in the order of type and name, as Packer has them. */
static int compare_builders(const void *a, const void *b)
{
        const struct value *const *x = a, *const *y = b;
        const char *name_x = string_member(*x, "name"), *name_y = string_member(*y, "name");
        CLEANUP_FREE char *key_x = xasprintf("%s%s", string_member(*x, "type"), name_x ? name_x : "");
        CLEANUP_FREE char *key_y = xasprintf("%s%s", string_member(*y, "type"), name_y ? name_y : "");

        return strcmp(key_x, key_y);
}

static void name_sources(struct upgrade *upgrade, const struct value *const *builders, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *type = string_member(builders[i], "type"), *name = string_member(builders[i], "name");
                CLEANUP_FREE char *label = name && *name && strcmp(name, type) != 0
                                                   ? upgrade_identifier(name)
                                                   : xasprintf("autogenerated_%zu", i + 1);

                while (strv_has(STRV(upgrade->sources), label)) {
                        char *other = xasprintf("%s_%zu", label, i + 1);

                        free(label);
                        label = other;
                }
                strv_add(&upgrade->types, type);
                strv_add(&upgrade->names, name && *name ? name : type);
                strv_add(&upgrade->sources, label);
        }
}

static void write_source(struct upgrade *upgrade, const struct value *builder, size_t i, struct str *out)
{
        static const char *const skip[] = {"type", "name", NULL};
        const struct builder_type *type = builder_find(upgrade->types[i]);
        struct upgrade_body body = {0};
        struct str text = {0};

        upgrade->build_name = upgrade->names[i];
        upgrade->build_type = upgrade->types[i];
        upgrade_body_fill(upgrade, &body, builder, type ? type->schema : NULL, skip, 1);
        upgrade_body_braces(upgrade, &body, 0, &text);
        upgrade->build_name = upgrade->build_type = NULL;
        str_addc(out, '\n');
        write_notes(upgrade, "", out);
        str_addf(out, "source \"%s\" \"%s\" %s", upgrade->types[i], upgrade->sources[i], str_get(&text));
        str_clear(&text);
        upgrade_body_clear(&body);
}

/* ---- build ---- */

/* Names of builds in only and except: TYPE.NAME. */
static char *build_names(struct upgrade *upgrade, const struct value *value)
{
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *joined = NULL;
        size_t n = value->type == VALUE_LIST ? value->list.n : 1;

        for (size_t i = 0; i < n; i++) {
                const struct value *name = value->type == VALUE_LIST ? value->list.v[i] : value;

                for (size_t j = 0; name->type == VALUE_STRING && upgrade->names[j]; j++)
                        if (strcmp(upgrade->names[j], name->string) == 0) {
                                CLEANUP_FREE char *full = xasprintf("%s.%s", upgrade->types[j], name->string);

                                strv_take(&names, upgrade_quote(full));
                        }
        }
        joined = strv_join(STRV(names), ", ");
        return xasprintf("[%s]", joined);
}

static int compare_items(const void *a, const void *b)
{
        const struct upgrade_item *x = a, *y = b;

        return strcmp(x->name, y->name);
}

/* A provisioner or a post-processor; `config` is an object, or a type alone. */
static void write_step(struct upgrade *upgrade, const char *kind, const struct value *config, int depth,
                       const struct schema *(*schema_of)(const char *type), struct str *out)
{
        static const char *const skip[] = {"type", "only", "except", "override", NULL};
        static const char *const lists[] = {"only", "except"};
        bool is_object = config->type == VALUE_OBJECT;
        const char *type = is_object                      ? string_member(config, "type")
                           : config->type == VALUE_STRING ? config->string
                                                          : NULL;
        const struct schema *schema = type && schema_of ? schema_of(type) : NULL;
        CLEANUP_FREE char *indentation = xasprintf("%*s", 2 * depth, ""), *label = NULL;
        struct upgrade_body body = {0};
        CLEANUP_STR struct str text = {0};

        if (!type)
                return;
        if (is_object)
                upgrade_body_fill(upgrade, &body, config, schema, skip, depth + 1);
        for (size_t i = 0; is_object && i < 2; i++)
                if (value_get(config, lists[i]))
                        upgrade_body_add(&body, lists[i], build_names(upgrade, value_get(config, lists[i])));
        if (is_object && member(config, "override", VALUE_OBJECT))
                upgrade_body_add(&body, "override", upgrade_value(upgrade, value_get(config, "override"), depth + 1));
        if (body.items.n > 1)
                qsort(body.items.v, body.items.n, sizeof(struct upgrade_item), compare_items);
        upgrade_body_braces(upgrade, &body, depth, &text);
        write_notes(upgrade, indentation, out);
        label = upgrade_quote(type);
        str_addf(out, "%s%s %s %s", indentation, kind, label, str_get(&text));
        upgrade_body_clear(&body);
}

static void write_post_processors(struct upgrade *upgrade, const struct value *list, struct str *out)
{
        for (size_t i = 0; list && i < list->list.n; i++) {
                const struct value *element = list->list.v[i];

                str_addc(out, '\n');
                if (element->type != VALUE_LIST) {
                        write_step(upgrade, "post-processor", element, 1, upgrade->options->post_processor_schema, out);
                        continue;
                }
                str_add(out, "  post-processors {\n");
                for (size_t j = 0; j < element->list.n; j++)
                        write_step(upgrade, "post-processor", element->list.v[j], 2,
                                   upgrade->options->post_processor_schema, out);
                str_add(out, "  }\n");
        }
}

/* Builders whose label is their name are in the list; the others get the name that they had: steps see it. */
static void write_uses(struct upgrade *upgrade, struct str *out)
{
        CLEANUP_STRV char **same = NULL;
        CLEANUP_FREE char *joined = NULL;

        for (size_t i = 0; upgrade->sources[i]; i++)
                if (strcmp(upgrade->sources[i], upgrade->names[i]) == 0)
                        strv_addf(&same, "\"source.%s.%s\"", upgrade->types[i], upgrade->sources[i]);
        joined = strv_join(STRV(same), ", ");
        if (same)
                str_addf(out, "  sources = [%s]\n", joined);
        for (size_t i = 0; upgrade->sources[i]; i++) {
                CLEANUP_FREE char *name = upgrade_quote(upgrade->names[i]);

                if (strcmp(upgrade->sources[i], upgrade->names[i]) != 0)
                        str_addf(out, "%s  source \"source.%s.%s\" {\n    name = %s\n  }\n",
                                 str_ends(str_get(out), "{\n") || str_ends(str_get(out), "\n\n") ? "" : "\n",
                                 upgrade->types[i], upgrade->sources[i], name);
        }
}

static void write_build(struct upgrade *upgrade, struct str *out)
{
        const struct value *description = member(upgrade->root, "description", VALUE_STRING);
        const struct value *provisioners = member(upgrade->root, "provisioners", VALUE_LIST);
        const struct value *cleanup = member(upgrade->root, "error-cleanup-provisioner", VALUE_OBJECT);
        const struct schema *(*schema_of)(const char *) = upgrade->options->provisioner_schema;
        CLEANUP_FREE char *quoted = description ? upgrade_quote(description->string) : NULL;

        str_add(out, "build {\n");
        if (quoted)
                str_addf(out, "  description = %s\n\n", quoted);
        write_uses(upgrade, out);
        for (size_t i = 0; provisioners && i < provisioners->list.n; i++) {
                str_addc(out, '\n');
                write_step(upgrade, "provisioner", provisioners->list.v[i], 1, schema_of, out);
        }
        if (cleanup) {
                str_addc(out, '\n');
                write_step(upgrade, "error-cleanup-provisioner", cleanup, 1, schema_of, out);
        }
        write_post_processors(upgrade, member(upgrade->root, "post-processors", VALUE_LIST), out);
        str_add(out, "}\n");
}

/* ---- the whole ---- */

static const struct value **sorted_builders(const struct value *root, size_t *ret_n)
{
        const struct value *list = member(root, "builders", VALUE_LIST);
        const struct value **builders = xcalloc((list ? list->list.n : 0) + 1, sizeof(*builders));
        size_t n = 0;

        for (size_t i = 0; list && i < list->list.n; i++)
                if (string_member(list->list.v[i], "type"))
                        builders[n++] = list->list.v[i];
        if (n > 1)
                qsort(builders, n, sizeof(*builders), compare_builders);
        *ret_n = n;
        return builders;
}

static void write_section(struct upgrade *upgrade, const char *annotation, const struct str *section)
{
        const char *text = str_get(section);

        if (!*text)
                return;
        begin_block(upgrade);
        annotate(upgrade, annotation);
        str_add(&upgrade->out, text + (*text == '\n'));
}

static void write_timestamp(struct upgrade *upgrade)
{
        if (!upgrade->uses_timestamp)
                return;
        begin_block(upgrade);
        annotate(upgrade, timestamp_note);
        str_addf(&upgrade->out, "locals { %s = regex_replace(timestamp(), \"[- TZ:]\", \"\") }\n", upgrade->timestamp);
}

static void upgrade_clear(struct upgrade *upgrade)
{
        strv_free(upgrade->names);
        strv_free(upgrade->sources);
        strv_free(upgrade->types);
        strv_free(upgrade->locals);
        strv_free(upgrade->env);
        strv_free(upgrade->used);
        strv_free(upgrade->notes);
}

char *template_upgrade(const struct value *root, const struct template_upgrade_options *options, struct diags *diags)
{
        struct upgrade upgrade = {.options = options, .diags = diags, .root = root};
        CLEANUP_STR struct str locals = {0}, sources = {0}, build = {0};
        struct variables variables = list_variables(&upgrade);
        size_t n;
        CLEANUP_FREE const struct value **builders = sorted_builders(root, &n);

        find_locals(&upgrade, &variables);
        name_sources(&upgrade, builders, n);
        write_locals(&upgrade, &variables, &locals);
        for (size_t i = 0; i < n; i++)
                write_source(&upgrade, builders[i], i, &sources);
        if (n > 0)
                write_build(&upgrade, &build);
        add_undeclared(&upgrade, &variables);

        annotate(&upgrade, file_note);
        write_packer(&upgrade);
        if (variables.list.n > strv_len(STRV(upgrade.locals))) {
                begin_block(&upgrade);
                annotate(&upgrade, variable_note);
        }
        write_variables(&upgrade, &variables);
        write_timestamp(&upgrade);
        write_section(&upgrade, locals_note, &locals);
        write_section(&upgrade, source_note, &sources);
        write_section(&upgrade, build_note, &build);
        vec_free(&variables.list);
        upgrade_clear(&upgrade);
        return str_steal(&upgrade.out);
}
