/* `profile "NAME" {}`: what machines boot. What may depend on the machine is
 * tried out once with everything unknown, so that mistakes are found when the
 * file is read. */
#include "site/profile.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "site/loader.h"
#include "site/render.h"
#include "site/request.h"

static const char *const loaders[] = {
        [SITE_LOADER_AUTO] = "auto", [SITE_LOADER_IPXE] = "ipxe",         [SITE_LOADER_GRUB] = "grub",
        [SITE_LOADER_SHIM] = "shim", [SITE_LOADER_PXELINUX] = "pxelinux", NULL};
static const char *const initramfs[] = {
        [SITE_INITRAMFS_TOOLS] = "initramfs-tools", [SITE_DRACUT] = "dracut", [SITE_LIVE_BOOT] = "live-boot", NULL};

struct profile_block {
        struct site_profile profile;
        int loader, initramfs;
        const struct hcl_value *secrets;
};

#define KEY(...) SITE_KEY(struct profile_block, __VA_ARGS__)
static const struct site_key profile_keys[] = {
        KEY("kernel", KEY_EXPR, profile.kernel, .help = "The kernel, beneath the root"),
        KEY("initrd", KEY_EXPR, profile.initrd, .help = "The initial RAM disk, or a list of them"),
        KEY("cmdline", KEY_EXPR, profile.cmdline, .help = "The kernel's command line"),
        KEY("dtb", KEY_EXPR, profile.dtb, .help = "A device tree for U-Boot and GRUB"),
        KEY("san", KEY_EXPR, profile.san, .help = "A disk that iPXE boots from: iscsi:..., aoe:..., fcp:..."),
        KEY("loader", KEY_CHOICE, loader, .choices = loaders,
            .help = "Which boot loader of the host's packages: auto, ipxe, grub, shim (Secure Boot), pxelinux"),
        KEY("boot", KEY_EXPR, profile.boot,
            .help = "Boot files of its own: { bios = \"pxelinux.0\", uefi-x64 = \"shimx64.efi\", ipxe = \"boot.ipxe\" "
                    "}"),
        KEY("initramfs", KEY_CHOICE, initramfs, .choices = initramfs,
            .help = "Whose command line a root on the network is written for: initramfs-tools, dracut, live-boot"),
        KEY("firmware", KEY_PATH, profile.firmware, .help = "Folder of a Raspberry Pi's firmware files"),
        KEY("image", KEY_PATH, profile.image,
            .help = "An image whose first partition has a Raspberry Pi's firmware files"),
        KEY("config_txt", KEY_EXPR, profile.config_txt, .help = "A Raspberry Pi's config.txt"),
        KEY("variables", KEY_VALUE, profile.variables, .help = "Defaults for var.NAME"),
        KEY("secrets", KEY_VALUE, secrets, .secret = true,
            .help = "The same, but secret: given to machines of this file only"),
};
#undef KEY
static const char *const profile_blocks[] = {"answers", "root", NULL};
const struct site_block site_block_profile = {
        .type = "profile",
        .label = "name",
        SITE_KEYS(profile_keys),
        .blocks = profile_blocks,
        .help = "What machines boot, whatever firmware they have",
};

/* ---- answers "NAME" {} ---- */

struct answers_block {
        struct site_answers answers;
        const char *template;
};

#define KEY(...) SITE_KEY(struct answers_block, __VA_ARGS__)
static const struct site_key answers_keys[] = {
        KEY("template", KEY_PATH, template, .help = "A file in the template language: ${var.NAME}, %{ if ... }"),
        KEY("text", KEY_EXPR, answers.text, .help = "The text itself, in place of a file"),
        KEY("file", KEY_PATH, answers.file, .help = "A file that is given as it is"),
        KEY("known_only", KEY_BOOL, answers.known_only, .help = "Given to machines of this file only"),
};
#undef KEY
const struct site_block site_block_answers = {
        .type = "answers",
        .label = "name",
        SITE_KEYS(answers_keys),
        .help = "A file made for the machine that asks: preseed, kickstart, cloud-init's user-data",
};

static const struct hcl_expr *read_template(struct load *load, const char *path, struct range at)
{
        CLEANUP_ERROR struct error err = {0};
        struct source_text *source = NULL;

        if (source_text_read(path, &source, &err) < 0) {
                diag_error(load->diags, at, "%s", error_message(&err));
                return NULL;
        }
        vec_push(&load->private->sources, source);
        return hcl_parse_template(load->arena, source, load->diags);
}

static bool is_file_name(const char *s)
{
        return *s && *s != '.' &&
               s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool read_answers(struct load *load, const struct hcl_block *block, struct site_answers *ret)
{
        const struct hcl_scope *scope = load_scope(load, block);
        struct answers_block raw = {.answers.name = block->labels[0].text};
        struct hcl_content content;
        int n;

        site_keys_read(load, &site_block_answers, block->body, scope, &raw, &content);
        if (!is_file_name(raw.answers.name))
                diag_error(load->diags, block->labels[0].range,
                           "'%s' cannot be the name of a file: letters, digits, dots and dashes", raw.answers.name);
        n = !!hcl_content_attr(&content, "template") + !!hcl_content_attr(&content, "text") +
            !!hcl_content_attr(&content, "file");
        if (n != 1)
                diag_error(
                        load->diags, block->open_range,
                        "answers are made of one thing: a template = \"FILE\", a text = \"...\", or a file = \"FILE\"");
        else if (raw.template)
                raw.answers.text =
                        read_template(load, raw.template, site_key_range(&content, "template", block->open_range));
        raw.answers.range = block->labels[0].range;
        *ret = raw.answers;
        return n == 1 && (ret->text || ret->file);
}

/* ---- the profile ---- */

/* Everything once, with all unknown that depends on the client. */
static void try_expressions(struct load *load, struct site_profile *profile)
{
        const struct hcl_expr *const exprs[] = {profile->kernel, profile->initrd, profile->cmdline,   profile->dtb,
                                                profile->san,    profile->boot,   profile->config_txt};
        CLEANUP(site_request_clear) struct site_request request = {0};

        site_request_scope(&request, &load->private->scope, profile);
        for (size_t i = 0; i < sizeof(exprs) / sizeof(exprs[0]); i++)
                if (exprs[i])
                        hcl_eval(&request.arena, exprs[i], &request.scope, load->diags);
        for (size_t i = 0; i < profile->n_answers; i++)
                if (profile->answers[i].text)
                        hcl_eval(&request.arena, profile->answers[i].text, &request.scope, load->diags);
        site_check_files(load, profile, &request);
        site_check_boot(load, profile, &request);
        site_check_san(load, profile, &request);
}

void load_profile_names(struct load *load, const struct hcl_block *block)
{
        struct site_profile *profile = arena_alloc(load->arena, sizeof(*profile));
        const struct site_profile *other;

        profile->name = block->labels[0].text;
        profile->range = block->labels[0].range;
        profile->variables = &hcl_empty_object;
        other = load_profile(load, profile->name);
        if (other) {
                diag_error(load->diags, block->labels[0].range,
                           strcmp(profile->name, "local-disk") == 0 ? "the profile '%s' is built in"
                                                                    : "there are two profiles '%s'",
                           profile->name);
                if (other->range.source)
                        diag_detail(load->diags, "The other one is in %s.", load_place(load, other->range));
                return;
        }
        vec_push(&load->profiles, (struct named_profile){profile, block});
}

static void read_blocks(struct load *load, const struct hcl_content *content, struct site_profile *profile)
{
        struct site_answers *answers = arena_array(load->arena, content->n_blocks, sizeof(*answers));

        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];

                if (strcmp(block->type, "root") == 0)
                        load_root(load, block, profile);
                else if (read_answers(load, block, &answers[profile->n_answers]))
                        profile->n_answers++;
        }
        for (size_t i = 1; i < profile->n_answers; i++)
                for (size_t j = 0; j < i; j++)
                        if (strcmp(answers[i].name, answers[j].name) == 0)
                                diag_error(load->diags, answers[i].range, "there are two answers '%s' in profile '%s'",
                                           answers[i].name, profile->name);
        profile->answers = answers;
}

static bool boots_something(const struct site_profile *profile)
{
        return profile->kernel || profile->boot || profile->san || profile->firmware || profile->image;
}

/* Is there a boot loader at all? Which platforms will ask is not known yet. */
static void check_loader(struct load *load, const struct site_profile *profile)
{
        const struct site_loader_row *missing = NULL;

        if (profile->boot || !(profile->kernel || profile->san) || profile->firmware || profile->image)
                return;
        for (int i = 0; i < PLATFORMS; i++) {
                const struct site_loader_row *wanted;

                if (site_loader_for(load->site, profile->loader, (enum client_platform)i, false, &wanted))
                        return;
                missing = missing ? missing : wanted;
        }
        diag_warning(load->diags, profile->loader_range, "this host has no such boot loader; install %s",
                     missing->package);
}

void load_profile_body(struct load *load, const struct named_profile *named)
{
        const struct hcl_block *block = named->block;
        const struct hcl_scope *scope = load_scope(load, block);
        struct profile_block raw = {.profile = *named->profile};
        size_t errors_before = load->diags->n_errors;
        struct hcl_content content;

        site_keys_read(load, &site_block_profile, block->body, scope, &raw, &content);
        raw.profile.loader = (enum site_loader)raw.loader;
        raw.profile.initramfs = (enum site_initramfs)raw.initramfs;
        raw.profile.variables = site_merge(load->arena, raw.profile.variables, raw.secrets, true);
        read_blocks(load, &content, &raw.profile);
        if (raw.profile.root.kind == SITE_ROOT_SQUASHFS && !hcl_content_attr(&content, "initramfs"))
                raw.profile.initramfs = SITE_LIVE_BOOT;
        if (raw.profile.root.kind != SITE_ROOT_NONE &&
            !site_root_has_form(raw.profile.root.kind, raw.profile.initramfs))
                diag_error(load->diags, site_key_range(&content, "initramfs", block->open_range),
                           "%s cannot mount a root of this kind by itself; see initramfs in slipway-site(5)",
                           initramfs[raw.profile.initramfs]);
        if (raw.profile.firmware && raw.profile.image)
                diag_error(load->diags, site_key_range(&content, "image", block->open_range),
                           "the firmware comes from a folder or from an image, not from both");
        if (!boots_something(&raw.profile) && load->diags->n_errors == errors_before) /* not for a misspelt kernel */
                diag_error(load->diags, block->labels[0].range,
                           "profile '%s' boots nothing: it needs a kernel, boot files, a san, or firmware",
                           named->profile->name);
        raw.profile.loader_range = site_key_range(&content, "loader", raw.profile.range);
        check_loader(load, &raw.profile);
        *named->profile = raw.profile;
        try_expressions(load, named->profile);
}
