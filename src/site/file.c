/* What is at a path: see site.h. Rendered texts are rows of a table; after
 * them come boot loaders of the host, and then what lies beneath the root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "site/loader.h"
#include "site/path.h"
#include "site/render.h"

static void clear_plain(struct site_file *file)
{
        free(file->text);
        free(file->root);
        free(file->path);
        free(file->what);
}

void site_file_clear(struct site_file *file)
{
        for (size_t i = 0; i < file->n_parts; i++) {
                clear_plain(&file->parts[i].file);
                free(file->parts[i].name);
        }
        free(file->parts);
        clear_plain(file);
        *file = (struct site_file){0};
}

static int on_disk(const char *root, const char *path, const char *what, struct site_file *ret)
{
        *ret = (struct site_file){
                .kind = SITE_FILE_DISK, .root = xstrdup(root), .path = xstrdup(path), .what = xstrdup(what)};
        return 0;
}

const char *site_root_of(const struct site *site, const char *path, const char **ret_rest)
{
        const struct site_private *private = site->private;
        const struct site_folder *best = NULL;

        for (size_t i = 0; i < private->n_folders; i++) {
                const struct site_folder *folder = &private->folders[i];

                if (str_starts(path, folder->prefix) && (!best || strlen(folder->prefix) > strlen(best->prefix)))
                        best = folder;
        }
        *ret_rest = best ? path + strlen(best->prefix) : path;
        return best ? best->path : site->root;
}

/* Beneath the root, or one of the folders beside it. */
static int served(const struct site *site, const char *path, const char *what, struct site_file *ret)
{
        const char *rest, *root = site_root_of(site, path, &rest);

        return on_disk(root, rest, what, ret);
}

/* ---- rendered for the client ---- */

static const char *who(const struct site_request *request, struct arena *arena)
{
        if (request->machine)
                return arena_printf(arena, "machine '%s'", request->machine->name);
        if (request->has_mac)
                return site_mac_text(arena, request->mac);
        return site_show_address(arena, request->address);
}

/* 0: *ret; 1: the profile has nothing to say there. */
static int render(struct site_request *request, site_render *render_text, const char *title, struct site_file *ret,
                  struct error *err)
{
        CLEANUP_STR struct str text = {0};
        int r = render_text(request, &text, err);

        if (r != 0)
                return r;
        ret->kind = SITE_FILE_TEXT;
        ret->len = text.len;
        ret->text = str_steal(&text);
        ret->what = xasprintf("%s of profile '%s' for %s", title,
                              request->profile ? request->profile->name : "local-disk", who(request, &request->arena));
        return 0;
}

static int answers(struct site_request *request, const char *name, struct site_file *ret, struct error *err)
{
        const struct site_profile *profile = request->profile;
        const struct site_answers *found = NULL;
        const char *text;
        int r;

        for (size_t i = 0; profile && i < profile->n_answers; i++)
                if (strcmp(profile->answers[i].name, name) == 0)
                        found = &profile->answers[i];
        if (!found)
                return error_set(err, ENOENT, "profile '%s' of %s has no answers '%s'",
                                 profile ? profile->name : "local-disk", who(request, &request->arena), name);
        if (found->known_only && (!request->machine || request->trust != SITE_BY_LEASE))
                return error_set(err, EACCES, "the answers '%s' are for machines of the site file, not for %s", name,
                                 who(request, &request->arena));
        if (found->file) {
                CLEANUP_FREE char *folder = path_dir(found->file);

                return on_disk(folder, path_name(found->file), "answers", ret);
        }
        r = site_eval_text(request, found->text, name, &text, err);
        if (r < 0)
                return r;
        *ret = (struct site_file){
                .kind = SITE_FILE_TEXT,
                .text = xstrdup(text),
                .len = strlen(text),
                .what = xasprintf("answers '%s' of profile '%s' for %s", name, profile->name,
                                  who(request, &request->arena)),
        };
        return 0;
}

/* Where in the path a file with this name may be asked for. */
static const struct {
        bool (*is)(const char *path);
        site_render *render;
        const char *title;
} rendered[] = {
        {site_path_is_ipxe, site_render_ipxe, "iPXE script"},
        {site_path_is_pxelinux, site_render_pxelinux, "PXELINUX configuration"},
        {site_path_is_grub, site_render_grub, "GRUB configuration"},
        {site_path_is_uboot, site_render_uboot, "U-Boot script"},
};

/* ---- a Raspberry Pi's virtual folder ---- */

static bool same_name(const char *path, const char *evaluated)
{
        return *evaluated && strcmp(path, path_name(evaluated)) == 0;
}

/* The profile's kernel and initrds lie beside the firmware, under their own names. */
static int pi_kernel(struct site_request *request, const char *path, struct site_file *ret, struct error *err)
{
        struct site_kernel k = {0};
        int r = site_kernel(request, &k, err);

        if (r < 0)
                return r;
        if (same_name(path, k.kernel))
                return served(request->site, k.kernel, "kernel", ret);
        for (const char *const *initrd = k.initrds; *initrd; initrd++)
                if (same_name(path, *initrd))
                        return served(request->site, *initrd, "initrd", ret);
        return 1;
}

static int pi_firmware(const struct site_profile *profile, const char *path, struct site_file *ret)
{
        if (profile->firmware)
                return on_disk(profile->firmware, path, "firmware", ret);
        *ret = (struct site_file){.kind = SITE_FILE_IMAGE,
                                  .root = xstrdup(profile->image),
                                  .path = xasprintf("1:/%s", path),
                                  .what = xstrdup("firmware in the image")};
        return 0;
}

static int pi_file(struct site_request *request, const char *path, struct site_file *ret, struct error *err)
{
        int r = 1;

        if (strcmp(path, "config.txt") == 0)
                r = render(request, site_render_config_txt, "config.txt", ret, err);
        else if (strcmp(path, "cmdline.txt") == 0)
                r = render(request, site_render_cmdline_txt, "cmdline.txt", ret, err);
        else if (request->profile->kernel)
                r = pi_kernel(request, path, ret, err);
        return r == 1 ? pi_firmware(request->profile, path, ret) : r;
}

/* ---- all kinds ---- */

static int host_loader(const struct site *site, const char *path, struct site_file *ret)
{
        CLEANUP_FREE char *host = site_loader_path(site, path), *folder = host ? path_dir(host) : NULL;

        return host ? on_disk(folder, path_name(host), "boot loader of the host", ret) : 1;
}

/* ---- a volume, for UEFI HTTP Boot ---- */

/* GRUB looks in /grub, or beside itself. */
static const char *const grub_configs[] = {"grub/grub.cfg", "EFI/BOOT/grub.cfg"};

/* For another file; one that is named twice is there once: NULL. */
static struct site_file *add_part(struct site_file *volume, const char *name)
{
        for (size_t i = 0; i < volume->n_parts; i++)
                if (strcmp(volume->parts[i].name, name) == 0)
                        return NULL;
        volume->parts = xreallocarray(volume->parts, volume->n_parts + 1, sizeof(*volume->parts));
        volume->parts[volume->n_parts] = (struct site_part){.name = xstrdup(name)};
        return &volume->parts[volume->n_parts++].file;
}

static int add_served(struct site_request *request, const char *name, const char *what, struct site_file *volume,
                      struct error *err)
{
        struct site_file *part;

        if (strstr(name, "://"))
                return error_set(err, EINVAL,
                                 "'%s' is a URL, and GRUB starts files of this server only (iPXE knows "
                                 "URLs: loader = \"ipxe\")",
                                 name);
        part = *name ? add_part(volume, name) : NULL;
        return part ? served(request->site, name, what, part) : 0;
}

static int add_kernel(struct site_request *request, struct site_file *volume, struct error *err)
{
        struct site_kernel k = {0};
        int r = site_kernel(request, &k, err);

        if (r == 0)
                r = add_served(request, k.kernel, "kernel", volume, err);
        if (r == 0)
                r = add_served(request, k.dtb, "device tree", volume, err);
        for (const char *const *initrd = k.initrds; r == 0 && *initrd; initrd++)
                r = add_served(request, *initrd, "initrd", volume, err);
        return r;
}

/* 0: *ret; 1: it is no volume, or there is nothing to boot in it. */
static int volume(struct site_request *request, const char *path, struct site_file *ret, struct error *err)
{
        const char *entry, *second, *loader = site_loader_in_volume(request->site, path, &entry, &second);
        int r;

        if (!loader)
                return 1;
        ret->kind = SITE_FILE_VOLUME;
        ret->what = xasprintf("disk in memory of profile '%s' for %s",
                              request->profile ? request->profile->name : "local-disk", who(request, &request->arena));
        r = host_loader(request->site, loader, add_part(ret, entry));
        if (r == 0 && second)
                r = host_loader(request->site, second,
                                add_part(ret, arena_printf(&request->arena, "EFI/BOOT/%s", second)));
        for (size_t i = 0; r == 0 && i < sizeof(grub_configs) / sizeof(grub_configs[0]); i++)
                r = render(request, site_render_grub, "GRUB configuration", add_part(ret, grub_configs[i]), err);
        if (r == 0 && !site_boots_disk(request))
                r = add_kernel(request, ret, err);
        if (r != 0)
                site_file_clear(ret);
        return r;
}

static int find(struct site_request *request, const char *path, struct site_file *ret, struct error *err)
{
        const struct site_profile *profile = request->profile;
        int r = 1;

        if (str_starts(path, "answers/"))
                return answers(request, path + strlen("answers/"), ret, err);
        request->in_folder = site_path_is_pxelinux(path) && !str_starts(path, "pxelinux.cfg/");
        request->autoexec = str_ends(path, "autoexec.ipxe");
        for (size_t i = 0; r == 1 && i < sizeof(rendered) / sizeof(rendered[0]); i++)
                if (rendered[i].is(path) && site_path_is_own(request, path))
                        r = render(request, rendered[i].render, rendered[i].title, ret, err);
        if (r == 1 && profile && (profile->firmware || profile->image) && request->pi)
                return pi_file(request, path, ret, err);
        if (r == 1 && !(profile && profile->boot))
                r = volume(request, path, ret, err);
        if (r == 1 && !(profile && profile->boot))
                r = host_loader(request->site, path, ret);
        return r == 1 ? served(request->site, path, "file", ret) : r;
}

int site_file(const struct site *site, const char *path, const struct site_peer *peer, struct site_file *ret,
              struct error *err)
{
        CLEANUP(site_request_clear) struct site_request request = {0};
        CLEANUP_FREE char *clean = NULL;
        const char *rest;
        int r = site_path_clean(path, &clean, err);

        if (r < 0)
                return r;
        *ret = (struct site_file){0};
        pthread_mutex_lock(&site->private->lock);
        rest = site_request_of_peer(&request, site, peer, clean);
        site_request_scope(&request, &site->private->scope, request.profile);
        r = find(&request, rest, ret, err);
        site_request_clear(&request);
        pthread_mutex_unlock(&site->private->lock);
        if (r < 0)
                site_file_clear(ret);
        return r;
}

char **site_folders(const struct site *site)
{
        const struct site_private *private = site->private;
        char **folders = NULL;

        strv_add(&folders, site->root);
        strv_add(&folders, private->env.base_dir);
        for (size_t i = 0; i < private->n_folders; i++)
                strv_add(&folders, private->folders[i].path);
        for (size_t i = 0; i < site->n_profiles; i++) {
                const struct site_profile *profile = site->profiles[i];

                if (profile->firmware)
                        strv_add(&folders, profile->firmware);
                if (profile->image)
                        strv_add(&folders, profile->image);
                for (size_t j = 0; j < profile->n_answers; j++)
                        if (profile->answers[j].file)
                                strv_add(&folders, profile->answers[j].file);
        }
        site_loader_folders(site, &folders);
        return folders;
}
