/* Boot loaders of the host: see loader.h. The paths are Debian's first, then Fedora's and Arch's. */
#include "site/loader.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

enum { PXE = 1, HTTP = 2 };

#define ROW(row_name, row_family, row_platform, row_ways, row_package, ...)                                            \
        {                                                                                                              \
                .name = (row_name), .family = SITE_LOADER_##row_family, .platform = PLATFORM_##row_platform,           \
                .ways = (row_ways), .package = (row_package), .hosts = {                                               \
                        __VA_ARGS__                                                                                    \
                }                                                                                                      \
        }
/* In Debian's package ipxe since release 13; before that it would be installed in vain. */
#define IPXE(suffix, row_platform)                                                                                     \
        ROW("ipxe-" suffix ".efi", IPXE, row_platform, PXE | HTTP, NULL, "/usr/lib/ipxe/ipxe-" suffix ".efi", NULL)
/* Debian's GRUB with all that a boot from the network needs: signed, or else as it is built. */
#define GRUB(suffix, row_platform, folder, row_package)                                                                \
        ROW("grubnet" suffix ".efi", GRUB, row_platform, PXE, row_package,                                             \
            "/usr/lib/grub/" folder "-signed/grubnet" suffix ".efi.signed",                                            \
            "/usr/lib/grub/" folder "/monolithic/grubnet" suffix ".efi")

/* Debian's GRUB finds no network when it was started by HTTP Boot. One that is
 * made for it, as slipway-site(5) says how, is looked for in the site's own folder. */
#define GRUB_HTTP(suffix, row_platform) ROW("grubhttp" suffix ".efi", GRUB, row_platform, HTTP, NULL, NULL)

/* The signed shim starts nothing but what is signed, under the name `second`. */
#define SHIM(suffix, row_package)                                                                                      \
        .name = "shim" suffix ".efi", .family = SITE_LOADER_SHIM, .ways = PXE, .second = "grub" suffix ".efi",         \
        .package = (row_package),                                                                                      \
        .hosts = {"/usr/lib/shim/shim" suffix ".efi.signed", "/boot/efi/EFI/fedora/shim" suffix ".efi"}

/* Of one family and platform the first row counts that the host has. */
static const struct site_loader_row loaders[] = {
        ROW("undionly.kpxe", IPXE, BIOS, PXE, "ipxe", "/usr/lib/ipxe/undionly.kpxe", "/usr/share/ipxe/undionly.kpxe"),
        ROW("snponly.efi", IPXE, UEFI_X64, PXE, "ipxe", "/usr/lib/ipxe/snponly.efi",
            "/usr/share/ipxe/ipxe-snponly-x86_64.efi", "/usr/share/ipxe/x86_64/snponly.efi"),
        ROW("ipxe.efi", IPXE, UEFI_X64, PXE | HTTP, "ipxe", "/usr/lib/ipxe/ipxe.efi", "/usr/share/ipxe/ipxe-x86_64.efi",
            "/usr/share/ipxe/x86_64/ipxe.efi"),
        ROW("snponly-arm64.efi", IPXE, UEFI_ARM64, PXE | HTTP, NULL, "/usr/lib/ipxe/snponly-arm64.efi",
            "/usr/lib/ipxe/arm64/snponly.efi", "/usr/share/ipxe/arm64-efi/snponly.efi"),
        IPXE("arm64", UEFI_ARM64),
        IPXE("riscv64", UEFI_RISCV64),
        IPXE("loong64", UEFI_LOONGARCH64),
        GRUB("x64", UEFI_X64, "x86_64-efi", "grub-efi-amd64-bin"),
        GRUB("aa64", UEFI_ARM64, "arm64-efi", "grub-efi-arm64-bin"),
        GRUB("ia32", UEFI_IA32, "i386-efi", "grub-efi-ia32-bin"),
        GRUB("arm", UEFI_ARM32, "arm-efi", "grub-efi-arm-bin"),
        GRUB("riscv64", UEFI_RISCV64, "riscv64-efi", "grub-efi-riscv64-bin"),
        GRUB_HTTP("x64", UEFI_X64),
        GRUB_HTTP("aa64", UEFI_ARM64),
        {.platform = PLATFORM_UEFI_X64, SHIM("x64", "shim-signed with grub-efi-amd64-signed")},
        {.platform = PLATFORM_UEFI_ARM64, SHIM("aa64", "shim-signed with grub-efi-arm64-signed")},
        ROW("pxelinux.0", PXELINUX, BIOS, PXE, "pxelinux", "/usr/lib/PXELINUX/pxelinux.0",
            "/usr/share/syslinux/pxelinux.0"),
};

enum { N_LOADERS = sizeof(loaders) / sizeof(loaders[0]) };

/* What loaders load by themselves: a file of that name, or (name ending in '/') all beneath a folder. */
static const struct {
        const char *name;
        const char *const hosts[3];
} companions[] = {
        {"grubx64.efi", {"/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "/boot/efi/EFI/fedora/grubx64.efi"}},
        {"grubaa64.efi",
         {"/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed", "/boot/efi/EFI/fedora/grubaa64.efi"}},
        {"ldlinux.c32", {"/usr/lib/syslinux/modules/bios/ldlinux.c32", "/usr/share/syslinux/ldlinux.c32"}},
        {"libcom32.c32", {"/usr/lib/syslinux/modules/bios/libcom32.c32", "/usr/share/syslinux/libcom32.c32"}},
        {"libutil.c32", {"/usr/lib/syslinux/modules/bios/libutil.c32", "/usr/share/syslinux/libutil.c32"}},
        {"chain.c32", {"/usr/lib/syslinux/modules/bios/chain.c32", "/usr/share/syslinux/chain.c32"}},
        {"grub/x86_64-efi/", {"/usr/lib/grub/x86_64-efi/"}},
        {"grub/arm64-efi/", {"/usr/lib/grub/arm64-efi/"}},
        {"grub/i386-efi/", {"/usr/lib/grub/i386-efi/"}},
        {"grub/arm-efi/", {"/usr/lib/grub/arm-efi/"}},
        {"grub/riscv64-efi/", {"/usr/lib/grub/riscv64-efi/"}},
};

enum { N_COMPANIONS = sizeof(companions) / sizeof(companions[0]) };

static const char *const titles[] = {
        [SITE_LOADER_AUTO] = "a boot loader", [SITE_LOADER_IPXE] = "iPXE",         [SITE_LOADER_GRUB] = "GRUB",
        [SITE_LOADER_SHIM] = "shim",          [SITE_LOADER_PXELINUX] = "PXELINUX",
};

/* In the order in which they are tried where the profile leaves it open. shim starts with Secure Boot and without. */
static const enum site_loader families[] = {SITE_LOADER_IPXE, SITE_LOADER_PXELINUX, SITE_LOADER_SHIM, SITE_LOADER_GRUB};

/* Where the file really is: packages link to it (Debian's ipxe.efi lies in /boot), and nothing is served
 * through a link that leads out of its folder. */
static const char *resolve(struct arena *arena, const char *path)
{
        CLEANUP_FREE char *real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;

        return real ? arena_strdup(arena, real) : NULL;
}

static const char *find_host(struct arena *arena, const struct site_loader_row *row, const char *folder)
{
        CLEANUP_FREE char *own = folder ? path_join(folder, row->name) : NULL;
        const char *found = own ? resolve(arena, own) : NULL;

        for (size_t i = 0; !found && i < 4 && row->hosts[i]; i++)
                found = resolve(arena, row->hosts[i]);
        return found;
}

static bool is_companion(size_t i, const char *path)
{
        return str_ends(companions[i].name, "/") ? str_starts(path, companions[i].name)
                                                 : strcmp(path, companions[i].name) == 0;
}

/* As site_loader_path(). */
static char *find_companion(const char *path, const char *folder)
{
        for (size_t i = 0; i < N_COMPANIONS; i++) {
                CLEANUP_FREE char *own = folder ? path_join(folder, path) : NULL;

                if (!is_companion(i, path))
                        continue;
                if (own && access(own, R_OK) == 0)
                        return realpath(own, NULL);
                for (size_t j = 0; j < 3 && companions[i].hosts[j]; j++) {
                        const char *host = companions[i].hosts[j];
                        CLEANUP_FREE char *full = str_ends(host, "/")
                                                          ? path_join(host, path + strlen(companions[i].name))
                                                          : xstrdup(host);

                        if (access(full, R_OK) == 0)
                                return realpath(full, NULL);
                }
        }
        return NULL;
}

void site_loaders_find(struct site *site, const char *folder)
{
        struct site_private *private = site->private;

        private->loader_folder = folder;
        private->loaders = arena_array(&private->arena, N_LOADERS, sizeof(*private->loaders));
        for (size_t i = 0; i < N_LOADERS; i++) {
                CLEANUP_FREE char *second = loaders[i].second ? find_companion(loaders[i].second, folder) : NULL;

                if (second || !loaders[i].second)
                private->loaders[i] = find_host(&private->arena, &loaders[i], folder);
        }
}

static const char *of_family(const struct site *site, enum site_loader family, enum client_platform platform, bool http,
                             const char **package)
{
        for (size_t i = 0; i < N_LOADERS; i++) {
                if (loaders[i].family != family || loaders[i].platform != platform ||
                    !(loaders[i].ways & (http ? HTTP : PXE)))
                        continue;
                if (site->private->loaders[i])
                        return loaders[i].name;
                if (!*package)
                        *package = loaders[i].package;
        }
        return NULL;
}

const char *site_loader_for(const struct site *site, enum site_loader family, enum client_platform platform, bool http,
                            const char **ret_package)
{
        const char *package = NULL, *name = NULL;

        if (family != SITE_LOADER_AUTO)
                name = of_family(site, family, platform, http, &package);
        for (size_t i = 0; family == SITE_LOADER_AUTO && !name && i < sizeof(families) / sizeof(families[0]); i++)
                name = of_family(site, families[i], platform, http, &package);
        if (ret_package)
                *ret_package = package;
        return name;
}

char *site_loader_path(const struct site *site, const char *path)
{
        for (size_t i = 0; i < N_LOADERS; i++)
                if (site->private->loaders[i] && strcmp(loaders[i].name, path) == 0)
                        return xstrdup(site->private->loaders[i]);
        return find_companion(path, site->private->loader_folder);
}

enum site_loader site_loader_family(const char *name)
{
        for (size_t i = 0; i < N_LOADERS; i++)
                if (strcmp(loaders[i].name, name) == 0)
                        return loaders[i].family;
        return SITE_LOADER_AUTO;
}

const char *site_loader_title(enum site_loader family)
{
        return titles[family];
}

bool site_loader_is_grub(enum site_loader family)
{
        return family == SITE_LOADER_GRUB || family == SITE_LOADER_SHIM;
}

static void add_folder(char ***folders, const char *path)
{
        CLEANUP_FREE char *folder = path_dir(path);

        if (!strv_has(STRV(*folders), folder))
                strv_add(folders, folder);
}

static void add_host_folder(char ***folders, const char *path)
{
        CLEANUP_FREE char *real = realpath(path, NULL);

        if (real && str_ends(path, "/"))
                strv_add(folders, real);
        else if (real)
                add_folder(folders, real);
}

void site_loader_folders(const struct site *site, char ***folders)
{
        const char *own = site->private->loader_folder;

        for (size_t i = 0; i < N_LOADERS; i++)
                if (site->private->loaders[i])
                        add_folder(folders, site->private->loaders[i]);
        for (size_t i = 0; i < N_COMPANIONS; i++) {
                CLEANUP_FREE char *path = own ? path_join(own, companions[i].name) : NULL;

                if (path)
                        add_host_folder(folders, path);
                for (size_t j = 0; j < 3 && companions[i].hosts[j]; j++)
                        add_host_folder(folders, companions[i].hosts[j]);
        }
}
