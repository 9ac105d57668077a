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

/* The signed shim starts nothing but what is signed, under the name `second`. */
#define SHIM(suffix, row_package)                                                                                      \
        .name = "shim" suffix ".efi", .family = SITE_LOADER_SHIM, .ways = PXE, .second = "grub" suffix ".efi",         \
        .package = (row_package),                                                                                      \
        .hosts = {"/usr/lib/shim/shim" suffix ".efi.signed", "/boot/efi/EFI/fedora/shim" suffix ".efi"}

/* GRUB that was started by UEFI HTTP Boot finds no network. So firmware is given a disk instead of a file, which it
 * keeps in memory and starts as it starts a stick: a volume with the loader, its configuration, the kernel and the
 * initrds. The name of the entry is UEFI's own (2.10, section 3.5.1.1). */
#define VOLUME(row_family, base, suffix, row_platform, row_package, ...)                                               \
        {                                                                                                              \
                .name = base suffix ".img", .platform = PLATFORM_##row_platform, .family = SITE_LOADER_##row_family,   \
                .ways = HTTP, .package = (row_package), .starts = base suffix ".efi",                                  \
                .entry = "EFI/BOOT/BOOT" suffix ".EFI", __VA_ARGS__                                                    \
        }
#define GRUB_VOLUME(suffix, row_platform, row_package) VOLUME(GRUB, "grubnet", suffix, row_platform, row_package)
#define SHIM_VOLUME(suffix, row_platform, row_package)                                                                 \
        VOLUME(SHIM, "shim", suffix, row_platform, row_package, .second = "grub" suffix ".efi")

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
        GRUB_VOLUME("x64", UEFI_X64, "grub-efi-amd64-bin"),
        GRUB_VOLUME("aa64", UEFI_ARM64, "grub-efi-arm64-bin"),
        GRUB_VOLUME("ia32", UEFI_IA32, "grub-efi-ia32-bin"),
        GRUB_VOLUME("arm", UEFI_ARM32, "grub-efi-arm-bin"),
        GRUB_VOLUME("riscv64", UEFI_RISCV64, "grub-efi-riscv64-bin"),
        {.platform = PLATFORM_UEFI_X64, SHIM("x64", "shim-signed with grub-efi-amd64-signed")},
        {.platform = PLATFORM_UEFI_ARM64, SHIM("aa64", "shim-signed with grub-efi-arm64-signed")},
        SHIM_VOLUME("x64", UEFI_X64, "shim-signed with grub-efi-amd64-signed"),
        SHIM_VOLUME("aa64", UEFI_ARM64, "shim-signed with grub-efi-arm64-signed"),
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

static const struct site_loader_row *row_of(const char *name)
{
        for (size_t i = 0; i < N_LOADERS; i++)
                if (strcmp(loaders[i].name, name) == 0)
                        return &loaders[i];
        return NULL;
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
                const struct site_loader_row *row = &loaders[i];
                CLEANUP_FREE char *second = row->second ? find_companion(row->second, folder) : NULL;

                if (second || !row->second)
                private->loaders[i] = find_host(&private->arena, row->starts ? row_of(row->starts) : row, folder);
        }
}

static const char *of_family(const struct site *site, enum site_loader family, enum client_platform platform, bool http,
                             const struct site_loader_row **missing)
{
        for (size_t i = 0; i < N_LOADERS; i++) {
                if (loaders[i].family != family || loaders[i].platform != platform ||
                    !(loaders[i].ways & (http ? HTTP : PXE)))
                        continue;
                if (site->private->loaders[i])
                        return loaders[i].name;
                if (!*missing && loaders[i].package)
                        *missing = &loaders[i];
        }
        return NULL;
}

const char *site_loader_for(const struct site *site, enum site_loader family, enum client_platform platform, bool http,
                            const struct site_loader_row **ret_missing)
{
        const struct site_loader_row *missing = NULL;
        const char *name = NULL;

        if (family != SITE_LOADER_AUTO)
                name = of_family(site, family, platform, http, &missing);
        for (size_t i = 0; family == SITE_LOADER_AUTO && !name && i < sizeof(families) / sizeof(families[0]); i++)
                name = of_family(site, families[i], platform, http, &missing);
        if (ret_missing)
                *ret_missing = missing;
        return name;
}

char *site_loader_path(const struct site *site, const char *path)
{
        const struct site_loader_row *row = row_of(path);
        const char *host = row && !row->starts ? site->private->loaders[row - loaders] : NULL;

        return host ? xstrdup(host) : find_companion(path, site->private->loader_folder);
}

bool site_loader_is_volume(const char *name)
{
        const struct site_loader_row *row = row_of(name);

        return row && row->starts;
}

const char *site_loader_in_volume(const struct site *site, const char *name, const char **ret_entry,
                                  const char **ret_second)
{
        const struct site_loader_row *row = row_of(name);

        if (!row || !row->starts || !site->private->loaders[row - loaders])
                return NULL;
        *ret_entry = row->entry;
        *ret_second = row->second;
        return row->starts;
}

enum site_loader site_loader_family(const char *name)
{
        const struct site_loader_row *row = row_of(name);

        return row ? row->family : SITE_LOADER_AUTO;
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
