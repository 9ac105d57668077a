/* What can be said of a profile before anybody asks: are its files there, its
 * platforms and its disk such as firmware and iPXE know? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "site/path.h"
#include "site/render.h"
#include "site/request.h"

void site_check_path(struct load *load, const char *path, struct range at, const char *what)
{
        struct stat st;

        if (path && stat(path, &st) < 0) /* that it is missing has been said */
                diag_warning(load->diags, at, "%s '%s' is not there: %s", what, path, strerror(errno));
}

/* Files are opened beneath their folder: a link out of it is not followed. */
static void check_link(struct load *load, const char *folder, const char *path, struct range at, const char *what)
{
        CLEANUP_FREE char *real_folder = realpath(folder, NULL), *real = realpath(path, NULL);
        size_t n = real_folder ? strlen(real_folder) : 0;

        if (!real_folder || !real || (strncmp(real, real_folder, n) == 0 && (n == 1 || real[n] == '/')))
                return;
        diag_warning(load->diags, at, "%s '%s' is a link that leads out of '%s', and is not served", what, path,
                     folder);
        diag_detail(load->diags, "It leads to '%s'; name that folder in `folders`.", real);
}

static void check_served(struct load *load, const char *path, struct range at, const char *what)
{
        CLEANUP_FREE char *clean = NULL, *full = NULL;
        CLEANUP_ERROR struct error err = {0};
        const char *rest, *folder;

        if (strstr(path, "://"))
                return;
        if (site_path_clean(path, &clean, &err) < 0) {
                diag_error(load->diags, at, "%s '%s': %s", what, path, error_message(&err));
                return;
        }
        folder = site_root_of(load->site, clean, &rest);
        full = path_join(folder, rest);
        site_check_path(load, full, at, what);
        check_link(load, folder, full, at, what);
}

void site_check_files(struct load *load, const struct site_profile *profile, struct site_request *request)
{
        const struct {
                const struct hcl_expr *expr;
                const char *what;
        } files[] = {
                {profile->kernel, "the kernel"}, {profile->initrd, "the initrd"}, {profile->dtb, "the device tree"}};

        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                const char *const *lines;
                struct diags ignored = {0};
                const struct hcl_value *value =
                        files[i].expr ? hcl_eval(&request->arena, files[i].expr, &request->scope, &ignored) : NULL;

                diags_clear(&ignored);
                if (!value || !hcl_value_known(value) ||
                    site_eval_lines(request, files[i].expr, files[i].what, &lines, NULL) < 0)
                        continue;
                for (; *lines; lines++)
                        check_served(load, *lines, files[i].expr->range, files[i].what);
        }
        for (size_t i = 0; i < profile->n_answers; i++)
                if (profile->answers[i].file)
                        site_check_path(load, profile->answers[i].file, profile->answers[i].range,
                                        "the file of answers");
        if (profile->firmware)
                site_check_path(load, profile->firmware, profile->range, "the firmware folder");
        if (profile->image)
                site_check_path(load, profile->image, profile->range, "the image");
        if (profile->root.kind == SITE_ROOT_SQUASHFS)
                check_served(load, profile->root.path, profile->range, "the root");
        else if (profile->root.kind != SITE_ROOT_NONE && profile->root.server == 0)
                site_check_path(load, profile->root.path, profile->range, "the root");
}

static bool is_boot_name(const char *name)
{
        CLEANUP_FREE char *platform = NULL;

        if (strcmp(name, "ipxe") == 0)
                return true;
        platform = str_ends(name, "-http") ? xstrndup(name, strlen(name) - strlen("-http")) : xstrdup(name);
        return client_platform_find(platform) != PLATFORM_UNKNOWN;
}

void site_check_boot(struct load *load, struct site_profile *profile, struct site_request *request)
{
        struct diags ignored = {0};
        const struct hcl_value *boot =
                profile->boot ? hcl_eval(&request->arena, profile->boot, &request->scope, &ignored) : NULL;
        const char *names[PLATFORMS + 2] = {"ipxe"};

        diags_clear(&ignored);
        if (!boot || boot->state != HCL_KNOWN)
                return;
        if (boot->type->kind != HCL_OBJECT && boot->type->kind != HCL_MAP) {
                diag_error(load->diags, profile->boot->range, "'boot' is an object, { bios = \"FILE\" }, not %s",
                           hcl_type_friendly(load->arena, boot->type));
                return;
        }
        for (int i = 1; i < PLATFORMS; i++)
                names[i] = client_platform_name((enum client_platform)i);
        for (size_t i = 0; i < boot->list.n; i++) {
                const char *name = boot->list.keys[i].s;
                CLEANUP_FREE char *all = strv_join(names, ", ");

                profile->for_u_boot |= str_starts(name, "u-boot-");
                if (is_boot_name(name))
                        continue;
                diag_error(load->diags, profile->boot->range, "there is no platform '%s'%s", name,
                           load_hint(load, str_nearest(name, names)));
                diag_detail(load->diags, "There are: %s; and each of UEFI with \"-http\", for HTTP Boot.", all);
        }
}

void site_check_san(struct load *load, const struct site_profile *profile, struct site_request *request)
{
        const char *san, *mistake;
        struct diags ignored = {0};
        const struct hcl_value *value =
                profile->san ? hcl_eval(&request->arena, profile->san, &request->scope, &ignored) : NULL;

        diags_clear(&ignored);
        if (!value || !hcl_value_known(value) || site_eval_line(request, profile->san, "san", &san, NULL) < 0 || !*san)
                return;
        mistake = site_san_mistake(&request->arena, san);
        if (mistake)
                diag_warning(load->diags, profile->san->range, "%s", mistake);
}
