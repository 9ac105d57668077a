/* Builders: each becomes a build, by its type's table. See template_internal.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "template/glob.h"
#include "template/template_internal.h"

struct builder_head {
        char *type, *name;
};

#define STRUCT struct builder_head
static const struct schema_key head_keys[] = {
        KEY("type", SCHEMA_STRING, SCHEMA_REQUIRED, type, .help = "the kind of builder: \"arm\""),
        KEY("name", SCHEMA_STRING, 0, name, .help = "name of the build; the type where it is left out"),
};
#undef STRUCT
static const char *const head_names[] = {"type", "name", NULL};
static const struct schema head_schema = {
        .name = "a builder", .size = sizeof(struct builder_head), .keys = head_keys, .n_keys = 2};

const struct schema *template_builder_schema(void)
{
        return &head_schema;
}

bool name_matches(const char *const *patterns, const char *name)
{
        for (; patterns && *patterns; patterns++)
                if (glob_match(*patterns, name))
                        return true;
        return false;
}

void unknown_name(struct diags *diags, struct range at, const char *what, const char *name, const char *const *names)
{
        unknown_name_as(diag_error, diags, at, what, name, names);
}

void unknown_name_as(diag_function *diag, struct diags *diags, struct range at, const char *what, const char *name,
                     const char *const *names)
{
        const char *nearest = str_nearest(name, names);
        CLEANUP_FREE char *all = strv_join(names, ", ");

        if (nearest)
                diag(diags, at, "%s '%s'; did you mean '%s'?", what, name, nearest);
        else
                diag(diags, at, "%s '%s'", what, name);
        if (!nearest && *all)
                diag_detail(diags, "There are: %s", all);
}

bool build_is_selected(const struct template_options *options, const char *name)
{
        if (options->only && *options->only && !name_matches(options->only, name))
                return false;
        return !name_matches(options->except, name);
}

static void check_duplicate(struct load *load, const struct value *config, const char *name)
{
        const char *key = value_get(config, "name") ? "name" : "type";

        if (!strv_has(STRV(load->t->build_names), name))
                return;
        diag_error(load->diags, schema_range(config, key), "there are two builds with the name '%s'", name);
        diag_detail(load->diags, "Give one of them another \"name\".");
}

static void load_build(struct load *load, const struct value *block)
{
        struct template *t = load->t;
        struct template_build *build = &t->builds[t->n_builds];
        const struct interp interp = {.user = t->user, .template_dir = t->dir, .start = t->start};
        struct builder_head head;

        schema_decode_part(&head_schema, block, load->options->syntax_only ? NULL : &interp, &head, load->diags);
        if (block->type != VALUE_OBJECT)
                return;
        if (str_empty(head.type)) { /* said already: its other keys are looked at all the same */
                const struct value_entry *slip = schema_misspelt(block, "type", load->diags);

                free(head.type);
                head.type =
                        xstrdup(slip && slip->value->type == VALUE_STRING ? slip->value->string : builder_names()[0]);
        }
        if (str_empty(head.name)) {
                free(head.name);
                head.name = xstrdup(head.type);
        }
        check_duplicate(load, block, head.name);
        strv_add(&t->build_names, head.name);
        *build = (struct template_build){.name = head.name,
                                         .shown = strcmp(head.name, head.type) == 0
                                                          ? xstrdup(head.name)
                                                          : xasprintf("%s.%s", head.type, head.name),
                                         .type = head.type,
                                         .builder = builder_find(head.type),
                                         .block = block,
                                         .steps = &t->steps[0],
                                         .interp = interp};
        if (!build->builder)
                unknown_name(load->diags, schema_range(block, "type"), "unknown builder type", head.type,
                             builder_names());
        build->interp.build_name = build->name;
        build->interp.build_type = build->type;
        t->n_builds++;
}

void build_decode(struct load *load, struct template_build *build)
{
        const struct builder_type *builder = build->builder;

        if (!builder)
                return;
        build->config = xcalloc(1, builder->schema->size);
        schema_decode(builder->schema, build->block, head_names, &build->interp, build->config, load->diags);
        if (load->t->values_known && !build->block->unknown && builder->check)
                builder->check(build->config, build->block, load->diags);
        build->image = builder->image ? builder->image(build->config) : NULL;
}

void template_build_values(const struct template_build *build, const char *run_uuid,
                           struct interp_pair values[TEMPLATE_BUILD_VALUES])
{
        const struct interp_pair all[] = {
                {"ID", build->image ? build->image->image_path : "Null"},
                {"PackerRunUUID", run_uuid},
                {"ConnType", build->image ? "chroot" : "none"},
                {"User", "root"},
                {"Host", ""},
                {"Port", "0"},
                {"Password", ""},
                {"PackerHTTPAddr", ""},
                {"PackerHTTPIP", ""},
                {"PackerHTTPPort", "0"},
                {"SSHPrivateKey", ""},
                {"SSHPrivateKeyFile", ""},
                {"SSHPublicKey", ""},
                {"SourceImageName", ""},
                {"WinRMPassword", ""},
                {NULL, NULL},
        };

        _Static_assert(sizeof(all) / sizeof(all[0]) == TEMPLATE_BUILD_VALUES, "one for each");
        memcpy(values, all, sizeof(all));
}

void build_clear(struct template_build *build)
{
        free(build->name);
        free(build->shown);
        free(build->source_name);
        free(build->type);
        if (build->config && build->builder->clear)
                build->builder->clear(build->config);
        if (build->config)
                schema_free(build->builder->schema, build->config);
        free(build->config);
}

static void check_patterns(struct load *load, const char *option, const char *const *patterns)
{
        for (; patterns && *patterns; patterns++)
                if (!glob_is_valid(*patterns))
                        diag_error(load->diags, NO_RANGE, "%s: '%s' is no pattern: a bracket is not closed", option,
                                   *patterns);
}

/* A name of no build is a warning, as with Packer: one command line may go with several templates.
 * -except may name post-processors, too. */
void builds_check_only(struct load *load)
{
        check_patterns(load, "-only", load->options->only);
        check_patterns(load, "-except", load->options->except);
        for (const char *const *only = load->options->only; only && *only; only++) {
                bool found = false;

                for (char **name = load->t->build_names; name && *name; name++)
                        found = found || glob_match(*only, *name);
                if (!found && load->t->build_names && glob_is_valid(*only))
                        unknown_name_as(diag_warning, load->diags, NO_RANGE, "-only: the template has no build", *only,
                                        STRV(load->t->build_names));
        }
}

void load_builds(struct load *load)
{
        const struct value *list = value_get(load->root, "builders");
        struct template *t = load->t;
        size_t kept = 0;

        if (list && list->type != VALUE_LIST) {
                diag_error(load->diags, list->range, "'builders' must be a list [ { ... } ], not %s",
                           value_type_name(list->type));
                return;
        }
        if (!list && schema_misspelt(load->root, "builders", load->diags))
                return;
        if (!list || list->list.n == 0) {
                diag_error(load->diags, schema_range(load->root, "builders"),
                           "the template needs at least one builder");
                diag_detail(load->diags, "\"builders\": [ { \"type\": \"arm\", ... } ]");
                return;
        }
        t->builds = xcalloc(list->list.n, sizeof(*t->builds));
        for (size_t i = 0; i < list->list.n; i++)
                load_build(load, list->list.v[i]);
        builds_check_only(load);
        for (size_t i = 0; i < t->n_builds; i++) {
                struct template_build build = t->builds[i];

                if (!build_is_selected(load->options, build.name)) {
                        build_clear(&build);
                        continue;
                }
                if (!load->options->syntax_only)
                        build_decode(load, &build);
                t->builds[kept++] = build;
        }
        t->n_builds = kept;
}

void builds_free(struct template *t)
{
        for (size_t i = 0; i < t->n_builds; i++)
                build_clear(&t->builds[i]);
        free(t->builds);
        strv_free(t->build_names);
}
