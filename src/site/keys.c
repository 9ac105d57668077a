/* A block read by its table: see keys.h. */
#include "site/keys.h"

#include <string.h>

#include "base/str.h"
#include "site/site_internal.h"

enum { KEYS_MAX = 32, BLOCKS_MAX = 8 };

const struct site_block *const site_blocks[] = {
        &site_block_top,    &site_block_listen,  &site_block_network,
        &site_block_option, &site_block_profile, &site_block_answers,
        &site_block_root,   &site_block_machine, NULL,
};

static const struct site_block *find_block(const char *type)
{
        for (size_t i = 0; site_blocks[i]; i++)
                if (str_eq(site_blocks[i]->type, type))
                        return site_blocks[i];
        return NULL;
}

/* `locals` and `local` are read by locals.c. */
static const char *label_of(const char *type)
{
        const struct site_block *block = find_block(type);

        return block ? block->label : strcmp(type, "local") == 0 ? "name" : NULL;
}

/* ---- values of each type ---- */

static void read_choice(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                        int *ret)
{
        CLEANUP_FREE char *all = strv_join(key->choices, ", ");
        const char *text;

        if (!site_value_text(load, value, at, key->name, &text))
                return;
        for (int i = 0; key->choices[i]; i++)
                if (strcmp(key->choices[i], text) == 0) {
                        *ret = i;
                        return;
                }
        diag_error(load->diags, at, "'%s' is none of what '%s' can be%s", text, key->name,
                   load_hint(load, str_nearest(text, key->choices)));
        diag_detail(load->diags, "It can be: %s.", all);
}

static void read_bool(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                      bool *ret)
{
        const struct hcl_value *converted;

        if (hcl_convert(load->arena, value, &hcl_bool, &converted, NULL) == 0)
                *ret = converted->boolean;
        else
                diag_error(load->diags, at, "'%s' is true or false, not %s", key->name,
                           hcl_type_friendly(load->arena, value->type));
}

static void read_port(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                      uint16_t *ret)
{
        int64_t n;

        if (value->type->kind == HCL_NUMBER && hcl_number_int(value, &n) && n >= 0 && n <= UINT16_MAX)
                *ret = (uint16_t)n;
        else
                diag_error(load->diags, at, "'%s' is a port, a number from 1 to 65535, or 0 for none", key->name);
}

static void read_uuid(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                      struct site_uuid *ret)
{
        const char *text;

        if (!site_value_text(load, value, at, key->name, &text))
                return;
        ret->given = site_parse_uuid(text, ret->bytes);
        if (!ret->given)
                diag_error(load->diags, at, "'%s' is no UUID such as 4c4c4544-0051-3510-8052-b4c04f4a4d32", text);
}

static void read_serial(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                        uint32_t *ret)
{
        const char *text;
        size_t n;

        if (!site_value_text(load, value, at, key->name, &text))
                return;
        n = strlen(text);
        if ((n != 8 && n != 16) || strspn(text, "0123456789abcdefABCDEF") != n) {
                diag_error(load->diags, at, "'%s' is no serial number of a Raspberry Pi", text);
                diag_detail(load->diags, "It has 8 or 16 hexadecimal digits: see /proc/cpuinfo on the board.");
                return;
        }
        *ret = (uint32_t)strtoul(text + n - 8, NULL, 16);
}

static void read_profile(struct load *load, const struct hcl_attr *attr, const struct hcl_scope *scope,
                         const struct site_profile **ret)
{
        const struct hcl_value *value;
        struct hcl_traversal path;
        const char *name = NULL;

        if (hcl_expr_traversal(load->arena, attr->expr, &path) && strcmp(path.root, "profile") == 0 &&
            path.n_steps == 1 && path.steps[0].name) {
                name = path.steps[0].name;
        } else {
                value = hcl_eval(load->arena, attr->expr, scope, load->diags);
                if (value->state != HCL_KNOWN || !site_value_text(load, value, attr->expr->range, attr->name, &name))
                        return;
                if (str_starts(name, "profile."))
                        name += strlen("profile.");
        }
        *ret = load_profile(load, name);
        if (*ret)
                return;
        diag_error(load->diags, attr->expr->range, "there is no profile '%s'%s", name,
                   load_hint(load, load_nearest_profile(load, name)));
        diag_detail(load->diags, "A profile is a block: profile \"%s\" { kernel = ... }", name);
}

static void read_object(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                        const struct hcl_value **ret)
{
        if (value->type->kind == HCL_OBJECT || value->type->kind == HCL_MAP)
                *ret = value;
        else
                diag_error(load->diags, at, "'%s' is an object, { name = value }, not %s", key->name,
                           hcl_type_friendly(load->arena, value->type));
}

static void read_value(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at,
                       void *field)
{
        switch (key->type) {
        case KEY_STRING:
                site_value_text(load, value, at, key->name, field);
                break;
        case KEY_BOOL:
                read_bool(load, key, value, at, field);
                break;
        case KEY_CHOICE:
                read_choice(load, key, value, at, field);
                break;
        case KEY_SECONDS:
                site_value_seconds(load, value, at, field);
                break;
        case KEY_PORT:
                read_port(load, key, value, at, field);
                break;
        case KEY_ADDRESS:
                site_value_address(load, value, at, field);
                break;
        case KEY_INTERFACE:
        case KEY_SUBNET:
                site_value_subnet(load, value, at, key->type == KEY_INTERFACE, field);
                break;
        case KEY_RANGES:
                site_value_ranges(load, value, at, field);
                break;
        case KEY_MACS:
                site_value_macs(load, value, at, field);
                break;
        case KEY_UUID:
                read_uuid(load, key, value, at, field);
                break;
        case KEY_SERIAL:
                read_serial(load, key, value, at, field);
                break;
        case KEY_PATH:
                if (site_value_text(load, value, at, key->name, field))
                        *(const char **)field = load_path(load, *(const char **)field);
                break;
        case KEY_VALUE:
                read_object(load, key, value, at, field);
                break;
        case KEY_OPTION:
                site_option_key(load, key, value, at);
                break;
        case KEY_PROFILE:
        case KEY_EXPR:
                break;
        }
}

static void read_key(struct load *load, const struct site_key *key, const struct hcl_attr *attr,
                     const struct hcl_scope *scope, void *out)
{
        void *field = (char *)out + key->offset;
        const struct hcl_value *value;

        if (key->secret)
                source_text_hide(attr->expr->range.source, attr->expr->range.start, attr->expr->range.end);
        if (key->type == KEY_EXPR) {
                *(const struct hcl_expr **)field = attr->expr;
        } else if (key->type == KEY_PROFILE) {
                read_profile(load, attr, scope, field);
        } else {
                value = hcl_eval(load->arena, attr->expr, scope, load->diags);
                if (value->state == HCL_KNOWN)
                        read_value(load, key, value, attr->expr->range, field);
        }
}

/* ---- blocks ---- */

static size_t schema_of(const struct site_block *spec, struct hcl_attr_schema *attrs, struct hcl_block_schema *blocks)
{
        size_t n = 0;

        for (size_t i = 0; i < spec->n_keys && i < KEYS_MAX; i++)
                attrs[i] = (struct hcl_attr_schema){spec->keys[i].name, spec->keys[i].required};
        for (; spec->blocks && spec->blocks[n] && n < BLOCKS_MAX; n++)
                blocks[n] = (struct hcl_block_schema){spec->blocks[n], {label_of(spec->blocks[n])}};
        return n;
}

void site_keys_content(struct load *load, const struct site_block *spec, const struct hcl_body *body,
                       const struct hcl_scope *scope, struct hcl_content *ret)
{
        struct hcl_attr_schema attrs[KEYS_MAX];
        struct hcl_block_schema blocks[BLOCKS_MAX];
        struct hcl_body_schema schema = {attrs, spec->n_keys, blocks, 0};

        schema.n_blocks = schema_of(spec, attrs, blocks);
        hcl_body_content(load->arena, body, &schema, scope, ret, load->diags);
}

void site_keys_values(struct load *load, const struct site_block *spec, const struct hcl_content *content,
                      const struct hcl_scope *scope, void *out)
{
        for (size_t i = 0; i < spec->n_keys; i++) {
                const struct hcl_attr *attr = hcl_content_attr(content, spec->keys[i].name);

                if (attr)
                        read_key(load, &spec->keys[i], attr, scope, out);
        }
}

void site_keys_read(struct load *load, const struct site_block *spec, const struct hcl_body *body,
                    const struct hcl_scope *scope, void *out, struct hcl_content *ret)
{
        site_keys_content(load, spec, body, scope, ret);
        site_keys_values(load, spec, ret, scope, out);
}

struct range site_key_range(const struct hcl_content *content, const char *name, struct range otherwise)
{
        const struct hcl_attr *attr = hcl_content_attr(content, name);

        return attr ? attr->expr->range : otherwise;
}
