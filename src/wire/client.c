/* Names of what clients are: see client.h. */
#include <string.h>

#include "wire/client.h"

static const char *const kind_names[CLIENT_KINDS] = {
        [CLIENT_OTHER] = "other",  [CLIENT_PXE] = "pxe", [CLIENT_HTTP] = "http", [CLIENT_IPXE] = "ipxe",
        [CLIENT_UBOOT] = "u-boot", [CLIENT_PI] = "pi",   [CLIENT_GRUB] = "grub",
};

static const char *const platform_names[PLATFORMS] = {
        [PLATFORM_UNKNOWN] = "unknown",
        [PLATFORM_BIOS] = "bios",
        [PLATFORM_UEFI_IA32] = "uefi-ia32",
        [PLATFORM_UEFI_X64] = "uefi-x64",
        [PLATFORM_UEFI_ARM32] = "uefi-arm32",
        [PLATFORM_UEFI_ARM64] = "uefi-arm64",
        [PLATFORM_UEFI_RISCV32] = "uefi-riscv32",
        [PLATFORM_UEFI_RISCV64] = "uefi-riscv64",
        [PLATFORM_UEFI_LOONGARCH64] = "uefi-loongarch64",
        [PLATFORM_UBOOT_ARM32] = "u-boot-arm32",
        [PLATFORM_UBOOT_ARM64] = "u-boot-arm64",
        [PLATFORM_UBOOT_RISCV64] = "u-boot-riscv64",
        [PLATFORM_PI3] = "pi3",
        [PLATFORM_PI4] = "pi4",
        [PLATFORM_PI5] = "pi5",
};

/* IANA, "Processor Architecture Types". */
static const struct {
        uint16_t arch;
        bool http;
        enum client_platform platform;
} arch_types[] = {
        {0x00, false, PLATFORM_BIOS},
        {0x06, false, PLATFORM_UEFI_IA32},
        {0x07, false, PLATFORM_UEFI_X64},
        {0x09, false, PLATFORM_UEFI_X64}, /* EBC, which firmware of x64 machines says too */
        {0x0a, false, PLATFORM_UEFI_ARM32},
        {0x0b, false, PLATFORM_UEFI_ARM64},
        {0x0f, true, PLATFORM_UEFI_IA32},
        {0x10, true, PLATFORM_UEFI_X64},
        {0x11, true, PLATFORM_UEFI_X64}, /* EBC again */
        {0x12, true, PLATFORM_UEFI_ARM32},
        {0x13, true, PLATFORM_UEFI_ARM64},
        {0x14, true, PLATFORM_BIOS},
        {0x15, false, PLATFORM_UBOOT_ARM32},
        {0x16, false, PLATFORM_UBOOT_ARM64},
        {0x17, true, PLATFORM_UBOOT_ARM32},
        {0x18, true, PLATFORM_UBOOT_ARM64},
        {0x19, false, PLATFORM_UEFI_RISCV32},
        {0x1a, true, PLATFORM_UEFI_RISCV32},
        {0x1b, false, PLATFORM_UEFI_RISCV64},
        {0x1c, true, PLATFORM_UEFI_RISCV64},
        {0x27, false, PLATFORM_UEFI_LOONGARCH64},
        {0x28, true, PLATFORM_UEFI_LOONGARCH64},
};

const char *client_kind_name(enum client_kind kind)
{
        return kind_names[kind];
}

const char *client_platform_name(enum client_platform platform)
{
        return platform_names[platform];
}

enum client_platform client_platform_find(const char *name)
{
        for (int i = 0; i < PLATFORMS; i++)
                if (strcmp(platform_names[i], name) == 0)
                        return (enum client_platform)i;
        return PLATFORM_UNKNOWN;
}

enum client_platform client_platform_of_arch(uint16_t arch, bool *ret_http)
{
        for (size_t i = 0; i < sizeof(arch_types) / sizeof(arch_types[0]); i++)
                if (arch_types[i].arch == arch) {
                        *ret_http = arch_types[i].http;
                        return arch_types[i].platform;
                }
        *ret_http = false;
        return PLATFORM_UNKNOWN;
}
