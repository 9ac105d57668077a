#include "test.h"

#include <string.h>

#include "wire/client.h"
#include "wire/dhcp.h"

static struct dhcp_writer writer;
static struct dhcp_message message;
static struct client client;

static void start(const char *mac)
{
        dhcp_writer_init(&writer);
        writer.h.op = DHCP_REQUEST_OP;
        writer.h.htype = DHCP_ETHERNET;
        writer.h.hlen = 6;
        memcpy(writer.h.chaddr, mac, 6);
        dhcp_put_u8(&writer, DHCP_OPT_TYPE, DHCP_DISCOVER);
}

static void read_it(void)
{
        uint8_t buf[DHCP_SIZE_MAX];
        const char *reason;
        size_t n = dhcp_write(&writer, DHCP_ETHERNET_SIZE, buf);

        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        client_read(&message, &client);
}

#define QEMU "\x52\x54\x00\x12\x34\x56"

static const struct row {
        const char *mac, *vendor_class, *user_class;
        int arch; /* -1: no option 93 */
        const char *uuid;
        enum client_kind kind;
        enum client_platform platform;
        bool http;
} rows[] = {
        {QEMU, "PXEClient:Arch:00000:UNDI:002001", NULL, 0, NULL, CLIENT_PXE, PLATFORM_BIOS, false},
        {QEMU, "PXEClient:Arch:00007:UNDI:003000", NULL, 7, NULL, CLIENT_PXE, PLATFORM_UEFI_X64, false},
        {QEMU, "PXEClient:Arch:00007:UNDI:003000", NULL, -1, NULL, CLIENT_PXE, PLATFORM_UEFI_X64, false},
        {QEMU, "PXEClient", NULL, -1, NULL, CLIENT_PXE, PLATFORM_UNKNOWN, false},
        {QEMU, "PXEClient:Arch:0x:UNDI", NULL, -1, NULL, CLIENT_PXE, PLATFORM_BIOS, false},
        {QEMU, "PXEClient:Arch:99999", NULL, -1, NULL, CLIENT_PXE, PLATFORM_UNKNOWN, false},
        {QEMU, "PXEClient:Arch:00011:UNDI:003000", NULL, 11, NULL, CLIENT_PXE, PLATFORM_UEFI_ARM64, false},
        {QEMU, "HTTPClient:Arch:00016:UNDI:003000", NULL, 16, NULL, CLIENT_HTTP, PLATFORM_UEFI_X64, true},
        {QEMU, "HTTPClient:Arch:00019:UNDI:003000", NULL, 19, NULL, CLIENT_HTTP, PLATFORM_UEFI_ARM64, true},
        {QEMU, "PXEClient:Arch:00007:UNDI:003001", "iPXE", 7, NULL, CLIENT_IPXE, PLATFORM_UEFI_X64, true},
        {QEMU, "PXEClient:Arch:00000:UNDI:002001", "\4iPXE", 0, NULL, CLIENT_IPXE, PLATFORM_BIOS, true},
        {QEMU, "U-Boot.armv8", NULL, 22, NULL, CLIENT_UBOOT, PLATFORM_UBOOT_ARM64, false},
        {QEMU, NULL, NULL, 0x18, NULL, CLIENT_UBOOT, PLATFORM_UBOOT_ARM64, true},
        {QEMU, "udhcp 1.35.0", NULL, -1, NULL, CLIENT_OTHER, PLATFORM_UNKNOWN, false},
        {QEMU, NULL, NULL, -1, NULL, CLIENT_OTHER, PLATFORM_UNKNOWN, false},
        {"\xb8\x27\xeb\1\2\3", "PXEClient:Arch:00000:UNDI:002001", NULL, 0, "\0DDDDDDDDDDDDDDDD", CLIENT_PI,
         PLATFORM_PI3, false},
        {QEMU, "PXEClient:Arch:00000:UNDI:002001", NULL, 0, "\0DDDDDDDDDDDDDDDD", CLIENT_PI, PLATFORM_PI3, false},
        {"\xb8\x27\xeb\1\2\3", "PXEClient:Arch:00000:UNDI:002001", NULL, 0, NULL, CLIENT_PI, PLATFORM_PI3, false},
        {"\xdc\xa6\x32\1\2\3", "PXEClient:Arch:00000:UNDI:002001", NULL, 0, NULL, CLIENT_PI, PLATFORM_PI4, false},
        {"\x2c\xcf\x67\1\2\3", "PXEClient:Arch:00000:UNDI:002001", NULL, 0, NULL, CLIENT_PI, PLATFORM_PI5, false},
        {QEMU, "PXEClient:Arch:00000:UNDI:002001", NULL, 0, "\0RPi5\x70\x41\xd0\0abcd\x78\x56\x34\x12", CLIENT_PI,
         PLATFORM_PI5, false},
        {"\x2c\xcf\x67\1\2\3", "PXEClient:Arch:00041:UNDI:002001", NULL, 41, NULL, CLIENT_PI, PLATFORM_PI5, false},
        {QEMU, "PXEClient:Arch:00041:UNDI:002001", NULL, 41, NULL, CLIENT_PXE, PLATFORM_UNKNOWN, false},
        {QEMU, "HTTPClient:Arch:00017:UNDI:003000", NULL, 17, NULL, CLIENT_HTTP, PLATFORM_UEFI_X64, true},
        /* UEFI, iPXE and Linux on the same board are what they say. */
        {"\xdc\xa6\x32\1\2\3", "PXEClient:Arch:00011:UNDI:003000", NULL, 11, NULL, CLIENT_PXE, PLATFORM_UEFI_ARM64,
         false},
        {"\xdc\xa6\x32\1\2\3", "PXEClient:Arch:00011:UNDI:003000", "iPXE", 11, NULL, CLIENT_IPXE, PLATFORM_UEFI_ARM64,
         true},
        {"\xdc\xa6\x32\1\2\3", "dhcpcd-9.4.1:Linux-6.1:aarch64", NULL, -1, NULL, CLIENT_OTHER, PLATFORM_UNKNOWN, false},
};

static void test_kinds(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                start(rows[i].mac);
                if (rows[i].vendor_class)
                        dhcp_put_text(&writer, DHCP_OPT_VENDOR_CLASS, rows[i].vendor_class);
                if (rows[i].user_class)
                        dhcp_put_text(&writer, DHCP_OPT_USER_CLASS, rows[i].user_class);
                if (rows[i].arch >= 0)
                        dhcp_put_u16(&writer, DHCP_OPT_ARCH, (uint16_t)rows[i].arch);
                if (rows[i].uuid)
                        dhcp_put(&writer, DHCP_OPT_UUID, rows[i].uuid, 17);
                read_it();
                assert_int_equal(client.kind, rows[i].kind);
                assert_int_equal(client.platform, rows[i].platform);
                assert_int_equal(client.http, rows[i].http);
        }
}

static void test_raspberry_numbers(void **state)
{
        (void)state;
        start("\xdc\xa6\x32\x01\x02\x03");
        dhcp_put_text(&writer, DHCP_OPT_VENDOR_CLASS, "PXEClient:Arch:00000:UNDI:002001");
        dhcp_put(&writer, DHCP_OPT_UUID, "\0RPi4\x14\x31\xc0\0\x32\x01\x02\x03\x78\x56\x34\x12", 17);
        read_it();
        assert_int_equal(client.platform, PLATFORM_PI4);
        assert_int_equal(client.pi_revision, 0xc03114);
        assert_int_equal(client.pi_serial, 0x12345678);

        start("\xdc\xa6\x32\x01\x02\x03"); /* an old EEPROM: the serial, four times */
        dhcp_put_text(&writer, DHCP_OPT_VENDOR_CLASS, "PXEClient:Arch:00000:UNDI:002001");
        dhcp_put(&writer, DHCP_OPT_UUID, "\0\x78\x56\x34\x12\x78\x56\x34\x12\x78\x56\x34\x12\x78\x56\x34\x12", 17);
        read_it();
        assert_int_equal(client.platform, PLATFORM_PI4);
        assert_int_equal(client.pi_serial, 0x12345678);
}

/* Identifiers, and the odd lengths in which 93 and 97 come. */
static void test_identity(void **state)
{
        static const char long_id[300] = "\xff";
        static const size_t uuid_lengths[] = {0, 1, 16, 18};

        (void)state;
        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_ARCH, "\0\7\0\6\0", 5);
        read_it();
        assert_int_equal(client.id_len, 7);
        assert_memory_equal(client.id, "\1" QEMU, 7);
        assert_int_equal(client.n_archs, 2);
        assert_int_equal(client.archs[1], 6);

        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_CLIENT_ID, long_id, sizeof(long_id));
        dhcp_put(&writer, DHCP_OPT_ARCH, "\7", 1);
        read_it();
        assert_int_equal(client.id_len, 255);
        assert_int_equal(client.n_archs, 0);

        start(QEMU);
        writer.h.htype = 32; /* InfiniBand */
        writer.h.hlen = 0;
        dhcp_put(&writer, DHCP_OPT_CLIENT_ID, "x", 1); /* too short to be one */
        read_it();
        assert_false(client.has_mac);
        assert_int_equal(client.id_len, 1);

        for (size_t i = 0; i < sizeof(uuid_lengths) / sizeof(uuid_lengths[0]); i++) {
                start(QEMU);
                dhcp_put(&writer, DHCP_OPT_UUID, "\0RPi4aaaaaaaaaaaaa", uuid_lengths[i]);
                read_it();
                assert_false(client.has_uuid);
        }
        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_UUID, "\1RPi4aaaaaaaaaaaaa", 17); /* of a type that nobody knows */
        read_it();
        assert_false(client.has_uuid);
}

static void test_texts(void **state)
{
        (void)state;
        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_HOST_NAME, "a\x1b[\\\xc3\xbc\xff\xed\xa0\x80\xc2\x9b\0b\0", 15);
        dhcp_put_text(&writer, DHCP_OPT_USER_CLASS, "\3one\3two");
        read_it();
        assert_string_equal(client.host_name, "a\\x1b[\\x5c\xc3\xbc\\xff\\xed\\xa0\\x80\\xc2\\x9b\\x00b");
        assert_string_equal(client.user_class, "one two");

        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_USER_CLASS, "\0\0", 2);
        dhcp_put_text(&writer, DHCP_OPT_HOST_NAME, "<script>");
        read_it();
        assert_string_equal(client.user_class, "");
        assert_string_equal(client.host_name, "<script>"); /* whoever shows it escapes for his medium */

        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_USER_CLASS, "", 0);
        dhcp_put(&writer, DHCP_OPT_HOST_NAME, "", 0);
        read_it();
        assert_string_equal(client.user_class, "");
        assert_string_equal(client.host_name, "");
}

/* Texts of 255 bytes that each take four characters, and classes of no length. */
static void test_long_texts(void **state)
{
        char bytes[510];

        (void)state;
        memset(bytes, 1, sizeof(bytes));
        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_HOST_NAME, bytes, sizeof(bytes));
        dhcp_put(&writer, DHCP_OPT_USER_CLASS, bytes, sizeof(bytes)); /* instances of one byte each */
        read_it();
        assert_in_range(strlen(client.host_name), 200, CLIENT_TEXT - 1);
        assert_in_range(strlen(client.user_class), 200, CLIENT_TEXT - 1);
}

static void test_ipxe(void **state)
{
        (void)state;
        start(QEMU); /* FlexBoot: encapsulated options, no user class; HTTP is among them */
        dhcp_put(&writer, DHCP_OPT_IPXE, "\xb1\1\1\x13\1\1", 6);
        writer.h.secs = 4 | 2;
        read_it();
        assert_int_equal(client.kind, CLIENT_IPXE);
        assert_true(client.http);
        assert_true(client.proxy_only);

        start(QEMU);
        dhcp_put(&writer, DHCP_OPT_IPXE, "\x13\5\1", 3); /* cut off */
        read_it();
        assert_int_equal(client.kind, CLIENT_IPXE);
        assert_false(client.http);
        assert_false(client.proxy_only);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds), cmocka_unit_test(test_raspberry_numbers), cmocka_unit_test(test_identity),
                cmocka_unit_test(test_texts), cmocka_unit_test(test_long_texts),        cmocka_unit_test(test_ipxe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
