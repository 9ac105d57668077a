/* DHCP options of the site file: the few that have a key of their own in a
 * network, and `option "NAME" {}` for all others, by the table of wire/dhcp_option.h. */
#include <string.h>

#include "base/str.h"
#include "site/site_internal.h"
#include "wire/dhcp_option.h"

enum { OPTION_MAX = 4096, VALUES_MAX = 256 }; /* bytes of one option (RFC 3396 splits it); its values */

static const struct {
        const char *key;
        uint8_t code;
} own_keys[] = {
        {"router", DHCP_OPT_ROUTER}, {"dns", DHCP_OPT_DNS}, {"domain", DHCP_OPT_DOMAIN_NAME}, {"search", 119},
        {"ntp", DHCP_OPT_NTP},       {"mtu", DHCP_OPT_MTU},
};

/* The value's texts: one, or a list's. False after a message. */
static bool value_texts(struct load *load, const struct hcl_value *value, struct range at, const char *what,
                        const char **texts, size_t *ret_n)
{
        bool list = value->type->kind == HCL_TUPLE || value->type->kind == HCL_LIST || value->type->kind == HCL_SET;
        size_t n = list ? value->list.n : 1;

        if (n > VALUES_MAX) {
                diag_error(load->diags, at, "'%s' has %zu values, more than %d", what, n, VALUES_MAX);
                return false;
        }
        for (size_t i = 0; i < n; i++) {
                const struct hcl_value *element = list ? value->list.v[i] : value;

                if (element->type->kind == HCL_BOOL && element->state == HCL_KNOWN)
                        texts[i] = element->boolean ? "true" : "false";
                else if (!site_value_text(load, element, at, what, &texts[i]))
                        return false;
        }
        *ret_n = n;
        return true;
}

static bool encode(struct load *load, const struct dhcp_option *option, const char *what, const struct hcl_value *value,
                   struct range at, struct site_option *ret)
{
        CLEANUP_ERROR struct error err = {0};
        const char *texts[VALUES_MAX];
        uint8_t data[OPTION_MAX];
        size_t n;
        int len;

        if (!value_texts(load, value, at, what, texts, &n))
                return false;
        len = dhcp_option_encode(option, texts, n, data, sizeof(data), &err);
        if (len < 0) {
                diag_error(load->diags, at, "%s: %s", what, error_message(&err));
                return false;
        }
        ret->code = option->code;
        ret->data = arena_memdup(load->arena, data, (size_t)len);
        ret->len = (size_t)len;
        return true;
}

void site_option_key(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at)
{
        struct site_option option = {0};
        struct dhcp_option row = {0};

        for (size_t i = 0; i < sizeof(own_keys) / sizeof(own_keys[0]); i++)
                if (strcmp(own_keys[i].key, key->name) == 0)
                        row = dhcp_option_of(own_keys[i].code);
        if (encode(load, &row, key->name, value, at, &option))
                vec_push(&load->options, option);
}

/* ---- option "NAME" {} ---- */

struct option_block {
        const char *vendor_class, *user_class, *type;
        bool force;
        const struct hcl_expr *value;
};

#define KEY(...) SITE_KEY(struct option_block, __VA_ARGS__)
static const struct site_key option_keys[] = {
        KEY("value", KEY_EXPR, value, .required = true, .help = "A text, a number, true or false, or a list of those"),
        KEY("type", KEY_STRING, type,
            .help = "How the value becomes bytes, for options without a name: text, u8, u16, u32, address, bytes..."),
        KEY("vendor_class", KEY_STRING, vendor_class, .help = "Only for clients whose option 60 begins so"),
        KEY("user_class", KEY_STRING, user_class, .help = "Only for clients whose option 77 begins so"),
        KEY("force", KEY_BOOL, force, .help = "Also to clients that did not ask for it"),
};
#undef KEY
const struct site_block site_block_option = {
        .type = "option",
        .label = "name or number",
        SITE_KEYS(option_keys),
        .help = "Any DHCP option of a network or a machine, perhaps for some clients only",
};

static bool find_option(struct load *load, const struct hcl_label *label, struct dhcp_option *ret)
{
        if (dhcp_option_find(label->text, ret) < 0) {
                diag_error(load->diags, label->range, "there is no DHCP option '%s'%s", label->text,
                           load_hint(load, dhcp_option_nearest(label->text)));
                diag_detail(load->diags, "An option without a name is written by its number: option \"224\" {}");
                return false;
        }
        if (ret->engine) {
                diag_error(load->diags, label->range, "the option '%s' is made by the server for each message",
                           label->text);
                return false;
        }
        return true;
}

static bool set_type(struct load *load, const char *type, struct range at, struct dhcp_option *option)
{
        const char *names[DHCP_TYPES + 1] = {0};

        option->list = option->list || !option->name;
        if (!type || dhcp_option_type_find(type, &option->type) == 0)
                return true;
        for (int i = 0; i < DHCP_TYPES; i++)
                names[i] = dhcp_option_type_name((enum dhcp_option_type)i);
        diag_error(load->diags, at, "there is no type '%s' of options%s", type,
                   load_hint(load, str_nearest(type, names)));
        return false;
}

void site_option_block(struct load *load, const struct hcl_block *block, const struct hcl_scope *scope)
{
        struct option_block raw = {0};
        struct site_option option = {0};
        struct hcl_content content;
        const struct hcl_value *value;
        struct dhcp_option row;

        scope = block->scope ? block->scope : scope;
        site_keys_read(load, &site_block_option, block->body, scope, &raw, &content);
        if (!raw.value || !find_option(load, &block->labels[0], &row) ||
            !set_type(load, raw.type, site_key_range(&content, "type", block->open_range), &row))
                return;
        value = hcl_eval(load->arena, raw.value, scope, load->diags);
        if (value->state != HCL_KNOWN || !encode(load, &row, block->labels[0].text, value, raw.value->range, &option))
                return;
        option.vendor_class = raw.vendor_class;
        option.user_class = raw.user_class;
        option.force = raw.force;
        vec_push(&load->options, option);
}

/* Those with a condition come first, since of one code the first that matches counts. */
struct site_options site_options_take(struct load *load)
{
        size_t n = 0, total = load->options.n;
        struct site_option *options = arena_array(load->arena, total, sizeof(*options));

        for (int conditional = 1; conditional >= 0; conditional--)
                for (size_t i = 0; i < total; i++) {
                        const struct site_option *option = &load->options.v[i];

                        if ((option->vendor_class || option->user_class) == (conditional == 1))
                                options[n++] = *option;
                }
        load->options.n = 0;
        return (struct site_options){options, n};
}
