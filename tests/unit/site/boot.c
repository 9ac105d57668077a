/* What each kind of client is given to boot. */
#include "sitetest.h"

#define SITE                                                                                                           \
        SITE_HEAD NETWORK                                                                                              \
                "network \"beside\" {\n subnet = \"10.78.0.0/24\"\n address = \"10.78.0.1\"\n mode = \"proxy\"\n"      \
                " next_server = \"10.78.0.9\"\n}\n"                                                                    \
                "profile \"installer\" {\n kernel = \"debian/linux\"\n}\n"                                             \
                "profile \"grub\" {\n kernel = \"debian/linux\"\n loader = \"grub\"\n}\n"                              \
                "profile \"shim\" {\n kernel = \"debian/linux\"\n loader = \"shim\"\n}\n"                              \
                "profile \"syslinux\" {\n kernel = \"debian/linux\"\n loader = \"pxelinux\"\n}\n"                      \
                "profile \"own\" {\n boot = {\n  bios = \"pxe/lpxelinux.0\"\n  uefi-x64 = "                            \
                "\"boot/${machine.name}.efi\"\n"                                                                       \
                "  uefi-x64-http = \"boot/http.efi\"\n  ipxe = \"http://elsewhere/x.ipxe\"\n"                          \
                "  u-boot-arm64 = \"boot.scr.uimg\"\n }\n}\n"                                                          \
                "profile \"pi\" {\n firmware = \"firmware\"\n}\n"                                                      \
                "profile \"disk\" {\n san = \"iscsi:10.77.0.1::::iqn.2026-11.org.example:${machine.name}\"\n}\n"       \
                "profile \"broken\" {\n boot = { bios = \"${var.nothing}\" }\n}\n"                                     \
                "machine \"m1\" {\n mac = \"52:54:00:00:00:01\"\n profile = profile.installer\n}\n"                    \
                "machine \"m2\" {\n mac = \"52:54:00:00:00:02\"\n address = \"10.77.0.2\"\n profile = "                \
                "profile.grub\n}\n"                                                                                    \
                "machine \"m3\" {\n mac = \"52:54:00:00:00:03\"\n address = \"10.77.0.3\"\n profile = "                \
                "profile.shim\n}\n"                                                                                    \
                "machine \"m4\" {\n mac = \"52:54:00:00:00:04\"\n profile = profile.syslinux\n}\n"                     \
                "machine \"m5\" {\n mac = \"52:54:00:00:00:05\"\n address = \"10.77.0.5\"\n profile = "                \
                "profile.own\n}\n"                                                                                     \
                "machine \"m6\" {\n mac = \"52:54:00:00:00:06\"\n profile = profile.pi\n}\n"                           \
                "machine \"m7\" {\n mac = \"52:54:00:00:00:07\"\n profile = profile.disk\n}\n"                         \
                "machine \"m8\" {\n mac = \"52:54:00:00:00:08\"\n profile = profile.local-disk\n}\n"                   \
                "machine \"m9\" {\n mac = \"52:54:00:00:00:09\"\n profile = profile.broken\n}\n"                       \
                "profile \"few\" {\n boot = { bios = \"pxelinux.0\", uefi-x64 = \"ipxe/snponly.efi\" }\n}\n"           \
                "machine \"m10\" {\n mac = \"52:54:00:00:00:0a\"\n profile = profile.few\n}\n"                         \
                "machine \"by-uuid\" {\n uuid = \"00112233-4455-6677-8899-aabbccddeeff\"\n address = \"10.77.0.6\"\n " \
                "profile = "                                                                                           \
                "profile.grub\n}\n"

#define BIOS  CLIENT_PXE, PLATFORM_BIOS
#define X64   CLIENT_PXE, PLATFORM_UEFI_X64
#define HTTP  CLIENT_HTTP, PLATFORM_UEFI_X64
#define ARM64 CLIENT_PXE, PLATFORM_UEFI_ARM64
#define IPXE  CLIENT_IPXE, PLATFORM_UEFI_X64
#define UBOOT CLIENT_UBOOT, PLATFORM_UBOOT_ARM64
#define PI4   CLIENT_PI, PLATFORM_PI4

static const struct {
        uint8_t machine; /* last byte of the MAC */
        enum client_kind kind;
        enum client_platform platform;
        const char *file; /* NULL: nothing to boot */
        enum site_pxe pxe;
        const char *why; /* one of the lines, or a part of it */
} rows[] = {
        {1, BIOS, "undionly.kpxe", SITE_PXE_DIRECT, "iPXE, from the host's packages"},
        {1, X64, "snponly.efi", SITE_PXE_DIRECT, "profile: 'installer', which the machine names"},
        {1, HTTP, "http://10.77.0.1/ipxe.efi", SITE_PXE_NONE, "client: http on uefi-x64"},
        {1, ARM64, "snponly-arm64.efi", SITE_PXE_DIRECT, "machine: 52:54:00:00:00:01 is 'm1', by its MAC address"},
        {1, IPXE, "http://10.77.0.1/boot.ipxe", SITE_PXE_NONE, "since this is iPXE already"},
        {1, UBOOT, "", SITE_PXE_NONE, "is U-Boot, which asks for boot.scr.uimg and pxelinux.cfg by itself"},
        {1, CLIENT_GRUB, PLATFORM_UNKNOWN, "", SITE_PXE_NONE, "asks for grub.cfg by itself"},
        {1, CLIENT_OTHER, PLATFORM_UNKNOWN, NULL, SITE_PXE_NONE, "it asks for an address only"},
        {1, PI4, NULL, SITE_PXE_NONE, "neither firmware nor an image"},
        {1, CLIENT_PXE, PLATFORM_UEFI_LOONGARCH64, NULL, SITE_PXE_NONE, "no package has a boot loader"},
        {1, CLIENT_PXE, PLATFORM_UNKNOWN, NULL, SITE_PXE_NONE, "does not say its architecture (option 93)"},
        {2, X64, "grubnetx64.efi", SITE_PXE_DIRECT, "GRUB, from"},
        {2, HTTP, "http://10.77.0.1/grubnetx64.img", SITE_PXE_NONE, "GRUB, from the host's packages, on a disk"},
        {2, CLIENT_HTTP, PLATFORM_UEFI_IA32, NULL, SITE_PXE_NONE,
         "no boot loader for uefi-ia32 that HTTP Boot can start; install grub-efi-ia32-bin, or, where that is for "
         "another "
         "processor, unpack it (dpkg -x) and put grubnetia32.efi into the folder of 'loaders'"},
        {2, ARM64, "grubnetaa64.efi", SITE_PXE_DIRECT, "GRUB, from"},
        {2, BIOS, NULL, SITE_PXE_NONE, "no package has a boot loader for bios"},
        {2, IPXE, "http://10.77.0.1/boot.ipxe", SITE_PXE_NONE, "iPXE already"},
        {3, X64, "shimx64.efi", SITE_PXE_DIRECT, "shim, from"},
        {3, HTTP, "http://10.77.0.1/shimx64.img", SITE_PXE_NONE, "shim, from the host's packages, on a disk"},
        {4, BIOS, "pxelinux.0", SITE_PXE_DIRECT, "PXELINUX, from"},
        {5, BIOS, "pxe/lpxelinux.0", SITE_PXE_DIRECT, "which the profile's 'boot' names for bios"},
        {5, X64, "boot/m5.efi", SITE_PXE_DIRECT, "which the profile's 'boot' names for uefi-x64"},
        {5, HTTP, "http://10.77.0.1/boot/http.efi", SITE_PXE_NONE, "names for uefi-x64-http"},
        {5, IPXE, "http://elsewhere/x.ipxe", SITE_PXE_NONE, "names for ipxe"},
        {5, UBOOT, "boot.scr.uimg", SITE_PXE_NONE, "names for u-boot-arm64"},
        {5, ARM64, NULL, SITE_PXE_NONE, "the profile's 'boot' names none for uefi-arm64"},
        {10, BIOS, "pxelinux.0", SITE_PXE_DIRECT, "names for bios"},
        {10, CLIENT_IPXE, PLATFORM_BIOS, "http://10.77.0.1/pxelinux.0", SITE_PXE_NONE, "names for bios"},
        {10, HTTP, "http://10.77.0.1/ipxe/snponly.efi", SITE_PXE_NONE, "names for uefi-x64"},
        {10, IPXE, NULL, SITE_PXE_NONE, "which is iPXE, as the client is already"},
        {6, PI4, "", SITE_PXE_PI, "option 43: the menu that a Raspberry Pi waits for"},
        {7, IPXE, "http://10.77.0.1/boot.ipxe", SITE_PXE_NONE, "iPXE already"},
        {7, BIOS, "undionly.kpxe", SITE_PXE_DIRECT, "iPXE"},
        {8, BIOS, NULL, SITE_PXE_NONE, "it goes on to its own disk"},
        {9, X64, NULL, SITE_PXE_NONE, NULL},
        {99, BIOS, NULL, SITE_PXE_NONE, "there is no default_profile"},
};

static struct client client_of(uint8_t machine, enum client_kind kind, enum client_platform platform)
{
        return (struct client){.kind = kind,
                               .platform = platform,
                               .has_mac = true,
                               .mac = {0x52, 0x54, 0, 0, 0, machine},
                               .http = kind == CLIENT_IPXE || kind == CLIENT_HTTP};
}

static void test_clients(void **state)
{
        struct site *site = load_good(SITE);

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct client client = client_of(rows[i].machine, rows[i].kind, rows[i].platform);
                CLEANUP(site_boot_clear) struct site_boot boot = {0};
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *why = NULL;

                if (!rows[i].why) {
                        assert_int_equal(site_boot(site, site->networks, &client, 0x0a4d0001, &boot, &err), -EINVAL);
                        assert_non_null(strstr(error_message(&err), "profile 'broken': site.hcl:"));
                        continue;
                }
                assert_int_equal(site_boot(site, site->networks, &client, 0x0a4d0001, &boot, &err), 0);
                why = strv_join(STRV(boot.why), "\n");
                if (!str_eq(boot.profile ? boot.file : NULL, rows[i].file) || boot.pxe != rows[i].pxe ||
                    !strstr(why, rows[i].why))
                        fail_msg("row %zu: file '%s', pxe %d\n%s", i, boot.file ? boot.file : "(none)", boot.pxe, why);
                assert_int_equal(boot.next_server, 0x0a4d0001);
        }
        site_free(site);
}

static void test_san(void **state)
{
        struct site *site = load_good(SITE);
        struct client client = client_of(7, IPXE);
        CLEANUP(site_boot_clear) struct site_boot boot = {0}, unknown = {0};
        CLEANUP_FREE char *why = NULL;

        (void)state;
        assert_int_equal(site_boot(site, site->networks, &client, 0x0a4d0001, &boot, NULL), 0);
        assert_string_equal(boot.root_path, "iscsi:10.77.0.1::::iqn.2026-11.org.example:m7");
        site_free(site);
        site = load_good(SITE_HEAD
                         "profile \"p\" {\n san = \"fcoe:${machine.name}\"\n}\ndefault_profile = profile.p\n");
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &unknown, NULL), 0);
        why = strv_join(STRV(unknown.why), "\n");
        assert_non_null(strstr(why, "warning: iPXE knows no disk 'fcoe:52-54-00-00-00-07', but iscsi:"));
        assert_non_null(strstr(why, "fcp:WWN:LUN"));
        site_free(site);
}

/* Beside somebody else's DHCP server: UEFI is made to ask port 4011, and paths name the machine. */
static void test_proxy(void **state)
{
        struct site *site = load_good(SITE);
        const struct site_network *beside = &site->networks[1];
        static const struct {
                enum client_kind kind;
                enum client_platform platform;
                const char *file;
                enum site_pxe pxe;
                uint8_t machine;
                const char *elsewhere; /* who looks for its files on the other server */
        } proxied[] = {
                {BIOS, "undionly.kpxe", SITE_PXE_DIRECT, 1, NULL},
                {X64, "snponly.efi", SITE_PXE_NONE, 1, NULL},
                {IPXE, "http://10.78.0.1/mac/52-54-00-00-00-01/boot.ipxe", SITE_PXE_NONE, 1, NULL},
                {UBOOT, "", SITE_PXE_NONE, 1, "U-Boot"},
                {UBOOT, "boot.scr.uimg", SITE_PXE_NONE, 5, "U-Boot"},
                {X64, "grubnetx64.efi", SITE_PXE_NONE, 2, "GRUB"},
                {HTTP, "http://10.78.0.1/mac/52-54-00-00-00-02/grubnetx64.img", SITE_PXE_NONE, 2, NULL},
                {X64, "shimx64.efi", SITE_PXE_NONE, 3, "GRUB"},
                {X64, "boot/m5.efi", SITE_PXE_NONE, 5, NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(proxied) / sizeof(proxied[0]); i++) {
                struct client client = client_of(proxied[i].machine, proxied[i].kind, proxied[i].platform);
                CLEANUP(site_boot_clear) struct site_boot boot = {0};
                CLEANUP_FREE char *why = NULL;
                const char *warning;

                assert_int_equal(site_boot(site, beside, &client, 0x0a4e0001, &boot, NULL), 0);
                assert_string_equal(boot.file, proxied[i].file);
                assert_int_equal(boot.pxe, proxied[i].pxe);
                assert_int_equal(boot.next_server, 0x0a4e0009);
                why = strv_join(STRV(boot.why), "\n");
                warning = strstr(why, "warning: ");
                assert_int_equal(!proxied[i].elsewhere, !warning);
                if (warning) {
                        assert_true(str_starts(warning + strlen("warning: "), proxied[i].elsewhere));
                        assert_non_null(strstr(warning, "(dnsmasq: dhcp-boot=,,10.78.0.9)"));
                }
        }
        site_free(site);
}

/* shim is given away with the signed GRUB that it starts, and not without. */
static void test_shim(void **state)
{
        static const char text[] =
                "loaders = \"secure\"\nprofile \"p\" {\n kernel = \"debian/linux\"\n loader = \"shim\"\n}\n"
                "default_profile = profile.p\nroot = \"root\"\n";
        struct client client = client_of(1, ARM64);
        struct site_peer peer = {.server = 0x0a4d0001};
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP(site_boot_clear) struct site_boot alone = {0}, both = {0};
        CLEANUP(site_file_clear) struct site_file file = {0};
        CLEANUP_FREE char *why = NULL, *own = path_join(dir, "secure"), *real = NULL;
        struct site *site = NULL;

        (void)state;
        put("secure/shimaa64.efi", "x");
        assert_int_equal(site_load_text("site.hcl", text, dir, &site, &diags), 0);
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &alone, NULL), 0);
        why = strv_join(STRV(alone.why), "\n");
        if (!alone.profile) /* the host's may be there */
                assert_non_null(strstr(why, "put shimaa64.efi and grubaa64.efi into"));
        site_free(site);
        put("secure/grubaa64.efi", "x");
        site = load_good(text);
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &both, NULL), 0);
        assert_string_equal(both.file, "shimaa64.efi");
        assert_int_equal(site_file(site, "grubaa64.efi", &peer, &file, NULL), 0);
        real = realpath(own, NULL);
        assert_string_equal(file.root, real);
        site_free(site);
}

/* Where no HTTP is served, or the client cannot load URIs, paths are given. */
static void test_without_http(void **state)
{
        struct site *site =
                load_good(SITE_HEAD "listen {\n http = 0\n}\nprofile \"p\" {\n kernel = \"debian/linux\"\n}\n"
                                    "default_profile = profile.p\n");
        struct client client = client_of(1, IPXE);
        struct client http = client_of(1, HTTP);
        CLEANUP(site_boot_clear) struct site_boot boot = {0}, again = {0}, none = {0}, secure = {0};

        (void)state;
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &boot, NULL), 0);
        assert_string_equal(boot.file, "boot.ipxe");
        assert_int_equal(site_boot(site, NULL, &http, 0x0a4d0001, &none, NULL), 0);
        assert_null(none.profile);
        site_free(site);
        site = load_good(SITE);
        client.http = false;
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &again, NULL), 0);
        assert_string_equal(again.file, "boot.ipxe");
        site_free(site);
        site = load_good(SITE_HEAD
                         "listen {\n http = 0\n https = 8443\n certificate = \"cert.pem\"\n key = \"key.pem\"\n}\n"
                         "profile \"p\" {\n kernel = \"debian/linux\"\n}\ndefault_profile = profile.p\n");
        assert_int_equal(site_boot(site, NULL, &http, 0x0a4d0001, &secure, NULL), 0);
        assert_string_equal(secure.file, "https://10.77.0.1:8443/ipxe.efi");
        site_free(site);
}

/* By UUID in the order of SMBIOS, or as it is written; the MAC comes first. */
static void test_uuid(void **state)
{
        struct site *site = load_good(SITE);
        struct client client = {.has_uuid = true};
        uint8_t uuid[16];

        (void)state;
        assert_true(site_parse_uuid("00112233-4455-6677-8899-aabbccddeeff", uuid));
        memcpy(client.uuid, uuid, 16);
        assert_string_equal(site_machine(site, &client)->name, "by-uuid");
        site_swap_uuid(uuid, client.uuid);
        assert_int_equal(client.uuid[0], 0x33);
        assert_string_equal(site_machine(site, &client)->name, "by-uuid");
        client.has_mac = true;
        memcpy(client.mac, (uint8_t[]){0x52, 0x54, 0, 0, 0, 1}, 6);
        assert_string_equal(site_machine(site, &client)->name, "m1");
        client.uuid[15]++;
        client.has_mac = false;
        assert_null(site_machine(site, &client));
        site_free(site);
}

static void test_quick(void **state)
{
        struct site *site = NULL;
        CLEANUP_FREE char *folder = path_join(dir, "quick"), *empty = path_join(dir, "empty"),
                          *debian = path_join(dir, "debian");
        struct client client = client_of(1, BIOS), ipxe = client_of(1, IPXE), x64 = client_of(1, X64);
        CLEANUP(site_boot_clear) struct site_boot boot = {0}, script = {0}, kernel = {0}, shim = {0};
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        put("quick/pxelinux.0", "x");
        put("quick/boot.ipxe", "x");
        assert_int_equal(site_quick(folder, "eth0", SITE_PROXY, &site, &diags), 0);
        assert_string_equal(site->networks[0].interface, "eth0");
        assert_int_equal(site->networks[0].mode, SITE_PROXY);
        assert_int_equal(site_boot(site, NULL, &client, 0x0a4d0001, &boot, &err), 0);
        assert_string_equal(boot.file, "pxelinux.0");
        assert_int_equal(site_boot(site, NULL, &ipxe, 0x0a4d0001, &script, &err), 0);
        assert_string_equal(script.file, "http://10.77.0.1/boot.ipxe");
        site_free(site);

        put("debian/debian-installer/amd64/bootnetx64.efi", "x");
        assert_int_equal(site_quick(debian, "eth0", SITE_OFF, &site, &diags), 0);
        assert_int_equal(site_boot(site, NULL, &x64, 0x0a4d0001, &shim, &err), 0);
        assert_string_equal(shim.file, "debian-installer/amd64/bootnetx64.efi");
        site_free(site);

        put("empty/readme", "x");
        assert_int_equal(site_quick(empty, "eth0", SITE_DHCP, &site, &diags), -EINVAL);
        assert_non_null(strstr(diags.list.v[diags.list.n - 1].summary, "nothing that boots lies in"));
        put("empty/linux", "x");
        put("empty/cmdline", "quiet\n");
        assert_int_equal(site_quick(empty, "eth0", SITE_DHCP, &site, &diags), 0);
        assert_true(site->networks[0].auto_range);
        assert_int_equal(site_boot(site, NULL, &ipxe, 0x0a4d0001, &kernel, &err), 0);
        assert_string_equal(kernel.file, "http://10.77.0.1/boot.ipxe");
        site_free(site);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clients),      cmocka_unit_test(test_san),  cmocka_unit_test(test_proxy),
                cmocka_unit_test(test_without_http), cmocka_unit_test(test_shim), cmocka_unit_test(test_uuid),
                cmocka_unit_test(test_quick),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
