/* PXE and HTTP Boot, as the only server and as proxyDHCP beside another one. */
#include "engine_lab.h"

#define BIOS "PXEClient:Arch:00000:UNDI:002001"
#define UEFI "PXEClient:Arch:00007:UNDI:003000"
#define HTTP "HTTPClient:Arch:00016:UNDI:003000"

static void boot_say(enum dhcp_type type, const char *class, uint16_t arch)
{
        say(type, 1);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, class);
        dhcp_put_u16(&lab.w, DHCP_OPT_ARCH, arch);
        dhcp_put(&lab.w, DHCP_OPT_UUID, "\0uuiduuiduuiduuid", 17);
}

static bool reply_is(uint8_t code, const char *bytes, size_t n)
{
        size_t len;
        const uint8_t *data = dhcp_get(&lab.reply, code, &len);

        return data && len == n && memcmp(data, bytes, n) == 0;
}
#define REPLY_IS(code, bytes) reply_is(code, bytes, sizeof(bytes) - 1)

static int proxy_setup(void **state)
{
        lab_setup(state);
        lab.networks[0].mode = SITE_PROXY;
        lab.boot_file = "boot.efi";
        lab.pxe = SITE_PXE_DIRECT;
        return 0;
}

static void test_own(void **state)
{
        (void)state;
        lab.boot_file = "boot.efi";
        lab.pxe = SITE_PXE_DIRECT;
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(lab.reply.h.siaddr, SERVER);
        assert_string_equal(lab.reply.h.file, "boot.efi");
        assert_true(REPLY_IS(DHCP_OPT_BOOT_FILE, "boot.efi\0")); /* EDK2 writes one there if there is none */
        assert_true(REPLY_IS(DHCP_OPT_TFTP_SERVER, "192.0.2.1"));
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "PXEClient"));
        assert_true(REPLY_IS(DHCP_OPT_VENDOR, "\6\1\x08\xff"));
        assert_true(REPLY_IS(DHCP_OPT_UUID, "\0uuiduuiduuiduuid"));

        lab.pxe = SITE_PXE_NONE; /* then 60 is left out as well: 60 alone means port 4011 */
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_VENDOR_CLASS));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_VENDOR));

        lab.boot_file = NULL; /* nothing to boot: an address, no more */
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_VENDOR_CLASS));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_BOOT_FILE));
        assert_int_equal(lab.reply.h.siaddr, 0);
}

static void test_raspberry_pi(void **state)
{
        static const char menu[] = "\x06\x01\x03\x0a\x04\x00PXE\x09\x17\x00\x00\x14Raspberry Pi Boot   \xff";
        uint32_t address;

        (void)state;
        lab.boot_file = ""; /* its ROM knows what to load */
        lab.pxe = SITE_PXE_PI;
        say(DHCP_DISCOVER, 1);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, BIOS);
        dhcp_put(&lab.w, DHCP_OPT_UUID, "\0DDDDDDDDDDDDDDDD", 17);
        handle();
        address = lab.reply.h.yiaddr;
        assert_true(REPLY_IS(DHCP_OPT_VENDOR, menu));
        assert_int_equal(lab.reply.h.siaddr, SERVER);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_BOOT_FILE));
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "PXEClient"));
        pass_sec(DHCP_OFFER_SEC + 10); /* it never sends a REQUEST, and goes on using what it was offered */
        assert_int_equal(lease_state(address), LEASE_OFFERED);
        for (uint8_t mac = 2; mac < 10; mac++)
                assert_int_not_equal(acquire(mac), address);
}

static void test_http(void **state)
{
        (void)state;
        lab.boot_file = "http://192.0.2.1/boot.efi";
        boot_say(DHCP_DISCOVER, HTTP, 16);
        handle();
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "HTTPClient"));
        assert_true(REPLY_IS(DHCP_OPT_BOOT_FILE, "http://192.0.2.1/boot.efi\0"));
        lab.boot_file = "boot.efi"; /* no URI: it can do nothing with that */
        boot_say(DHCP_DISCOVER, HTTP, 16);
        handle();
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_VENDOR_CLASS));
        assert_int_equal(lab.reply.type, DHCP_OFFER);
}

static void test_ipxe(void **state)
{
        (void)state;
        lab.boot_file = "http://192.0.2.1/boot.ipxe";
        boot_say(DHCP_DISCOVER, UEFI, 7);
        dhcp_put_text(&lab.w, DHCP_OPT_USER_CLASS, "iPXE");
        handle();
        assert_true(REPLY_IS(DHCP_OPT_IPXE, "\xb0\1\1")); /* it need not wait for a proxy's offer */
        assert_string_equal(lab.reply.h.file, "http://192.0.2.1/boot.ipxe");
}

/* A URI that is longer than the field: by option 67 alone. */
static void test_long_uri(void **state)
{
        static const char uri[] = "http://192.0.2.1/a-path-that-is-rather-long/and-goes-on-for-more-than-one-hundred-"
                                  "and-twenty-eight-characters/which-is-what-the-field-holds.efi";

        (void)state;
        lab.boot_file = uri;
        boot_say(DHCP_DISCOVER, HTTP, 16);
        handle();
        assert_true(REPLY_IS(DHCP_OPT_BOOT_FILE, uri) || lab.reply.len[DHCP_OPT_BOOT_FILE] == sizeof(uri));
        assert_string_equal(lab.reply.h.file, "");
}

static void test_proxy_offer(void **state)
{
        (void)state;
        boot_say(DHCP_DISCOVER, BIOS, 0);
        handle();
        assert_answer(DHCP_OFFER, 0);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "PXEClient"));
        assert_true(REPLY_IS(DHCP_OPT_VENDOR, "\6\1\x08\xff"));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_LEASE_TIME));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_SUBNET_MASK));
        assert_int_equal(lab.out.n_writes, 0);

        boot_say(DHCP_DISCOVER, UEFI, 7); /* to port 4011: the way that all know */
        handle();
        assert_answer(DHCP_OFFER, 0);
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "PXEClient"));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_VENDOR));

        lab.boot_file = "http://192.0.2.1/boot.efi";
        boot_say(DHCP_DISCOVER, HTTP, 16);
        handle();
        assert_answer(DHCP_OFFER, 0);
        assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "HTTPClient"));
}

/* The other server's business: nothing of it is answered. */
static void test_proxy_is_silent(void **state)
{
        static const enum dhcp_type types[] = {DHCP_REQUEST, DHCP_DECLINE, DHCP_RELEASE,
                                               DHCP_INFORM,  DHCP_NONE,    DHCP_OFFER};

        (void)state;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                boot_say(types[i], UEFI, 7);
                if (types[i] == DHCP_NONE)
                        say(DHCP_NONE, 1);
                handle();
                assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        }
        say(DHCP_DISCOVER, 1);
        handle();
        assert_silent("not a boot client");
        lab.boot_file = NULL;
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_silent("nothing to boot");
}

static void binl_say(enum dhcp_type type, const char *class, uint16_t port)
{
        boot_say(type, class, 7);
        lab.w.h.ciaddr = IP(192, 0, 2, 77);
        lab.in.source = IP(192, 0, 2, 77);
        lab.in.source_port = port;
        lab.in.destination = SERVER;
        lab.in.binl = true;
}

static void test_binl(void **state)
{
        static const uint16_t ports[] = {68, 4011, 1024, 65535};

        (void)state;
        for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
                binl_say(DHCP_REQUEST, UEFI, ports[i]);
                handle();
                assert_answer(DHCP_ACK, 0);
                assert_int_equal(lab.out.send, DHCP_SEND_ROUTED);
                assert_int_equal(lab.out.to, IP(192, 0, 2, 77));
                assert_int_equal(lab.out.to_port, ports[i]);
                assert_int_equal(lab.out.from_port, 4011);
                assert_string_equal(lab.reply.h.file, "boot.efi");
                assert_true(REPLY_IS(DHCP_OPT_VENDOR_CLASS, "PXEClient"));
                assert_int_equal(lab.reply.h.ciaddr, IP(192, 0, 2, 77));
        }
        binl_say(DHCP_DISCOVER, UEFI, 68);
        handle();
        assert_answer(DHCP_OFFER, 0);
        binl_say(DHCP_INFORM, UEFI, 68);
        handle();
        assert_answer(DHCP_ACK, 0);
        binl_say(DHCP_REQUEST, "MSFT 5.0", 68);
        handle();
        assert_silent("not a boot client");
        binl_say(DHCP_RELEASE, UEFI, 68);
        handle();
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
}

/* As the only server too, since EDK2 may ask there; no lease is touched by it. */
static void test_binl_own(void **state)
{
        (void)state;
        lab.boot_file = "boot.efi";
        lab.pxe = SITE_PXE_DIRECT;
        binl_say(DHCP_REQUEST, UEFI, 4011);
        handle();
        assert_answer(DHCP_ACK, 0);
        assert_int_equal(lab.out.n_writes, 0);
}

static void test_boot_item(void **state)
{
        (void)state;
        binl_say(DHCP_REQUEST, BIOS, 68);
        dhcp_put(&lab.w, DHCP_OPT_VENDOR, "\x47\4\0\1\0\0\xff", 7);
        handle();
        assert_true(REPLY_IS(DHCP_OPT_VENDOR, "\x47\4\0\1\0\0\xff"));
        binl_say(DHCP_REQUEST, BIOS, 68);
        dhcp_put(&lab.w, DHCP_OPT_VENDOR, "\x47\4\0\1", 4); /* cut off */
        handle();
        assert_answer(DHCP_ACK, 0);
}

static void test_off(void **state)
{
        (void)state;
        lab.networks[0].mode = SITE_OFF;
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_silent("is off");
}

#define PROXY_TEST(test) cmocka_unit_test_setup_teardown(test, proxy_setup, lab_teardown)

static void test_known_only(void **state)
{
        (void)state;
        lab.networks[0].only_known = true;
        boot_say(DHCP_DISCOVER, UEFI, 7);
        handle();
        assert_silent("serves no others");
        boot_say(DHCP_REQUEST, UEFI, 7);
        lab.in.binl = true;
        handle();
        assert_silent("serves no others");
        boot_say(DHCP_DISCOVER, UEFI, 7);
        lab.w.h.chaddr[5] = 0xaa; /* a machine of the site file */
        handle();
        assert_answer(DHCP_OFFER, 0);
        assert_string_equal(lab.reply.h.file, "boot.efi");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                LAB_TEST(test_own),
                LAB_TEST(test_raspberry_pi),
                LAB_TEST(test_http),
                LAB_TEST(test_ipxe),
                LAB_TEST(test_long_uri),
                PROXY_TEST(test_proxy_offer),
                PROXY_TEST(test_proxy_is_silent),
                PROXY_TEST(test_binl),
                LAB_TEST(test_binl_own),
                PROXY_TEST(test_boot_item),
                PROXY_TEST(test_known_only),
                LAB_TEST(test_off),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
