/* What expressions of an HCL2 template see. See module_internal.h. */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "template/module_internal.h"

const struct hcl_value *module_object(struct arena *arena, const char *const *names,
                                      const struct hcl_value *const *values, size_t n)
{
        struct hcl_string *keys = arena_array(arena, n, sizeof(*keys));
        const struct hcl_value **members = arena_array(arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                keys[i] = (struct hcl_string){arena_strdup(arena, names[i]), strlen(names[i])};
                members[i] = values[i];
        }
        return hcl_object_value(arena, keys, members, n);
}

void module_scope_init(struct template_module *module, const char *root, time_t start)
{
        struct arena *arena = &module->arena;
        char *cwd = getcwd(NULL, 0);
        const struct hcl_value *path =
                module_object(arena, (const char *const[]){"cwd", "root"},
                              (const struct hcl_value *const[]){hcl_string_from(arena, cwd ? cwd : "/"),
                                                                hcl_string_from(arena, root)},
                              2);
        /* HCP's registry is not there: its iteration has no id. */
        const struct hcl_value *packer =
                module_object(arena, (const char *const[]){"version", "iterationID", "versionFingerprint"},
                              (const struct hcl_value *const[]){hcl_string_from(arena, PACKER_COMPATIBLE),
                                                                &hcl_empty_string, &hcl_empty_string},
                              3);

        free(cwd);
        module->env = (struct hcl_env){.base_dir = arena_strdup(arena, root), .start = start};
        module->base = (struct hcl_scope){
                .variables = module_object(arena, (const char *const[]){"packer", "path"},
                                           (const struct hcl_value *const[]){packer, path}, 2),
                .functions = hcl_functions,
                .n_functions = hcl_n_functions,
                .env = &module->env,
        };
        module->scope = (struct hcl_scope){.parent = &module->base, .variables = &hcl_empty_object};
        module->vars = &hcl_empty_object;
}

static const struct hcl_value *variable_value(struct template_module *module, const struct module_variable *variable)
{
        const struct hcl_value *value = variable->value;

        if (!value)
                value = hcl_unknown(&module->arena, variable->type);
        return variable->sensitive ? hcl_mark_sensitive(&module->arena, value) : value;
}

void module_scope_variables(struct template_module *module)
{
        size_t n = module->variables.list.n;
        const char **names = arena_array(&module->arena, n, sizeof(*names));
        const struct hcl_value **values = arena_array(&module->arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                names[i] = module->variables.list.v[i].key;
                values[i] = variable_value(module, module->variables.list.v[i].item);
        }
        module->vars = module_object(&module->arena, names, values, n);
}

static int compare_nodes(const void *a, const void *b)
{
        return strcmp((*(struct module_node *const *)a)->key, (*(struct module_node *const *)b)->key);
}

/* Those from `from` on that belong to one object: all locals, or data of one type; sorted by key. */
static size_t group_end(struct module_node *const *nodes, size_t from, size_t n)
{
        size_t end = from + 1;

        while (end < n && str_eq(nodes[end]->type, nodes[from]->type))
                end++;
        return end;
}

static const struct hcl_value *group_object(struct arena *arena, struct module_node *const *nodes, size_t n)
{
        const char **names = arena_array(arena, n, sizeof(*names));
        const struct hcl_value **values = arena_array(arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                names[i] = nodes[i]->name;
                values[i] = nodes[i]->value;
        }
        return module_object(arena, names, values, n);
}

const struct hcl_value *module_node_roots(struct template_module *module, struct module_node *const *nodes, size_t n)
{
        struct arena *arena = &module->arena;
        struct module_node **sorted = arena_array(arena, n, sizeof(struct module_node *));
        const char **types = arena_array(arena, n, sizeof(*types));
        const struct hcl_value **groups = arena_array(arena, n, sizeof(const struct hcl_value *));
        const struct hcl_value *locals = &hcl_empty_object;
        size_t n_types = 0, end;

        if (n > 0) {
                memcpy(sorted, nodes, n * sizeof(struct module_node *));
                qsort(sorted, n, sizeof(struct module_node *), compare_nodes);
        }
        for (size_t i = 0; i < n; i = end) {
                const struct hcl_value *object;

                end = group_end(sorted, i, n);
                object = group_object(arena, sorted + i, end - i);
                if (sorted[i]->type) {
                        types[n_types] = sorted[i]->type;
                        groups[n_types++] = object;
                } else {
                        locals = object;
                }
        }
        return module_object(
                arena, (const char *const[]){"data", "local", "var"},
                (const struct hcl_value *const[]){module_object(arena, types, groups, n_types), locals, module->vars},
                3);
}

void module_scope_nodes(struct template_module *module)
{
        size_t n = module->nodes.list.n;
        struct module_node **nodes = arena_array(&module->arena, n, sizeof(struct module_node *));

        for (size_t i = 0; i < n; i++)
                nodes[i] = module->nodes.list.v[i].item;
        module->scope.variables = module_node_roots(module, nodes, n);
}
