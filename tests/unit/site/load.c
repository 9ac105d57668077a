/* Site files read: what is in them, and every way to be wrong. */
#include "sitetest.h"

static void test_all_keys(void **state)
{
        struct site *site = load_good(
                SITE_HEAD "state = \"state\"\ncapture = false\nlisten {\n tftp = 6969\n tftp_single_port = true\n "
                          "tftp_fragments = "
                          "true\n http = 8080\n https = 8443\n"
                          " certificate = \"cert.pem\"\n key = \"key.pem\"\n}\n"
                          "network \"lab\" {\n interface = \"eth0\"\n subnet = \"10.77.0.0/24\"\n address = "
                          "\"10.77.0.1\"\n mode = \"dhcp\"\n ranges = [[\"10.77.0.100\", \"10.77.0.120\"], "
                          "[\"10.77.0.130\", \"10.77.0.140\"]]\n router = \"10.77.0.1\"\n dns = [\"10.77.0.1\", "
                          "\"10.77.0.2\"]\n lease_time = \"1h\"\n max_lease_time = 7200\n authoritative = true\n"
                          " probe = false\n known_only = true\n next_server = \"10.77.0.9\"\n"
                          " option \"224\" {\n  value = \"xyz\"\n  type = \"text\"\n  vendor_class = \"PXEClient\"\n"
                          "  force = true\n }\n}\n"
                          "network \"far\" {\n subnet = \"10.78.0.0/16\"\n mode = \"proxy\"\n}\n"
                          "profile \"a\" {\n kernel = \"debian/linux\"\n}\n"
                          "machine \"m1\" {\n mac = \"52-54-00-00-00-01\"\n address = \"10.77.0.11\"\n"
                          " uuid = \"00112233-4455-6677-8899-aabbccddeeff\"\n profile = profile.a\n"
                          " variables = { x = 1 }\n}\n"
                          "machine \"m 2\" {\n macs = [\"52:54:00:00:00:02\", \"525400000003\"]\n"
                          " host_name = \"two.example.org\"\n serial = \"100000001234abcd\"\n}\n"
                          "default_profile = profile.local-disk\n");
        const struct site_network *lab = &site->networks[0], *far = &site->networks[1];
        const struct site_machine *m1 = site_machine_by_name(site, "m1"), *m2 = site_machine_by_name(site, "m 2");
        static const uint8_t mac3[6] = {0x52, 0x54, 0, 0, 0, 3};

        (void)state;
        assert_int_equal(site->listen.tftp, 6969);
        assert_true(site->listen.tftp_single_port && site->listen.tftp_fragments);
        assert_int_equal(site->listen.http, 8080);
        assert_int_equal(site->listen.https, 8443);
        assert_true(str_ends(site->listen.certificate, "/cert.pem") && site->listen.certificate[0] == '/');
        assert_true(str_ends(site->root, "/root") && str_ends(site->state, "/state"));
        assert_false(site->capture);
        assert_int_equal(lab->mode, SITE_DHCP);
        assert_int_equal(lab->address, 0x0a4d0001);
        assert_int_equal(lab->mask, 0xffffff00);
        assert_int_equal(lab->ranges.n, 2);
        assert_int_equal(lab->ranges.v[1].last, 0x0a4d008c);
        assert_int_equal(lab->lease_sec, 3600);
        assert_int_equal(lab->max_lease_sec, 7200);
        assert_true(lab->authoritative && lab->only_known && !lab->probe);
        assert_int_equal(lab->next_server, 0x0a4d0009);
        assert_int_equal(lab->options.n, 3);
        assert_int_equal(lab->options.v[0].code, 224); /* conditional ones first */
        assert_memory_equal(lab->options.v[0].data, "xyz", 3);
        assert_string_equal(lab->options.v[0].vendor_class, "PXEClient");
        assert_true(lab->options.v[0].force);
        assert_int_equal(lab->options.v[2].code, 6);
        assert_int_equal(lab->options.v[2].len, 8);
        assert_int_equal(far->mode, SITE_PROXY);
        assert_int_equal(far->mask, 0xffff0000);
        assert_null(far->interface);
        assert_ptr_equal(site_network_of(site, 0x0a4e1234), far);
        assert_null(site_network_of(site, 0x01020304));
        assert_int_equal(m1->address, 0x0a4d000b);
        assert_string_equal(m1->host_name, "m1");
        assert_true(m1->has_uuid && m1->uuid[1] == 0x11);
        assert_string_equal(m1->profile->name, "a");
        assert_null(m2->profile);
        assert_string_equal(m2->host_name, "two.example.org");
        assert_int_equal(m2->pi_serial, 0x1234abcd);
        assert_ptr_equal(site_machine_by_mac(site, mac3), m2);
        assert_true(site->default_profile->local_disk);
        site_free(site);
}

static void test_locals_and_dynamic(void **state)
{
        struct site *site = load_good(
                SITE_HEAD NETWORK
                "locals {\n second = \"${local.first}.2\"\n first = \"10.77.0\"\n"
                " racks = { a = \"52:54:00:00:00:0a\", b = \"52:54:00:00:00:0b\" }\n}\n"
                "local \"secret\" {\n expression = \"hidden\"\n sensitive = true\n}\n"
                "profile \"p\" {\n kernel = \"debian/linux\"\n secrets = { s = local.secret }\n}\n"
                "dynamic \"machine\" {\n for_each = local.racks\n labels = [\"rack-${machine.key}\"]\n"
                " content {\n  mac = machine.value\n  profile = \"p\"\n }\n}\n"
                "machine \"m\" {\n uuid = \"00112233445566778899aabbccddeeff\"\n address = local.second\n}\n");

        (void)state;
        assert_int_equal(site->n_machines, 3);
        assert_int_equal(site_machine_by_name(site, "m")->address, 0x0a4d0002);
        assert_int_equal(site_machine_by_name(site, "rack-b")->macs[0][5], 0x0b);
        assert_string_equal(site_machine_by_name(site, "rack-a")->profile->name, "p");
        site_free(site);
}

static void test_json_form(void **state)
{
        static const char text[] =
                "{\"root\": \"root\", \"network\": {\"lab\": {\"interface\": \"eth0\","
                "\"subnet\": \"10.77.0.0/24\"}}, \"profile\": {\"p\": {\"kernel\": \"debian/linux\"}},"
                "\"machine\": {\"m\": {\"mac\": \"52:54:00:00:00:01\", \"profile\": \"profile.p\"}}}";
        CLEANUP(diags_clear) struct diags diags = {0};
        struct site *site = NULL;

        (void)state;
        if (site_load_text("site.hcl.json", text, dir, &site, &diags) < 0)
                fail_msg("%s", messages(&diags));
        assert_string_equal(site_machine_by_name(site, "m")->profile->name, "p");
        site_free(site);
}

#define MACHINE(text) SITE_HEAD NETWORK "machine \"m\" {\n" text "\n}\n"
#define PROFILE(text) SITE_HEAD NETWORK "profile \"p\" {\n" text "\n}\n"

#define BESIDE(text)                                                                                                   \
        SITE_HEAD "network \"n\" {\n subnet = \"10.78.0.0/24\"\n address = \"10.78.0.1\"\n mode = \"proxy\"\n}\n"      \
                  "profile \"p\" {\n kernel = \"debian/linux\"\n" text "\n}\n"

/* Lines count from SITE_HEAD's two; NETWORK has seven. */
static const struct {
        const char *text, *message;
} wrong[] = {
        {"nework \"x\" {}", "1:1: unknown block 'nework'; did you mean 'network'?"},
        {"rot = \"x\"", "1:1: unknown argument 'rot'; did you mean 'root'?"},
        {"root = 5 + true", "1:12: "},
        {"root = [\"a\"]", "1:8: 'root' is a string, not tuple"},
        {"default_profile = profile.nothing", "1:19: there is no profile 'nothing'"},
        {"default_profile = profile.local-dsk", "did you mean 'local-disk'?"},
        {"folders = { \"..\" = \"/x\" }", "1:11: '..' cannot be the beginning of a path"},
        {"folders = { a = 1 + true }", "1:"},
        {"listen {\n http = 70000\n}", "2:9: 'http' is a port, a number from 1 to 65535, or 0 for none"},
        {"listen {\n https = 443\n}", "1:1: HTTPS needs a certificate and its key"},
        {"network \"a\" {\n interface = \"eth0\"\n mode = \"dhpc\"\n}",
         "3:9: 'dhpc' is none of what 'mode' can be; did you mean 'dhcp'?"},
        {"network \"a\" {\n interfce = \"eth0\"\n}", "2:2: unknown argument 'interfce'; did you mean 'interface'?"},
        {"network \"a\" {}", "1:9: a network without an interface needs a subnet, by which relays name it"},
        {"network \"a\" {\n subnet = \"10.0.0.5/24\"\n}",
         "2:11: '10.0.0.5/24' is an address in a subnet; the subnet is 10.0.0.0/24"},
        {"network \"a\" {\n subnet = \"10.0.0.0\"\n}", "2:11: '10.0.0.0' is no subnet such as 192.0.2.0/24"},
        {"network \"a\" {\n subnet = \"10.0.0.0/33\"\n}", "is no subnet such as 192.0.2.0/24"},
        {"network \"a\" {\n subnet = \"10.0.0.0/ 8\"\n}", "is no subnet such as 192.0.2.0/24"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n address = \"10.0.1.1\"\n}",
         "3:12: the server's address 10.0.1.1 is not in the network's subnet"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n address = \"10.0.0.1/16\"\n}",
         "the address and the subnet have different prefixes"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n range = [\"10.0.0.9\", \"10.0.0.5\"]\n}",
         "3:10: the range ends before it begins: 10.0.0.9 is after 10.0.0.5"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n range = \"10.0.0.9-20\"\n}",
         "a range is the first and the last address"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n range = [\"10.0.0.9\", \"10.0.1.5\"]\n}",
         "3:10: the address 10.0.1.5 is not in the subnet of network 'a', 10.0.0.0/24"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n range = [[\"10.0.0.9\", \"10.0.0.20\"], [\"10.0.0.20\", "
         "\"10.0.0.30\"]]\n}",
         "two ranges of network 'a' overlap"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n router = \"10.0.0\"\n}", "3:11: router: "},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n lease_time = \"soon\"\n}", "3:15: "},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n lease_time = 0\n}", "a time is needed"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n lease_time = 100\n max_lease_time = 50\n}",
         "4:19: the longest lease is shorter than the usual one of 100 s"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n authoritative = \"perhaps\"\n}",
         "3:18: 'authoritative' is true or false, not string"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n option \"tftp-servername\" {\n  value = \"x\"\n }\n}",
         "3:9: there is no DHCP option 'tftp-servername'; did you mean 'tftp-server-name'?"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n option \"54\" {\n  value = \"10.0.0.1\"\n }\n}",
         "3:9: the option '54' is made by the server for each message"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n option \"224\" {\n  value = \"x\"\n  type = \"txt\"\n }\n}",
         "5:10: there is no type 'txt' of options; did you mean 'text'?"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n option \"224\" {\n }\n}", "value"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n}\nnetwork \"b\" {\n subnet = \"10.0.0.0/8\"\n}",
         "5:11: the networks 'a' and 'b' overlap"},
        {"network \"a\" {\n subnet = \"10.0.0.0/24\"\n}\nnetwork \"a\" {\n subnet = \"10.1.0.0/24\"\n}",
         "4:9: there are two networks 'a'"},
        {"network \"a\" {\n interface = \"e0\"\n subnet = \"10.0.0.0/24\"\n}\nnetwork \"b\" {\n interface = \"e0\"\n "
         "subnet = \"10.1.0.0/24\"\n}",
         "6:14: the networks 'a' and 'b' are on the same interface; say shared = \"NAME\" in both"},
        {MACHINE("mac = \"52:54:00:12:34\""), "11:7: '52:54:00:12:34' is no MAC address such as 52:54:00:12:34:56"},
        {MACHINE("mac = \"53:54:00:12:34:56\""), "is the address of a group, not of one machine"},
        {MACHINE("mac = [1]"), "'1' is no MAC address"},
        {MACHINE("uuid = \"123\""), "'123' is no UUID such as"},
        {MACHINE("serial = \"12\""), "'12' is no serial number of a Raspberry Pi"},
        {MACHINE("address = \"10.77.0.20\""), "10:9: nothing says how machine 'm' is recognised; add mac = \"...\""},
        {MACHINE("mac = \"52:54:00:12:34:56\"\naddress = \"10.99.0.20\""),
         "12:11: the address 10.99.0.20 is in none of the networks"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\naddress = \"10.77.0.1\""), "the address 10.77.0.1 is the server's own"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\naddress = \"10.77.0.255\""),
         "is the broadcast address of network 'lab'"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\naddress = \"10.77.0.0\""), "is the subnet itself of network 'lab'"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\nhost_name = \"a b\""), "12:13: 'a b' is no host name"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\nprofile = profile.x"), "12:11: there is no profile 'x'"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\nprofile = 5"), "there is no profile '5'"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\nvariables = 5"),
         "'variables' is an object, { name = value }, not number"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\nadress = \"1.2.3.4\""), "unknown argument 'adress'"},
        {MACHINE("mac = [\"52:54:00:12:34:56\", \"52:54:00:12:34:56\"]"), "is there twice"},
        {MACHINE("mac = \"52:54:00:12:34:56\"") "machine \"n\" {\n mac = \"52:54:00:12:34:56\"\n}\n",
         "14:8: the MAC address 52:54:00:12:34:56 is that of machine 'm' already"},
        {MACHINE("mac = \"52:54:00:12:34:56\"") "machine \"m\" {\n mac = \"52:54:00:12:34:57\"\n}\n",
         "13:9: this name is that of machine 'm' already"},
        {MACHINE("mac = \"52:54:00:12:34:56\"\naddress = \"10.77.0.9\"") "machine \"n\" {\n mac = "
                                                                         "\"52:54:00:12:34:57\"\n address = "
                                                                         "\"10.77.0.9\"\n}\n",
         "this address is that of machine 'm' already"},
        {PROFILE(""), "10:9: profile 'p' boots nothing"},
        {PROFILE("kernel = \"a\"\nkernl = \"b\""), "unknown argument 'kernl'; did you mean 'kernel'?"},
        {PROFILE("kernel = \"debian/${machine.nam}\""), "11:"},
        {PROFILE("kernel = \"${machin.name}\""), "there is no variable named 'machin'; did you mean 'machine'?"},
        {PROFILE("kernel = \"debian/linux\"\ncmdline = \"url=${answers.preseed}\""), "12:"},
        {PROFILE("kernel = \"../linux\""), "11:10: the kernel '../linux': a path with '..' is refused"},
        {PROFILE("kernel = \"debian/linux\"\nloader = \"lilo\""), "12:10: 'lilo' is none of what 'loader' can be"},
        {PROFILE("boot = { bois = \"x\" }"), "11:8: there is no platform 'bois'; did you mean 'bios'?"},
        {PROFILE("boot = \"x\""), "11:8: 'boot' is an object, { bios = \"FILE\" }, not string"},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"x\" {\n}"), "12:1: answers are made of one thing"},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"x\" {\n template = \"a\"\n text = \"b\"\n}"),
         "answers are made of one thing"},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"x\" {\n template = \"nothing.tmpl\"\n}"), "13:13: "},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"a/b\" {\n text = \"b\"\n}"),
         "12:9: 'a/b' cannot be the name of a file"},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"a\" {\n text = \"b\"\n}\nanswers \"a\" {\n text = \"b\"\n}"),
         "there are two answers 'a' in profile 'p'"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"smb\" {\n path = \"/x\"\n}"),
         "12:6: 'smb' is no kind of root; there are \"nfs\", \"nbd\" and \"squashfs\""},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nfs\" {\n}"), "a path is needed here"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nfs\" {\n path = \"/a b\"\n}"),
         "13:9: 'path' becomes part of a kernel's command line: it cannot have blanks in it"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nbd\" {\n}"), "an image is needed here"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nfs\" {\n path = \"/x\"\n export = \"y\"\n}"),
         "only nbd has exports with a name"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nbd\" {\n path = \"/x\"\n export = \"a,b\"\n}"),
         "'a,b' cannot be the name of an export"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nfs\" {\n path = \"/a\\\"b\"\n}"),
         "NFS exports no folder with '\"' or '\\' in its name"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nbd\" {\n path = \"/x\"\n}") "profile \"q\" {\n kernel = "
                                                                                 "\"debian/linux\"\nroot \"nbd\" {\n "
                                                                                 "path = \"/y\"\n export = "
                                                                                 "\"p\"\n}\n}\n",
         "the profiles 'p' and 'q' export two images under the name 'p'"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nfs\" {\n path = \"/x\"\n}") "profile \"q\" {\n kernel = "
                                                                                 "\"debian/linux\"\nroot \"nfs\" {\n "
                                                                                 "path = \"/y\"\n port = 99\n}\n}\n",
         "the profiles 'p' and 'q' have roots by NFS at two ports"},
        {PROFILE("kernel = \"debian/linux\"\ninitramfs = \"initramfs-tools\"\nroot \"squashfs\" {\n path = \"x\"\n}"),
         "12:13: initramfs-tools cannot mount a root of this kind by itself"},
        {PROFILE("firmware = \"firmware\"\nimage = \"x.img\""), "the firmware comes from a folder or from an image"},
        {SITE_HEAD "profile \"local-disk\" {\n kernel = \"x\"\n}\n", "3:9: the profile 'local-disk' is built in"},
        {PROFILE("kernel = \"debian/linux\"") "profile \"p\" {\n kernel = \"debian/linux\"\n}\n",
         "13:9: there are two profiles 'p'"},
        {"locals {\n a = local.b\n b = local.a\n}", "2:2: this value and others need each other, in a circle"},
        {"locals {\n a = local.c\n}", "2:"},
        {"locals {\n a = 1\n}\nlocals {\n a = 2\n}", "5:2: there are two locals 'a'"},
        {"machine \"m\" {", "1:"},
        {"machine {\n}", "1:"},
};

static void test_wrong(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                struct site *site = NULL;
                int r = site_load_text("site.hcl", wrong[i].text, dir, &site, &diags);
                CLEANUP_FREE char *all = messages(&diags);

                if (r == 0 || !strstr(all, wrong[i].message))
                        fail_msg("%s\nwanted: %s\ngot: %s", wrong[i].text, wrong[i].message, all);
                assert_null(site);
        }
}

static const struct {
        const char *text, *message;
} doubtful[] = {
        {PROFILE("kernel = \"debian/none\""), "11:10: warning: the kernel '"},
        {PROFILE("kernel = \"debian/linux\"\ninitrd = [\"debian/none\"]"), "12:10: warning: the initrd '"},
        {PROFILE("kernel = \"out\""), "11:10: warning: the kernel '"},
        {PROFILE("kernel = \"out\""), "is a link that leads out of '"},
        {PROFILE("firmware = \"nothing\""), "10:9: warning: the firmware folder '"},
        {PROFILE("kernel = \"debian/linux\"\nanswers \"a\" {\n file = \"none\"\n}"),
         "12:9: warning: the file of answers '"},
        {"root = \"none\"\n", "1:8: warning: the root '"},
        {"folders = { a = \"none\" }\n", "1:11: warning: the folder '"},
        {"loaders = \"none\"\n", "1:11: warning: the folder of loaders '"},
        {"listen {\n certificate = \"none\"\n}\n", "2:16: warning: the certificate '"},
        {"listen {\n key = \"none\"\n}\n", "2:8: warning: the key '"},
        {PROFILE("image = \"nothing.img\""), "10:9: warning: the image '"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"nbd\" {\n path = \"none\"\n}"), "10:9: warning: the root '"},
        {PROFILE("kernel = \"debian/linux\"\nroot \"squashfs\" {\n path = \"none\"\n}"), "10:9: warning: the root '"},
        {"network \"a\" {\n mode = \"proxy\"\n subnet = \"10.0.0.0/24\"\n range = [\"10.0.0.1\", \"10.0.0.2\"]\n}",
         "4:10: warning: no addresses are given away in proxy mode"},
        {BESIDE("loader = \"grub\"") "default_profile = profile.p\n",
         "10:10: warning: GRUB asks the server that gave the address for its files, and in network 'n' that is "
         "another"},
        {BESIDE("loader = \"shim\"") "default_profile = profile.p\n", "10:10: warning: GRUB asks"},
        {BESIDE("dtb = \"debian/linux\"") "default_profile = profile.p\n", "10:7: warning: U-Boot asks"},
        {BESIDE("boot = { u-boot-arm64 = \"boot.scr.uimg\" }") "default_profile = profile.p\n",
         "10:8: warning: U-Boot asks"},
        {BESIDE("loader = \"grub\"") "machine \"m\" {\n mac = \"52:54:00:00:00:01\"\n profile = profile.p\n}\n",
         "10:10: warning: GRUB asks"},
        {PROFILE("san = \"fcoe:20:00:00:1f:16:bc:fe:2f:0\""),
         "11:7: warning: iPXE knows no disk 'fcoe:20:00:00:1f:16:bc:fe:2f:0'"},
        {PROFILE("san = \"fcp:20:00:00:1f:16:bc:fe:0\""), "11:7: warning: 'fcp:20:00:00:1f:16:bc:fe:0' is not"},
        {PROFILE("san = \"iscsi:10.77.0.1:iqn.2026-11.org.example:x\""),
         "is not 'iscsi:SERVER:PROTOCOL:PORT:LUN:NAME'"},
        {PROFILE("san = \"aoe:0.0\""), "is not 'aoe:eSHELF.SLOT'"},
};

/* Nothing is to be said of these. */
static const char *const sound[] = {
        BESIDE("loader = \"ipxe\"") "default_profile = profile.p\n",
        BESIDE("loader = \"grub\""), /* which no machine boots */
        BESIDE("loader = \"grub\"") NETWORK
        "machine \"m\" {\n mac = \"52:54:00:00:00:01\"\n address = \"10.77.0.11\"\n profile = profile.p\n}\n",
        PROFILE("san = \"fcp:20:00:00:1f:16:bc:fe:2f:0\""),
        PROFILE("san = \"aoe:e2.4\""),
        PROFILE("san = \"iscsi:boot.example.org:::1:iqn.2026-11.org.example:x:y\""),
        PROFILE("san = \"iscsi:${server.address}::::iqn.2026-11.org.example:x\""),
        PROFILE("san = \"http://10.77.0.1/disk.iso\""),
};

static void test_sound(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
                site_free(load_good(sound[i]));
}

static void test_doubtful(void **state)
{
        CLEANUP_FREE char *link = path_join(dir, "root/out");

        (void)state;
        assert_int_equal(symlink("../firmware/start4.elf", link), 0);
        for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                struct site *site = NULL;
                int r = site_load_text("site.hcl", doubtful[i].text, dir, &site, &diags);
                CLEANUP_FREE char *all = messages(&diags);

                if (r < 0 || !strstr(all, doubtful[i].message))
                        fail_msg("%s\nwanted: %s\ngot: %s", doubtful[i].text, doubtful[i].message, all);
                site_free(site);
        }
}

static void test_file(void **state)
{
        CLEANUP(diags_clear) struct diags diags = {0}, none = {0};
        CLEANUP_FREE char *path = path_join(dir, "root/site.hcl"), *missing = path_join(dir, "nothing.hcl");
        struct site *site = NULL;

        (void)state;
        put("root/site.hcl", "root = \".\"\n");
        assert_int_equal(site_load(path, &site, &diags), 0);
        assert_non_null(strstr(diags.list.v[0].summary, "root/site.hcl' lies beneath the root"));
        site_free(site);
        assert_int_equal(site_load(missing, &site, &none), -EINVAL);
        assert_int_equal(none.n_errors, 1);
        diags_clear(&none);
}

/* All site files of a folder are one site; other files there are none of its business. */
static void test_folder(void **state)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_FREE char *path = path_join(dir, "site.d"), *all = NULL;
        struct site *site = NULL;

        (void)state;
        put("site.d/20-racks.hcl", "dynamic \"machine\" {\n for_each = local.racks\n labels = [machine.key]\n"
                                   " content {\n mac = machine.value\n profile = profile.p\n }\n}\n");
        put("site.d/10-site.hcl", "root = \"../root\"\nprofile \"p\" {\n kernel = \"debian/linux\"\n}\n");
        put("site.d/30-locals.hcl.json", "{\"locals\": {\"racks\": {\"r1\": \"52:54:00:00:00:01\"}}}");
        put("site.d/.hidden.hcl", "nonsense");
        put("site.d/10-site.hcl~", "nonsense");
        put("site.d/preseed.cfg", "nonsense");
        if (site_load(path, &site, &diags) < 0)
                fail_msg("%s", all = messages(&diags));
        assert_true(str_ends(site->root, "/root"));
        assert_string_equal(site_machine_by_name(site, "r1")->profile->name, "p");
        site_free(site);
}

static const struct {
        const char *text, *message, *other;
} twice[] = {
        {"root = \"/b\"\n", "b.hcl:1:1: 'root' is set twice", "It is set in line 1 of "},
        {"\nprofile \"p\" {\n}\n", "b.hcl:2:9: there are two profiles 'p'", "The other one is in line 2 of "},
        {"network \"n\" {\n interface = \"eth1\"\n}\n", "b.hcl:1:9: there are two networks 'n'",
         "The other one is in line 5 of "},
        {"machine \"m\" {\n mac = \"52:54:00:00:00:02\"\n}\n", "b.hcl:1:9: this name is that of machine 'm' already",
         "Machine 'm' is in line 8 of "},
        {"machine \"o\" {\n mac = \"52:54:00:00:00:01\"\n}\n",
         "b.hcl:2:8: the MAC address 52:54:00:00:00:01 is that of machine 'm' already", "Machine 'm' is in line 8 of "},
        {"locals {\n x = 2\n}\n", "b.hcl:2:2: there are two locals 'x'", "The other one is in line 12 of "},
        {"listen {\n}\n", "b.hcl:1:1: there are two blocks 'listen'", "The other one is in line 14 of "},
        {"profile \"q\" {\n kernal = \"x\"\n}\n", "b.hcl:2:2: unknown argument 'kernal'", ""},
        {"profile \"q\" {\n", "b.hcl:1:", ""},
};

static void test_twice(void **state)
{
        CLEANUP_FREE char *path = path_join(dir, "twice.d"), *empty = path_join(dir, "firmware");
        CLEANUP(diags_clear) struct diags none = {0};
        struct site *site = NULL;

        (void)state;
        put("twice.d/a.hcl", "root = \"../root\"\nprofile \"p\" {\n kernel = \"debian/linux\"\n}\n"
                             "network \"n\" {\n interface = \"eth0\"\n}\n"
                             "machine \"m\" {\n mac = \"52:54:00:00:00:01\"\n}\nlocals {\n x = 1\n}\n"
                             "listen {\n http = 0\n}\n");
        for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                CLEANUP_FREE char *all = NULL, *detail = NULL;

                put("twice.d/b.hcl", twice[i].text);
                assert_int_equal(site_load(path, &site, &diags), -EINVAL);
                all = messages(&diags);
                assert_non_null(diags.list.v[0].range.source);
                detail = xasprintf("%s:%s\n%s", path_name(diags.list.v[0].range.source->path), all,
                                   diags.list.v[0].detail ? diags.list.v[0].detail : "");
                if (!strstr(detail, twice[i].message) || !strstr(detail, twice[i].other) ||
                    (*twice[i].other && !strstr(detail, "twice.d/a.hcl")))
                        fail_msg("%s\nwanted: %s %s\ngot: %s", twice[i].text, twice[i].message, twice[i].other, detail);
        }
        assert_int_equal(site_load(empty, &site, &none), -EINVAL);
        assert_non_null(strstr(none.list.v[0].summary, "holds no site file"));
}

/* What is said of a misspelt key is said once. */
static void test_once(void **state)
{
        static const char *const texts[] = {"network \"n\" {\n interfase = \"eth0\"\n}\n",
                                            "machine \"m\" {\n mak = \"52:54:00:00:00:01\"\n}\n"};

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                CLEANUP(diags_clear) struct diags diags = {0};
                struct site *site = NULL;

                assert_int_equal(site_load_text("site.hcl", texts[i], dir, &site, &diags), -EINVAL);
                assert_int_equal(diags.n_errors, 1);
                assert_non_null(strstr(diags.list.v[0].summary, "did you mean"));
        }
}

static void test_bind(void **state)
{
        struct site *site = load_good(SITE_HEAD "network \"a\" {\n interface = \"eth0\"\n range = \"auto\"\n}\n"
                                                "network \"b\" {\n interface = \"eth1\"\n"
                                                " range = [\"10.78.0.5\", \"10.78.0.9\"]\n}\n"
                                                "machine \"m\" {\n mac = \"52:54:00:00:00:01\"\n"
                                                " address = \"10.79.0.1\"\n}\n");
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_FREE char *first = NULL, *second = NULL;

        (void)state;
        assert_int_equal(site_bind(site, 0, 0x0a4d00c8, 0xffffff00, &diags), 0); /* 10.77.0.200 */
        assert_int_equal(site->networks[0].subnet, 0x0a4d0000);
        assert_int_equal(site->networks[0].ranges.n, 2);
        assert_int_equal(site->networks[0].ranges.v[0].first, 0x0a4d0080);
        assert_int_equal(site->networks[0].ranges.v[0].last, 0x0a4d00c7);
        assert_int_equal(site->networks[0].ranges.v[1].last, 0x0a4d00fe);
        assert_int_equal(site_bind(site, 1, 0x0a4d0001, 0xffffff00, &diags), -EINVAL);
        first = messages(&diags);
        assert_non_null(strstr(first, "9:10: the address 10.78.0.5 is not in the subnet of network 'b'"));
        site_free(site);

        site = load_good(SITE_HEAD "network \"c\" {\n interface = \"eth0\"\n}\nmachine \"m\" {\n"
                                   " mac = \"52:54:00:00:00:01\"\n address = \"10.79.0.1\"\n}\n");
        diags_clear(&diags);
        assert_int_equal(site_bind(site, 0, 0x0a4f0001, 0xffffff00, &diags), -EINVAL);
        second = messages(&diags);
        assert_string_equal(second, "8:12: the address 10.79.0.1 is the server's own\n");
        site_free(site);
}

/* Every machine of many is found by all that it is known by. */
static void test_many(void **state)
{
        enum { MANY = 20000 };
        CLEANUP_STR struct str text = {0};
        struct site *site;

        (void)state;
        str_add(&text, SITE_HEAD "network \"n\" {\n subnet = \"10.0.0.0/8\"\n}\n");
        for (unsigned i = 1; i <= MANY; i++)
                str_addf(&text,
                         "machine \"m%u\" {\n mac = \"52:54:00:%02x:%02x:%02x\"\n address = \"10.1.%u.%u\"\n"
                         " serial = \"%08x\"\n}\n",
                         i, i >> 16, i >> 8 & 255, i & 255, i >> 8, i & 255, i);
        site = load_good(str_get(&text));
        assert_int_equal(site->n_machines, MANY);
        for (unsigned i = 1; i <= MANY; i++) {
                uint8_t mac[6] = {0x52, 0x54, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
                struct client client = {.pi_serial = i};
                const struct site_machine *machine = site_machine_by_mac(site, mac);

                assert_non_null(machine);
                assert_int_equal(machine->address, 0x0a010000 + i);
                assert_ptr_equal(site_machine(site, &client), machine);
                assert_ptr_equal(site_machine_by_address(site, machine->address), machine);
                assert_ptr_equal(site_machine_by_name(site, machine->name), machine);
        }
        site_free(site);
}

/* A list that is there twice does not drown its reader, nor take for ever. */
static void test_many_wrong(void **state)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_STR struct str text = {0};
        struct site *site = NULL;

        (void)state;
        for (unsigned i = 0; i < 20000; i++)
                str_addf(&text, "machine \"m%u\" {\n mac = \"52:54:00:00:%02x:%02x\"\n}\n", i % 10000, i % 10000 / 256,
                         i % 256);
        assert_int_equal(site_load_text("site.hcl", str_get(&text), dir, &site, &diags), -EINVAL);
        assert_in_range(diags.n_errors, 50, 60);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_keys),   cmocka_unit_test(test_locals_and_dynamic),
                cmocka_unit_test(test_json_form),  cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_doubtful),   cmocka_unit_test(test_sound),
                cmocka_unit_test(test_file),       cmocka_unit_test(test_folder),
                cmocka_unit_test(test_twice),      cmocka_unit_test(test_once),
                cmocka_unit_test(test_bind),       cmocka_unit_test(test_many),
                cmocka_unit_test(test_many_wrong),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
