/* The table of clients, and their messages made from it. Order and values of
 * options are those of QEMU 7.2's firmware (iPXE 1.20, EDK2 2022.11, U-Boot
 * 2023.01) where there is such; a BIOS ROM's are Intel's, and the Raspberry
 * Pi's those of its boot ROM and EEPROM. */
#include "simulate/kind.h"

#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "wire/pxe.h"

static const uint8_t rom_parameters[] = {1,  2,  3,  4,  5,   6,   11,  12,  13,  15,  16,  17,
                                         18, 22, 23, 28, 40,  41,  42,  43,  50,  51,  54,  58,
                                         59, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135};
static const uint8_t uefi_parameters[] = {1,  2,  3,  4,  5,  6,  12, 13, 15, 17,  18,  22,  23,  28,  40,  41,  42, 43,
                                          50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135};
/* 235 is a mistake of the firmware. */
static const uint8_t http_parameters[] = {1,  2,  3,  4,  5,  6,  12, 13, 15, 17, 18,  22, 23, 28,
                                          40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 235, 67, 97};
static const uint8_t ipxe_parameters[] = {1,   3,   6,   7,   12,  15,  17,  26,  43,  60,  66, 67,
                                          119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203};
static const uint8_t uboot_parameters[] = {1, 3, 6, 12, 17};
static const uint8_t pi_parameters[] = {1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135};

/* The network card, iPXE's version, and what it was built with. */
static const uint8_t ipxe_features[] = {0xb1, 0x05, 0x01, 0x80, 0x86, 0x10, 0x0e, 0xeb, 0x03, 0x01, 0x00, 0x00,
                                        0x17, 0x01, 0x01, 0x22, 0x01, 0x01, 0x13, 0x01, 0x01, 0x11, 0x01, 0x01,
                                        0x27, 0x01, 0x01, 0x19, 0x01, 0x01, 0x29, 0x01, 0x01, 0x10, 0x01, 0x02,
                                        0x21, 0x01, 0x01, 0x15, 0x01, 0x01, 0x18, 0x01, 0x01, 0x12, 0x01, 0x01};

static const struct sim_file uboot_files[] = {
        {"pxelinux.cfg/%M", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%8", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%7", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%6", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%5", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%4", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%3", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%2", SIM_FIRST_FOUND},
        {"pxelinux.cfg/%1", SIM_FIRST_FOUND},
        {"pxelinux.cfg/default-arm-qemu-arm-qemu-arm", SIM_FIRST_FOUND},
        {"pxelinux.cfg/default-arm-qemu-arm", SIM_FIRST_FOUND},
        {"pxelinux.cfg/default-arm", SIM_FIRST_FOUND},
        {"pxelinux.cfg/default", SIM_FIRST_FOUND},
};
static const struct sim_file pi3_files[] = {
        {"bootcode.bin", SIM_REQUIRED},
        {"bootsig.bin", SIM_OPTIONAL},
        {"%S/start.elf", SIM_PREFIX},
        {"%Pautoboot.txt", SIM_OPTIONAL},
        {"%Pconfig.txt", SIM_OPTIONAL},
        {"%Precovery.elf", SIM_OPTIONAL},
        {"%Pstart.elf", SIM_REQUIRED},
        {"%Pfixup.dat", SIM_OPTIONAL},
        {"%Pconfig.txt", SIM_OPTIONAL},
        {"%Pdt-blob.bin", SIM_OPTIONAL},
        {"%Pbcm2710-rpi-3-b.dtb", SIM_OPTIONAL},
        {"%Poverlays/overlay_map.dtb", SIM_OPTIONAL},
        {"%Pcmdline.txt", SIM_OPTIONAL},
        {"%P%I", SIM_OPTIONAL},
        {"%P%K", SIM_REQUIRED},
};
static const struct sim_file pi4_files[] = {
        {"%S/start4.elf", SIM_PREFIX},           {"%Pconfig.txt", SIM_OPTIONAL},
        {"%Precover4.elf", SIM_OPTIONAL},        {"%Pfixup4rc.dat", SIM_OPTIONAL},
        {"%Precovery.elf", SIM_OPTIONAL},        {"%Pfixup_rc.dat", SIM_OPTIONAL},
        {"%Pstart4.elf", SIM_REQUIRED},          {"%Pfixup4.dat", SIM_OPTIONAL},
        {"%Pconfig.txt", SIM_OPTIONAL},          {"%P%I", SIM_OPTIONAL},
        {"%Pbcm2711-rpi-4-b.dtb", SIM_OPTIONAL}, {"%Poverlays/overlay_map.dtb", SIM_OPTIONAL},
        {"%Pcmdline.txt", SIM_OPTIONAL},         {"%P%K", SIM_REQUIRED},
};
static const struct sim_file pi5_files[] = {
        {"%S/config.txt", SIM_PREFIX},
        {"%Pconfig.txt", SIM_REQUIRED},
        {"%Pbcm2712-rpi-5-b.dtb", SIM_OPTIONAL},
        {"%Poverlays/overlay_map.dtb", SIM_OPTIONAL},
        {"%Pcmdline.txt", SIM_OPTIONAL},
        {"%P%I", SIM_OPTIONAL},
        {"%P%K", SIM_REQUIRED},
};

#define LIST(name, array) .name = (array), .n_##name = sizeof(array) / sizeof((array)[0])

/* What rows have in common. */
#define EDK2                                                                                                           \
        .oui = {0x52, 0x54, 0}, .ndi = {1, 3, 0}, .broadcast = true, .ttl = 64, .max_size = 1472,                      \
        .discover_ms = {4000, 8000, 16000, 32000}, .wait_ms = 3800, .discover = {53, 57, 55, 97, 94, 93, 60},          \
        .request = {53, 54, 50, 57, 55, 97, 94, 93, 60},                                                               \
        .terms = {.has_tsize = true, .has_blksize = true, .blksize = 1468, .has_windowsize = true, .windowsize = 4}
#define RASPBERRY_PI                                                                                                   \
        .rules = SIM_PI, .vendor_class = "PXEClient:Arch:00000:UNDI:002001", .ndi = {1, 2, 1},                         \
        LIST(parameters, pi_parameters), .ttl = 64, .discover = {53, 55, 93, 94, 97, 60},                              \
        .request = {53, 55, 93, 94, 97, 60, 50, 54}
#define PI_EEPROM                                                                                                      \
        RASPBERRY_PI, .uuid = SIM_UUID_PI, .discover_ms = {4000, 4000, 4000, 4000}, .wait_ms = 500,                    \
                      .terms = {.has_tsize = true, .has_blksize = true, .blksize = 1024}

const struct sim_kind sim_kinds[] = {
        {.name = "bios",
         .what = "PXE ROM of a PC's network card",
         .rules = SIM_PXE,
         .oui = {0x52, 0x54, 0},
         .vendor_class = "PXEClient:Arch:00000:UNDI:002001",
         .ndi = {1, 2, 1},
         LIST(parameters, rom_parameters),
         .max_size = 1260,
         .broadcast = true,
         .ttl = 20,
         .discover = {53, 55, 57, 97, 93, 94, 60},
         .request = {53, 50, 55, 57, 54, 97, 93, 94, 60},
         .discover_ms = {4000, 8000, 16000, 32000},
         .wait_ms = 2000,
         .terms = {.has_tsize = true, .has_blksize = true, .blksize = 1456}},
        {.name = "uefi-x64",
         .what = "UEFI PXE, 64-bit PC",
         .rules = SIM_PXE,
         .vendor_class = "PXEClient:Arch:00007:UNDI:003000",
         .arch = 7,
         LIST(parameters, uefi_parameters),
         .request_max_size = 0xff00,
         EDK2},
        {.name = "uefi-arm64",
         .what = "UEFI PXE, 64-bit ARM",
         .rules = SIM_PXE,
         .vendor_class = "PXEClient:Arch:00011:UNDI:003000",
         .arch = 11,
         LIST(parameters, uefi_parameters),
         .request_max_size = 0xff00,
         EDK2},
        {.name = "uefi-http",
         .what = "UEFI HTTP Boot, 64-bit PC",
         .rules = SIM_HTTP,
         .vendor_class = "HTTPClient:Arch:00016:UNDI:003000",
         .arch = 16,
         LIST(parameters, http_parameters),
         EDK2},
        {.name = "ipxe",
         .what = "iPXE on a BIOS machine, as in QEMU's ROM",
         .rules = SIM_IPXE,
         .oui = {0x52, 0x54, 0},
         .vendor_class = "PXEClient:Arch:00000:UNDI:002001",
         .user_class = "iPXE",
         .ndi = {1, 2, 1},
         LIST(parameters, ipxe_parameters),
         LIST(ipxe, ipxe_features),
         .max_size = 1472,
         .ttl = 64,
         .discover = {53, 57, 93, 94, 60, 77, 55, 175, 61, 97},
         .request = {53, 57, 93, 94, 60, 77, 55, 175, 61, 97, 54, 50},
         .discover_ms = {1000, 2000, 4000, 8000},
         .wait_ms = 2500,
         .terms = {.has_blksize = true, .blksize = 1432, .has_tsize = true}},
        {.name = "u-boot",
         .what = "U-Boot, 64-bit ARM",
         .rules = SIM_PLAIN,
         .oui = {0x52, 0x52, 0x52},
         .vendor_class = "U-Boot.armv8",
         .arch = 22,
         .ndi = {1, 0, 0},
         LIST(parameters, uboot_parameters),
         .max_size = 576,
         .ttl = 255,
         .no_checksum = true,
         .discover = {53, 57, 93, 94, 60, 55},
         .request = {53, 57, 54, 50, 93, 94, 60, 55},
         .discover_ms = {250, 500, 1000, 2000},
         .terms = {.has_timeout = true, .timeout_sec = 5, .has_tsize = true, .has_blksize = true, .blksize = 1468},
         LIST(files, uboot_files)},
        {.name = "pi3",
         .what = "boot ROM of a Raspberry Pi 2 or 3",
         .oui = {0xb8, 0x27, 0xeb},
         .uuid = SIM_UUID_PI3,
         .xid = 0x26f30339,
         .silent = true,
         .discover_ms = {5000, 5000, 5000, 5000},
         .wait_ms = 1000,
         .terms = {.has_tsize = true},
         LIST(files, pi3_files),
         RASPBERRY_PI},
        {.name = "pi4",
         .what = "EEPROM of a Raspberry Pi 4",
         .oui = {0xdc, 0xa6, 0x32},
         .board = "RPi4",
         .revision = 0xc03112,
         LIST(files, pi4_files),
         PI_EEPROM},
        {.name = "pi5",
         .what = "EEPROM of a Raspberry Pi 5",
         .oui = {0x2c, 0xcf, 0x67},
         .board = "RPi5",
         .revision = 0xd04170,
         LIST(files, pi5_files),
         PI_EEPROM},
};
const size_t sim_n_kinds = sizeof(sim_kinds) / sizeof(sim_kinds[0]);

const struct sim_kind *sim_kind_find(const char *name)
{
        for (size_t i = 0; i < sim_n_kinds; i++)
                if (str_eq(sim_kinds[i].name, name))
                        return &sim_kinds[i];
        return NULL;
}

/* An integer's bits, mixed well: a client is the same each time. */
static uint32_t scramble(uint32_t x)
{
        x = (x ^ x >> 16) * 0x7feb352d;
        x = (x ^ x >> 15) * 0x846ca68b;
        return x ^ x >> 16;
}

void sim_identify(const struct sim_kind *kind, unsigned int number, struct sim_identity *ret)
{
        uint32_t low = ((0x50 + (uint32_t)(kind - sim_kinds)) << 16) + number;

        memcpy(ret->mac, kind->oui, 3);
        ret->mac[3] = (uint8_t)(low >> 16);
        ret->mac[4] = (uint8_t)(low >> 8);
        ret->mac[5] = (uint8_t)low;
        ret->serial = scramble(low);
        ret->xid = kind->xid ? kind->xid : scramble(low ^ get_be32(kind->name));
}

static void put_uuid(struct dhcp_writer *writer, const struct sim_kind *kind, const struct sim_identity *who)
{
        uint8_t uuid[17] = {0};

        switch (kind->uuid) {
        case SIM_UUID_ZERO:
                break;
        case SIM_UUID_PI3:
                memset(uuid + 1, 0x44, 16);
                break;
        case SIM_UUID_PI:
                memcpy(uuid + 1, kind->board, 4);
                put_le32(uuid + 5, kind->revision);
                memcpy(uuid + 9, who->mac + 2, 4);
                put_le32(uuid + 13, who->serial);
                break;
        }
        dhcp_put(writer, DHCP_OPT_UUID, uuid, sizeof(uuid));
}

static void put_option(struct dhcp_writer *writer, const struct sim_kind *kind, const struct sim_identity *who,
                       const struct sim_ask *ask, enum dhcp_type type, uint8_t code)
{
        uint8_t id[7] = {DHCP_ETHERNET};

        switch (code) {
        case DHCP_OPT_TYPE:
                dhcp_put_u8(writer, code, (uint8_t)type);
                break;
        case DHCP_OPT_MAX_SIZE:
                dhcp_put_u16(writer, code,
                             type == DHCP_REQUEST && kind->request_max_size ? kind->request_max_size : kind->max_size);
                break;
        case DHCP_OPT_PARAMETERS:
                dhcp_put(writer, code, kind->parameters, kind->n_parameters);
                break;
        case DHCP_OPT_ARCH:
                dhcp_put_u16(writer, code, kind->arch);
                break;
        case DHCP_OPT_NDI:
                dhcp_put(writer, code, kind->ndi, sizeof(kind->ndi));
                break;
        case DHCP_OPT_VENDOR_CLASS:
                dhcp_put_text(writer, code, kind->vendor_class);
                break;
        case DHCP_OPT_USER_CLASS:
                dhcp_put_text(writer, code, kind->user_class);
                break;
        case DHCP_OPT_IPXE:
                dhcp_put(writer, code, kind->ipxe, kind->n_ipxe);
                break;
        case DHCP_OPT_UUID:
                put_uuid(writer, kind, who);
                break;
        case DHCP_OPT_CLIENT_ID:
                memcpy(id + 1, who->mac, 6);
                dhcp_put(writer, code, id, sizeof(id));
                break;
        case DHCP_OPT_SERVER_ID:
                dhcp_put_u32(writer, code, ask->server);
                break;
        case DHCP_OPT_REQUESTED_ADDRESS:
                dhcp_put_u32(writer, code, ask->address);
                break;
        default:
                break;
        }
}

/* iPXE tells in `secs` how it stands. */
static uint16_t seconds(const struct sim_kind *kind, const struct sim_ask *ask)
{
        if (kind->rules != SIM_IPXE)
                return 0;
        return (uint16_t)((ask->tries + 1) << 2 | (unsigned int)ask->got_offer << 1 | (unsigned int)ask->got_proxy);
}

static void begin(struct dhcp_writer *writer, const struct sim_kind *kind, const struct sim_identity *who,
                  const struct sim_ask *ask)
{
        dhcp_writer_init(writer);
        writer->h.op = DHCP_REQUEST_OP;
        writer->h.htype = DHCP_ETHERNET;
        writer->h.hlen = 6;
        writer->h.xid = who->xid;
        writer->h.secs = seconds(kind, ask);
        writer->h.flags = kind->broadcast ? DHCP_BROADCAST_FLAG : 0;
        memcpy(writer->h.chaddr, who->mac, 6);
}

size_t sim_discover(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask,
                    uint8_t *buf)
{
        struct dhcp_writer writer;

        begin(&writer, kind, who, ask);
        for (const uint8_t *code = kind->discover; *code; code++)
                put_option(&writer, kind, who, ask, DHCP_DISCOVER, *code);
        return dhcp_write(&writer, DHCP_ETHERNET_SIZE, buf);
}

size_t sim_request(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask, uint8_t *buf)
{
        struct dhcp_writer writer;

        begin(&writer, kind, who, ask);
        for (const uint8_t *code = kind->request; *code; code++)
                put_option(&writer, kind, who, ask, DHCP_REQUEST, *code);
        return dhcp_write(&writer, DHCP_ETHERNET_SIZE, buf);
}

size_t sim_binl(const struct sim_kind *kind, const struct sim_identity *who, const struct sim_ask *ask, uint16_t item,
                uint8_t *buf)
{
        uint8_t vendor[] = {PXE_BOOT_ITEM, 4, (uint8_t)(item >> 8), (uint8_t)item, 0, 0, PXE_END};
        struct dhcp_writer writer;

        begin(&writer, kind, who, ask);
        writer.h.ciaddr = ask->address;
        writer.h.flags = 0;
        for (const uint8_t *code = kind->discover; *code; code++)
                put_option(&writer, kind, who, ask, DHCP_REQUEST, *code);
        if (item)
                dhcp_put(&writer, DHCP_OPT_VENDOR, vendor, sizeof(vendor));
        return dhcp_write(&writer, DHCP_ETHERNET_SIZE, buf);
}
