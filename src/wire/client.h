/* Who asks: what a DHCP message says about the machine and the program that
 * sent it. Read once from each message (client_read), so that everything
 * behind it, the site's policy, the engine, `slipway explain`, means the same
 * by "a BIOS machine" or "a Raspberry Pi 4".
 *
 * Sources: RFC 4578 and IANA's "Processor Architecture Types" (options 93, 94,
 * 97), RFC 3004 (77), UEFI 2.10 section 24.7 (HTTP Boot), iPXE (77, 175),
 * the boot ROM and EEPROM of Raspberry Pi (43, 97, OUI). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_ARCHS = 8, CLIENT_TEXT = 256 };

/* What speaks. */
enum client_kind {
        CLIENT_OTHER, /* an operating system or anything else that wants an address only */
        CLIENT_PXE,   /* firmware: class PXEClient, boots by TFTP */
        CLIENT_HTTP,  /* UEFI HTTP Boot: class HTTPClient, boots from a URI */
        CLIENT_IPXE,  /* iPXE: user class, or option 175; boots from either */
        CLIENT_UBOOT, /* U-Boot: class U-Boot.*, or one of its architectures */
        CLIENT_PI,    /* the boot ROM or EEPROM of a Raspberry Pi, whatever class it claims */
        CLIENT_GRUB,  /* GRUB's own DHCP client */
        CLIENT_KINDS,
};

/* What it runs on. A table in client.c gives each its name ("bios", "uefi-x64"). */
enum client_platform {
        PLATFORM_UNKNOWN,
        PLATFORM_BIOS,
        PLATFORM_UEFI_IA32,
        PLATFORM_UEFI_X64,
        PLATFORM_UEFI_ARM32,
        PLATFORM_UEFI_ARM64,
        PLATFORM_UEFI_RISCV32,
        PLATFORM_UEFI_RISCV64,
        PLATFORM_UEFI_LOONGARCH64,
        PLATFORM_UBOOT_ARM32,
        PLATFORM_UBOOT_ARM64,
        PLATFORM_UBOOT_RISCV64,
        PLATFORM_PI3, /* 2B v1.2, 3B, 3B+ */
        PLATFORM_PI4, /* 4B, 400, CM4 */
        PLATFORM_PI5, /* 5, 500, CM5 */
        PLATFORMS,
};

struct client {
        enum client_kind kind;
        enum client_platform platform;
        uint8_t mac[6]; /* chaddr of Ethernet; zero for other hardware */
        bool has_mac;
        uint8_t id[255]; /* option 61, or htype and chaddr where there is none: what leases are kept by */
        uint8_t id_len;
        uint16_t archs[CLIENT_ARCHS]; /* option 93, host order, in the client's order */
        size_t n_archs;
        bool has_uuid; /* option 97, type 0, not all zero */
        uint8_t uuid[16];
        uint32_t pi_serial;   /* low 32 bits, of a Raspberry Pi 4 or 5; else 0 */
        uint32_t pi_revision; /* board revision code; else 0 */
        bool http;            /* a URI can be loaded: HTTP Boot, or iPXE with HTTP */
        bool proxy_only;      /* iPXE's "got an offer already" and the like: for the timeline */
        /* Options 60, 77 and 12 as text: control characters and what is not UTF-8 escaped; "" if absent. */
        char vendor_class[CLIENT_TEXT], user_class[CLIENT_TEXT], host_name[CLIENT_TEXT];
};

/* "pxe", "http", "ipxe"... */
const char *client_kind_name(enum client_kind kind);
/* "bios", "uefi-x64", "pi4", "unknown"; by name: PLATFORM_UNKNOWN if there is none. */
const char *client_platform_name(enum client_platform platform);
enum client_platform client_platform_find(const char *name);
/* The platform of an architecture type of option 93, and whether that type means HTTP Boot. */
enum client_platform client_platform_of_arch(uint16_t arch, bool *ret_http);

/* Read a message. Never fails: what is missing or damaged is left empty. */
struct dhcp_message;
void client_read(const struct dhcp_message *message, struct client *ret);
