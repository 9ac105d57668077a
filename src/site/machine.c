/* `machine "NAME" {}`: one machine, by what it can be recognised, and what it gets. */
#include <string.h>

#include "site/site_internal.h"

struct machine_block {
        struct site_machine machine;
        struct site_macs macs;
        struct site_uuid uuid;
        const struct hcl_value *secrets;
};

#define KEY(...) SITE_KEY(struct machine_block, __VA_ARGS__)
static const struct site_key machine_keys[] = {
        KEY("mac", KEY_MACS, macs, .help = "Its MAC address, or a list of them"),
        KEY("macs", KEY_MACS, macs, .help = "The same"),
        KEY("uuid", KEY_UUID, uuid, .help = "Its UUID, as dmidecode shows it"),
        KEY("serial", KEY_SERIAL, machine.pi_serial, .help = "The serial number of a Raspberry Pi"),
        KEY("address", KEY_ADDRESS, machine.address, .help = "The address that is kept for it"),
        KEY("host_name", KEY_STRING, machine.host_name, .help = "Option 12; its name where left out"),
        KEY("profile", KEY_PROFILE, machine.profile,
            .help = "What it boots: profile.NAME; default_profile where left out"),
        KEY("variables", KEY_VALUE, machine.variables, .help = "What profiles and answers see as var.NAME"),
        KEY("secrets", KEY_VALUE, secrets, .secret = true,
            .help = "The same, but secret: shown nowhere, and given to this machine only"),
};
#undef KEY
static const char *const machine_blocks[] = {"option", NULL};
const struct site_block site_block_machine = {
        .type = "machine",
        .label = "name",
        SITE_KEYS(machine_keys),
        .blocks = machine_blocks,
        .help = "A machine: by what it is recognised, and what it is given",
};

/* A name of DNS (RFC 1123), with or without a domain. */
static bool is_host_name(const char *s)
{
        size_t n = strlen(s);
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

        return n > 0 && n <= 253 && strchr(letters, s[0]) && strchr(letters, s[n - 1]) &&
               s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0' &&
               !strstr(s, "..");
}

static void check_host_name(struct load *load, struct site_machine *machine, struct range at)
{
        if (!machine->host_name && is_host_name(machine->name))
                machine->host_name = machine->name;
        else if (machine->host_name && !is_host_name(machine->host_name))
                diag_error(load->diags, at, "'%s' is no host name: letters, digits and dashes, in parts between dots",
                           machine->host_name);
}

static bool is_recognisable(const struct hcl_content *content)
{
        static const char *const marks[] = {"mac", "macs", "uuid", "serial"};

        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if (hcl_content_attr(content, marks[i]))
                        return true;
        return false;
}

void load_machine(struct load *load, const struct hcl_block *block)
{
        const struct hcl_scope *scope = load_scope(load, block);
        struct machine_block raw = {.machine = {.name = block->labels[0].text, .variables = &hcl_empty_object}};
        struct site_machine *machine = &raw.machine;
        struct machine_places places = {.name = block->labels[0].range};
        size_t errors_before = load->diags->n_errors;
        struct hcl_content content;
        bool sound;

        site_keys_read(load, &site_block_machine, block->body, scope, &raw, &content);
        sound = load->diags->n_errors == errors_before;
        for (size_t i = 0; i < content.n_blocks; i++)
                site_option_block(load, &content.blocks[i], scope);
        machine->macs = (const uint8_t(*)[6])raw.macs.v;
        machine->n_macs = raw.macs.n;
        machine->has_uuid = raw.uuid.given;
        memcpy(machine->uuid, raw.uuid.bytes, sizeof(machine->uuid));
        machine->variables = site_merge(load->arena, machine->variables, raw.secrets, true);
        machine->options = site_options_take(load);
        check_host_name(load, machine, site_key_range(&content, "host_name", places.name));
        places.mac = site_key_range(&content, "mac", site_key_range(&content, "macs", places.name));
        places.uuid = site_key_range(&content, "uuid", places.name);
        places.serial = site_key_range(&content, "serial", places.name);
        places.address = machine->at = site_key_range(&content, "address", places.name);
        if (sound && !is_recognisable(&content))
                diag_error(load->diags, places.name, "nothing says how machine '%s' is recognised; add mac = \"...\"",
                           machine->name);
        vec_push(&load->machines, *machine);
        vec_push(&load->machine_places, places);
}
