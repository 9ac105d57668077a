/* Build blocks: for each source that one names, a build. See module_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/module_internal.h"

/* A build block that was read. */
struct block {
        const char *name; /* "" where it has none */
        struct hcl_content content;
        struct template_block *shown;
};

/* A source in a build block. */
struct use {
        const struct block *block;
        const struct module_source *source;
        const char *name;               /* of the source, or what `source "x" { name = ... }` says */
        const struct hcl_block *change; /* source "type.name" { ... }, or NULL */
};

struct plan {
        struct load *load;
        struct template_module *module;
        VEC(struct use) uses;
};

/* A text argument; "" where it is left out, or not known. */
static const char *text_of(struct template_module *module, const struct hcl_content *content, const char *name,
                           const struct hcl_scope *scope)
{
        const struct hcl_attr *attr = hcl_content_attr(content, name);
        const struct hcl_value *value, *text;
        CLEANUP_ERROR struct error err = {0};

        if (!attr)
                return "";
        value = hcl_eval(&module->arena, attr->expr, scope, module->diags);
        if (value->state != HCL_KNOWN)
                return "";
        if (hcl_convert(&module->arena, value, &hcl_string, &text, &err) == 0)
                return text->string.s;
        diag_error(module->diags, attr->expr->range, "'%s': %s", name, error_message(&err));
        return "";
}

/* ---- sources of a build ---- */

static const struct module_source *find_source(struct plan *plan, const char *key, struct range at)
{
        const struct module_source *source = index_find(&plan->module->blocks, key);
        const char *nearest;

        if (source)
                return source;
        nearest = index_nearest(&plan->module->blocks, key);
        diag_error(plan->module->diags, at, "there is no source '%s'%s%s%s", key, nearest ? "; did you mean '" : "",
                   nearest ? nearest : "", nearest ? "'?" : "");
        if (!nearest)
                diag_detail(plan->module->diags, "A source \"arm\" \"pi\" { ... } is named as \"source.arm.pi\".");
        return NULL;
}

static void add_use(struct plan *plan, const struct block *block, const char *reference, struct range at,
                    const struct hcl_block *change)
{
        const struct module_source *source;
        const char *key = reference;

        if (str_starts(key, "source."))
                key += strlen("source.");
        else if (str_starts(key, "sources."))
                key += strlen("sources.");
        source = find_source(plan, key, at);
        if (!source)
                return;
        vec_push(&plan->uses, (struct use){block, source, source->block->labels[1].text, change});
        strv_add(&block->shown->sources, source->key);
}

/* source.arm.pi, bare or in quotes. */
static bool add_traversal(struct plan *plan, const struct block *block, const struct hcl_expr *expr)
{
        struct hcl_traversal name;

        if (!hcl_expr_traversal(&plan->module->arena, expr, &name) || name.n_steps != 2 || !name.steps[0].name ||
            !name.steps[1].name || (strcmp(name.root, "source") != 0 && strcmp(name.root, "sources") != 0))
                return false;
        add_use(plan, block, arena_printf(&plan->module->arena, "%s.%s", name.steps[0].name, name.steps[1].name),
                expr->range, NULL);
        return true;
}

static void add_value(struct plan *plan, const struct block *block, const struct hcl_value *value, struct range at)
{
        if (value->state == HCL_UNKNOWN)
                return;
        if (value->state == HCL_KNOWN && value->type->kind == HCL_STRING) {
                add_use(plan, block, value->string.s, at, NULL);
                return;
        }
        diag_error(plan->module->diags, at, "the name of a source was expected, not %s",
                   value->state == HCL_NULL ? "null" : hcl_type_friendly(&plan->module->arena, value->type));
        diag_detail(plan->module->diags, "sources = [\"source.arm.pi\"]");
}

static void add_sources(struct plan *plan, const struct block *block, const struct hcl_attr *attr)
{
        const struct hcl_expr *expr = attr->expr;
        const struct hcl_value *value;

        for (size_t i = 0; expr->kind == HCL_EXPR_TUPLE && i < expr->items.n; i++) {
                const struct hcl_expr *item = expr->items.v[i];

                if (!add_traversal(plan, block, item))
                        add_value(plan, block,
                                  hcl_eval(&plan->module->arena, item, &plan->module->scope, plan->module->diags),
                                  item->range);
        }
        if (expr->kind == HCL_EXPR_TUPLE)
                return;
        value = hcl_eval(&plan->module->arena, expr, &plan->module->scope, plan->module->diags);
        if (value->state == HCL_KNOWN &&
            (value->type->kind == HCL_LIST || value->type->kind == HCL_SET || value->type->kind == HCL_TUPLE))
                for (size_t i = 0; i < value->list.n; i++)
                        add_value(plan, block, value->list.v[i], expr->range);
        else
                add_value(plan, block, value, expr->range);
}

/* source "arm.pi" { name = "other", image_path = ... } in a build: keys of its own over the source's. */
static void add_changed_source(struct plan *plan, const struct block *block, const struct hcl_block *change)
{
        static const struct hcl_attr_schema attrs[] = {{"name", false}};
        static const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 1};
        size_t before = plan->uses.n;
        struct hcl_content content;
        const char *name;

        add_use(plan, block, change->labels[0].text, change->labels[0].range, change);
        if (plan->uses.n == before)
                return;
        hcl_body_partial(&plan->module->arena, change->body, &schema, &plan->module->scope, &content,
                         plan->module->diags);
        name = text_of(plan->module, &content, "name", &plan->module->scope);
        if (*name)
                plan->uses.v[before].name = name;
}

/* ---- for inspect ---- */

static char *shown_step(struct template_module *module, const struct hcl_block *block)
{
        static const struct hcl_attr_schema attrs[] = {{"name", false}};
        static const struct hcl_body_schema schema = {.attrs = attrs, .n_attrs = 1};
        struct diags ignored = {0}, *diags = module->diags;
        struct hcl_content content;
        const char *name;

        module->diags = &ignored; /* it is read again, and told then, for each source */
        hcl_body_partial(&module->arena, block->body, &schema, NULL, &content, &ignored);
        name = text_of(module, &content, "name", block->scope ? block->scope : &module->scope);
        module->diags = diags;
        diags_clear(&ignored);
        return *name ? xasprintf("%s.%s", block->labels[0].text, name) : xstrdup(block->labels[0].text);
}

static void show_chain(struct template_module *module, struct template_block *shown, const struct hcl_block *blocks,
                       size_t n)
{
        char **chain = NULL;

        for (size_t i = 0; i < n; i++)
                strv_take(&chain, shown_step(module, &blocks[i]));
        shown->chains = xreallocarray(shown->chains, shown->n_chains + 1, sizeof(*shown->chains));
        shown->chains[shown->n_chains++] = chain;
}

static void show_chain_block(struct template_module *module, struct template_block *shown,
                             const struct hcl_block *block)
{
        struct diags ignored = {0};
        struct hcl_content content;

        hcl_body_content(&module->arena, block->body, &module_chain_schema,
                         block->scope ? block->scope : &module->scope, &content, &ignored);
        diags_clear(&ignored);
        show_chain(module, shown, content.blocks, content.n_blocks);
}

static void show_steps(struct template_module *module, struct template_block *shown, const struct hcl_content *content)
{
        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];

                if (strcmp(block->type, "provisioner") == 0)
                        strv_take(&shown->provisioners, shown_step(module, block));
                else if (strcmp(block->type, "post-processor") == 0)
                        show_chain(module, shown, block, 1);
                else if (strcmp(block->type, "post-processors") == 0)
                        show_chain_block(module, shown, block);
        }
}

/* ---- builds ---- */

static void read_block(struct plan *plan, const struct hcl_block *hcl)
{
        static const struct hcl_attr_schema attrs[] = {{"name", false}, {"description", false}, {"sources", false}};
        static const struct hcl_block_schema blocks[] = {
                {"source", {"reference"}},    {"provisioner", {"type"}},   {"error-cleanup-provisioner", {"type"}},
                {"post-processor", {"type"}}, {"post-processors", {NULL}}, {"hcp_packer_registry", {NULL}}};
        static const struct hcl_body_schema schema = {attrs, 3, blocks, 6};
        struct template_module *module = plan->module;
        struct template *t = plan->load->t;
        struct block *block = arena_alloc(&module->arena, sizeof(*block));
        const struct hcl_attr *sources;

        hcl_body_content(&module->arena, hcl->body, &schema, &module->scope, &block->content, module->diags);
        if (plan->load->options->syntax_only && !plan->load->options->inspect)
                return;
        for (size_t i = 0; i < block->content.n_blocks; i++)
                if (strcmp(block->content.blocks[i].type, "hcp_packer_registry") == 0)
                        diag_warning(module->diags, block->content.blocks[i].type_range,
                                     "nothing is published to HCP Packer: this block has no effect");
        block->shown = &t->blocks[t->n_blocks++];
        block->name = text_of(module, &block->content, "name", &module->scope);
        block->shown->name = xstrdup(block->name);
        block->shown->description = xstrdup(text_of(module, &block->content, "description", &module->scope));
        sources = hcl_content_attr(&block->content, "sources");
        if (sources)
                add_sources(plan, block, sources);
        for (size_t i = 0; i < block->content.n_blocks; i++)
                if (strcmp(block->content.blocks[i].type, "source") == 0)
                        add_changed_source(plan, block, &block->content.blocks[i]);
        show_steps(module, block->shown, &block->content);
}

/* What the steps of a build see as `build`. */
static const struct hcl_value *build_object(struct template_module *module, const struct use *use,
                                            const struct template_build *build)
{
        struct interp_pair pairs[TEMPLATE_BUILD_VALUES];
        const struct hcl_value *values[TEMPLATE_BUILD_VALUES];
        const char *names[TEMPLATE_BUILD_VALUES] = {"name"};
        size_t n = 1;

        values[0] = hcl_string_from(&module->arena, use->block->name);
        template_build_values(build, getenv("PACKER_RUN_UUID"), pairs);
        for (const struct interp_pair *pair = pairs; pair->name; pair++) {
                names[n] = pair->name;
                values[n++] = pair->value ? hcl_string_from(&module->arena, pair->value)
                                          : hcl_unknown(&module->arena, &hcl_string);
        }
        return module_object(&module->arena, names, values, n);
}

/* source and build: what the steps of this use see besides the module's own. */
static struct hcl_scope use_scope(struct template_module *module, const struct use *use,
                                  const struct template_build *build)
{
        const struct hcl_value *source = module_object(
                &module->arena, (const char *const[]){"name", "type"},
                (const struct hcl_value *const[]){hcl_string_from(&module->arena, use->name),
                                                  hcl_string_from(&module->arena, use->source->block->labels[0].text)},
                2);

        return (struct hcl_scope){
                .parent = &module->scope,
                .variables =
                        module_object(&module->arena, (const char *const[]){"build", "source"},
                                      (const struct hcl_value *const[]){build_object(module, use, build), source}, 2)};
}

static void name_build(const struct use *use, const struct template *t, struct template_build *build)
{
        const char *type = use->source->block->labels[0].text;

        build->type = xstrdup(type);
        build->source_name = xstrdup(use->name);
        build->name = *use->block->name ? xasprintf("%s.%s.%s", use->block->name, type, use->name)
                                        : xasprintf("%s.%s", type, use->name);
        build->shown = xstrdup(build->name);
        build->interp = (struct interp){.user = t->user,
                                        .template_dir = t->dir,
                                        .start = t->start,
                                        .build_name = build->source_name,
                                        .build_type = build->type};
}

static void load_build(struct plan *plan, const struct use *use, struct template_build *build)
{
        const struct hcl_block *source = use->source->block;
        struct value *config = value_new(VALUE_OBJECT, source->open_range);
        struct template_module *module = plan->module;
        struct template *t = plan->load->t;
        struct template_steps *steps = &t->steps[t->n_steps++];
        struct hcl_scope scope;

        template_own(t, config);
        module_lower_body(module, source->body, &module->scope, config);
        if (use->change)
                module_lower_body(module, use->change->body, &module->scope, config);
        build->block = config;
        build->steps = steps;
        build->builder = builder_find(build->type);
        if (!build->builder)
                unknown_name(module->diags, source->labels[0].range, "unknown builder type", build->type,
                             builder_names());
        build_decode(plan->load, build);
        scope = use_scope(module, use, build);
        module_load_steps(plan->load, module, &(struct module_use){&scope, &use->block->content, build}, steps);
}

static void no_builds(struct plan *plan)
{
        struct template_module *module = plan->module;

        if (module->builds.n == 0)
                diag_error(module->diags, NO_RANGE, "%s: there is no build block", plan->load->t->path);
        else
                diag_error(module->diags, module->builds.v[0]->type_range, "there is no build with a source");
        diag_detail(module->diags,
                    "build { sources = [\"source.arm.pi\"] } makes an image of source \"arm\" \"pi\" {}.");
}

void module_load_builds(struct load *load, struct template_module *module)
{
        struct plan plan = {.load = load, .module = module};
        struct template *t = load->t;
        size_t errors_before = module->diags->n_errors;

        t->blocks = xcalloc(module->builds.n + 1, sizeof(*t->blocks));
        for (size_t i = 0; i < module->builds.n; i++)
                read_block(&plan, module->builds.v[i]);
        if (!load->options->syntax_only && plan.uses.n == 0 && module->values_known &&
            module->diags->n_errors == errors_before)
                no_builds(&plan);
        t->builds = xcalloc(plan.uses.n + 1, sizeof(*t->builds));
        t->steps = xcalloc(plan.uses.n + 1, sizeof(*t->steps));
        for (size_t i = 0; i < plan.uses.n; i++) {
                struct template_build *build = &t->builds[t->n_builds];

                name_build(&plan.uses.v[i], t, build);
                strv_add(&t->build_names, build->name);
                t->n_builds++;
        }
        builds_check_only(load);
        for (size_t i = 0, kept = 0; i < plan.uses.n; i++) {
                struct template_build build = t->builds[i];

                if (!build_is_selected(load->options, build.name)) {
                        build_clear(&build);
                        t->n_builds--;
                        continue;
                }
                t->builds[kept] = build;
                if (!load->options->syntax_only)
                        load_build(&plan, &plan.uses.v[i], &t->builds[kept]);
                kept++;
        }
        vec_free(&plan.uses);
}
