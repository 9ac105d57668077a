/* The type of what a specification will decode: see hcldec.h. */
#include <string.h>

#include "hcldec.h"

static const struct hcl_type *structure_type(struct arena *arena, const struct spec *spec)
{
        struct hcl_attr_type *attrs = arena_array(arena, spec->n_nested, sizeof(*attrs));
        const struct hcl_type **members = arena_array(arena, spec->n_nested, sizeof(const struct hcl_type *));

        for (size_t i = 0; i < spec->n_nested; i++) {
                members[i] = spec_type(arena, spec->nested[i]);
                attrs[i] = (struct hcl_attr_type){.name = spec->nested[i]->key, .type = members[i]};
        }
        return spec->kind == SPEC_OBJECT ? hcl_type_object(arena, attrs, spec->n_nested)
                                         : hcl_type_tuple(arena, members, spec->n_nested);
}

const struct hcl_value *spec_transform(struct arena *arena, const struct spec *spec, const struct hcl_value *value,
                                       struct diags *diags)
{
        struct hcl_string key = {.s = "nested", .len = strlen("nested")};
        const struct hcl_value *members[] = {value};
        struct hcl_scope scope = {.parent = spec_scope(arena), .variables = hcl_object_value(arena, &key, members, 1)};

        return hcl_eval(arena, spec->expr, &scope, diags);
}

static const struct hcl_type *transformed_type(struct arena *arena, const struct spec *spec)
{
        CLEANUP(diags_clear) struct diags ignored = {0};

        return spec_transform(arena, spec, hcl_unknown(arena, spec_type(arena, spec->nested[0])), &ignored)->type;
}

const struct hcl_type *spec_type(struct arena *arena, const struct spec *spec)
{
        const struct hcl_type *type;

        switch (spec->kind) {
        case SPEC_OBJECT:
        case SPEC_ARRAY:
                return structure_type(arena, spec);
        case SPEC_ATTR:
                return hcl_type_concrete(arena, spec->type);
        case SPEC_BLOCK:
        case SPEC_DEFAULT:
                return spec_type(arena, spec->nested[0]);
        case SPEC_BLOCK_LIST:
                return hcl_type_list(arena, spec_type(arena, spec->nested[0]));
        case SPEC_BLOCK_SET:
                return hcl_type_set(arena, spec_type(arena, spec->nested[0]));
        case SPEC_BLOCK_MAP:
                type = spec_type(arena, spec->nested[0]);
                for (size_t i = 0; i < spec->n_labels; i++)
                        type = hcl_type_map(arena, type);
                return type;
        case SPEC_BLOCK_TUPLE:
        case SPEC_BLOCK_OBJECT:
                return &hcl_any;
        case SPEC_BLOCK_ATTRS:
                return hcl_type_map(arena, hcl_type_concrete(arena, spec->type));
        case SPEC_BLOCK_LABEL:
                return &hcl_string;
        case SPEC_LITERAL:
                return spec->value->type;
        case SPEC_TRANSFORM:
                return transformed_type(arena, spec);
        }
        return &hcl_any;
}
