/* HCL2 templates: which files are read, and what stands at their top level. See module.h. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "lang/version.h"
#include "template/module_internal.h"
#include "template/required.h"

static const char hcl_suffix[] = ".pkr.hcl", json_suffix[] = ".pkr.json";
static const char auto_hcl_suffix[] = ".auto.pkrvars.hcl", auto_json_suffix[] = ".auto.pkrvars.json";

static bool is_folder(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool template_is_hcl(const char *path)
{
        return strcmp(path, "-") != 0 && (str_ends(path, ".hcl") || str_ends(path, json_suffix) || is_folder(path));
}

/* ---- files ---- */

void module_add_source(struct template_module *module, struct source_text *source)
{
        vec_push(&module->sources, source);
}

const struct source_text *module_read(struct template_module *module, const char *path, const char *what)
{
        CLEANUP_ERROR struct error err = {0};
        struct source_text *source = NULL;

        if (source_text_read(path, &source, &err) < 0) {
                diag_error(module->diags, NO_RANGE, "%s%s", what, error_message(&err));
                return NULL;
        }
        module_add_source(module, source);
        return source;
}

/* As the name of the source says (.json, else native); NULL if that cannot be parsed at all. */
static const struct hcl_body *parse(struct template_module *module, const struct source_text *source)
{
        const struct hcl_body *body;
        struct value *json = NULL;

        if (!str_ends(source->path, ".json"))
                return hcl_parse(&module->arena, source, module->diags);
        body = hcl_parse_json(&module->arena, source, &json, module->diags);
        if (json)
                vec_push(&module->trees, json);
        return body;
}

static void add_file(struct template_module *module, const struct source_text *source)
{
        const struct hcl_body *body = source ? parse(module, source) : NULL;

        if (body)
                vec_push(&module->files, body);
}

static char *in_folder(const char *folder, const char *name)
{
        return strcmp(folder, ".") == 0 ? xstrdup(name) : path_join(folder, name);
}

/* Names with this ending, in their order; `visit` gets each path. */
static void each_with_suffix(struct template_module *module, char *const *names, const char *suffix,
                             void (*visit)(struct template_module *module, const char *path))
{
        for (; names && *names; names++) {
                CLEANUP_FREE char *path = str_ends(*names, suffix) ? in_folder(module->options->path, *names) : NULL;

                if (path)
                        visit(module, path);
        }
}

static void visit_template(struct template_module *module, const char *path)
{
        add_file(module, module_read(module, path, ""));
}

static void visit_var_file(struct template_module *module, const char *path)
{
        vec_push(&module->var_files, arena_strdup(&module->arena, path));
}

static void read_folder(struct template_module *module)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_STRV char **names = NULL;
        size_t errors_before = module->diags->n_errors;

        if (dir_names(module->options->path, &names, &err) < 0) {
                diag_error(module->diags, NO_RANGE, "%s", error_message(&err));
                return;
        }
        each_with_suffix(module, names, hcl_suffix, visit_template);
        each_with_suffix(module, names, json_suffix, visit_template);
        each_with_suffix(module, names, auto_hcl_suffix, visit_var_file);
        each_with_suffix(module, names, auto_json_suffix, visit_var_file);
        if (module->files.n == 0 && module->diags->n_errors == errors_before) {
                diag_error(module->diags, NO_RANGE, "the folder '%s' holds no template", module->options->path);
                diag_detail(module->diags, "Templates are files named *.pkr.hcl or *.pkr.json.");
        }
}

/* ---- packer {} ---- */

/* A constant text of an argument, or NULL. */
static const char *constant_text(struct template_module *module, const struct hcl_expr *expr)
{
        const struct hcl_value *value = hcl_eval(&module->arena, expr, &module->base, module->diags);

        if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING)
                return value->string.s;
        if (value->state == HCL_KNOWN)
                diag_error(module->diags, expr->range, "a string was expected, not %s",
                           hcl_type_friendly(&module->arena, value->type));
        return NULL;
}

static void check_required_version(struct template_module *module, const struct hcl_attr *attr)
{
        const char *wanted = attr ? constant_text(module, attr->expr) : NULL;
        CLEANUP_ERROR struct error err = {0};
        bool satisfied;

        if (!wanted)
                return;
        if (version_satisfies(PACKER_COMPATIBLE, wanted, &satisfied, &err) < 0)
                diag_error(module->diags, attr->expr->range, "%s", error_message(&err));
        else if (!satisfied)
                diag_error(module->diags, attr->expr->range,
                           "the template asks for Packer %s; slipway reads templates as Packer " PACKER_COMPATIBLE
                           " does",
                           wanted);
}

/* An older version that is asked for has no key that is missing here. */
static void check_plugin_version(struct template_module *module, const struct template_plugin *plugin, struct range at)
{
        const char *source = plugin->source ? plugin->source : plugin->name;
        const char *have = required_plugin_version(source);
        CLEANUP_ERROR struct error err = {0};
        bool satisfied;

        if (version_satisfies("1.0.0", plugin->version, &satisfied, &err) < 0)
                diag_error(module->diags, at, "%s", error_message(&err));
        else if (have && version_wants_newer(have, plugin->version))
                diag_warning(module->diags, at, "the template asks for the plugin '%s' %s; what is built in is as %s",
                             plugin->name, plugin->version, have);
}

static void read_plugin(struct template_module *module, const struct hcl_attr *attr)
{
        const struct hcl_value *value = hcl_eval(&module->arena, attr->expr, &module->base, module->diags);
        struct template_plugin plugin = {.name = attr->name, .range = attr->name_range};
        const struct hcl_value *source, *version;

        if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING) { /* the form of Packer 1.6 */
                plugin.version = value->string.s;
        } else if (value->state == HCL_KNOWN && value->type->kind == HCL_OBJECT) {
                source = hcl_member(value, "source");
                version = hcl_member(value, "version");
                if (source && source->state == HCL_KNOWN && source->type->kind == HCL_STRING)
                        plugin.source = source->string.s;
                if (version && version->state == HCL_KNOWN && version->type->kind == HCL_STRING)
                        plugin.version = version->string.s;
        } else if (value->state == HCL_KNOWN) {
                diag_error(module->diags, attr->expr->range,
                           "a required plugin is { source = \"...\", version = \"...\" }");
        }
        if (plugin.version)
                check_plugin_version(module, &plugin, attr->expr->range);
        vec_push(&module->plugins, plugin);
}

static void read_packer(struct template_module *module, const struct hcl_block *block)
{
        static const struct hcl_attr_schema attrs[] = {{"required_version", false}};
        static const struct hcl_block_schema blocks[] = {{"required_plugins", {NULL}}};
        static const struct hcl_body_schema schema = {attrs, 1, blocks, 1};
        struct hcl_content content, plugins;

        hcl_body_content(&module->arena, block->body, &schema, NULL, &content, module->diags);
        check_required_version(module, hcl_content_attr(&content, "required_version"));
        for (size_t i = 0; i < content.n_blocks; i++) {
                hcl_body_attributes(&module->arena, content.blocks[i].body, &plugins, module->diags);
                for (size_t j = 0; j < plugins.n_attrs; j++)
                        read_plugin(module, &plugins.attrs[j]);
        }
}

/* ---- the top level ---- */

static void add_source_block(struct template_module *module, const struct hcl_block *block)
{
        struct module_source *source = arena_alloc(&module->arena, sizeof(*source));

        source->key = arena_printf(&module->arena, "%s.%s", block->labels[0].text, block->labels[1].text);
        source->block = block;
        index_add(&module->blocks, source->key, block->labels[1].range, source);
}

static void add_build_block(struct template_module *module, const struct hcl_block *block)
{
        vec_push(&module->builds, block);
}

/* Kinds of blocks at the top level. */
static const struct top_block {
        struct hcl_block_schema schema;
        void (*read)(struct template_module *module, const struct hcl_block *block);
} top_blocks[] = {
        {{"build", {NULL}}, add_build_block},     {{"data", {"type", "name"}}, module_add_data},
        {{"local", {"name"}}, module_add_local},  {{"locals", {NULL}}, module_add_locals},
        {{"packer", {NULL}}, read_packer},        {{"source", {"type", "name"}}, add_source_block},
        {{"variable", {"name"}}, module_declare}, {{"variables", {NULL}}, module_declare_many},
};

enum { N_TOP_BLOCKS = sizeof(top_blocks) / sizeof(top_blocks[0]) };

static void read_block(struct template_module *module, const struct hcl_block *block)
{
        size_t i = 0, n_labels = 0;

        while (i < N_TOP_BLOCKS && strcmp(top_blocks[i].schema.type, block->type) != 0)
                i++;
        while (i < N_TOP_BLOCKS && n_labels < 4 && top_blocks[i].schema.labels[n_labels])
                n_labels++;
        if (i < N_TOP_BLOCKS && block->n_labels >= n_labels)
                top_blocks[i].read(module, block);
}

static void read_top(struct template_module *module, const struct hcl_body *body)
{
        struct hcl_block_schema blocks[N_TOP_BLOCKS];
        const struct hcl_body_schema schema = {.blocks = blocks, .n_blocks = N_TOP_BLOCKS};
        struct hcl_content content;

        for (size_t i = 0; i < N_TOP_BLOCKS; i++)
                blocks[i] = top_blocks[i].schema;
        hcl_body_content(&module->arena, body, &schema, NULL, &content, module->diags);
        for (size_t i = 0; i < content.n_blocks; i++)
                read_block(module, &content.blocks[i]);
}

static const char *root_of(const struct template_options *options, struct arena *arena)
{
        CLEANUP_FREE char *dir = NULL;

        if (!options->path || strcmp(options->path, "-") == 0)
                return ".";
        if (is_folder(options->path))
                return arena_strdup(arena, options->path);
        dir = path_dir(options->path);
        return arena_strdup(arena, dir);
}

struct template_module *module_load(const struct template_options *options, struct source_text *text,
                                    struct diags *diags)
{
        struct template_module *module = xcalloc(1, sizeof(*module));
        size_t errors_before = diags->n_errors;
        struct diags ignored = {0};

        module->options = options;
        module->diags = diags;
        module_scope_init(module, root_of(options, &module->arena), template_start_time());
        if (text) {
                module_add_source(module, text);
                add_file(module, text);
        } else if (options->path && is_folder(options->path)) {
                read_folder(module);
        } else if (options->path) {
                add_file(module, module_read(module, options->path, ""));
        }
        for (size_t i = 0; i < module->files.n; i++)
                read_top(module, module->files.v[i]);
        index_sort(&module->variables, "variable", diags);
        index_sort(&module->nodes, "value", diags);
        index_sort(&module->blocks, "source", diags);
        module_assign_variables(module);
        module->values_known = diags->n_errors == errors_before;
        module_scope_variables(module);
        if (!options->syntax_only) {
                module_validate_variables(module);
                module_evaluate_nodes(module);
                module->values_known = diags->n_errors == errors_before;
        } else if (options->inspect) { /* as far as they are known */
                module->diags = options->doubts ? options->doubts : &ignored;
                module_evaluate_nodes(module);
                module->diags = diags;
                diags_clear(&ignored);
        }
        module_scope_nodes(module);
        return module;
}

struct template_module *template_module_load(const struct template_options *options, struct diags *diags)
{
        struct template_module *module = module_load(options, NULL, diags);

        for (size_t i = 0; i < module->sources.n; i++)
                source_text_hide_words(module->sources.v[i], STRV(module->secrets));
        diags_hide(diags, STRV(module->secrets));
        module->options = NULL;
        module->diags = NULL;
        return module;
}

struct template_module *template_module_free(struct template_module *module)
{
        if (!module)
                return NULL;
        for (size_t i = 0; i < module->trees.n; i++)
                value_free(module->trees.v[i]);
        vec_free(&module->trees);
        for (size_t i = 0; i < module->sources.n; i++)
                source_text_free(module->sources.v[i]);
        vec_free(&module->sources);
        vec_free(&module->files);
        vec_free(&module->var_files);
        vec_free(&module->builds);
        vec_free(&module->plugins);
        index_clear(&module->variables);
        index_clear(&module->nodes);
        index_clear(&module->blocks);
        strv_free(module->secrets);
        arena_free(&module->arena);
        free(module);
        return NULL;
}

const struct hcl_scope *template_module_scope(const struct template_module *module)
{
        return &module->scope;
}

struct arena *template_module_arena(struct template_module *module)
{
        return &module->arena;
}

struct template_plugins template_module_plugins(const struct template_module *module)
{
        return (struct template_plugins){module->plugins.v, module->plugins.n};
}

const char *const *template_module_secrets(const struct template_module *module)
{
        return STRV(module->secrets);
}
