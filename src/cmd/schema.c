/* slipway schema: JSON Schema of templates, for editors, from the same tables
 * by which templates are read. */
#include <jansson.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/template_args.h"
#include "package/package.h"
#include "provision/provision.h"

/* Members of `from`'s properties and required, where `to` lacks them. */
static void merge(json_t *to, const struct schema *common)
{
        json_t *from = schema_to_json(common), *required = json_object_get(to, "required"), *name;
        size_t i;

        json_object_update_missing(json_object_get(to, "properties"), json_object_get(from, "properties"));
        if (!required && json_object_get(from, "required")) {
                required = json_array();
                json_object_set_new(to, "required", required);
        }
        json_array_foreach(json_object_get(from, "required"), i, name)
        {
                json_array_append(required, name);
        }
        json_decref(from);
}

/* An object whose type chooses among the definitions. Open: other types (executables) take any key. */
static json_t *by_type(const char *kind, const char *const *names, const struct schema *common, bool open)
{
        json_t *types = json_array(), *rules = json_array(), *type;

        for (const char *const *name = names; *name; name++) {
                CLEANUP_FREE char *ref = xasprintf("#/$defs/%s/%s", kind, *name);

                json_array_append_new(types, json_string(*name));
                json_array_append_new(rules, json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:{s:s}}", "if", "properties", "type",
                                                       "const", *name, "required", "type", "then", "$ref", ref));
        }
        type = open ? json_pack("{s:[{s:o}, {s:s}]}", "anyOf", "enum", types, "type", "string")
                    : json_pack("{s:o}", "enum", types);
        json_object_set_new(type, "description", json_string(common->keys[0].help));
        return json_pack("{s:s, s:{s:o}, s:[s], s:o}", "type", "object", "properties", "type", type, "required", "type",
                         "allOf", rules);
}

static void define(json_t *definitions, const char *name, const struct schema *schema, const struct schema *common)
{
        json_t *json = schema_to_json(schema);

        merge(json, common);
        json_object_set_new(definitions, name, json);
}

static json_t *definitions(void)
{
        json_t *builders = json_object(), *provisioners = json_object(), *post_processors = json_object();

        for (const char *const *name = builder_names(); *name; name++)
                define(builders, *name, builder_find(*name)->schema, template_builder_schema());
        for (const char *const *name = provisioner_names(); *name; name++)
                define(provisioners, *name, provisioner_find(*name)->schema, template_provisioner_schema());
        for (const char *const *name = post_processor_names(); *name; name++)
                define(post_processors, *name, post_processor_find(*name)->schema, template_post_processor_schema());
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "builder", builders, "provisioner", provisioners,
                         "post-processor", post_processors, "any-builder",
                         by_type("builder", builder_names(), template_builder_schema(), false), "any-provisioner",
                         by_type("provisioner", provisioner_names(), template_provisioner_schema(), true),
                         "any-post-processor",
                         by_type("post-processor", post_processor_names(), template_post_processor_schema(), true));
}

static json_t *described(json_t *schema, const char *description)
{
        json_object_set_new(schema, "description", json_string(description));
        return schema;
}

static json_t *reference(const char *name)
{
        return json_pack("{s:s+}", "$ref", "#/$defs/", name);
}

static json_t *post_processors(void)
{
        json_t *one = json_pack("[o, {s:s}]", reference("any-post-processor"), "type", "string");
        json_t *chain = json_pack("{s:s, s:{s:o}}", "type", "array", "items", "anyOf", json_deep_copy(one));

        json_array_append_new(one, chain);
        return json_pack("{s:s, s:{s:o}}", "type", "array", "items", "anyOf", one);
}

static json_t *properties(void)
{
        json_t *list = json_object();

        json_object_set_new(list, "description",
                            described(json_pack("{s:s}", "type", "string"), "What the template is for"));
        json_object_set_new(list, "min_packer_version",
                            described(json_pack("{s:s}", "type", "string"), "The oldest Packer that reads it"));
        json_object_set_new(list, "variables",
                            described(json_pack("{s:s}", "type", "object"),
                                      "User variables with their defaults; null: a value must be given"));
        json_object_set_new(list, "sensitive-variables",
                            described(json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string"),
                                      "Variables whose values are not shown"));
        json_object_set_new(list, "builders",
                            described(json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items",
                                                reference("any-builder")),
                                      "What is built, an image each"));
        json_object_set_new(list, "provisioners",
                            described(json_pack("{s:s, s:o}", "type", "array", "items", reference("any-provisioner")),
                                      "What changes the image, in this order"));
        json_object_set_new(list, "error-cleanup-provisioner",
                            described(reference("any-provisioner"), "What runs when a provisioner fails"));
        json_object_set_new(list, "post-processors",
                            described(post_processors(), "What is done with the image; a list in it is a chain"));
        return list;
}

static int run(const struct command *command, int argc, char **argv)
{
        bool nothing;
        int exit_code, first = options_parse_count(command, argc, argv, &nothing, 0, 0, &exit_code);
        json_t *json;

        if (first < 0)
                return exit_code;
        json = json_pack("{s:s, s:s, s:s, s:o, s:[s], s:{s:{}}, s:b, s:o}", "$schema",
                         "https://json-schema.org/draft/2020-12/schema", "title", "Template of slipway", "type",
                         "object", "properties", properties(), "required", "builders", "patternProperties", "^_",
                         "additionalProperties", 0, "$defs", definitions());
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
        return 0;
}

const struct command command_schema = {
        .name = "schema",
        .summary = "Print a JSON Schema of JSON templates, for editors",
        .help = "  JSON Schema 2020-12, made from the tables by which templates are read: all keys of builders,\n"
                "  provisioners and post-processors, with their descriptions.",
        .run = run,
};
