/* What a DISCOVER leads to: probes, machines with more than one MAC, late and
 * early answers, names. */
#include "engine_lab.h"

static void test_probe(void **state)
{
        uint32_t used;

        (void)state;
        lab.networks[0].probe = true;
        say(DHCP_DISCOVER, 1);
        handle();
        used = lab.out.probe;
        assert_in_range(used, FIRST, LAST);
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        dhcp_engine_probed(lab.engine, lab.now_ms, used, true); /* somebody is there */
        handle();
        assert_int_not_equal(lab.out.probe, used);
        assert_in_range(lab.out.probe, FIRST, LAST);
        dhcp_engine_probed(lab.engine, lab.now_ms, lab.out.probe, false);
        handle();
        assert_int_equal(lab.out.probe, 0);
        assert_int_equal(lab.reply.type, DHCP_OFFER);
        handle(); /* and for a while it is not asked again */
        assert_int_equal(lab.out.probe, 0);
        select_address(1, lab.reply.h.yiaddr);
        say(DHCP_DISCOVER, 1); /* the client's own */
        handle();
        assert_int_equal(lab.reply.type, DHCP_OFFER);
        assert_int_equal(lease_state(used), LEASE_DECLINED);
}

/* An address that was the client's own until lately is offered at once; not after long, and not to others. */
static void test_no_probe_of_its_own(void **state)
{
        uint32_t address;

        (void)state;
        address = acquire(1);
        lab.networks[0].probe = true;
        pass_sec(1000 + DHCP_ITS_OWN_SEC - 1); /* its lease ended meanwhile */
        say(DHCP_DISCOVER, 1);
        handle();
        assert_answer(DHCP_OFFER, address);
        select_address(1, address);
        pass_sec(1000 + DHCP_ITS_OWN_SEC);
        say(DHCP_DISCOVER, 1);
        handle();
        assert_int_equal(lab.out.probe, address);
}

/* A boot program with a hardware address of its own, as U-Boot's: its machine's address is for the system too, which
 * has the card's. Two systems at once are not given one address. */
static void test_machine_of_two_macs(void **state)
{
        (void)state;
        say(DHCP_DISCOVER, 0xab);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "U-Boot.armv8");
        handle();
        assert_answer(DHCP_OFFER, RESERVED);
        say(DHCP_REQUEST, 0xab);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "U-Boot.armv8");
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, RESERVED);
        handle();
        assert_answer(DHCP_ACK, RESERVED);
        assert_int_equal(acquire(0xaa), RESERVED);
        assert_in_range(acquire(0xab), FIRST, LAST);
        assert_int_equal(dhcp_engine_lease(lab.engine, RESERVED)->hw[5], 0xaa);
        say(DHCP_DISCOVER, 0xab); /* it boots again */
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "U-Boot.armv8");
        handle();
        assert_answer(DHCP_OFFER, RESERVED);
}

/* The ROM of the Pi 3 is answered late, that of the Pi 4 and others at once. */
static void test_delay(void **state)
{
        static const struct {
                const char *oui;
                const char *uuid;
                unsigned int delay_ms;
        } rows[] = {
                {"\xb8\x27\xeb", "\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44\x44", DHCP_PI3_DELAY_MS},
                {"\xdc\xa6\x32", "RPi4\x11\x31\xd0\0\x01\x02\x03\0\x04\x05\x06\0", 0},
                {"\x52\x54\0", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0},
        };

        uint8_t uuid[17] = {0};

        (void)state;
        lab.boot_file = "";
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                say(DHCP_DISCOVER, (uint8_t)i);
                memcpy(lab.w.h.chaddr, rows[i].oui, 3);
                dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "PXEClient:Arch:00000:UNDI:002001");
                dhcp_put(&lab.w, DHCP_OPT_ARCH, "\0\0", 2);
                memcpy(uuid + 1, rows[i].uuid, 16);
                dhcp_put(&lab.w, DHCP_OPT_UUID, uuid, sizeof(uuid));
                handle();
                assert_int_equal(lab.out.delay_ms, rows[i].delay_ms);
        }
}

/* RFC 4039, where the site file allows it: two messages in place of four. */
static void test_rapid_commit(void **state)
{
        (void)state;
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_RAPID_COMMIT, "", 0);
        handle();
        assert_int_equal(lab.reply.type, DHCP_OFFER);
        assert_int_equal(lab.out.n_writes, 0);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_RAPID_COMMIT));
        lab.networks[0].rapid_commit = true;
        say(DHCP_DISCOVER, 2); /* it did not ask */
        handle();
        assert_int_equal(lab.reply.type, DHCP_OFFER);
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_RAPID_COMMIT, "", 0);
        handle();
        assert_int_equal(lab.reply.type, DHCP_ACK);
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(lab.out.n_writes, 1); /* on disk first */
        assert_true(dhcp_has(&lab.reply, DHCP_OPT_RAPID_COMMIT));
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_LEASE_TIME, 0), 1000);
        dhcp_engine_read_only(lab.engine, true);
        say(DHCP_DISCOVER, 3);
        dhcp_put(&lab.w, DHCP_OPT_RAPID_COMMIT, "", 0);
        handle();
        assert_int_equal(lab.reply.type, DHCP_OFFER);
        assert_int_equal(lab.out.n_writes, 0);
}

/* RFC 4702: the client is told that nothing is done in DNS, and under which name it is known. */
static void test_whole_name(void **state)
{
        static const struct {
                uint8_t mac;
                const char *sent, *told;
        } rows[] = {
                {1, "\x05\0\0\x07kitchen\x03lab\0", "\x0e\xff\xff\x07kitchen\x03lab\0"},
                {1, "\x05\0\0\x03pc1\x03lab\0\0\0\0", "\x0e\xff\xff\x03pc1\x03lab\0"},
                {0xaa, "\x04\0\0\x07kitchen\x03lab\0", "\x0c\xff\xff\x05rack1\0"},
        };
        const uint8_t *told;
        size_t len;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                say(DHCP_DISCOVER, rows[i].mac);
                dhcp_put(&lab.w, DHCP_OPT_FQDN, rows[i].sent, 16);
                handle();
                told = dhcp_get(&lab.reply, DHCP_OPT_FQDN, &len);
                assert_non_null(told);
                assert_memory_equal(told, rows[i].told, len);
        }
        assert_string_equal(lab.out.client.host_name, "kitchen");
        say(DHCP_DISCOVER, 1);
        handle();
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_FQDN)); /* it sent none */
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_FQDN, "\x04\0\0\x3fkitchen", 11);
        handle();
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_FQDN));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                LAB_TEST(test_probe), LAB_TEST(test_no_probe_of_its_own), LAB_TEST(test_machine_of_two_macs),
                LAB_TEST(test_delay), LAB_TEST(test_rapid_commit),        LAB_TEST(test_whole_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
