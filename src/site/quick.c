/* The site of `slipway serve --quick FOLDER`: what lies in the folder decides
 * what is booted. It is written as a site file and read as any other. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "site/site_internal.h"

/* Boot files by the names that they usually have, the best first; the last ones are those of Debian's and Ubuntu's
 * archives for network boot. */
static const struct {
        const char *platform;
        const char *const names[12]; /* ended by NULL */
} boot_files[] = {
        {"bios",
         {"pxelinux.0", "lpxelinux.0", "undionly.kpxe", "ipxe.pxe", "grub/i386-pc/core.0",
          "debian-installer/amd64/pxelinux.0", "amd64/pxelinux.0"}},
        {"uefi-x64",
         {"bootx64.efi", "BOOTX64.EFI", "shimx64.efi", "grubnetx64.efi", "grubx64.efi", "snponly.efi", "ipxe.efi",
          "bootnetx64.efi", "debian-installer/amd64/bootnetx64.efi", "amd64/bootx64.efi"}},
        {"uefi-ia32", {"bootia32.efi", "BOOTIA32.EFI", "grubnetia32.efi", "grubia32.efi"}},
        {"uefi-arm64",
         {"bootaa64.efi", "BOOTAA64.EFI", "shimaa64.efi", "grubnetaa64.efi", "grubaa64.efi", "bootnetaa64.efi",
          "debian-installer/arm64/bootnetaa64.efi", "arm64/bootaa64.efi"}},
        {"u-boot-arm64", {"boot.scr.uimg", "boot.scr"}},
        {"ipxe", {"boot.ipxe", "autoexec.ipxe"}},
};
static const char *const kernels[] = {"linux", "vmlinuz", "kernel", "Image", "bzImage", NULL};
static const char *const initrds[] = {"initrd.gz", "initrd.img", "initrd", "initramfs", NULL};
static const char *const firmware[] = {"start4.elf", "start.elf", "bootcode.bin", "config.txt", NULL};

static const char *first_in(const char *folder, const char *const *names)
{
        struct stat st;

        for (; *names; names++) {
                CLEANUP_FREE char *path = path_join(folder, *names);

                if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
                        return *names;
        }
        return NULL;
}

static void add_text(struct str *text, const char *key, const char *value)
{
        CLEANUP(arena_free) struct arena arena = {0};

        if (value)
                str_addf(text, "  %s = %s\n", key, hcl_quote(&arena, value, strlen(value)));
}

static bool add_boot_files(struct str *text, const char *folder)
{
        bool any = false;

        for (size_t i = 0; i < sizeof(boot_files) / sizeof(boot_files[0]); i++) {
                const char *name = first_in(folder, boot_files[i].names);

                if (!name)
                        continue;
                str_addf(text, "%s    %s = \"%s\"\n", any ? "" : "  boot = {\n", boot_files[i].platform, name);
                any = true;
        }
        if (any)
                str_add(text, "  }\n");
        return any;
}

static bool add_profile(struct str *text, const char *folder)
{
        const char *kernel = first_in(folder, kernels), *initrd = first_in(folder, initrds);
        bool pi = first_in(folder, firmware) != NULL, any;

        str_add(text, "profile \"quick\" {\n");
        any = add_boot_files(text, folder) || kernel || pi;
        add_text(text, "kernel", pi ? NULL : kernel);
        add_text(text, "initrd", pi || !kernel ? NULL : initrd);
        add_text(text, "firmware", pi ? folder : NULL);
        if (kernel && !pi && first_in(folder, (const char *const[]){"cmdline", NULL}))
                str_add(text, "  cmdline = trimspace(file(\"cmdline\"))\n");
        str_add(text, "}\n");
        return any;
}

int site_quick(const char *folder, const char *interface, enum site_mode mode, struct site **ret, struct diags *diags)
{
        static const char *const modes[] = {[SITE_DHCP] = "dhcp", [SITE_PROXY] = "proxy", [SITE_OFF] = "off"};
        CLEANUP_FREE char *root = realpath(folder, NULL);
        CLEANUP_STR struct str text = {0};

        if (!root) {
                diag_error(diags, NO_RANGE, "the folder '%s': %s", folder, strerror(errno));
                return -EINVAL;
        }
        add_text(&text, "root", root);
        str_add(&text, "default_profile = profile.quick\nnetwork \"quick\" {\n");
        add_text(&text, "interface", interface);
        str_addf(&text, "  mode = \"%s\"\n", modes[mode]);
        if (mode == SITE_DHCP)
                str_add(&text, "  range = \"auto\"\n");
        str_add(&text, "}\n");
        if (add_profile(&text, root))
                return site_load_text("<quick>", str_get(&text), root, ret, diags);
        diag_error(diags, NO_RANGE,
                   "nothing that boots lies in '%s': no boot loader (pxelinux.0, bootx64.efi, boot.ipxe), no kernel "
                   "(linux, vmlinuz), no firmware of a Raspberry Pi",
                   root);
        return -EINVAL;
}
