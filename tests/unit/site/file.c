/* What is at a path of the site in golden/site/site.hcl: rendered texts against golden files (written anew with
 * SLIPWAY_WRITE_GOLDEN=1), whose files are reachable, and who is given secrets. */
#include "sitetest.h"

#include <zlib.h>

#include "base/bytes.h"

static struct site *site;
static char *site_text;

static void unlink_in(const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name);

        assert_int_equal(unlink(path), 0);
}

static void link_in(const char *target, const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name);

        assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
        size_t len;

        if (make_folder(state) < 0)
                return -1;
        put("root/more.cpio", "x");
        put("far/snponly", "x");
        unlink_in("loaders/snponly.efi");
        link_in("../far/snponly", "loaders/snponly.efi");
        put("preseed.tmpl", "hostname ${machine.name}\npassword ${var.password}\n%{ for p in var.packages ~}\n"
                            "package ${p}\n%{ endfor ~}\n");
        if (file_read(GOLDEN "/site.hcl", 0, &site_text, &len, NULL) < 0)
                return -1;
        site = load_good(site_text);
        return 0;
}

static int teardown(void **state)
{
        site_free(site);
        free(site_text);
        return remove_folder(state);
}

/* A machine of the site, on its lease. */
static struct site_peer peer_of(const char *name)
{
        const struct site_machine *machine = site_machine_by_name(site, name);
        struct site_peer peer = {.address = 0x0a4d0064, .server = 0x0a4d0001, .has_mac = true};

        assert_non_null(machine);
        memcpy(peer.mac, machine->macs[0], 6);
        return peer;
}

static void check_golden(const char *name, const char *text)
{
        CLEANUP_FREE char *path = path_join(GOLDEN, name), *want = NULL;
        size_t len;

        if (getenv("SLIPWAY_WRITE_GOLDEN"))
                assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
        assert_int_equal(file_read(path, 0, &want, &len, NULL), 0);
        if (strcmp(text, want) != 0)
                fail_msg("%s: wanted\n%s\ngot\n%s", name, want, text);
}

static void test_rendered(void **state)
{
        static const struct {
                const char *machine, *path, *golden, *what;
        } rows[] = {
                {"m1", "/boot.ipxe", "installer.ipxe", "iPXE script of profile 'installer' for machine 'm1'"},
                {"m1", "autoexec.ipxe", "installer.autoexec", "iPXE script of profile 'installer' for machine 'm1'"},
                {"m1", "pxelinux.cfg/default", "installer.pxelinux",
                 "PXELINUX configuration of profile 'installer' for machine 'm1'"},
                {"m1", "pxelinux.cfg/01-52-54-00-00-00-01", "installer.pxelinux", NULL},
                {"m1", "pxelinux.cfg/0A4D0064", "installer.pxelinux", NULL},
                {"m1", "pxelinux.cfg/0A4D", "installer.pxelinux", NULL},
                {"m1", "pxelinux.cfg/default-arm-bcm283x", "installer.pxelinux", NULL},
                {"m1", "pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d", "installer.pxelinux", NULL},
                {"m1", "\\grub\\grub.cfg", "installer.grub",
                 "GRUB configuration of profile 'installer' for machine 'm1'"},
                {"m1", "grub/x86_64-efi/grub.cfg", "installer.grub", NULL},
                {"m1", "debian-installer/amd64/grub/grub.cfg-01-52-54-00-00-00-01", "installer.grub", NULL},
                {"m1", "answers/preseed", "installer.preseed",
                 "answers 'preseed' of profile 'installer' for machine 'm1'"},
                {"m1", "mac/52-54-00-00-00-01/answers/preseed", "installer.preseed", NULL},
                {"m1", "answers/public", "installer.public", NULL},
                {"pi4", "0000000a/config.txt", "pi.config.txt", "config.txt of profile 'pi' for machine 'pi4'"},
                {"pi4", "dc-a6-32-00-00-04/cmdline.txt", "pi.cmdline.txt", NULL},
                {"pi3", "0000abcd/cmdline.txt", "pi-plain.cmdline.txt", NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = peer_of(rows[i].machine);
                CLEANUP(site_file_clear) struct site_file file = {0};
                CLEANUP_ERROR struct error err = {0};

                if (site_file(site, rows[i].path, &peer, &file, &err) < 0)
                        fail_msg("%s: %s", rows[i].path, error_message(&err));
                if (file.kind != SITE_FILE_TEXT)
                        fail_msg("%s: not rendered, but %s", rows[i].path, file.path);
                assert_int_equal(file.len, strlen(file.text));
                check_golden(rows[i].golden, file.text);
                if (rows[i].what)
                        assert_string_equal(file.what, rows[i].what);
        }
}

/* Each profile's iPXE script: command lines of all kinds of roots. */
static void test_profiles(void **state)
{
        static const char *const names[] = {
                "nfs",      "nfs-dracut",      "nfs-live", "nbd",        "nbd-port", "nbd-dracut", "nbd-dracut-port",
                "squashfs", "squashfs-dracut", "san",      "san-kernel", "san-fcoe", "local-disk"};

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                CLEANUP_FREE char *text = xasprintf("%s\nmachine \"it\" {\n mac = \"52:54:00:00:00:77\"\n"
                                                    " profile = profile.%s\n}\n",
                                                    site_text, names[i]);
                CLEANUP_FREE char *golden = xasprintf("%s.ipxe", names[i]);
                struct site *other = load_good(text);
                struct site_peer peer = {.address = 0x0a4d0064,
                                         .server = 0x0a4d0001,
                                         .has_mac = true,
                                         .mac = {0x52, 0x54, 0, 0, 0, 0x77}};
                CLEANUP(site_file_clear) struct site_file file = {0};

                assert_int_equal(site_file(other, "boot.ipxe", &peer, &file, NULL), 0);
                check_golden(golden, file.text);
                site_free(other);
        }
}

/* Of a machine whose disk it is to boot, and of one that nobody knows: "nothing" in each language. */
static void test_local_disk(void **state)
{
        static const struct {
                const char *path, *text;
        } rows[] = {
                {"boot.ipxe", "#!ipxe\nexit\n"},
                {"pxelinux.cfg/default", "DEFAULT slipway\nPROMPT 0\nLABEL slipway\n  LOCALBOOT 0\n"},
                {"grub/grub.cfg", "exit 1\n"},
        };
        const struct site_peer nobody = {.address = 0x0a4d0065, .server = 0x0a4d0001};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(site_file_clear) struct site_file file = {0};

                assert_int_equal(site_file(site, rows[i].path, &nobody, &file, NULL), 0);
                assert_string_equal(file.text, rows[i].text);
        }
}

static void test_disk_files(void **state)
{
        static const struct {
                const char *machine, *path, *root, *found;
                enum site_file_kind kind;
        } rows[] = {
                {"m1", "debian/linux", "root", "debian/linux", SITE_FILE_DISK},
                {"m1", "//debian\\./linux", "root", "debian/linux", SITE_FILE_DISK},
                {"m1", "nothing/here", "root", "nothing/here", SITE_FILE_DISK},
                {"m1", "undionly.kpxe", "loaders", "undionly.kpxe", SITE_FILE_DISK},
                {"m1", "snponly.efi", "far", "snponly", SITE_FILE_DISK}, /* through a link */
                {"own", "pxelinux.0", "root", "pxelinux.0", SITE_FILE_DISK},
                {"own", "pxelinux.cfg/default", "root", "pxelinux.cfg/default", SITE_FILE_DISK},
                {"own", "boot.ipxe", "root", "boot.ipxe", SITE_FILE_DISK},
                {"m1", "pxelinux.cfg/01-52-54-00-00-00-02", "root", "pxelinux.cfg/01-52-54-00-00-00-02",
                 SITE_FILE_DISK}, /* another machine's */
                {"m1", "pxelinux.cfg/0A4D0065", "root", "pxelinux.cfg/0A4D0065", SITE_FILE_DISK},
                {"m1", "pxelinux.cfg/other", "root", "pxelinux.cfg/other", SITE_FILE_DISK},
                {"m1", "mac/52-54-00-00-00-02/boot.ipxe", "root", "mac/52-54-00-00-00-02/boot.ipxe", SITE_FILE_DISK},
                {"pi4", "0000000a/start4.elf", "firmware", "start4.elf", SITE_FILE_DISK},
                {"pi4", "0000000a/linux", "root", "debian/linux", SITE_FILE_DISK},
                {"pi4", "0000000a/initrd.gz", "root", "debian/initrd.gz", SITE_FILE_DISK},
                {"pi4", "0000000b/start4.elf", "root", "0000000b/start4.elf", SITE_FILE_DISK}, /* another board's */
                {"pi4", "0000000a/overlays/overlay_map.dtb", "firmware", "overlays/overlay_map.dtb", SITE_FILE_DISK},
                {"pi5", "0000000b/config.txt", "root/debian/linux", "1:/config.txt", SITE_FILE_IMAGE},
                {"pi3", "bootcode.bin", "firmware", "bootcode.bin", SITE_FILE_DISK},
                {"pi3", "0000abcd/config.txt", "firmware", "config.txt", SITE_FILE_DISK},
                {"m1", "answers/raw", "", "preseed.tmpl", SITE_FILE_DISK},
                {"m1", "more/start4.elf", "firmware", "start4.elf", SITE_FILE_DISK},
                {"m1", "more/still/ipxe.efi", "loaders", "ipxe.efi", SITE_FILE_DISK},
                {"m1", "0000abcd/config.txt", "root", "0000abcd/config.txt", SITE_FILE_DISK},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = peer_of(rows[i].machine);
                CLEANUP(site_file_clear) struct site_file file = {0};
                CLEANUP_FREE char *root = *rows[i].root ? path_join(dir, rows[i].root) : strdup(dir);

                assert_int_equal(site_file(site, rows[i].path, &peer, &file, NULL), 0);
                if (file.kind != rows[i].kind || strcmp(file.root, root) != 0 || strcmp(file.path, rows[i].found) != 0)
                        fail_msg("%s: %d %s %s", rows[i].path, file.kind, file.root, file.path);
        }
}

/* The parts of a volume, a line each: its name, and where it lies or that it is rendered. */
static char *parts_of(const struct site_file *file)
{
        CLEANUP_STR struct str out = {0};

        assert_int_equal(file->kind, SITE_FILE_VOLUME);
        for (size_t i = 0; i < file->n_parts; i++) {
                const struct site_file *part = &file->parts[i].file;

                str_addf(&out, "%s: %s\n", file->parts[i].name, part->kind == SITE_FILE_TEXT ? part->what : part->path);
        }
        return str_steal(&out);
}

#define GRUB_OF_M1 "GRUB configuration of profile 'installer' for machine 'm1'\n"

/* Of HTTP Boot: the loader, its configuration, and what that names. */
static void test_volume(void **state)
{
        static const struct {
                const char *path, *parts;
        } rows[] = {
                {"shimx64.img",
                 "EFI/BOOT/BOOTx64.EFI: shimx64.efi\nEFI/BOOT/grubx64.efi: grubx64.efi\ngrub/grub.cfg: " GRUB_OF_M1
                 "EFI/BOOT/grub.cfg: " GRUB_OF_M1 "debian/linux: debian/linux\ndebian/initrd.gz: debian/initrd.gz\n"},
                {"/mac/52-54-00-00-00-01/grubnetaa64.img",
                 "EFI/BOOT/BOOTaa64.EFI: grubnetaa64.efi\ngrub/grub.cfg: " GRUB_OF_M1 "EFI/BOOT/grub.cfg: " GRUB_OF_M1
                 "debian/linux: debian/linux\ndebian/initrd.gz: debian/initrd.gz\n"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = peer_of("m1");
                CLEANUP(site_file_clear) struct site_file file = {0}, config = {0};
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *parts = NULL;

                if (site_file(site, rows[i].path, &peer, &file, &err) < 0)
                        fail_msg("%s: %s", rows[i].path, error_message(&err));
                assert_string_equal(file.what, "disk in memory of profile 'installer' for machine 'm1'");
                parts = parts_of(&file);
                if (!strstr(parts, rows[i].parts))
                        fail_msg("%s: %s", rows[i].path, parts);
                assert_int_equal(site_file(site, "grub/grub.cfg", &peer, &config, NULL), 0);
                assert_non_null(strstr(config.text, "linux '/debian/linux'"));
        }
}

/* Nothing to boot, a kernel elsewhere, and one file named twice. */
static void test_volume_refused(void **state)
{
        struct site *s =
                load_good(SITE_HEAD "profile \"url\" {\n kernel = \"http://192.0.2.9/linux\"\n}\n"
                                    "profile \"san\" {\n san = \"aoe:e0.0\"\n}\n"
                                    "profile \"twice\" {\n kernel = \"debian/linux\"\n"
                                    " initrd = [\"debian/initrd.gz\", \"/debian/initrd.gz\"]\n}\n"
                                    "machine \"url\" {\n mac = \"52:54:00:00:00:01\"\n profile = profile.url\n}\n"
                                    "machine \"san\" {\n mac = \"52:54:00:00:00:02\"\n profile = profile.san\n}\n"
                                    "machine \"twice\" {\n mac = \"52:54:00:00:00:03\"\n profile = profile.twice\n}\n");
        struct site_peer peer = {.server = 0x0a4d0001, .has_mac = true, .mac = {0x52, 0x54, 0, 0, 0, 1}};
        CLEANUP(site_file_clear) struct site_file url = {0}, san = {0}, twice = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(site_file(s, "shimx64.img", &peer, &url, &err), -EINVAL);
        assert_non_null(
                strstr(error_message(&err), "'http://192.0.2.9/linux' is a URL, and GRUB starts files of this"));
        peer.mac[5] = 2;
        assert_int_equal(site_file(s, "shimx64.img", &peer, &san, NULL), 0); /* then it is a file, which is not there */
        assert_int_equal(san.kind, SITE_FILE_DISK);
        peer.mac[5] = 3;
        assert_int_equal(site_file(s, "shimx64.img", &peer, &twice, NULL), 0);
        assert_int_equal(twice.n_parts, 6);
        site_free(s);
}

/* With nothing but a path to go by: a Raspberry Pi beside another DHCP server. */
static void test_by_path(void **state)
{
        const struct site_peer nobody = {.address = 0x0a4d0065, .server = 0x0a4d0001};
        static const struct {
                const char *path, *part;
        } rows[] = {
                {"0000000a/config.txt", "# pi4\n"},
                {"dc-a6-32-00-00-04/config.txt", "# pi4\n"},
                {"mac/52-54-00-00-00-01/answers/public", "m1|own|"},
                {"mac/52-54-00-00-00-01/boot.ipxe", "url=http://10.77.0.1/mac/52-54-00-00-00-01/answers/preseed"},
                {"pxelinux.cfg/01-52-54-00-00-00-01", "KERNEL debian/linux"},
                {"grub/grub.cfg-01-52-54-00-00-00-01", "linux '/debian/linux'"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(site_file_clear) struct site_file file = {0};

                assert_int_equal(site_file(site, rows[i].path, &nobody, &file, NULL), 0);
                if (!file.text || !strstr(file.text, rows[i].part))
                        fail_msg("%s: %s", rows[i].path, file.text ? file.text : file.path);
        }
}

/* What is refused, and in which words. */
static void test_refused(void **state)
{
        const struct site_peer nobody = {.address = 0x0a4d0065, .server = 0x0a4d0001};
        static const struct {
                const char *machine, *path; /* machine NULL: nobody */
                int code;
                const char *message;
        } rows[] = {
                {"m1", "../etc/passwd", -EACCES, "a path with '..' is refused"},
                {"m1", "a/..", -EACCES, "'..'"},
                {"m1", "..\\x", -EACCES, "'..'"},
                {"m1", "0000000a/../x", -EACCES, "'..'"},
                {"m1", "", -ENOENT, "no file is named"},
                {"m1", "///", -ENOENT, "no file is named"},
                {"m1", "a\nb", -ENOENT, "control characters"},
                {"m1", "answers/nothing", -ENOENT, "profile 'installer' of machine 'm1' has no answers 'nothing'"},
                {"m1", "answers/preseed/x", -ENOENT, "has no answers 'preseed/x'"},
                {"m1", "answers/missing", -EINVAL, "site.hcl:"},
                {"out", "boot.ipxe", -EACCES, "the kernel: a path with '..' is refused"},
                {"own", "answers/preseed", -ENOENT, "profile 'own' of machine 'own' has no answers 'preseed'"},
                {NULL, "answers/preseed", -ENOENT, "profile 'local-disk' of 10.77.0.101 has no answers 'preseed'"},
                {NULL, "mac/52-54-00-00-00-01/answers/preseed", -EACCES, "preseed holds a secret, which is given only"},
                {NULL, "mac/52-54-00-00-00-01/answers/known", -EACCES, "are for machines of the site file"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = rows[i].machine ? peer_of(rows[i].machine) : nobody;
                CLEANUP(site_file_clear) struct site_file file = {0};
                CLEANUP_ERROR struct error err = {0};
                int r = site_file(site, rows[i].path, &peer, &file, &err);

                if (r != rows[i].code || !strstr(error_message(&err), rows[i].message))
                        fail_msg("%s: %d, %s", rows[i].path, r, error_message(&err));
        }
}

/* The address that is kept for a machine is as good as its lease. */
static void test_reserved_address(void **state)
{
        const struct site_peer peer = {.address = 0x0a4d000b, .server = 0x0a4d0001};
        CLEANUP(site_file_clear) struct site_file file = {0};

        (void)state;
        assert_int_equal(site_file(site, "answers/preseed", &peer, &file, NULL), 0);
        check_golden("installer.preseed", file.text);
}

/* A host name that is more than one goes into no text. */
static void test_injection(void **state)
{
        static const struct {
                const char *name, *shown;
        } rows[] = {
                {"good-name.example", "|good-name.example|"}, {"<script>", "||"}, {"a\\x0ab", "||"}, {"$(id)", "||"}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = peer_of("m1");
                struct client client = {.kind = CLIENT_PXE, .has_mac = true};
                CLEANUP(site_file_clear) struct site_file file = {0};

                snprintf(client.host_name, sizeof(client.host_name), "%s", rows[i].name);
                peer.client = &client;
                assert_int_equal(site_file(site, "answers/public", &peer, &file, NULL), 0);
                assert_non_null(strstr(file.text, rows[i].shown));
        }
}

/* A legacy image whose sums are right; a machine that boots its own disk has none. */
static void test_uboot_script(void **state)
{
        struct site_peer peer = peer_of("m1"), nobody = {.address = 0x0a4d0064, .server = 0x0a4d0001};
        CLEANUP(site_file_clear) struct site_file file = {0}, none = {0};
        char header[64];

        (void)state;
        assert_int_equal(site_file(site, "boot.scr.uimg", &peer, &file, NULL), 0);
        assert_int_equal(file.kind, SITE_FILE_TEXT);
        memcpy(header, file.text, 64);
        memset(header + 4, 0, 4);
        assert_int_equal(get_be32(file.text), 0x27051956);
        assert_int_equal(get_be32(file.text + 4), crc32(0, (const uint8_t *)header, 64));
        assert_int_equal(get_be32(file.text + 12), file.len - 64);
        assert_int_equal(get_be32(file.text + 24), crc32(0, (const uint8_t *)file.text + 64, (uInt)file.len - 64));
        assert_int_equal(get_be32(file.text + 64), file.len - 72);
        assert_int_equal(get_be32(file.text + 68), 0);
        assert_non_null(strstr(file.text + 72, "pxe boot"));
        assert_int_equal(site_file(site, "boot.scr.uimg", &nobody, &none, NULL), 0);
        assert_int_equal(none.kind, SITE_FILE_DISK);
}

/* A loader in a folder of its own looks for its configuration beside itself, and for files too. */
static void test_loader_in_folder(void **state)
{
        static const struct {
                enum client_platform platform;
                const char *line;
        } rows[] = {{PLATFORM_BIOS, "  KERNEL ::debian/linux\n  INITRD ::debian/initrd.gz,::more.cpio\n"},
                    {PLATFORM_UBOOT_ARM64, "  KERNEL /debian/linux\n  INITRD /debian/initrd.gz,/more.cpio\n"}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct site_peer peer = peer_of("m1");
                struct client client = {.kind = CLIENT_PXE, .platform = rows[i].platform};
                CLEANUP(site_file_clear) struct site_file file = {0};

                peer.client = &client;
                assert_int_equal(site_file(site, "boot/pxe/pxelinux.cfg/default", &peer, &file, NULL), 0);
                assert_non_null(strstr(file.text, rows[i].line));
        }
}

/* The server's threads ask at the same time. */
static void *ask_often(void *arg)
{
        struct site_peer peer = peer_of("m1");
        struct client client = {.kind = CLIENT_IPXE, .platform = PLATFORM_BIOS, .has_mac = true, .http = true};
        size_t *right = arg;

        memcpy(client.mac, peer.mac, 6);
        for (int i = 0; i < 100; i++) {
                static const char *const paths[] = {"boot.ipxe", "answers/preseed", "answers/missing", "debian/linux"};
                CLEANUP(site_file_clear) struct site_file file = {0};
                CLEANUP(site_boot_clear) struct site_boot boot = {0};
                CLEANUP_ERROR struct error err = {0};
                int r = site_file(site, paths[i % 4], &peer, &file, &err);

                *right += i % 4 == 2 ? r == -EINVAL && err.message : r == 0;
                *right += site_boot(site, site->networks, &client, peer.server, &boot, &err) == 0 && boot.file;
        }
        return NULL;
}

static void test_threads(void **state)
{
        enum { THREADS = 4 };
        pthread_t threads[THREADS];
        size_t right[THREADS] = {0};

        (void)state;
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &right[i]), 0);
        for (size_t i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(right[i], 200);
}

static void test_folders(void **state)
{
        CLEANUP_STRV char **folders = site_folders(site);
        CLEANUP_FREE char *root = path_join(dir, "root"), *loaders = path_join(dir, "loaders"),
                          *firmware = path_join(dir, "firmware"), *far = path_join(dir, "far");

        (void)state;
        assert_true(strv_has(STRV(folders), far));
        assert_true(strv_has(STRV(folders), root));
        assert_true(strv_has(STRV(folders), loaders));
        assert_true(strv_has(STRV(folders), firmware));
        assert_true(strv_has(STRV(folders), dir)); /* of the site file */
        assert_false(strv_has(STRV(folders), "/"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rendered),         cmocka_unit_test(test_profiles),
                cmocka_unit_test(test_local_disk),       cmocka_unit_test(test_disk_files),
                cmocka_unit_test(test_by_path),          cmocka_unit_test(test_refused),
                cmocka_unit_test(test_reserved_address), cmocka_unit_test(test_injection),
                cmocka_unit_test(test_folders),          cmocka_unit_test(test_loader_in_folder),
                cmocka_unit_test(test_threads),          cmocka_unit_test(test_uboot_script),
                cmocka_unit_test(test_volume),           cmocka_unit_test(test_volume_refused),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
