/* `root "TYPE" {}` of a profile: a root file system on the network. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "site/keys.h"
#include "site/profile.h"
#include "site/site_internal.h"

static const char *const root_kinds[] = {[SITE_ROOT_NONE] = "none",
                                         [SITE_ROOT_NFS] = "nfs",
                                         [SITE_ROOT_NBD] = "nbd",
                                         [SITE_ROOT_SQUASHFS] = "squashfs",
                                         NULL};

#define KEY(...) SITE_KEY(struct site_root, __VA_ARGS__)
static const struct site_key root_keys[] = {
        KEY("path", KEY_STRING, path, .help = "nfs: the folder; nbd: the image; squashfs: the file beneath the root"),
        KEY("server", KEY_ADDRESS, server, .help = "Another server's address; left out: this one serves it"),
        KEY("port", KEY_PORT, port, .help = "Its port, where that is not the protocol's own"),
        KEY("export", KEY_STRING, export_name, .help = "nbd: name of the export; the profile's name where left out"),
        KEY("options", KEY_STRING, options, .help = "nfs: mount options; vers=3,nolock,tcp"),
        KEY("writable", KEY_BOOL, writable,
            .help = "nfs: mounted read-write; nbd: each machine writes to a copy of its own, which ends with the "
                    "server"),
};
#undef KEY
const struct site_block site_block_root = {
        .type = "root",
        .label = "type",
        SITE_KEYS(root_keys),
        .help = "A root file system on the network: nfs, nbd or squashfs",
};

/* They become parts of a command line. */
static void check_word(struct load *load, const struct hcl_content *content, const char *key, const char *text)
{
        for (const char *c = text; c && *c; c++)
                if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c)) {
                        diag_error(load->diags, site_key_range(content, key, NO_RANGE),
                                   "'%s' becomes part of a kernel's command line: it cannot have blanks in it", key);
                        return;
                }
}

/* An export is found as a file of this name, and is named between commas. */
static bool is_file_name(const char *name)
{
        return *name && *name != '.' && !strpbrk(name, "/,");
}

static void check_root(struct load *load, const struct hcl_block *block, struct site_root *root,
                       const struct site_profile *profile)
{
        if (root->kind != SITE_ROOT_NBD && root->export_name)
                diag_error(load->diags, block->open_range, "only nbd has exports with a name");
        if (root->kind == SITE_ROOT_NBD && !root->export_name)
                root->export_name = profile->name;
        if (root->kind != SITE_ROOT_NBD && !root->path)
                diag_error(load->diags, block->close_range, "a path is needed here: where the root file system lies");
        if (root->kind == SITE_ROOT_NBD && !root->path && !root->server)
                diag_error(load->diags, block->close_range,
                           "an image is needed here (path = \"...\"), or the server that has it");
        if (root->kind == SITE_ROOT_NFS && !root->options)
                root->options = "vers=3,nolock,tcp";
        if (root->kind == SITE_ROOT_NFS && root->port)
                root->options = arena_printf(load->arena, "%s,port=%u", root->options, root->port);
        if (root->path && root->server == 0 && root->kind != SITE_ROOT_SQUASHFS)
                root->path = load_path(load, root->path);
        if (root->kind == SITE_ROOT_NBD && !is_file_name(root->export_name))
                diag_error(load->diags, block->open_range,
                           "'%s' cannot be the name of an export: it has no '/' or ',' in it, and no '.' in front",
                           root->export_name);
        if (root->kind == SITE_ROOT_NFS && root->path && root->server == 0 && strpbrk(root->path, "\"\\"))
                diag_error(load->diags, block->open_range, "NFS exports no folder with '\"' or '\\' in its name: '%s'",
                           root->path);
}

void load_root(struct load *load, const struct hcl_block *block, struct site_profile *profile)
{
        const struct hcl_scope *scope = load_scope(load, block);
        const char *type = block->labels[0].text;
        struct site_root root = {0};
        struct hcl_content content;

        site_keys_read(load, &site_block_root, block->body, scope, &root, &content);
        check_word(load, &content, "path", root.path);
        check_word(load, &content, "options", root.options);
        check_word(load, &content, "export", root.export_name);
        for (int i = 1; root_kinds[i]; i++)
                if (strcmp(root_kinds[i], type) == 0)
                        root.kind = (enum site_root_kind)i;
        if (root.kind == SITE_ROOT_NONE)
                diag_error(load->diags, block->labels[0].range,
                           "'%s' is no kind of root; there are \"nfs\", \"nbd\" and \"squashfs\"", type);
        else if (profile->root.kind != SITE_ROOT_NONE)
                diag_error(load->diags, block->open_range, "a profile has one root only");
        else
                check_root(load, block, &root, profile);
        profile->root = root;
}

/* ---- of all profiles ---- */

static bool is_ours(const struct site_root *root, enum site_root_kind kind)
{
        return root->kind == kind && root->server == 0;
}

void site_check_roots(struct load *load)
{
        const struct site *site = load->site;

        for (size_t i = 0; i < site->n_profiles; i++) {
                const struct site_profile *first = site->profiles[i];

                for (size_t j = i + 1; j < site->n_profiles; j++) {
                        const struct site_profile *second = site->profiles[j];
                        const struct site_root *a = &first->root, *b = &second->root;

                        if (is_ours(a, SITE_ROOT_NBD) && is_ours(b, SITE_ROOT_NBD) && a->port == b->port &&
                            str_eq(a->export_name, b->export_name) && !str_eq(a->path, b->path))
                                diag_error(load->diags, second->range,
                                           "the profiles '%s' and '%s' export two images under the name '%s'",
                                           first->name, second->name, a->export_name);
                        if (is_ours(a, SITE_ROOT_NFS) && is_ours(b, SITE_ROOT_NFS) && a->port != b->port)
                                diag_error(load->diags, second->range,
                                           "the profiles '%s' and '%s' have roots by NFS at two ports; there is one "
                                           "server for all",
                                           first->name, second->name);
                }
        }
}
